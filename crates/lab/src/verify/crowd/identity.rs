//! Who someone of the crowd is to the server: an account, and the product's own client with its login. What the client
//! waits for as long as a person would, the crowd gives up sooner.

use std::{net::SocketAddr, time::Duration};

use parlour_client::{
    api::{Api, Failure, Page, Query},
    socket::{Heard, Socket},
};
use tokio::time::timeout;
use url::Url;

use crate::{
    protocol::{
        GENERAL,
        command::Request,
        event::{Connected, Event, Notice, System},
        message::Message,
    },
    raw::http::Http,
};

/// How long an answer may take; the server's own patience is shorter.
const ANSWERING: Duration = Duration::from_secs(6);
/// How long the handshake, and the first frame after it, may take.
const OPENING: Duration = Duration::from_secs(5);
/// How long a frame of ours may wait for room on the line.
const SENDING: Duration = Duration::from_secs(5);
const PASSWORD: &str = "only for this run";

/// Someone who is logged in.
#[derive(Clone)]
pub struct Identity {
    api: Api,
    username: String,
    user: i64,
    token: String,
}

impl Identity {
    /// Registers someone and logs in.
    ///
    /// # Errors
    /// When the server does not answer, or refuses.
    pub async fn register(addr: SocketAddr, username: &str) -> Result<Self, Failure> {
        let mut identity = Self {
            api: api(addr)?,
            username: username.into(),
            user: 0,
            token: String::new(),
        };
        let registered = in_time(ANSWERING, identity.api.register(username, PASSWORD)).await;
        let is_there = matches!(registered, Err(Failure::Refused { status: 400, .. }));
        if !is_there {
            identity.user = registered?.id;
        }
        identity.log_in().await?;
        if is_there {
            // It was tried before, and the answer, or the login, was late.
            identity.user = identity.open().await?.1.user_id;
        }
        Ok(identity)
    }

    /// The same by another way, such as a proxy.
    ///
    /// # Errors
    /// When there can be no client.
    pub fn through(self, addr: SocketAddr) -> Result<Self, Failure> {
        Ok(Self {
            api: api(addr)?,
            ..self
        })
    }

    async fn log_in(&mut self) -> Result<(), Failure> {
        let tokens = in_time(ANSWERING, self.api.log_in(&self.username, PASSWORD)).await?;
        self.token = tokens.access_token;
        Ok(())
    }

    /// Logs in again when that is what a failure asks for: with another clock, a token may be refused.
    pub async fn renew(&mut self, failure: &Failure) {
        if matches!(failure, Failure::Refused { status: 401, .. }) {
            // What does not work now is tried again with the next socket.
            let _later = self.log_in().await;
        }
    }

    /// Opens a socket and waits for its first frame.
    ///
    /// # Errors
    /// When there is no server, or it refuses.
    pub async fn open(&self) -> Result<(Socket, Connected), Failure> {
        in_time(OPENING, async {
            let mut socket = self.api.open(&self.token).await?;
            let first = socket.next().await;
            let first = first.map_err(|end| Failure::Unreachable(end.why))?;
            match first {
                Heard::Frame(frame) => match *frame {
                    Event::System(System {
                        notice: Notice::Connected(connected),
                        ..
                    }) => Ok((socket, *connected)),
                    other => Err(not_the_first(&other)),
                },
                Heard::Sign => Err(not_the_first(&"something else")),
            }
        })
        .await
    }

    /// Logs in again where that is needed.
    pub async fn stay_logged_in(&mut self) {
        if let Err(failure) = self.page(Query::Latest).await {
            self.renew(&failure).await;
        }
    }

    /// Their name.
    pub fn username(&self) -> &str {
        &self.username
    }

    /// Their number.
    pub fn user(&self) -> i64 {
        self.user
    }

    /// A plain client with this login.
    pub fn http(&self, addr: SocketAddr) -> Http {
        Http::new(addr).with_token(&self.token)
    }

    /// A page of the messages of the room of all.
    ///
    /// # Errors
    /// When the server does not answer, or refuses.
    pub async fn page(&self, query: Query) -> Result<Page, Failure> {
        self.page_of(GENERAL, query).await
    }

    async fn page_of(&self, room: &str, query: Query) -> Result<Page, Failure> {
        in_time(ANSWERING, self.api.messages(&self.token, room, query)).await
    }

    /// The latest messages of a room, if it can be read.
    pub async fn latest(&self, room: &str) -> Option<Vec<Message>> {
        let page = self.page_of(room, Query::Latest).await;
        page.ok().map(|page| page.messages)
    }

    /// All that has changed in a room after this number, if it can be read to the end.
    pub async fn changes(&self, room: &str, mut since: u64) -> Option<Vec<Message>> {
        let mut all = Vec::new();
        loop {
            let page = self.page_of(room, Query::Since(since)).await.ok()?;
            let last = page.messages.last().map_or(since, |last| last.seq);
            all.extend(page.messages);
            // A page that does not go on would come again forever.
            if !page.more || last <= since {
                return Some(all);
            }
            since = last;
        }
    }

    /// All messages of a room by their numbers, read backwards.
    ///
    /// # Errors
    /// When the server does not answer, or refuses.
    pub async fn history(&self, room: &str) -> Result<Vec<Message>, Failure> {
        let (mut all, mut query) = (Vec::<Message>::new(), Query::Latest);
        loop {
            let page = self.page_of(room, query).await?;
            let first = page.messages.first().map(|first| first.id);
            all.extend(page.messages.into_iter().rev());
            match first {
                Some(first) if page.more && query != Query::Before(first) => {
                    query = Query::Before(first);
                }
                _ => {
                    all.reverse();
                    return Ok(all);
                }
            }
        }
    }
}

fn not_the_first(frame: &impl std::fmt::Debug) -> Failure {
    Failure::Unreachable(format!("the first frame is {frame:?}"))
}

fn api(addr: SocketAddr) -> Result<Api, Failure> {
    let base = Url::parse(&format!("http://{addr}"));
    Api::new(&base.map_err(|error| Failure::Unusable(error.to_string()))?)
}

async fn in_time<T>(
    patience: Duration,
    answer: impl Future<Output = Result<T, Failure>>,
) -> Result<T, Failure> {
    timeout(patience, answer)
        .await
        .unwrap_or_else(|_| Err(Failure::Unreachable("there was no answer in time".into())))
}

/// A line that is not good for anything any more.
pub struct Over;

/// Sends a command.
///
/// # Errors
/// When the line is cut, or takes nothing.
pub async fn say(socket: &mut Socket, request: &Request) -> Result<(), Over> {
    match timeout(SENDING, socket.send(request)).await {
        Ok(Ok(())) => Ok(()),
        _ => Err(Over),
    }
}

#[cfg(test)]
mod tests {
    use std::{
        io::{Read as _, Write as _},
        net::TcpListener,
        thread,
    };

    use tokio::task::LocalSet;

    use super::*;

    /// What someone is told by a server that says this and hangs up.
    fn told(answer: Vec<u8>) -> Result<Page, Failure> {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let addr = listener.local_addr().expect("an address");
        let server = thread::spawn(move || {
            let (mut stream, _) = listener.accept().expect("a client");
            let (mut seen, mut buffer) = (Vec::new(), [0; 4096]);
            while !seen.ends_with(b"\r\n\r\n") {
                let count = stream.read(&mut buffer).expect("reads");
                seen.extend_from_slice(&buffer[..count]);
            }
            stream.write_all(&answer).expect("writes");
        });
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .expect("a runtime");
        let page = LocalSet::new().block_on(&runtime, async {
            let identity = Identity {
                api: api(addr).expect("a client"),
                username: String::new(),
                user: 0,
                token: "t".into(),
            };
            identity.page(Query::Latest).await
        });
        server.join().expect("ends");
        page
    }

    /// One that was cut off must not pass for a short one.
    #[test]
    fn an_answer_that_was_cut_off_is_no_answer() {
        let answer =
            b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 2\r\n\r\n[]";
        let whole = told(answer.to_vec()).expect("whole");
        assert!(whole.messages.is_empty() && !whole.more);
        for end in 0..answer.len() {
            let page = told(answer[..end].to_vec());
            assert!(page.is_err(), "{page:?} after {end} bytes");
        }
    }
}
