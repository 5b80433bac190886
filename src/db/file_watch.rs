//! Watches whether the files of the embedded database are still those that this process has open. Someone may remove its
//! log or replace it while the server runs: SQLite notices nothing and keeps writing to the removed file, and everything
//! that was acked since is gone with the process. Where its scratch memory (`-shm`) is another file, SQLite's locks are
//! others', too: two processes then write over each other's part of the log. Nor does it notice when another file is copied
//! over the database: what it has read of it before and what it reads now do not belong together.

use std::{
    fmt,
    fs::File,
    io,
    os::unix::fs::MetadataExt as _,
    path::{Path, PathBuf},
    sync::{
        OnceLock,
        atomic::{AtomicBool, Ordering},
        mpsc::{self, RecvTimeoutError},
    },
    thread::{self, JoinHandle},
    time::{Duration, SystemTime},
};

use diesel::{prelude::*, sql_query, sql_types::Integer};
use tokio::sync::oneshot;

use super::{AnyConnection, conn, file, lock};
use crate::config::DatabaseUrl;
use content::{Content, find_content, find_life};
use pages::{Pages, is_emptied};

mod content;
mod pages;

/// How often the files are looked at.
const LOOK_EVERY: Duration = Duration::from_millis(500);

/// How soon a file that seems to be another one is looked at again.
const LOOK_AGAIN: Duration = Duration::from_millis(50);
/// How often it is tried to save what only the lost log holds.
const TRIES: usize = 2;

/// A file that is no longer the one that is open here.
#[derive(Debug)]
pub struct LostFile {
    path: PathBuf,
    loss: Loss,
}

/// What became of it.
#[derive(Debug)]
enum Loss {
    /// It was removed or replaced.
    Gone,
    /// So was the log alone; and whether all that it held has been put into the database.
    Log { is_saved: bool },
    /// Something else was written into it.
    WrittenOver,
    /// The same, and what is there now does not belong together; a few words about it.
    Damaged(String),
}

impl fmt::Display for LostFile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let path = self.path.display();
        if let Loss::Damaged(words) = &self.loss {
            return write!(
                f,
                "{path} is damaged ({words}), as when it is written over while the server is using it, so the server has ended: move it and the files beside it away, and restore a backup."
            );
        }
        let what = if matches!(self.loss, Loss::WrittenOver) {
            "written over"
        } else {
            "removed or replaced"
        };
        write!(
            f,
            "{path} was {what} while the server was using it, so the server has ended"
        )?;
        f.write_str(match self.loss {
            Loss::Log { is_saved: true } => {
                " (all that was stored in it has been saved in the database)"
            }
            Loss::Log { is_saved: false } => {
                " (what was stored in it could not be saved in the database: the latest messages may be missing)"
            }
            _ => "",
        })?;
        f.write_str(match self.loss {
            Loss::WrittenOver => {
                ": see that nothing does that, and put the right one back, or restore a backup, before it is started again."
            }
            _ => ": see that nothing does that, and start it again.",
        })
    }
}

/// Tells when the files are no longer those of the start. Dropping it ends the watch, and closes its connection.
#[derive(Debug, Default)]
pub struct FileWatch {
    lost_file: Option<oneshot::Receiver<LostFile>>,
    /// Never sent to: the watch ends when this is gone.
    wanted: Option<mpsc::Sender<()>>,
    watch: Option<JoinHandle<()>>,
}

impl FileWatch {
    /// Comes back when a file was removed or replaced; never while all is well.
    pub async fn lost_file(&mut self) -> LostFile {
        if let Some(lost_file) = &mut self.lost_file
            && let Ok(lost_file) = lost_file.await
        {
            return lost_file;
        }
        std::future::pending().await
    }
}

impl Drop for FileWatch {
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
pub fn watch(url: &DatabaseUrl) -> Result<FileWatch, Box<dyn std::error::Error>> {
    let DatabaseUrl::Sqlite(path) = url else {
        return Ok(FileWatch::default());
    };
    let path = file::resolve(path)?;
    // As long as this connection lives, SQLite itself removes no log, however the others come and go.
    let mut conn = conn::open_again(&DatabaseUrl::Sqlite(path.clone()))?;
    let files = Files::new(path, find_life(&mut conn)?)?;
    // The first one of this process: it serves one database.
    let memory = MEMORY.get_or_init(|| files.memory.clone()).clone();
    MAIN.get_or_init(|| files.main.clone());
    let mut files = Files { memory, ..files };
    let (tell, lost_file) = oneshot::channel();
    let (wanted, still_wanted) = mpsc::channel();
    let watch = thread::Builder::new()
        .name("database-files".into())
        .spawn(move || {
            let mut is_written_over = false;
            while still_wanted.recv_timeout(LOOK_EVERY) == Err(RecvTimeoutError::Timeout) {
                if let Some(lost_file) = files.find_broken(&mut conn) {
                    let is_cut = matches!(lost_file.loss, Loss::Log { is_saved: false })
                        && !files.log.is_another();
                    is_written_over =
                        is_cut || matches!(lost_file.loss, Loss::WrittenOver | Loss::Damaged(_));
                    let _nobody_waits = tell.send(lost_file);
                    break;
                }
            }
            files.pages.end();
            // Kept until the process ends, as that of the start is.
            std::mem::forget(files.again.take());
            if !files.memory.is_another() && !is_written_over {
                return drop(conn);
            }
            // The last connection to close would put the log into the database as this process believes it to be, and
            // remove it, while another process goes by another belief, or another database lies there. All that was acked
            // last is in the log: it is left as it is, for the next start.
            std::mem::forget(conn);
        })?;
    Ok(FileWatch {
        lost_file: Some(lost_file),
        wanted: Some(wanted),
        watch: Some(watch),
    })
}

/// Has the database looked through soon: it does not hold what it should.
pub fn suspect() {
    IS_SUSPECT.store(true, Ordering::SeqCst);
}

/// Whether it is to be looked through.
static IS_SUSPECT: AtomicBool = AtomicBool::new(false);

/// The database that this process serves.
static MAIN: OnceLock<Watched> = OnceLock::new();
/// Its scratch memory.
static MEMORY: OnceLock<Watched> = OnceLock::new();

/// Whether the scratch memory is still the one that this process has open, as far as it is watched. Asked at each commit:
/// another process that opens the database with another one reads its log anew, and does not wait for this one.
pub(super) fn has_its_memory() -> bool {
    MEMORY.get().is_none_or(|memory| !memory.is_another())
}

/// Refuses to open another file in place of the database that this process serves, as far as that is watched.
///
/// # Errors
/// When it is another one.
pub(super) fn check_served(path: &Path) -> io::Result<()> {
    // SQLite removes the log of an empty file when it opens that.
    let is_another =
        |main: &Watched| main.path == path && (main.is_another() || file::is_empty(path));
    if MAIN.get().is_some_and(is_another) {
        return Err(io::Error::other(
            "it is not the file that this server has been using",
        ));
    }
    Ok(())
}

/// What lies there for one database.
struct Files {
    main: Watched,
    log: Watched,
    memory: Watched,
    lock: Watched,
    /// The lock that was taken again.
    again: Option<File>,
    /// It could not be taken again, which was said.
    is_failing: bool,
    /// When something was last seen to have been written to the database.
    written: Option<SystemTime>,
    /// When all pages are looked at.
    pages: Pages,
    /// The life of the server that it is in, which no one but its server writes.
    life: Option<String>,
}

impl Files {
    fn new(main: PathBuf, life: Option<String>) -> io::Result<Self> {
        let log = Watched::new(file::beside(&main, "-wal"))?;
        Ok(Self {
            pages: Pages::new(&log.path),
            log,
            memory: Watched::new(file::beside(&main, "-shm"))?,
            lock: Watched::new(file::lock_of(&main))?,
            written: written_at(&main),
            main: Watched::new(main)?,
            again: None,
            is_failing: false,
            life,
        })
    }

    fn find_broken(&mut self, conn: &mut AnyConnection) -> Option<LostFile> {
        // Whoever opens it now takes its log for that of another one, and removes it; and what it held cannot be saved in it.
        if is_emptied(&self.main.path) {
            return Some(self.lost(Loss::Damaged("it is empty".into())));
        }
        let files = [&self.main, &self.memory, &self.log];
        let gone = files.into_iter().find(|file| file.is_gone());
        let Some(gone) = gone.map(|file| file.path.clone()) else {
            return self.find_other_content().or_else(|| self.keep_lock());
        };
        conn::stop_writing();
        // This connection has had the log open since the start. Whoever opens another one of its name must not be the last
        // who could put what is in it into the database.
        let loss = if gone == self.log.path && !self.memory.is_another() {
            let is_saved = (0..TRIES).any(|_| save(conn).unwrap_or(false));
            Loss::Log { is_saved }
        } else {
            Loss::Gone
        };
        Some(LostFile { path: gone, loss })
    }

    /// Whether something else is in the database than this server has written. Asked when the file was written to, which is
    /// our own doing as a rule. Whatever cannot be found out is asked again.
    fn find_other_content(&mut self) -> Option<LostFile> {
        let path = self.main.path.clone();
        let written = written_at(&path);
        self.pages.look_at_log(&self.log.path);
        if written.is_some() && written != self.written {
            let content = find_content(&path, self.life.as_deref(), false);
            if matches!(content, Content::Own) {
                self.written = written;
                self.pages.note_written();
            }
            if let Some(loss) = self.pages.judge(content) {
                return Some(self.lost(loss));
            }
        }
        let loss = self.pages.look(&path, self.life.as_deref())?;
        Some(self.lost(loss))
    }

    fn lost(&self, loss: Loss) -> LostFile {
        conn::stop_writing();
        let path = match loss {
            Loss::Log { .. } => &self.log.path,
            _ => &self.main.path,
        };
        LostFile {
            path: path.clone(),
            loss,
        }
    }

    /// Takes the lock again when its file is gone, unless another server has it by now.
    fn keep_lock(&mut self) -> Option<LostFile> {
        if !self.lock.is_gone() {
            return None;
        }
        let path = self.lock.path.clone();
        self.again = None;
        match lock::sqlite::take(&self.main.path) {
            Ok(Some(file)) => {
                // Looked at again soon when that fails.
                if let Ok(lock) = Watched::new(path) {
                    log::warn!(
                        "{} was removed or replaced while the server was using it, and was made again: see that nothing does that",
                        lock.path.display()
                    );
                    self.lock = lock;
                    self.is_failing = false;
                }
                self.again = Some(file);
                None
            }
            Ok(None) => {
                conn::stop_writing();
                Some(LostFile {
                    path,
                    loss: Loss::Gone,
                })
            }
            Err(error) => {
                if !std::mem::replace(&mut self.is_failing, true) {
                    log::warn!("{} cannot be made again: {error}", path.display());
                }
                None
            }
        }
    }
}

/// Puts all that is committed into the file of the database. Whether all is there.
fn save(conn: &mut AnyConnection) -> QueryResult<bool> {
    #[derive(QueryableByName)]
    struct Outcome {
        #[diesel(sql_type = Integer)]
        busy: i32,
        #[diesel(sql_type = Integer)]
        log: i32,
        #[diesel(sql_type = Integer)]
        checkpointed: i32,
    }
    let AnyConnection::Sqlite(conn) = conn else {
        return Ok(false);
    };
    let outcome: Outcome = sql_query("PRAGMA wal_checkpoint(FULL)").get_result(conn)?;
    Ok(outcome.busy == 0 && outcome.log == outcome.checkpointed)
}

/// A file, and what told it from others of the same name when the watch began.
#[derive(Debug, Clone)]
struct Watched {
    path: PathBuf,
    identity: (u64, u64),
}

impl Watched {
    fn new(path: PathBuf) -> io::Result<Self> {
        identity(&path).map(|identity| Self { path, identity })
    }

    /// Whether there is no such file, or another one. A look that fails for another reason says nothing about the file.
    fn is_another(&self) -> bool {
        match identity(&self.path) {
            Ok(found) => found != self.identity,
            Err(error) => error.kind() == io::ErrorKind::NotFound,
        }
    }

    /// The same, and not just for a moment.
    fn is_gone(&self) -> bool {
        self.is_another() && {
            thread::sleep(LOOK_AGAIN);
            self.is_another()
        }
    }
}

/// When something was last written to a file, as far as that can be seen.
fn written_at(path: &Path) -> Option<SystemTime> {
    path.metadata().and_then(|found| found.modified()).ok()
}

/// What tells a file from another one of the same name.
fn identity(path: &Path) -> io::Result<(u64, u64)> {
    let found = path.metadata()?;
    Ok((found.dev(), found.ino()))
}
