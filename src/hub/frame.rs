//! Text as a WebSocket frame (RFC 6455, section 5.2), encoded once and shared by all who get it.

use bytes::{BufMut as _, Bytes, BytesMut};

use crate::protocol::event::Event;

const FINAL_TEXT: u8 = 0x81;
/// First byte of a binary message. Parlour sends none; the conformance suite asks for them.
pub const FINAL_BINARY: u8 = 0x82;
const FINAL_CLOSE: u8 = 0x88;
const FINAL_PING: u8 = 0x89;
const FINAL_PONG: u8 = 0x8a;

/// Longest payload of a control frame.
pub const MAX_CONTROL: usize = 125;

/// An event, ready for the socket.
#[must_use]
pub fn event(event: &Event) -> Bytes {
    text(&event.to_json())
}

/// A text, ready for the socket.
#[must_use]
pub fn text(text: &str) -> Bytes {
    encode(FINAL_TEXT, text.as_bytes())
}

/// One frame, and then the other.
#[must_use]
pub fn both(one: &[u8], other: &[u8]) -> Bytes {
    [one, other].concat().into()
}

/// A ping. It carries nothing.
#[must_use]
pub fn ping() -> Bytes {
    encode(FINAL_PING, &[])
}

/// The answer to a ping, with the ping's own payload.
#[must_use]
pub fn pong(payload: &[u8]) -> Bytes {
    encode(FINAL_PONG, payload.get(..MAX_CONTROL).unwrap_or(payload))
}

/// The last frame of a socket.
#[must_use]
pub fn close(code: u16, reason: &str) -> Bytes {
    let mut payload = BytesMut::with_capacity(2 + reason.len());
    payload.put_u16(code);
    // Reasons are our own short sentences; one that is too long is left out rather than cut in a character.
    if reason.len() <= MAX_CONTROL - 2 {
        payload.put_slice(reason.as_bytes());
    }
    encode(FINAL_CLOSE, &payload)
}

/// The answer to a close frame that gave no code.
#[must_use]
pub fn close_without_code() -> Bytes {
    encode(FINAL_CLOSE, &[])
}

/// A whole frame of the server, which is never masked; `first` holds the FIN bit and the opcode.
#[must_use]
// Each branch has checked the range.
#[allow(clippy::cast_possible_truncation)]
pub fn encode(first: u8, payload: &[u8]) -> Bytes {
    let mut frame = BytesMut::with_capacity(payload.len() + 10);
    frame.put_u8(first);
    match payload.len() {
        length @ 0..=125 => frame.put_u8(length as u8),
        length @ 126..=0xffff => {
            frame.put_u8(126);
            frame.put_u16(length as u16);
        }
        length => {
            frame.put_u8(127);
            frame.put_u64(length as u64);
        }
    }
    frame.put_slice(payload);
    frame.freeze()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_length_takes_as_many_bytes_as_it_needs() {
        for (length, header) in [(0, 2), (125, 2), (126, 4), (65_535, 4), (65_536, 10)] {
            assert_eq!(text(&"x".repeat(length)).len(), length + header);
        }
        assert_eq!(&text("hi")[..], b"\x81\x02hi");
        assert_eq!(&close(4001, "bye")[..], b"\x88\x05\x0f\xa1bye");
    }
}
