//! What members set for themselves in their rooms: many at once, as each database likes it best.

use std::collections::HashMap;

use diesel::{
    backend::Backend,
    pg::{Pg, PgConnection},
    prelude::*,
    query_builder::{AstPass, Query, QueryFragment, QueryId},
    serialize::ToSql,
    sql_types::{Array, BigInt, HasSqlType},
};

use crate::db::{
    AnyConnection,
    schema::{memberships, rooms, thread_people, threads},
};

/// A member of a room, by both.
pub type Own = (i64, i64);
/// Someone who has to do with a thread: room, thread, user.
pub type OwnThread = (i64, i64, i64);

/// Those of these that are memberships, with how far they have read and the room's latest change.
///
/// # Errors
/// When the database fails.
pub fn list_markers(
    conn: &mut AnyConnection,
    wanted: &[Own],
) -> QueryResult<HashMap<Own, (i64, i64)>> {
    let found: Vec<(i64, i64, i64, i64)> = match conn {
        AnyConnection::Postgres(conn) => Markers::of(wanted).load(conn)?,
        // One by one: that statement is prepared once.
        AnyConnection::Sqlite(conn) => {
            let mut found = Vec::new();
            for own in wanted {
                let one = memberships::table
                    .inner_join(rooms::table)
                    .filter(memberships::room_id.eq(own.0))
                    .filter(memberships::user_id.eq(own.1))
                    .select((
                        memberships::room_id,
                        memberships::user_id,
                        memberships::read_seq,
                        rooms::last_seq,
                    ));
                found.extend(one.load::<(i64, i64, i64, i64)>(conn)?);
            }
            found
        }
    };
    let by_own = |(room, user, seq, last): (i64, i64, i64, i64)| ((room, user), (seq, last));
    Ok(found.into_iter().map(by_own).collect())
}

/// How far someone has read a thread; `None` when they have nothing to do with it.
///
/// # Errors
/// When the database fails.
pub fn find_thread_marker(conn: &mut AnyConnection, own: OwnThread) -> QueryResult<Option<i64>> {
    thread_people::table
        .find(own)
        .select(thread_people::read_seq)
        .get_result(conn)
        .optional()
}

/// Whether there is a thread under a message.
///
/// # Errors
/// When the database fails.
pub fn is_thread(conn: &mut AnyConnection, room_id: i64, id: i64) -> QueryResult<bool> {
    let found: Option<i64> = threads::table
        .find((room_id, id))
        .select(threads::id)
        .get_result(conn)
        .optional()?;
    Ok(found.is_some())
}

/// Sets how far these members have read.
///
/// # Errors
/// When the database fails.
pub fn set_markers(conn: &mut AnyConnection, new: &[(Own, i64)]) -> QueryResult<()> {
    match conn {
        AnyConnection::Postgres(_) if new.is_empty() => {}
        AnyConnection::Postgres(conn) => {
            SetMarkers::of(new).execute(conn)?;
        }
        AnyConnection::Sqlite(conn) => {
            for ((room_id, user_id), seq) in new {
                let one = SetMarker {
                    room_id: *room_id,
                    user_id: *user_id,
                    seq: *seq,
                };
                one.execute(conn)?;
            }
        }
    }
    Ok(())
}

/// Sets how far someone has read a thread.
///
/// # Errors
/// When the database fails.
pub fn set_thread_marker(conn: &mut AnyConnection, own: OwnThread, seq: i64) -> QueryResult<()> {
    diesel::update(thread_people::table.find(own))
        .set(thread_people::read_seq.eq(seq))
        .execute(conn)?;
    Ok(())
}

/// Sets what a member wants to be told of a room.
///
/// # Errors
/// When the database fails.
pub fn set_notify(conn: &mut AnyConnection, own: Own, level: &str) -> QueryResult<()> {
    diesel::update(memberships::table.find(own))
        .set(memberships::notify.eq(level))
        .execute(conn)?;
    Ok(())
}

/// Memberships, column by column.
struct Markers {
    rooms: Vec<i64>,
    users: Vec<i64>,
}

impl Markers {
    fn of(wanted: &[Own]) -> Self {
        let (rooms, users) = wanted.iter().copied().unzip();
        Self { rooms, users }
    }
}

impl QueryFragment<Pg> for Markers {
    fn walk_ast<'b>(&'b self, mut out: AstPass<'_, 'b, Pg>) -> QueryResult<()> {
        out.push_sql(
            "SELECT memberships.room_id, memberships.user_id, memberships.read_seq, rooms.last_seq FROM unnest(",
        );
        out.push_bind_param::<Array<BigInt>, _>(&self.rooms)?;
        out.push_sql(", ");
        out.push_bind_param::<Array<BigInt>, _>(&self.users)?;
        out.push_sql(
            ") AS wanted (room_id, user_id) JOIN memberships ON memberships.room_id = wanted.room_id \
             AND memberships.user_id = wanted.user_id JOIN rooms ON rooms.id = memberships.room_id",
        );
        Ok(())
    }
}

impl QueryId for Markers {
    // Always the same text, so that it is prepared once.
    type QueryId = Self;
    const HAS_STATIC_QUERY_ID: bool = true;
}

impl Query for Markers {
    type SqlType = (BigInt, BigInt, BigInt, BigInt);
}

impl RunQueryDsl<PgConnection> for Markers {}

/// New markers, column by column.
struct SetMarkers {
    rooms: Vec<i64>,
    users: Vec<i64>,
    seqs: Vec<i64>,
}

impl SetMarkers {
    fn of(new: &[(Own, i64)]) -> Self {
        Self {
            rooms: new.iter().map(|((room, _), _)| *room).collect(),
            users: new.iter().map(|((_, user), _)| *user).collect(),
            seqs: new.iter().map(|(_, seq)| *seq).collect(),
        }
    }
}

impl QueryFragment<Pg> for SetMarkers {
    fn walk_ast<'b>(&'b self, mut out: AstPass<'_, 'b, Pg>) -> QueryResult<()> {
        out.push_sql("UPDATE memberships SET read_seq = new.seq FROM unnest(");
        out.push_bind_param::<Array<BigInt>, _>(&self.rooms)?;
        out.push_sql(", ");
        out.push_bind_param::<Array<BigInt>, _>(&self.users)?;
        out.push_sql(", ");
        out.push_bind_param::<Array<BigInt>, _>(&self.seqs)?;
        out.push_sql(
            ") AS new (room_id, user_id, seq) \
             WHERE memberships.room_id = new.room_id AND memberships.user_id = new.user_id",
        );
        Ok(())
    }
}

impl QueryId for SetMarkers {
    // Always the same text, so that it is prepared once.
    type QueryId = Self;
    const HAS_STATIC_QUERY_ID: bool = true;
}

impl RunQueryDsl<PgConnection> for SetMarkers {}

/// A new marker. Written by hand, because Diesel has its own updates compiled anew each time.
struct SetMarker {
    room_id: i64,
    user_id: i64,
    seq: i64,
}

impl<DB> QueryFragment<DB> for SetMarker
where
    DB: Backend + HasSqlType<BigInt>,
    i64: ToSql<BigInt, DB>,
{
    fn walk_ast<'b>(&'b self, mut out: AstPass<'_, 'b, DB>) -> QueryResult<()> {
        out.push_sql("UPDATE memberships SET read_seq = ");
        out.push_bind_param::<BigInt, _>(&self.seq)?;
        out.push_sql(" WHERE room_id = ");
        out.push_bind_param::<BigInt, _>(&self.room_id)?;
        out.push_sql(" AND user_id = ");
        out.push_bind_param::<BigInt, _>(&self.user_id)
    }
}

impl QueryId for SetMarker {
    // Always the same text, so that it is prepared once.
    type QueryId = Self;
    const HAS_STATIC_QUERY_ID: bool = true;
}

impl<C> RunQueryDsl<C> for SetMarker {}
