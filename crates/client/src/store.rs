//! What a client knows of its rooms: who is online, what the server allows, and room by room the timeline, what lies
//! before it, and what was sent and is not stored yet.
//!
//! Pure. Frames, pages, ticks and closings go in; out come what to ask of the server, and what is new for a face. It
//! opens no socket and has no clock, and it does not know what anything looks like.

mod follow;
mod membership;
mod news;
mod outbox;
mod room;
#[cfg(test)]
mod tests;
mod timeline;

use std::collections::{BTreeMap, BTreeSet};

use self::follow::Step;
pub use self::{
    news::{News, Outcome},
    outbox::{Delivery, Outbox, Pending},
    room::{MOST_UNREAD, Room},
    timeline::{Item, Key, Older, Timeline},
};
use crate::{
    api::{Page, Query},
    effect::{Effect, Fetch},
    link::Millis,
    protocol::{
        GENERAL, close,
        command::{Command, Request, Sync},
        event::{self, Ack, ErrorFrame, MessageChanged, Notice, SyncedRoom, System},
        limits::Limits,
        message::Message,
    },
};

/// The `ref` of our `sync` frames. One at a time is under way: the server takes no second one before it has answered.
const SYNC: &str = "sync";

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
    limits: Limits,
    /// The history that the rooms' numbers belong to.
    epoch: Option<String>,
    is_connected: bool,
    /// Rooms to be caught up with by the next `sync`.
    to_sync: BTreeSet<String>,
    /// Rooms in the `sync` that is under way; empty when there is none.
    syncing: BTreeSet<String>,
    last_tag: u64,
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
            limits: Limits::default(),
            epoch: None,
            is_connected: false,
            to_sync: BTreeSet::new(),
            syncing: BTreeSet::new(),
            last_tag: 0,
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

    /// Puts a message on its way to a room, under an id that is its own forever.
    ///
    /// # Errors
    /// A sentence, when the server would not take it.
    pub fn post(&mut self, room: &str, client_id: String, content: &str) -> Result<(), String> {
        outbox::check(&self.limits, room, &client_id, content)?;
        let Some(room) = self.rooms.get_mut(room) else {
            return Err(format!("There is no room {room} for you: check its name."));
        };
        if room.is_gone {
            return Err("You are not in this room any more: nothing can be sent to it.".into());
        }
        room.outbox.push(client_id, content.to_owned());
        Ok(())
    }

    /// Whether the server would take a message of this length.
    ///
    /// # Errors
    /// A sentence, when it would not.
    pub fn check(&self, room: &str, content: &str) -> Result<(), String> {
        outbox::check(&self.limits, room, &"0".repeat(32), content)
    }

    /// Takes the latest refused message of a room out, so that it can be corrected.
    pub fn take_refused(&mut self, room: &str) -> Option<Pending> {
        self.rooms.get_mut(room)?.outbox.take_refused()
    }

    /// Asks for the page before the oldest message, if there is one and it was not asked for yet.
    pub fn fetch_older(&mut self, key: &str) -> Option<Effect> {
        let room = self.rooms.get_mut(key).filter(|room| !room.is_gone)?;
        let query = Query::Before(room.timeline.start_loading()?);
        let fetch = fetch(&mut self.last_tag, key, query);
        room.older_page = Some(fetch.tag);
        Some(Effect::Fetch(fetch))
    }

    /// Drops the oldest of what is kept of a room, if that is too much: for when no one is reading there.
    pub fn trim(&mut self, room: &str) {
        if let Some(room) = self.rooms.get_mut(room)
            && room.timeline.trim()
        {
            // A page that is on its way would leave a hole behind it.
            room.older_page = None;
        }
    }

    /// A frame has come on the socket.
    pub fn frame(&mut self, now: Millis, frame: event::Event) -> Outcome {
        let mut outcome = Outcome::default();
        match frame {
            event::Event::System(System { message, notice }) => match notice {
                Notice::Connected(hello) => self.connected(now, &hello, &mut outcome),
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
                self.follow(now, &key, &mut outcome, |room| {
                    room.follower.message(message)
                });
            }
            event::Event::Ack(ack) => self.acked(&ack),
            event::Event::Error(error) => self.refused(now, error, &mut outcome),
            event::Event::Synced { rooms, .. } => self.synced(now, &rooms, &mut outcome),
            event::Event::Lag { room, seq } => {
                self.follow(now, &room, &mut outcome, |room| room.follower.lag(seq));
            }
            event::Event::Room(news) => self.room_news(now, news, &mut outcome),
            event::Event::Reconnect { .. } | event::Event::Pong { .. } | event::Event::Unknown => {}
        }
        outcome.effects.extend(self.sync());
        outcome
    }

    /// The answer to a fetch has come.
    pub fn page(&mut self, now: Millis, fetch: &Fetch, result: Result<Page, String>) -> Outcome {
        let mut outcome = Outcome::default();
        let key = &*fetch.room;
        let Some(room) = self.rooms.get_mut(key) else {
            return outcome;
        };
        let is_older = room.older_page == Some(fetch.tag);
        if !is_older && room.next_page != Some(fetch.tag) {
            // Asked for an earlier socket or history: it may end before this one begins.
            return outcome;
        }
        let Page { messages, more } = match result {
            Ok(page) => page,
            Err(detail) => {
                room.fetch_failed(now, is_older);
                outcome.news.push(News::FetchFailed(detail));
                return outcome;
            }
        };
        outcome.news.push(News::Fetched);
        if is_older {
            room.older_page = None;
            outcome.news.push(room.take_older(key, messages, more));
            return outcome;
        }
        room.next_page = None;
        if fetch.query == Query::Latest {
            let start = messages.first().map_or(0, |message| message.id);
            room.timeline.begin(start, more);
            outcome.news.push(News::Older {
                room: key.to_owned(),
                before: room.timeline.first(),
            });
        }
        self.follow(now, key, &mut outcome, |room| match fetch.query {
            Query::Since(_) => room.follower.page(messages, more),
            Query::Latest | Query::Before(_) => room.follower.latest(messages, more),
        });
        outcome.effects.extend(self.sync());
        outcome
    }

    /// Time has passed: repeats what has failed.
    pub fn tick(&mut self, now: Millis) -> Outcome {
        let mut outcome = Outcome::default();
        if !self.is_connected {
            return outcome;
        }
        let is_due = |room: &Room| room.again_at.is_some_and(|at| at <= now);
        let due = self.rooms.iter().filter(|(_, room)| is_due(room));
        let due: Vec<String> = due.map(|(key, _)| key.clone()).collect();
        for key in due {
            self.follow(now, &key, &mut outcome, |room| {
                room.again_at = None;
                room.follower.again()
            });
        }
        outcome.effects.extend(self.sync());
        outcome
    }

    /// The messages to send now, at most one of each room.
    pub fn next_messages(&mut self, now: Millis) -> Vec<Effect> {
        if !self.is_connected {
            return Vec::new();
        }
        let most = self.limits.frame_bytes;
        let rooms = self.rooms.iter_mut();
        rooms
            .filter_map(|(key, room)| room.outbox.next(now, key, most))
            .map(Effect::Say)
            .collect()
    }

    /// The socket has closed with this code, was dropped, or could not be opened.
    pub fn closed(&mut self, code: Option<u16>) {
        self.is_connected = false;
        for room in self.rooms.values_mut() {
            if code == Some(close::TOO_LARGE) {
                room.outbox.too_large();
            }
            room.outbox.disconnected();
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

    fn synced(&mut self, now: Millis, rooms: &BTreeMap<String, SyncedRoom>, outcome: &mut Outcome) {
        self.syncing.clear();
        for (key, synced) in rooms {
            match *synced {
                SyncedRoom::Upto(upto) => {
                    self.follow(now, key, outcome, |room| room.follower.synced(upto));
                }
                SyncedRoom::Gone { .. } => self.gone(key, outcome),
            }
        }
    }

    fn acked(&mut self, ack: &Ack) {
        let Some(room) = self.rooms.get_mut(&ack.room) else {
            return;
        };
        let Some(pending) = room.outbox.acked(ack) else {
            return;
        };
        room.stored(Message {
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
        let mut rooms = self.rooms.values_mut();
        if !rooms.any(|room| room.outbox.refused(now, &error)) {
            outcome.news.push(News::Refused(error));
        }
    }

    /// Does something with a room, and carries out what its follower wants then.
    fn follow(
        &mut self,
        now: Millis,
        key: &str,
        outcome: &mut Outcome,
        act: impl FnOnce(&mut Room) -> Vec<Step>,
    ) {
        let Some(room) = self.rooms.get_mut(key).filter(|room| !room.is_gone) else {
            return;
        };
        for step in act(room) {
            let query = match step {
                Step::Begin(id) => {
                    room.timeline.begin(id, true);
                    continue;
                }
                Step::FetchLatest => Query::Latest,
                Step::FetchBefore(id) => Query::Before(id),
                Step::FetchSince(seq) => Query::Since(seq),
                Step::Sync => {
                    self.to_sync.insert(key.to_owned());
                    continue;
                }
                Step::Pause => {
                    room.pause(now);
                    continue;
                }
                Step::Show(messages) => {
                    outcome.news.push(room.show(key, messages, self.user_id));
                    continue;
                }
                Step::Forget => {
                    room.forget();
                    outcome.news.push(News::Forgotten { room: key.into() });
                    continue;
                }
            };
            let fetch = fetch(&mut self.last_tag, key, query);
            room.next_page = Some(fetch.tag);
            outcome.effects.push(Effect::Fetch(fetch));
        }
    }

    /// One `sync` for all rooms that want one, when none is under way.
    fn sync(&mut self) -> Option<Effect> {
        if self.to_sync.is_empty() || !self.syncing.is_empty() {
            return None;
        }
        self.syncing = std::mem::take(&mut self.to_sync);
        let cursors = self.syncing.iter().filter_map(|key| {
            let room = self.rooms.get(key)?;
            Some((key.clone(), room.follower.cursor()))
        });
        let sync = Sync {
            rooms: cursors.collect(),
            epoch: self.epoch.clone(),
        };
        Some(Effect::Say(Request::with_ref(SYNC, Command::Sync(sync))))
    }
}

fn fetch(last_tag: &mut u64, room: &str, query: Query) -> Fetch {
    *last_tag += 1;
    Fetch {
        room: room.to_owned(),
        query,
        tag: *last_tag,
    }
}

fn sortable(name: &str) -> (String, String) {
    (name.to_lowercase(), name.to_owned())
}
