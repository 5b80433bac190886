//! Who is a member of which room, remembered by a writer, so that a message costs no query for it. What is remembered is
//! never stale: a room counts the changes of its members in the row that the writer locks anyway, and when that count is
//! another one, all is looked up again. (Who was added is not remembered as anything yet, so that need not be counted.)

use std::collections::{HashMap, HashSet};

use diesel::prelude::*;

use super::{
    DraftRow,
    lock::{Locked, Rooms},
};
use crate::db::{AnyConnection, schema::memberships};

/// Most members that are remembered, some megabytes.
const MOST: usize = 100_000;

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
    users: HashSet<i64>,
}

impl Members {
    /// Whether the user is a member of this room. [`Self::learn`] must have been asked in the same transaction.
    pub(super) fn contains(&self, room: &Locked, user_id: i64) -> bool {
        self.rooms
            .get(&room.id)
            .is_some_and(|known| known.users.contains(&user_id))
    }

    /// Looks up those senders that are not remembered; no one, as a rule. The rooms must be locked.
    ///
    /// # Errors
    /// When the database fails.
    pub(super) fn learn(
        &mut self,
        conn: &mut AnyConnection,
        drafts: &[DraftRow<'_>],
        rooms: &Rooms,
    ) -> QueryResult<()> {
        self.forget_what_changed(rooms);
        let unknown: HashSet<(i64, i64)> = drafts
            .iter()
            .filter_map(|draft| Some((rooms.get(&draft.room_id)?, draft.user_id)))
            .filter(|(room, user_id)| !self.contains(room, *user_id))
            .map(|(room, user_id)| (room.id, user_id))
            .collect();
        if unknown.is_empty() {
            return Ok(());
        }
        let (room_ids, user_ids): (HashSet<i64>, HashSet<i64>) = unknown.into_iter().unzip();
        let query = memberships::table
            .filter(memberships::room_id.eq_any(room_ids.into_iter().collect::<Vec<_>>()))
            .filter(memberships::user_id.eq_any(user_ids.into_iter().collect::<Vec<_>>()))
            .select((memberships::room_id, memberships::user_id));
        let found: Vec<(i64, i64)> = match conn {
            AnyConnection::Postgres(conn) => query.load(conn)?,
            AnyConnection::Sqlite(conn) => query.load(conn)?,
        };
        for (room_id, user_id) in found {
            let users = &mut self.rooms.entry(room_id).or_default().users;
            self.count += usize::from(users.insert(user_id));
        }
        Ok(())
    }

    fn forget_what_changed(&mut self, rooms: &Rooms) {
        if self.count > MOST {
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
