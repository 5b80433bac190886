//! What people have begun to write.

use diesel::{connection::Connection as _, prelude::*};

use super::{
    AnyConnection, is_unique_violation, schema::drafts, text::StoredText, time::StoredTime,
};
use crate::protocol::time::Timestamp;

/// Where a draft stands: whose it is, in which room, and in which thread of it; 0: in the room itself.
pub type Spot = (i64, i64, i64);

/// A draft, if there is one: sealed, and when it was changed last.
///
/// # Errors
/// When the database fails.
pub fn find(conn: &mut AnyConnection, spot: Spot) -> QueryResult<Option<(StoredText, StoredTime)>> {
    drafts::table
        .find(spot)
        .select((drafts::content, drafts::updated_at))
        .first(conn)
        .optional()
}

/// Puts a draft in the place of the one that was there, if any.
///
/// # Errors
/// When the database fails.
pub fn put(conn: &mut AnyConnection, spot: Spot, sealed: &str, at: Timestamp) -> QueryResult<()> {
    if update(conn, spot, sealed, at)? {
        return Ok(());
    }
    // A savepoint, since on PostgreSQL a unique violation would end the whole transaction: another device of the user may
    // have begun the same one.
    let inserted = conn.transaction(|conn| {
        let (user_id, room_id, thread) = spot;
        diesel::insert_into(drafts::table)
            .values((
                drafts::user_id.eq(user_id),
                drafts::room_id.eq(room_id),
                drafts::thread.eq(thread),
                drafts::content.eq(sealed),
                drafts::updated_at.eq(at.naive_utc()),
            ))
            .execute(conn)
    });
    match inserted {
        Err(error) if is_unique_violation(&error) => update(conn, spot, sealed, at).map(drop),
        other => other.map(drop),
    }
}

fn update(conn: &mut AnyConnection, spot: Spot, sealed: &str, at: Timestamp) -> QueryResult<bool> {
    let updated = diesel::update(drafts::table.find(spot))
        .set((
            drafts::content.eq(sealed),
            drafts::updated_at.eq(at.naive_utc()),
        ))
        .execute(conn)?;
    Ok(updated > 0)
}

/// Deletes a draft; false when there was none.
///
/// # Errors
/// When the database fails.
pub fn delete(conn: &mut AnyConnection, spot: Spot) -> QueryResult<bool> {
    let deleted = diesel::delete(drafts::table.find(spot)).execute(conn)?;
    Ok(deleted > 0)
}

/// A sealed text, and where it belongs.
#[derive(Debug, Queryable)]
pub struct Sealed {
    /// Whose it is.
    pub user_id: i64,
    /// In which room.
    pub room_id: i64,
    /// In which thread of it; 0: in the room itself.
    pub thread: i64,
    /// Sealed.
    pub content: StoredText,
}

/// The drafts after this one, by where they stand.
///
/// # Errors
/// When the database fails.
pub fn list_sealed(conn: &mut AnyConnection, after: Spot, limit: i64) -> QueryResult<Vec<Sealed>> {
    let (user_id, room_id, thread) = after;
    let in_room = drafts::room_id
        .gt(room_id)
        .or(drafts::room_id.eq(room_id).and(drafts::thread.gt(thread)));
    let mut found: Vec<Sealed> = drafts::table
        .filter(
            drafts::user_id
                .gt(user_id)
                .or(drafts::user_id.eq(user_id).and(in_room)),
        )
        .order((drafts::user_id, drafts::room_id, drafts::thread))
        .limit(limit)
        .select((
            drafts::user_id,
            drafts::room_id,
            drafts::thread,
            drafts::content,
        ))
        .load(conn)?;
    // In SQLite a number may be a text, which is above all numbers and read as 0.
    found.retain(|row| (row.user_id, row.room_id, row.thread) > after);
    Ok(found)
}
