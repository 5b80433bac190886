//! Whether the files of the embedded database are still those that this process has open. Someone may remove its log or
//! put another file in its place while it serves: SQLite notices nothing, goes on writing to what has no name any more,
//! and what was acked since is gone with the process.

use std::{
    os::unix::fs::MetadataExt as _,
    path::{Path, PathBuf},
    sync::mpsc::{self, RecvTimeoutError},
    thread::{self, JoinHandle},
    time::Duration,
};

use diesel::{dsl::sql, prelude::*, sql_types::BigInt};
use tokio::sync::oneshot;

use super::{AnyConnection, conn, file};
use crate::config::DatabaseUrl;

/// How often the files are looked at.
const LOOK_EVERY: Duration = Duration::from_millis(500);

/// Tells when the files are no longer those of the start. Dropping it ends the watch, and closes its connection.
#[derive(Debug, Default)]
pub struct Intact {
    broken: Option<oneshot::Receiver<PathBuf>>,
    /// Never sent to: the watch ends when this is gone.
    wanted: Option<mpsc::Sender<()>>,
    watch: Option<JoinHandle<()>>,
}

impl Intact {
    /// Comes back with the name of the file that was removed or replaced; never while all is well.
    pub async fn broken(&mut self) -> PathBuf {
        if let Some(broken) = &mut self.broken
            && let Ok(path) = broken.await
        {
            return path;
        }
        std::future::pending().await
    }
}

impl Drop for Intact {
    fn drop(&mut self) {
        self.wanted = None;
        if let Some(watch) = self.watch.take() {
            let _it_ended = watch.join();
        }
    }
}

/// Begins to watch; a database that is no file needs no watch.
///
/// # Errors
/// When the database cannot be opened, or the system gives no thread.
pub fn watch(url: &DatabaseUrl) -> Result<Intact, Box<dyn std::error::Error>> {
    let DatabaseUrl::Sqlite(path) = url else {
        return Ok(Intact::default());
    };
    let path = file::resolve(path)?;
    // As long as this connection lives, SQLite itself removes no log, however the others come and go.
    let mut conn = conn::open(&DatabaseUrl::Sqlite(path.clone()))?;
    read_something(&mut conn)?;
    let names = [path.clone(), file::beside(&path, "-wal")];
    let at_first = names.each_ref().map(|name| identity(name));
    let (tell, broken) = oneshot::channel();
    let (wanted, still_wanted) = mpsc::channel();
    let watch = thread::Builder::new()
        .name("database-files".into())
        .spawn(move || {
            while still_wanted.recv_timeout(LOOK_EVERY) == Err(RecvTimeoutError::Timeout) {
                let mut files = names.iter().zip(at_first);
                let changed = files.find(|(name, before)| identity(name) != *before);
                if let Some((name, _)) = changed {
                    let _nobody_waits = tell.send(name.clone());
                    break;
                }
            }
            drop(conn);
        })?;
    Ok(Intact {
        broken: Some(broken),
        wanted: Some(wanted),
        watch: Some(watch),
    })
}

/// Makes SQLite open its log, which it does when it first reads.
fn read_something(conn: &mut AnyConnection) -> QueryResult<()> {
    diesel::select(sql::<BigInt>("(SELECT count(*) FROM facts)"))
        .get_result::<i64>(conn)
        .map(drop)
}

/// What tells a file from another one of the same name. `None` when there is none.
fn identity(path: &Path) -> Option<(u64, u64)> {
    let found = path.metadata().ok()?;
    Some((found.dev(), found.ino()))
}
