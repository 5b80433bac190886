//! What a client knows of its rooms: who is online, what the server allows, and room by room the timeline, what lies
//! before it, and what was sent and is not stored yet.
//!
//! Pure. Frames, pages, ticks and closings go in; out come what to ask of the server, and what is new for a face. It
//! opens no socket and has no clock, and it does not know what anything looks like.

mod attention;
mod catch_up;
mod follow;
mod listing;
mod membership;
mod news;
mod outbox;
mod own;
mod people;
mod reading;
mod room;
#[cfg(test)]
mod tests;
mod threads;
mod timeline;

use std::collections::{BTreeMap, BTreeSet};

use self::{listing::Listing, outbox::Refused, own::Own};
pub use self::{
    news::{News, Outcome},
    outbox::{Deed, Delivery, Outbox, Pending},
    people::People,
    reading::Unread,
    room::Room,
    threads::{Followed, Threads},
    timeline::{Item, Key, Older, Timeline},
};
use crate::{
    effect::Effect,
    link::Millis,
    protocol::{
        GENERAL, close,
        event::{self, Ack, ErrorFrame, MessageChanged, Notice, System},
        limits::Limits,
        message::Message,
        people::Settings,
    },
};

/// The `ref` of our `sync` frames. One at a time is under way: the server takes no second one before it has answered.
const SYNC: &str = "sync";
/// The reference of what tells that the user is writing. What comes of it is nobody's news: they may be out of the room by then.
const TYPING: &str = "typing";

/// What is wanted of a room's past.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Past {
    /// The latest page, and older ones when they are asked for. What has come is kept.
    Pages,
    /// So many of the latest messages. Nothing is kept.
    Latest(usize),
    /// Nothing, until older messages are asked for. What has come is kept.
    Later,
}

/// Which rooms a client follows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Rooms {
    /// All that the user is in, now and later.
    All,
    /// These, by key or name.
    These(Vec<String>),
}

/// What a client knows.
#[derive(Debug)]
pub struct Store {
    me: String,
    user_id: i64,
    past: Past,
    wanted: Rooms,
    /// By key.
    rooms: BTreeMap<String, Room>,
    /// The room that is looked at: its past is read without being asked for.
    looked_at: Option<String>,
    /// By lower-case name, so that the list reads as people expect.
    online: BTreeSet<(String, String)>,
    people: People,
    /// What the user has set for themselves.
    settings: Settings,
    limits: Limits,
    /// The history that the rooms' numbers belong to.
    epoch: Option<String>,
    is_connected: bool,
    /// Rooms to be caught up with by the next `sync`.
    to_sync: BTreeSet<String>,
    /// Rooms in the `sync` that is under way; empty when there is none.
    syncing: BTreeSet<String>,
    last_tag: u64,
    /// Rooms that the first frame has left out, while they are asked for.
    listing: Option<Listing>,
    /// What the user keeps and follows.
    own: Own,
}

impl Default for Store {
    fn default() -> Self {
        Self::new("", Past::Pages, Rooms::All)
    }
}

impl Store {
    /// What this user knows of these rooms before the first socket: nothing.
    #[must_use]
    pub fn new(me: &str, past: Past, wanted: Rooms) -> Self {
        let mut store = Self {
            me: me.to_owned(),
            past,
            wanted,
            rooms: BTreeMap::new(),
            looked_at: None,
            user_id: 0,
            online: BTreeSet::new(),
            people: People::default(),
            settings: Settings::default(),
            limits: Limits::default(),
            epoch: None,
            is_connected: false,
            to_sync: BTreeSet::new(),
            syncing: BTreeSet::new(),
            last_tag: 0,
            listing: None,
            own: Own::default(),
        };
        if store.wanted == Rooms::All {
            // Everyone is in it: what is written before the first socket has a place.
            let room = Room::new(GENERAL, store.past_of(GENERAL));
            store.rooms.insert(GENERAL.to_owned(), room);
        }
        store
    }

    /// The name of the one who is logged in.
    #[must_use]
    pub fn me(&self) -> &str {
        &self.me
    }

    /// A room.
    #[must_use]
    pub fn room(&self, key: &str) -> Option<&Room> {
        self.rooms.get(key)
    }

    /// All rooms, by key.
    pub fn rooms(&self) -> impl Iterator<Item = (&str, &Room)> {
        self.rooms.iter().map(|(key, room)| (key.as_str(), room))
    }

    /// The id of the one who is logged in; 0 before the first socket.
    #[must_use]
    pub fn user_id(&self) -> i64 {
        self.user_id
    }

    /// Who is online.
    #[must_use]
    pub fn online(&self) -> impl ExactSizeIterator<Item = &str> {
        self.online.iter().map(|(_, name)| name.as_str())
    }

    /// What the server allows.
    #[must_use]
    pub fn limits(&self) -> &Limits {
        &self.limits
    }

    /// Messages that would be lost if the program ended now.
    #[must_use]
    pub fn unsent(&self) -> usize {
        self.rooms.values().map(|room| room.outbox.unsent()).sum()
    }

    /// Puts a message on its way to a room, or a change of one, under an id that is its own for ever. A deletion has no
    /// content.
    ///
    /// # Errors
    /// A sentence, when the server would not take it.
    pub fn post(
        &mut self,
        room: &str,
        deed: Deed,
        client_id: String,
        content: &str,
    ) -> Result<(), String> {
        outbox::check(&self.limits, room, &client_id, content)?;
        let Some(room) = self.rooms.get_mut(room) else {
            return Err(format!("There is no room {room} for you: check its name."));
        };
        if room.is_gone {
            return Err("You are not in this room any more: nothing can be sent to it.".into());
        }
        room.outbox.push(deed, client_id, content.to_owned());
        Ok(())
    }

    /// Whether the server would take a message of this length.
    ///
    /// # Errors
    /// A sentence, when it would not.
    pub fn check(&self, room: &str, content: &str) -> Result<(), String> {
        outbox::check(&self.limits, room, &"0".repeat(32), content)
    }

    /// Takes the latest refused message of a room or a thread out, so that it can be corrected.
    pub fn take_refused(&mut self, room: &str, thread: Option<u64>) -> Option<Pending> {
        self.rooms.get_mut(room)?.outbox.take_refused(thread)
    }

    /// Takes the latest message of a room or a thread out that waits to be sent, if nothing of it can be on the server.
    pub fn take_waiting(&mut self, room: &str, thread: Option<u64>) -> Option<Pending> {
        self.rooms.get_mut(room)?.outbox.take_waiting(thread)
    }

    /// A frame has come on the socket.
    pub fn frame(&mut self, now: Millis, frame: event::Event) -> Outcome {
        let mut outcome = Outcome::default();
        match frame {
            event::Event::System(System { message, notice }) => match notice {
                Notice::Connected(hello) => {
                    self.connected(now, &hello, &mut outcome);
                    outcome.effects.extend(self.ask_for_people());
                }
                Notice::Joined { usernames } => {
                    self.online.extend(usernames.iter().map(|n| sortable(n)));
                    self.notice(&message);
                }
                Notice::Left { usernames } => {
                    for name in usernames {
                        self.online.remove(&sortable(&name));
                    }
                    self.notice(&message);
                }
            },
            // What has changed is told as on a page: the message as it now is, under the number of the change.
            event::Event::Message(message)
            | event::Event::MessageChanged(MessageChanged { message, .. }) => {
                let key = message.room.clone();
                self.people.has_written(&message);
                self.follow(now, &key, &mut outcome, |room| {
                    room.follower.message(message)
                });
            }
            event::Event::Ack(ack) => self.acked(ack, &mut outcome),
            event::Event::Error(error) => self.refused(now, error, &mut outcome),
            event::Event::Synced { rooms, .. } => self.synced(now, &rooms, &mut outcome),
            event::Event::Lag { room, seq } => {
                self.follow(now, &room, &mut outcome, |room| room.follower.lag(seq));
            }
            event::Event::Room(news) => self.room_news(now, news, &mut outcome),
            event::Event::Presence(news) => {
                self.people.told_presence(news);
                outcome.news.push(News::People);
            }
            event::Event::Typing(news) => {
                self.people.told_typing(now, news);
                outcome.news.push(News::People);
            }
            event::Event::User(news) => {
                self.people.told_profile(news);
                outcome.news.push(News::People);
            }
            event::Event::Settings(settings) => self.settings = settings,
            event::Event::Read(marker) => self.has_read(&marker),
            event::Event::Scheduled(news) => outcome.news.push(News::Scheduled(Box::new(news))),
            event::Event::Reconnect { .. } | event::Event::Pong { .. } | event::Event::Unknown => {}
        }
        outcome.effects.extend(self.sync());
        outcome
    }

    /// The messages to send now, at most one of each room, and how far the user has read.
    pub fn next_messages(&mut self, now: Millis) -> Vec<Effect> {
        if !self.is_connected {
            return Vec::new();
        }
        let marks = self.next_marks(now);
        let most = self.limits.frame_bytes;
        let rooms = self.rooms.iter_mut();
        rooms
            .filter_map(|(key, room)| room.outbox.next(now, key, most))
            .map(Effect::Say)
            .chain(marks)
            .collect()
    }

    /// The socket has closed with this code, was dropped, or could not be opened.
    pub fn closed(&mut self, code: Option<u16>) {
        self.is_connected = false;
        self.people.disconnected();
        for room in self.rooms.values_mut() {
            if code == Some(close::TOO_LARGE) {
                room.outbox.too_large();
            }
            room.outbox.disconnected();
            room.reading.disconnected();
            room.threads.disconnected();
            // What other devices write meanwhile is not told: it is asked for again.
            room.forget_drafts();
            // A page that is read from now on may reach beyond what the next socket counts as missed.
            room.next_page = None;
        }
    }

    /// Who comes and goes is noticed where everyone is: the server says it of no other room.
    fn notice(&mut self, sentence: &str) {
        if let Some(room) = self.rooms.get_mut(GENERAL) {
            room.notice(sentence);
        }
    }

    fn acked(&mut self, ack: Ack, outcome: &mut Outcome) {
        if self.mark_acked(&ack) {
            return;
        }
        // What a command has done may be in another room than that in which it was typed, or in none.
        let mut rooms = self.rooms.values_mut();
        let Some(pending) = rooms.find_map(|room| room.outbox.acked(&ack)) else {
            return;
        };
        if matches!(pending.deed, Deed::Command { .. }) {
            outcome.news.push(News::Carried {
                command: pending.content,
                room: ack.room,
                done: ack.done,
            });
            return;
        }
        let Some(room) = self.rooms.get_mut(&ack.room) else {
            return;
        };
        let Deed::Post {
            reply_to,
            thread,
            also_to_room,
        } = pending.deed
        else {
            return;
        };
        room.stored(Message {
            reply_to,
            thread,
            also_to_room,
            id: ack.id,
            seq: ack.seq,
            room: ack.room.clone(),
            user_id: self.user_id,
            username: self.me.clone(),
            content: pending.content,
            created_at: ack.timestamp,
            client_id: Some(pending.client_id),
            unreadable: false,
            ..Message::default()
        });
    }

    fn refused(&mut self, now: Millis, error: ErrorFrame, outcome: &mut Outcome) {
        if error.reference.as_deref() == Some(SYNC) {
            for key in std::mem::take(&mut self.syncing) {
                self.follow(now, &key, outcome, |room| room.follower.refused(error.code));
            }
            return;
        }
        if error.reference.as_deref() == Some(TYPING) || self.mark_refused(now, &error) {
            return;
        }
        let rooms = self.rooms.values_mut();
        let mut refused = rooms.map(|room| room.outbox.refused(now, &error));
        if !refused.any(|refused| refused == Refused::Kept) {
            outcome.news.push(News::Refused(error));
        }
    }
}

fn sortable(name: &str) -> (String, String) {
    (name.to_lowercase(), name.to_owned())
}
