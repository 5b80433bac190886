//! Frames of the WebSocket, read and written with as little work as can be: on a small machine the bench shares the
//! cores with the server that it measures.

use crate::protocol::command::{Command, Request, SendMessage};

/// Length of a content that the bench sends, unless a line asks for longer ones.
pub const CONTENT: usize = 64;

/// A frame that lies whole in a buffer.
#[derive(Debug, PartialEq, Eq)]
pub struct Frame<'a> {
    /// The opcode: 1 text, 8 close, 9 ping, 10 pong.
    pub opcode: u8,
    /// What it carries.
    pub payload: &'a [u8],
    /// Bytes it takes in the buffer, its header included.
    pub taken: usize,
}

/// The first frame in a buffer, or `None` while it is not whole. A server does not mask, so nothing is unmasked.
#[must_use]
pub fn first(buffer: &[u8]) -> Option<Frame<'_>> {
    let opcode = buffer.first()? & 0x0f;
    let short = buffer.get(1)? & 0x7f;
    let (header, length): (usize, usize) = match short {
        126 => (
            4,
            usize::from(u16::from_be_bytes(buffer.get(2..4)?.try_into().ok()?)),
        ),
        127 => (
            10,
            u64::from_be_bytes(buffer.get(2..10)?.try_into().ok()?) as usize,
        ),
        length => (2, usize::from(length)),
    };
    let taken = header.checked_add(length)?;
    Some(Frame {
        opcode,
        payload: buffer.get(header..taken)?,
        taken,
    })
}

/// Puts a frame as a server sends it (not masked) at the end of `buffer`.
pub fn push_plain(buffer: &mut Vec<u8>, payload: &[u8]) {
    push_header(buffer, 0x81, payload.len(), 0);
    buffer.extend_from_slice(payload);
}

/// Puts a frame as a client sends it at the end of `buffer`. The mask is there but all zeros, which changes nothing:
/// the work of masking is not what is measured.
pub fn push_masked(buffer: &mut Vec<u8>, opcode: u8, payload: &[u8]) {
    push_header(buffer, 0x80 | opcode, payload.len(), 0x80);
    buffer.extend_from_slice(&[0; 4]);
    buffer.extend_from_slice(payload);
}

fn push_header(buffer: &mut Vec<u8>, first: u8, length: usize, mask_bit: u8) {
    buffer.push(first);
    match (u8::try_from(length), u16::try_from(length)) {
        (Ok(short @ 0..=125), _) => buffer.push(mask_bit | short),
        (_, Ok(middle)) => {
            buffer.push(mask_bit | 0x7e);
            buffer.extend_from_slice(&middle.to_be_bytes());
        }
        _ => {
            buffer.push(mask_bit | 0x7f);
            buffer.extend_from_slice(&(length as u64).to_be_bytes());
        }
    }
}

/// What a content of the bench says: who sent it, the how-manieth of that sender it is, and when.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Mark {
    /// The sender's place among the senders.
    pub sender: usize,
    /// Counts from 1.
    pub number: u32,
    /// Nanoseconds since the bench began.
    pub sent_at: u64,
}

impl Mark {
    /// A content of `length` bytes; not shorter than the mark itself, which takes 34.
    #[must_use]
    pub fn to_content(self, length: usize) -> String {
        let Self {
            sender,
            number,
            sent_at,
        } = self;
        let head = format!("{sender:05}-{number:08}-{sent_at:018}-");
        format!("{head:x<length$}")
    }

    fn parse(content: &[u8]) -> Option<Self> {
        Some(Self {
            sender: digits(content.get(..5)?)? as usize,
            number: digits(content.get(6..14)?)? as u32,
            sent_at: digits(content.get(15..33)?)?,
        })
    }
}

fn digits(text: &[u8]) -> Option<u64> {
    text.iter().try_fold(0_u64, |sum, byte| {
        byte.is_ascii_digit()
            .then(|| sum * 10 + u64::from(byte - b'0'))
    })
}

/// The text of a `message` command.
#[must_use]
pub fn message(content: String, reference: Option<String>, client_id: Option<String>) -> String {
    let command = Command::Message(SendMessage {
        content,
        room: None,
        client_id,
    });
    let request = Request { reference, command };
    // Strings only: serde_json cannot fail on these.
    serde_json::to_string(&request).unwrap_or_default()
}

/// What a text from the server is, as far as the bench wants to know.
#[derive(Debug, PartialEq, Eq)]
pub enum Said {
    /// A message of the bench.
    Delivery(Mark),
    /// The change with this `ref` is on disk.
    Ack(u64),
    /// A request was refused.
    Refused,
    /// The reader was too slow.
    Lag,
    /// The first frame of a socket.
    Connected,
    /// Anything else.
    Other,
}

/// Reads a text from the server. Looks only for what it needs: a JSON reader would cost more than the server spends.
/// `hint` remembers where the content stood the last time.
#[must_use]
pub fn read(text: &[u8], hint: &mut usize) -> Said {
    const MESSAGE: &[u8] = br#"{"type":"message""#;
    const CONTENT_KEY: &[u8] = br#""content":""#;
    const REF_KEY: &[u8] = br#""ref":""#;
    if text.starts_with(MESSAGE) {
        let mark = after(text, CONTENT_KEY, hint).and_then(Mark::parse);
        return mark.map_or(Said::Other, Said::Delivery);
    }
    if text.starts_with(br#"{"type":"ack""#) {
        let reference = after(text, REF_KEY, &mut 0)
            .and_then(|rest| rest.split(|byte| *byte == b'"').next())
            .and_then(digits);
        return reference.map_or(Said::Other, Said::Ack);
    }
    if text.starts_with(br#"{"type":"error""#) {
        return Said::Refused;
    }
    if text.starts_with(br#"{"type":"lag""#) {
        return Said::Lag;
    }
    if text.starts_with(br#"{"type":"system""#)
        && after(text, br#""event":"connected""#, &mut 0).is_some()
    {
        return Said::Connected;
    }
    Said::Other
}

/// What follows `key` in `text`. Looks at the place of the last time first, then everywhere.
fn after<'a>(text: &'a [u8], key: &[u8], hint: &mut usize) -> Option<&'a [u8]> {
    let there = |at: usize| text.get(at..)?.strip_prefix(key);
    // Numbers in front of the key grow by a digit now and then.
    if let Some(rest) = there(*hint) {
        return Some(rest);
    }
    let at = text.windows(key.len()).position(|window| window == key)?;
    *hint = at;
    there(at)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::protocol::event::{Ack, Event, Message};

    const MARK: Mark = Mark {
        sender: 7,
        number: 4_321,
        sent_at: 123_456_789_012,
    };

    fn delivered(mark: Mark, id: u64) -> Vec<u8> {
        Event::Message(Message {
            room: "general".into(),
            id,
            seq: id,
            user_id: 3,
            username: "alice".into(),
            content: mark.to_content(CONTENT),
            timestamp: crate::protocol::time::now(),
            client_id: None,
            unreadable: false,
        })
        .to_json()
        .into_bytes()
    }

    #[test]
    fn a_frame_is_read_back_at_every_length() {
        for length in [0, 1, 125, 126, 127, 65_535, 65_536] {
            let payload = vec![b'a'; length];
            let mut buffer = Vec::new();
            push_plain(&mut buffer, &payload);
            let frame = first(&buffer).expect("whole");
            assert_eq!((frame.opcode, frame.payload.len()), (1, length));
            assert_eq!(frame.taken, buffer.len());
            assert_eq!(first(&buffer[..buffer.len() - 1]), None);
        }
    }

    #[test]
    fn the_mark_of_a_delivery_is_found_as_the_numbers_before_it_grow() {
        let mut hint = 0;
        for id in [1, 9, 10, 99, 100, 5] {
            assert_eq!(read(&delivered(MARK, id), &mut hint), Said::Delivery(MARK));
        }
        assert_eq!(MARK.to_content(CONTENT).len(), CONTENT);
    }

    #[test]
    fn an_ack_gives_its_reference() {
        let ack = Event::Ack(Ack {
            reference: "987654321".into(),
            room: "general".into(),
            id: 5,
            seq: 5,
            timestamp: crate::protocol::time::now(),
            duplicate: false,
        });
        let text = ack.to_json();
        assert_eq!(read(text.as_bytes(), &mut 0), Said::Ack(987_654_321));
    }

    #[test]
    fn what_the_bench_says_is_a_command_that_the_server_understands() {
        let text = message(MARK.to_content(CONTENT), Some("5".into()), Some("c".into()));
        let request = crate::protocol::command::parse(&text).expect("understood");
        assert_eq!(request.reference.as_deref(), Some("5"));
    }
}
