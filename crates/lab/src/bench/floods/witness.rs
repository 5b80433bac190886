//! Who feels a flood: a user who says something again and again, and a newcomer who asks for a page and logs in. Each comes
//! from an address of its own.

use std::{
    io::{Read, Write},
    net::{IpAddr, SocketAddr, TcpStream},
    sync::Arc,
    thread,
    time::{Duration, Instant},
};

use rustls::{ClientConfig, ClientConnection, StreamOwned};
use serde_json::{Value, json};

use crate::{
    Result, Trouble,
    bench::{accounts::PASSWORD, stats::Histogram},
    protocol::views::Tokens,
    raw::{
        http::{Http, Response, read_response},
        socket::{Message, WebSocket, upgrade},
    },
    rig::certificate::{Certificate, NAME},
};

/// The last number of the address in 127.0.0.0/8 that each comes from.
const WITNESS: u8 = 9;
const NEWCOMER: u8 = 8;
/// Those who register, each from another, since an address may not register many.
const FIRST_OF_REGISTERED: u8 = 10;
const SPEAK_EVERY: Duration = Duration::from_millis(20);
/// How often a newcomer comes.
const VISITS: u32 = 3;

/// Both directions of a connection.
pub trait Stream: Read + Write + Send {}
impl<T: Read + Write + Send> Stream for T {}

/// The way to a server: in the clear or by TLS, from any address of this machine.
#[derive(Clone)]
pub struct Route {
    pub addr: SocketAddr,
    tls: Option<Arc<ClientConfig>>,
}

impl Route {
    /// The route to the server at `addr`, which has this certificate.
    pub fn new(addr: SocketAddr, certificate: Option<&Certificate>) -> Result<Self> {
        let tls = certificate.map(Certificate::trust).transpose()?;
        Ok(Self { addr, tls })
    }

    /// A client that comes from 127.0.0.`from`.
    pub fn http(&self, from: u8) -> Http {
        Http {
            source: Some(IpAddr::from([127, 0, 0, from])),
            ..Http::new(self.addr)
        }
    }

    /// A bare connection from there.
    pub fn open(&self, from: u8) -> std::io::Result<TcpStream> {
        self.http(from).open()
    }

    /// One that can be spoken on.
    pub fn connect(&self, from: u8) -> Result<Box<dyn Stream>> {
        let stream = self
            .open(from)
            .map_err(|error| Trouble::io("connect", &error))?;
        let Some(tls) = &self.tls else {
            return Ok(Box::new(stream));
        };
        let name = NAME.try_into();
        let connection = name
            .map_err(|error| Trouble(format!("{NAME} is no name: {error}.")))
            .and_then(|name| {
                ClientConnection::new(Arc::clone(tls), name)
                    .map_err(|error| Trouble(format!("TLS cannot be spoken: {error}.")))
            })?;
        Ok(Box::new(StreamOwned::new(connection, stream)))
    }

    fn ask(&self, from: u8, method: &str, path: &str, body: &[u8]) -> Result<Response> {
        let request = self.http(from).compose(method, path, &[], body);
        let mut stream = self.connect(from)?;
        stream
            .write_all(&request)
            .and_then(|()| read_response(&mut stream))
            .map_err(|error| Trouble::io(&format!("get an answer to {path}"), &error))
    }

    fn post<T: serde::de::DeserializeOwned>(
        &self,
        from: u8,
        path: &str,
        body: &Value,
    ) -> Result<T> {
        let answer = self.ask(from, "POST", path, body.to_string().as_bytes())?;
        serde_json::from_slice(&answer.body).map_err(|_| {
            let status = answer.status;
            let text = answer.text();
            Trouble(format!("The server answered {path} with {status}: {text}"))
        })
    }

    /// Registers a user from the next address that has registered no one, and logs in; gives the access token.
    pub fn register(&self, username: &str, at: u8) -> Result<String> {
        let body = json!({"username": username, "password": PASSWORD});
        let from = FIRST_OF_REGISTERED + at;
        let _: Value = self.post(from, "/api/auth/register", &body)?;
        self.log_in(from, username)
    }

    fn log_in(&self, from: u8, username: &str) -> Result<String> {
        let body = json!({"username": username, "password": PASSWORD});
        let tokens: Tokens = self.post(from, "/api/auth/login", &body)?;
        Ok(tokens.access_token)
    }

    /// Opens a socket.
    pub fn socket(&self, from: u8, token: &str) -> Result<WebSocket<Box<dyn Stream>>> {
        let scheme = if self.tls.is_some() { "wss" } else { "ws" };
        let url = format!("{scheme}://{}/ws/chat", self.addr);
        let bearer = format!("Bearer {token}");
        upgrade(self.connect(from)?, &url, &[("authorization", &bearer)])
            .map_err(|status| Trouble(format!("A socket was refused with status {status}.")))
    }
}

/// What became of the others.
pub struct Witnessed {
    /// The p99 of the time from a message to its ack.
    pub ack: Duration,
    /// The slowest of the newcomers' first answers, the connection's handshakes included.
    pub first_answer: Duration,
    /// The slowest of their logins.
    pub login: Duration,
    /// Messages that were refused, sockets that were lost, and newcomers who were not answered: each took as long as it did,
    /// and counts with that.
    pub failed: u64,
}

/// The user who is looked after, and the name that the newcomer logs in with.
pub struct Witness {
    route: Route,
    token: String,
}

const NEWCOMERS_NAME: &str = "newcomer";

impl Witness {
    /// Registers both.
    pub fn enter(route: Route) -> Result<Self> {
        let token = route.register("witness", 0)?;
        route.register(NEWCOMERS_NAME, 1)?;
        Ok(Self { route, token })
    }

    /// Speaks for so long, while the newcomer comes and goes.
    pub fn watch(&self, time: Duration) -> Result<Witnessed> {
        thread::scope(|scope| {
            let newcomer = scope.spawn(|| self.come_and_go(time));
            let (acks, lost) = self.speak(time)?;
            let (first_answer, login, unanswered) = newcomer
                .join()
                .map_err(|_| Trouble("A thread of the bench has failed.".into()))?;
            Ok(Witnessed {
                ack: acks.quantile(0.99),
                first_answer,
                login,
                failed: lost + unanswered,
            })
        })
    }

    fn speak(&self, time: Duration) -> Result<(Histogram, u64)> {
        let (mut acks, mut failed) = (Histogram::default(), 0);
        let mut socket = self.route.socket(WITNESS, &self.token)?;
        let end = Instant::now() + time;
        let mut number = 0_u64;
        while Instant::now() < end {
            number += 1;
            let begun = Instant::now();
            if say(&mut socket, &format!("w{number}")) != Some(true) {
                failed += 1;
                socket = self.route.socket(WITNESS, &self.token)?;
            }
            acks.add(begun.elapsed().as_nanos() as u64);
            thread::sleep(SPEAK_EVERY.saturating_sub(begun.elapsed()));
        }
        Ok((acks, failed))
    }

    fn come_and_go(&self, time: Duration) -> (Duration, Duration, u64) {
        let (mut first_answer, mut login, mut failed) = (Duration::ZERO, Duration::ZERO, 0);
        for _ in 0..VISITS {
            thread::sleep(time / (VISITS + 1));
            let begun = Instant::now();
            let answer = self.route.ask(NEWCOMER, "GET", "/health", &[]);
            first_answer = first_answer.max(begun.elapsed());
            let begun = Instant::now();
            let let_in = self.route.log_in(NEWCOMER, NEWCOMERS_NAME);
            login = login.max(begun.elapsed());
            failed += u64::from(answer.is_err()) + u64::from(let_in.is_err());
        }
        (first_answer, login, failed)
    }
}

/// Says something and waits for its answer: whether it is an ack. `None` when the socket is lost.
fn say(socket: &mut WebSocket<Box<dyn Stream>>, reference: &str) -> Option<bool> {
    let frame = json!({"type": "message", "content": "is it still quick?", "ref": reference});
    socket.send(Message::text(frame.to_string())).ok()?;
    loop {
        let Message::Text(text) = socket.read().ok()? else {
            continue;
        };
        let answer: Value = serde_json::from_str(&text).unwrap_or_default();
        if answer["ref"] == *reference {
            return Some(answer["type"] == "ack");
        }
    }
}
