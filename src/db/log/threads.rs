//! What replies in threads write beside themselves: the summary of the thread, and who has to do with it.

use chrono::NaiveDateTime;
use diesel::{
    prelude::*,
    sql_query,
    sql_types::{Array, BigInt, Timestamp},
};

use super::edits::Numbered;
use crate::db::{
    AnyConnection,
    schema::{messages, thread_people, threads},
    text::StoredText,
    time::StoredTime,
};

/// A message to which someone replies.
#[derive(Debug, Clone, Queryable)]
pub struct First {
    /// The room.
    pub room_id: i64,
    /// Its number.
    pub id: i64,
    /// Who wrote it.
    pub author: i64,
    /// `text` or `system`.
    #[diesel(deserialize_as = StoredText)]
    pub kind: String,
    /// The thread in which it is a reply itself.
    pub thread: Option<i64>,
    /// Whether only a tombstone is left of it.
    pub is_deleted: bool,
    /// Whom it mentions, and where.
    pub mentions: Option<StoredText>,
}

/// Those of these messages, each by room and number, that are there.
///
/// # Errors
/// When the database fails.
pub fn list_firsts(
    conn: &mut AnyConnection,
    room_ids: Vec<i64>,
    ids: Vec<i64>,
) -> QueryResult<Vec<First>> {
    let query = messages::table
        .filter(messages::room_id.eq_any(room_ids))
        .filter(messages::id.eq_any(ids))
        .select((
            messages::room_id,
            messages::id,
            messages::user_id,
            messages::kind,
            messages::thread,
            messages::deleted_at.is_not_null(),
            messages::mentions,
        ));
    on_either!(conn, query.load())
}

/// What a thread comes to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Summary {
    /// The room.
    pub room_id: i64,
    /// Its first message.
    pub id: i64,
    /// Replies that are not deleted.
    pub replies: i64,
    /// The last of them.
    pub last_id: i64,
    /// The change by which it came to be so.
    pub seq: i64,
}

/// Someone who has to do with a thread.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Part {
    /// The room.
    pub room_id: i64,
    /// The thread.
    pub thread: i64,
    /// Who.
    pub user_id: i64,
    /// Replies of theirs that have come.
    pub replies: i64,
    /// Up to here they have read it, if they had nothing to do with it before.
    pub read_seq: i64,
}

/// Writes what threads come to, in which someone has replied just now.
///
/// # Errors
/// When the database fails.
pub fn set_summaries(
    conn: &mut AnyConnection,
    summaries: &[Summary],
    at: NaiveDateTime,
) -> QueryResult<()> {
    const SET: &str = "ON CONFLICT (room_id, id) DO UPDATE SET replies = excluded.replies, \
                       last_id = excluded.last_id, last_at = excluded.last_at, seq = excluded.seq";
    match conn {
        AnyConnection::Postgres(conn) => {
            let column = |get: fn(&Summary) -> i64| summaries.iter().map(get).collect::<Vec<i64>>();
            sql_query(format!(
                "INSERT INTO threads (room_id, id, replies, last_id, seq, last_at) \
                 SELECT new.room_id, new.id, new.replies, new.last_id, new.seq, $6 \
                 FROM unnest($1, $2, $3, $4, $5) AS new (room_id, id, replies, last_id, seq) {SET}"
            ))
            .bind::<Array<BigInt>, _>(column(|one| one.room_id))
            .bind::<Array<BigInt>, _>(column(|one| one.id))
            .bind::<Array<BigInt>, _>(column(|one| one.replies))
            .bind::<Array<BigInt>, _>(column(|one| one.last_id))
            .bind::<Array<BigInt>, _>(column(|one| one.seq))
            .bind::<Timestamp, _>(at)
            .execute(conn)?;
        }
        AnyConnection::Sqlite(conn) => {
            for one in summaries {
                sql_query(format!(
                    "INSERT INTO threads (room_id, id, replies, last_id, seq, last_at) VALUES ($1, $2, $3, $4, $5, $6) {SET}"
                ))
                .bind::<BigInt, _>(one.room_id)
                .bind::<BigInt, _>(one.id)
                .bind::<BigInt, _>(one.replies)
                .bind::<BigInt, _>(one.last_id)
                .bind::<BigInt, _>(one.seq)
                .bind::<Timestamp, _>(at)
                .execute(conn)?;
            }
        }
    }
    Ok(())
}

/// Notes who has to do with threads. Who has replied follows from now on; who was there otherwise stays as they were.
///
/// # Errors
/// When the database fails.
pub fn add_people(conn: &mut AnyConnection, people: &[Part]) -> QueryResult<()> {
    const SET: &str = "ON CONFLICT (room_id, thread, user_id) DO UPDATE SET \
                       replies = thread_people.replies + excluded.replies, \
                       follows = thread_people.follows OR excluded.replies > 0";
    if people.is_empty() {
        return Ok(());
    }
    match conn {
        AnyConnection::Postgres(conn) => {
            let column = |get: fn(&Part) -> i64| people.iter().map(get).collect::<Vec<i64>>();
            sql_query(format!(
                "INSERT INTO thread_people (room_id, thread, user_id, replies, read_seq) \
                 SELECT * FROM unnest($1, $2, $3, $4, $5) {SET}"
            ))
            .bind::<Array<BigInt>, _>(column(|one| one.room_id))
            .bind::<Array<BigInt>, _>(column(|one| one.thread))
            .bind::<Array<BigInt>, _>(column(|one| one.user_id))
            .bind::<Array<BigInt>, _>(column(|one| one.replies))
            .bind::<Array<BigInt>, _>(column(|one| one.read_seq))
            .execute(conn)?;
        }
        AnyConnection::Sqlite(conn) => {
            for one in people {
                sql_query(format!(
                    "INSERT INTO thread_people (room_id, thread, user_id, replies, read_seq) VALUES ($1, $2, $3, $4, $5) {SET}"
                ))
                .bind::<BigInt, _>(one.room_id)
                .bind::<BigInt, _>(one.thread)
                .bind::<BigInt, _>(one.user_id)
                .bind::<BigInt, _>(one.replies)
                .bind::<BigInt, _>(one.read_seq)
                .execute(conn)?;
            }
        }
    }
    Ok(())
}

/// Takes a reply that was deleted by this change out of the summary of its thread.
///
/// # Errors
/// When the database fails.
pub fn take_back(
    conn: &mut AnyConnection,
    change: Numbered,
    thread: i64,
    author: i64,
) -> QueryResult<()> {
    let last = messages::table
        .filter(messages::room_id.eq(change.room_id))
        .filter(messages::thread.eq(thread))
        .filter(messages::deleted_at.is_null())
        .order(messages::id.desc())
        .select((messages::id, messages::created_at));
    let last: Option<(i64, StoredTime)> = on_either!(conn, last.first()).optional()?;
    let summary = threads::table.find((change.room_id, thread));
    diesel::update(summary)
        .set((
            threads::replies.eq(threads::replies - 1),
            threads::last_id.eq(last.map_or(0, |(id, _)| id)),
            threads::seq.eq(change.seq),
        ))
        .execute(conn)?;
    if let Some((_, at)) = last {
        diesel::update(summary)
            .set(threads::last_at.eq(at.get()))
            .execute(conn)?;
    }
    diesel::update(thread_people::table.find((change.room_id, thread, author)))
        .set(thread_people::replies.eq(thread_people::replies - 1))
        .execute(conn)?;
    Ok(())
}
