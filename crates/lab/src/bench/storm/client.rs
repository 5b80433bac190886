//! One client of the storm: what it has been told, what it says, and how far it is.

use std::{io::Write as _, net::SocketAddr};

use mio::net::TcpStream;

use parlour_client::link::{Act, Link, Millis, Rng, Status};

use crate::{
    protocol::{
        close,
        command::{Command, Request, Sync},
        event::{Event, Notice, SyncedRoom, System},
    },
    raw::{frame, handshake},
};

const SYNC: &str = "sync";
/// A `sync` that was refused without a time is asked again after this.
const PAUSE: Millis = 1_000;

/// How far a client is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stage {
    /// No connection.
    Away,
    /// TCP is shaking hands.
    Connecting,
    /// The request was sent.
    Asked,
    /// It is a WebSocket, and nothing was said yet.
    Upgraded,
    /// `sync` was sent.
    Syncing,
    /// Everything is here again.
    Back,
}

/// What a client has learnt.
#[derive(Debug, PartialEq, Eq)]
pub enum Fact {
    /// The request was answered with 101.
    Upgraded,
    /// The first frame came; it names the history.
    Greeted(String),
    /// Everything up to now was sent.
    Synced {
        /// False: not all of it.
        complete: bool,
    },
    /// Too much was waiting.
    Lag,
    /// A frame was refused.
    Refused(String),
    /// The request was refused, and is worth another try.
    ToldToWait {
        /// What that means to the [`Link`].
        code: Option<u16>,
        /// The server's words.
        words: String,
    },
    /// The connection is over, with this close code.
    Ended(Option<u16>),
}

pub struct Client {
    link: Link,
    pub line: Option<TcpStream>,
    pub stage: Stage,
    partial: Vec<u8>,
    since: u64,
    epoch: String,
    /// When to ask for `sync` once more.
    again: Option<Millis>,
}

impl Client {
    /// A client whose connection has just been cut.
    pub fn cut(rng: &mut Rng) -> Self {
        let mut link = Link::default();
        link.open(0);
        link.closed(0, None, String::new(), rng);
        Self {
            link,
            line: None,
            stage: Stage::Away,
            partial: Vec::new(),
            since: 0,
            epoch: String::new(),
            again: None,
        }
    }

    /// Whether no further try comes by itself.
    pub fn is_sent_away(&self) -> bool {
        matches!(self.link.status(), Status::Offline { .. })
    }

    /// Time has passed.
    pub fn tick(&mut self, now: Millis, rng: &mut Rng) -> Vec<Act> {
        if self.again.is_some_and(|again| again <= now) {
            self.again = None;
            self.say_sync();
        }
        self.link.tick(now, rng)
    }

    pub fn connecting(&mut self, stream: TcpStream) {
        self.line = Some(stream);
        self.stage = Stage::Connecting;
        self.partial.clear();
    }

    pub fn drop_line(&mut self) {
        self.line = None;
        self.stage = Stage::Away;
    }

    /// The connection has ended.
    pub fn lost(&mut self, now: Millis, code: Option<u16>, rng: &mut Rng) -> Vec<Act> {
        self.drop_line();
        self.link.closed(now, code, String::new(), rng)
    }

    /// Asks for a WebSocket. False when the connection did not come to stand.
    pub fn ask(&mut self, addr: SocketAddr, token: &str) -> bool {
        let Some(stream) = &mut self.line else {
            return false;
        };
        let request = handshake::request(addr, token);
        let stands = stream.take_error().is_ok_and(|error| error.is_none())
            && stream.set_nodelay(true).is_ok()
            && stream.write(request.as_bytes()).ok() == Some(request.len());
        self.stage = Stage::Asked;
        stands
    }

    /// Asks for all that was missed.
    pub fn sync(&mut self, since: u64, epoch: String) {
        self.since = since;
        self.epoch = epoch;
        self.stage = Stage::Syncing;
        self.say_sync();
    }

    fn say_sync(&mut self) {
        let request = Request::with_ref(
            SYNC,
            Command::Sync(Sync {
                rooms: [(crate::protocol::GENERAL.to_owned(), self.since)].into(),
                epoch: Some(self.epoch.clone()),
            }),
        );
        // Strings and numbers only: serde_json cannot fail on these.
        let text = serde_json::to_string(&request).unwrap_or_default();
        self.say(0x1, text.as_bytes());
    }

    fn say(&mut self, opcode: u8, payload: &[u8]) {
        let mut out = Vec::with_capacity(256);
        frame::push_masked(&mut out, opcode, payload);
        if let Some(stream) = &mut self.line {
            // What is said is short and rare: if the kernel does not take it, the connection is dead, and reading says so.
            let _ = stream.write(&out);
        }
    }

    /// Takes in what has arrived.
    pub fn hear(&mut self, arrived: &[u8], now: Millis) -> Vec<Fact> {
        self.link.heard(now);
        let mut facts = Vec::new();
        // Most of the time nothing is left over, and nothing is copied.
        let joined;
        let mut rest = if self.partial.is_empty() {
            arrived
        } else {
            let mut kept = std::mem::take(&mut self.partial);
            kept.extend_from_slice(arrived);
            joined = kept;
            &joined
        };
        if self.stage == Stage::Asked {
            let Some(end) = handshake::head_end(rest) else {
                self.partial = rest.to_vec();
                return facts;
            };
            let (head, frames) = rest.split_at(end);
            let fact = self.read_head(head);
            let goes_on = fact == Fact::Upgraded;
            facts.push(fact);
            if !goes_on {
                return facts;
            }
            rest = frames;
        }
        while let Some(found) = frame::first(rest) {
            rest = rest.get(found.taken..).unwrap_or_default();
            self.read_frame(found.opcode, found.payload, now, &mut facts);
        }
        if !rest.is_empty() {
            self.partial = rest.to_vec();
        }
        facts
    }

    fn read_head(&mut self, head: &[u8]) -> Fact {
        let text = String::from_utf8_lossy(head);
        let mut lines = text.lines();
        let first = lines.next().unwrap_or_default();
        let status: u16 = first
            .split_ascii_whitespace()
            .nth(1)
            .and_then(|status| status.parse().ok())
            .unwrap_or_default();
        if status == 101 {
            self.stage = Stage::Upgraded;
            return Fact::Upgraded;
        }
        let after = lines.find_map(|line| {
            let (name, value) = line.split_once(':')?;
            name.eq_ignore_ascii_case("retry-after")
                .then(|| value.trim().parse::<u64>().ok())?
        });
        if let Some(seconds) = after {
            self.link.return_after(seconds * 1_000);
        }
        // As the terminal client takes them; but the tokens are fresh, so a refused one is not renewed.
        match status {
            401 => Fact::Ended(Some(close::REVOKED)),
            403 => Fact::Ended(Some(close::POLICY)),
            429 => Fact::ToldToWait {
                code: Some(close::TOO_MANY),
                words: first.to_owned(),
            },
            503 => Fact::ToldToWait {
                code: None,
                words: first.to_owned(),
            },
            _ => Fact::Ended(None),
        }
    }

    fn read_frame(&mut self, opcode: u8, payload: &[u8], now: Millis, facts: &mut Vec<Fact>) {
        match opcode {
            0x1 => self.read_text(payload, now, facts),
            0x8 => facts.push(Fact::Ended(
                payload
                    .first_chunk::<2>()
                    .map(|code| u16::from_be_bytes(*code)),
            )),
            0x9 => self.say(0xa, payload),
            _ => {}
        }
    }

    /// Looks at the type first: most of what comes are messages and notices, which need no reading.
    fn read_text(&mut self, text: &[u8], now: Millis, facts: &mut Vec<Fact>) {
        let starts = |kind: &str| {
            text.strip_prefix(br#"{"type":""#)
                .is_some_and(|rest| rest.starts_with(kind.as_bytes()))
        };
        let is_first = self.stage == Stage::Upgraded;
        let is_news = starts("message") || (starts("system") && !is_first);
        if is_news {
            return;
        }
        match serde_json::from_slice(text) {
            Ok(Event::System(System {
                notice: Notice::Connected(hello),
                ..
            })) => {
                self.link.connected(now, &hello);
                facts.push(Fact::Greeted(hello.epoch));
            }
            Ok(Event::Synced { rooms, .. }) if self.stage == Stage::Syncing => {
                self.stage = Stage::Back;
                let is_complete = |room| matches!(room, &SyncedRoom::Upto(upto) if upto.complete);
                let complete = rooms.values().all(is_complete);
                facts.push(Fact::Synced { complete });
            }
            Ok(Event::Lag { .. }) => facts.push(Fact::Lag),
            Ok(Event::Reconnect { after_ms }) => self.link.return_after(after_ms),
            Ok(Event::Error(error)) => {
                if error.reference.as_deref() == Some(SYNC) {
                    self.again = Some(now + error.retry_after_ms.unwrap_or(PAUSE));
                }
                facts.push(Fact::Refused(format!("{}: {}", error.code, error.detail)));
            }
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn asking() -> (Client, Rng) {
        let mut rng = Rng::with_seed(7);
        let mut client = Client::cut(&mut rng);
        client.link.open(100);
        client.stage = Stage::Asked;
        (client, rng)
    }

    fn returns_at(client: &Client) -> Millis {
        match client.link.status() {
            Status::Waiting { until, .. } => *until,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn a_client_that_is_told_when_to_come_back_comes_then() {
        for (status, code) in [("503 Busy", None), ("429 Many", Some(close::TOO_MANY))] {
            let (mut client, mut rng) = asking();
            let answer = format!("HTTP/1.1 {status}\r\nRetry-After: 3\r\n\r\n");
            let facts = client.hear(answer.as_bytes(), 200);
            let words = format!("HTTP/1.1 {status}");
            assert_eq!(facts, [Fact::ToldToWait { code, words }]);
            client.lost(200, code, &mut rng);
            assert!(returns_at(&client) >= 3_200);
        }
    }

    #[test]
    fn an_answer_may_come_in_pieces_and_with_frames_behind_it() {
        let (mut client, mut rng) = asking();
        assert_eq!(client.hear(b"HTTP/1.1 101 Switching\r\n", 200), []);
        let mut rest = b"\r\n".to_vec();
        frame::push_plain(&mut rest, br#"{"type":"reconnect","after_ms":1500}"#);
        assert_eq!(client.hear(&rest, 200), [Fact::Upgraded]);
        client.lost(300, Some(close::SHUTTING_DOWN), &mut rng);
        assert!(returns_at(&client) >= 1_800);
    }
}
