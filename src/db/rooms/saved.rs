//! Messages that someone wants to find again.

use diesel::{connection::Connection as _, prelude::*};

use super::{COLUMNS, Room};
use crate::{
    db::{
        AnyConnection, is_unique_violation,
        schema::{memberships, rooms, saved},
        text::StoredText,
        time::StoredTime,
    },
    protocol::time::Timestamp,
};

/// A saved message.
#[derive(Debug, Queryable)]
pub struct Saved {
    /// Its room.
    pub room: Room,
    /// `public`, `private` or `direct`.
    pub kind: StoredText,
    /// What people call the room.
    pub name: Option<StoredText>,
    /// The message.
    pub id: i64,
    /// Since when it is saved.
    pub at: StoredTime,
}

/// Where a list goes on: after the message that was saved then, of this room and number.
pub type After = (Timestamp, i64, i64);

/// Saves a message for a user; what was saved before stays as it is.
///
/// # Errors
/// When the database fails.
pub fn insert(
    conn: &mut AnyConnection,
    (user_id, room_id, id): (i64, i64, i64),
    at: Timestamp,
) -> QueryResult<()> {
    // A savepoint, since on PostgreSQL a unique violation would end the whole transaction.
    let inserted = conn.transaction(|conn| {
        diesel::insert_into(saved::table)
            .values((
                saved::user_id.eq(user_id),
                saved::room_id.eq(room_id),
                saved::message_id.eq(id),
                saved::created_at.eq(at.naive_utc()),
            ))
            .execute(conn)
    });
    match inserted {
        Err(error) if is_unique_violation(&error) => Ok(()),
        other => other.map(drop),
    }
}

/// Saves a message no longer.
///
/// # Errors
/// When the database fails.
pub fn delete(conn: &mut AnyConnection, saved: (i64, i64, i64)) -> QueryResult<()> {
    diesel::delete(saved::table.find(saved)).execute(conn)?;
    Ok(())
}

/// What a user has saved in rooms that the user is in, latest first.
///
/// # Errors
/// When the database fails.
pub fn list(
    conn: &mut AnyConnection,
    user_id: i64,
    after: Option<After>,
    limit: i64,
) -> QueryResult<Vec<Saved>> {
    let readable = saved::table
        .inner_join(rooms::table.on(rooms::id.eq(saved::room_id)))
        .inner_join(
            memberships::table.on(memberships::room_id
                .eq(saved::room_id)
                .and(memberships::user_id.eq(user_id))),
        )
        .filter(saved::user_id.eq(user_id))
        .order((
            saved::created_at.desc(),
            saved::room_id.desc(),
            saved::message_id.desc(),
        ))
        .limit(limit)
        .select((
            COLUMNS,
            rooms::kind,
            rooms::name,
            saved::message_id,
            saved::created_at,
        ));
    let Some((at, room_id, id)) = after else {
        return on_either!(conn, readable.load());
    };
    let at = at.naive_utc();
    let in_room = saved::room_id
        .lt(room_id)
        .or(saved::room_id.eq(room_id).and(saved::message_id.lt(id)));
    let rest = readable.filter(
        saved::created_at
            .lt(at)
            .or(saved::created_at.eq(at).and(in_room)),
    );
    on_either!(conn, rest.load())
}
