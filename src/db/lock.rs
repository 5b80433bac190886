//! One server for each database. Until servers can tell each other what happens, two of them on one database would
//! be two chats that look like one; so the second is refused, kindly.

use std::{
    fs::File,
    thread,
    time::{Duration, Instant},
};

use tokio::sync::oneshot;

use super::{connector::Connector, file};
use crate::config::DatabaseUrl;

mod postgres;
pub mod sqlite;

/// How often a lock that another process has is asked for.
const ASK_AGAIN: Duration = Duration::from_millis(100);
/// How long a lock that another process had is left alone when it is found free: time for that one to notice that it has
/// lost its session, and to take the lock again.
const GRACE: Duration = Duration::from_millis(1_500);

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
    /// The database is none that a server may use, as a sentence that says what to do.
    Refused(String),
    /// The database or the file cannot be reached.
    Unreachable(String),
}

/// Takes the lock, waiting up to `timeout` for another process to end.
///
/// # Errors
/// [`LockError`].
pub fn take(connector: &mut Connector<'_>, timeout: Duration) -> Result<SoleServer, LockError> {
    let url = connector.url();
    let deadline = Instant::now() + timeout;
    let mut has_said = false;
    loop {
        match try_take(connector) {
            Err(LockError::Taken) if Instant::now() < deadline => {
                if !has_said {
                    log::info!(
                        "another Parlour server is using {url}: waiting up to {} s for it to end",
                        timeout.as_secs()
                    );
                    has_said = true;
                }
                await_free(connector, deadline);
            }
            outcome => return outcome,
        }
    }
}

/// Waits until the lock seems to be free, and on `PostgreSQL` for a while more; not longer than until `deadline`.
fn await_free(connector: &mut Connector<'_>, deadline: Instant) {
    if matches!(connector.url(), DatabaseUrl::Sqlite(_)) {
        return thread::sleep(ASK_AGAIN);
    }
    loop {
        thread::sleep(ASK_AGAIN);
        // One that cannot be asked is asked again by whoever tries to take it.
        let is_held = connector
            .open()
            .is_ok_and(|mut conn| postgres::is_held(&mut conn).unwrap_or(false));
        if !is_held {
            return thread::sleep(GRACE);
        }
        if Instant::now() >= deadline {
            return;
        }
    }
}

fn try_take(connector: &mut Connector<'_>) -> Result<SoleServer, LockError> {
    let unreachable = |error: &dyn std::fmt::Display| LockError::Unreachable(error.to_string());
    match &file::real(connector.url()).map_err(LockError::Refused)? {
        DatabaseUrl::Sqlite(path) => {
            let file = sqlite::take(path)
                .map_err(|error| {
                    let name = file::lock_of(path);
                    LockError::Unreachable(format!("{}: {error}", name.display()))
                })?
                .ok_or(LockError::Taken)?;
            Ok(SoleServer {
                _file: Some(file),
                lost: None,
            })
        }
        DatabaseUrl::Postgres(_) => {
            let conn = connector.open().map_err(|error| unreachable(&error))?;
            let lost = postgres::take(connector.url(), conn)?;
            Ok(SoleServer {
                _file: None,
                lost: Some(lost),
            })
        }
    }
}
