//! A WebSocket client that blocks until what it waits for has come, or fails with all it has seen. It shows frames as JSON
//! just as they came, close codes and all; what it stands on (tungstenite) knows nothing of Parlour and checks what a
//! server may send.

// A failed expectation is how a test speaks, and what it says is in the signature of none of these.
#![allow(
    clippy::panic,
    clippy::expect_used,
    clippy::missing_panics_doc,
    clippy::missing_errors_doc,
    clippy::must_use_candidate
)]

use std::{
    io::{Read, Write},
    net::{SocketAddr, TcpStream},
    sync::atomic::{AtomicU64, Ordering},
    time::{Duration, Instant},
};

use serde_json::{Value, json};
use tungstenite::{
    Error,
    client::IntoClientRequest,
    handshake::HandshakeError,
    http::{HeaderName, HeaderValue, StatusCode},
    protocol::CloseFrame,
};
pub use tungstenite::{Message, WebSocket};

use super::http::TIMEOUT;

/// An open socket.
pub struct Socket {
    inner: WebSocket<TcpStream>,
    /// The first frame.
    pub connected: Value,
    seen: Vec<String>,
}

/// What may come next.
#[derive(Debug, Clone, PartialEq)]
pub enum Incoming {
    /// A frame.
    Frame(Value),
    /// The end.
    Closed(Closed),
    /// Nothing within the time.
    Silence,
}

/// How a socket ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Closed {
    /// With a close frame.
    Code(u16, String),
    /// Without one.
    Cut,
}

/// Asks for a WebSocket on a connection of any kind; `Err` holds the status of a refusal, or 0 when there was none.
pub fn upgrade<S: Read + Write>(
    stream: S,
    url: &str,
    headers: &[(&str, &str)],
) -> Result<WebSocket<S>, u16> {
    let mut request = url.into_client_request().expect("a request");
    for (name, value) in headers {
        request.headers_mut().insert(
            HeaderName::from_bytes(name.as_bytes()).expect("a name"),
            HeaderValue::from_str(value).expect("a value"),
        );
    }
    match tungstenite::client(request, stream) {
        Ok((socket, response)) => {
            assert_eq!(response.status(), StatusCode::SWITCHING_PROTOCOLS);
            Ok(socket)
        }
        Err(HandshakeError::Failure(Error::Http(response))) => Err(response.status().as_u16()),
        Err(_) => Err(0),
    }
}

/// A `ref` that no other frame of this process has.
fn reference() -> String {
    static LAST: AtomicU64 = AtomicU64::new(0);
    format!("raw-{}", LAST.fetch_add(1, Ordering::Relaxed))
}

impl Socket {
    /// Opens a socket; `Err` holds the status of a refusal, or 0 when there was none.
    pub fn open(addr: SocketAddr, query: &str, headers: &[(&str, &str)]) -> Result<Self, u16> {
        let mut socket = Self::open_silent(addr, query, headers)?;
        match socket.next(TIMEOUT) {
            Incoming::Frame(frame) => {
                assert_eq!(
                    (&frame["type"], &frame["event"]),
                    (&json!("system"), &json!("connected")),
                    "the first frame is {frame}"
                );
                socket.connected = frame;
                Ok(socket)
            }
            _ => Err(0),
        }
    }

    /// Opens a socket without reading its first frame.
    pub fn open_silent(
        addr: SocketAddr,
        query: &str,
        headers: &[(&str, &str)],
    ) -> Result<Self, u16> {
        let stream = TcpStream::connect_timeout(&addr, TIMEOUT).map_err(|_| 0_u16)?;
        let _ = stream.set_nodelay(true);
        let _ = stream.set_read_timeout(Some(TIMEOUT));
        let _ = stream.set_write_timeout(Some(TIMEOUT));
        let inner = upgrade(stream, &format!("ws://{addr}/ws/chat{query}"), headers)?;
        Ok(Self {
            inner,
            connected: Value::Null,
            seen: Vec::new(),
        })
    }

    /// The connection under it.
    pub fn stream(&mut self) -> &mut TcpStream {
        self.inner.get_mut()
    }

    /// The change number of a room as the first frame told it.
    pub fn room_seq(&self, room: &str) -> u64 {
        self.connected["rooms"]
            .as_array()
            .and_then(|rooms| rooms.iter().find(|entry| entry["name"] == room))
            .and_then(|entry| entry["seq"].as_u64())
            .unwrap_or_else(|| panic!("no {room} in {}", self.connected))
    }

    /// Sends a frame; `false` when the connection has gone.
    pub fn try_send(&mut self, frame: &Value) -> bool {
        self.inner.send(Message::text(frame.to_string())).is_ok()
    }

    /// Sends a frame.
    #[track_caller]
    pub fn send_json(&mut self, frame: &Value) {
        self.send_text(&frame.to_string());
    }

    /// Sends text that may be no JSON.
    #[track_caller]
    pub fn send_text(&mut self, text: &str) {
        self.inner.send(Message::text(text)).expect("sends");
    }

    /// Sends binary data.
    pub fn send_binary(&mut self, bytes: &[u8]) {
        self.inner
            .send(Message::binary(bytes.to_vec()))
            .expect("sends");
    }

    /// Says something in `general` with a `ref`, and waits for its ack.
    #[track_caller]
    pub fn say(&mut self, content: &str) -> Value {
        let reference = reference();
        self.send_json(&json!({"type": "message", "content": content, "ref": reference}));
        self.expect(|frame| frame["type"] == "ack" && frame["ref"] == *reference)
    }

    /// Sends a frame with a `ref`, and waits for its ack or its error.
    #[track_caller]
    pub fn ask(&mut self, mut frame: Value) -> Value {
        let reference = reference();
        frame["ref"] = reference.as_str().into();
        self.send_json(&frame);
        self.expect(|answer| {
            answer["ref"] == *reference && (answer["type"] == "ack" || answer["type"] == "error")
        })
    }

    /// Writes raw bytes past the WebSocket layer.
    pub fn send_raw(&mut self, bytes: &[u8]) -> std::io::Result<()> {
        self.inner.get_mut().write_all(bytes)
    }

    /// What comes next, within this time.
    pub fn next(&mut self, patience: Duration) -> Incoming {
        let end = Instant::now() + patience;
        loop {
            let left = end.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return Incoming::Silence;
            }
            let _ = self.inner.get_ref().set_read_timeout(Some(left));
            match self.inner.read() {
                Ok(Message::Text(text)) => {
                    let frame = serde_json::from_str(&text)
                        .unwrap_or_else(|error| panic!("{error} in the frame {text}"));
                    self.seen.push(text.to_string());
                    return Incoming::Frame(frame);
                }
                Ok(Message::Close(frame)) => {
                    let (code, reason) = frame
                        .map_or((1005, String::new()), |frame: CloseFrame| {
                            (frame.code.into(), frame.reason.to_string())
                        });
                    return Incoming::Closed(Closed::Code(code, reason));
                }
                Ok(Message::Binary(_)) => panic!("the server sent binary data"),
                Ok(_) => {}
                Err(Error::Io(error))
                    if matches!(
                        error.kind(),
                        std::io::ErrorKind::WouldBlock | std::io::ErrorKind::TimedOut
                    ) => {}
                Err(_) => return Incoming::Closed(Closed::Cut),
            }
        }
    }

    /// The next frame, but for what is told of other people, which comes at any time.
    #[track_caller]
    pub fn next_frame(&mut self) -> Value {
        loop {
            let frame = self.any_frame();
            if frame["type"] != "presence" {
                return frame;
            }
        }
    }

    /// The next frame, whatever it is.
    #[track_caller]
    pub fn any_frame(&mut self) -> Value {
        match self.next(TIMEOUT) {
            Incoming::Frame(frame) => frame,
            other => panic!("{other:?} instead of a frame, after:{}", self.history()),
        }
    }

    /// The first frame that is wanted; those before it are passed over.
    #[track_caller]
    pub fn expect(&mut self, wanted: impl Fn(&Value) -> bool) -> Value {
        let end = Instant::now() + TIMEOUT;
        loop {
            match self.next(end.saturating_duration_since(Instant::now())) {
                Incoming::Frame(frame) if wanted(&frame) => return frame,
                Incoming::Frame(_) => {}
                other => panic!("{other:?} instead of the frame, after:{}", self.history()),
            }
        }
    }

    /// The first frame of this type.
    #[track_caller]
    pub fn expect_type(&mut self, kind: &str) -> Value {
        self.expect(|frame| frame["type"] == kind)
    }

    /// The message with this content.
    #[track_caller]
    pub fn expect_message(&mut self, content: &str) -> Value {
        self.expect(|frame| frame["type"] == "message" && frame["content"] == content)
    }

    /// The error that answers the frame with this `ref`.
    #[track_caller]
    pub fn expect_error(&mut self, code: &str) -> Value {
        let frame = self.expect_type("error");
        assert_eq!(frame["code"], code, "{frame}");
        assert!(
            frame["detail"]
                .as_str()
                .is_some_and(|text| !text.is_empty()),
            "{frame}"
        );
        frame
    }

    /// Sends a ping and returns all frames before its pong, what had been on the way; but for what is told of other people,
    /// which comes at any time.
    #[track_caller]
    pub fn drain(&mut self) -> Vec<Value> {
        let mut before = self.drain_any();
        before.retain(|frame| frame["type"] != "presence");
        before
    }

    /// The same with all frames, whatever they are.
    #[track_caller]
    pub fn drain_any(&mut self) -> Vec<Value> {
        let reference = reference();
        self.send_json(&json!({"type": "ping", "ref": reference}));
        let mut before = Vec::new();
        loop {
            let frame = self.any_frame();
            if frame["type"] == "pong" && frame["ref"] == *reference {
                return before;
            }
            before.push(frame);
        }
    }

    /// Reads on to the end, and tells how it came.
    #[track_caller]
    pub fn expect_end(&mut self) -> Closed {
        let end = Instant::now() + TIMEOUT;
        loop {
            match self.next(end.saturating_duration_since(Instant::now())) {
                Incoming::Frame(_) => {}
                Incoming::Closed(closed) => return closed,
                Incoming::Silence => panic!("the socket stays open, after:{}", self.history()),
            }
        }
    }

    /// Closes in the ordinary way.
    pub fn close(mut self) {
        let _ = self.inner.close(None);
        let _ = self.expect_end();
    }

    fn history(&self) -> String {
        let from = self.seen.len().saturating_sub(20);
        self.seen[from..]
            .iter()
            .fold(String::new(), |all, frame| all + "\n  " + frame)
    }
}
