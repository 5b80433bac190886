//! Who is a member of which room, and as what, remembered by a writer, so that a message costs no query for it. What is
//! remembered is never stale: a room counts the changes of its members in the row that the writer locks anyway, and when that
//! count is another one, all is looked up again. (Who was no member is not remembered, so adding one need not be counted.)

use std::collections::{HashMap, HashSet};

use crate::{
    db::{
        self, AnyConnection, QueryError,
        log::{
            lock::{Locked, Rooms},
            members::list,
        },
    },
    protocol::{room::Role, time::Timestamp},
    rights::Standing,
};

/// Most members that are remembered, and rooms: some megabytes. Beyond that all of them are forgotten, and looked up again as
/// they are needed.
const MOST: usize = 100_000;

/// A member, as far as rights go by it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Member {
    /// In which role.
    pub role: Role,
    /// Until when they only read.
    pub muted_until: Option<Timestamp>,
    /// They have hidden it, or were brought into it by someone who writes to them.
    pub has_hidden: bool,
}

impl Member {
    /// Who that is to the room.
    pub fn standing(&self, now: Timestamp) -> Standing {
        Standing::Member {
            role: self.role,
            is_muted: self.muted_until.is_some_and(|until| until > now),
        }
    }
}

/// The members that were seen.
#[derive(Debug, Default)]
pub struct Members {
    rooms: HashMap<i64, Known>,
    count: usize,
}

#[derive(Debug, Default)]
struct Known {
    /// The version of the room's members when these were among them.
    version: i64,
    users: HashMap<i64, Member>,
}

impl Members {
    /// The member of this room that a user is. [`Self::learn`] must have been asked in the same transaction.
    pub fn find(&self, room: &Locked, user_id: i64) -> Option<Member> {
        self.rooms.get(&room.id)?.users.get(&user_id).copied()
    }

    /// Whether a user is remembered as a member of a room. It may be one no more.
    pub fn remembers(&self, (room_id, user_id): (i64, i64)) -> bool {
        let room = self.rooms.get(&room_id);
        room.is_some_and(|room| room.users.contains_key(&user_id))
    }

    /// Looks up those of these users, each for a room, who are not remembered; as a rule no one. The rooms must be locked.
    ///
    /// # Errors
    /// When the database fails.
    pub fn learn(
        &mut self,
        conn: &mut AnyConnection,
        wanted: impl Iterator<Item = (i64, i64)>,
        rooms: &Rooms,
    ) -> Result<(), QueryError> {
        self.forget_what_changed(rooms);
        let unknown = wanted.filter(|(room_id, user_id)| {
            let room = rooms.get(room_id);
            room.is_some_and(|room| self.find(room, *user_id).is_none())
        });
        let (room_ids, user_ids): (HashSet<i64>, HashSet<i64>) = unknown.unzip();
        if room_ids.is_empty() {
            return Ok(());
        }
        let found = list(
            conn,
            room_ids.into_iter().collect(),
            user_ids.into_iter().collect(),
        )?;
        for row in found {
            let member = Member {
                // What no release has written gives no right above that of a member.
                role: row.role.parse().unwrap_or_default(),
                muted_until: row.muted_until.map(|at| db::utc(at.get())),
                has_hidden: row.hidden_seq.is_some(),
            };
            let users = &mut self.rooms.entry(row.room_id).or_default().users;
            self.count += usize::from(users.insert(row.user_id, member).is_none());
        }
        Ok(())
    }

    fn forget_what_changed(&mut self, rooms: &Rooms) {
        // A room counts, too: one in which only strangers have tried to write has no member that is remembered.
        if self.count + self.rooms.len() + rooms.len() > MOST {
            self.rooms.clear();
            self.count = 0;
        }
        for room in rooms.values() {
            let known = self.rooms.entry(room.id).or_default();
            if known.version != room.members_version {
                self.count -= known.users.len();
                known.users.clear();
                known.version = room.members_version;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn room(id: i64, members_version: i64) -> Rooms {
        let locked = Locked {
            id,
            last_seq: 0,
            last_id: 0,
            members_version,
            members: 1,
            kind: "public".into(),
            is_archived: false,
            slow_seconds: 0,
        };
        Rooms::from([(id, locked)])
    }

    #[test]
    fn no_more_rooms_are_remembered_than_the_limit_however_many_are_written_in() {
        let mut members = Members::default();
        let most = i64::try_from(MOST).expect("a number");
        for id in 0..=most {
            members.forget_what_changed(&room(id, 1));
            assert!(members.rooms.len() <= MOST);
        }
        assert!(
            members.rooms.contains_key(&most),
            "the one at hand is among them"
        );
    }

    #[test]
    fn members_count_for_the_limit_and_are_forgotten_with_their_rooms() {
        let mut members = Members::default();
        members.forget_what_changed(&room(1, 1));
        let users = &mut members.rooms.get_mut(&1).expect("remembered").users;
        let member = Member {
            role: Role::Member,
            muted_until: None,
            has_hidden: false,
        };
        users.extend((0..).take(MOST).map(|id| (id, member)));
        members.count = MOST;
        let one = room(1, 1);
        members.forget_what_changed(&one);
        assert_eq!(members.count, 0);
        assert!(members.find(&one[&1], 7).is_none());
    }
}
