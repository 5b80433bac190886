//! What is known of one room, and what it waits for.

use std::collections::BTreeMap;

use super::{
    News, Outbox, Past, Threads, Timeline,
    follow::Follower,
    reading::{AtHand, Reading, Unread},
};
use crate::{
    link::Millis,
    protocol::{
        event::RoomState,
        kept::Draft,
        message::{Kind, Message},
        room::{RoomChanged, RoomField, RoomKind},
    },
};

/// How soon a failed fetch is tried again.
const FETCH_AGAIN: Millis = 2_000;

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
    /// The user.
    pub(super) me: i64,
    /// How far the user has read its own pages.
    pub(super) reading: Reading,
    /// What the user has begun to write in it and in its threads, as the server was last heard to have it.
    drafts: BTreeMap<Option<u64>, Draft>,
    /// Something has come of a thread that the user may follow and that was not listed.
    pub(super) is_list_stale: bool,
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
            me: 0,
            reading: Reading::default(),
            drafts: BTreeMap::new(),
            is_list_stale: false,
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

    /// Whether it is the room of the user alone, for notes and reminders.
    #[must_use]
    pub fn is_of_oneself(&self) -> bool {
        let mut users = self.about.users.iter();
        self.about.kind == RoomKind::Direct && users.all(|user| user.user_id == self.me)
    }

    /// The latest change that was told in any way.
    pub(super) fn latest(&self) -> u64 {
        self.about.seq.max(self.follower.cursor())
    }

    /// What is unread in its own pages; threads count apart. Of a room that the user is not in any more nothing is. In the
    /// room of the user alone nothing is of others: one message, when something has come that no device has shown.
    #[must_use]
    pub fn unread(&self) -> Unread {
        if self.is_gone {
            return Unread::default();
        }
        if self.is_of_oneself() && !self.about.hidden {
            return Unread {
                messages: u64::from(self.latest() > self.marker()),
                mentions: 0,
            };
        }
        self.reading.unread()
    }

    /// Up to here the user has read its own pages.
    #[must_use]
    pub fn marker(&self) -> u64 {
        self.reading.marker()
    }

    /// Whether the server has told of it.
    #[must_use]
    pub fn is_known(&self) -> bool {
        self.epoch.is_some()
    }

    /// What the user has begun to write in it or in a thread of it, as the server was last heard to have it.
    #[must_use]
    pub fn draft(&self, thread: Option<u64>) -> Option<&Draft> {
        self.drafts.get(&thread)
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

    /// The next messages, or messages that have changed.
    pub(super) fn show(&mut self, key: &str, messages: Vec<Message>) -> News {
        for message in &messages {
            self.note_newest(message);
            self.outbox.seen(message);
            let is_beside = message.is_in_thread_only();
            if message.seq != message.id && !is_beside {
                self.reading.changes(message, self.me);
            }
            if !self.is_kept() {
                continue;
            }
            self.take_of_threads(message);
            if !is_beside {
                self.timeline.put(message.clone());
            }
        }
        News::Shown {
            room: key.to_owned(),
            messages,
        }
    }

    pub(super) fn take_of_threads(&mut self, message: &Message) {
        let first = message
            .thread
            .and_then(|first| self.timeline.message(first));
        self.is_list_stale |= self.threads.take(message, self.me, first);
    }

    /// Counts what is unread.
    pub(super) fn count(&mut self) {
        let timeline = &self.timeline;
        let at_hand = AtHand {
            start: timeline.start(),
            cursor: self.follower.cursor(),
        };
        (self.reading).count(at_hand, self.me, |id| timeline.messages_after(id));
        self.threads.count(at_hand.cursor, self.me);
    }

    /// Drops the oldest of what is kept, if that is too much. What was counted of it holds.
    pub(super) fn trim(&mut self) -> bool {
        self.count();
        let cursor = self.follower.cursor();
        let is_trimmed = self.timeline.trim();
        if is_trimmed {
            self.reading.keep(cursor);
            self.count();
        }
        is_trimmed
    }

    /// What the server has told of the room tells where the marker is, too, and what is unread.
    pub(super) fn told_unread_of_about(&mut self) {
        let unread = Unread {
            messages: self.about.unread,
            mentions: self.about.mentions,
        };
        let (marker, at) = (self.about.read_seq, self.about.seq);
        self.reading.told(marker, unread, at);
        self.count();
    }

    /// A draft was kept or deleted on the server. Of two, the one that was changed later counts. True when it is another.
    pub(super) fn told_draft(&mut self, draft: Draft) -> bool {
        let known = self.drafts.get(&draft.thread);
        if known.is_some_and(|known| known.updated_at > draft.updated_at) {
            return false;
        }
        let is_other = known.is_none_or(|known| known.content != draft.content);
        self.drafts.insert(draft.thread, draft);
        is_other
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
    /// Returns a draft that is another now.
    pub(super) fn view_changed(&mut self, mut changed: RoomChanged) -> Option<Draft> {
        let is_draft = changed.changed.contains(&RoomField::Draft);
        let draft = changed.draft.take().filter(|_| is_draft);
        let is_over = self.newest > changed.seq;
        changed.apply_to(&mut self.about);
        self.about.hidden &= !is_over;
        let draft = draft?;
        self.told_draft(draft.clone()).then_some(draft)
    }

    /// Messages from before the first one; `more`: there are others before them.
    pub(super) fn take_older(&mut self, key: &str, messages: Vec<Message>, more: bool) -> News {
        let before = self.timeline.first();
        for message in &messages {
            self.take_of_threads(message);
        }
        self.timeline.loaded(messages, more);
        self.count();
        News::Older {
            room: key.to_owned(),
            before,
        }
    }

    /// A message of ours is on the server's disk.
    pub(super) fn stored(&mut self, message: Message) {
        if !self.is_kept() {
            return;
        }
        self.take_of_threads(&message);
        if !message.is_in_thread_only() {
            self.timeline.put_if_absent(message);
        }
    }

    pub(super) fn notice(&mut self, sentence: &str) {
        if self.is_kept() {
            self.timeline.notice(sentence.to_owned());
        }
    }

    pub(super) fn forget_drafts(&mut self) {
        self.drafts.clear();
    }

    pub(super) fn forget(&mut self) {
        self.timeline = Timeline::new();
        self.threads = Threads::default();
        self.reading.forget();
        self.drafts.clear();
        self.older_page = None;
    }

    /// The user is not in it any more: what was sent is not stored, and nothing comes to it.
    pub(super) fn leave(&mut self) {
        self.is_gone = true;
        self.follower.stop();
        self.timeline.loading_failed();
        (self.next_page, self.older_page, self.again_at) = (None, None, None);
        self.reading.disconnected();
        self.threads.disconnected();
        self.forget_drafts();
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

    pub(super) fn is_kept(&self) -> bool {
        !matches!(self.past, Past::Latest(_))
    }
}
