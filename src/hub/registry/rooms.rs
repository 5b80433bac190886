//! Which sockets hear which rooms, and what is told of a room by nothing that is numbered.

use std::{
    collections::{BTreeSet, HashMap},
    time::Instant,
};

use bytes::Bytes;

use super::{Outbox, Registry, SocketId};

impl<O: Outbox> Registry<O> {
    /// Sets which rooms a socket hears: what it was registered with may have changed before it was.
    pub fn set_rooms(&mut self, id: SocketId, rooms: BTreeSet<i64>, now: Instant) {
        let Some(socket) = self.sockets.get_mut(&id) else {
            return;
        };
        for room in socket.newcomer.rooms.difference(&rooms) {
            stop_listening((&mut self.rooms, &mut self.announced), *room, id);
        }
        for room in &rooms {
            self.rooms.entry(*room).or_default().insert(id);
        }
        let added: Vec<i64> = (rooms.difference(&socket.newcomer.rooms).copied()).collect();
        let user_id = socket.newcomer.user_id;
        socket.newcomer.rooms = rooms;
        for room in added {
            self.note_in_room(user_id, room, now);
        }
    }

    pub(super) fn note_announced(&mut self, room_id: i64, seq: u64) {
        if self.rooms.contains_key(&room_id) {
            let announced = self.announced.entry(room_id).or_default();
            *announced = seq.max(*announced);
        }
    }

    /// Tells the members of a room how far it has come, by changes that were not announced.
    pub fn tell_reached(&mut self, room_id: i64, seq: u64, now: Instant) {
        self.note_announced(room_id, seq);
        let Some(ids) = self.rooms.get(&room_id) else {
            return;
        };
        for id in ids {
            if let Some(socket) = self.sockets.get_mut(id) {
                socket.send_reached(room_id, seq, &self.limits, now);
            }
        }
    }

    /// Users are members of a room that has come this far, and their sockets may not have heard of it. Each looks whether it is
    /// so before it is sent anything.
    pub fn let_in(&mut self, room_id: i64, seq: u64, users: &[i64], now: Instant) {
        let here = users.iter().filter_map(|user_id| self.users.get(user_id));
        for id in here.flat_map(|user| &user.sockets) {
            if let Some(socket) = self.sockets.get_mut(id) {
                socket.newcomer.rooms.insert(room_id);
                self.rooms.entry(room_id).or_default().insert(*id);
                socket.send_reached(room_id, seq, &self.limits, now);
            }
        }
        for user_id in users {
            self.note_in_room(*user_id, room_id, now);
        }
    }

    /// A user's view of a room has become another: all sockets of theirs are told, behind what they were told of it before.
    pub fn tell_view(&mut self, user_id: i64, room_id: i64, frame: &Bytes, now: Instant) {
        for id in (self.users.get(&user_id).into_iter()).flat_map(|user| &user.sockets) {
            if let Some(socket) = self.sockets.get_mut(id)
                && socket.newcomer.rooms.contains(&room_id)
            {
                socket.send_view(room_id, frame, &self.limits, now);
            }
        }
    }
}

/// Takes a socket out of those that hear a room; with the last of them, what was announced is forgotten.
pub(super) fn stop_listening(
    (rooms, announced): (
        &mut HashMap<i64, BTreeSet<SocketId>>,
        &mut HashMap<i64, u64>,
    ),
    room: i64,
    id: SocketId,
) {
    if let Some(listeners) = rooms.get_mut(&room) {
        listeners.remove(&id);
        if listeners.is_empty() {
            rooms.remove(&room);
            announced.remove(&room);
        }
    }
}
