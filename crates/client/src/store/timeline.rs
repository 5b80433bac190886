//! What is at hand of one room, in order: its messages as they now are, and what was noticed between them.

use std::collections::BTreeMap;

use crate::protocol::{
    message::{Kind, Message},
    time::Timestamp,
};

/// Items kept before [`Timeline::trim`] drops the oldest; they are read from the server again when wanted.
const MAX_ITEMS: usize = 5_000;
/// Items dropped at once when there are too many.
const TRIMMED: usize = 1_000;

/// A place in the timeline: a message's number, then what was noticed after it.
pub type Key = (u64, u32);

/// One thing in the timeline.
#[derive(Debug, Clone)]
#[expect(clippy::large_enum_variant, reason = "nearly all are messages")]
pub enum Item {
    /// Someone wrote, or something happened to the room.
    Message(Message),
    /// Someone came or left. Not part of history.
    Notice(String),
}

/// What is known about what lies before the first item.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Older {
    /// The first page has not come yet.
    Unknown,
    /// There is more.
    More,
    /// A page is on its way.
    Loading,
    /// This is the beginning.
    AllRead,
}

/// What is at hand of one room: every message from a number on, and none from before it.
#[derive(Debug, Clone)]
pub struct Timeline {
    items: BTreeMap<Key, Item>,
    /// All messages with this number or a higher one are here, as far as they have come; `None` before the first page.
    start: Option<u64>,
    older: Older,
    /// Changes to messages before the start, while a page of these is on its way: it may have been read before them.
    aside: BTreeMap<u64, Message>,
}

impl Timeline {
    pub(super) fn new() -> Self {
        Self {
            items: BTreeMap::new(),
            start: None,
            older: Older::Unknown,
            aside: BTreeMap::new(),
        }
    }

    /// All of it, in order.
    #[must_use]
    pub fn items(&self) -> &BTreeMap<Key, Item> {
        &self.items
    }

    /// The number from which on all messages are here.
    pub(super) fn start(&self) -> Option<u64> {
        self.start
    }

    /// A message, if it is at hand.
    #[must_use]
    pub fn message(&self, id: u64) -> Option<&Message> {
        match self.items.get(&(id, 0))? {
            Item::Message(message) => Some(message),
            Item::Notice(_) => None,
        }
    }

    /// The messages, latest first.
    pub fn latest(&self) -> impl Iterator<Item = &Message> {
        self.items.values().rev().filter_map(|item| match item {
            Item::Message(message) => Some(message),
            Item::Notice(_) => None,
        })
    }

    /// Whether all messages after this one are at hand.
    #[must_use]
    pub fn reaches(&self, id: u64) -> bool {
        self.start
            .is_some_and(|start| start <= id.saturating_add(1))
    }

    /// The messages with a greater number than this, in order.
    pub fn messages_after(&self, id: u64) -> impl Iterator<Item = &Message> {
        let after = self.items.range((id.saturating_add(1), 0)..);
        after.filter_map(|(_, item)| match item {
            Item::Message(message) => Some(message),
            Item::Notice(_) => None,
        })
    }

    /// The first page has come: these messages, and those that came before it. `more`: there are others before them.
    pub(super) fn begin_with(&mut self, messages: Vec<Message>, more: bool) {
        let before = std::mem::replace(self, Self::new()).items;
        self.begin(messages.first().map_or(0, |message| message.id), more);
        let before = before.into_values().filter_map(|item| match item {
            Item::Message(message) => Some(message),
            Item::Notice(_) => None,
        });
        for message in messages.into_iter().chain(before) {
            self.put(message);
        }
    }

    /// What lies before the first item.
    #[must_use]
    pub fn older(&self) -> Older {
        self.older
    }

    /// The item before this place, if people wrote it: who, and when.
    #[must_use]
    pub fn message_before(&self, key: Key) -> Option<(&str, Timestamp)> {
        match self.items.range(..key).next_back()?.1 {
            Item::Message(message) if message.kind == Kind::Text => {
                Some((message.username.as_str(), message.created_at))
            }
            Item::Message(_) | Item::Notice(_) => None,
        }
    }

    /// When the last message before this place was written.
    #[must_use]
    pub fn time_before(&self, key: Key) -> Option<Timestamp> {
        let mut before = self.items.range(..key).rev();
        before.find_map(|(_, item)| match item {
            Item::Message(message) => Some(message.created_at),
            Item::Notice(_) => None,
        })
    }

    /// Where the first item is.
    #[must_use]
    pub fn first(&self) -> Option<Key> {
        self.items.keys().next().copied()
    }

    /// Where the last item is.
    #[must_use]
    pub fn last(&self) -> Option<Key> {
        self.items.keys().next_back().copied()
    }

    /// The messages from this number on are what is at hand; `more`: there are others before it.
    pub(super) fn begin(&mut self, start: u64, more: bool) {
        let is_first = !more || start <= 1;
        self.start = Some(if is_first { 0 } else { start });
        self.older = if is_first {
            Older::AllRead
        } else {
            Older::More
        };
    }

    /// Takes a message, or its latest change. One of before the start would leave a hole behind it.
    pub(super) fn put(&mut self, message: Message) {
        if self.start.is_some_and(|start| message.id < start) {
            if self.older == Older::Loading {
                self.aside.insert(message.id, message);
            }
            return;
        }
        let key = (message.id, 0);
        if self
            .message(message.id)
            .is_none_or(|held| held.seq <= message.seq)
        {
            self.items.insert(key, Item::Message(message));
        }
    }

    /// Adds a message that is not there.
    pub(super) fn put_if_absent(&mut self, message: Message) {
        let place = self.items.entry((message.id, 0));
        place.or_insert(Item::Message(message));
    }

    pub(super) fn notice(&mut self, sentence: String) {
        let (id, n) = self.last().unwrap_or((0, 0));
        self.items.insert((id, n + 1), Item::Notice(sentence));
    }

    /// The message before which to fetch older ones, if there are any and they are not on their way.
    pub(super) fn start_loading(&mut self) -> Option<u64> {
        let start = self.start?;
        if self.older != Older::More {
            return None;
        }
        self.older = Older::Loading;
        Some(start)
    }

    /// A page of the past has come; `more`: there are others before it.
    pub(super) fn loaded(&mut self, messages: Vec<Message>, more: bool) {
        let start = messages.first().map(|message| message.id).or(self.start);
        self.begin(start.unwrap_or(0), more);
        let changed = std::mem::take(&mut self.aside);
        for message in messages.into_iter().chain(changed.into_values()) {
            self.put(message);
        }
    }

    /// The page that was on its way will not come.
    pub(super) fn loading_failed(&mut self) {
        if self.older == Older::Loading {
            self.older = Older::More;
        }
        self.aside.clear();
    }

    /// Drops the oldest, if that is too much. Returns whether it did.
    pub(super) fn trim(&mut self) -> bool {
        if self.items.len() <= MAX_ITEMS {
            return false;
        }
        let mut later = self.items.range(..).skip(TRIMMED);
        let first = later.find_map(|(key, item)| matches!(item, Item::Message(_)).then_some(key.0));
        let Some(first) = first else {
            return false;
        };
        self.items = self.items.split_off(&(first, 0));
        self.aside.clear();
        self.begin(first, true);
        true
    }
}
