//! Which rooms a user may know of: those that they are in, and public ones that they were not taken out of. A room that is
//! not one of them is looked up by the same steps as one that is not there, so that time does not tell them apart either.

use std::collections::BTreeSet;

use diesel::{
    backend::Backend,
    pg::Pg,
    prelude::*,
    query_builder::{AstPass, Query, QueryFragment, QueryId},
    serialize::ToSql,
    sql_types::{Array, BigInt, Bool, HasSqlType, Nullable, Text, Timestamp},
};

use super::views::RoomView;
use crate::db::AnyConnection;

/// A room and a user.
pub type Pair = (i64, i64);

/// Everything is looked up for every pair that is `asked`, also when there is no such room: then the room before it takes its
/// place, of which there always is one, and only in the end it counts which of them was asked for.
const JOINS: &str = " \
    LEFT JOIN memberships ON memberships.room_id = asked.room_id AND memberships.user_id = asked.user_id \
    LEFT JOIN removals ON removals.room_id = asked.room_id AND removals.user_id = asked.user_id \
    LEFT JOIN rooms ON rooms.id = (SELECT max(id) FROM rooms WHERE id <= asked.room_id) \
        AND asked.room_id = CASE \
            WHEN memberships.user_id IS NOT NULL OR rooms.kind = 'public' AND removals.seq IS NULL THEN rooms.id END";

/// A room, if this user may know of it.
///
/// # Errors
/// When the database fails.
pub fn find(conn: &mut AnyConnection, room_id: i64, user_id: i64) -> QueryResult<Option<RoomView>> {
    let asked = View(One { room_id, user_id });
    match conn {
        AnyConnection::Postgres(conn) => asked.get_result(conn),
        AnyConnection::Sqlite(conn) => asked.get_result(conn),
    }
}

/// Those of these pairs whose user may not know of the room.
///
/// # Errors
/// When the database fails.
pub fn list_unseen(conn: &mut AnyConnection, pairs: BTreeSet<Pair>) -> QueryResult<BTreeSet<Pair>> {
    if pairs.is_empty() {
        return Ok(pairs);
    }
    match conn {
        AnyConnection::Postgres(conn) => {
            let (rooms, users) = pairs.into_iter().unzip();
            let found: Vec<(i64, i64, bool)> = Seen { rooms, users }.load(conn)?;
            let unseen = found.into_iter().filter(|(.., is_seen)| !is_seen);
            Ok(unseen
                .map(|(room_id, user_id, _)| (room_id, user_id))
                .collect())
        }
        // One at a time: the statement is always the same, and prepared once.
        AnyConnection::Sqlite(conn) => {
            let mut unseen = BTreeSet::new();
            for (room_id, user_id) in pairs {
                let is_seen: bool = IsSeen(One { room_id, user_id }).get_result(conn)?;
                if !is_seen {
                    unseen.insert((room_id, user_id));
                }
            }
            Ok(unseen)
        }
    }
}

/// One pair that is asked for.
struct One {
    room_id: i64,
    user_id: i64,
}

impl One {
    fn walk<'b, DB>(&'b self, wanted: &str, mut out: AstPass<'_, 'b, DB>) -> QueryResult<()>
    where
        DB: Backend + HasSqlType<BigInt>,
        i64: ToSql<BigInt, DB>,
    {
        out.push_sql("SELECT ");
        out.push_sql(wanted);
        out.push_sql(" FROM (SELECT ");
        out.push_bind_param::<BigInt, _>(&self.room_id)?;
        out.push_sql(" AS room_id, ");
        out.push_bind_param::<BigInt, _>(&self.user_id)?;
        out.push_sql(" AS user_id) AS asked");
        out.push_sql(JOINS);
        Ok(())
    }
}

/// The room as the user sees it.
struct View(One);

impl<DB> QueryFragment<DB> for View
where
    DB: Backend + HasSqlType<BigInt>,
    i64: ToSql<BigInt, DB>,
{
    fn walk_ast<'b>(&'b self, out: AstPass<'_, 'b, DB>) -> QueryResult<()> {
        let wanted = "rooms.id, rooms.key, rooms.last_seq, rooms.last_message_id, rooms.kind, rooms.name, rooms.topic, \
            rooms.archived_at, rooms.slow_seconds, rooms.created_at, rooms.members, memberships.role, memberships.muted_until, \
            memberships.hidden_seq, memberships.read_seq, memberships.notify, removals.seq";
        self.0.walk(wanted, out)
    }
}

impl QueryId for View {
    // Always the same text, so that it is prepared once.
    type QueryId = Self;
    const HAS_STATIC_QUERY_ID: bool = true;
}

impl Query for View {
    type SqlType = Nullable<(
        (BigInt, Text, BigInt, BigInt),
        Text,
        Nullable<Text>,
        Nullable<Text>,
        Nullable<Timestamp>,
        BigInt,
        Timestamp,
        BigInt,
        Nullable<(Text, Nullable<Timestamp>)>,
        Nullable<BigInt>,
        Nullable<BigInt>,
        Nullable<Text>,
        Nullable<BigInt>,
    )>;
}

impl<C> RunQueryDsl<C> for View {}

/// Whether there is such a room for the user.
struct IsSeen(One);

impl<DB> QueryFragment<DB> for IsSeen
where
    DB: Backend + HasSqlType<BigInt>,
    i64: ToSql<BigInt, DB>,
{
    fn walk_ast<'b>(&'b self, out: AstPass<'_, 'b, DB>) -> QueryResult<()> {
        self.0.walk("rooms.id IS NOT NULL", out)
    }
}

impl QueryId for IsSeen {
    // Always the same text, so that it is prepared once.
    type QueryId = Self;
    const HAS_STATIC_QUERY_ID: bool = true;
}

impl Query for IsSeen {
    type SqlType = Bool;
}

impl<C> RunQueryDsl<C> for IsSeen {}

/// The same for many pairs, in one round trip.
struct Seen {
    rooms: Vec<i64>,
    users: Vec<i64>,
}

impl QueryFragment<Pg> for Seen {
    fn walk_ast<'b>(&'b self, mut out: AstPass<'_, 'b, Pg>) -> QueryResult<()> {
        out.push_sql("SELECT asked.room_id, asked.user_id, rooms.id IS NOT NULL FROM unnest(");
        out.push_bind_param::<Array<BigInt>, _>(&self.rooms)?;
        out.push_sql(", ");
        out.push_bind_param::<Array<BigInt>, _>(&self.users)?;
        out.push_sql(") AS asked (room_id, user_id)");
        out.push_sql(JOINS);
        Ok(())
    }
}

impl QueryId for Seen {
    // Always the same text, so that it is prepared once.
    type QueryId = Self;
    const HAS_STATIC_QUERY_ID: bool = true;
}

impl Query for Seen {
    type SqlType = (BigInt, BigInt, Bool);
}

impl RunQueryDsl<PgConnection> for Seen {}
