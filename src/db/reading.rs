//! How far people have read, and what is unread above that: counted when it is asked for, over the partial indexes, and never
//! further than [`MOST_COUNTED`](crate::protocol::reading::MOST_COUNTED) and [`MOST_LOOKED_AT`](crate::protocol::reading::MOST_LOOKED_AT).

use diesel::prelude::*;

use super::{
    AnyConnection,
    schema::{memberships, users},
    time::StoredTime,
};
use crate::protocol::reading::MOST_WHO_SHOW;

mod counting;

use counting::{
    InRoom, InThread, NewsOfRoom, NewsOfRooms, NewsOfStretch, NewsOfThese, OfThread, OfThreads,
};

/// What is unread for someone.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Queryable)]
pub struct Unread {
    /// Messages of others.
    pub messages: i64,
    /// Those of them that mention the reader.
    pub mentions: i64,
}

/// What a member is told of a room beside its row.
#[derive(Debug, Clone, Copy, Queryable)]
pub struct RoomNews {
    /// The room.
    pub room_id: i64,
    /// What is unread in it.
    pub unread: Unread,
    /// When its newest message was written.
    pub last_at: Option<StoredTime>,
}

/// Of which of a user's rooms something is asked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Of {
    /// Of all.
    All,
    /// Of one.
    Room(i64),
    /// Of those from one up to another, by their ids.
    Stretch((i64, i64)),
    /// Of these.
    These(Vec<i64>),
}

/// What is unread in these rooms of a user, and when something was last written there.
///
/// # Errors
/// When the database fails.
pub fn list_news(conn: &mut AnyConnection, user_id: i64, of: Of) -> QueryResult<Vec<RoomNews>> {
    let query = NewsOfRooms { user_id, of };
    match query.of {
        Of::All => on_either!(conn, query.load()),
        Of::Room(_) => {
            let query = NewsOfRoom(query);
            on_either!(conn, query.load())
        }
        Of::Stretch(_) => {
            let query = NewsOfStretch(query);
            on_either!(conn, query.load())
        }
        Of::These(_) => {
            let query = NewsOfThese(query);
            on_either!(conn, query.load())
        }
    }
}

/// The same of one room; `None` when the user is not in it.
///
/// # Errors
/// When the database fails.
pub fn find_news(
    conn: &mut AnyConnection,
    room_id: i64,
    user_id: i64,
) -> QueryResult<Option<RoomNews>> {
    let found = list_news(conn, user_id, Of::Room(room_id))?;
    Ok(found.into_iter().next())
}

/// A stretch of a room, or of a thread in it, as someone reads it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Stretch {
    /// The room.
    pub room_id: i64,
    /// The thread, by its first message; `None`: the room's own pages.
    pub thread: Option<i64>,
    /// Who reads.
    pub user_id: i64,
    /// What has a greater number than this,
    pub above: i64,
    /// and at most this one.
    pub upto: i64,
}

/// What is unread in a stretch.
///
/// # Errors
/// When the database fails.
pub fn count(conn: &mut AnyConnection, stretch: Stretch) -> QueryResult<Unread> {
    let found: Vec<Unread> = match stretch.thread {
        None => {
            let query = InRoom(stretch);
            on_either!(conn, query.load())?
        }
        Some(thread) => {
            let query = InThread(stretch, thread);
            on_either!(conn, query.load())?
        }
    };
    Ok(found.into_iter().next().unwrap_or_default())
}

/// What is unread for someone in these threads (each by its room and its first message) of those that they have to do with.
///
/// # Errors
/// When the database fails.
pub fn list_of_threads(
    conn: &mut AnyConnection,
    user_id: i64,
    threads: &[(i64, i64)],
) -> QueryResult<Vec<((i64, i64), Unread)>> {
    match conn {
        AnyConnection::Postgres(conn) => {
            let (rooms, threads) = threads.iter().copied().unzip();
            let query = OfThreads {
                user_id,
                rooms,
                threads,
            };
            query.load(conn)
        }
        // One by one: that statement is prepared once.
        AnyConnection::Sqlite(conn) => {
            let mut found = Vec::new();
            for (room_id, thread) in threads {
                let query = OfThread {
                    user_id,
                    room_id: *room_id,
                    thread: *thread,
                };
                found.extend(query.load::<((i64, i64), Unread)>(conn)?);
            }
            Ok(found)
        }
    }
}

/// Someone who reads a room.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Queryable)]
pub struct Reader {
    /// Who.
    pub user_id: i64,
    /// Whether they show how far they have read.
    pub shows: bool,
    /// How far that is.
    pub read_seq: i64,
    /// How far others are told that it is.
    pub shown_seq: i64,
}

/// Who is in a room, and how far they have read. `None` when it has more members than [`MOST_WHO_SHOW`].
///
/// # Errors
/// When the database fails.
pub fn list_readers(conn: &mut AnyConnection, room_id: i64) -> QueryResult<Option<Vec<Reader>>> {
    let most = i64::try_from(MOST_WHO_SHOW).unwrap_or(i64::MAX);
    let query = memberships::table
        .inner_join(users::table)
        .filter(memberships::room_id.eq(room_id))
        .order(memberships::user_id)
        .limit(most + 1)
        .select((
            memberships::user_id,
            users::receipts.and(users::deleted_at.is_null()),
            memberships::read_seq,
            memberships::shown_seq,
        ));
    let found: Vec<Reader> = on_either!(conn, query.load())?;
    Ok((found.len() as u64 <= MOST_WHO_SHOW).then_some(found))
}
