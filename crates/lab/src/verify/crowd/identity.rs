//! Who someone of the crowd is to the server: an account, and the product's own client with its login. What the client
//! waits for as long as a person would, the crowd gives up sooner.

use std::{net::SocketAddr, time::Duration};

use parlour_client::{
    api::{Api, Failure, Page, Query},
    socket::{Heard, Socket},
};
use tokio::time::timeout;
use url::Url;

use crate::protocol::{
    GENERAL,
    command::Request,
    event::{Connected, Event, Notice, System},
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
            token: String::new(),
        };
        in_time(ANSWERING, identity.api.register(username, PASSWORD)).await?;
        identity.log_in().await?;
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

    /// A page of the room's messages.
    ///
    /// # Errors
    /// When the server does not answer, or refuses.
    pub async fn page(&self, query: Query) -> Result<Page, Failure> {
        in_time(ANSWERING, self.api.messages(&self.token, GENERAL, query)).await
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
