//! Inserting many rows at once, as each database likes it best.

use chrono::NaiveDateTime;
use diesel::{
    pg::{Pg, PgConnection},
    prelude::*,
    query_builder::{AstPass, QueryFragment, QueryId},
    sql_types::{Array, BigInt, Nullable, Text, Timestamp},
};

use super::{messages, numbering::NewMessage};
use crate::db::AnyConnection;

/// Inserts new messages, all or none.
///
/// # Errors
/// When the database fails; a unique violation when one of them is not new.
pub(super) fn insert(conn: &mut AnyConnection, rows: &[NewMessage<'_>]) -> QueryResult<()> {
    if rows.is_empty() {
        return Ok(());
    }
    match conn {
        AnyConnection::Postgres(conn) => Columns::of(rows).execute(conn)?,
        AnyConnection::Sqlite(conn) => diesel::insert_into(messages::table)
            .values(rows)
            .execute(conn)?,
    };
    Ok(())
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
}

impl<'a> Columns<'a> {
    fn of(rows: &[NewMessage<'a>]) -> Self {
        Self {
            room_ids: rows.iter().map(|row| row.room_id).collect(),
            ids: rows.iter().map(|row| row.id).collect(),
            user_ids: rows.iter().map(|row| row.user_id).collect(),
            client_ids: rows.iter().map(|row| row.client_id).collect(),
            contents: rows.iter().map(|row| row.content).collect(),
            created_ats: rows.iter().map(|row| row.created_at).collect(),
        }
    }
}

impl QueryFragment<Pg> for Columns<'_> {
    fn walk_ast<'b>(&'b self, mut out: AstPass<'_, 'b, Pg>) -> QueryResult<()> {
        out.push_sql(
            "INSERT INTO messages (room_id, id, seq, user_id, client_id, content, created_at) \
             SELECT room_id, id, id, user_id, client_id, content, created_at FROM unnest(",
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
        out.push_sql(") AS new (room_id, id, user_id, client_id, content, created_at)");
        Ok(())
    }
}

impl QueryId for Columns<'_> {
    // Always the same text, so that it is prepared once.
    type QueryId = Columns<'static>;
    const HAS_STATIC_QUERY_ID: bool = true;
}

impl RunQueryDsl<PgConnection> for Columns<'_> {}
