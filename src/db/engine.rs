//! What the database says of itself: its version, its clock, how it writes.

use chrono::NaiveDateTime;
use diesel::{
    dsl::sql,
    prelude::*,
    sql_types::{Text, Timestamp as SqlTimestamp},
};

use super::{AnyConnection, utc};
use crate::protocol::time::Timestamp;

/// The version of the SQLite that is compiled in, like `3.51.3`.
///
/// # Errors
/// When there is no memory for a database.
pub fn find_sqlite_version() -> Result<String, Box<dyn std::error::Error>> {
    let mut conn = SqliteConnection::establish(":memory:")?;
    Ok(diesel::select(sql::<Text>("sqlite_version()")).get_result(&mut conn)?)
}

/// The settings of `PostgreSQL` that "stored is stored" rests on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Postgres {
    /// Like `15.18 (Debian 15.18-0+deb12u1)`.
    pub version: String,
    /// As it is for whoever does not ask for another; Parlour asks for `on`.
    pub synchronous_commit: String,
    /// Whether anything is ever forced to the disk.
    pub fsync: String,
    /// Its clock.
    pub now: Timestamp,
}

/// Asks `PostgreSQL`; `None` from the embedded database.
///
/// # Errors
/// When the database fails.
pub fn find_postgres(conn: &mut AnyConnection) -> QueryResult<Option<Postgres>> {
    let AnyConnection::Postgres(conn) = conn else {
        return Ok(None);
    };
    let found: (String, String, String, NaiveDateTime) = diesel::select((
        sql::<Text>("current_setting('server_version')"),
        sql::<Text>("(SELECT reset_val FROM pg_settings WHERE name = 'synchronous_commit')"),
        sql::<Text>("current_setting('fsync')"),
        sql::<SqlTimestamp>("clock_timestamp() AT TIME ZONE 'UTC'"),
    ))
    .get_result(conn)?;
    let (version, synchronous_commit, fsync, now) = found;
    Ok(Some(Postgres {
        version,
        synchronous_commit,
        fsync,
        now: utc(now),
    }))
}

/// The embedded database, byte for byte as it would lie in its file with all of its log written to it; `None` from
/// `PostgreSQL`.
pub fn read_pages(conn: &mut AnyConnection) -> Option<Vec<u8>> {
    let AnyConnection::Sqlite(conn) = conn else {
        return None;
    };
    let pages = conn.serialize_database_to_buffer();
    pages.try_as_slice().ok().map(<[u8]>::to_vec)
}
