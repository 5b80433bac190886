//! What is known of one room, and what it waits for.

use std::collections::BTreeSet;

use super::{News, Outbox, Past, Threads, Timeline, follow::Follower};
use crate::{
    link::Millis,
    protocol::{
        event::RoomState,
        message::{Kind, Message},
        room::{RoomChanged, RoomKind},
    },
};

/// How soon a failed fetch is tried again.
const FETCH_AGAIN: Millis = 2_000;
/// Unread messages that are counted.
pub const MOST_UNREAD: usize = 1_000;

/// One room.
#[derive(Debug)]
pub struct Room {
    past: Past,
    /// As the server last told of it.
    pub(super) about: RoomState,
    /// The history that its numbers belong to.
    pub(super) epoch: Option<String>,
    /// The user is not in it any more. What was held stays, and nothing comes to it.
    pub(super) is_gone: bool,
    /// Keeps what is shown in order and complete.
    pub(super) follower: Follower,
    pub(super) timeline: Timeline,
    /// What stands beside the timeline.
    pub(super) threads: Threads,
    pub(super) outbox: Outbox,
    /// The newest message of a person that has come.
    newest: u64,
    /// The user has seen the messages up to this one.
    seen: u64,
    /// Those after it that others wrote.
    unread: BTreeSet<u64>,
    /// The fetch that the follower waits for.
    pub(super) next_page: Option<u64>,
    /// The fetch of older messages that is under way.
    pub(super) older_page: Option<u64>,
    /// When the follower is to ask again.
    pub(super) again_at: Option<Millis>,
}

impl Room {
    pub(super) fn new(key: &str, past: Past) -> Self {
        Self {
            past,
            about: RoomState {
                room: key.to_owned(),
                ..RoomState::default()
            },
            epoch: None,
            is_gone: false,
            follower: Follower::new(past),
            timeline: Timeline::new(),
            threads: Threads::default(),
            outbox: Outbox::default(),
            newest: 0,
            seen: 0,
            unread: BTreeSet::new(),
            next_page: None,
            older_page: None,
            again_at: None,
        }
    }

    /// The room as the server last told of it. Its `seq` is that of then.
    #[must_use]
    pub fn about(&self) -> &RoomState {
        &self.about
    }

    /// What people call it, with a mark for its kind: `#name` where everyone may come in, `*name` where they may not, and
    /// of a direct room `@` and the names of the others than the user `me`.
    #[must_use]
    pub fn label(&self, me: i64) -> String {
        let about = &self.about;
        match (&about.name, about.kind) {
            (Some(name), RoomKind::Private) => format!("*{name}"),
            (Some(name), _) => format!("#{name}"),
            (None, RoomKind::Direct) => {
                let others = about.users.iter().filter(|user| user.user_id != me);
                let names: Vec<_> = others.map(|user| user.username.as_str()).collect();
                if names.is_empty() {
                    "@yourself".to_owned()
                } else {
                    format!("@{}", names.join(", "))
                }
            }
            (None, _) => format!("#{}", about.room),
        }
    }

    /// Whether the user is not in it any more.
    #[must_use]
    pub fn is_gone(&self) -> bool {
        self.is_gone
    }

    /// Messages of others that the user has not seen; [`MOST_UNREAD`] at most.
    #[must_use]
    pub fn unread(&self) -> usize {
        self.unread.len()
    }

    /// What is at hand of its messages.
    #[must_use]
    pub fn timeline(&self) -> &Timeline {
        &self.timeline
    }

    /// What is known of its threads.
    #[must_use]
    pub fn threads(&self) -> &Threads {
        &self.threads
    }

    /// What was sent and is not stored yet.
    #[must_use]
    pub fn outbox(&self) -> &Outbox {
        &self.outbox
    }

    /// What is wanted of the past when the next history begins.
    pub(super) fn want(&mut self, past: Past) {
        self.past = past;
        self.follower.want(past);
    }

    /// The user has seen all that has come.
    pub(super) fn read(&mut self) {
        let last = self
            .timeline
            .latest()
            .next()
            .map_or(0, |message| message.id);
        self.seen = self.seen.max(last);
        self.unread.clear();
    }

    /// What is up to this number counts as seen.
    pub(super) fn seen_up_to(&mut self, seq: u64) {
        self.seen = seq;
        self.unread.clear();
    }

    /// The next messages, or messages that have changed.
    pub(super) fn show(&mut self, key: &str, messages: Vec<Message>, me: i64) -> News {
        let before = self.unread.len();
        for message in &messages {
            self.note_newest(message);
            let is_mine = self.outbox.seen(message).is_some() || message.user_id == me;
            let is_beside = message.is_in_thread_only();
            let is_written = message.kind == Kind::Text && message.deleted_at.is_none();
            let is_written = is_written && !is_beside;
            if message.id <= self.seen || is_mine || !is_written {
                self.unread.remove(&message.id);
            } else if self.unread.len() < MOST_UNREAD {
                self.unread.insert(message.id);
            }
            if self.is_kept() {
                self.threads.take(message);
            }
            if self.is_kept() && !is_beside {
                self.timeline.put(message.clone());
            }
        }
        News::Shown {
            room: key.to_owned(),
            messages,
            unread: self.unread.len().saturating_sub(before),
        }
    }

    /// A new message of a person brings a hidden room back; an edit or a reaction does not, nor what the room says by itself.
    /// What came before the server told of the room is part of that.
    fn note_newest(&mut self, message: &Message) {
        let is_new = message.id > self.about.seq.max(self.newest);
        if is_new && message.kind == Kind::Text {
            self.newest = self.newest.max(message.id);
            self.about.hidden = false;
        }
    }

    /// The user's own view of the room has changed. To have been hidden before the newest message came is over.
    pub(super) fn view_changed(&mut self, changed: RoomChanged) {
        let is_over = self.newest > changed.seq;
        changed.apply_to(&mut self.about);
        self.about.hidden &= !is_over;
    }

    /// Messages from before the first one; `more`: there are others before them.
    pub(super) fn take_older(&mut self, key: &str, messages: Vec<Message>, more: bool) -> News {
        let before = self.timeline.first();
        for message in &messages {
            self.threads.take(message);
        }
        self.timeline.loaded(messages, more);
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
        self.threads = Threads::default();
        self.older_page = None;
    }

    /// The user is not in it any more: what was sent is not stored, and nothing comes to it.
    pub(super) fn leave(&mut self) {
        self.is_gone = true;
        self.follower.stop();
        self.timeline.loading_failed();
        (self.next_page, self.older_page, self.again_at) = (None, None, None);
        self.outbox.refuse_all("You are not in this room any more.");
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
        !matches!(self.past, Past::Latest(_))
    }
}
