//! What frames say, read with as little work as can be: on a small machine the bench shares the cores with the server that
//! it measures. And what the bench says itself, so that it can be found again.

use crate::protocol::command::{Command, Request, SendMessage};

/// Length of a content that the bench sends, unless a line asks for longer ones.
pub const CONTENT: usize = 64;

/// What a content of the bench says: who sent it, its number among that sender's, and when.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Stamp {
    /// The sender's place among the senders.
    pub sender: usize,
    /// Counts from 1, for each sender.
    pub number: u32,
    /// Nanoseconds since the bench began.
    pub sent_at: u64,
}

impl Stamp {
    /// A content of `length` bytes; not shorter than the stamp itself, which takes 34.
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
            sender: usize::try_from(digits(content.get(..5)?)?).ok()?,
            number: u32::try_from(digits(content.get(6..14)?)?).ok()?,
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
pub fn message(message: SendMessage, reference: Option<String>) -> String {
    let command = Command::Message(message);
    let request = Request { reference, command };
    // Strings only: serde_json cannot fail on these.
    serde_json::to_string(&request).unwrap_or_default()
}

/// What a text from the server is, as far as the bench wants to know.
#[derive(Debug, PartialEq, Eq)]
pub enum Said {
    /// A message of the bench.
    Delivery(Stamp),
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
        let stamp = after(text, CONTENT_KEY, hint).and_then(Stamp::parse);
        return stamp.map_or(Said::Other, Said::Delivery);
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
    use crate::protocol::{
        event::{Ack, Event},
        message::Message,
    };

    const STAMP: Stamp = Stamp {
        sender: 7,
        number: 4_321,
        sent_at: 123_456_789_012,
    };

    fn delivered(stamp: Stamp, id: u64) -> Vec<u8> {
        Event::Message(Message {
            room: "general".into(),
            id,
            seq: id,
            user_id: 3,
            username: "alice".into(),
            content: stamp.to_content(CONTENT),
            created_at: crate::protocol::time::now(),
            client_id: None,
            unreadable: false,
            ..Message::default()
        })
        .to_json()
        .into_bytes()
    }

    #[test]
    fn the_mark_of_a_delivery_is_found_as_the_numbers_before_it_grow() {
        let mut hint = 0;
        for id in [1, 9, 10, 99, 100, 5] {
            assert_eq!(
                read(&delivered(STAMP, id), &mut hint),
                Said::Delivery(STAMP)
            );
        }
        assert_eq!(STAMP.to_content(CONTENT).len(), CONTENT);
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
            done: None,
        });
        let text = ack.to_json();
        assert_eq!(read(text.as_bytes(), &mut 0), Said::Ack(987_654_321));
    }

    #[test]
    fn what_the_bench_says_is_a_command_that_the_server_understands() {
        let text = message(
            SendMessage {
                content: STAMP.to_content(CONTENT),
                client_id: Some("c".into()),
                ..SendMessage::default()
            },
            Some("5".into()),
        );
        let request = crate::protocol::command::parse(&text).expect("understood");
        assert_eq!(request.reference.as_deref(), Some("5"));
    }
}
