//! Answering `sync`: all of its rooms at once, within one budget.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use actix::{ActorFutureExt as _, AsyncContext as _, WrapFuture as _};

use super::{ChatSession, Context};
use crate::{
    chat::{
        catch_up::{CATCH_UP_BYTES, Change},
        feed::Page,
        rooms::id_of,
    },
    error::{Code, Error, Kind, Result},
    protocol::{
        command::Sync,
        event::{Event, SyncedRoom},
    },
};

/// A `sync` frame that is being served.
pub(super) struct SyncUnderWay {
    /// Which one it is: what was looked up for another is not about its cursors.
    number: u64,
    reference: Option<String>,
    /// Rooms that are not served yet.
    waiting: BTreeSet<String>,
    rooms: BTreeMap<String, SyncedRoom>,
    failure: Option<Error>,
    /// Bytes of frames that may still be sent for it.
    bytes: usize,
    /// Whether it is being looked up which of its rooms have changed: until then none is read.
    is_looking: bool,
}

impl ChatSession {
    pub(super) fn start_sync(&mut self, reference: Option<String>, sync: Sync, ctx: &mut Context) {
        self.show_all(ctx);
        let is_of_another_history = |epoch: String| *epoch != *self.app.history.epoch();
        let refused = if self.sync.is_some() {
            let detail = "The `sync` before this one is still being answered.";
            Some(Error::conflict(Code::SyncInProgress, detail))
        } else if sync.epoch.is_some_and(is_of_another_history) {
            let detail = "This history was replaced since: drop your cursors and start afresh.";
            Some(Error::conflict(Code::EpochChanged, detail))
        } else if sync.rooms.keys().any(|room| id_of(room).is_err()) {
            // To say that a room is gone which is only called otherwise would make its client drop it.
            let detail = "`sync` takes the keys of rooms, `general` or digits, and no names: `room` in the first frame and in GET /api/rooms.";
            Some(Error::new(Kind::Invalid, Code::ValidationError, detail))
        } else {
            self.app.rates.check_read(self.caller.user_id).err()
        };
        if let Some(error) = refused {
            return self.send_error(reference, &error);
        }
        let (mut waiting, mut rooms, mut cursors) = (BTreeSet::new(), BTreeMap::new(), Vec::new());
        let mut own = self.rooms();
        for (room, since) in sync.rooms {
            if let Some(id) = own.asked_for(&room) {
                cursors.push((id, since));
                waiting.insert(room);
            } else {
                rooms.insert(room, SyncedRoom::gone());
            }
        }
        drop(own);
        // In most of many rooms nothing has happened: one look tells where.
        let is_looking = cursors.len() > 1;
        self.syncs += 1;
        self.sync = Some(SyncUnderWay {
            number: self.syncs,
            reference,
            waiting,
            rooms,
            failure: None,
            bytes: CATCH_UP_BYTES,
            is_looking,
        });
        for (room_id, since) in cursors {
            self.feed(room_id, ctx, |feed, actions| _ = feed.sync(since, actions));
        }
        if is_looking {
            self.look(ctx);
        }
        self.finish_sync();
    }

    /// Looks up how far the rooms are, and has read only those that have changed.
    fn look(&self, ctx: &mut Context) {
        let (app, caller) = (Arc::clone(&self.app), self.caller.clone());
        let looking = async move { app.access.list_rooms(&caller).await };
        let number = self.syncs;
        ctx.spawn(looking.into_actor(self).map(move |found, session, ctx| {
            // Its `sync` may have ended meanwhile, and another have begun, with cursors that are later than what was found.
            let is_of_this = match &mut session.sync {
                Some(sync) if sync.number == number => {
                    sync.is_looking = false;
                    true
                }
                Some(sync) if sync.is_looking => return,
                _ => false,
            };
            // What cannot be looked up is read, and that fails or not.
            let found = found.map(|rooms| {
                let rooms = rooms.into_iter();
                rooms
                    .map(|view| (view.room.id, view.room.last_seq.unsigned_abs()))
                    .collect()
            });
            session.start_readings(found.ok().filter(|_| is_of_this).as_ref(), ctx);
        }));
    }

    pub(super) fn is_looking(&self) -> bool {
        self.sync.as_ref().is_some_and(|sync| sync.is_looking)
    }

    /// Bytes of frames that reading a room may bring.
    pub(super) fn budget_of(&self, room: &str) -> usize {
        match &self.sync {
            Some(sync) if sync.waiting.contains(room) => sync.bytes,
            _ => CATCH_UP_BYTES,
        }
    }

    /// Leaves out of a page what the budget of the `sync` that it is for does not hold any more.
    pub(super) fn cut_to_budget(&mut self, room: &str, page: &mut Page<Change>) {
        let Some(sync) = &mut self.sync else { return };
        if sync.waiting.contains(room) {
            let mut left = Some(sync.bytes);
            let fits = |(_, change): &&(u64, Change)| {
                left = left.and_then(|left| left.checked_sub(change.frame.len()));
                sync.bytes = left.unwrap_or(sync.bytes);
                left.is_some()
            };
            let fitting = page.changes.iter().take_while(fits).count();
            page.complete &= fitting == page.changes.len();
            page.changes.truncate(fitting);
        }
    }

    /// The caller is in this room no more, as the client has been told.
    pub(super) fn room_gone(&mut self, room: String) {
        // It may have been served already.
        if let Some(sync) = &mut self.sync
            && (sync.waiting.remove(&room) || sync.rooms.contains_key(&room))
        {
            sync.rooms.insert(room, SyncedRoom::gone());
        }
        self.finish_sync();
    }

    /// The caller has come into this room, as the client has been told: what was asked before is no question any more.
    pub(super) fn room_here(&mut self, room: &str) {
        if let Some(sync) = &mut self.sync {
            sync.rooms.remove(room);
        }
    }

    /// A room has been served, or could not be.
    pub(super) fn room_synced(&mut self, room: String, outcome: Result<SyncedRoom>) {
        if let Some(sync) = &mut self.sync
            && sync.waiting.remove(&room)
        {
            match outcome {
                Ok(synced) => _ = sync.rooms.insert(room, synced),
                Err(error) => sync.failure = Some(error),
            }
            self.finish_sync();
        }
    }

    /// Answers the `sync`, once all of its rooms have been served.
    fn finish_sync(&mut self) {
        let Some(SyncUnderWay {
            reference,
            rooms,
            failure,
            ..
        }) = self.sync.take_if(|sync| sync.waiting.is_empty())
        else {
            return;
        };
        match failure {
            Some(error) => self.send_error(reference, &error),
            None => self.send(&Event::Synced { reference, rooms }),
        }
    }
}
