//! The only room that names diesel: the connection and its pool, the schema, and one file of queries for each noun.
//! It knows nothing of rules; it is asked by `chat` and `journal`, and answers with rows.

pub mod conn;
pub mod facts;
pub mod guard;
mod ids;
pub mod lock;
pub mod messages;
pub mod migrate;
pub mod rooms;
pub mod schema;
pub mod sessions;
pub mod users;

use chrono::NaiveDateTime;
use diesel::result::{DatabaseErrorKind, Error as DieselError, QueryResult};

pub use conn::{AnyConnection, Pool, WriteError};

use crate::{
    config::Storage,
    error::{Error, Result},
    gate::Gate,
    protocol::time::Timestamp,
};

/// The database, as everything but the journal uses it: a pool behind a gate.
#[derive(Clone)]
pub struct Db {
    pool: Pool,
    gate: Gate,
}

impl Db {
    /// A database with as many threads as connections. Nothing is connected yet.
    ///
    /// # Errors
    /// When the system gives no thread.
    pub fn new(storage: &Storage) -> std::io::Result<Self> {
        let threads = storage.pool_size as usize;
        let gate = Gate::start("database", threads, 64 * threads, conn::PATIENCE)?;
        Ok(Self {
            pool: conn::pool(&storage.database_url, storage.pool_size),
            gate,
        })
    }

    /// Reads: runs `query` on a pooled connection.
    ///
    /// # Errors
    /// 503 when there is no connection or no answer in time.
    pub async fn read<T: Send + 'static>(
        &self,
        query: impl FnOnce(&mut AnyConnection) -> QueryResult<T> + Send + 'static,
    ) -> Result<T> {
        let pool = self.pool.clone();
        self.gate
            .run(move || query(&mut *connection(&pool)?).map_err(|error| unavailable(&error)))
            .await?
    }

    /// Writes: runs `change` in a transaction on a pooled connection.
    ///
    /// # Errors
    /// 503 when there is no connection or no answer in time; the change may then be stored or not.
    pub async fn write<T: Send + 'static>(
        &self,
        change: impl FnOnce(&mut AnyConnection) -> QueryResult<T> + Send + 'static,
    ) -> Result<T> {
        let pool = self.pool.clone();
        self.gate
            .run(move || {
                conn::write(&mut *connection(&pool)?, change).map_err(|error| match &error {
                    WriteError::Refused(cause) => unavailable(cause),
                    WriteError::Unknown(cause) => outcome_unknown(cause),
                })
            })
            .await?
    }

    /// Whether the database takes writes at this moment: begins a transaction that would write, and leaves it.
    ///
    /// # Errors
    /// 503 when it does not.
    pub async fn check_writable(&self) -> Result<()> {
        self.write(|conn| facts::update(conn, "nothing", "nothing"))
            .await
    }
}

/// A pooled connection, for those that bring their own thread.
///
/// # Errors
/// 503 when there is none within [`conn::PATIENCE`].
pub fn connection(pool: &Pool) -> Result<r2d2::PooledConnection<conn::Manager>> {
    pool.get().map_err(|error| {
        log::warn!("no database connection: {error}");
        Error::store_unavailable()
    })
}

fn unavailable(cause: &DieselError) -> Error {
    log::warn!("the database refused: {cause}");
    Error::store_unavailable()
}

/// The answer to a commit that failed on its way.
#[must_use]
pub fn outcome_unknown(cause: &DieselError) -> Error {
    log::warn!("a commit failed on its way: {cause}");
    Error::outcome_unknown()
}

/// Whether a unique index refused a row.
#[must_use]
pub fn is_unique_violation(error: &DieselError) -> bool {
    matches!(
        error,
        DieselError::DatabaseError(DatabaseErrorKind::UniqueViolation, _)
    )
}

/// A stored time, with its zone.
#[must_use]
pub fn utc(at: NaiveDateTime) -> Timestamp {
    at.and_utc()
}
