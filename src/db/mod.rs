//! The only room that names diesel: the connection and its pool, the schema, and one file of queries for each noun.
//! It knows nothing of rules; it is asked by `chat` and `journal`, and answers with rows.

pub mod conn;
pub mod copy;
pub mod engine;
pub mod facts;
pub mod file;
pub mod guard;
mod ids;
pub mod lock;
pub mod lock_file;
pub mod messages;
pub mod migrate;
pub mod reach;
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
    gate::{Gate, Share, Urgency},
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
        let gate = Gate::start(
            "database",
            Share::Even,
            threads,
            64 * threads,
            conn::PATIENCE,
        )?;
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
        self.read_with(Urgency::Urgent, query).await
    }

    /// Reads for somebody whose login has to live at that moment: the request may have been on its way for long.
    ///
    /// # Errors
    /// 401 when the login has ended; as [`Self::read`], and sooner for what can wait, so that people still get in and
    /// sockets catch up.
    pub async fn read_as<T: Send + 'static>(
        &self,
        claim: sessions::Claim,
        urgency: Urgency,
        query: impl FnOnce(&mut AnyConnection) -> QueryResult<T> + Send + 'static,
    ) -> Result<T> {
        let found = self.read_with(urgency, move |conn| {
            if !sessions::is_live(conn, claim)? {
                return Ok(None);
            }
            query(conn).map(Some)
        });
        found.await?.ok_or_else(Error::invalid_token)
    }

    async fn read_with<T: Send + 'static>(
        &self,
        urgency: Urgency,
        query: impl FnOnce(&mut AnyConnection) -> QueryResult<T> + Send + 'static,
    ) -> Result<T> {
        let pool = self.pool.clone();
        self.gate
            .run(urgency, move || {
                query(&mut *connection(&pool)?).map_err(|error| unavailable(&error))
            })
            .await
            // A reading that was not ended in time has changed nothing.
            .map_err(|error| {
                if error == Error::unconfirmed() {
                    Error::store_unavailable()
                } else {
                    error
                }
            })?
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
            .run(Urgency::Urgent, move || {
                conn::write(&mut *connection(&pool)?, change).map_err(|error| match &error {
                    WriteError::Refused(cause) => unavailable(cause),
                    WriteError::Unknown(cause) => {
                        log::warn!("a commit failed on its way: {cause}");
                        Error::unconfirmed()
                    }
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
