//! The only room that names diesel: the connection and its pool, the schema, and one file of queries for each noun.
//! It knows nothing of rules; it is asked by `chat` and `journal`, and answers with rows.

/// Runs a query on the connection itself. On the enum of both, a query with a LIMIT would be compiled at every call: only
/// the connections themselves keep it.
macro_rules! on_either {
    ($conn:expr, $query:ident.$run:ident()) => {
        match $conn {
            $crate::db::AnyConnection::Postgres(conn) => $query.$run(conn),
            $crate::db::AnyConnection::Sqlite(conn) => $query.$run(conn),
        }
    };
}

pub mod conn;
pub mod connector;
pub mod copy;
pub mod disk;
pub mod drafts;
pub mod engine;
pub mod facts;
pub mod file;
pub mod file_watch;
mod ids;
pub mod integrity;
pub mod lock;
pub mod log;
pub mod members;
pub mod mentions;
pub mod messages;
pub mod migrate;
pub mod networks;
pub mod outage;
pub mod privileges;
mod probe;
pub mod reading;
pub mod relations;
pub mod requirements;
pub mod rooms;
pub mod row_checks;
pub mod scheduled;
pub mod schema;
pub mod sessions;
#[cfg(test)]
mod tests;
pub mod text;
pub mod threads;
pub mod time;
pub mod users;

use std::sync::Arc;

use chrono::NaiveDateTime;
use diesel::result::{DatabaseErrorKind, Error as DieselError, QueryResult};

pub use conn::{AnyConnection, Pool, WriteError};
pub use diesel::result::Error as QueryError;
#[cfg(test)]
pub use tests::by_hand;

use self::{
    connector::one_line,
    outage::{CONNECTING, Outage, READING, STORING, WRITING},
    sessions::Session,
};
use crate::{
    config::Storage,
    error::{Error, Result},
    gate::{Gate, Place, Places, Share, Urgency},
    protocol::time::Timestamp,
};

/// The database, as everything but the journal uses it: a pool behind a gate.
#[derive(Clone)]
pub struct Db {
    pool: Pool,
    gate: Gate,
    /// Readings of each user that are under way: until they have ended, also when nobody waits for them any more.
    readings: Arc<Places<i64>>,
    most_of_user: usize,
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
            conn::TIMEOUT,
        )?;
        Ok(Self {
            pool: conn::pool(&storage.database_url, storage.pool_size),
            gate,
            readings: Arc::default(),
            most_of_user: (threads / 4).max(2),
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

    /// Reads for someone whose login has to live at that moment: the request may have been on its way for long. All is
    /// seen as it is at one moment. Of one user a quarter of the threads may be at work, so that whoever asks for what is hard to
    /// find makes only itself wait.
    ///
    /// # Errors
    /// 401 when the login has ended; as [`Self::read`], and sooner for what can wait, so that people still get in and
    /// sockets catch up.
    pub async fn read_as<T: Send + 'static>(
        &self,
        claim: sessions::Claim,
        urgency: Urgency,
        query: impl FnOnce(&mut AnyConnection, Session) -> QueryResult<T> + Send + 'static,
    ) -> Result<T> {
        let user_id = claim.user_id;
        let reading = async {
            let place = self.readings.enter(user_id, self.most_of_user).await;
            let found = self.read_with(urgency, move |conn| {
                let _until_it_ends: Option<Place> = place.ok();
                conn::read_at_once(conn, |conn| {
                    let login = sessions::find_claimed(conn, claim)?;
                    login.map(|login| query(conn, login)).transpose()
                })
            });
            found.await
        };
        match tokio::time::timeout(conn::TIMEOUT, reading).await {
            Ok(found) => found?.ok_or_else(Error::invalid_token),
            Err(_) => Err(self.gate.busy()),
        }
    }

    async fn read_with<T: Send + 'static>(
        &self,
        urgency: Urgency,
        query: impl FnOnce(&mut AnyConnection) -> QueryResult<T> + Send + 'static,
    ) -> Result<T> {
        let pool = self.pool.clone();
        self.gate
            .run(urgency, move || {
                let mut conn = connection(&pool)?;
                let found = query(&mut conn);
                if let Err(error) = &found {
                    conn.note(error);
                }
                found
                    .inspect(|_| READING.note_success())
                    .map_err(|error| unavailable(&error, &READING))
            })
            .await
            // A reading that was not ended in time has changed nothing.
            .map_err(sure)?
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
        let written = self
            .gate
            .run(Urgency::Urgent, move || write_on(&pool, change));
        written.await?
    }

    /// The same for what is told when it is stored: once it has begun, its end is waited for, however long it takes (some
    /// seconds: the database's own limits end it).
    ///
    /// # Errors
    /// As [`Self::write`].
    pub async fn write_to_the_end<T: Send + 'static>(
        &self,
        change: impl FnOnce(&mut AnyConnection) -> QueryResult<T> + Send + 'static,
    ) -> Result<T> {
        let pool = self.pool.clone();
        let written = self.gate.run_to_the_end(move || write_on(&pool, change));
        written.await?
    }

    /// Whether the database would store a message in this room at this moment; with `commit`, a commit is tried as well.
    /// With `pool`, it is tried on a connection of that one. `trial` is dropped when the trial has ended, which may be later than the answer.
    ///
    /// # Errors
    /// 503 when it would not.
    pub async fn try_post(
        &self,
        room: &'static str,
        commit: bool,
        pool: Option<Pool>,
        trial: impl Send + 'static,
    ) -> Result<()> {
        let pool = pool.unwrap_or_else(|| self.pool.clone());
        self.gate
            .run(Urgency::Urgent, move || {
                let _until_the_end = trial;
                let mut conn = connection(&pool)?;
                let tried = probe::try_post(&mut conn, room, commit);
                finish(&mut conn, tried, &STORING)
            })
            .await
            .flatten()
            // No one has asked for anything to be stored.
            .map_err(sure)
    }
}

/// The error when nothing can have been stored.
fn sure(error: Error) -> Error {
    if error == Error::unconfirmed() {
        Error::store_unavailable()
    } else {
        error
    }
}

fn write_on<T>(
    pool: &Pool,
    change: impl FnOnce(&mut AnyConnection) -> QueryResult<T>,
) -> Result<T> {
    let mut conn = connection(pool)?;
    let written = conn::write(&mut conn, change);
    finish(&mut conn, written, &WRITING)
}

/// Notes how a transaction ended, and says what became of it.
fn finish<T>(
    conn: &mut conn::Pooled,
    outcome: Result<T, WriteError>,
    outage: &Outage,
) -> Result<T> {
    match &outcome {
        Ok(_) => outage.note_success(),
        Err(error) => conn.note(error.cause()),
    }
    outcome.map_err(|error| match &error {
        WriteError::Refused(cause) => unavailable(cause, outage),
        WriteError::Unknown(cause) => {
            outage.note(&format!("a commit failed on its way: {}", one_line(cause)));
            Error::unconfirmed()
        }
    })
}

/// A pooled connection, for those that bring their own thread.
///
/// # Errors
/// 503 when there is none within [`conn::TIMEOUT`].
pub fn connection(pool: &Pool) -> Result<r2d2::PooledConnection<conn::Manager>> {
    pool.get().map_err(|error| {
        ::log::debug!("no database connection: {error}");
        CONNECTING.note("no connection to the database was free in time");
        Error::store_unavailable()
    })
}

fn unavailable(cause: &DieselError, outage: &Outage) -> Error {
    let words = one_line(cause);
    if integrity::is_unreadable(&words) {
        file_watch::suspect();
    }
    outage.note(&format!("the database refused: {words}"));
    refused(cause)
}

/// What is said to whom the database has refused something for sure.
#[must_use]
pub fn refused(cause: &DieselError) -> Error {
    if conn::is_disk_full(cause) {
        Error::disk_full()
    } else {
        Error::store_unavailable()
    }
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
