//! Connections to either database, the pool that keeps them, and transactions. What must differ between the two
//! databases stands here or beside its query, nowhere else.

use std::{
    path::Path,
    sync::atomic::{AtomicBool, Ordering},
    thread,
    time::{Duration, Instant},
};

use diesel::{
    connection::{AnsiTransactionManager, SimpleConnection as _, TransactionManager as _},
    prelude::*,
    r2d2::R2D2Connection as _,
    sqlite::SqliteConnection,
};
use rustix::fs::Access;

use super::{connector::one_line, file, file_watch, outage::CONNECTING};
use crate::config::DatabaseUrl;

/// Longest wait for a free connection, a lock or an answer, and so the longest that a caller is kept waiting.
pub const TIMEOUT: Duration = Duration::from_secs(2);
/// A connection that has answered so lately is not asked whether it still does. No restart of a database is as short.
const JUST_ANSWERED: Duration = Duration::from_millis(100);
/// Longest wait for a free connection: less, so that the answer that says what is missing comes first.
const POOL_TIMEOUT: Duration = Duration::from_millis(1_200);

pub use any::AnyConnection;
pub use postgres::{is_conflict, is_passing};
pub use replicated::{commit as commit_replicated, waits_for_others};

mod postgres;
mod replicated;

mod any {
    // The derive makes public items that it does not document.
    #![allow(missing_docs)]

    use diesel::{pg::PgConnection, sqlite::SqliteConnection};

    /// A connection to either database.
    #[derive(diesel::MultiConnection)]
    pub enum AnyConnection {
        /// `PostgreSQL`.
        Postgres(PgConnection),
        /// The embedded database.
        Sqlite(SqliteConnection),
    }
}

impl std::fmt::Debug for AnyConnection {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Postgres(_) => "AnyConnection::Postgres",
            Self::Sqlite(_) => "AnyConnection::Sqlite",
        })
    }
}

/// Opens a connection to what the URL names; an embedded database is made when it is not there. The kind is taken from the
/// URL alone: an outage of `PostgreSQL` must never end in a new, empty SQLite file.
///
/// # Errors
/// When the database cannot be reached or opened.
pub fn open(url: &DatabaseUrl) -> ConnectionResult<AnyConnection> {
    if let DatabaseUrl::Sqlite(path) = url {
        file::check_access(path, Access::READ_OK | Access::WRITE_OK)
            .and_then(|()| file::make_for_owner(path))
            .map_err(|error| cannot_open(path, &error))?;
        check_kinds(path)?;
        return open_sqlite(&file::uri_to_write(path)).map(AnyConnection::Sqlite);
    }
    open_again(url)
}

/// The same for a database that was opened before. An embedded one that was taken away meanwhile must not be made anew,
/// nor another one be opened that lies in its place: SQLite would throw away the log that is beside it, with all that was
/// acked last, or put it into the wrong one.
///
/// # Errors
/// When the database cannot be reached or opened, or is another one.
pub fn open_again(url: &DatabaseUrl) -> ConnectionResult<AnyConnection> {
    match url {
        DatabaseUrl::Postgres(url) => postgres::open(url).map(AnyConnection::Postgres),
        DatabaseUrl::Sqlite(path) => {
            let there = path.metadata().map(|_| ());
            there
                .and_then(|()| file::check_access(path, Access::READ_OK | Access::WRITE_OK))
                .and_then(|()| file_watch::check_served(path))
                .map_err(|error| cannot_open(path, &error))?;
            check_kinds(path)?;
            open_sqlite(&(file::uri(path) + "?mode=rw")).map(AnyConnection::Sqlite)
        }
    }
}

/// Opens a connection that can read and change nothing, not even by being opened. The embedded database must exist.
///
/// # Errors
/// When the database cannot be reached or opened.
pub fn look(url: &DatabaseUrl) -> ConnectionResult<AnyConnection> {
    match url {
        DatabaseUrl::Postgres(url) => {
            let mut conn = postgres::open(url)?;
            conn.batch_execute("SET default_transaction_read_only = on")
                .map_err(ConnectionError::CouldntSetupConfiguration)?;
            Ok(AnyConnection::Postgres(conn))
        }
        DatabaseUrl::Sqlite(path) => {
            let real = file::resolve(path)
                .and_then(|real| file::check_access(&real, Access::READ_OK).map(|()| real))
                .map_err(|error| cannot_open(path, &error))?;
            check_kinds(&real)?;
            let mut conn = SqliteConnection::establish(&file::uri_to_read(&real))?;
            conn.batch_execute("PRAGMA busy_timeout = 2000; PRAGMA query_only = ON;")
                .map_err(ConnectionError::CouldntSetupConfiguration)?;
            Ok(AnyConnection::Sqlite(conn))
        }
    }
}

/// Has SQLite undo what another program has begun in an embedded database and not ended: until then nobody can read it who may
/// not write.
///
/// # Errors
/// When that fails.
pub fn roll_back(path: &Path) -> ConnectionResult<()> {
    let mut conn = SqliteConnection::establish(&(file::uri(path) + "?mode=rw"))?;
    conn.batch_execute("PRAGMA busy_timeout = 2000; SELECT count(*) FROM sqlite_master")
        .map_err(ConnectionError::CouldntSetupConfiguration)
}

/// SQLite opens what has the name of one of its files whatever it is, and as root gives it the database's mode: a device, too.
fn check_kinds(path: &Path) -> ConnectionResult<()> {
    let real = file::resolve(path).map_err(|error| cannot_open(path, &error))?;
    file::check_kinds(&real).map_err(ConnectionError::BadConnection)
}

fn cannot_open(path: &Path, error: &std::io::Error) -> ConnectionError {
    ConnectionError::BadConnection(format!("{}: {error}", path.display()))
}

fn open_sqlite(uri: &str) -> ConnectionResult<SqliteConnection> {
    let mut conn = SqliteConnection::establish(uri)?;
    // The busy timeout comes first: switching to WAL takes a lock that another connection may hold.
    conn.batch_execute(
        "PRAGMA busy_timeout = 2000; PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; \
         PRAGMA foreign_keys = ON; PRAGMA trusted_schema = OFF; PRAGMA secure_delete = ON; \
         PRAGMA cache_size = -1024;",
    )
    .map_err(ConnectionError::CouldntSetupConfiguration)?;
    Ok(conn)
}

/// Waits until an embedded database is one file again, `within` that time: who closes the last connection puts the log into
/// the database, and a connection that a pool was just opening or using may outlive everything else. Where another process
/// has the database open, the log stays.
pub fn await_one_file(url: &DatabaseUrl, within: Duration) {
    let DatabaseUrl::Sqlite(path) = url else {
        return;
    };
    let start = Instant::now();
    while file::has_log(path) && path.exists() && start.elapsed() < within {
        // It may be the last one now.
        drop(open_again(url));
        thread::sleep(Duration::from_millis(5));
    }
    if file::has_log(path) && path.exists() && !HAS_STOPPED.load(Ordering::SeqCst) {
        empty_log(url, path);
    }
}

/// Puts all that is in the log into the file of the database, where another program keeps it open.
fn empty_log(url: &DatabaseUrl, path: &Path) {
    let Ok(AnyConnection::Sqlite(mut conn)) = open_again(url) else {
        return;
    };
    let emptied = conn
        .batch_execute("PRAGMA busy_timeout = 200")
        .and_then(|()| conn.batch_execute("PRAGMA wal_checkpoint(TRUNCATE)"));
    if !file::has_log(path) {
        return;
    }
    let why = match emptied {
        Ok(()) => "another program is reading it: copy both, or close that program first".into(),
        Err(error) => format!("{}: copy both", one_line(&error)),
    };
    log::warn!(
        "what was stored last in {0} stays in {0}-wal ({why})",
        path.display()
    );
}

/// A connection of a pool. One that has met a state which may outlast its cause is not kept.
#[derive(Debug)]
pub struct Pooled {
    conn: AnyConnection,
    is_spoiled: bool,
    /// When it last came back with nothing but answers; `None`: a query has failed on it.
    answered: Option<Instant>,
    has_failed: bool,
}

impl std::ops::Deref for Pooled {
    type Target = AnyConnection;

    fn deref(&self) -> &AnyConnection {
        &self.conn
    }
}

impl std::ops::DerefMut for Pooled {
    fn deref_mut(&mut self) -> &mut AnyConnection {
        &mut self.conn
    }
}

impl Pooled {
    /// Notes what a query has met on this connection.
    pub fn note(&mut self, error: &diesel::result::Error) {
        self.has_failed = true;
        self.is_spoiled |=
            matches!(self.conn, AnyConnection::Postgres(_)) && postgres::may_outlast(error);
    }

    /// Whether it is of no more use. (Its pool finds out when it comes back.)
    pub fn is_broken(&mut self) -> bool {
        self.is_spoiled
            || match &mut self.conn {
                AnyConnection::Postgres(conn) => conn.is_broken(),
                AnyConnection::Sqlite(conn) => conn.is_broken(),
            }
    }
}

/// Makes and checks connections for the pool.
#[derive(Debug, Clone)]
pub struct Manager(pub DatabaseUrl);

impl r2d2::ManageConnection for Manager {
    type Connection = Pooled;
    type Error = diesel::r2d2::Error;

    fn connect(&self) -> Result<Pooled, Self::Error> {
        let conn = open_again(&self.0).map_err(diesel::r2d2::Error::ConnectionError)?;
        CONNECTING.note_success();
        Ok(Pooled {
            conn,
            is_spoiled: false,
            answered: Some(Instant::now()),
            has_failed: false,
        })
    }

    fn is_valid(&self, conn: &mut Pooled) -> Result<(), Self::Error> {
        let has_just_answered = |at: Instant| at.elapsed() < JUST_ANSWERED;
        if conn.answered.is_some_and(has_just_answered) {
            return Ok(());
        }
        match &mut conn.conn {
            AnyConnection::Postgres(conn) => conn.ping().map_err(diesel::r2d2::Error::QueryError),
            // There is no one at the other end who could have gone.
            AnyConnection::Sqlite(_) => Ok(()),
        }
    }

    fn has_broken(&self, conn: &mut Pooled) -> bool {
        let is_broken = std::thread::panicking() || conn.is_broken();
        let has_failed = std::mem::take(&mut conn.has_failed);
        conn.answered = (!has_failed).then(Instant::now);
        is_broken
    }
}

/// Says once that connections cannot be made; r2d2 keeps trying.
#[derive(Debug)]
struct SayOutage;

impl r2d2::HandleError<diesel::r2d2::Error> for SayOutage {
    fn handle_error(&self, error: diesel::r2d2::Error) {
        CONNECTING.note(&format!(
            "the database cannot be reached, trying again: {}",
            one_line(&error)
        ));
    }
}

/// The pool of connections.
pub type Pool = r2d2::Pool<Manager>;

/// A pool of at most `size` connections, opened when first needed.
#[must_use]
pub fn pool(url: &DatabaseUrl, size: u32) -> Pool {
    builder(size).build_unchecked(Manager(url.clone()))
}

/// A pool whose connections are handed out unseen, for those who can begin anew on another one: asking each time whether
/// it still answers costs a round trip.
#[must_use]
pub fn unseen_pool(url: &DatabaseUrl, size: u32) -> Pool {
    builder(size)
        .test_on_check_out(false)
        .build_unchecked(Manager(url.clone()))
}

fn builder(size: u32) -> r2d2::Builder<Manager> {
    r2d2::Pool::builder()
        .max_size(size)
        .min_idle(Some(1))
        .connection_timeout(POOL_TIMEOUT)
        .error_handler(Box::new(SayOutage))
}

/// Why a transaction did not end well, in terms of what became of it.
#[derive(Debug)]
pub enum WriteError {
    /// Nothing was stored.
    Refused(diesel::result::Error),
    /// The commit was on its way when it failed, or a standby has perhaps not confirmed it: it may be stored or not.
    Unknown(diesel::result::Error),
}

impl WriteError {
    /// The database's own error, for the log.
    #[must_use]
    pub fn cause(&self) -> &diesel::result::Error {
        let (Self::Refused(cause) | Self::Unknown(cause)) = self;
        cause
    }
}

/// Whether the disk of the database is full.
#[must_use]
pub fn is_disk_full(error: &diesel::result::Error) -> bool {
    match error {
        diesel::result::Error::DatabaseError(_, information) => {
            let message = information.message();
            message.contains("disk is full") || message.contains("No space left on device")
        }
        _ => false,
    }
}

/// Whether this process may not write any more.
static HAS_STOPPED: AtomicBool = AtomicBool::new(false);

/// From now on this process commits nothing: the database is another server's, or its files are no longer those that are
/// open here, so that what would be acked might be lost.
pub fn stop_writing() {
    HAS_STOPPED.store(true, Ordering::SeqCst);
}

/// Asked within the transaction: on SQLite, whoever has stopped the writing and then gets the lock of a writer has all that
/// was committed.
fn check_may_write() -> QueryResult<()> {
    if HAS_STOPPED.load(Ordering::SeqCst) || !file_watch::has_its_memory() {
        return Err(diesel::result::Error::QueryBuilderError(
            "this server has lost its database and is ending".into(),
        ));
    }
    Ok(())
}

/// Runs `work` on what the database holds at one moment, whatever is committed meanwhile.
///
/// # Errors
/// When the database fails.
pub fn read_at_once<T>(
    conn: &mut AnyConnection,
    work: impl FnOnce(&mut AnyConnection) -> QueryResult<T>,
) -> QueryResult<T> {
    match conn {
        AnyConnection::Postgres(conn) => AnsiTransactionManager::begin_transaction_sql(
            conn,
            "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY",
        ),
        AnyConnection::Sqlite(conn) => {
            AnsiTransactionManager::begin_transaction_sql(conn, "BEGIN DEFERRED")
        }
    }?;
    let found = work(conn);
    // Nothing was changed, so that any end will do.
    let ended = match conn {
        AnyConnection::Postgres(conn) => AnsiTransactionManager::rollback_transaction(conn),
        AnyConnection::Sqlite(conn) => AnsiTransactionManager::rollback_transaction(conn),
    };
    found.and_then(|found| ended.map(|()| found))
}

/// Runs `work` in a transaction that may write. On SQLite it begins IMMEDIATE: one that only becomes a writer half
/// way through fails with "database is locked" whatever the busy timeout.
///
/// # Errors
/// [`WriteError`].
pub fn write<T>(
    conn: &mut AnyConnection,
    work: impl FnOnce(&mut AnyConnection) -> QueryResult<T>,
) -> Result<T, WriteError> {
    match conn {
        AnyConnection::Postgres(conn) => AnsiTransactionManager::begin_transaction(conn),
        AnyConnection::Sqlite(conn) => {
            AnsiTransactionManager::begin_transaction_sql(conn, "BEGIN IMMEDIATE")
        }
    }
    .map_err(WriteError::Refused)?;
    match work(conn).and_then(|value| check_may_write().map(|()| value)) {
        Ok(value) => match conn {
            AnyConnection::Postgres(conn) => commit_replicated(conn).map_err(|error| {
                if is_conflict(&error) {
                    WriteError::Refused(error)
                } else {
                    WriteError::Unknown(error)
                }
            }),
            AnyConnection::Sqlite(conn) => {
                AnsiTransactionManager::commit_transaction(conn).map_err(|error| {
                    // Then the end of the transaction has no place in the log. (What cannot be flushed is another error.)
                    if is_disk_full(&error) {
                        WriteError::Refused(error)
                    } else {
                        WriteError::Unknown(error)
                    }
                })
            }
        }
        .map(|()| value),
        Err(error) => {
            let rolled_back = match conn {
                AnyConnection::Postgres(conn) => AnsiTransactionManager::rollback_transaction(conn),
                AnyConnection::Sqlite(conn) => AnsiTransactionManager::rollback_transaction(conn),
            };
            if let Err(error) = rolled_back {
                log::debug!("a rollback failed, the connection is given up: {error}");
            }
            Err(WriteError::Refused(error))
        }
    }
}
