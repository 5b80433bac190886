//! Taking a guard out on purpose, so that a rig that looks for broken promises can be seen to find one. Only
//! `parlour verify --control` does this, to a database of its own that is thrown away.

use diesel::connection::SimpleConnection as _;

use super::conn::{self, AnyConnection};
use crate::config::DatabaseUrl;

/// Drops the index that finds a message that was sent before.
///
/// # Errors
/// One sentence, when the database refuses.
pub fn drop_client_id_index(url: &DatabaseUrl) -> Result<(), String> {
    let statement = "DROP INDEX messages_by_client_id";
    let mut conn = conn::open(url).map_err(|error| format!("{url}: {error}."))?;
    match &mut conn {
        AnyConnection::Postgres(conn) => conn.batch_execute(statement),
        AnyConnection::Sqlite(conn) => conn.batch_execute(statement),
    }
    .map_err(|error| format!("{url}: {error}."))
}
