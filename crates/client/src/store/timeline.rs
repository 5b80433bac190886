//! What is at hand of one room, in order: its messages, and what was noticed between them.

use std::collections::BTreeMap;

use crate::protocol::{message::Message, time::Timestamp};

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
    /// Someone wrote.
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

/// What is at hand of one room.
#[derive(Debug, Clone)]
pub struct Timeline {
    items: BTreeMap<Key, Item>,
    older: Older,
}

impl Timeline {
    pub(super) fn new() -> Self {
        Self {
            items: BTreeMap::new(),
            older: Older::Unknown,
        }
    }

    /// All of it, in order.
    #[must_use]
    pub fn items(&self) -> &BTreeMap<Key, Item> {
        &self.items
    }

    /// What lies before the first item.
    #[must_use]
    pub fn older(&self) -> Older {
        self.older
    }

    /// Who wrote the item before this place, and when; `None` when it is not a message.
    #[must_use]
    pub fn message_before(&self, key: Key) -> Option<(&str, Timestamp)> {
        match self.items.range(..key).next_back()?.1 {
            Item::Message(message) => Some((message.username.as_str(), message.created_at)),
            Item::Notice(_) => None,
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

    /// Adds a message, or replaces it by its latest change.
    pub(super) fn put(&mut self, message: Message) {
        if message.id == 1 {
            self.older = Older::AllRead;
        }
        self.items.insert((message.id, 0), Item::Message(message));
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
        let oldest = self.oldest()?;
        if self.older != Older::More {
            return None;
        }
        self.older = Older::Loading;
        Some(oldest)
    }

    /// A page of the past has come; `more`: there are others before it.
    pub(super) fn loaded(&mut self, more: bool) {
        self.older = if more && self.oldest() != Some(1) {
            Older::More
        } else {
            Older::AllRead
        };
    }

    pub(super) fn loading_failed(&mut self) {
        self.older = Older::More;
    }

    pub(super) fn trim(&mut self) {
        if self.items.len() > MAX_ITEMS
            && let Some(first) = self.items.keys().nth(TRIMMED).copied()
        {
            self.items = self.items.split_off(&first);
            self.older = Older::More;
        }
    }

    /// The number of the oldest message at hand.
    fn oldest(&self) -> Option<u64> {
        let mut items = self.items.iter();
        items.find_map(|(key, item)| matches!(item, Item::Message(_)).then_some(key.0))
    }
}
