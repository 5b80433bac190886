//! The conversation: what is in it, who is here, what is being written, and where the reader looks.

use std::collections::{BTreeMap, BTreeSet};

use parlour_client::{follow::Follower, link::Millis, outbox::Outbox};
use ratatui_textarea::{TextArea, WrapMode};

use super::view::{Anchor, Place};
use crate::protocol::{
    event::{Ack, Connected, Notice},
    limits::Limits,
    time::Timestamp,
    views::Message,
};

/// Items kept while the reader is at the end; older ones are read from the server again when wanted.
const MAX_ITEMS: usize = 5_000;
/// Items dropped at once when there are too many.
const TRIMMED: usize = 1_000;
/// How soon a failed fetch is tried again.
const FETCH_AGAIN: Millis = 2_000;

/// A place in the conversation: a message's number, then what was noticed after it.
pub type Key = (u64, u32);

/// One thing in the conversation.
#[derive(Debug, Clone)]
pub enum Item {
    /// Somebody wrote.
    Message(Message),
    /// Somebody came or left. Not part of history.
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

/// The conversation in one room.
pub struct Chat {
    /// The room's name.
    pub room: String,
    /// The name of the one who is logged in.
    pub me: String,
    /// Keeps what is shown in order and complete.
    pub follower: Follower,
    /// What was sent and is not yet in history.
    pub outbox: Outbox,
    /// The line or lines being written.
    pub input: TextArea<'static>,
    /// The first row on the screen; `None`: the end is on the screen and stays there.
    pub top: Option<Anchor>,
    /// Messages that came below the screen.
    pub unread: usize,
    /// What lies before the first item.
    pub older: Older,
    /// Counts replaced histories: a page of an earlier one is of no use.
    pub history: u64,
    /// When to repeat a fetch that failed.
    pub fetch_again: Option<Millis>,
    /// What the server allows.
    pub limits: Limits,
    user_id: i64,
    items: BTreeMap<Key, Item>,
    /// By lower-case name, so that the list reads as people expect.
    online: BTreeSet<(String, String)>,
}

impl Chat {
    /// An empty conversation.
    #[must_use]
    pub fn new(room: &str, me: &str) -> Self {
        Self {
            room: room.to_owned(),
            me: me.to_owned(),
            follower: Follower::new(room),
            outbox: Outbox::default(),
            input: new_input(""),
            top: None,
            unread: 0,
            older: Older::Unknown,
            history: 0,
            fetch_again: None,
            limits: Limits::default(),
            user_id: 0,
            items: BTreeMap::new(),
            online: BTreeSet::new(),
        }
    }

    /// What is shown, in order.
    #[must_use]
    pub fn items(&self) -> &BTreeMap<Key, Item> {
        &self.items
    }

    /// Who is here.
    pub fn online(&self) -> impl ExactSizeIterator<Item = &str> {
        self.online.iter().map(|(_, name)| name.as_str())
    }

    /// The number of the oldest message at hand.
    #[must_use]
    pub fn oldest(&self) -> Option<u64> {
        self.items
            .iter()
            .find(|(_, item)| matches!(item, Item::Message(_)))
            .map(|(key, _)| key.0)
    }

    /// Replaces what is being written.
    pub fn set_input(&mut self, text: &str) {
        self.input = new_input(text);
    }

    /// A socket has said hello.
    pub fn greet(&mut self, hello: &Connected) {
        self.me.clone_from(&hello.username);
        self.user_id = hello.user_id;
        self.limits = hello.limits;
        self.online = hello.online.iter().map(|name| sortable(name)).collect();
    }

    /// Somebody came or left.
    pub fn notice(&mut self, sentence: String, notice: &Notice) {
        match notice {
            Notice::Joined { usernames } => {
                self.online.extend(usernames.iter().map(|n| sortable(n)));
            }
            Notice::Left { usernames } => {
                for name in usernames {
                    self.online.remove(&sortable(name));
                }
            }
            Notice::Connected(_) => return,
        }
        let (id, n) = self.items.keys().next_back().copied().unwrap_or((0, 0));
        self.items.insert((id, n + 1), Item::Notice(sentence));
    }

    /// Messages that are new at the end, or changed.
    pub fn take(&mut self, messages: Vec<Message>) {
        let last = self.items.keys().next_back().map_or(0, |key| key.0);
        for message in messages {
            let was_mine = self.outbox.seen(&message).is_some() || message.user_id == self.user_id;
            if self.top.is_some() && message.id > last && !was_mine {
                self.unread += 1;
            }
            self.items.insert((message.id, 0), Item::Message(message));
        }
        if self.top.is_none()
            && self.items.len() > MAX_ITEMS
            && let Some(first) = self.items.keys().nth(TRIMMED).copied()
        {
            self.items = self.items.split_off(&first);
            self.older = Older::More;
        }
    }

    /// Messages from before the first one; `is_last`: there are no others before them.
    pub fn take_older(&mut self, messages: Vec<Message>, is_last: bool) {
        // What the reader looks at stays where it is; the new rows are above it.
        if let Some(Anchor { place, .. }) = &mut self.top
            && *place == Place::Head
            && let Some(first) = self.items.keys().next()
        {
            *place = Place::Item(*first);
        }
        for message in messages {
            self.items.insert((message.id, 0), Item::Message(message));
        }
        let is_start = is_last || self.oldest() == Some(1);
        self.older = if is_start {
            Older::AllRead
        } else {
            Older::More
        };
    }

    /// One of ours is on the server's disk.
    pub fn acked(&mut self, ack: &Ack) {
        let Some(pending) = self.outbox.acked(ack) else {
            return;
        };
        self.items.entry((ack.id, 0)).or_insert_with(|| {
            Item::Message(Message {
                id: ack.id,
                seq: ack.seq,
                room: ack.room.clone(),
                user_id: self.user_id,
                username: self.me.clone(),
                content: pending.content,
                created_at: ack.timestamp,
                client_id: Some(pending.client_id),
                unreadable: false,
            })
        });
    }

    /// History was replaced: nothing that was shown counts any more.
    pub fn forget(&mut self) {
        self.items.clear();
        self.top = None;
        self.unread = 0;
        self.older = Older::Unknown;
        self.history += 1;
    }

    /// Repeats a failed fetch after a while.
    pub fn fetch_later(&mut self, now: Millis) {
        self.fetch_again = Some(now + FETCH_AGAIN);
    }

    /// When the last message before this place was written, and by whom.
    #[must_use]
    pub fn message_before(&self, key: Key) -> Option<(&str, Timestamp)> {
        self.items
            .range(..key)
            .next_back()
            .and_then(|(_, item)| match item {
                Item::Message(message) => Some((message.username.as_str(), message.created_at)),
                Item::Notice(_) => None,
            })
    }

    /// The day of the latest message before this place.
    #[must_use]
    pub fn time_before(&self, key: Key) -> Option<Timestamp> {
        self.items
            .range(..key)
            .rev()
            .find_map(|(_, item)| match item {
                Item::Message(message) => Some(message.created_at),
                Item::Notice(_) => None,
            })
    }
}

fn sortable(name: &str) -> (String, String) {
    (name.to_lowercase(), name.to_owned())
}

fn new_input(text: &str) -> TextArea<'static> {
    let mut input = TextArea::from(text.split('\n'));
    input.set_wrap_mode(WrapMode::WordOrGlyph);
    input.set_cursor_line_style(ratatui::style::Style::default());
    input.set_placeholder_text("Write a message, or /help");
    input.move_cursor(ratatui_textarea::CursorMove::Bottom);
    input.move_cursor(ratatui_textarea::CursorMove::End);
    input
}
