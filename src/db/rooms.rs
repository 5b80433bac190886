//! Rooms and who is a member of them.

use std::{
    collections::HashMap,
    sync::atomic::{AtomicI64, Ordering},
};

use diesel::{
    connection::Connection as _,
    dsl::{count, max},
    prelude::*,
};

use super::{
    AnyConnection, ids,
    members::ensure_owner,
    schema::{listed, memberships, messages, rooms},
    text::StoredText,
};

pub mod saved;
pub mod seen;
pub mod views;

/// The room that exists from the start.
pub const GENERAL_ID: i64 = 1;

/// A room.
#[derive(Debug, Clone, PartialEq, Eq, Queryable)]
pub struct Room {
    /// Its id.
    pub id: i64,
    /// What names it on the wire; it never changes.
    pub key: String,
    /// The number of its latest change.
    pub last_seq: i64,
    /// The number of its newest message.
    pub last_message_id: i64,
}

/// What a [`Room`] is made of, in its order.
const COLUMNS: (
    rooms::id,
    rooms::key,
    rooms::last_seq,
    rooms::last_message_id,
) = (
    rooms::id,
    rooms::key,
    rooms::last_seq,
    rooms::last_message_id,
);

/// A number for a new room. No other room of this process gets it, and hardly any of another time.
#[must_use]
pub fn new_id() -> i64 {
    static LAST: AtomicI64 = AtomicI64::new(0);
    let mut last = LAST.load(Ordering::Relaxed);
    loop {
        let id = ids::generate(Some(last));
        match LAST.compare_exchange_weak(last, id, Ordering::Relaxed, Ordering::Relaxed) {
            Ok(_) => return id,
            Err(now) => last = now,
        }
    }
}

/// These rooms, with the numbers of their latest changes. A commit to them that is still on its way is
/// waited for, also when no one waits for its answer any more.
///
/// # Errors
/// When the database fails.
pub fn list_numbers(conn: &mut AnyConnection, ids: &[i64]) -> QueryResult<Vec<(i64, i64)>> {
    let query = rooms::table
        .filter(rooms::id.eq_any(ids))
        .order(rooms::id)
        .select((rooms::id, rooms::last_seq));
    match conn {
        // Whoever appends to a room locks its row.
        AnyConnection::Postgres(conn) => query.for_share().load(conn),
        // A commit of this process that has failed is no longer on its way, and there is no other process.
        AnyConnection::Sqlite(conn) => query.load(conn),
    }
}

/// All rooms, oldest first.
///
/// # Errors
/// When the database fails.
pub fn list_all(conn: &mut AnyConnection) -> QueryResult<Vec<Room>> {
    rooms::table.order(rooms::id).select(COLUMNS).load(conn)
}

/// The next rooms after this one, with their sealed topics, oldest first.
///
/// # Errors
/// When the database fails.
pub fn list_sealed(
    conn: &mut AnyConnection,
    after: i64,
    limit: i64,
) -> QueryResult<Vec<(Room, Option<StoredText>)>> {
    let mut found: Vec<(Room, Option<StoredText>)> = rooms::table
        .filter(rooms::id.gt(after))
        .order(rooms::id)
        .limit(limit)
        .select((COLUMNS, rooms::topic))
        .load(conn)?;
    // In SQLite a number may be a text, which is above all numbers and read as 0.
    found.retain(|(room, _)| room.id > after);
    Ok(found)
}

/// How many changes all rooms have counted.
///
/// # Errors
/// When the database fails.
pub fn count_changes(conn: &mut AnyConnection) -> QueryResult<u64> {
    let numbers = list_all_numbers(conn)?;
    Ok(numbers
        .into_iter()
        .fold(0, |sum: u64, (_, seq)| sum.saturating_add(seq)))
}

/// All rooms, with the numbers of their latest changes.
///
/// # Errors
/// When the database fails.
pub fn list_all_numbers(conn: &mut AnyConnection) -> QueryResult<Vec<(i64, u64)>> {
    let found: Vec<(i64, i64)> = rooms::table
        .order(rooms::id)
        .select((rooms::id, rooms::last_seq))
        .load(conn)?;
    Ok(found
        .into_iter()
        .map(|(id, seq)| (id, seq.unsigned_abs()))
        .collect())
}

/// Of each of these rooms the greatest number of its messages, and that of the changes to them; 0 when it has none.
///
/// # Errors
/// When the database fails.
pub fn list_greatest(conn: &mut AnyConnection, ids: &[i64]) -> QueryResult<Vec<(i64, i64, i64)>> {
    // Each is the end of an index.
    let of_room = messages::table.filter(messages::room_id.eq(rooms::id));
    let columns = (
        rooms::id,
        of_room.select(max(messages::id)).single_value(),
        of_room.select(max(messages::seq)).single_value(),
    );
    let found: Vec<(i64, Option<i64>, Option<i64>)> = match conn {
        AnyConnection::Postgres(conn) => rooms::table
            .filter(rooms::id.eq_any(ids))
            .select(columns)
            .load(conn)?,
        AnyConnection::Sqlite(conn) => {
            let list = serde_json::json!(ids).to_string();
            rooms::table
                .filter(rooms::id.eq_any(listed(list)))
                .select(columns)
                .load(conn)?
        }
    };
    let greatest = found.into_iter().map(|(room_id, id, seq)| {
        let id = id.unwrap_or(0);
        (room_id, id, seq.unwrap_or(0).max(id))
    });
    Ok(greatest.collect())
}

/// Puts right the count of rooms that hold messages above it: someone has changed it by hand, and no message could be
/// stored any more. Gives an owner to rooms that have none.
///
/// # Errors
/// When the database fails.
pub fn heal(conn: &mut AnyConnection) -> QueryResult<()> {
    let rooms = list_all(conn)?;
    let ids: Vec<i64> = rooms.iter().map(|room| room.id).collect();
    let greatest = list_greatest(conn, &ids)?;
    let mut greatest: HashMap<i64, (i64, i64)> = greatest
        .into_iter()
        .map(|(room_id, id, seq)| (room_id, (id, seq)))
        .collect();
    for room in rooms {
        let (id, seq) = greatest.remove(&room.id).unwrap_or_default();
        let row = rooms::table.find(room.id);
        if seq > room.last_seq {
            say_healed(room.id, room.last_seq, seq);
            diesel::update(row.filter(rooms::last_seq.lt(seq)))
                .set(rooms::last_seq.eq(seq))
                .execute(conn)?;
        }
        if id > room.last_message_id {
            diesel::update(row.filter(rooms::last_message_id.lt(id)))
                .set(rooms::last_message_id.eq(id))
                .execute(conn)?;
        }
        ensure_owner(conn, room.id)?;
    }
    recount_members(conn)
}

/// Puts right how many members rooms count, where memberships were changed by hand.
///
/// # Errors
/// When the database fails.
pub fn recount_members(conn: &mut AnyConnection) -> QueryResult<()> {
    for Miscounted {
        id,
        key,
        counted,
        found,
    } in list_miscounted(conn)?
    {
        log::error!(
            "room {key} counted {counted} members and has {found}: its memberships were changed by hand; it goes on from what it has"
        );
        conn.transaction(|conn| {
            // That locks the row, so that whoever comes and goes waits until they are counted.
            let row = rooms::table.find(id);
            diesel::update(row)
                .set(rooms::members_version.eq(rooms::members_version + 1))
                .execute(conn)?;
            let members: i64 = memberships::table
                .filter(memberships::room_id.eq(id))
                .count()
                .get_result(conn)?;
            diesel::update(row)
                .set(rooms::members.eq(members))
                .execute(conn)
        })?;
    }
    Ok(())
}

/// A room that does not count as many members as it has.
#[derive(Debug, Queryable)]
pub struct Miscounted {
    /// The room.
    pub id: i64,
    /// What names it on the wire.
    pub key: String,
    /// How many it counts.
    pub counted: i64,
    /// How many it has.
    pub found: i64,
}

/// The rooms that do not count as many members as they have.
///
/// # Errors
/// When the database fails.
pub fn list_miscounted(conn: &mut AnyConnection) -> QueryResult<Vec<Miscounted>> {
    let found = count(memberships::user_id.nullable());
    let query = rooms::table
        .left_join(memberships::table)
        .group_by((rooms::id, rooms::key, rooms::members))
        .having(found.ne(rooms::members))
        .order(rooms::id)
        .select((rooms::id, rooms::key, rooms::members, found));
    on_either!(conn, query.load())
}

/// Says that a room's count was not what its messages are.
pub fn say_healed(room_id: i64, last_seq: impl std::fmt::Display, greatest: i64) {
    log::error!(
        "room {room_id} counted {last_seq} changes but holds number {greatest}: rooms.last_seq was changed by hand; it goes on from {greatest}"
    );
}
