//! Locking the rows of rooms, always in the order of their ids, so that two writers cannot wait for each other.

use std::collections::{BTreeMap, HashMap};

use diesel::{
    backend::Backend,
    pg::{Pg, PgConnection},
    prelude::*,
    query_builder::{AstPass, Query, QueryFragment, QueryId},
    serialize::ToSql,
    sql_types::{Array, BigInt, Bool, HasSqlType, Text},
    sqlite::Sqlite,
};

use crate::db::{
    AnyConnection,
    rooms::GENERAL_ID,
    schema::{listed, rooms},
};

/// A room whose row is locked.
#[derive(Debug, Clone, Queryable)]
pub struct Locked {
    /// The room.
    pub id: i64,
    /// Its latest change before this transaction.
    pub last_seq: i64,
    /// Its newest message before this transaction.
    pub last_id: i64,
    /// How often it has changed who may do what in it.
    pub members_version: i64,
    /// `public`, `private` or `direct`.
    pub kind: String,
    /// Whether nothing can be written in it.
    pub is_archived: bool,
    /// Seconds that members wait between two messages.
    pub slow_seconds: i64,
    /// How many members it has.
    pub members: i64,
}

impl Locked {
    /// Whether it is the room that everyone is in.
    #[must_use]
    pub fn is_general(&self) -> bool {
        self.id == GENERAL_ID
    }
}

/// The rooms of a transaction.
pub type Rooms = HashMap<i64, Locked>;

fn by_id(rows: impl IntoIterator<Item = Locked>) -> Rooms {
    rows.into_iter().map(|room| (room.id, room)).collect()
}

/// Locks these rooms and counts each up by as many messages, in one round trip.
///
/// # Errors
/// When the database fails.
pub fn take_numbers(conn: &mut PgConnection, counts: &BTreeMap<i64, i64>) -> QueryResult<Rooms> {
    let taking = TakeNumbers {
        ids: counts.keys().copied().collect(),
        counts: counts.values().copied().collect(),
    };
    taking.load::<Locked>(conn).map(by_id)
}

/// Writes what a transaction has made of the counts of these rooms, in one round trip.
///
/// # Errors
/// When the database fails.
pub fn write_back(conn: &mut AnyConnection, rooms: &[&Locked]) -> QueryResult<()> {
    match (rooms, conn) {
        ([], _) => 0,
        ([room], AnyConnection::Postgres(conn)) => WriteBack::of(room).execute(conn)?,
        ([room], AnyConnection::Sqlite(conn)) => WriteBack::of(room).execute(conn)?,
        (rooms, AnyConnection::Postgres(conn)) => WriteAllBack::of(rooms).execute(conn)?,
        (rooms, AnyConnection::Sqlite(conn)) => WriteListBack::of(rooms).execute(conn)?,
    };
    Ok(())
}

/// Names the advisory lock of [`lock_names`].
const NAMES: i64 = 0x0070_6172_6e61_6d65;

/// Keeps everyone else from beginning a room or renaming one until the transaction ends, and waits for whoever is about to.
/// It comes before [`lock_rooms`]: of two writers each of which had taken a name that the other is about to take, neither
/// would come to an end.
///
/// # Errors
/// When the database fails.
pub fn lock_names(conn: &mut AnyConnection) -> QueryResult<()> {
    match conn {
        AnyConnection::Postgres(conn) => {
            let lock = format!("SELECT pg_advisory_xact_lock({NAMES})");
            diesel::sql_query(lock).execute(conn).map(|_| ())
        }
        // BEGIN IMMEDIATE has made us the only writer.
        AnyConnection::Sqlite(_) => Ok(()),
    }
}

/// Locks these rooms, whose ids are in order.
///
/// # Errors
/// When the database fails.
pub fn lock_rooms(conn: &mut AnyConnection, ids: impl Iterator<Item = i64>) -> QueryResult<Rooms> {
    let columns = (
        rooms::id,
        rooms::last_seq,
        rooms::last_message_id,
        rooms::members_version,
        rooms::kind,
        rooms::archived_at.is_not_null(),
        rooms::slow_seconds,
        rooms::members,
    );
    match conn {
        // Not `FOR UPDATE`: that would wait for everyone who becomes a member of the room, and they for us.
        AnyConnection::Postgres(conn) => rooms::table
            .filter(rooms::id.eq_any(ids.collect::<Vec<_>>()))
            .order(rooms::id)
            .select(columns)
            .for_no_key_update()
            .load::<Locked>(conn)
            .map(by_id),
        // BEGIN IMMEDIATE has made us the only writer.
        AnyConnection::Sqlite(conn) => {
            let list = serde_json::json!(ids.collect::<Vec<_>>()).to_string();
            rooms::table
                .filter(rooms::id.eq_any(listed(list)))
                .select(columns)
                .load::<Locked>(conn)
                .map(by_id)
        }
    }
}

/// The counts of a room. Written by hand, because Diesel has its own updates compiled anew each time, and this one is part of
/// every commit, once for each room.
struct WriteBack {
    id: i64,
    last_seq: i64,
    last_id: i64,
    members_version: i64,
    members: i64,
}

impl WriteBack {
    fn of(room: &Locked) -> Self {
        Self {
            id: room.id,
            last_seq: room.last_seq,
            last_id: room.last_id,
            members_version: room.members_version,
            members: room.members,
        }
    }
}

impl<DB> QueryFragment<DB> for WriteBack
where
    DB: Backend + HasSqlType<BigInt>,
    i64: ToSql<BigInt, DB>,
{
    fn walk_ast<'b>(&'b self, mut out: AstPass<'_, 'b, DB>) -> QueryResult<()> {
        out.push_sql("UPDATE rooms SET last_seq = ");
        out.push_bind_param::<BigInt, _>(&self.last_seq)?;
        out.push_sql(", last_message_id = ");
        out.push_bind_param::<BigInt, _>(&self.last_id)?;
        out.push_sql(", members_version = ");
        out.push_bind_param::<BigInt, _>(&self.members_version)?;
        out.push_sql(", members = ");
        out.push_bind_param::<BigInt, _>(&self.members)?;
        out.push_sql(" WHERE id = ");
        out.push_bind_param::<BigInt, _>(&self.id)?;
        Ok(())
    }
}

impl QueryId for WriteBack {
    // Always the same text, so that it is prepared once.
    type QueryId = Self;
    const HAS_STATIC_QUERY_ID: bool = true;
}

impl<C> RunQueryDsl<C> for WriteBack {}

/// The counts of several rooms, column by column.
struct WriteAllBack {
    ids: Vec<i64>,
    last_seqs: Vec<i64>,
    last_ids: Vec<i64>,
    members_versions: Vec<i64>,
    members: Vec<i64>,
}

impl WriteAllBack {
    fn of(rooms: &[&Locked]) -> Self {
        Self {
            ids: rooms.iter().map(|room| room.id).collect(),
            last_seqs: rooms.iter().map(|room| room.last_seq).collect(),
            last_ids: rooms.iter().map(|room| room.last_id).collect(),
            members_versions: rooms.iter().map(|room| room.members_version).collect(),
            members: rooms.iter().map(|room| room.members).collect(),
        }
    }
}

/// Sets each room's counts to those that stand in `new`.
const SET_COUNTS: &str = "UPDATE rooms SET last_seq = new.last_seq, last_message_id = new.last_id, \
     members_version = new.members_version, members = new.members FROM ";

impl QueryFragment<Pg> for WriteAllBack {
    fn walk_ast<'b>(&'b self, mut out: AstPass<'_, 'b, Pg>) -> QueryResult<()> {
        out.push_sql(SET_COUNTS);
        out.push_sql("unnest(");
        out.push_bind_param::<Array<BigInt>, _>(&self.ids)?;
        for column in [
            &self.last_seqs,
            &self.last_ids,
            &self.members_versions,
            &self.members,
        ] {
            out.push_sql(", ");
            out.push_bind_param::<Array<BigInt>, _>(column)?;
        }
        out.push_sql(
            ") AS new (id, last_seq, last_id, members_version, members) WHERE rooms.id = new.id",
        );
        Ok(())
    }
}

impl QueryId for WriteAllBack {
    // Always the same text, so that it is prepared once.
    type QueryId = Self;
    const HAS_STATIC_QUERY_ID: bool = true;
}

impl RunQueryDsl<PgConnection> for WriteAllBack {}

/// The counts of several rooms, as a JSON array of arrays.
struct WriteListBack(String);

impl WriteListBack {
    fn of(rooms: &[&Locked]) -> Self {
        let rows = rooms.iter().map(|room| {
            [
                room.id,
                room.last_seq,
                room.last_id,
                room.members_version,
                room.members,
            ]
        });
        Self(serde_json::json!(rows.collect::<Vec<_>>()).to_string())
    }
}

impl QueryFragment<Sqlite> for WriteListBack {
    fn walk_ast<'b>(&'b self, mut out: AstPass<'_, 'b, Sqlite>) -> QueryResult<()> {
        out.push_sql(SET_COUNTS);
        out.push_sql(
            "(SELECT value ->> 0 AS id, value ->> 1 AS last_seq, value ->> 2 AS last_id, \
             value ->> 3 AS members_version, value ->> 4 AS members FROM json_each(",
        );
        out.push_bind_param::<Text, _>(&self.0)?;
        out.push_sql(")) AS new WHERE rooms.id = new.id");
        Ok(())
    }
}

impl QueryId for WriteListBack {
    // Always the same text, so that it is prepared once.
    type QueryId = Self;
    const HAS_STATIC_QUERY_ID: bool = true;
}

impl RunQueryDsl<SqliteConnection> for WriteListBack {}

/// Takes numbers for new messages. What stood in the row before is told by the part that locks it: `RETURNING` knows only
/// what stands there afterwards.
struct TakeNumbers {
    ids: Vec<i64>,
    counts: Vec<i64>,
}

impl QueryFragment<Pg> for TakeNumbers {
    fn walk_ast<'b>(&'b self, mut out: AstPass<'_, 'b, Pg>) -> QueryResult<()> {
        out.push_sql(
            "UPDATE rooms SET last_seq = rooms.last_seq + new.count, last_message_id = rooms.last_seq + new.count \
             FROM (SELECT id, last_seq, last_message_id FROM rooms WHERE id = ANY(",
        );
        out.push_bind_param::<Array<BigInt>, _>(&self.ids)?;
        out.push_sql(") ORDER BY id FOR NO KEY UPDATE) AS old JOIN unnest(");
        out.push_bind_param::<Array<BigInt>, _>(&self.ids)?;
        out.push_sql(", ");
        out.push_bind_param::<Array<BigInt>, _>(&self.counts)?;
        out.push_sql(
            ") AS new (id, count) ON new.id = old.id WHERE rooms.id = old.id \
             RETURNING rooms.id, old.last_seq, old.last_message_id, rooms.members_version, \
             rooms.kind, rooms.archived_at IS NOT NULL, rooms.slow_seconds, rooms.members",
        );
        Ok(())
    }
}

impl QueryId for TakeNumbers {
    // Always the same text, so that it is prepared once.
    type QueryId = Self;
    const HAS_STATIC_QUERY_ID: bool = true;
}

impl Query for TakeNumbers {
    type SqlType = (BigInt, BigInt, BigInt, BigInt, Text, Bool, BigInt, BigInt);
}

impl RunQueryDsl<PgConnection> for TakeNumbers {}
