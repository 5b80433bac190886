//! The queries of the road, by which everything durable comes into the logs of rooms: locking a room's row, taking its
//! numbers, and what each kind of change writes. They decide nothing; the journal does.

pub mod edits;
pub mod hidden;
pub mod later;
pub mod lock;
pub mod members;
pub mod own;
pub mod posts;
pub mod reactions;
pub mod rooms;
pub mod threads;

use diesel::{
    connection::Connection as _,
    result::{DatabaseErrorKind, Error as DieselError},
};

use super::AnyConnection;

/// Runs `work` in a savepoint of the transaction: when it fails, nothing of it is left, and the transaction goes on.
///
/// # Errors
/// What `work` met, or the database.
pub fn savepoint<T, E: From<DieselError>>(
    conn: &mut AnyConnection,
    work: impl FnOnce(&mut AnyConnection) -> Result<T, E>,
) -> Result<T, E> {
    conn.transaction(work)
}

/// What was looked up before does not hold any more: a login has ended, say.
pub const BEGIN_AGAIN: DieselError = DieselError::RollbackTransaction;

/// Whether the tables themselves refuse a row: the database is well, and other rows may be stored.
#[must_use]
pub fn is_constraint_violation(error: &DieselError) -> bool {
    matches!(
        error,
        DieselError::DatabaseError(
            DatabaseErrorKind::UniqueViolation
                | DatabaseErrorKind::ForeignKeyViolation
                | DatabaseErrorKind::NotNullViolation
                | DatabaseErrorKind::CheckViolation,
            _
        )
    )
}

/// Whether the database gave up one statement that took too long, or waited for too long: it is well otherwise, and so is the
/// connection.
#[must_use]
pub fn is_cancelled(error: &DieselError) -> bool {
    let DieselError::DatabaseError(_, information) = error else {
        return false;
    };
    let message = information.message();
    ["statement timeout", "lock timeout"].iter().any(|reason| {
        message.starts_with("canceling statement due to ") && message.ends_with(reason)
    })
}
