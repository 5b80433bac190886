//! Threads: what is under a message, and who follows what.

use std::collections::HashMap;

use chrono::NaiveDateTime;
use diesel::{
    prelude::*,
    sql_query,
    sql_types::{BigInt, Nullable, Text, Timestamp},
};

use super::{
    AnyConnection,
    reading::{self, Unread},
    row_checks::GREATEST,
    schema::{thread_people, threads},
    time::StoredTime,
};
use crate::protocol::{room::Person, thread::Replies};

pub mod counts;

/// Most who are named under a message.
pub const MOST_NAMED: usize = 20;

#[derive(QueryableByName)]
struct Named {
    #[diesel(sql_type = BigInt)]
    thread: i64,
    #[diesel(sql_type = BigInt)]
    user_id: i64,
    /// `None` when that account is not there.
    #[diesel(sql_type = Nullable<Text>)]
    username: Option<String>,
}

/// What is under those of these messages of a room that have a thread, each by its number.
///
/// # Errors
/// When the database fails.
pub fn list_replies(
    conn: &mut AnyConnection,
    room_id: i64,
    ids: Vec<i64>,
) -> QueryResult<Vec<(i64, Replies)>> {
    if ids.is_empty() {
        return Ok(Vec::new());
    }
    let counts = threads::table
        .filter(threads::room_id.eq(room_id))
        .filter(threads::id.eq_any(ids))
        .select((
            threads::id,
            threads::replies,
            threads::last_id,
            threads::seq,
        ));
    let counts: Vec<(i64, i64, i64, i64)> = on_either!(conn, counts.load())?;
    if counts.is_empty() {
        return Ok(Vec::new());
    }
    let ids: Vec<i64> = counts.iter().map(|(id, ..)| *id).collect();
    let mut named = list_named(conn, room_id, &ids)?;
    let whole = counts.into_iter().map(|(id, count, last_id, seq)| {
        let people = named.extract_if(.., |one| one.thread == id);
        let users = people.map(|one| Person {
            user_id: one.user_id,
            username: one.username.unwrap_or_default(),
        });
        let replies = Replies {
            count: count.unsigned_abs(),
            last_id: last_id.unsigned_abs(),
            seq: seq.unsigned_abs(),
            users: users.collect(),
        };
        (id, replies)
    });
    Ok(whole.collect())
}

/// The first who have replied in each of these threads, by their ids.
fn list_named(conn: &mut AnyConnection, room_id: i64, ids: &[i64]) -> QueryResult<Vec<Named>> {
    let ids: Vec<String> = ids.iter().map(i64::to_string).collect();
    let last = MOST_NAMED - 1;
    // The twentieth is found in the index: a thread of ten thousand people is not sorted.
    let query = sql_query(format!(
        "SELECT people.thread AS thread, people.user_id AS user_id, users.username AS username \
         FROM thread_people AS people LEFT JOIN users ON users.id = people.user_id \
         WHERE people.room_id = $1 AND people.thread IN ({}) AND people.replies > 0 \
           AND people.user_id <= COALESCE((SELECT others.user_id FROM thread_people AS others \
                 WHERE others.room_id = people.room_id AND others.thread = people.thread AND others.replies > 0 \
                 ORDER BY others.user_id LIMIT 1 OFFSET {last}), {GREATEST}) \
         ORDER BY people.thread, people.user_id",
        ids.join(", ")
    ))
    .bind::<BigInt, _>(room_id);
    on_either!(conn, query.load())
}

/// A thread that someone follows.
#[derive(Debug, Clone)]
pub struct Followed {
    /// The room.
    pub room_id: i64,
    /// Its first message.
    pub thread: i64,
    /// When someone replied last.
    pub last_at: StoredTime,
    /// Up to here they have read it.
    pub read_seq: i64,
    /// What is unread after that.
    pub unread: Unread,
}

#[derive(QueryableByName)]
struct Follow {
    #[diesel(sql_type = BigInt)]
    room_id: i64,
    #[diesel(sql_type = BigInt)]
    thread: i64,
    #[diesel(sql_type = Timestamp)]
    last_at: StoredTime,
    #[diesel(sql_type = BigInt)]
    read_seq: i64,
}

/// The threads that a user follows in rooms where they are a member, the one with the latest reply first, after this place: a
/// time, a room and a message.
///
/// # Errors
/// When the database fails.
pub fn list_followed(
    conn: &mut AnyConnection,
    user_id: i64,
    after: (NaiveDateTime, i64, i64),
    limit: i64,
) -> QueryResult<Vec<Followed>> {
    let (at, room_id, thread) = after;
    let query = sql_query(
        "SELECT mine.room_id AS room_id, mine.thread AS thread, threads.last_at AS last_at, mine.read_seq AS read_seq \
         FROM thread_people AS mine \
         JOIN threads ON threads.room_id = mine.room_id AND threads.id = mine.thread AND threads.replies > 0 \
         JOIN memberships ON memberships.room_id = mine.room_id AND memberships.user_id = mine.user_id \
         WHERE mine.user_id = $1 AND mine.follows \
           AND (threads.last_at < $2 OR threads.last_at = $3 \
             AND (mine.room_id < $4 OR mine.room_id = $5 AND mine.thread < $6)) \
         ORDER BY threads.last_at DESC, mine.room_id DESC, mine.thread DESC LIMIT $7",
    )
    // In the order in which the text names them: SQLite counts by that.
    .bind::<BigInt, _>(user_id)
    .bind::<Timestamp, _>(at)
    .bind::<Timestamp, _>(at)
    .bind::<BigInt, _>(room_id)
    .bind::<BigInt, _>(room_id)
    .bind::<BigInt, _>(thread)
    .bind::<BigInt, _>(limit);
    let found: Vec<Follow> = on_either!(conn, query.load())?;
    let places: Vec<_> = found.iter().map(|it| (it.room_id, it.thread)).collect();
    let unread = reading::list_of_threads(conn, user_id, &places)?;
    let unread: HashMap<_, _> = unread.into_iter().collect();
    let followed = found.into_iter().map(|it| Followed {
        room_id: it.room_id,
        thread: it.thread,
        last_at: it.last_at,
        read_seq: it.read_seq,
        unread: unread
            .get(&(it.room_id, it.thread))
            .copied()
            .unwrap_or_default(),
    });
    Ok(followed.collect())
}

/// Has a user follow a thread, which they have then read up to this change, or follow it no more.
///
/// # Errors
/// When the database fails.
pub fn set_follows(
    conn: &mut AnyConnection,
    (room_id, thread): (i64, i64),
    user_id: i64,
    (follows, read_seq): (bool, i64),
) -> QueryResult<()> {
    let set = sql_query(
        "INSERT INTO thread_people (room_id, thread, user_id, follows, read_seq) VALUES ($1, $2, $3, $4, $5) \
         ON CONFLICT (room_id, thread, user_id) DO UPDATE SET follows = excluded.follows",
    )
    .bind::<BigInt, _>(room_id)
    .bind::<BigInt, _>(thread)
    .bind::<BigInt, _>(user_id)
    .bind::<diesel::sql_types::Bool, _>(follows)
    .bind::<BigInt, _>(read_seq);
    on_either!(conn, set.execute()).map(|_| ())
}

/// Whether a user follows a thread; `None` when they have nothing to do with it.
///
/// # Errors
/// When the database fails.
pub fn find_follows(
    conn: &mut AnyConnection,
    (room_id, thread): (i64, i64),
    user_id: i64,
) -> QueryResult<Option<bool>> {
    thread_people::table
        .find((room_id, thread, user_id))
        .select(thread_people::follows)
        .get_result(conn)
        .optional()
}
