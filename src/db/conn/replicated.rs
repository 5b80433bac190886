//! Whether a commit that `PostgreSQL` reports as done has reached the standby that it had to wait for.
//!
//! When someone cancels a session that waits for the standby (`pg_cancel_backend`), `PostgreSQL` ends the wait and reports
//! success; only a warning, which Diesel does not hand on, says that the commit is on one server alone. So a commit that
//! took long is believed only when a later one was quick: that one has not been cancelled in its wait, and a standby that
//! has it has all that was written before it.

use std::time::{Duration, Instant};

use diesel::{
    connection::{AnsiTransactionManager, SimpleConnection as _, TransactionManager as _},
    dsl::sql,
    pg::PgConnection,
    prelude::*,
    result::Error as DieselError,
    sql_types::Bool,
};

/// What ends sooner is believed: a healthy standby, or a disk, may be as slow as that. With the one commit that is tried
/// after a slow one it is still less than callers wait for.
const QUICK: Duration = Duration::from_secs(1);

/// Commits the transaction.
///
/// # Errors
/// When the commit fails, or is perhaps not where it was to be.
pub fn commit(conn: &mut PgConnection) -> QueryResult<()> {
    if is_quick(conn)? || !waits_for_others(conn)? {
        return Ok(());
    }
    AnsiTransactionManager::begin_transaction(conn)?;
    // It has to write something: a transaction that did not does not wait.
    if let Err(error) = conn.batch_execute("SELECT pg_logical_emit_message(true, 'parlour', '')") {
        AnsiTransactionManager::rollback_transaction(conn)?;
        return Err(error);
    }
    if is_quick(conn)? {
        return Ok(());
    }
    Err(DieselError::QueryBuilderError(
        "commits wait for a standby for longer than a second, so that none can be told from one whose wait was cancelled"
            .into(),
    ))
}

fn is_quick(conn: &mut PgConnection) -> QueryResult<bool> {
    let begun = Instant::now();
    AnsiTransactionManager::commit_transaction(conn)?;
    Ok(begun.elapsed() < QUICK)
}

/// Whether a commit is only done when a standby has it.
///
/// # Errors
/// When the database fails.
pub fn waits_for_others(conn: &mut PgConnection) -> QueryResult<bool> {
    diesel::select(sql::<Bool>(
        "current_setting('synchronous_standby_names') <> ''",
    ))
    .get_result(conn)
}
