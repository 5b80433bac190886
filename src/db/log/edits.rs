//! Changing a message that is there.

use chrono::NaiveDateTime;
use diesel::{dsl::max, prelude::*};

use crate::db::{
    AnyConnection,
    schema::{message_versions, messages, reactions},
    text::StoredText,
    time::StoredTime,
};

/// A message that is to be changed.
#[derive(Debug, Queryable)]
pub struct Target {
    /// The number of the latest change to it.
    pub seq: i64,
    /// Who wrote it.
    pub author: i64,
    /// `text` or `system`.
    #[diesel(deserialize_as = StoredText)]
    pub kind: String,
    /// Sealed.
    #[diesel(deserialize_as = StoredText)]
    pub content: String,
    /// What binds it to its place.
    pub mac: Option<StoredText>,
    /// When it was written.
    pub created_at: StoredTime,
    /// When it was edited last.
    pub edited_at: Option<StoredTime>,
    /// Since when it is only a tombstone.
    pub deleted_at: Option<StoredTime>,
    /// Who has pinned it.
    pub pinned_by: Option<i64>,
    /// The first message of the thread in which it is a reply.
    pub thread: Option<i64>,
    /// Whether it stands in that alone.
    pub thread_only: bool,
    /// Whom it mentions, and where.
    pub mentions: Option<StoredText>,
}

/// The message of this number, if there is one.
///
/// # Errors
/// When the database fails.
pub fn find(conn: &mut AnyConnection, room_id: i64, id: i64) -> QueryResult<Option<Target>> {
    messages::table
        .find((room_id, id))
        .select((
            messages::seq,
            messages::user_id,
            messages::kind,
            messages::content,
            messages::mac,
            messages::created_at,
            messages::edited_at,
            messages::deleted_at,
            messages::pinned_by,
            messages::thread,
            messages::thread_only,
            messages::mentions,
        ))
        .get_result(conn)
        .optional()
}

/// The change that gave a message the text that it has.
///
/// # Errors
/// When the database fails.
pub fn find_latest_edit(conn: &mut AnyConnection, room_id: i64, id: i64) -> QueryResult<i64> {
    let latest: Option<i64> = message_versions::table
        .filter(message_versions::room_id.eq(room_id))
        .filter(message_versions::message_id.eq(id))
        .select(max(message_versions::seq))
        .get_result(conn)?;
    Ok(latest.unwrap_or(id))
}

/// How often a message was edited.
///
/// # Errors
/// When the database fails.
pub fn count_versions(conn: &mut AnyConnection, room_id: i64, id: i64) -> QueryResult<i64> {
    message_versions::table
        .filter(message_versions::room_id.eq(room_id))
        .filter(message_versions::message_id.eq(id))
        .count()
        .get_result(conn)
}

/// What a message said before it was edited.
#[derive(Debug, Queryable)]
pub struct VersionRow {
    /// The change that put another text in its place.
    pub seq: i64,
    /// Sealed.
    #[diesel(deserialize_as = StoredText)]
    pub content: String,
    /// What binds it to its place.
    pub mac: Option<StoredText>,
    /// Since when it said so.
    pub created_at: StoredTime,
}

/// What a message said before each of its edits after this change, oldest first.
///
/// # Errors
/// When the database fails.
pub fn list_versions(
    conn: &mut AnyConnection,
    (room_id, id): (i64, i64),
    after: i64,
    limit: i64,
) -> QueryResult<Vec<VersionRow>> {
    message_versions::table
        .filter(message_versions::room_id.eq(room_id))
        .filter(message_versions::message_id.eq(id))
        .filter(message_versions::seq.gt(after))
        .order(message_versions::seq)
        .limit(limit)
        .select((
            message_versions::seq,
            message_versions::content,
            message_versions::mac,
            message_versions::created_at,
        ))
        .load(conn)
}

/// What some message of a room said before an edit, and where it belongs.
#[derive(Debug, Queryable)]
pub struct PlacedVersion {
    /// The message.
    pub message_id: i64,
    /// Who wrote it.
    pub author: i64,
    /// `text` or `system`.
    #[diesel(deserialize_as = StoredText)]
    pub kind: String,
    /// What it said.
    pub version: VersionRow,
}

/// The next versions in a room after one of this message and change.
///
/// # Errors
/// When the database fails.
pub fn list_versions_of_room(
    conn: &mut AnyConnection,
    room_id: i64,
    (message_id, seq): (i64, i64),
    limit: i64,
) -> QueryResult<Vec<PlacedVersion>> {
    let later = message_versions::message_id
        .gt(message_id)
        .or(message_versions::seq.gt(seq));
    let mut found: Vec<PlacedVersion> = message_versions::table
        .inner_join(
            messages::table.on(messages::room_id
                .eq(message_versions::room_id)
                .and(messages::id.eq(message_versions::message_id))),
        )
        .filter(message_versions::room_id.eq(room_id))
        .filter(message_versions::message_id.ge(message_id))
        .filter(later)
        .order((message_versions::message_id, message_versions::seq))
        .limit(limit)
        .select((
            message_versions::message_id,
            messages::user_id,
            messages::kind,
            (
                message_versions::seq,
                message_versions::content,
                message_versions::mac,
                message_versions::created_at,
            ),
        ))
        .load(conn)?;
    // In SQLite a number may be a text, which is above all numbers and read as 0.
    found.retain(|row| (row.message_id, row.version.seq) > (message_id, seq));
    Ok(found)
}

/// A change of a message.
#[derive(Debug, Clone, Copy)]
pub struct Numbered {
    /// The room.
    pub room_id: i64,
    /// The message.
    pub id: i64,
    /// The change's number.
    pub seq: i64,
    /// When.
    pub at: NaiveDateTime,
}

/// Gives a message another text, and keeps the one that it had, with what binds it.
///
/// # Errors
/// When the database fails.
pub fn set_content(
    conn: &mut AnyConnection,
    change: Numbered,
    before: (&Target, Option<&str>),
    now: (&str, &str),
) -> QueryResult<()> {
    let (before, mac_before) = before;
    let said_at = before.edited_at.unwrap_or(before.created_at);
    diesel::insert_into(message_versions::table)
        .values((
            message_versions::room_id.eq(change.room_id),
            message_versions::message_id.eq(change.id),
            message_versions::seq.eq(change.seq),
            message_versions::content.eq(&before.content),
            message_versions::mac.eq(mac_before),
            message_versions::created_at.eq(said_at.get()),
        ))
        .execute(conn)?;
    let (content, mac) = now;
    diesel::update(messages::table.find((change.room_id, change.id)))
        .set((
            messages::content.eq(content),
            messages::mac.eq(mac),
            messages::edited_at.eq(change.at),
            messages::seq.eq(change.seq),
        ))
        .execute(conn)?;
    Ok(())
}

/// Makes a tombstone of a message: its text, what it said before, and the reactions to it are gone.
///
/// # Errors
/// When the database fails.
pub fn delete(conn: &mut AnyConnection, change: Numbered) -> QueryResult<()> {
    diesel::delete(
        message_versions::table
            .filter(message_versions::room_id.eq(change.room_id))
            .filter(message_versions::message_id.eq(change.id)),
    )
    .execute(conn)?;
    diesel::delete(
        reactions::table
            .filter(reactions::room_id.eq(change.room_id))
            .filter(reactions::message_id.eq(change.id)),
    )
    .execute(conn)?;
    diesel::update(messages::table.find((change.room_id, change.id)))
        .set((
            messages::content.eq(""),
            messages::mentions.eq(None::<String>),
            messages::mac.eq(None::<String>),
            messages::deleted_at.eq(change.at),
            messages::pinned_by.eq(None::<i64>),
            messages::pinned_at.eq(None::<NaiveDateTime>),
            messages::seq.eq(change.seq),
        ))
        .execute(conn)?;
    Ok(())
}

/// Pins a message, or with no one unpins it.
///
/// # Errors
/// When the database fails.
pub fn set_pinned(conn: &mut AnyConnection, change: Numbered, by: Option<i64>) -> QueryResult<()> {
    diesel::update(messages::table.find((change.room_id, change.id)))
        .set((
            messages::pinned_by.eq(by),
            messages::pinned_at.eq(by.map(|_| change.at)),
            messages::seq.eq(change.seq),
        ))
        .execute(conn)?;
    Ok(())
}

/// Notes that something about a message has changed.
///
/// # Errors
/// When the database fails.
pub fn set_seq(conn: &mut AnyConnection, change: Numbered) -> QueryResult<()> {
    diesel::update(messages::table.find((change.room_id, change.id)))
        .set(messages::seq.eq(change.seq))
        .execute(conn)?;
    Ok(())
}
