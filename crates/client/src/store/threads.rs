//! What is known of a room's threads: what stands under their first messages, those replies that have come, the threads
//! that are looked at, and those that the user follows.

use std::collections::{BTreeMap, BTreeSet};

use super::{
    Timeline,
    reading::{AtHand, Reading, Unread},
};
use crate::{
    link::Millis,
    protocol::{
        message::{Kind, Message},
        reading::Counts,
        thread::{Replies, Thread},
        time::Timestamp,
    },
};

/// Replies kept; the oldest are dropped, and read from the server again when wanted.
const MOST_KEPT: usize = 5_000;

/// The threads of one room.
#[derive(Debug, Clone, Default)]
pub struct Threads {
    /// By their first messages.
    replies: BTreeMap<u64, Replies>,
    /// The replies that have come, also those that stand in the room, too.
    messages: BTreeMap<u64, Message>,
    /// Those that are looked at, or were.
    opened: BTreeMap<u64, Opened>,
    /// Those that the user follows, as far as the server has listed them.
    followed: BTreeMap<u64, Followed>,
    /// Those of which it was asked whether the user follows them.
    asked_about: BTreeSet<u64>,
}

/// A thread that is looked at.
#[derive(Debug, Clone)]
pub(super) struct Opened {
    /// Its first message and its replies.
    pub timeline: Timeline,
    /// The fetch that is under way.
    pub page: Option<u64>,
    /// When to try again.
    pub again_at: Millis,
}

/// A thread that the user follows.
#[derive(Debug, Clone)]
pub struct Followed {
    /// Its first message.
    first: Message,
    last_at: Timestamp,
    pub(super) reading: Reading,
}

impl Followed {
    /// Its first message.
    #[must_use]
    pub fn first(&self) -> &Message {
        &self.first
    }

    /// When someone replied last.
    #[must_use]
    pub fn last_at(&self) -> Timestamp {
        self.last_at
    }

    /// What is unread in it.
    #[must_use]
    pub fn unread(&self) -> Unread {
        self.reading.unread()
    }

    /// Up to here the user has read it.
    #[must_use]
    pub fn marker(&self) -> u64 {
        self.reading.marker()
    }
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

    /// A reply, if it has come.
    #[must_use]
    pub fn reply(&self, id: u64) -> Option<&Message> {
        self.messages.get(&id)
    }

    /// What is at hand of a thread that is looked at.
    #[must_use]
    pub fn timeline(&self, first: u64) -> Option<&Timeline> {
        Some(&self.opened.get(&first)?.timeline)
    }

    /// The threads that the user follows, by their first messages.
    pub fn followed(&self) -> impl Iterator<Item = (u64, &Followed)> {
        self.followed.iter().map(|(first, thread)| (*first, thread))
    }

    /// A thread that the user follows.
    #[must_use]
    pub fn followed_at(&self, first: u64) -> Option<&Followed> {
        self.followed.get(&first)
    }

    /// What is unread in all of those.
    #[must_use]
    pub fn unread(&self) -> Unread {
        let mut all = Unread::default();
        for thread in self.followed.values() {
            let unread = thread.unread();
            all.messages += unread.messages;
            all.mentions += unread.mentions;
        }
        all
    }

    pub(super) fn opened(&mut self, first: u64) -> Option<&mut Opened> {
        self.opened.get_mut(&first)
    }

    /// Begins to look at a thread. True when nothing of it was at hand.
    pub(super) fn open(&mut self, first: u64) -> bool {
        let is_new = !self.opened.contains_key(&first);
        self.opened.entry(first).or_insert_with(|| Opened {
            timeline: Timeline::new(),
            page: None,
            again_at: 0,
        });
        is_new
    }

    /// The room is read afresh: what changed meanwhile is not told, and what is looked at is read afresh, too.
    pub(super) fn begin_again(&mut self) {
        for opened in self.opened.values_mut() {
            *opened = Opened {
                timeline: Timeline::new(),
                page: None,
                again_at: 0,
            };
        }
    }

    /// Threads that are looked at and have nothing to show yet, nor anything on its way.
    pub(super) fn bare(&self, now: Millis) -> Vec<u64> {
        let opened = self.opened.iter();
        let bare = opened.filter(|(_, one)| {
            one.timeline.start().is_none() && one.page.is_none() && one.again_at <= now
        });
        bare.map(|(first, _)| *first).collect()
    }

    pub(super) fn readings(&mut self) -> impl Iterator<Item = (u64, &mut Reading)> {
        let followed = self.followed.iter_mut();
        followed.map(|(first, thread)| (*first, &mut thread.reading))
    }

    pub(super) fn reading(&mut self, first: u64) -> Option<&mut Reading> {
        Some(&mut self.followed.get_mut(&first)?.reading)
    }

    /// One of the user's devices has read on. False when the thread is not known to be followed.
    pub(super) fn moved(&mut self, first: u64, marker: u64, counts: Option<Counts>) -> bool {
        let Some(reading) = self.reading(first) else {
            return false;
        };
        reading.moved(marker, counts);
        true
    }

    /// These are all that the user follows.
    pub(super) fn follow(&mut self, threads: Vec<Thread>) {
        let mut before = std::mem::take(&mut self.followed);
        for thread in threads {
            let first = thread.message.id;
            self.take(&thread.message, 0, None);
            let at = self.replies(first).map_or(0, |replies| replies.seq);
            let at = thread
                .message
                .replies
                .as_ref()
                .map_or(at, |replies| replies.seq);
            let known = before.remove(&first);
            let mut reading = known.map(|known| known.reading).unwrap_or_default();
            let unread = Unread {
                messages: thread.unread,
                mentions: thread.mentions,
            };
            reading.told(thread.read_seq, unread, at);
            let followed = Followed {
                first: thread.message,
                last_at: thread.last_at,
                reading,
            };
            self.followed.insert(first, followed);
        }
    }

    /// Takes what a message tells of threads. True when it may be one of a thread that the user `me` follows from now on;
    /// `begin`: the thread's first message, if that is at hand.
    pub(super) fn take(&mut self, message: &Message, me: i64, begin: Option<&Message>) -> bool {
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
        if let Some(opened) = self.opened.get_mut(&first) {
            opened.timeline.put(message.clone());
        }
        if message.thread.is_none() {
            let followed = self.followed.get_mut(&first);
            if let Some(followed) = followed.filter(|known| known.first.seq <= message.seq) {
                followed.first = message.clone();
            }
            return false;
        }
        let held_seq = self.messages.get(&message.id).map(|held| held.seq);
        let is_later = held_seq.is_none_or(|held| held <= message.seq);
        let is_new = held_seq.is_none() && message.kind == Kind::Text;
        if is_later {
            self.messages.insert(message.id, message.clone());
        }
        if self.messages.len() > MOST_KEPT {
            self.messages.pop_first();
        }
        if let Some(thread) = self.followed.get_mut(&first) {
            if is_new && message.deleted_at.is_none() {
                thread.last_at = thread.last_at.max(message.created_at);
            }
            if is_later && message.seq != message.id {
                thread.reading.changes(message, me);
            }
            return false;
        }
        // What it was before no one knows here: it may have mentioned the user.
        let is_changed_unseen = held_seq.is_none() && message.seq != message.id;
        let is_concerned = message.user_id == me || message.is_for(me) || is_changed_unseen;
        // Who has written it, and who is named in it, follows from the first reply on.
        let names = |begin: &Message| begin.mentions.iter().any(|one| one.user_id == Some(me));
        let is_open = begin.is_none_or(|begin| begin.user_id == me || names(begin));
        is_later && (is_concerned || is_open && self.asked_about.insert(first))
    }

    /// Counts what is unread in the threads that the user follows, whose room has come to this change.
    pub(super) fn count(&mut self, cursor: u64, me: i64) {
        let Self {
            messages,
            opened,
            followed,
            ..
        } = self;
        for (first, thread) in followed {
            let reply = |message: &&Message| message.thread == Some(*first);
            match opened.get(first) {
                Some(Opened { timeline, .. }) if timeline.start().is_some() => {
                    let start = timeline.start();
                    let at_hand = AtHand { start, cursor };
                    thread
                        .reading
                        .count(at_hand, me, |id| timeline.messages_after(id).filter(reply));
                }
                _ => {
                    let at_hand = AtHand {
                        start: None,
                        cursor,
                    };
                    thread.reading.count(at_hand, me, |id| {
                        let after = messages.range(id.saturating_add(1)..);
                        after.map(|(_, message)| message).filter(reply)
                    });
                }
            }
        }
    }

    /// The socket is gone.
    pub(super) fn disconnected(&mut self) {
        for opened in self.opened.values_mut() {
            (opened.page, opened.again_at) = (None, 0);
            opened.timeline.loading_failed();
        }
        for (_, reading) in self.readings() {
            reading.disconnected();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::protocol::mention::Mention;

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
            threads.take(&message, 0, Some(&Message::default()));
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
        threads.take(&stale, 0, None);
        assert_eq!(threads.replies(1).map(|replies| replies.seq), Some(5));
    }

    #[test]
    fn a_thread_whose_first_message_names_the_user_is_asked_about_once() {
        let mut begin = Message {
            id: 1,
            user_id: 7,
            ..Message::default()
        };
        let others = Message {
            user_id: 9,
            ..reply(2, 2, 1)
        };
        let (mut named, mut not_named) = (Threads::default(), Threads::default());
        assert!(!not_named.take(&others, 3, Some(&begin)));
        begin.mentions.push(Mention {
            user_id: Some(3),
            ..Mention::default()
        });
        assert!(named.take(&others, 3, Some(&begin)));
        let more = Message {
            user_id: 9,
            ..reply(3, 3, 2)
        };
        assert!(!named.take(&more, 3, Some(&begin)));
        assert!(!not_named.take(&more, 4, Some(&begin)));
    }
}
