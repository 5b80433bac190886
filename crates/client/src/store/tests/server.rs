//! A server of two rooms as the store sees it, in a few lines: a log of each room, one socket, and fetches under way.

use std::collections::VecDeque;

use super::*;
use crate::protocol::{event::RoomState, time};

/// Messages that one `sync` sends of a room before it says that there are more.
const SYNC_HOLDS: u64 = 4;
/// Messages on a page.
const PAGE_HOLDS: u64 = 3;

/// What may happen next.
#[derive(Debug, Clone, Copy)]
pub enum Act {
    /// Someone writes.
    Write(&'static str),
    /// Someone writes while the socket is too slow to be told.
    WriteUnheard(&'static str),
    /// The next frame arrives.
    Deliver,
    /// The oldest fetch is answered.
    Answer,
    /// The oldest fetch fails.
    Fail,
    /// The database is away: the `sync` under way is refused.
    RefuseSync,
    /// The socket is cut, and the next one opens.
    Cut,
    /// Time passes.
    Wait,
}

pub struct Server {
    store: Store,
    now: Millis,
    last: BTreeMap<&'static str, u64>,
    /// Frames on their way to the client.
    socket: VecDeque<event::Event>,
    fetches: VecDeque<Fetch>,
    /// The `sync` that was said and is not answered yet.
    sync: Option<Sync>,
    seen: Vec<(String, u64)>,
    /// How far each room was when the client first showed something of it.
    began: BTreeMap<String, u64>,
    pub syncs: usize,
    pub most_syncs_at_once: usize,
}

pub fn message(room: &str, seq: u64) -> Message {
    Message {
        room: room.into(),
        id: seq,
        seq,
        user_id: 2,
        username: "bob".into(),
        content: format!("message {seq}"),
        created_at: time::now(),
        client_id: None,
        unreadable: false,
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
        online: vec!["alice".into()],
    };
    event::Event::System(System {
        message: "Connected as alice".into(),
        notice: Notice::Connected(Box::new(hello)),
    })
}

impl Server {
    /// Two rooms with so many messages each, and a socket that has just opened.
    pub fn new(past: Past, before: u64) -> Self {
        let mut server = Self {
            store: Store::new("alice", past, ["general", "garden"]),
            now: 0,
            last: BTreeMap::from([("general", before), ("garden", before)]),
            socket: VecDeque::new(),
            fetches: VecDeque::new(),
            sync: None,
            seen: Vec::new(),
            began: BTreeMap::new(),
            syncs: 0,
            most_syncs_at_once: 0,
        };
        server.open();
        server
    }

    pub fn last(&self, room: &str) -> u64 {
        self.last[room]
    }

    /// The numbers that the client has shown of a room.
    pub fn seen(&self, room: &str) -> Vec<u64> {
        let of_room = self.seen.iter().filter(|(key, _)| key == room);
        of_room.map(|(_, seq)| *seq).collect()
    }

    pub fn began(&self, room: &str) -> u64 {
        self.began.get(room).copied().unwrap_or(0)
    }

    pub fn act(&mut self, act: Act) {
        match act {
            Act::Write(room) => {
                let seq = self.write(room);
                self.socket
                    .push_back(event::Event::Message(message(room, seq)));
            }
            Act::WriteUnheard(room) => {
                let seq = self.write(room);
                let room = room.to_owned();
                self.socket.push_back(event::Event::Lag { room, seq });
            }
            Act::Deliver => self.deliver(),
            Act::Answer => self.answer(true),
            Act::Fail => self.answer(false),
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
        }
    }

    /// Everything under way arrives.
    pub fn settle(&mut self) {
        for _ in 0..500 {
            self.answer(true);
            self.answer_sync();
            self.deliver();
        }
        self.act(Act::Wait);
        for _ in 0..500 {
            self.answer(true);
            self.answer_sync();
            self.deliver();
        }
    }

    fn open(&mut self) {
        self.socket.clear();
        self.sync = None;
        let rooms: Vec<_> = self.last.iter().map(|(room, seq)| (*room, *seq)).collect();
        self.socket.push_back(hello("e", &rooms));
    }

    fn write(&mut self, room: &'static str) -> u64 {
        let last = self.last.entry(room).or_default();
        *last += 1;
        *last
    }

    fn deliver(&mut self) {
        if let Some(frame) = self.socket.pop_front() {
            let outcome = self.store.frame(self.now, frame);
            self.take(outcome);
        }
    }

    fn answer(&mut self, is_well: bool) {
        let Some(fetch) = self.fetches.pop_front() else {
            return;
        };
        let last = self.last[&*fetch.room];
        let (from, to) = match fetch.query {
            Query::Latest => ((last + 1).saturating_sub(PAGE_HOLDS).max(1), last),
            Query::Before(id) => (id.saturating_sub(PAGE_HOLDS).max(1), id - 1),
            Query::Since(seq) => (seq + 1, last.min(seq + PAGE_HOLDS)),
        };
        let more = match fetch.query {
            Query::Since(_) => to < last,
            _ => from > 1,
        };
        let page = Page {
            more,
            ..page(&fetch.room, from..=to)
        };
        let result = is_well.then_some(page).ok_or("It failed.".to_owned());
        let outcome = self.store.page(self.now, &fetch, result);
        self.take(outcome);
    }

    /// Replays what each room's cursor has not seen, between whatever is sent live.
    fn answer_sync(&mut self) {
        let Some(sync) = self.sync.take() else {
            return;
        };
        let mut rooms = BTreeMap::new();
        for (room, since) in sync.rooms {
            let last = self.last[&*room];
            let complete = last - since <= SYNC_HOLDS;
            let reached = if complete { last } else { since };
            for seq in since + 1..=reached {
                self.socket
                    .push_back(event::Event::Message(message(&room, seq)));
            }
            rooms.insert(room, SyncedRoom::upto(reached, complete));
        }
        self.socket.push_back(event::Event::Synced {
            reference: Some(SYNC.into()),
            rooms,
        });
    }

    fn take(&mut self, outcome: Outcome) {
        for (room, seq) in shown(&outcome) {
            let last = self.last[&*room];
            self.began.entry(room.clone()).or_insert(last);
            self.seen.push((room, seq));
        }
        for effect in outcome.effects {
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
