//! What was scheduled to be said, as it is said: its row is held until the message is stored, and goes with it.

use diesel::prelude::*;

use crate::{
    db::{AnyConnection, schema::scheduled, text::StoredText, time::StoredTime},
    protocol::time::Timestamp,
};

/// The row of `scheduled` that a message is, as it was read. It must be so still when the message is stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Later {
    /// Its number.
    pub id: i64,
    /// Its text, sealed.
    pub sealed: String,
    /// Its time.
    pub send_at: Timestamp,
}

/// A row that is held.
#[derive(Debug, Queryable)]
pub struct Held {
    /// Its number.
    pub id: i64,
    /// Whose it is.
    pub user_id: i64,
    /// Where it is to be said.
    pub room_id: i64,
    /// Sealed.
    pub content: StoredText,
    /// When.
    pub send_at: StoredTime,
    /// Whether it could not be sent before.
    pub has_failed: bool,
}

/// Those of these rows that are there. No one changes them or takes them back until the transaction ends.
///
/// # Errors
/// When the database fails.
pub fn hold(conn: &mut AnyConnection, ids: &[i64]) -> QueryResult<Vec<Held>> {
    let rows = scheduled::table
        .filter(scheduled::id.eq_any(ids))
        .order(scheduled::id)
        .select((
            scheduled::id,
            scheduled::user_id,
            scheduled::room_id,
            scheduled::content,
            scheduled::send_at,
            scheduled::failed.is_not_null(),
        ));
    match conn {
        AnyConnection::Postgres(conn) => rows.for_update().load(conn),
        // BEGIN IMMEDIATE has made us the only writer.
        AnyConnection::Sqlite(conn) => rows.load(conn),
    }
}

/// Deletes these rows: they were said.
///
/// # Errors
/// When the database fails.
pub fn delete(conn: &mut AnyConnection, ids: &[i64]) -> QueryResult<()> {
    let said = scheduled::table.filter(scheduled::id.eq_any(ids));
    match conn {
        AnyConnection::Postgres(conn) => diesel::delete(said).execute(conn)?,
        AnyConnection::Sqlite(conn) => diesel::delete(said).execute(conn)?,
    };
    Ok(())
}
