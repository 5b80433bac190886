//! One server for each database. Until servers can tell each other what happens, two of them on one database would
//! be two chats that look like one; so the second is refused, kindly.

use std::{
    fs::{File, OpenOptions, TryLockError},
    path::PathBuf,
    thread,
    time::{Duration, Instant},
};

use diesel::{dsl::sql, prelude::*, sql_types::Bool};

use super::conn::{self, AnyConnection};
use crate::config::DatabaseUrl;

/// Names the advisory lock that a serving process holds.
const LOCK: i64 = 0x7061_726c_6f75_7200;

/// Proof that this process is the only one that serves this database. Kept as long as it serves.
#[derive(Debug)]
pub enum SoleServer {
    /// A lock on a file beside the database, which the system takes back when the process ends, however it ends.
    File(File),
    /// A thread that holds an advisory lock on a connection of its own.
    Watched,
}

/// Why the lock was not given.
#[derive(Debug)]
pub enum LockError {
    /// Another process has it.
    Taken,
    /// The database or the file cannot be reached.
    Unreachable(String),
}

/// Takes the lock, waiting up to `patience` for another process to end.
///
/// # Errors
/// [`LockError`].
pub fn take(url: &DatabaseUrl, patience: Duration) -> Result<SoleServer, LockError> {
    let deadline = Instant::now() + patience;
    loop {
        match try_take(url) {
            Err(LockError::Taken) if Instant::now() < deadline => {
                thread::sleep(Duration::from_millis(100));
            }
            outcome => return outcome,
        }
    }
}

fn try_take(url: &DatabaseUrl) -> Result<SoleServer, LockError> {
    let unreachable = |error: &dyn std::fmt::Display| LockError::Unreachable(error.to_string());
    match url {
        DatabaseUrl::Sqlite(path) => {
            let mut name = path.clone().into_os_string();
            name.push(".lock");
            let name = PathBuf::from(name);
            let file = OpenOptions::new()
                .create(true)
                .truncate(false)
                .write(true)
                .open(&name)
                .map_err(|error| LockError::Unreachable(format!("{}: {error}", name.display())))?;
            match file.try_lock() {
                Ok(()) => Ok(SoleServer::File(file)),
                Err(TryLockError::WouldBlock) => Err(LockError::Taken),
                Err(TryLockError::Error(error)) => Err(unreachable(&error)),
            }
        }
        DatabaseUrl::Postgres(_) => {
            let mut conn = conn::open(url).map_err(|error| unreachable(&error))?;
            if !advisory_lock(&mut conn).map_err(|error| unreachable(&error))? {
                return Err(LockError::Taken);
            }
            let url = url.clone();
            thread::Builder::new()
                .name("sole-server".into())
                .spawn(move || watch(&url, conn))
                .map_err(|error| unreachable(&error))?;
            Ok(SoleServer::Watched)
        }
    }
}

fn advisory_lock(conn: &mut AnyConnection) -> QueryResult<bool> {
    diesel::select(sql::<Bool>(&format!("pg_try_advisory_lock({LOCK})"))).get_result(conn)
}

/// Notices when the connection that holds the lock is gone (a restart of `PostgreSQL`) and takes the lock again.
fn watch(url: &DatabaseUrl, mut conn: AnyConnection) {
    let alive = |conn: &mut AnyConnection| {
        diesel::select(sql::<Bool>("true"))
            .get_result::<bool>(conn)
            .is_ok()
    };
    loop {
        thread::sleep(Duration::from_secs(1));
        if alive(&mut conn) {
            continue;
        }
        match conn::open(url).map(|mut fresh| (advisory_lock(&mut fresh), fresh)) {
            Ok((Ok(true), fresh)) => conn = fresh,
            Ok((Ok(false), _)) => {
                log::error!(
                    "another Parlour server has taken over this database: stop one of the two"
                );
            }
            Ok((Err(_), _)) | Err(_) => {}
        }
    }
}
