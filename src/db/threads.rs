//! Threads: what is under a message, and who follows what.

use chrono::NaiveDateTime;
use diesel::{
    prelude::*,
    sql_query,
    sql_types::{BigInt, Nullable, Text, Timestamp},
};

use super::{
    AnyConnection,
    row_checks::GREATEST,
    schema::{thread_people, threads},
    time::StoredTime,
};
use crate::protocol::{room::Person, thread::Replies};

pub mod counts;

/// Most who are named under a message.
pub const MOST_NAMED: usize = 20;

/// Unread messages that are counted.
const MOST_COUNTED: i64 = 1_000;

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
#[derive(Debug, Clone, QueryableByName)]
pub struct Followed {
    /// The room.
    #[diesel(sql_type = BigInt)]
    pub room_id: i64,
    /// Its first message.
    #[diesel(sql_type = BigInt)]
    pub thread: i64,
    /// When someone replied last.
    #[diesel(sql_type = Timestamp)]
    pub last_at: StoredTime,
    /// Up to here they have read it.
    #[diesel(sql_type = BigInt)]
    pub read_seq: i64,
    /// Replies after that, by others.
    #[diesel(sql_type = BigInt)]
    pub unread: i64,
    /// Those of them that mention this user.
    #[diesel(sql_type = BigInt)]
    pub mentions: i64,
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
    let query = sql_query(format!(
        "SELECT mine.room_id AS room_id, mine.thread AS thread, threads.last_at AS last_at, mine.read_seq AS read_seq, \
           (SELECT COUNT(*) FROM (SELECT 1 FROM messages WHERE messages.room_id = mine.room_id \
              AND messages.thread = mine.thread AND messages.id > mine.read_seq AND messages.user_id <> mine.user_id \
              AND messages.thread IS NOT NULL AND messages.deleted_at IS NULL LIMIT {MOST_COUNTED}) AS unread) AS unread, \
           (SELECT COUNT(*) FROM (SELECT DISTINCT mentions.message_id FROM mentions JOIN messages ON messages.room_id = mentions.room_id \
              AND messages.id = mentions.message_id WHERE mentions.room_id = mine.room_id \
              AND mentions.user_id IN (0, mine.user_id) AND mentions.message_id > mine.read_seq \
              AND messages.thread = mine.thread AND messages.user_id <> mine.user_id \
              AND messages.deleted_at IS NULL LIMIT {MOST_COUNTED}) AS mentioned) AS mentions \
         FROM thread_people AS mine \
         JOIN threads ON threads.room_id = mine.room_id AND threads.id = mine.thread AND threads.replies > 0 \
         JOIN memberships ON memberships.room_id = mine.room_id AND memberships.user_id = mine.user_id \
         WHERE mine.user_id = $1 AND mine.follows \
           AND (threads.last_at < $2 OR threads.last_at = $3 \
             AND (mine.room_id < $4 OR mine.room_id = $5 AND mine.thread < $6)) \
         ORDER BY threads.last_at DESC, mine.room_id DESC, mine.thread DESC LIMIT $7"
    ))
    // In the order in which the text names them: SQLite counts by that.
    .bind::<BigInt, _>(user_id)
    .bind::<Timestamp, _>(at)
    .bind::<Timestamp, _>(at)
    .bind::<BigInt, _>(room_id)
    .bind::<BigInt, _>(room_id)
    .bind::<BigInt, _>(thread)
    .bind::<BigInt, _>(limit);
    on_either!(conn, query.load())
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
