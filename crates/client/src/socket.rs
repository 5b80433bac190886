//! One socket: frames out, frames in, until it closes.

use actix_http::ws::{CloseCode, CloseReason, Frame, Item, Message};
use bytes::{Bytes, BytesMut};
use futures_util::{SinkExt as _, StreamExt as _};
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender};

use crate::{
    effect::Event,
    protocol::{command::Request, event},
};

/// Longest message in many frames.
const MAX_MESSAGE: usize = 8 * 1024 * 1024;

/// What awc opens.
pub(crate) type Framed = actix_codec::Framed<awc::BoxedSocket, awc::ws::Codec>;

/// A socket that is open.
pub struct Socket {
    framed: Framed,
    /// The message of which not all parts have come.
    parts: BytesMut,
}

/// What came on a socket.
#[derive(Debug)]
pub enum Heard {
    /// A frame of the protocol.
    Frame(Box<event::Event>),
    /// A sign of life that says nothing: a ping, or what this program cannot read.
    Sign,
}

/// What is known of a socket's end.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct End {
    /// The close code, if there was one.
    pub code: Option<u16>,
    /// What happened, for the user.
    pub why: String,
}

impl Socket {
    pub(crate) fn new(framed: Framed) -> Self {
        Self {
            framed,
            parts: BytesMut::new(),
        }
    }

    /// Sends a frame.
    ///
    /// # Errors
    /// When the socket has ended.
    pub async fn send(&mut self, request: &Request) -> Result<(), End> {
        let Ok(text) = serde_json::to_string(request) else {
            return Ok(());
        };
        let sent = self.framed.send(Message::Text(text.into())).await;
        sent.map_err(|_| lost())
    }

    /// The next that comes. Pings are answered here. Dropping the future loses nothing of what comes.
    ///
    /// # Errors
    /// When the socket has ended.
    pub async fn next(&mut self) -> Result<Heard, End> {
        let text = match self.framed.next().await {
            Some(Ok(Frame::Text(text))) => Some(text),
            Some(Ok(Frame::Continuation(item))) => assemble(&mut self.parts, item)?,
            Some(Ok(Frame::Ping(data))) => match self.framed.send(Message::Pong(data)).await {
                Ok(()) => None,
                Err(_) => return Err(lost()),
            },
            Some(Ok(Frame::Close(reason))) => {
                // The answer that ends a socket in good order; whether it still arrives matters to no one.
                let _ = self.framed.send(Message::Close(None)).await;
                return Err(closed(reason));
            }
            Some(Ok(Frame::Pong(_) | Frame::Binary(_))) => None,
            Some(Err(_)) | None => return Err(lost()),
        };
        let frame = text.and_then(|text| serde_json::from_slice(&text).ok());
        Ok(frame.map_or(Heard::Sign, Heard::Frame))
    }

    /// Says goodbye.
    pub async fn close(mut self) {
        let goodbye = Message::Close(Some(CloseCode::Normal.into()));
        // It may have ended already.
        let _ = self.framed.send(goodbye).await;
    }
}

/// Serves an open socket. Ends when it closes, or when `requests` does.
pub(crate) async fn serve(
    mut socket: Socket,
    attempt: u64,
    mut requests: UnboundedReceiver<Request>,
    events: &UnboundedSender<Event>,
) -> End {
    loop {
        let event = tokio::select! {
            heard = socket.next() => match heard {
                Ok(Heard::Frame(frame)) => Event::Frame { attempt, frame },
                Ok(Heard::Sign) => Event::Heard { attempt },
                Err(end) => return end,
            },
            request = requests.recv() => {
                let Some(request) = request else {
                    socket.close().await;
                    return lost();
                };
                match socket.send(&request).await {
                    Ok(()) => continue,
                    Err(end) => return end,
                }
            }
        };
        if events.send(event).is_err() {
            return lost();
        }
    }
}

fn assemble(parts: &mut BytesMut, item: Item) -> Result<Option<Bytes>, End> {
    let (data, is_last) = match item {
        Item::FirstText(data) | Item::FirstBinary(data) => {
            parts.clear();
            (data, false)
        }
        Item::Continue(data) => (data, false),
        Item::Last(data) => (data, true),
    };
    if parts.len() + data.len() > MAX_MESSAGE {
        return Err(End {
            code: None,
            why: "the server sent too long a frame".into(),
        });
    }
    parts.extend_from_slice(&data);
    Ok(is_last.then(|| std::mem::take(parts).freeze()))
}

fn lost() -> End {
    End {
        code: None,
        why: "the connection was lost".into(),
    }
}

fn closed(reason: Option<CloseReason>) -> End {
    let code = reason.as_ref().map(|reason| u16::from(reason.code));
    let said = reason.and_then(|reason| reason.description);
    let why = match said.filter(|text| !text.is_empty()) {
        Some(text) => text,
        None => "the server closed the connection".into(),
    };
    End { code, why }
}
