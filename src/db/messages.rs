//! Messages: reading pages of a room's log, and appending to it.

use chrono::NaiveDateTime;
use diesel::prelude::*;

use super::{
    AnyConnection,
    schema::{messages, users},
    time::StoredTime,
};

mod append;
mod insert;
mod members;
pub(crate) mod numbering;

pub use append::{At, append};
pub use members::Members;

/// A message and who wrote it.
#[derive(Debug, Clone, Queryable)]
pub struct Message {
    /// Its number in the room.
    pub id: i64,
    /// The number of the latest change to it.
    pub seq: i64,
    /// Who wrote it.
    pub user_id: i64,
    /// Who wrote it, by name; `None` when that account is not there.
    pub username: Option<String>,
    /// What the sender called it.
    pub client_id: Option<String>,
    /// Sealed.
    pub content: String,
    /// When it was stored.
    pub created_at: StoredTime,
}

/// The part of a room's log that is wanted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Page {
    /// The newest messages.
    Latest,
    /// Messages with a smaller id, the nearest ones.
    Before(i64),
    /// Messages with a greater id, the nearest ones.
    After(i64),
    /// Half of the page up to this id, half after it.
    Around(i64),
    /// Messages changed after this change, in the order of their changes.
    Since(i64),
}

macro_rules! columns {
    () => {
        (
            messages::id,
            messages::seq,
            messages::user_id,
            users::username.nullable(),
            messages::client_id,
            messages::content,
            messages::created_at,
        )
    };
}

/// A page of a room: oldest first, but [`Page::Since`] in the order of the changes.
///
/// # Errors
/// When the database fails.
pub fn list(
    conn: &mut AnyConnection,
    room_id: i64,
    page: Page,
    limit: i64,
) -> QueryResult<Vec<Message>> {
    match page {
        Page::Latest => list_before(conn, room_id, i64::MAX, limit),
        Page::Before(id) => list_before(conn, room_id, id, limit),
        Page::After(id) => list_after(conn, room_id, id, limit),
        Page::Around(id) => {
            let mut found = list_before(conn, room_id, id.saturating_add(1), limit - limit / 2)?;
            found.extend(list_after(conn, room_id, id, limit / 2)?);
            Ok(found)
        }
        Page::Since(seq) => messages::table
            .left_join(users::table)
            .filter(messages::room_id.eq(room_id))
            .filter(messages::seq.gt(seq))
            .order(messages::seq.asc())
            .limit(limit)
            .select(columns!())
            .load(conn),
    }
}

fn list_before(
    conn: &mut AnyConnection,
    room_id: i64,
    id: i64,
    limit: i64,
) -> QueryResult<Vec<Message>> {
    let mut found: Vec<Message> = messages::table
        .left_join(users::table)
        .filter(messages::room_id.eq(room_id))
        .filter(messages::id.lt(id))
        .order(messages::id.desc())
        .limit(limit)
        .select(columns!())
        .load(conn)?;
    found.reverse();
    Ok(found)
}

fn list_after(
    conn: &mut AnyConnection,
    room_id: i64,
    id: i64,
    limit: i64,
) -> QueryResult<Vec<Message>> {
    messages::table
        .left_join(users::table)
        .filter(messages::room_id.eq(room_id))
        .filter(messages::id.gt(id))
        .order(messages::id.asc())
        .limit(limit)
        .select(columns!())
        .load(conn)
}

/// Changes what is stored as a message's text and nothing else: not its number, so that no client hears of it. False
/// when there is no such message.
///
/// # Errors
/// When the database fails.
pub fn update_content(
    conn: &mut AnyConnection,
    room_id: i64,
    id: i64,
    sealed: &str,
) -> QueryResult<bool> {
    let updated = diesel::update(messages::table.find((room_id, id)))
        .set(messages::content.eq(sealed))
        .execute(conn)?;
    Ok(updated == 1)
}

/// A message that is to be appended to its room's log.
#[derive(Debug, Clone, Copy)]
pub struct Draft<'a> {
    /// The room's name.
    pub room: &'a str,
    /// Who writes it.
    pub user_id: i64,
    /// Through which login.
    pub session_id: i64,
    /// What the sender calls it.
    pub client_id: Option<&'a str>,
    /// Sealed.
    pub content: &'a str,
}

/// What became of a [`Draft`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Appended {
    /// It is the room's change and message number `id`.
    Stored {
        /// The room.
        room_id: i64,
        /// The message's number.
        id: i64,
    },
    /// The same sender had stored a message of this `client_id` before.
    Before {
        /// The number of that one.
        id: i64,
        /// The number of the latest change to it.
        seq: i64,
        /// Its content, sealed.
        content: String,
        /// When it was stored.
        created_at: NaiveDateTime,
    },
    /// There is no such room, or the sender is not a member of it.
    NoSuchRoom,
    /// The login through which it was sent has ended.
    LoginEnded,
}
