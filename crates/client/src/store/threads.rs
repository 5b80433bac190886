//! What is known of a room's threads: what stands under their first messages, and those replies that have come.

use std::collections::BTreeMap;

use crate::protocol::{message::Message, thread::Replies};

/// Replies kept; the oldest are dropped, and read from the server again when wanted.
const MOST_KEPT: usize = 5_000;

/// The threads of one room.
#[derive(Debug, Clone, Default)]
pub struct Threads {
    /// By their first messages.
    replies: BTreeMap<u64, Replies>,
    /// The replies that have come, also those that stand in the room, too.
    messages: BTreeMap<u64, Message>,
}

impl Threads {
    /// What stands under a message, if that was told.
    #[must_use]
    pub fn replies(&self, first: u64) -> Option<&Replies> {
        self.replies.get(&first)
    }

    /// The replies of a thread that are at hand, oldest first.
    pub fn messages(&self, first: u64) -> impl Iterator<Item = &Message> {
        let all = self.messages.values();
        all.filter(move |message| message.thread == Some(first))
    }

    /// Takes what a message tells of threads.
    pub(super) fn take(&mut self, message: &Message) {
        let (first, told) = match message.thread {
            None => (message.id, &message.replies),
            Some(first) => (first, &message.thread_replies),
        };
        if let Some(told) = told {
            let known = self.replies.entry(first).or_default();
            // What comes may have been read before what has come.
            if known.seq <= told.seq {
                known.clone_from(told);
            }
        }
        if message.thread.is_none() {
            return;
        }
        let held = self.messages.get(&message.id);
        if held.is_none_or(|held| held.seq <= message.seq) {
            self.messages.insert(message.id, message.clone());
        }
        if self.messages.len() > MOST_KEPT {
            self.messages.pop_first();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn reply(id: u64, seq: u64, count: u64) -> Message {
        Message {
            id,
            seq,
            thread: Some(1),
            thread_replies: Some(Replies {
                count,
                seq,
                ..Replies::default()
            }),
            ..Message::default()
        }
    }

    #[test]
    fn the_later_of_what_is_told_of_a_thread_holds() {
        let mut threads = Threads::default();
        for message in [
            reply(2, 2, 1),
            reply(3, 3, 2),
            reply(2, 5, 1),
            reply(3, 3, 2),
        ] {
            threads.take(&message);
        }
        assert_eq!(threads.replies(1).map(|replies| replies.count), Some(1));
        let held: Vec<_> = threads.messages(1).map(|one| (one.id, one.seq)).collect();
        assert_eq!(held, [(2, 5), (3, 3)]);
        let stale = Message {
            id: 1,
            seq: 9,
            replies: reply(2, 2, 1).thread_replies,
            ..Message::default()
        };
        threads.take(&stale);
        assert_eq!(threads.replies(1).map(|replies| replies.seq), Some(5));
    }
}
