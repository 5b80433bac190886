//! A server of two rooms as the store sees it, in a few lines: a log of each room, one socket, and fetches under way.

use std::collections::VecDeque;

use super::*;
use crate::protocol::event::Connected;

/// Messages that one `sync` sends of a room before it says that there are more.
const SYNC_HOLDS: usize = 4;
/// Messages on a page.
const PAGE_HOLDS: usize = 3;

/// What may happen next.
#[derive(Debug, Clone, Copy)]
pub enum Act {
    /// Someone writes.
    Write(&'static str),
    /// Someone writes while the socket is too slow to be told.
    WriteUnheard(&'static str),
    /// Someone edits or deletes the message so many before the last, and the socket is told or too slow.
    Change(&'static str, usize, bool),
    /// The next frame arrives.
    Deliver,
    /// The oldest fetch is answered: with what is there now, and the answer arrives later.
    Answer,
    /// The oldest fetch fails.
    Fail,
    /// The database is away: the `sync` under way is refused.
    RefuseSync,
    /// The socket is cut, and the next one opens.
    Cut,
    /// Time passes.
    Wait,
    /// The reader scrolls up.
    Older(&'static str),
    /// The reader goes to this room.
    Look(&'static str),
    /// The reader is removed from the garden.
    Kick,
    /// And invited again.
    Invite,
}

pub struct Server {
    pub store: Store,
    now: Millis,
    rooms: BTreeMap<&'static str, Log>,
    /// Frames on their way to the client.
    socket: VecDeque<event::Event>,
    fetches: VecDeque<Fetch>,
    answers: VecDeque<(Fetch, Result<Page, String>)>,
    /// The `sync` that was said and is not answered yet.
    sync: Option<Sync>,
    /// All that was told.
    pub shown: Vec<Message>,
    /// Where the first page of each room began.
    pub first_page: BTreeMap<String, Option<u64>>,
    pub syncs: usize,
    pub most_syncs_at_once: usize,
}

/// A room.
#[derive(Default)]
struct Log {
    last: u64,
    messages: BTreeMap<u64, Message>,
    /// How it was when the reader was removed from it.
    kept: Option<BTreeMap<u64, Message>>,
}

pub fn message(room: &str, seq: u64) -> Message {
    Message {
        room: room.into(),
        id: seq,
        seq,
        user_id: 2,
        username: "bob".into(),
        content: format!("message {seq}"),
        ..Message::default()
    }
}

pub fn hello(epoch: &str, rooms: &[(&str, u64)]) -> event::Event {
    let room = |(name, seq): &(&str, u64)| RoomState {
        room: (*name).to_owned(),
        seq: *seq,
        ..RoomState::default()
    };
    let hello = Connected {
        user_id: 1,
        username: "alice".into(),
        session: 1,
        epoch: epoch.into(),
        heartbeat_ms: 25_000,
        limits: Limits::default(),
        rooms: rooms.iter().map(room).collect(),
        more_rooms: 0,
        online: vec!["alice".into()],
    };
    event::Event::System(System {
        message: "Connected as alice".into(),
        notice: Notice::Connected(Box::new(hello)),
    })
}

impl Server {
    /// Two rooms with so many messages each, and a socket that has just opened.
    pub fn new(past: Past, wanted: Rooms, before: u64) -> Self {
        let mut server = Self {
            store: Store::new("alice", past, wanted),
            now: 0,
            rooms: BTreeMap::from([("general", Log::default()), ("garden", Log::default())]),
            socket: VecDeque::new(),
            fetches: VecDeque::new(),
            answers: VecDeque::new(),
            sync: None,
            shown: Vec::new(),
            first_page: BTreeMap::new(),
            syncs: 0,
            most_syncs_at_once: 0,
        };
        for _ in 0..before {
            server.write("general");
            server.write("garden");
        }
        server.open();
        server
    }

    /// What the reader may see of a room.
    pub fn messages(&self, room: &str) -> &BTreeMap<u64, Message> {
        let log = &self.rooms[room];
        log.kept.as_ref().unwrap_or(&log.messages)
    }

    pub fn is_removed_from(&self, room: &str) -> bool {
        self.rooms[room].kept.is_some()
    }

    /// What the store holds of a room.
    pub fn held(&self, room: &str) -> Vec<Message> {
        let timeline = self.store.room(room).expect("a room").timeline();
        let mut held: Vec<_> = timeline.latest().cloned().collect();
        held.reverse();
        held
    }

    pub fn act(&mut self, act: Act) {
        match act {
            Act::Write(room) => {
                let message = self.write(room);
                self.tell(room, event::Event::Message(message));
            }
            Act::WriteUnheard(room) => {
                let seq = self.write(room).seq;
                self.lag(room, seq);
            }
            Act::Change(room, back, is_heard) => self.change(room, back, is_heard),
            Act::Deliver => self.deliver(),
            Act::Answer => self.answer(),
            Act::Fail => {
                if let Some(fetch) = self.fetches.pop_front() {
                    self.answers.push_back((fetch, Err("It failed.".into())));
                    self.arrive();
                }
            }
            Act::RefuseSync => {
                if self.sync.take().is_some() {
                    self.socket
                        .push_back(refusal(Some(SYNC), Code::StoreUnavailable));
                }
            }
            Act::Cut => {
                self.store.closed(None);
                self.open();
            }
            Act::Wait => {
                self.answer_sync();
                self.now += 2_000;
                let outcome = self.store.tick(self.now);
                self.take(outcome);
            }
            Act::Older(room) => {
                let effects = self.store.fetch_older(room);
                self.perform(effects);
            }
            Act::Look(room) => {
                let effects = self.store.look_at(room);
                self.perform(effects);
            }
            Act::Kick => self.kick(),
            Act::Invite => self.invite(),
        }
    }

    /// Everything under way arrives.
    pub fn settle(&mut self) {
        for _ in 0..3 {
            for _ in 0..400 {
                self.answer();
                self.answer_sync();
                self.deliver();
            }
            self.act(Act::Wait);
        }
    }

    fn open(&mut self) {
        self.socket.clear();
        self.sync = None;
        let mine = self.rooms.iter().filter(|(_, log)| log.kept.is_none());
        let rooms: Vec<_> = mine.map(|(room, log)| (*room, log.last)).collect();
        self.socket.push_back(hello("e", &rooms));
    }

    fn write(&mut self, room: &'static str) -> Message {
        let log = self.rooms.get_mut(room).expect("a room");
        log.last += 1;
        let message = message(room, log.last);
        log.messages.insert(log.last, message.clone());
        message
    }

    fn change(&mut self, room: &'static str, back: usize, is_heard: bool) {
        let log = self.rooms.get_mut(room).expect("a room");
        let Some(message) = log.messages.values_mut().rev().nth(back) else {
            return;
        };
        log.last += 1;
        message.seq = log.last;
        if back.is_multiple_of(3) {
            message.deleted_at = Some(message.created_at);
            message.content.clear();
        } else if message.deleted_at.is_none() {
            message.edited_at = Some(message.created_at);
            message.content = format!("edited by {}", log.last);
        }
        let message = message.clone();
        if !is_heard {
            self.lag(room, message.seq);
            return;
        }
        let changed = MessageChanged {
            message,
            by: None,
            change: None,
        };
        self.tell(room, event::Event::MessageChanged(changed));
    }

    fn kick(&mut self) {
        let message = self.write("garden");
        self.tell("garden", event::Event::Message(message));
        let log = self.rooms.get_mut("garden").expect("a room");
        if log.kept.is_some() {
            return;
        }
        self.socket
            .push_back(event::Event::Room(RoomNews::gone("garden".into())));
        // Nothing of it is on its way to a slow reader, and nothing is answered any more.
        while !self.socket.is_empty() {
            self.deliver();
        }
        let log = self.rooms.get_mut("garden").expect("a room");
        let held = self
            .store
            .room("garden")
            .map(|room| room.timeline().latest());
        let held = held.into_iter().flatten().map(|m| (m.id, m.clone()));
        log.kept = Some(held.collect());
        for held in log.kept.iter().flat_map(BTreeMap::values) {
            assert!(held.seq <= log.last);
        }
    }

    fn invite(&mut self) {
        let log = self.rooms.get_mut("garden").expect("a room");
        if log.kept.take().is_none() {
            return;
        }
        let state = RoomState {
            room: "garden".into(),
            seq: log.last,
            ..RoomState::default()
        };
        self.socket
            .push_back(event::Event::Room(RoomNews::Here(state)));
    }

    fn tell(&mut self, room: &str, frame: event::Event) {
        if self.rooms[room].kept.is_none() {
            self.socket.push_back(frame);
        }
    }

    fn lag(&mut self, room: &str, seq: u64) {
        let room = room.to_owned();
        self.tell(&room.clone(), event::Event::Lag { room, seq });
    }

    fn deliver(&mut self) {
        if let Some(frame) = self.socket.pop_front() {
            let outcome = self.store.frame(self.now, frame);
            self.take(outcome);
        }
    }

    /// Reads for the oldest fetch. Of two answers one is under way while the next is read.
    fn answer(&mut self) {
        if let Some(fetch) = self.fetches.pop_front() {
            let result = self.read(&fetch);
            self.answers.push_back((fetch, result));
        } else {
            self.arrive();
        }
        if self.answers.len() > 1 {
            self.arrive();
        }
    }

    fn arrive(&mut self) {
        if let Some((fetch, result)) = self.answers.pop_front() {
            if let (Query::Latest, Ok(page)) = (fetch.query, &result) {
                let first = page.messages.first().map(|message| message.id);
                self.first_page.insert(fetch.room.clone(), first);
            }
            let outcome = self.store.page(self.now, &fetch, result);
            self.take(outcome);
        }
    }

    fn read(&self, fetch: &Fetch) -> Result<Page, String> {
        let log = &self.rooms[&*fetch.room];
        if log.kept.is_some() {
            return Err("There is no such room.".into());
        }
        let all = log.messages.values().cloned();
        let mut wanted: Vec<_> = match fetch.query {
            Query::Latest => all.collect(),
            Query::Before(id) => all.filter(|m| m.id < id).collect(),
            Query::Since(seq) => all.filter(|m| m.seq > seq).collect(),
        };
        let more = wanted.len() > PAGE_HOLDS;
        if matches!(fetch.query, Query::Since(_)) {
            wanted.sort_by_key(|message| message.seq);
            wanted.truncate(PAGE_HOLDS);
        } else {
            wanted.drain(..wanted.len().saturating_sub(PAGE_HOLDS));
        }
        Ok(Page {
            messages: wanted,
            more,
        })
    }

    /// Replays what each room's cursor has not seen, between whatever is sent live.
    fn answer_sync(&mut self) {
        let Some(sync) = self.sync.take() else {
            return;
        };
        let mut rooms = BTreeMap::new();
        for (room, since) in sync.rooms {
            let log = &self.rooms[&*room];
            if log.kept.is_some() {
                rooms.insert(room, SyncedRoom::gone());
                continue;
            }
            let mut missed: Vec<_> = log.messages.values().filter(|m| m.seq > since).collect();
            missed.sort_by_key(|message| message.seq);
            let complete = missed.len() <= SYNC_HOLDS;
            let reached = if complete { log.last } else { since };
            for message in missed.into_iter().filter(|_| complete) {
                let frame = event::Event::Message(message.clone());
                self.socket.push_back(frame);
            }
            rooms.insert(room, SyncedRoom::upto(reached, complete));
        }
        self.socket.push_back(event::Event::Synced {
            reference: Some(SYNC.into()),
            rooms,
        });
    }

    fn take(&mut self, outcome: Outcome) {
        for news in outcome.news {
            if let News::Shown { messages, .. } = news {
                self.shown.extend(messages);
            }
        }
        self.perform(outcome.effects);
    }

    fn perform(&mut self, effects: impl IntoIterator<Item = Effect>) {
        for effect in effects {
            match effect {
                Effect::Say(Request {
                    command: Command::Sync(sync),
                    ..
                }) => {
                    self.syncs += 1;
                    let at_once = usize::from(self.sync.is_some()) + 1;
                    self.most_syncs_at_once = self.most_syncs_at_once.max(at_once);
                    self.sync = Some(sync);
                }
                Effect::Fetch(fetch) => self.fetches.push_back(fetch),
                _ => {}
            }
        }
    }
}
