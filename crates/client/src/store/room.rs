//! What is known of one room, and what it waits for.

use super::{News, Outbox, Past, Timeline, follow::Follower};
use crate::{link::Millis, protocol::message::Message};

/// How soon a failed fetch is tried again.
const FETCH_AGAIN: Millis = 2_000;

/// One room.
#[derive(Debug)]
pub struct Room {
    past: Past,
    /// Keeps what is shown in order and complete.
    pub(super) follower: Follower,
    pub(super) timeline: Timeline,
    pub(super) outbox: Outbox,
    /// The fetch that the follower waits for.
    pub(super) next_page: Option<u64>,
    /// The fetch of older messages that is under way.
    pub(super) older_page: Option<u64>,
    /// When the follower is to ask again.
    pub(super) again_at: Option<Millis>,
}

impl Room {
    pub(super) fn new(past: Past) -> Self {
        Self {
            past,
            follower: Follower::new(past),
            timeline: Timeline::new(),
            outbox: Outbox::default(),
            next_page: None,
            older_page: None,
            again_at: None,
        }
    }

    /// What is at hand of its messages.
    #[must_use]
    pub fn timeline(&self) -> &Timeline {
        &self.timeline
    }

    /// What was sent and is not stored yet.
    #[must_use]
    pub fn outbox(&self) -> &Outbox {
        &self.outbox
    }

    /// The next messages, or messages that have changed.
    pub(super) fn show(&mut self, key: &str, messages: Vec<Message>, me: i64) -> News {
        let last = self.timeline.last().map_or(0, |(id, _)| id);
        let mut unread = 0;
        for message in &messages {
            let is_mine = self.outbox.seen(message).is_some() || message.user_id == me;
            unread += usize::from(message.id > last && !is_mine);
            if self.is_kept() {
                self.timeline.put(message.clone());
            }
        }
        News::Shown {
            room: key.to_owned(),
            messages,
            unread,
        }
    }

    /// Messages from before the first one; `more`: there are others before them.
    pub(super) fn take_older(&mut self, key: &str, messages: Vec<Message>, more: bool) -> News {
        let before = self.timeline.first();
        for message in messages {
            self.timeline.put(message);
        }
        self.timeline.loaded(more);
        News::Older {
            room: key.to_owned(),
            before,
        }
    }

    /// A message of ours is on the server's disk.
    pub(super) fn stored(&mut self, message: Message) {
        if self.is_kept() {
            self.timeline.put_if_absent(message);
        }
    }

    pub(super) fn notice(&mut self, sentence: &str) {
        if self.is_kept() {
            self.timeline.notice(sentence.to_owned());
        }
    }

    pub(super) fn forget(&mut self) {
        self.timeline = Timeline::new();
        self.older_page = None;
    }

    /// What was fetched for the follower, or of the past, did not come.
    pub(super) fn fetch_failed(&mut self, now: Millis, is_older: bool) {
        if is_older {
            self.older_page = None;
            self.timeline.loading_failed();
        } else {
            self.next_page = None;
            self.pause(now);
        }
    }

    pub(super) fn pause(&mut self, now: Millis) {
        self.again_at = Some(now + FETCH_AGAIN);
    }

    fn is_kept(&self) -> bool {
        self.past == Past::Pages
    }
}
