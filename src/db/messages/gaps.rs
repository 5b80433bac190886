//! What tells a number that was lost from one that a later change has taken the place of. Every number of a room was given
//! to a message, which has it between its `id` and its `seq` for ever; a number that lies between those of no message was
//! that of a row which is gone.

use diesel::{prelude::*, sql_types::Bool};

use super::{Only, messages};
use crate::db::AnyConnection;

/// What a message says of its place among the numbers of its room.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Queryable)]
pub struct Link {
    /// Its number.
    pub id: i64,
    /// The number of the latest change to it.
    pub seq: i64,
    /// The message before it, 0 for the first; `None` where every number was a message.
    pub previous: Option<i64>,
}

/// The places of the newest of these messages of a room above this number, oldest first.
///
/// # Errors
/// When the database fails.
pub fn list_links(
    conn: &mut AnyConnection,
    room_id: i64,
    only: Only,
    above: i64,
    limit: i64,
) -> QueryResult<Vec<Link>> {
    let newest = messages::table
        .filter(messages::room_id.eq(room_id))
        .filter(messages::id.gt(above))
        .filter(diesel::dsl::sql::<Bool>(only.condition()))
        .order(messages::id.desc())
        .limit(limit)
        .select((messages::id, messages::seq, messages::previous));
    let mut found: Vec<Link> = on_either!(conn, newest.load())?;
    found.reverse();
    Ok(found)
}

/// The places of messages of a room after one number and up to another, oldest first: not more than `limit`, the newest
/// of them or the oldest.
///
/// # Errors
/// When the database fails.
pub fn list_links_between(
    conn: &mut AnyConnection,
    room_id: i64,
    (after, upto): (i64, i64),
    (limit, is_newest): (i64, bool),
) -> QueryResult<Vec<Link>> {
    let between = messages::table
        .filter(messages::room_id.eq(room_id))
        .filter(messages::id.gt(after))
        .filter(messages::id.le(upto))
        .limit(limit)
        .select((messages::id, messages::seq, messages::previous));
    if is_newest {
        let newest = between.order(messages::id.desc());
        let mut found: Vec<Link> = on_either!(conn, newest.load())?;
        found.reverse();
        Ok(found)
    } else {
        let oldest = between.order(messages::id.asc());
        on_either!(conn, oldest.load())
    }
}

/// The first message from a number on, and the one before it in its room.
///
/// # Errors
/// When the database fails.
pub fn find_from(
    conn: &mut AnyConnection,
    room_id: i64,
    id: i64,
) -> QueryResult<Option<(i64, Option<i64>)>> {
    let from = messages::table
        .filter(messages::room_id.eq(room_id))
        .filter(messages::id.ge(id))
        .order(messages::id.asc())
        .select((messages::id, messages::previous));
    on_either!(conn, from.first()).optional()
}

/// The latest change to any of the messages up to this one; 0 when none was changed.
///
/// # Errors
/// When the database fails.
pub fn find_latest_change(conn: &mut AnyConnection, room_id: i64, upto: i64) -> QueryResult<i64> {
    let changed = messages::table
        .filter(messages::room_id.eq(room_id))
        .filter(messages::seq.gt(messages::id))
        .filter(messages::id.le(upto))
        .order(messages::seq.desc())
        .select(messages::seq);
    let found: Option<i64> = on_either!(conn, changed.first()).optional()?;
    Ok(found.unwrap_or(0))
}

/// A message that has all numbers from this one up to the end between its `id` and its `seq`: its `seq`.
///
/// # Errors
/// When the database fails.
pub fn find_spanning(
    conn: &mut AnyConnection,
    room_id: i64,
    number: i64,
    end: i64,
) -> QueryResult<Option<i64>> {
    // Most often it is the one that was written under this number.
    let own = messages::table
        .find((room_id, number))
        .select(messages::seq)
        .get_result(conn)
        .optional()?;
    if own.is_some() {
        return Ok(own);
    }
    let spanning = messages::table
        .filter(messages::room_id.eq(room_id))
        .filter(messages::seq.gt(messages::id))
        .filter(messages::seq.gt(end))
        .filter(messages::id.lt(number))
        .order(messages::seq.asc())
        .select(messages::seq);
    on_either!(conn, spanning.first()).optional()
}
