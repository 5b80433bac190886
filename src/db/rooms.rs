//! Rooms and who is a member of them.

use diesel::prelude::*;

use super::{
    AnyConnection,
    schema::{memberships, messages, rooms},
};

/// A room as its member sees it.
#[derive(Debug, Clone, PartialEq, Eq, Queryable)]
pub struct Room {
    /// The key.
    pub id: i64,
    /// The name.
    pub name: String,
    /// The number of its latest change.
    pub last_seq: i64,
}

/// The rooms that a user is a member of, by name.
///
/// # Errors
/// When the database fails.
pub fn list_of_member(conn: &mut AnyConnection, user_id: i64) -> QueryResult<Vec<Room>> {
    memberships::table
        .inner_join(rooms::table)
        .filter(memberships::user_id.eq(user_id))
        .order(rooms::name)
        .select((rooms::id, rooms::name, rooms::last_seq))
        .load(conn)
}

/// The rooms of these names, with the numbers of their latest changes. A commit to them that is still on its way is
/// waited for, also when no one waits for its answer any more.
///
/// # Errors
/// When the database fails.
pub fn list_numbers(conn: &mut AnyConnection, names: &[&str]) -> QueryResult<Vec<(i64, i64)>> {
    let query = rooms::table
        .filter(rooms::name.eq_any(names))
        .order(rooms::id)
        .select((rooms::id, rooms::last_seq));
    match conn {
        // Whoever appends to a room locks its row.
        AnyConnection::Postgres(conn) => query.for_share().load(conn),
        // A commit of this process that has failed is no longer on its way, and there is no other process.
        AnyConnection::Sqlite(conn) => query.load(conn),
    }
}

/// All rooms, oldest first.
///
/// # Errors
/// When the database fails.
pub fn list_all(conn: &mut AnyConnection) -> QueryResult<Vec<Room>> {
    rooms::table
        .order(rooms::id)
        .select((rooms::id, rooms::name, rooms::last_seq))
        .load(conn)
}

/// All rooms, with the numbers of their latest changes.
///
/// # Errors
/// When the database fails.
pub fn list_all_numbers(conn: &mut AnyConnection) -> QueryResult<Vec<(i64, u64)>> {
    let found: Vec<(i64, i64)> = rooms::table
        .order(rooms::id)
        .select((rooms::id, rooms::last_seq))
        .load(conn)?;
    Ok(found
        .into_iter()
        .map(|(id, seq)| (id, seq.unsigned_abs()))
        .collect())
}

/// The greatest number that a room's messages have, 0 when it has none.
///
/// # Errors
/// When the database fails.
pub fn find_greatest(conn: &mut AnyConnection, room_id: i64) -> QueryResult<i64> {
    let of_room = messages::table.filter(messages::room_id.eq(room_id));
    let id: Option<i64> = of_room
        .select(messages::id)
        .order(messages::id.desc())
        .first(conn)
        .optional()?;
    let seq: Option<i64> = of_room
        .select(messages::seq)
        .order(messages::seq.desc())
        .first(conn)
        .optional()?;
    Ok(id.max(seq).unwrap_or(0))
}

/// Puts right the count of rooms that hold messages above it: someone has changed it by hand, and no message could be
/// stored any more.
///
/// # Errors
/// When the database fails.
pub fn heal(conn: &mut AnyConnection) -> QueryResult<()> {
    for (room_id, last_seq) in list_all_numbers(conn)? {
        let greatest = find_greatest(conn, room_id)?;
        if greatest.unsigned_abs() > last_seq {
            say_healed(room_id, last_seq, greatest);
            diesel::update(
                rooms::table
                    .find(room_id)
                    .filter(rooms::last_seq.lt(greatest)),
            )
            .set(rooms::last_seq.eq(greatest))
            .execute(conn)?;
        }
    }
    Ok(())
}

/// Says that a room's count was not what its messages are.
pub fn say_healed(room_id: i64, last_seq: impl std::fmt::Display, greatest: i64) {
    log::error!(
        "room {room_id} counted {last_seq} changes but holds number {greatest}: rooms.last_seq was changed by hand; it goes on from {greatest}"
    );
}

/// A room, looked up through the caller's membership: `None` when there is none or it is not the caller's.
///
/// # Errors
/// When the database fails.
pub fn find_of_member(
    conn: &mut AnyConnection,
    name: &str,
    user_id: i64,
) -> QueryResult<Option<Room>> {
    memberships::table
        .inner_join(rooms::table)
        .filter(memberships::user_id.eq(user_id))
        .filter(rooms::name.eq(name))
        .select((rooms::id, rooms::name, rooms::last_seq))
        .first(conn)
        .optional()
}
