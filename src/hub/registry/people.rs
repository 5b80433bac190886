//! Telling people of each other: how they are seen, what they say of themselves, that they are writing. Only of people who
//! share a room, and first of all left out where a socket is slow.

use std::{
    collections::{BTreeMap, BTreeSet},
    time::Instant,
};

use bytes::Bytes;

use super::{Outbox, Registry, SocketId, comings::MOST_AT_ONCE};
use crate::{
    hub::presence::{self, Here, MOST_IN_FRAME, Round},
    protocol::{
        people::{Presence, Seen, Status},
        time::Timestamp,
    },
};

/// The room that everyone is in. It counts as one that people share only as long as it is small.
const GENERAL_ID: i64 = 1;
/// So many people are looked at before other things of the hub have their turn.
const SLICE: usize = 5_000;

impl<O: Outbox> Registry<O> {
    /// Whether `general` counts as a room that people share.
    pub fn set_general_counts(&mut self, counts: bool, now: Instant) {
        if counts && !self.general_counts {
            for id in self.presence.askers() {
                self.presence.ask_again(id, now);
            }
        }
        self.general_counts = counts;
    }

    fn counts(&self, room: i64) -> bool {
        room != GENERAL_ID || self.general_counts
    }

    /// Whether a room is one for which a user is seen by the others in it.
    fn counts_for(&self, user_id: i64, room: i64) -> bool {
        let user = self.users.get(&user_id);
        self.counts(room) && !user.is_some_and(|user| user.unopened.contains(&room))
    }

    /// A user has read or written something in a room: if it was one that another has begun, they are seen in it from now on.
    pub fn open(&mut self, user_id: i64, room: i64, now: Instant) {
        let user = self.users.get_mut(&user_id);
        if user.is_some_and(|user| user.unopened.remove(&room)) {
            self.note_in_room(user_id, room, now);
        }
    }

    /// The rooms in which a user is seen.
    fn rooms_of(&self, user_id: i64) -> BTreeSet<i64> {
        let sockets = self.users.get(&user_id).into_iter();
        let sockets = sockets.flat_map(|user| &user.sockets);
        let sockets = sockets.filter_map(|id| self.sockets.get(id));
        let rooms = sockets.flat_map(|socket| socket.newcomer.rooms.iter().copied());
        rooms
            .filter(|room| self.counts_for(user_id, *room))
            .collect()
    }

    /// Sockets of a user have come or gone, who is or was in these rooms.
    pub(super) fn note_sockets(&mut self, user_id: i64, rooms: &BTreeSet<i64>, now: Instant) {
        let counting = rooms.iter().copied();
        let counting = counting.filter(|room| self.counts_for(user_id, *room));
        let counting: Vec<i64> = counting.collect();
        if !counting.is_empty() {
            self.presence.mark(user_id, counting, now);
        }
    }

    /// A user has come into a room by these sockets, or they have begun to hear it.
    pub(super) fn note_in_room(&mut self, user_id: i64, room: i64, now: Instant) {
        if self.counts_for(user_id, room) {
            self.presence.mark_new(user_id, room, now);
            let sockets = self.users.get(&user_id).map(|user| user.sockets.clone());
            for id in sockets.unwrap_or_default() {
                if self.presence.has_asked(id) {
                    self.presence.ask_again(id, now);
                }
            }
        }
    }

    /// What users have chosen to be, as it was stored: nobody has been told of anything yet.
    pub fn load_statuses(&mut self, statuses: Vec<(i64, String, Status)>) {
        for (user_id, username, status) in statuses {
            self.presence.set_status(user_id, &username, Some(status));
        }
    }

    /// Sets what a user has chosen to be, who is in these rooms.
    pub fn set_status(
        &mut self,
        (user_id, username): (i64, &str),
        status: Option<Status>,
        rooms: BTreeSet<i64>,
        now: Instant,
    ) {
        let was_hidden = self.presence.is_invisible(user_id);
        self.presence.set_status(user_id, username, status);
        self.status_changed(user_id, was_hidden, rooms, now);
    }

    fn status_changed(
        &mut self,
        user_id: i64,
        was_hidden: bool,
        mut rooms: BTreeSet<i64>,
        now: Instant,
    ) {
        rooms.retain(|room| self.counts_for(user_id, *room));
        rooms.extend(self.rooms_of(user_id));
        self.presence.mark(user_id, rooms, now);
        let is_hidden = self.presence.is_invisible(user_id);
        let name = self.users.get(&user_id).map(|user| user.name.clone());
        if let Some(name) = name.filter(|_| was_hidden != is_hidden) {
            // To all who know only who came and went, it is as if they did.
            self.note_coming(user_id, name, was_hidden, now);
        }
    }

    /// Ends what is over by now.
    pub fn end_statuses(&mut self, wall: Timestamp, now: Instant) {
        for (user_id, was_hidden) in self.presence.end_statuses(wall) {
            self.status_changed(user_id, was_hidden, BTreeSet::new(), now);
        }
    }

    /// Notes whether the device of a socket is not in use.
    pub fn set_idle(&mut self, id: SocketId, is_idle: bool, now: Instant) {
        let user_id = self.sockets.get(&id).map(|socket| socket.newcomer.user_id);
        if let Some(user_id) = user_id
            && self.presence.set_idle(id, is_idle)
        {
            let rooms = self.rooms_of(user_id);
            if !rooms.is_empty() {
                self.presence.mark(user_id, rooms, now);
            }
        }
    }

    /// A socket wants to know who is here.
    pub fn ask_presence(&mut self, id: SocketId, now: Instant) {
        if self.sockets.contains_key(&id) {
            self.presence.ask(id, now);
        }
    }

    /// What a user says of themselves is another now; told to those who share a room with them.
    pub fn tell_profile(&mut self, user_id: i64, rooms: &[i64], frame: Bytes, now: Instant) {
        let mut rooms: BTreeSet<i64> = rooms.iter().copied().collect();
        rooms.retain(|room| self.counts_for(user_id, *room));
        self.presence.note_profile(user_id, rooms, frame, now);
    }

    /// Somebody is writing in a room. Who is not seen is not seen to write, either; and who has hidden the room is not told.
    pub fn tell_typing(&mut self, room_id: i64, user_id: i64, hiding: &[i64], frame: &Bytes) {
        if self.presence.is_invisible(user_id) {
            return;
        }
        for id in self.rooms.get(&room_id).into_iter().flatten() {
            let Some(socket) = self.sockets.get(id) else {
                continue;
            };
            let reader = socket.newcomer.user_id;
            if reader != user_id && !hiding.contains(&reader) {
                socket.offer_extra(frame.clone(), &self.limits);
            }
        }
    }

    /// How others see these users at this moment, and what the users have chosen.
    #[must_use]
    pub fn look_at(&self, users: &[i64]) -> Vec<(Seen, Option<Status>)> {
        let look = |user_id: &i64| {
            let seen = self.presence.seen(*user_id, self.here(*user_id));
            (seen, self.presence.status(*user_id).cloned())
        };
        users.iter().map(look).collect()
    }

    fn here(&self, user_id: i64) -> Option<Here<'_>> {
        let user = self.users.get(&user_id)?;
        Some(Here {
            username: &user.name,
            sockets: &user.sockets,
        })
    }

    /// When [`Self::tell_presence`] has something to do.
    #[must_use]
    pub fn presence_due(&self) -> Option<Instant> {
        self.presence.due()
    }

    /// Tells a part of what is to be told of people; false when there is more of this round.
    pub fn tell_presence(&mut self, now: Instant) -> bool {
        let mut round = match self.round.take() {
            Some(round) => round,
            None => self.begin_round(),
        };
        let (mut left, mut viewers) = (SLICE, 0);
        while let Some(id) = round.viewers.pop() {
            left = left.saturating_sub(1 + self.tell_viewer(id, &round, now));
            viewers += 1;
            if (left == 0 || viewers == MOST_AT_ONCE) && !round.viewers.is_empty() {
                self.round = Some(round);
                return false;
            }
        }
        self.presence.end(now);
        true
    }

    fn begin_round(&mut self) -> Round {
        let mut presence = std::mem::take(&mut self.presence);
        let hears = |room: i64| self.rooms.get(&room).map_or(0, BTreeSet::len);
        let mut round = presence.begin(|user_id| self.here(user_id), hears);
        let rooms = round.by_room.keys().chain(round.profiles_by_room.keys());
        let in_rooms = rooms.filter_map(|room| self.rooms.get(room)).flatten();
        let mut viewers: BTreeSet<SocketId> = in_rooms.copied().collect();
        let people = round
            .own
            .keys()
            .chain(round.profiles.iter().map(|(id, _)| id));
        let own = people.filter_map(|id| self.users.get(id));
        viewers.extend(own.flat_map(|user| user.sockets.iter().copied()));
        viewers.extend(presence.waiting_sockets());
        round.viewers = viewers.into_iter().collect();
        self.presence = presence;
        round
    }

    /// Tells one socket what concerns it; returns how many people were looked at for it.
    fn tell_viewer(&mut self, id: SocketId, round: &Round, now: Instant) -> usize {
        let Some(socket) = self.sockets.get(&id) else {
            return 0;
        };
        let own_id = socket.newcomer.user_id;
        let rooms = &socket.newcomer.rooms;
        let mut users = BTreeMap::new();
        for at in pick(&round.by_room, rooms)
            .into_iter()
            .chain(round.own.get(&own_id).copied())
        {
            let entry = &round.entries[at];
            let json = if entry.user_id == own_id {
                &entry.own
            } else {
                &entry.public
            };
            users.insert(entry.user_id, json.clone());
        }
        let mut looked = users.len();
        for at in pick(&round.profiles_by_room, rooms) {
            socket.offer_extra(round.profiles[at].1.clone(), &self.limits);
        }
        for (user_id, frame) in &round.profiles {
            if *user_id == own_id && pick(&round.profiles_by_room, rooms).is_empty() {
                socket.offer_extra(frame.clone(), &self.limits);
            }
        }
        let Some(after) = self.presence.asked_after(id) else {
            if !users.is_empty() {
                let users: Vec<&str> = users.values().map(String::as_str).collect();
                if !socket.offer_extra(presence::frame(&users, false), &self.limits)
                    && self.presence.has_asked(id)
                {
                    // What it knows is not true any more: it is told all when it has taken what waits.
                    self.presence.ask_again(id, now);
                }
            }
            return looked;
        };
        if !socket.has_room_for_extra(&self.limits) {
            return 1;
        }
        let is_first = after == i64::MIN;
        if is_first {
            users.clear();
        }
        let (part, seen, more) = self.people_after(id, after);
        looked += seen;
        users.extend(part);
        let frame = presence::frame(
            &users.values().map(String::as_str).collect::<Vec<_>>(),
            is_first,
        );
        if let Some(socket) = self.sockets.get(&id)
            && socket.offer_extra(frame, &self.limits)
        {
            self.presence.note_answered(id, more);
        } else {
            self.presence.ask_again(id, now);
        }
        looked
    }

    /// Those who are here and share a room with a socket's user, after this user; how many were looked at; and the last of
    /// them, if there are more.
    fn people_after(&self, id: SocketId, after: i64) -> (Vec<(i64, String)>, usize, Option<i64>) {
        let Some(socket) = self.sockets.get(&id) else {
            return (Vec::new(), 0, None);
        };
        let own_id = socket.newcomer.user_id;
        let rooms = socket
            .newcomer
            .rooms
            .iter()
            .filter(|room| self.counts(**room));
        let sockets = rooms.flat_map(|room| {
            let heard = self.rooms.get(room).into_iter().flatten();
            heard.map(move |id| (*room, id))
        });
        let mut looked = 0;
        let others = sockets.filter_map(|(room, id)| {
            looked += 1;
            let user_id = self.sockets.get(id)?.newcomer.user_id;
            self.counts_for(user_id, room).then_some(user_id)
        });
        let mut found: BTreeSet<i64> = others.chain([own_id]).filter(|id| *id > after).collect();
        found.retain(|user_id| {
            let state = self.presence.told(*user_id).map(|seen| seen.state);
            let is_hidden = state == Some(Presence::Invisible) && *user_id != own_id;
            !is_hidden && state.is_some_and(|state| state != Presence::Offline)
        });
        let more = found.len() > MOST_IN_FRAME;
        let part: Vec<(i64, String)> = found
            .into_iter()
            .take(MOST_IN_FRAME)
            .filter_map(|user_id| Some((user_id, presence::json(self.presence.told(user_id)?))))
            .collect();
        let last = part.last().map(|(user_id, _)| *user_id).filter(|_| more);
        (part, looked, last)
    }
}

/// Those of a round who are told in one of these rooms.
fn pick(by_room: &std::collections::HashMap<i64, Vec<usize>>, rooms: &BTreeSet<i64>) -> Vec<usize> {
    let mut found: Vec<usize> = if by_room.len() < rooms.len() {
        let told = by_room.iter().filter(|(room, _)| rooms.contains(room));
        told.flat_map(|(_, entries)| entries.iter().copied())
            .collect()
    } else {
        let told = rooms.iter().filter_map(|room| by_room.get(room));
        told.flatten().copied().collect()
    };
    found.sort_unstable();
    found.dedup();
    found
}
