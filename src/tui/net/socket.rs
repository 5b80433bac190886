//! One socket: frames in, frames out, until it closes.

use actix_http::ws::{CloseCode, CloseReason, Frame, Item, Message};
use bytes::BytesMut;
use futures_util::{SinkExt as _, StreamExt as _};
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender};

use super::api::Socket;
use crate::{
    protocol::{command::Request, event},
    tui::state::Event,
};

/// Longest message in many frames.
const MAX_MESSAGE: usize = 8 * 1024 * 1024;

/// What is known of a socket's end.
pub struct End {
    /// The close code, if there was one.
    pub code: Option<u16>,
    /// What happened, for the user.
    pub why: String,
}

/// Serves an open socket. Ends when it closes, or when `requests` does.
pub async fn serve(
    mut socket: Socket,
    attempt: u64,
    mut requests: UnboundedReceiver<Request>,
    events: &UnboundedSender<Event>,
) -> End {
    let mut parts = BytesMut::new();
    loop {
        tokio::select! {
            frame = socket.next() => {
                let text = match frame {
                    Some(Ok(Frame::Text(text))) => Some(text),
                    Some(Ok(Frame::Continuation(item))) => match assemble(&mut parts, item) {
                        Ok(text) => text,
                        Err(end) => return end,
                    },
                    Some(Ok(Frame::Ping(data))) => match socket.send(Message::Pong(data)).await {
                        Ok(()) => None,
                        Err(_) => return lost(),
                    },
                    Some(Ok(Frame::Close(reason))) => {
                        // The answer that ends a socket in good order; whether it still arrives matters to nobody.
                        let _ = socket.send(Message::Close(None)).await;
                        return closed(reason);
                    }
                    Some(Ok(Frame::Pong(_) | Frame::Binary(_))) => None,
                    Some(Err(_)) | None => return lost(),
                };
                let event = match text {
                    // What cannot be read is a sign of life all the same.
                    Some(text) => match serde_json::from_slice::<event::Event>(&text) {
                        Ok(frame) => Event::Frame { attempt, frame: Box::new(frame) },
                        Err(_) => Event::Heard { attempt },
                    },
                    None => Event::Heard { attempt },
                };
                if events.send(event).is_err() {
                    return lost();
                }
            }
            request = requests.recv() => {
                let Some(request) = request else {
                    let _ = socket.send(Message::Close(Some(CloseCode::Normal.into()))).await;
                    return lost();
                };
                let Ok(text) = serde_json::to_string(&request) else { continue };
                if socket.send(Message::Text(text.into())).await.is_err() {
                    return lost();
                }
            }
        }
    }
}

fn assemble(parts: &mut BytesMut, item: Item) -> Result<Option<bytes::Bytes>, End> {
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
