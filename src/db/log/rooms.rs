//! Changing what a room is.

use chrono::NaiveDateTime;
use diesel::prelude::*;

use crate::db::{AnyConnection, schema::rooms};

/// What can be changed of a room, as it is stored.
#[derive(Debug, Clone, Queryable)]
pub struct Description {
    /// What people call it.
    pub name: Option<String>,
    /// `public`, `private` or `direct`.
    pub kind: String,
    /// Sealed.
    pub topic: Option<String>,
    /// Whether it is archived.
    pub is_archived: bool,
    /// Seconds that members wait between two messages.
    pub slow_seconds: i64,
}

/// The form of a name by which public rooms are told apart.
#[must_use]
pub fn key_of_name(name: &str) -> String {
    name.to_lowercase()
}

/// What a room is.
///
/// # Errors
/// When the database fails.
pub fn find(conn: &mut AnyConnection, room_id: i64) -> QueryResult<Description> {
    rooms::table
        .find(room_id)
        .select((
            rooms::name,
            rooms::kind,
            rooms::topic,
            rooms::archived_at.is_not_null(),
            rooms::slow_seconds,
        ))
        .get_result(conn)
}

/// Gives a room a name and a kind. A public one has its name for itself.
///
/// # Errors
/// When the database fails; a unique violation when another public room has that name.
pub fn set_name(
    conn: &mut AnyConnection,
    room_id: i64,
    name: Option<&str>,
    kind: &str,
) -> QueryResult<()> {
    let key = name.filter(|_| kind == "public").map(key_of_name);
    diesel::update(rooms::table.find(room_id))
        .set((
            rooms::name.eq(name),
            rooms::name_key.eq(key),
            rooms::kind.eq(kind),
        ))
        .execute(conn)?;
    Ok(())
}

/// Sets a room's topic, which is sealed.
///
/// # Errors
/// When the database fails.
pub fn set_topic(conn: &mut AnyConnection, room_id: i64, topic: Option<&str>) -> QueryResult<()> {
    diesel::update(rooms::table.find(room_id))
        .set(rooms::topic.eq(topic))
        .execute(conn)?;
    Ok(())
}

/// Archives a room, or brings it back.
///
/// # Errors
/// When the database fails.
pub fn set_archived(
    conn: &mut AnyConnection,
    room_id: i64,
    at: Option<NaiveDateTime>,
) -> QueryResult<()> {
    diesel::update(rooms::table.find(room_id))
        .set(rooms::archived_at.eq(at))
        .execute(conn)?;
    Ok(())
}

/// Sets how long members wait between two messages.
///
/// # Errors
/// When the database fails.
pub fn set_slow(conn: &mut AnyConnection, room_id: i64, seconds: i64) -> QueryResult<()> {
    diesel::update(rooms::table.find(room_id))
        .set(rooms::slow_seconds.eq(seconds))
        .execute(conn)?;
    Ok(())
}
