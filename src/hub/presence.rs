//! Who is seen how, and who is still to be told of it: a plain structure. What happens is told to it, and nothing is sent by
//! it. A change is kept until the next round, and in a round each socket is told once of all that concerns it; so a crowd
//! that comes and goes costs no more than a round in [`EVERY`], however often each of them does.
//!
//! Nothing is kept of people who share no room that counts: in a large server most are in `general` alone, which does not.

use std::{
    collections::{BTreeSet, HashMap, HashSet, VecDeque},
    time::{Duration, Instant},
};

use crate::protocol::{
    people::{self, Seen, State, Status},
    time::Timestamp,
};

use super::registry::SocketId;

/// From the end of a round to the next, at least: a socket is told once in 2 seconds, also if one frame is on its way for
/// longer than the next.
pub const EVERY: Duration = Duration::from_millis(2_200);
/// How long the first change after a quiet time is held back: what belongs to it comes within that.
const GATHER: Duration = Duration::from_millis(50);
/// Most people of whom one frame tells all.
pub const MOST_IN_FRAME: usize = 500;
/// Most times that a socket is told of a person within one round: what is above that waits.
const MOST_IN_ROUND: usize = 200_000;

/// Someone as the registry knows them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Here<'a> {
    /// The name.
    pub username: &'a str,
    /// Their sockets.
    pub sockets: &'a BTreeSet<SocketId>,
}

/// Someone of whom something is to be told.
#[derive(Debug, Default)]
struct Mark {
    /// In these rooms.
    rooms: BTreeSet<i64>,
    /// In these also if nothing has changed: they have just come in.
    new_in: BTreeSet<i64>,
}

/// What everyone is, and what is to be told.
#[derive(Debug, Default)]
pub struct Presence {
    /// What people have chosen and what they say of it, with their names.
    statuses: HashMap<i64, (String, Status)>,
    endings: BTreeSet<(Timestamp, i64)>,
    /// Sockets whose device is not in use.
    idle: BTreeSet<SocketId>,
    /// How people are seen by themselves, as far as it has been told; who is not in it is offline.
    told: HashMap<i64, Seen>,
    marks: HashMap<i64, Mark>,
    /// In the order in which they came.
    waiting: VecDeque<i64>,
    /// Sockets that want to know of all, and after which user the next frame goes on.
    asked: HashMap<SocketId, i64>,
    /// Sockets that have ever asked.
    asking: HashSet<SocketId>,
    /// User → the rooms and the frame by which their profile is told.
    profiles: HashMap<i64, (BTreeSet<i64>, bytes::Bytes)>,
    next: Option<Instant>,
    ended: Option<Instant>,
}

/// What is told in one round.
#[derive(Debug, Default)]
pub struct Round {
    /// By whom they are seen, who, as JSON for others and for themselves.
    pub entries: Vec<Entry>,
    /// Room → those of them who are told there.
    pub by_room: HashMap<i64, Vec<usize>>,
    /// Those of them, by user: they are told in any case.
    pub own: HashMap<i64, usize>,
    /// Profiles that have changed.
    pub profiles: Vec<(i64, bytes::Bytes)>,
    /// Room → those that are told there.
    pub profiles_by_room: HashMap<i64, Vec<usize>>,
    /// Sockets that are not told yet.
    pub viewers: Vec<SocketId>,
}

/// Someone in a round.
#[derive(Debug)]
pub struct Entry {
    /// Who.
    pub user_id: i64,
    /// For others.
    pub public: String,
    /// For themselves.
    pub own: String,
}

impl Presence {
    /// Sets what someone has chosen; `None`: nothing. Changes nothing that is told by itself: see [`Self::mark`].
    pub fn set_status(&mut self, user_id: i64, username: &str, status: Option<Status>) {
        if let Some((
            _,
            Status {
                until: Some(at), ..
            },
        )) = self.statuses.remove(&user_id)
        {
            self.endings.remove(&(at, user_id));
        }
        let Some(status) = status else { return };
        if let Some(at) = status.until {
            self.endings.insert((at, user_id));
        }
        self.statuses.insert(user_id, (username.to_owned(), status));
    }

    /// What someone has chosen.
    #[must_use]
    pub fn status(&self, user_id: i64) -> Option<&Status> {
        self.statuses.get(&user_id).map(|(_, status)| status)
    }

    /// Whether someone wants not to be seen.
    #[must_use]
    pub fn is_invisible(&self, user_id: i64) -> bool {
        self.status(user_id)
            .is_some_and(|status| status.state == Some(State::Invisible))
    }

    /// Ends what is over by now, and brings back what comes then; tells whose it was, and whether they were not seen.
    pub fn end_statuses(&mut self, now: Timestamp) -> Vec<(i64, bool)> {
        let mut ended = Vec::new();
        while let Some((at, user_id)) = self.endings.first().copied().filter(|(at, _)| *at <= now) {
            ended.push((user_id, self.is_invisible(user_id)));
            self.endings.remove(&(at, user_id));
            if let Some((name, status)) = self.statuses.remove(&user_id) {
                let after = status.at(now);
                if after != Status::default() {
                    self.statuses.insert(user_id, (name, after));
                }
            }
        }
        ended
    }

    /// Notes whether a device is not in use; true when that is new.
    pub fn set_idle(&mut self, socket: SocketId, is_idle: bool) -> bool {
        if is_idle {
            self.idle.insert(socket)
        } else {
            self.idle.remove(&socket)
        }
    }

    /// A socket has gone.
    pub fn forget_socket(&mut self, socket: SocketId) {
        self.idle.remove(&socket);
        self.asked.remove(&socket);
        self.asking.remove(&socket);
    }

    /// How someone sees themselves. (Others do by [`to_others`].)
    #[must_use]
    pub fn seen(&self, user_id: i64, here: Option<Here<'_>>) -> Seen {
        let known = self.statuses.get(&user_id);
        let status = known.map(|(_, status)| status.clone()).unwrap_or_default();
        let name = known.map(|(name, _)| name.as_str());
        let state = match (here, status.state.unwrap_or_default()) {
            (None, _) => people::Presence::Offline,
            (_, State::Invisible) => people::Presence::Invisible,
            (_, State::Dnd) => people::Presence::Dnd,
            (_, State::Away) => people::Presence::Away,
            (Some(here), State::Online) if here.sockets.is_subset(&self.idle) => {
                people::Presence::Away
            }
            (_, State::Online) => people::Presence::Online,
        };
        Seen {
            user_id,
            username: here
                .map(|here| here.username)
                .or(name)
                .unwrap_or_default()
                .to_owned(),
            state,
            text: status.text,
            emoji: status.emoji,
            until: status.until,
        }
    }

    /// Something about someone may be another now: it is told in these rooms in the next round, if it is.
    pub fn mark(&mut self, user_id: i64, rooms: impl IntoIterator<Item = i64>, now: Instant) {
        self.note(user_id, now).rooms.extend(rooms);
    }

    /// Someone has come into a room: who is in it is told of them, changed or not.
    pub fn mark_new(&mut self, user_id: i64, room: i64, now: Instant) {
        self.note(user_id, now).new_in.insert(room);
    }

    fn note(&mut self, user_id: i64, now: Instant) -> &mut Mark {
        self.plan(now);
        self.marks.entry(user_id).or_insert_with(|| {
            self.waiting.push_back(user_id);
            Mark::default()
        })
    }

    /// A socket wants to know of everyone, from now on.
    pub fn ask(&mut self, socket: SocketId, now: Instant) {
        self.asking.insert(socket);
        self.ask_again(socket, now);
    }

    /// What a socket knows of everyone is not true any more.
    pub fn ask_again(&mut self, socket: SocketId, now: Instant) {
        self.asked.insert(socket, i64::MIN);
        self.plan(now);
    }

    /// Whether a socket has ever asked.
    #[must_use]
    pub fn has_asked(&self, socket: SocketId) -> bool {
        self.asking.contains(&socket)
    }

    /// All that have ever asked.
    #[must_use]
    pub fn askers(&self) -> Vec<SocketId> {
        self.asking.iter().copied().collect()
    }

    /// After which user a socket is to be told of all, if it has asked.
    #[must_use]
    pub fn asked_after(&self, socket: SocketId) -> Option<i64> {
        self.asked.get(&socket).copied()
    }

    /// A socket has been told of all up to this user; `None`: of everyone.
    pub fn note_answered(&mut self, socket: SocketId, upto: Option<i64>) {
        match upto {
            Some(user_id) => self.asked.insert(socket, user_id),
            None => self.asked.remove(&socket),
        };
    }

    /// A profile has changed: its frame is told in these rooms, the last one if there are several.
    pub fn note_profile(
        &mut self,
        user_id: i64,
        rooms: BTreeSet<i64>,
        frame: bytes::Bytes,
        now: Instant,
    ) {
        self.profiles.insert(user_id, (rooms, frame));
        self.plan(now);
    }

    /// How someone is seen by others, as far as that was told; `None` for who is not here.
    #[must_use]
    pub fn told(&self, user_id: i64) -> Option<&Seen> {
        self.told.get(&user_id)
    }

    fn plan(&mut self, now: Instant) {
        let earliest = self.ended.map_or(now, |ended| ended + EVERY);
        self.next.get_or_insert(earliest.max(now + GATHER));
    }

    /// When the next round is due.
    #[must_use]
    pub fn due(&self) -> Option<Instant> {
        self.next
    }

    /// Begins a round. `look` knows who is here, `hears` how many sockets hear a room.
    pub fn begin<'a>(
        &mut self,
        look: impl Fn(i64) -> Option<Here<'a>>,
        hears: impl Fn(i64) -> usize,
    ) -> Round {
        let mut round = Round::default();
        let mut left = MOST_IN_ROUND;
        while left > 0
            && let Some(user_id) = self.waiting.pop_front()
        {
            let mark = self.marks.remove(&user_id).unwrap_or_default();
            let mut seen = self.seen(user_id, look(user_id));
            if let (true, Some(before)) = (seen.username.is_empty(), self.told.get(&user_id)) {
                seen.username.clone_from(&before.username);
            }
            let told_in = self.take_news(&seen, mark);
            let Some(rooms) = told_in else { continue };
            let at = round.entries.len();
            for room in rooms {
                left = left.saturating_sub(hears(room));
                round.by_room.entry(room).or_default().push(at);
            }
            round.own.insert(user_id, at);
            round.entries.push(Entry {
                user_id,
                own: json(&seen),
                public: json(&to_others(seen)),
            });
        }
        for (user_id, (rooms, frame)) in std::mem::take(&mut self.profiles) {
            let at = round.profiles.len();
            for room in rooms {
                round.profiles_by_room.entry(room).or_default().push(at);
            }
            round.profiles.push((user_id, frame));
        }
        round
    }

    /// Takes it for told how someone is seen; `None` when that is nothing new to anyone, else in which rooms it is.
    fn take_news(&mut self, seen: &Seen, mark: Mark) -> Option<BTreeSet<i64>> {
        let before = self
            .told
            .get(&seen.user_id)
            .cloned()
            .unwrap_or_else(|| Seen {
                user_id: seen.user_id,
                username: seen.username.clone(),
                ..Seen::default()
            });
        let is_nothing =
            seen.state == people::Presence::Offline && seen.text.is_none() && seen.emoji.is_none();
        if is_nothing {
            self.told.remove(&seen.user_id);
        } else {
            self.told.insert(seen.user_id, seen.clone());
        }
        let is_new_to_others = to_others(before.clone()) != to_others(seen.clone());
        let mut rooms = if is_new_to_others {
            mark.rooms
        } else {
            BTreeSet::new()
        };
        if !is_nothing && to_others(seen.clone()).state != people::Presence::Offline {
            rooms.extend(mark.new_in);
        }
        (*seen != before || !rooms.is_empty()).then_some(rooms)
    }

    /// Sockets that are to be told of everyone in this round, beside those who hear of it anyway.
    #[must_use]
    pub fn waiting_sockets(&self) -> Vec<SocketId> {
        self.asked.keys().copied().collect()
    }

    /// A round has ended.
    pub fn end(&mut self, now: Instant) {
        self.ended = Some(now);
        let has_more =
            !(self.waiting.is_empty() && self.asked.is_empty() && self.profiles.is_empty());
        self.next = has_more.then_some(now + EVERY);
    }
}

/// How others see someone. An end is told of what is said, never of a choice: it would tell that there is one.
#[must_use]
pub fn to_others(seen: Seen) -> Seen {
    let says_something = seen.text.is_some() || seen.emoji.is_some();
    Seen {
        state: match seen.state {
            people::Presence::Invisible => people::Presence::Offline,
            state => state,
        },
        until: seen.until.filter(|_| says_something),
        ..seen
    }
}

/// As JSON.
#[must_use]
pub fn json(seen: &Seen) -> String {
    // Strings and integers only: serde_json cannot fail on these.
    serde_json::to_string(seen).unwrap_or_default()
}

/// The frame that tells of these, who are JSON already.
#[must_use]
pub fn frame(users: &[&str], is_all: bool) -> bytes::Bytes {
    let all = if is_all { r#","all":true"# } else { "" };
    let users = users.join(",");
    super::frame::text(&format!(r#"{{"type":"presence","users":[{users}]{all}}}"#))
}

#[cfg(test)]
mod tests;
