//! Direct rooms that a member has hidden.

use diesel::prelude::*;

use crate::db::{
    AnyConnection,
    schema::{memberships, rooms},
};

/// The newest message of a room.
fn find_newest(conn: &mut AnyConnection, room_id: i64) -> QueryResult<i64> {
    let newest: Option<i64> = rooms::table
        .find(room_id)
        .select(rooms::last_message_id)
        .get_result(conn)
        .optional()?;
    Ok(newest.unwrap_or(0))
}

/// Leaves a direct room out of its member's list as long as no message comes after those that are there.
///
/// # Errors
/// When the database fails.
pub fn hide(conn: &mut AnyConnection, room_id: i64, user_id: i64) -> QueryResult<()> {
    let newest = find_newest(conn, room_id)?;
    diesel::update(memberships::table.find((room_id, user_id)))
        .set(memberships::hidden_seq.eq(newest))
        .execute(conn)?;
    Ok(())
}

/// Whether a member has hidden a room and no message has come since, and the room's newest message; `None` for no member.
///
/// # Errors
/// When the database fails.
pub fn find_hidden(
    conn: &mut AnyConnection,
    room_id: i64,
    user_id: i64,
) -> QueryResult<Option<(bool, i64)>> {
    let found: Option<(Option<i64>, i64)> = memberships::table
        .inner_join(rooms::table)
        .filter(memberships::room_id.eq(room_id))
        .filter(memberships::user_id.eq(user_id))
        .select((memberships::hidden_seq, rooms::last_message_id))
        .get_result(conn)
        .optional()?;
    Ok(found.map(|(upto, newest)| (upto.is_some_and(|upto| upto >= newest), newest)))
}

/// Who has hidden a room, in which no message has come since.
///
/// # Errors
/// When the database fails.
pub fn list_hiding(conn: &mut AnyConnection, room_id: i64) -> QueryResult<Vec<i64>> {
    memberships::table
        .inner_join(rooms::table)
        .filter(memberships::room_id.eq(room_id))
        .filter(memberships::hidden_seq.ge(rooms::last_message_id.nullable()))
        .select(memberships::user_id)
        .load(conn)
}

/// Notes that a member has written in a direct room into which they were brought: it is not hidden from then on.
///
/// # Errors
/// When the database fails.
pub fn open(conn: &mut AnyConnection, room_id: i64, user_id: i64) -> QueryResult<()> {
    unhide(conn, room_id, user_id).map(drop)
}

/// Shows a direct room in its member's list again. False when it was not hidden.
///
/// # Errors
/// When the database fails.
pub fn unhide(conn: &mut AnyConnection, room_id: i64, user_id: i64) -> QueryResult<bool> {
    let row = memberships::table.find((room_id, user_id));
    let shown = diesel::update(row.filter(memberships::hidden_seq.is_not_null()))
        .set(memberships::hidden_seq.eq(None::<i64>))
        .execute(conn)?;
    Ok(shown > 0)
}
