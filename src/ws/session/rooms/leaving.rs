//! Going out of a room: whoever is no member any more since a change is sent everything up to it, then that the room is gone,
//! and nothing above.

use std::time::Duration;

use actix::AsyncContext as _;

use super::{Reading, RoomFeed};
use crate::{
    chat::rooms::key_of,
    protocol::event::{Event, RoomNews},
    ws::{
        Dialect,
        session::{ChatSession, Context},
    },
};

/// How long the hub may take to tell by which change the user is no member any more, when a reading has found that it is so.
/// It never does where it is not known whether that change was stored, or where none says so.
const LEFT_WITHIN: Duration = Duration::from_secs(3);

impl RoomFeed {
    /// Whether the user is no member any more, as far as is known.
    pub(super) fn is_ending(&self) -> bool {
        self.left.is_some() || self.is_refused
    }

    /// Takes in that the user is no member any more by this change. True when nothing is left to wait for. What was read later
    /// and says something else holds.
    fn leave(&mut self, seq: u64) -> bool {
        if self.read_at >= seq {
            return false;
        }
        self.left = Some(seq);
        self.is_refused || !self.feed.is_catching_up()
    }
}

impl ChatSession {
    /// The user is no member of a room any more. What is being read may be of the time before, and is sent first.
    pub(in crate::ws::session) fn go_out(&mut self, room_id: i64, seq: u64, ctx: &mut Context) {
        let mut rooms = self.rooms();
        rooms.come_into.remove(&room_id);
        let room = rooms.by_id.get_mut(room_id);
        let is_over = room.is_some_and(|room| room.leave(seq));
        drop(rooms);
        if is_over {
            self.forget_room(room_id, ctx);
        }
    }

    /// A reading says that the user is no member any more, perhaps before the hub has told by which change: it has sent what
    /// comes before that, or is about to.
    pub(super) fn refused(&mut self, reading: Reading, ctx: &mut Context) {
        let mut rooms = self.rooms();
        let Some(room) = rooms.of(reading) else {
            return;
        };
        let is_over = room.left.is_some() || !room.is_told;
        room.is_refused = true;
        drop(rooms);
        if is_over {
            return self.forget_room(reading.room_id, ctx);
        }
        ctx.run_later(LEFT_WITHIN, move |session, ctx| {
            if session.rooms().of(reading).is_some() {
                session.forget_room(reading.room_id, ctx);
            }
        });
    }

    /// What was awaited is read.
    pub(super) fn end_when_read(&mut self, reading: Reading, ctx: &mut Context) {
        let is_over = (self.rooms().of(reading))
            .is_some_and(|room| room.left.is_some() && !room.feed.is_catching_up());
        if is_over {
            self.forget_room(reading.room_id, ctx);
        }
    }

    /// Tells the client that it is in a room no more, behind what it is still to be told of it.
    pub(super) fn forget_room(&mut self, room_id: i64, ctx: &mut Context) {
        let known = (self.rooms().by_id.get(room_id))
            .filter(|room| room.is_told)
            .map(|room| room.left);
        // Where no change is known to be the last, what is held may be more than the user may read.
        if let Some(Some(last)) = known {
            self.feed(room_id, ctx, |feed, actions| feed.end(last, actions));
        }
        self.rooms().by_id.remove(room_id);
        if known.is_some() {
            if self.end.dialect.get() == Dialect::Full {
                self.send(&Event::Room(RoomNews::gone(key_of(room_id))));
            } else {
                self.rooms().gone.insert(room_id);
            }
        }
        // It may have been asked for before the client was told of it.
        self.room_gone(key_of(room_id));
    }
}
