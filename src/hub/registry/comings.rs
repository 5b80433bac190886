//! Who has come and who has gone, as all are told it.

use std::{
    collections::HashMap,
    time::{Duration, Instant},
};

use bytes::Bytes;

use super::{Outbox, Registry};
use crate::{
    hub::frame,
    protocol::event::{Event, Notice, System, crowd_sentence},
};

/// Above this many comers and goers at once, all are told the same, the comers themselves included.
const MOST_OWN_NOTICES: usize = 100;
/// How long joins and leaves are gathered before they are told, in a small crowd.
const GATHER: Duration = Duration::from_millis(20);
/// So much longer for each socket, since telling costs a frame for each: whatever the size of the crowd, a thousand frames a
/// second at most for those who come, and as many for those who go.
const GATHER_EACH: Duration = Duration::from_millis(1);
/// The longest that it takes.
const LONGEST: Duration = Duration::from_secs(2);

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

    /// Tells everyone who came and went since the last time.
    pub fn tell_comings(&mut self) {
        self.tell_at = None;
        let comings = std::mem::take(&mut self.comings);
        for (id, (name, came)) in &comings {
            if *came {
                self.told.insert(*id, name.clone());
            } else {
                self.told.remove(id);
            }
        }
        for came in [false, true] {
            let mut who: Vec<(i64, String)> = comings
                .iter()
                .filter(|(_, (_, kind))| *kind == came)
                .map(|(id, (name, _))| (*id, name.clone()))
                .collect();
            who.sort_unstable_by_key(|(_, name)| name.to_lowercase());
            if !who.is_empty() {
                self.tell_coming(&who, came);
            }
        }
    }

    fn tell_coming(&mut self, who: &[(i64, String)], came: bool) {
        let names = |without: Option<i64>| -> Vec<String> {
            who.iter()
                .filter(|(id, _)| Some(*id) != without)
                .map(|(_, name)| name.clone())
                .collect()
        };
        let to_all = notice(names(None), came);
        let own: HashMap<i64, Option<Bytes>> = if came && who.len() <= MOST_OWN_NOTICES {
            who.iter()
                .map(|(id, _)| (*id, notice(names(Some(*id)), came)))
                .collect()
        } else {
            HashMap::new()
        };
        for socket in self.sockets.values() {
            if let Some(frame) = own.get(&socket.newcomer.user_id).unwrap_or(&to_all) {
                socket.offer_notice(frame.clone(), &self.limits);
            }
        }
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
