//! The sockets that are open, as a plain structure without actors, time or I/O of its own: what happens is told to it
//! (with the present time), and it delivers through an [`Outbox`]. It decides who gets what, who is too slow, and who
//! is taken for dead.

use std::{
    collections::{BTreeSet, HashMap},
    sync::{Arc, atomic::Ordering},
    time::{Duration, Instant},
};

use bytes::Bytes;

use super::{
    Aside, Broadcast, Deliver, Gauge, Membership, frame,
    presence::{Presence, Round},
};
use crate::{
    config::SocketLimits,
    protocol::{close, event::Event},
};

mod asides;
mod comings;
mod people;
mod rooms;
mod socket;

use rooms::stop_listening;
use socket::Socket;

/// A socket's number, never used twice.
pub type SocketId = u64;

/// Most names that a newcomer is told.
const MOST_NAMES: usize = 100;

/// Where deliveries for one socket go. Never blocks.
pub trait Outbox {
    /// False when it did not fit (or no one is there any more).
    fn offer(&self, delivery: Deliver) -> bool;
}

/// A socket that has just been opened.
#[derive(Debug)]
pub struct NewSocket {
    /// Whose it is.
    pub user_id: i64,
    /// Whose it is, by name.
    pub username: String,
    /// The login it was opened with.
    pub session_id: i64,
    /// The rooms that it hears.
    pub rooms: BTreeSet<i64>,
    /// Those of them for which the user is not to be seen: others have begun them, and the user has done nothing there yet.
    pub unopened: BTreeSet<i64>,
    /// What the socket and the hub share.
    pub gauge: Arc<Gauge>,
}

struct User {
    name: String,
    sockets: BTreeSet<SocketId>,
    /// The rooms for which they are not to be seen.
    unopened: BTreeSet<i64>,
}

/// Everyone who is connected.
pub struct Registry<O> {
    limits: SocketLimits,
    sockets: HashMap<SocketId, Socket<O>>,
    users: HashMap<i64, User>,
    rooms: HashMap<i64, BTreeSet<SocketId>>,
    /// Room → its last change that was announced, of the rooms that someone hears: never more rooms than those. In a room that
    /// someone hears again it is as if nothing had been announced, which costs its sockets a look.
    announced: HashMap<i64, u64>,
    last_id: SocketId,
    /// Who is here, as far as all have been told.
    told: HashMap<i64, String>,
    /// User → true for came, false for went; told together at `tell_at`.
    comings: HashMap<i64, (String, bool)>,
    /// Of whom all are being told.
    telling: Option<comings::Telling>,
    tell_at: Option<Instant>,
    /// Room and user → how far that user has read, for those who have not been told yet.
    readers: HashMap<(i64, i64), Aside>,
    /// How people are seen, and what is still to be told of that.
    presence: Presence,
    /// What is being told at the moment.
    round: Option<Round>,
    /// Whether `general` is small enough to count as a room that people share.
    general_counts: bool,
}

impl<O: Outbox> Registry<O> {
    /// An empty one.
    #[must_use]
    pub fn new(limits: SocketLimits) -> Self {
        Self {
            limits,
            sockets: HashMap::new(),
            users: HashMap::new(),
            rooms: HashMap::new(),
            announced: HashMap::new(),
            last_id: 0,
            told: HashMap::new(),
            comings: HashMap::new(),
            telling: None,
            tell_at: None,
            readers: HashMap::new(),
            presence: Presence::default(),
            round: None,
            general_counts: false,
        }
    }

    /// How many sockets a user has open.
    #[must_use]
    pub fn count_of_user(&self, user_id: i64) -> usize {
        (self.users.get(&user_id)).map_or(0, |user| user.sockets.len())
    }

    /// How many sockets are open.
    #[must_use]
    pub fn count(&self) -> usize {
        self.sockets.len()
    }

    /// The names of some who are here, as a newcomer is told them: its own, and the others as far as all have been told.
    /// Who came or went since will be told to it as to everyone. So what it is told adds up, also when someone comes
    /// back before it was told that they had gone.
    #[must_use]
    pub fn names(&self, newcomer: i64) -> Vec<String> {
        let own = self.users.get(&newcomer).map(|user| &user.name);
        let others = self.told.iter().filter(|(id, _)| **id != newcomer);
        let mut names: Vec<_> = own
            .into_iter()
            .chain(others.map(|(_, name)| name))
            .take(MOST_NAMES)
            .cloned()
            .collect();
        names.sort_unstable_by_key(|name| name.to_lowercase());
        names
    }

    /// Registers a socket.
    pub fn connect(&mut self, newcomer: NewSocket, outbox: O, now: Instant) -> SocketId {
        self.last_id += 1;
        let id = self.last_id;
        let user = self.users.entry(newcomer.user_id).or_insert_with(|| User {
            name: newcomer.username.clone(),
            sockets: BTreeSet::new(),
            // As long as they are here, it is known what they open.
            unopened: newcomer.unopened.clone(),
        });
        user.sockets.insert(id);
        let is_first = user.sockets.len() == 1;
        if is_first && !self.presence.is_invisible(newcomer.user_id) {
            self.note_coming(newcomer.user_id, newcomer.username.clone(), true, now);
        }
        for room in &newcomer.rooms {
            self.rooms.entry(*room).or_default().insert(id);
        }
        self.note_sockets(newcomer.user_id, &newcomer.rooms, now);
        let next_ping = now + self.limits.ping_interval;
        self.sockets
            .insert(id, Socket::new(newcomer, outbox, next_ping));
        id
    }

    /// Takes a socket out. It may be gone already.
    pub fn disconnect(&mut self, id: SocketId, now: Instant) {
        let Some(Socket { newcomer, .. }) = self.sockets.remove(&id) else {
            return;
        };
        for room in &newcomer.rooms {
            stop_listening((&mut self.rooms, &mut self.announced), *room, id);
        }
        self.presence.forget_socket(id);
        self.note_sockets(newcomer.user_id, &newcomer.rooms, now);
        let Some(user) = self.users.get_mut(&newcomer.user_id) else {
            return;
        };
        user.sockets.remove(&id);
        if user.sockets.is_empty() {
            self.users.remove(&newcomer.user_id);
            if !self.presence.is_invisible(newcomer.user_id) {
                self.note_coming(newcomer.user_id, newcomer.username, false, now);
            }
        }
    }

    /// Sends changes to the members of their rooms. Who becomes a member by a change hears it and what follows; who is
    /// none any more by it hears it as the last.
    pub fn publish(&mut self, changes: &[Broadcast], now: Instant) {
        for change in changes {
            let (room_id, seq) = (change.room_id, change.seq);
            let before = self.announced.get(&room_id).copied().unwrap_or(0);
            if before + 1 < seq {
                self.tell_reached(room_id, seq - 1, now);
            }
            self.change_members(change, Membership::Joined, now);
            self.note_announced(room_id, seq);
            if let Some(author) = change.written_by {
                self.open(author, room_id, now);
            }
            for id in self.rooms.get(&change.room_id).into_iter().flatten() {
                if let Some(socket) = self.sockets.get_mut(id) {
                    socket.send_change(change, &self.limits, now);
                }
            }
            self.change_members(change, Membership::Left, now);
        }
    }

    fn change_members(&mut self, change: &Broadcast, kind: Membership, now: Instant) {
        let (room_id, seq) = (change.room_id, change.seq);
        let is_meant = |of: Membership| (of == Membership::Left) == (kind == Membership::Left);
        let concerned = change.members.iter().filter(|(_, of)| is_meant(*of));
        for (user_id, of) in concerned.clone() {
            // How far they had read before is not told behind that: who comes back begins anew.
            self.readers.remove(&(room_id, *user_id));
            if let Some(user) = self.users.get_mut(user_id)
                && *of == Membership::BroughtIn
            {
                user.unopened.insert(room_id);
            }
        }
        let users = concerned.filter_map(|(user_id, _)| self.users.get(user_id));
        for id in users.flat_map(|user| &user.sockets) {
            let Some(socket) = self.sockets.get_mut(id) else {
                continue;
            };
            match kind {
                Membership::Joined | Membership::BroughtIn => {
                    socket.newcomer.rooms.insert(room_id);
                    self.rooms.entry(room_id).or_default().insert(*id);
                }
                Membership::Left => {
                    socket.newcomer.rooms.remove(&room_id);
                    stop_listening((&mut self.rooms, &mut self.announced), room_id, *id);
                }
            }
            // Told in any case: a change that was committed and never announced may have been seen by the socket alone.
            socket.send_membership(room_id, seq, kind, &self.limits, now);
        }
        if kind == Membership::Joined {
            for (user_id, _) in change.members.iter().filter(|(_, of)| is_meant(*of)) {
                self.note_in_room(*user_id, room_id, now);
            }
        }
    }

    /// The logins that have a socket open, and whose they are.
    #[must_use]
    pub fn sessions(&self) -> HashMap<i64, i64> {
        let newcomers = self.sockets.values().map(|socket| &socket.newcomer);
        newcomers.map(|own| (own.session_id, own.user_id)).collect()
    }

    /// Closes every socket of a login.
    pub fn end_session(&mut self, session_id: i64, code: u16, reason: &'static str, now: Instant) {
        let ids: Vec<_> = self
            .sockets
            .iter()
            .filter(|(_, socket)| socket.newcomer.session_id == session_id)
            .map(|(id, _)| *id)
            .collect();
        for id in ids {
            self.close(id, None, code, reason, now);
        }
    }

    /// Tells a socket to close and takes it out.
    fn close(
        &mut self,
        id: SocketId,
        farewell: Option<Bytes>,
        code: u16,
        reason: &'static str,
        now: Instant,
    ) {
        let farewell = Deliver::Close {
            farewell,
            code,
            reason,
        };
        if let Some(socket) = self.sockets.get(&id) {
            let gauge = &socket.newcomer.gauge;
            if !socket.offer(farewell.clone(), &self.limits) {
                // It will see this when it takes something next, if ever. The last that waited may have been taken just now,
                // though: then there is room.
                gauge.undelivered_close.store(code, Ordering::Relaxed);
                if socket.offer(farewell, &self.limits) {
                    gauge.undelivered_close.store(0, Ordering::Relaxed);
                }
            }
            gauge.close(code);
        }
        self.disconnect(id, now);
    }

    /// Tells every socket to come back, each at a moment of its own within `within`, and closes it.
    pub fn close_all(&mut self, within: Duration, code: u16, reason: &'static str, now: Instant) {
        let ids: Vec<_> = self.sockets.keys().copied().collect();
        let (count, span) = (
            ids.len().max(1) as u64,
            u64::try_from(within.as_millis()).unwrap_or(u64::MAX),
        );
        for (place, id) in ids.into_iter().enumerate() {
            let after_ms = 500 + span.saturating_mul(place as u64) / count;
            let farewell = frame::event(&Event::Reconnect { after_ms });
            self.close(id, Some(farewell), code, reason, now);
        }
    }

    /// The server is going down: all are to come back within this time.
    pub fn drain(&mut self, within: Duration, now: Instant) {
        let reason = "the server is shutting down";
        self.close_all(within, close::SHUTTING_DOWN, reason, now);
    }

    /// To be called about once a second: asks for signs of life, gives up on the dead and the stuck, and tells those
    /// who missed something and can be told now.
    pub fn tick(&mut self, now: Instant) {
        let mut ended = Vec::new();
        for (id, socket) in &mut self.sockets {
            socket.tell_owed(&self.limits);
            if socket.is_stuck(&self.limits, now) {
                ended.push((*id, close::TOO_SLOW, "nothing was read for too long"));
            } else if socket.is_silent(&self.limits, now) {
                ended.push((*id, close::HEARTBEAT_MISSED, "no sign of life"));
            } else {
                socket.ping_when_due(&self.limits, now);
            }
        }
        for (id, code, reason) in ended {
            log::debug!("socket {id} is closed with {code}: {reason}");
            self.close(id, None, code, reason, now);
        }
    }
}

#[cfg(test)]
mod tests;
