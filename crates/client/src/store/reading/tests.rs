//! One marker, and what is counted above it.

use super::*;
use crate::protocol::mention::Mention;

const ME: i64 = 1;

fn message(id: u64, seq: u64, user_id: i64) -> Message {
    Message {
        id,
        seq,
        user_id,
        ..Message::default()
    }
}

fn for_me(message: Message) -> Message {
    Message {
        mentions: vec![Mention {
            user_id: Some(ME),
            ..Mention::default()
        }],
        ..message
    }
}

fn unread(messages: u64, mentions: u64) -> Unread {
    Unread { messages, mentions }
}

/// Counts with these messages at hand.
fn count(reading: &mut Reading, start: Option<u64>, cursor: u64, at_hand: &[Message]) -> Unread {
    reading.count(AtHand { start, cursor }, ME, |id| {
        at_hand.iter().filter(move |message| message.id > id)
    });
    reading.unread()
}

#[test]
fn what_was_told_and_what_came_since_are_counted_together() {
    let mut reading = Reading::default();
    reading.told(10, unread(3, 1), 20);
    let mut at_hand = vec![message(21, 21, 2), for_me(message(22, 22, 2))];
    at_hand.push(message(23, 23, ME));
    assert_eq!(count(&mut reading, Some(21), 23, &at_hand), unread(5, 2));
    assert!(reading.is_sure());
    // One of those that were told of changes: what it was before no one knows here.
    let reacted = message(12, 24, 2);
    reading.changes(&reacted, ME);
    count(&mut reading, Some(21), 24, &at_hand);
    assert!(reading.is_sure(), "a reaction changes nothing of it");
    let deleted = Message {
        deleted_at: Some(reacted.created_at),
        ..message(12, 25, 2)
    };
    reading.changes(&deleted, ME);
    count(&mut reading, Some(21), 25, &at_hand);
    assert!(!reading.is_sure());
    assert!(reading.ask(0, 7) && !reading.ask(1_999, 8));
    assert!(reading.takes(7) && !reading.takes(7));
    reading.told(10, unread(4, 1), 25);
    assert_eq!(count(&mut reading, Some(21), 25, &at_hand), unread(4, 1));
    assert!(reading.is_sure());
}

#[test]
fn where_all_is_at_hand_nothing_told_is_needed() {
    let mut reading = Reading::default();
    reading.told(1, unread(9, 9), 3);
    let at_hand = [message(2, 2, 2), message(3, 4, 2), for_me(message(5, 5, 2))];
    assert_eq!(count(&mut reading, Some(2), 5, &at_hand), unread(3, 1));
    // As long as it has not come so far, what was told holds.
    reading.told(1, unread(9, 9), 8);
    assert_eq!(count(&mut reading, Some(2), 5, &at_hand), unread(9, 9));
}

#[test]
fn a_mark_is_told_now_and_then_and_counts_at_once() {
    let mut reading = Reading::default();
    reading.told(1, unread(2, 0), 3);
    let at_hand = [message(2, 2, 2), message(3, 3, 2)];
    reading.saw(2);
    assert_eq!(count(&mut reading, Some(1), 3, &at_hand), unread(1, 0));
    let mark = |seq, unread| MarkRead {
        seq,
        thread: None,
        unread,
    };
    assert_eq!(reading.next(0, 1), Some(mark(2, false)));
    assert_eq!(reading.next(0, 2), None, "it is on its way");
    reading.saw(1);
    assert_eq!(reading.marker(), 2, "never back by itself");
    reading.saw(3);
    assert_eq!(reading.next(999, 2), None, "not so often");
    assert_eq!(reading.next(1_000, 2), Some(mark(3, false)));
    assert!(!reading.acked(1, 2), "that is over");
    reading.disconnected();
    assert_eq!(reading.next(1_001, 3), Some(mark(3, false)));
    assert!(reading.acked(3, 3));
    // Back on purpose, and not forward again by what is seen meanwhile.
    reading.unread_from(2);
    reading.saw(3);
    assert_eq!(count(&mut reading, Some(1), 3, &at_hand), unread(2, 0));
    assert_eq!(reading.next(1_002, 4), Some(mark(2, true)));
    assert!(reading.refused(1_002, 4, Some(500)));
    assert_eq!(reading.next(1_501, 5), None);
    assert_eq!(reading.next(1_502, 5), Some(mark(2, true)));
    assert!(reading.refused(1_502, 5, None));
    assert_eq!(reading.marker(), 3, "it cannot be");
    // Another device has read further than what waits to be told.
    reading.saw(5);
    reading.moved(6, None);
    assert_eq!(reading.next(9_000, 6), None);
    assert_eq!(reading.marker(), 6);
}
