//! The server's end of a socket, without its actor: it carries out what the feeds ask for.

use super::*;

/// What a client is sent.
#[derive(Debug)]
pub enum Sent {
    Message(Bytes),
    Lag(i64, u64),
    /// The client has come into this room, of which it is sent what is above this number.
    Here(i64, u64),
    /// The client is not in this room any more.
    Gone(i64),
    /// Room → up to where, and whether that is all; `None` for one that it is not in.
    Synced(BTreeMap<i64, Option<(u64, bool)>>),
    Error,
}

/// The server's end of a socket.
pub struct Session {
    pub id: SocketId,
    pub on_its_way: OnItsWay,
    pub mailbox: VecDeque<Deliver>,
    pub gauge: Arc<Gauge>,
    pub rooms: BTreeMap<i64, RoomFeed>,
    /// Room → the reading that is under way.
    pub reading: BTreeMap<i64, Reading>,
    /// Room → how far it has come, as far as this session was told.
    pub told: Cursors,
    /// What the client has asked and the server not heard yet.
    pub asked: Option<Cursors>,
    pub sync: Option<SyncUnderWay>,
}

/// A room of a session.
pub struct RoomFeed {
    pub feed: Feed<Bytes>,
    /// Whether the client was told that it is in it.
    is_told: bool,
    /// How far the room had come when it was last read that the user is in it.
    read_at: u64,
}

impl RoomFeed {
    pub fn new(seq: u64) -> Self {
        Self {
            feed: Feed::new(seq, MOST_HELD),
            is_told: true,
            read_at: seq,
        }
    }
}

/// A reading, from its asking to its arrival.
pub enum Reading {
    After(u64),
    Done(Page<Bytes>),
    NoMember,
    Failed,
}

#[derive(Default)]
pub struct SyncUnderWay {
    pub waiting: BTreeSet<i64>,
    pub rooms: BTreeMap<i64, Option<(u64, bool)>>,
    pub has_failed: bool,
}

impl Session {
    /// Sends a change past the session, if there is nothing else to do for it and nothing else waits for the session.
    pub fn pass(&mut self, delivery: &Deliver, sent: &mut Vec<Sent>) -> bool {
        let Deliver::Change {
            room_id,
            seq,
            frame,
            ..
        } = delivery
        else {
            return false;
        };
        let room = self.rooms.get_mut(room_id).filter(|room| room.is_told);
        let waits = !self.mailbox.is_empty() || self.gauge.undelivered_close().is_some();
        let Some(room) = room.filter(|_| !waits) else {
            return false;
        };
        let Some(is_next) = room.feed.pass(*seq) else {
            return false;
        };
        self.gauge.take(delivery.weight());
        self.gauge.progress();
        self.note_told(delivery);
        if is_next {
            sent.push(Sent::Message(frame.clone()));
        }
        true
    }

    /// Whether the hub has given it up, and could not tell it in any other way.
    pub fn is_given_up(&self) -> bool {
        self.gauge.undelivered_close().is_some()
    }

    pub fn note_told(&mut self, delivery: &Deliver) {
        if let Deliver::Change { room_id, seq, .. }
        | Deliver::Missed { room_id, seq }
        | Deliver::Reached { room_id, seq } = delivery
        {
            let told = self.told.entry(*room_id).or_default();
            *told = (*seq).max(*told);
        }
    }

    pub fn start_sync(&mut self) -> Vec<Sent> {
        let mut sent = Vec::new();
        if let Some(cursors) = self.asked.take() {
            let is_known = |room: &i64| self.rooms.get(room).is_some_and(|room| room.is_told);
            let (known, unknown) = cursors.keys().copied().partition(is_known);
            let unknown: BTreeSet<i64> = unknown;
            self.sync = Some(SyncUnderWay {
                waiting: known,
                rooms: unknown.iter().map(|room| (*room, None)).collect(),
                has_failed: false,
            });
            for (room, since) in cursors {
                if !unknown.contains(&room) {
                    self.feed(room, &mut sent, |feed, actions| {
                        assert!(feed.sync(since, actions), "one after the other");
                    });
                }
            }
            self.finish_sync(&mut sent);
        }
        sent
    }

    pub fn come_in(&mut self, room: i64, seq: u64, sent: &mut Vec<Sent>) {
        if let Some(known) = self.rooms.get(&room) {
            if known.read_at >= seq {
                return;
            }
            self.forget(room, sent);
        }
        self.begin_feed(room, seq - 1, sent);
    }

    pub fn reached(&mut self, room: i64, seq: u64, sent: &mut Vec<Sent>) {
        if self.rooms.contains_key(&room) {
            self.feed(room, sent, |feed, actions| feed.reached(seq, actions));
        } else {
            self.begin_feed(room, seq, sent);
        }
    }

    fn begin_feed(&mut self, room: i64, before: u64, sent: &mut Vec<Sent>) {
        let mut actions = Vec::new();
        let new = RoomFeed {
            feed: Feed::come_in(before, MOST_HELD, &mut actions),
            is_told: false,
            read_at: before,
        };
        self.rooms.insert(room, new);
        self.carry_out(room, actions, sent);
    }

    pub fn go_out(&mut self, room: i64, seq: u64, sent: &mut Vec<Sent>) {
        if (self.rooms.get(&room)).is_some_and(|known| known.read_at < seq) {
            self.forget(room, sent);
        }
    }

    pub fn forget(&mut self, room: i64, sent: &mut Vec<Sent>) {
        self.reading.remove(&room);
        self.told.remove(&room);
        if self.rooms.remove(&room).is_some_and(|room| room.is_told) {
            sent.push(Sent::Gone(room));
            if let Some(sync) = &mut self.sync
                && (sync.waiting.remove(&room) || sync.rooms.contains_key(&room))
            {
                sync.rooms.insert(room, None);
            }
            self.finish_sync(sent);
        }
    }

    pub fn page(&mut self, room: i64, page: Page<Bytes>, sent: &mut Vec<Sent>) {
        let known = self.rooms.get_mut(&room).expect("a room");
        known.read_at = known.read_at.max(page.last_seq);
        if !std::mem::replace(&mut known.is_told, true) {
            sent.push(Sent::Here(room, page.since));
            if let Some(sync) = &mut self.sync {
                sync.rooms.remove(&room);
            }
        }
        self.feed(room, sent, |feed, actions| feed.page(page, actions));
    }

    pub fn feed(
        &mut self,
        room: i64,
        sent: &mut Vec<Sent>,
        event: impl FnOnce(&mut Feed<Bytes>, &mut Vec<Action<Bytes>>),
    ) {
        if let Some(known) = self.rooms.get_mut(&room) {
            let mut actions = Vec::new();
            event(&mut known.feed, &mut actions);
            self.carry_out(room, actions, sent);
        }
    }

    fn carry_out(&mut self, room: i64, actions: Vec<Action<Bytes>>, sent: &mut Vec<Sent>) {
        for action in actions {
            match action {
                Action::Send(frame) => sent.push(Sent::Message(frame)),
                Action::Read(since) | Action::ReadLater(since) => {
                    let before = self.reading.insert(room, Reading::After(since));
                    assert!(before.is_none(), "two readings at once");
                }
                Action::Lag(seq) => sent.push(Sent::Lag(room, seq)),
                Action::Synced { seq, complete } => {
                    self.synced(room, Ok(Some((seq, complete))), sent);
                }
                Action::CursorAhead | Action::SyncFailed => self.synced(room, Err(()), sent),
                Action::Overrun => panic!("nothing here has no number"),
            }
        }
    }

    /// A room of the `sync` has been served, or could not be.
    fn synced(
        &mut self,
        room: i64,
        outcome: Result<Option<(u64, bool)>, ()>,
        sent: &mut Vec<Sent>,
    ) {
        if let Some(sync) = &mut self.sync
            && sync.waiting.remove(&room)
        {
            match outcome {
                Ok(outcome) => _ = sync.rooms.insert(room, outcome),
                Err(()) => sync.has_failed = true,
            }
            self.finish_sync(sent);
        }
    }

    fn finish_sync(&mut self, sent: &mut Vec<Sent>) {
        if let Some(done) = self.sync.take_if(|sync| sync.waiting.is_empty()) {
            sent.push(if done.has_failed {
                Sent::Error
            } else {
                Sent::Synced(done.rooms)
            });
        }
    }
}
