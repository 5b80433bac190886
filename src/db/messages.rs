//! Messages: reading pages of a room's log, and appending to it.

use std::collections::{HashMap, HashSet};

use chrono::NaiveDateTime;
use diesel::prelude::*;

use super::{
    AnyConnection,
    conn::{WriteError, write},
    is_unique_violation,
    schema::{memberships, messages, rooms, users},
};
use crate::protocol::time::Timestamp;
use numbering::{Known, NewMessage, place};

pub(crate) mod numbering;

/// A message and who wrote it.
#[derive(Debug, Clone, Queryable)]
pub struct Message {
    /// Its number in the room.
    pub id: i64,
    /// The number of the latest change to it.
    pub seq: i64,
    /// Who wrote it.
    pub user_id: i64,
    /// Who wrote it, by name.
    pub username: String,
    /// What the sender called it.
    pub client_id: Option<String>,
    /// Sealed.
    pub content: String,
    /// When it was stored.
    pub created_at: NaiveDateTime,
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
            users::username,
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
            .inner_join(users::table)
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
        .inner_join(users::table)
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
        .inner_join(users::table)
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
}

/// Appends all drafts in one transaction, in their order; the numbers of each room run on without a hole. The room's
/// row is locked while its numbers are taken, so that the order of commits and the order of numbers are one.
///
/// # Errors
/// [`WriteError`], for all of them together.
pub fn append(
    conn: &mut AnyConnection,
    drafts: &[Draft<'_>],
    now: Timestamp,
) -> Result<Vec<Appended>, WriteError> {
    // Nearly all drafts are new, so they are inserted as if all were. The unique index is what finds the others; then
    // all is begun anew, with care.
    match write(conn, |conn| append_with(conn, drafts, now, Care::Hope)) {
        Err(WriteError::Refused(error)) if is_unique_violation(&error) => {
            write(conn, |conn| append_with(conn, drafts, now, Care::LookFirst))
        }
        outcome => outcome,
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Care {
    /// Take all drafts for new.
    Hope,
    /// Look which of them were stored before.
    LookFirst,
}

fn append_with(
    conn: &mut AnyConnection,
    drafts: &[Draft<'_>],
    now: Timestamp,
    care: Care,
) -> QueryResult<Vec<Appended>> {
    let rooms = lock_rooms(conn, drafts)?;
    let members = list_members(conn, drafts, &rooms)?;
    let allowed = |draft: &Draft<'_>| {
        let room = rooms.get(draft.room)?;
        members.contains(&(room.0, draft.user_id)).then_some(*room)
    };
    let known = match care {
        Care::Hope => None,
        Care::LookFirst => Some(list_known(conn, drafts, &rooms)?),
    };
    let placed = place(drafts, known.as_ref(), now, allowed);
    insert(conn, &placed.rows)?;
    for (room_id, last_seq) in placed.last_seqs {
        diesel::update(rooms::table.find(room_id))
            .set(rooms::last_seq.eq(last_seq))
            .execute(conn)?;
    }
    Ok(placed.outcomes)
}

type RoomNumbers<'a> = HashMap<&'a str, (i64, i64)>;

fn lock_rooms<'a>(conn: &mut AnyConnection, drafts: &[Draft<'a>]) -> QueryResult<RoomNumbers<'a>> {
    let names: HashSet<&'a str> = drafts.iter().map(|draft| draft.room).collect();
    let query = rooms::table
        .filter(rooms::name.eq_any(names.iter().copied().collect::<Vec<_>>()))
        // Always in the same order, so that two writers cannot wait for each other.
        .order(rooms::id)
        .select((rooms::name, rooms::id, rooms::last_seq));
    let found: Vec<(String, i64, i64)> = match conn {
        // Not `FOR UPDATE`: that would wait for everyone who becomes a member of the room, and they for us.
        AnyConnection::Postgres(conn) => query.for_no_key_update().load(conn)?,
        // BEGIN IMMEDIATE has made us the only writer.
        AnyConnection::Sqlite(conn) => query.load(conn)?,
    };
    Ok(found
        .into_iter()
        .filter_map(|(name, id, last_seq)| Some((*names.get(name.as_str())?, (id, last_seq))))
        .collect())
}

fn list_members(
    conn: &mut AnyConnection,
    drafts: &[Draft<'_>],
    rooms: &RoomNumbers<'_>,
) -> QueryResult<HashSet<(i64, i64)>> {
    let senders: HashSet<i64> = drafts.iter().map(|draft| draft.user_id).collect();
    let query = memberships::table
        .filter(memberships::room_id.eq_any(rooms.values().map(|room| room.0).collect::<Vec<_>>()))
        .filter(memberships::user_id.eq_any(senders.into_iter().collect::<Vec<_>>()))
        .select((memberships::room_id, memberships::user_id));
    let found: Vec<(i64, i64)> = match conn {
        AnyConnection::Postgres(conn) => query.load(conn)?,
        AnyConnection::Sqlite(conn) => query.load(conn)?,
    };
    Ok(found.into_iter().collect())
}

/// Those of the drafts that were stored before, by room, sender and `client_id`.
fn list_known<'a>(
    conn: &mut AnyConnection,
    drafts: &[Draft<'a>],
    rooms: &RoomNumbers<'_>,
) -> QueryResult<Known<'a>> {
    let mut known = HashMap::new();
    for draft in drafts {
        let (Some((room_id, _)), Some(client_id)) = (rooms.get(draft.room), draft.client_id) else {
            continue;
        };
        let found = messages::table
            .filter(messages::room_id.eq(room_id))
            .filter(messages::user_id.eq(draft.user_id))
            .filter(messages::client_id.eq(client_id))
            .select((
                messages::id,
                messages::seq,
                messages::content,
                messages::created_at,
            ))
            .first(conn)
            .optional()?;
        if let Some(found) = found {
            known.insert((*room_id, draft.user_id, client_id), found);
        }
    }
    Ok(known)
}

fn insert(conn: &mut AnyConnection, rows: &[NewMessage<'_>]) -> QueryResult<()> {
    if rows.is_empty() {
        return Ok(());
    }
    match conn {
        AnyConnection::Postgres(conn) => diesel::insert_into(messages::table)
            .values(rows)
            .execute(conn)?,
        AnyConnection::Sqlite(conn) => diesel::insert_into(messages::table)
            .values(rows)
            .execute(conn)?,
    };
    Ok(())
}
