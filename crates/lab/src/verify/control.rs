//! Taking a guard out on purpose, so that a rig that looks for broken promises can be seen to find one: in a database of
//! its own that is thrown away, by the database's own programs.

use std::path::Path;

use crate::{
    Result,
    rig::{postgres::Postgres, visitor::Visitor},
};

/// Drops the index that finds a message that was sent before.
const DROP_INDEX: &str = "DROP INDEX messages_by_client_id";

/// Drops it from the embedded database.
///
/// # Errors
/// When there is no `sqlite3`, or the database refuses.
pub async fn drop_index_of_sqlite(database: &Path, folder: &Path) -> Result<()> {
    let visitor = Visitor::find(database, folder)?;
    visitor.execute(DROP_INDEX).await
}

/// Drops it from a database of this cluster.
///
/// # Errors
/// When the database refuses.
pub async fn drop_index_of_postgres(cluster: &Postgres, database: &str) -> Result<()> {
    cluster.execute(database, DROP_INDEX).await
}
