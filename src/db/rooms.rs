//! Rooms and who is a member of them.

use diesel::prelude::*;

use super::{
    AnyConnection,
    schema::{memberships, rooms},
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
/// waited for, also when nobody waits for its answer any more.
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
