//! Inserting many rows at once, as each database likes it best.

use chrono::NaiveDateTime;
use diesel::{
    pg::{Pg, PgConnection},
    prelude::*,
    query_builder::{AstPass, QueryFragment, QueryId},
    sql_types::{Array, BigInt, Nullable, Text, Timestamp},
};

use super::{messages, numbering::NewMessage};
use crate::{db::AnyConnection, protocol::time};

/// Inserts new messages, and tells how many. On `PostgreSQL` it leaves out those whose login does not live `at` that
/// moment; on SQLite the caller has looked, and no one can have ended one since.
///
/// # Errors
/// When the database fails; a unique violation when one of them is not new.
pub(super) fn insert(
    conn: &mut AnyConnection,
    rows: &[NewMessage<'_>],
    at: time::Timestamp,
) -> QueryResult<usize> {
    if rows.is_empty() {
        return Ok(0);
    }
    match conn {
        AnyConnection::Postgres(conn) => Columns::of(rows, at).execute(conn),
        AnyConnection::Sqlite(conn) => diesel::insert_into(messages::table)
            .values(rows)
            .execute(conn),
    }
}

/// New messages, column by column. A statement with a parameter for each value would be another one for each number of
/// rows, and `PostgreSQL` would have to parse and plan it every time; with one array for each column it is always the same.
struct Columns<'a> {
    room_ids: Vec<i64>,
    /// A new message is the change of its number.
    ids: Vec<i64>,
    user_ids: Vec<i64>,
    client_ids: Vec<Option<&'a str>>,
    contents: Vec<&'a str>,
    created_ats: Vec<NaiveDateTime>,
    macs: Vec<&'a str>,
    previous: Vec<i64>,
    session_ids: Vec<i64>,
    /// When the logins have to live.
    at: NaiveDateTime,
}

impl<'a> Columns<'a> {
    fn of(rows: &'a [NewMessage<'a>], at: time::Timestamp) -> Self {
        Self {
            room_ids: rows.iter().map(|row| row.room_id).collect(),
            ids: rows.iter().map(|row| row.id).collect(),
            user_ids: rows.iter().map(|row| row.user_id).collect(),
            client_ids: rows.iter().map(|row| row.client_id).collect(),
            contents: rows.iter().map(|row| row.content).collect(),
            created_ats: rows.iter().map(|row| row.created_at).collect(),
            macs: rows.iter().map(|row| row.mac.as_str()).collect(),
            previous: rows.iter().map(|row| row.previous).collect(),
            session_ids: rows.iter().map(|row| row.session_id).collect(),
            at: at.naive_utc(),
        }
    }
}

impl QueryFragment<Pg> for Columns<'_> {
    fn walk_ast<'b>(&'b self, mut out: AstPass<'_, 'b, Pg>) -> QueryResult<()> {
        out.push_sql(
            "INSERT INTO messages (room_id, id, seq, user_id, client_id, content, created_at, mac, previous) \
             SELECT new.room_id, new.id, new.id, new.user_id, new.client_id, new.content, new.created_at, new.mac, new.previous \
             FROM unnest(",
        );
        out.push_bind_param::<Array<BigInt>, _>(&self.room_ids)?;
        out.push_sql(", ");
        out.push_bind_param::<Array<BigInt>, _>(&self.ids)?;
        out.push_sql(", ");
        out.push_bind_param::<Array<BigInt>, _>(&self.user_ids)?;
        out.push_sql(", ");
        out.push_bind_param::<Array<Nullable<Text>>, _>(&self.client_ids)?;
        out.push_sql(", ");
        out.push_bind_param::<Array<Text>, _>(&self.contents)?;
        out.push_sql(", ");
        out.push_bind_param::<Array<Timestamp>, _>(&self.created_ats)?;
        out.push_sql(", ");
        out.push_bind_param::<Array<Text>, _>(&self.macs)?;
        out.push_sql(", ");
        out.push_bind_param::<Array<BigInt>, _>(&self.previous)?;
        out.push_sql(", ");
        out.push_bind_param::<Array<BigInt>, _>(&self.session_ids)?;
        out.push_sql(
            ") AS new (room_id, id, user_id, client_id, content, created_at, mac, previous, session_id) \
             JOIN sessions ON sessions.id = new.session_id AND sessions.user_id = new.user_id \
             AND sessions.expires_at > ",
        );
        out.push_bind_param::<Timestamp, _>(&self.at)?;
        Ok(())
    }
}

impl QueryId for Columns<'_> {
    // Always the same text, so that it is prepared once.
    type QueryId = Columns<'static>;
    const HAS_STATIC_QUERY_ID: bool = true;
}

impl RunQueryDsl<PgConnection> for Columns<'_> {}
