//! The floods, each from one address, and by one account where it takes one.

use std::{
    io::{ErrorKind, Read as _, Write as _},
    net::TcpStream,
    sync::atomic::{AtomicBool, Ordering},
    thread,
    time::Duration,
};

use serde_json::json;
use socket2::SockRef;

use super::witness::Route;
use crate::{
    Result, Trouble,
    raw::{frame::push_masked, handshake::upgrade, socket::Message},
};

/// The last number of the address that floods.
const FLOODER: u8 = 2;
const PAUSE: Duration = Duration::from_millis(50);
/// How long a write may wait for room before the next connection has its turn.
const A_MOMENT: Duration = Duration::from_millis(50);

const PIPELINES: usize = 60;
const UNREAD_PAGES: usize = 300;
/// Messages on the page that is asked for, and bytes of each.
const ON_A_PAGE: usize = 200;
const LONG: usize = 16_000;
const SILENT: usize = 1_500;
const SOCKETS: usize = 2;
const ASKERS: usize = 4;

/// A kind of flood.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Flood {
    Pipelines,
    Pages,
    Handshakes,
    Frames,
    Requests,
}

impl Flood {
    /// All of them.
    pub const ALL: [Self; 5] = [
        Self::Pipelines,
        Self::Pages,
        Self::Handshakes,
        Self::Frames,
        Self::Requests,
    ];

    /// In words.
    pub fn what(self) -> &'static str {
        match self {
            Self::Pipelines => "unread pipelines",
            Self::Pages => "unread pages",
            Self::Handshakes => "silent TLS handshakes",
            Self::Frames => "refused frames",
            Self::Requests => "refused requests",
        }
    }

    /// Whether the servers are to speak TLS.
    pub fn is_about_tls(self) -> bool {
        self == Self::Handshakes
    }

    /// All that a server must know before it is flooded.
    pub fn prepare(self, route: Route) -> Result<Flooded> {
        let token = route.register("flooder", 2)?;
        if self == Self::Pages {
            fill(&route, &token)?;
        }
        Ok(Flooded {
            flood: self,
            route,
            token,
        })
    }
}

/// Writes a page of long messages.
fn fill(route: &Route, token: &str) -> Result<()> {
    let lost = |error| {
        Trouble(format!(
            "The messages to read could not be written: {error}."
        ))
    };
    let mut socket = route.socket(FLOODER, token)?;
    for number in 0..ON_A_PAGE {
        let reference = number.to_string();
        let content = "x".repeat(LONG);
        let frame = json!({"type": "message", "content": content, "ref": reference});
        socket
            .send(Message::text(frame.to_string()))
            .map_err(lost)?;
        loop {
            if let Message::Text(text) = socket.read().map_err(lost)? {
                let answer: serde_json::Value = serde_json::from_str(&text).unwrap_or_default();
                if answer["ref"] == *reference {
                    break;
                }
            }
        }
    }
    Ok(())
}

/// A server that is to be flooded.
pub struct Flooded {
    flood: Flood,
    route: Route,
    token: String,
}

impl Flooded {
    /// Floods it until that is over.
    pub fn flood(&self, over: &AtomicBool) {
        match self.flood {
            Flood::Pipelines => self.pipelines(over),
            Flood::Pages => self.pages(over),
            Flood::Handshakes => self.handshakes(over),
            Flood::Frames => side_by_side(SOCKETS, || self.frames(over)),
            Flood::Requests => side_by_side(ASKERS, || self.requests(over)),
        }
    }

    /// Requests without end on each of many connections, none of whose answers is read.
    fn pipelines(&self, over: &AtomicBool) {
        let requests = request("/health", None).repeat(1_000);
        let mut lines: Vec<(TcpStream, usize)> = Vec::new();
        for _ in 0..PIPELINES {
            if let Ok(stream) = self.route.open(FLOODER)
                && stream.set_nonblocking(true).is_ok()
            {
                lines.push((stream, 0));
            }
        }
        while !over.load(Ordering::Relaxed) {
            let mut moved = false;
            for (stream, at) in &mut lines {
                let rest = requests.get(*at..).unwrap_or_default();
                if let Ok(length) = stream.write(rest) {
                    *at = (*at + length) % requests.len();
                    moved = true;
                }
            }
            if !moved {
                thread::sleep(A_MOMENT);
            }
        }
    }

    /// Many connections that each ask for a long page, and do not read it.
    fn pages(&self, over: &AtomicBool) {
        let path = format!("/api/rooms/general/messages?limit={ON_A_PAGE}");
        let asked = request(&path, Some(&self.token));
        self.hold(UNREAD_PAGES, over, |stream| {
            let _small = SockRef::from(&*stream).set_recv_buffer_size(4_096);
            let _refused = stream.write_all(&asked);
        });
    }

    /// Many connections that never begin the handshake of TLS.
    fn handshakes(&self, over: &AtomicBool) {
        self.hold(SILENT, over, |_| ());
    }

    fn hold(&self, count: usize, over: &AtomicBool, begin: impl Fn(&mut TcpStream)) {
        let mut held = Vec::new();
        for _ in 0..count {
            if over.load(Ordering::Relaxed) {
                break;
            }
            match self.route.open(FLOODER) {
                Ok(mut stream) => {
                    begin(&mut stream);
                    held.push(stream);
                }
                Err(_) => thread::sleep(PAUSE),
            }
        }
        while !over.load(Ordering::Relaxed) {
            thread::sleep(PAUSE);
        }
    }

    /// Frames as fast as they go, on a socket that is opened again when it is closed.
    fn frames(&self, over: &AtomicBool) {
        let mut frames = Vec::new();
        for _ in 0..500 {
            push_masked(&mut frames, 0x1, br#"{"type":"ping"}"#);
        }
        while !over.load(Ordering::Relaxed) {
            let opened = self.route.open(FLOODER).and_then(|mut stream| {
                upgrade(&mut stream, self.route.addr, &self.token).map(|_| stream)
            });
            match opened {
                Ok(stream) => press(stream, &frames, over),
                Err(_) => thread::sleep(PAUSE),
            }
        }
    }

    /// Requests as fast as they go, for what is not there.
    fn requests(&self, over: &AtomicBool) {
        let requests = request("/nothing", None).repeat(200);
        while !over.load(Ordering::Relaxed) {
            match self.route.open(FLOODER) {
                Ok(stream) => press(stream, &requests, over),
                Err(_) => thread::sleep(PAUSE),
            }
        }
    }
}

fn request(path: &str, token: Option<&str>) -> Vec<u8> {
    let bearer = token.map(|token| format!("authorization: Bearer {token}\r\n"));
    let bearer = bearer.unwrap_or_default();
    format!("GET {path} HTTP/1.1\r\nhost: localhost\r\n{bearer}\r\n").into_bytes()
}

fn side_by_side(count: usize, flood: impl Fn() + Sync) {
    thread::scope(|scope| {
        for _ in 0..count {
            scope.spawn(&flood);
        }
    });
}

/// Writes the same again and again, and reads and drops what comes, until the connection ends.
fn press(mut stream: TcpStream, bytes: &[u8], over: &AtomicBool) {
    let Ok(mut reading) = stream.try_clone() else {
        return;
    };
    let _limit = stream.set_write_timeout(Some(A_MOMENT));
    let reader = thread::spawn(move || {
        let mut dropped = vec![0; 64 * 1024];
        while reading.read(&mut dropped).is_ok_and(|length| length > 0) {}
    });
    let mut at = 0;
    while !over.load(Ordering::Relaxed) {
        match stream.write(bytes.get(at..).unwrap_or_default()) {
            Ok(0) => break,
            Ok(length) => at = (at + length) % bytes.len(),
            Err(error) if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut) => {}
            Err(_) => break,
        }
    }
    let _gone = stream.shutdown(std::net::Shutdown::Both);
    let _joined = reader.join();
    thread::sleep(PAUSE);
}
