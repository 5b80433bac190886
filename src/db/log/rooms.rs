//! Making rooms, and changing what they are.

use chrono::NaiveDateTime;
use diesel::{dsl::sql, prelude::*, sql_types::Text};

use crate::{
    db::{
        AnyConnection,
        schema::{memberships, rooms},
    },
    protocol::{looks::at_a_glance, room_names},
};

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
    room_names::looks(name)
}

/// A room to be.
#[derive(Debug, Insertable)]
#[diesel(table_name = rooms)]
pub struct NewRow<'a> {
    /// Its number.
    pub id: i64,
    /// What names it on the wire, for ever.
    pub key: String,
    /// 0: its first change is told as all others are.
    pub last_seq: i64,
    /// When it was made.
    pub created_at: NaiveDateTime,
    /// `public`, `private` or `direct`.
    pub kind: &'a str,
    /// What people call it.
    pub name: Option<&'a str>,
    /// The form of its name by which public rooms are told apart; others have none.
    pub name_key: Option<String>,
    /// Sealed.
    pub topic: Option<String>,
    /// Of a direct room: what stands for all who are in it.
    pub people: Option<&'a str>,
    /// Who has made it.
    pub created_by: i64,
    /// How many come in with it.
    pub members: i64,
}

/// Makes a room.
///
/// # Errors
/// When the database fails; a unique violation when another public room has its name, or another direct room its people.
pub fn insert(conn: &mut AnyConnection, row: &NewRow<'_>) -> QueryResult<()> {
    match conn {
        AnyConnection::Postgres(conn) => diesel::insert_into(rooms::table)
            .values(row)
            .execute(conn)?,
        AnyConnection::Sqlite(conn) => diesel::insert_into(rooms::table)
            .values(row)
            .execute(conn)?,
    };
    Ok(())
}

/// The direct room of these people, and its latest change.
///
/// # Errors
/// When the database fails.
pub fn find_of_people(conn: &mut AnyConnection, people: &str) -> QueryResult<Option<(i64, i64)>> {
    rooms::table
        .filter(rooms::people.eq(people))
        .select((rooms::id, rooms::last_seq))
        .first(conn)
        .optional()
}

/// A room that a user is in.
#[derive(Debug, Clone, Queryable)]
pub struct OwnRoom {
    /// What names it on the wire.
    pub key: String,
    /// `public` or `private`.
    pub kind: String,
    /// Who has made it, if that is known.
    pub created_by: Option<i64>,
}

/// The rooms of this name that a user is in, oldest first.
///
/// # Errors
/// When the database fails.
pub fn list_own(conn: &mut AnyConnection, name: &str, user_id: i64) -> QueryResult<Vec<OwnRoom>> {
    rooms::table
        .inner_join(memberships::table)
        .filter(rooms::name.eq(name))
        .filter(memberships::user_id.eq(user_id))
        .order(rooms::id)
        .select((rooms::key, rooms::kind, rooms::created_by))
        .load(conn)
}

/// How many rooms a user has made since then, direct ones or others. What was made at a time that has not come yet does not count: a clock that
/// was put back must not keep anyone from making rooms.
///
/// # Errors
/// When the database fails.
pub fn count_made(
    conn: &mut AnyConnection,
    user_id: i64,
    is_direct: bool,
    (since, now): (NaiveDateTime, NaiveDateTime),
) -> QueryResult<i64> {
    rooms::table
        .filter(rooms::kind.eq("direct").eq(is_direct))
        .filter(rooms::created_by.eq(user_id))
        .filter(rooms::created_at.gt(since))
        .filter(rooms::created_at.le(now))
        .count()
        .get_result(conn)
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

/// Whether another public room has a name that looks like this one. Beyond what a room has for itself (`name_key`), so that rooms
/// from before this rule, which look alike, stay.
///
/// # Errors
/// When the database fails.
pub fn has_alike(conn: &mut AnyConnection, name: &str, except: i64) -> QueryResult<bool> {
    // The index `rooms_by_looks` is on just this.
    let looks = sql::<Text>("REPLACE(REPLACE(name_key, 'w', 'vv'), '_', '-')");
    let found: Option<i64> = rooms::table
        .filter(rooms::name_key.is_not_null())
        .filter(looks.eq(at_a_glance(name)))
        .filter(rooms::id.ne(except))
        .select(rooms::id)
        .first(conn)
        .optional()?;
    Ok(found.is_some())
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
