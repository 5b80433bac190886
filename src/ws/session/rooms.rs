//! What a session does for its rooms: carrying out what their feeds ask for, and answering `sync`.

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use actix::{ActorFutureExt as _, AsyncContext as _, WrapFuture as _};
use bytes::Bytes;

use super::{ChatSession, Context};
use crate::{
    chat::{
        feed::{Action, Feed},
        rooms::Room,
    },
    error::{Code, Error, Kind, Result},
    protocol::{
        command::Sync,
        event::{Event, SyncedRoom},
    },
};

/// Changes that are held while a room is being caught up with.
const MOST_HELD: usize = 256;
/// Pause before reading again what could not be read.
const READ_AGAIN: Duration = Duration::from_millis(500);

/// One of the caller's rooms, and where this socket is in its log.
pub(super) struct RoomFeed {
    room: Room,
    feed: Feed<Bytes>,
}

/// A `sync` frame that is being served.
pub(super) struct SyncUnderWay {
    reference: Option<String>,
    waiting: usize,
    rooms: BTreeMap<String, SyncedRoom>,
    failure: Option<Error>,
}

impl RoomFeed {
    /// A room whose changes are sent from here on.
    pub(super) fn new(room: Room) -> Self {
        Self {
            feed: Feed::new(room.last_seq.unsigned_abs(), MOST_HELD),
            room,
        }
    }
}

impl ChatSession {
    /// A change of a room has come from the hub.
    pub(super) fn hear_change(&mut self, room_id: i64, seq: u64, frame: Bytes, ctx: &mut Context) {
        if let Some(place) = self.place_of(room_id) {
            let mut actions = Vec::new();
            self.rooms[place].feed.live(seq, frame, &mut actions);
            self.carry_out(place, actions, ctx);
        }
    }

    /// The hub has left out changes of a room.
    pub(super) fn hear_missed(&mut self, room_id: i64, seq: u64, ctx: &mut Context) {
        if let Some(place) = self.place_of(room_id) {
            let mut actions = Vec::new();
            self.rooms[place].feed.missed(seq, &mut actions);
            self.carry_out(place, actions, ctx);
        }
    }

    /// A room has come this far.
    pub(super) fn hear_reached(&mut self, room_id: i64, seq: u64, ctx: &mut Context) {
        if let Some(place) = self.place_of(room_id) {
            let mut actions = Vec::new();
            self.rooms[place].feed.reached(seq, &mut actions);
            self.carry_out(place, actions, ctx);
        }
    }

    fn place_of(&self, room_id: i64) -> Option<usize> {
        self.rooms.iter().position(|known| known.room.id == room_id)
    }

    pub(super) fn start_sync(&mut self, reference: Option<String>, sync: Sync, ctx: &mut Context) {
        let refused = if self.sync.is_some() {
            let detail = "The `sync` before this one is still being answered.";
            Some(Error::new(Kind::Conflict, Code::SyncInProgress, detail))
        } else if sync
            .epoch
            .is_some_and(|epoch| *epoch != *self.app.history.epoch())
        {
            let detail = "This history was replaced since: drop your cursors and start afresh.";
            Some(Error::new(Kind::Conflict, Code::EpochChanged, detail))
        } else if !sync
            .rooms
            .keys()
            .all(|name| self.rooms.iter().any(|known| known.room.key == *name))
        {
            Some(Error::no_such_room())
        } else {
            None
        };
        let refused = refused.or_else(|| self.app.rates.check_read(self.caller.user_id).err());
        if let Some(error) = refused {
            return self.send_error(reference, &error);
        }
        let waiting = sync.rooms.len();
        self.sync = Some(SyncUnderWay {
            reference,
            waiting,
            rooms: BTreeMap::new(),
            failure: None,
        });
        for (name, since) in sync.rooms {
            if let Some(place) = self.rooms.iter().position(|known| known.room.key == name) {
                let mut actions = Vec::new();
                self.rooms[place].feed.sync(since, &mut actions);
                self.carry_out(place, actions, ctx);
            }
        }
        self.finish_sync();
    }

    /// Answers the `sync`, once all of its rooms have been served.
    fn finish_sync(&mut self) {
        let Some(SyncUnderWay {
            reference,
            rooms,
            failure,
            ..
        }) = self.sync.take_if(|sync| sync.waiting == 0)
        else {
            return;
        };
        match failure {
            Some(error) => self.send_error(reference, &error),
            None => self.send(&Event::Synced { reference, rooms }),
        }
    }

    fn room_synced(&mut self, place: usize, outcome: Result<SyncedRoom>) {
        let name = self.rooms[place].room.key.clone();
        if let Some(sync) = &mut self.sync {
            sync.waiting = sync.waiting.saturating_sub(1);
            match outcome {
                Ok(synced) => {
                    sync.rooms.insert(name, synced);
                }
                Err(error) => sync.failure = Some(error),
            }
        }
        self.finish_sync();
    }

    fn carry_out(&mut self, place: usize, actions: Vec<Action<Bytes>>, ctx: &mut Context) {
        for action in actions {
            match action {
                Action::Send(frame) => self.outgoing.write(frame),
                Action::Read(since) => self.read(place, since, ctx),
                Action::ReadLater(since) => {
                    ctx.run_later(READ_AGAIN, move |session, ctx| {
                        session.read(place, since, ctx);
                    });
                }
                Action::Lag(seq) => self.send(&Event::Lag {
                    room: self.rooms[place].room.key.clone(),
                    seq,
                }),
                Action::Synced { seq, complete } => {
                    self.room_synced(place, Ok(SyncedRoom { seq, complete }));
                }
                Action::CursorAhead => {
                    let detail = "A cursor lies beyond the room's latest change: start afresh.";
                    self.room_synced(
                        place,
                        Err(Error::new(Kind::Conflict, Code::CursorAhead, detail)),
                    );
                }
                Action::SyncFailed => self.room_synced(place, Err(Error::store_unavailable())),
            }
        }
    }

    fn read(&mut self, place: usize, since: u64, ctx: &mut Context) {
        let (app, caller, room) = (
            Arc::clone(&self.app),
            self.caller.clone(),
            self.rooms[place].room.clone(),
        );
        let reading = async move { app.pages.changes_since(&caller, &room, since).await };
        ctx.spawn(reading.into_actor(self).map(move |read, session, ctx| {
            let mut actions = Vec::new();
            match read {
                Ok(page) => session.rooms[place].feed.page(page, &mut actions),
                Err(error) => {
                    session.close_when_logged_out(&error, ctx);
                    session.rooms[place].feed.failed(&mut actions);
                }
            }
            session.carry_out(place, actions, ctx);
        }));
    }
}
