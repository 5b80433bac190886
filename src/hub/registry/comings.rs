//! Who has come and who has gone, as all are told it.

use std::{
    collections::HashMap,
    time::{Duration, Instant},
};

use bytes::Bytes;

use super::{Outbox, Registry, SocketId};
use crate::{
    hub::frame,
    protocol::event::{Event, Notice, System, crowd_sentence},
};

/// Above this many comers and goers at once, all are told the same, the comers themselves included.
const MOST_OWN_NOTICES: usize = 100;
/// How long joins and leaves are gathered before they are told, in a small crowd.
const GATHER: Duration = Duration::from_millis(20);
/// So much longer for each socket, since telling costs a frame for each: a thousand frames a second at most for those who
/// come, and as many for those who go, until the longest wait is reached.
const GATHER_EACH: Duration = Duration::from_millis(1);
/// The longest that it takes.
const LONGEST: Duration = Duration::from_secs(2);
/// So many sockets are told before other things have their turn.
pub(super) const MOST_AT_ONCE: usize = 64;

impl<O: Outbox> Registry<O> {
    /// Notes that a user came or went. One who went and came back in between (a reload) did neither.
    pub(super) fn note_coming(&mut self, user_id: i64, name: String, came: bool, now: Instant) {
        match self.comings.get(&user_id) {
            Some((_, before)) if *before != came => {
                self.comings.remove(&user_id);
            }
            _ => {
                self.comings.insert(user_id, (name, came));
            }
        }
        let sockets = u32::try_from(self.sockets.len()).unwrap_or(u32::MAX);
        let gather = GATHER + GATHER_EACH.saturating_mul(sockets);
        self.tell_at.get_or_insert(now + gather.min(LONGEST));
    }

    /// When [`Self::tell_comings`] has something to do.
    #[must_use]
    pub fn tell_at(&self) -> Option<Instant> {
        self.tell_at
    }

    /// Begins to tell everyone who came and went since the last time; false when there are more to be told than at once.
    pub fn tell_comings(&mut self) -> bool {
        while !self.tell_more_comings() {}
        self.tell_at = None;
        let comings = std::mem::take(&mut self.comings);
        for (id, (name, came)) in &comings {
            if *came {
                self.told.insert(*id, name.clone());
            } else {
                self.told.remove(id);
            }
        }
        let notices = [false, true].map(|came| {
            let of_kind = comings.iter().filter(|(_, (_, kind))| *kind == came);
            Notices::of(of_kind.map(|(id, (name, _))| (*id, name.clone())), came)
        });
        // Who comes from now on has been told of these.
        let sockets = self.sockets.keys().copied().collect();
        self.telling = Some(Telling { notices, sockets });
        self.tell_more_comings()
    }

    /// Goes on with that. In a large crowd all at once would hold up whatever else is to be told.
    pub fn tell_more_comings(&mut self) -> bool {
        let Some(mut telling) = self.telling.take() else {
            return true;
        };
        let rest = telling.sockets.len().saturating_sub(MOST_AT_ONCE);
        let now = telling.sockets.split_off(rest);
        for socket in now.iter().filter_map(|id| self.sockets.get(id)) {
            for frame in telling
                .notices
                .iter()
                .filter_map(|one| one.to(socket.newcomer.user_id))
            {
                socket.offer_notice(frame.clone(), &self.limits);
            }
        }
        let is_all = telling.sockets.is_empty();
        self.telling = (!is_all).then_some(telling);
        is_all
    }
}

/// Who came and went, and the sockets that are still to be told.
#[derive(Debug)]
pub(super) struct Telling {
    notices: [Notices; 2],
    sockets: Vec<SocketId>,
}

/// Those who came, or those who went, as all are told it, and as each of them is.
#[derive(Debug)]
struct Notices {
    to_all: Option<Bytes>,
    own: HashMap<i64, Option<Bytes>>,
}

impl Notices {
    fn of(who: impl Iterator<Item = (i64, String)>, came: bool) -> Self {
        let mut who: Vec<(i64, String)> = who.collect();
        who.sort_unstable_by_key(|(_, name)| name.to_lowercase());
        let names = |without: Option<i64>| -> Vec<String> {
            who.iter()
                .filter(|(id, _)| Some(*id) != without)
                .map(|(_, name)| name.clone())
                .collect()
        };
        let own = if came && who.len() <= MOST_OWN_NOTICES {
            who.iter()
                .map(|(id, _)| (*id, notice(names(Some(*id)), came)))
                .collect()
        } else {
            HashMap::new()
        };
        Self {
            to_all: notice(names(None), came),
            own,
        }
    }

    /// What a user is told.
    fn to(&self, user_id: i64) -> Option<&Bytes> {
        self.own.get(&user_id).unwrap_or(&self.to_all).as_ref()
    }
}

/// The frame that tells of comers or goers; `None` when there are none.
fn notice(usernames: Vec<String>, came: bool) -> Option<Bytes> {
    if usernames.is_empty() {
        return None;
    }
    let message = crowd_sentence(&usernames, if came { "joined" } else { "left" });
    let notice = if came {
        Notice::Joined { usernames }
    } else {
        Notice::Left { usernames }
    };
    Some(frame::event(&Event::System(System { message, notice })))
}
