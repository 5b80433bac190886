//! Entries for rooms that their makers may not know of. They are refused like entries for rooms that are not there, and at
//! the same step: before anything is locked or looked up that only a room has. What is let past is judged under the lock.

use std::collections::BTreeSet;

use crate::{
    db::{
        AnyConnection, QueryError,
        rooms::seen::{self, Pair},
    },
    journal::{
        entry::{Change, Entry},
        members::Members,
    },
};

/// Those of these pairs whose user may not know of the room. Whoever is remembered as a member of it is not looked up: if
/// they are none any more, they know of it all the same.
///
/// # Errors
/// When the database fails.
pub fn list(
    conn: &mut AnyConnection,
    pairs: impl Iterator<Item = Pair>,
    members: &Members,
) -> Result<BTreeSet<Pair>, QueryError> {
    let unknown = pairs.filter(|pair| !members.remembers(*pair));
    seen::list_unseen(conn, unknown.collect())
}

/// The room that an entry is about, and who makes it. A room that is to begin is no one's yet; and what a room says by itself
/// no one asks for: it finds out under the lock that whoever was the heir is not in it any more, and notes that.
pub fn pair(entry: &Entry) -> Option<Pair> {
    let is_of_no_one = matches!(entry.change, Change::Begin(_) | Change::Inherit);
    (!is_of_no_one).then_some((entry.room, entry.actor.user_id))
}

/// Whether this is the entry of one of these.
pub fn holds(unseen: &BTreeSet<Pair>, entry: &Entry) -> bool {
    pair(entry).is_some_and(|pair| unseen.contains(&pair))
}
