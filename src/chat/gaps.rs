//! Gaps in the numbers of a room: rows that someone has deleted by hand, or that are damaged. Each missing number is shown
//! as a message that cannot be read, so that no client takes a history with a gap for a complete one, or waits for a
//! message that will never come.

use std::collections::BTreeMap;

use crate::protocol::{message::Message, time::Timestamp};

/// Which numbers a page is about.
#[derive(Debug, Clone, Copy)]
pub enum Span {
    /// The nearest ones up to this one.
    UpTo(u64),
    /// The nearest ones from this one on.
    From(u64),
}

/// The page with a message for each of its numbers: what was found, and one that cannot be read for each that is
/// missing. `last` is the room's latest change. As long as every change is a new message, every number has one.
#[must_use]
pub fn fill(found: Vec<Message>, span: Span, last: u64, limit: u64, room: &str) -> Vec<Message> {
    let last = found
        .iter()
        .map(|message| message.seq)
        .max()
        .unwrap_or(0)
        .max(last);
    let (from, to) = match span {
        Span::UpTo(to) => {
            let to = to.min(last);
            (to.saturating_sub(limit.saturating_sub(1)).max(1), to)
        }
        Span::From(from) => {
            let from = from.max(1);
            (from, last.min(from.saturating_add(limit.saturating_sub(1))))
        }
    };
    // A number that was changed by hand as well would be lost: then all is shown as it is.
    let is_odd = |one: &Message| match span {
        Span::UpTo(_) => one.seq > to,
        Span::From(_) => one.seq < from,
    };
    if limit == 0 || from > to || found.iter().any(is_odd) {
        return found;
    }
    // What lies beyond a gap belongs to the next page.
    let mut found = found;
    found.retain(|one| (from..=to).contains(&one.seq));
    if found.len() as u64 == to - from + 1 {
        return found;
    }
    let mut found: BTreeMap<u64, Message> = found
        .into_iter()
        .map(|message| (message.seq, message))
        .collect();
    // The nearest time that is known, so that it stands where it belongs.
    let mut at = found.values().next().map(|message| message.created_at);
    (from..=to)
        .map(|number| match found.remove(&number) {
            Some(message) => {
                at = Some(message.created_at);
                message
            }
            None => missing(number, at.unwrap_or_default(), room),
        })
        .collect()
}

fn missing(number: u64, at: Timestamp, room: &str) -> Message {
    Message {
        id: number,
        seq: number,
        room: room.to_owned(),
        user_id: 0,
        username: String::new(),
        content: String::new(),
        created_at: at,
        client_id: None,
        unreadable: true,
        ..Message::default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn page(numbers: &[u64], span: Span, last: u64, limit: u64) -> Vec<(u64, bool)> {
        let found = numbers
            .iter()
            .map(|number| Message {
                unreadable: false,
                ..missing(*number, Timestamp::default(), "general")
            })
            .collect();
        fill(found, span, last, limit, "general")
            .into_iter()
            .map(|message| (message.seq, message.unreadable))
            .collect()
    }

    #[test]
    fn every_number_of_a_page_is_shown() {
        let (good, hole) = (|n| (n, false), |n| (n, true));
        assert_eq!(
            page(&[1, 2, 3], Span::UpTo(u64::MAX), 3, 50),
            [1, 2, 3].map(good)
        );
        assert_eq!(
            page(&[1, 3], Span::UpTo(u64::MAX), 4, 50),
            [good(1), hole(2), good(3), hole(4)]
        );
        assert_eq!(page(&[3, 5], Span::UpTo(5), 9, 2), [hole(4), good(5)]);
        assert_eq!(page(&[7], Span::From(5), 7, 2), [hole(5), hole(6)]);
        assert_eq!(page(&[7], Span::From(6), 7, 9), [hole(6), good(7)]);
        assert_eq!(page(&[], Span::From(3), 4, 9), [hole(3), hole(4)]);
        assert!(page(&[], Span::From(5), 4, 9).is_empty());
        assert!(page(&[], Span::UpTo(0), 4, 9).is_empty());
        // The count was lowered by hand, and the messages are there.
        assert_eq!(
            page(&[1, 2, 3], Span::UpTo(u64::MAX), 1, 9),
            [1, 2, 3].map(good)
        );
    }
}
