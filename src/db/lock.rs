//! One server for each database. Until servers can tell each other what happens, two of them on one database would
//! be two chats that look like one; so the second is refused, kindly.

use std::{
    fs::{File, OpenOptions, TryLockError},
    path::PathBuf,
    thread,
    time::{Duration, Instant},
};

use diesel::{dsl::sql, prelude::*, sql_types::Bool};
use tokio::sync::oneshot;

use super::conn::{self, AnyConnection};
use crate::config::DatabaseUrl;

/// How often a lock that another process has is asked for.
const ASK_AGAIN: Duration = Duration::from_millis(100);
/// Names the advisory lock that a serving process holds.
const LOCK: i64 = 0x7061_726c_6f75_7200;

/// Proof that this process is the only one that serves this database. Kept as long as it serves.
#[derive(Debug)]
pub struct SoleServer {
    /// The embedded database: a lock on a file beside it, which the system takes back when the process ends, however it
    /// ends.
    _file: Option<File>,
    /// `PostgreSQL`: a thread holds an advisory lock on a connection of its own, and tells here when it has lost it.
    lost: Option<oneshot::Receiver<()>>,
}

impl SoleServer {
    /// Comes back when another server has taken the database over, as can happen when `PostgreSQL` was restarted.
    pub async fn lost(&mut self) {
        match &mut self.lost {
            Some(lost) => {
                let _whatever_it_says = lost.await;
            }
            None => std::future::pending().await,
        }
    }
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
    let mut has_said = false;
    loop {
        match try_take(url) {
            Err(LockError::Taken) if Instant::now() < deadline => {
                if !has_said {
                    log::info!(
                        "another Parlour server is using {url}: waiting up to {} s for it to end",
                        patience.as_secs()
                    );
                    has_said = true;
                }
                thread::sleep(ASK_AGAIN);
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
                Ok(()) => Ok(SoleServer {
                    _file: Some(file),
                    lost: None,
                }),
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
            let (loser, lost) = oneshot::channel();
            thread::Builder::new()
                .name("sole-server".into())
                .spawn(move || watch(&url, conn, loser))
                .map_err(|error| unreachable(&error))?;
            Ok(SoleServer {
                _file: None,
                lost: Some(lost),
            })
        }
    }
}

fn advisory_lock(conn: &mut AnyConnection) -> QueryResult<bool> {
    diesel::select(sql::<Bool>(&format!("pg_try_advisory_lock({LOCK})"))).get_result(conn)
}

/// Notices when the connection that holds the lock is gone (a restart of `PostgreSQL`) and takes the lock again.
fn watch(url: &DatabaseUrl, mut conn: AnyConnection, loser: oneshot::Sender<()>) {
    let alive = |conn: &mut AnyConnection| {
        diesel::select(sql::<Bool>("true"))
            .get_result::<bool>(conn)
            .is_ok()
    };
    loop {
        thread::sleep(Duration::from_secs(1));
        while !alive(&mut conn) {
            match conn::open(url).map(|mut fresh| (advisory_lock(&mut fresh), fresh)) {
                Ok((Ok(true), fresh)) => conn = fresh,
                Ok((Ok(false), _)) => {
                    let _the_server_is_ending = loser.send(());
                    return;
                }
                // As often as one that waits for its turn asks.
                Ok((Err(_), _)) | Err(_) => thread::sleep(ASK_AGAIN),
            }
        }
    }
}
