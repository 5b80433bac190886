//! Which history this is: an epoch is one, and another begins when a backup is restored.
//!
//! A restored backup takes back numbers that clients know already. Nothing inside the database can tell: it is a copy of
//! what was true once. So the data folder keeps a small file, `history`, with two things that a backup of the database
//! does not have: the name of this life of the server, which every start writes again into the database, too; and how far
//! each room had come. A database of another life, or one that has not come as far, is another history. While serving,
//! [`Watch`] compares what was announced with what is there.
//!
//! Another history gets another epoch, so that every client starts afresh. When in doubt (the file is missing), it is
//! another one: to fetch history once more costs little.

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
    sync::{
        Arc, Mutex, MutexGuard, PoisonError, RwLock, TryLockError,
        atomic::{AtomicBool, Ordering},
    },
};

use serde::{Deserialize, Serialize};
use tokio::sync::Notify;

use super::scheduled::hold_overdue;
use crate::{
    config::{ConfigError, DatabaseUrl, Storage},
    crypto::random_name,
    db::{AnyConnection, QueryError, facts, file, rooms, threads},
    journal::News,
    ownership,
};

mod watch;

pub use watch::Watch;

/// What the data folder knows.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
struct Known {
    /// The life that is written into the database; and the one before, as long as it is not known to be.
    lives: Vec<String>,
    /// Room → how far it has come.
    rooms: BTreeMap<i64, u64>,
    /// The history that was served last; earlier versions did not keep it.
    #[serde(default)]
    epoch: Option<String>,
    /// The history of which every text is bound to its place: nothing that the database says about older ones is believed.
    #[serde(default)]
    bound: Option<String>,
    /// What tells the file of the embedded database from one that was put in its place, as far as the system knows.
    #[serde(default)]
    mark: Option<String>,
    /// Whether the database is the embedded one; earlier versions did not keep it.
    #[serde(default)]
    is_embedded: Option<bool>,
}

impl Known {
    /// Whether this is what it knows, with the facts and the numbers that a database has.
    fn fits(&self, found: &Found) -> bool {
        let knows = |life: &String| self.lives.contains(life);
        found.life.as_ref().is_some_and(knows)
            && (self.epoch.is_none() || self.epoch == found.epoch)
            && (self.mark.is_none() || found.mark.is_none() || self.mark == found.mark)
            && first_behind(&self.rooms, &found.numbers).is_none()
    }
}

/// What a database says of itself.
struct Found {
    epoch: Option<String>,
    life: Option<String>,
    mark: Option<String>,
    /// Room → how far it has come.
    numbers: BTreeMap<i64, u64>,
}

impl Found {
    fn read(conn: &mut AnyConnection, url: &DatabaseUrl) -> Result<Self, QueryError> {
        Ok(Self {
            epoch: facts::find(conn, "epoch")?,
            life: facts::find(conn, "life")?,
            mark: file::mark(url),
            numbers: rooms::list_all_numbers(conn)?.into_iter().collect(),
        })
    }
}

/// The history that is served.
#[derive(Debug)]
pub struct History {
    epoch: RwLock<Arc<str>>,
    /// Room → the last change that was announced.
    announced: Mutex<BTreeMap<i64, u64>>,
    /// Room → how far it had come when it was looked at last.
    seen: Mutex<BTreeMap<i64, u64>>,
    file: PathBuf,
    life: String,
    written: Mutex<Known>,
    mark: Option<String>,
    is_embedded: bool,
    /// The history of which every text is bound to its place.
    bound: Mutex<Option<String>>,
    /// A number was announced that was not above the last.
    is_replaced: AtomicBool,
    /// The last write failed, which was said.
    is_failing: AtomicBool,
    look: Notify,
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl History {
    /// Compares the database with what the data folder knows of it, and begins a new life of both. The database must be
    /// up to date, and no one else's.
    ///
    /// # Errors
    /// When the database fails; a [`ConfigError`] when the file cannot be written.
    pub fn begin(
        conn: &mut AnyConnection,
        storage: &Storage,
    ) -> std::result::Result<Self, Box<dyn std::error::Error>> {
        let file = file_in(&storage.data_dir);
        let known = read(&file);
        rooms::heal(conn)?;
        threads::counts::recount(conn)?;
        let found = Found::read(conn, &storage.database_url)?;
        // What an earlier version left knows of no life, here nor there.
        let is_new_to_this = known.is_none() && found.life.is_none();
        let bound_before = known.as_ref().and_then(|known| known.bound.clone());
        let is_same = known.is_some_and(|known| known.fits(&found));
        let Found {
            epoch: found,
            life: before,
            mark,
            numbers,
        } = found;
        let epoch = match found {
            Some(epoch) if is_same => epoch,
            found => {
                let is_told = found.is_some() && !is_new_to_this;
                if is_told {
                    hold_overdue(conn)?;
                }
                if is_told && numbers.values().any(|&seq| seq > 0) {
                    log::warn!(
                        "this database is not as this server left it (it was restored, or {} is missing): every client starts afresh",
                        file.display()
                    );
                }
                let epoch = random_name()?;
                facts::set(conn, "epoch", &epoch)?;
                epoch
            }
        };
        let is_embedded = matches!(storage.database_url, DatabaseUrl::Sqlite(_));
        let has_unbound = !facts::list_unbound(conn)?.is_empty();
        let is_bound = !has_unbound || bound_before.as_ref() == Some(&epoch);
        let bound = is_bound.then(|| epoch.clone());
        let life = random_name()?;
        // Whenever this process ends, the file knows the life that the database has.
        let lives = std::iter::once(life.clone()).chain(before).collect();
        let mut known = Known {
            lives,
            rooms: numbers.clone(),
            epoch: Some(epoch.clone()),
            bound: bound.clone(),
            mark: mark.clone(),
            is_embedded: Some(is_embedded),
        };
        let keep =
            |known: &Known| write(&file, known, true).map_err(|error| unwritable(&file, error));
        keep(&known)?;
        facts::set(conn, "life", &life)?;
        known.lives.truncate(1);
        keep(&known)?;
        Ok(Self {
            epoch: RwLock::new(epoch.into()),
            announced: Mutex::default(),
            seen: Mutex::new(numbers),
            file,
            life,
            written: Mutex::new(known),
            mark,
            is_embedded,
            bound: Mutex::new(bound),
            is_replaced: AtomicBool::new(false),
            is_failing: AtomicBool::new(false),
            look: Notify::new(),
        })
    }

    /// Names this history.
    #[must_use]
    pub fn epoch(&self) -> Arc<str> {
        Arc::clone(&self.epoch.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// Whether every text of this history is bound to its place: then none is believed that is not.
    #[must_use]
    pub fn is_bound(&self) -> bool {
        lock(&self.bound).as_deref() == Some(&*self.epoch())
    }

    /// Notes outside of the database that every text of this history is bound to its place now: whoever writes to the
    /// database cannot take it back.
    pub fn note_bound(&self, epoch: &str) {
        *lock(&self.bound) = Some(epoch.to_owned());
        self.look.notify_one();
    }

    /// Notes what is about to be announced. A new number that is not above the last one is not of the same history.
    pub fn note(&self, news: &News) {
        let mut announced = lock(&self.announced);
        match news {
            News::Committed(committed) => {
                for one in committed {
                    let last = announced.entry(one.room_id).or_default();
                    if one.seq <= *last {
                        self.is_replaced.store(true, Ordering::SeqCst);
                    }
                    *last = one.seq.max(*last);
                }
            }
            News::Reached { room_id, seq } | News::CameIn { room_id, seq, .. } => {
                let last = announced.entry(*room_id).or_default();
                *last = (*seq).max(*last);
            }
            // No number comes with them.
            News::Noted(_) | News::Shown { .. } => {}
        }
        drop(announced);
        self.look.notify_one();
    }

    /// Room → how far it has certainly come.
    fn known(&self) -> BTreeMap<i64, u64> {
        let mut known = lock(&self.seen).clone();
        for (room_id, seq) in &*lock(&self.announced) {
            let last = known.entry(*room_id).or_default();
            *last = (*seq).max(*last);
        }
        known
    }

    fn to_be_kept(&self) -> Known {
        Known {
            lives: vec![self.life.clone()],
            rooms: self.known(),
            epoch: Some(self.epoch().to_string()),
            bound: lock(&self.bound).clone(),
            mark: self.mark.clone(),
            is_embedded: Some(self.is_embedded),
        }
    }

    /// Whether there is something new to keep. While it is being written there is not.
    fn is_to_be_kept(&self) -> bool {
        match self.written.try_lock() {
            Ok(written) => *written != self.to_be_kept(),
            Err(TryLockError::Poisoned(_)) => true,
            Err(TryLockError::WouldBlock) => false,
        }
    }

    /// Keeps how far the rooms have come. At the end of a process it is forced to the disk.
    pub fn keep(&self, at_the_end: bool) {
        let known = self.to_be_kept();
        let mut written = lock(&self.written);
        if *written == known && !at_the_end {
            return;
        }
        match write(&self.file, &known, at_the_end) {
            Ok(()) => {
                *written = known;
                if self.is_failing.swap(false, Ordering::Relaxed) {
                    log::info!("{} can be written again", self.file.display());
                }
            }
            Err(error) => {
                if !self.is_failing.swap(true, Ordering::Relaxed) {
                    log::warn!("{} cannot be written: {error}", self.file.display());
                }
            }
        }
    }
}

fn file_in(data_dir: &Path) -> PathBuf {
    data_dir.join("history")
}

/// What is said when the file cannot be kept. A full disk is the database's, too, and named where that is known.
fn unwritable(file: &Path, error: std::io::Error) -> Box<dyn std::error::Error> {
    if error.kind() == std::io::ErrorKind::StorageFull {
        return error.into();
    }
    let sentence = format!(
        "{} cannot be written ({error}), where Parlour keeps how far each room has come: see that it is a file, in a folder that Parlour's user can write to.",
        file.display()
    );
    ConfigError(sentence).into()
}

fn read(file: &Path) -> Option<Known> {
    let bytes = ownership::read_short(file).ok()?;
    serde_json::from_slice(&bytes).ok()
}

/// The file by which the data folder knows of messages, if it does.
#[must_use]
pub fn find_traces(data_dir: &Path) -> Option<PathBuf> {
    let file = file_in(data_dir);
    let has_messages = |known: Known| known.rooms.values().any(|&seq| seq > 0);
    read(&file).is_some_and(has_messages).then_some(file)
}

/// Whether the database is as the server left it that served last from this data folder, as far as can be told.
///
/// # Errors
/// When the database fails.
pub fn is_as_left(
    conn: &mut AnyConnection,
    storage: &Storage,
) -> std::result::Result<bool, QueryError> {
    let found = Found::read(conn, &storage.database_url)?;
    let known = read(&file_in(&storage.data_dir));
    Ok(known.is_some_and(|known| known.fits(&found)))
}

/// Whether what was served last from the data folder was another database than the embedded one.
#[must_use]
pub fn was_elsewhere(data_dir: &Path) -> bool {
    read(&file_in(data_dir)).is_some_and(|known| known.is_embedded == Some(false))
}

/// Room → up to which message those are believed that nothing binds to their place, as the server does that has this data
/// folder: nowhere when it knows that all are bound.
///
/// # Errors
/// When the database fails.
pub fn list_believed(
    conn: &mut AnyConnection,
    data_dir: &Path,
) -> std::result::Result<BTreeMap<i64, i64>, QueryError> {
    let bound = read(&file_in(data_dir)).and_then(|known| known.bound);
    if bound.is_some() && bound == facts::find(conn, "epoch")? {
        return Ok(BTreeMap::new());
    }
    facts::list_unbound(conn)
}

/// Whether this is another database than the one that was served last from this data folder: then a sentence about it. One
/// that no server has served yet (a restored one) is none, and a folder without `history` knows of no other.
///
/// # Errors
/// When the database fails.
pub fn find_another(
    conn: &mut AnyConnection,
    url: &DatabaseUrl,
    data_dir: &Path,
) -> std::result::Result<Option<String>, QueryError> {
    let file = file_in(data_dir);
    let Some(known) = read(&file) else {
        return Ok(None);
    };
    let (Some(life), epoch) = (facts::find(conn, "life")?, facts::find(conn, "epoch")?) else {
        return Ok(None);
    };
    // An older copy of the same history (a dump) has its epoch.
    if known.lives.contains(&life) || epoch.is_some() && epoch == known.epoch {
        return Ok(None);
    }
    Ok(Some(format!(
        "{url} is not the database that was served last from DATA_DIR {} ({} tells): give the DATABASE_URL of the server, or, when this one is meant, start the server on it first, or give an empty folder as DATA_DIR.",
        data_dir.display(),
        file.display()
    )))
}

/// The first room that has not come as far as was known.
fn first_behind(known: &BTreeMap<i64, u64>, numbers: &BTreeMap<i64, u64>) -> Option<i64> {
    known
        .iter()
        .find(|(room_id, known)| numbers.get(room_id).copied().unwrap_or(0) < **known)
        .map(|(room_id, _)| *room_id)
}

fn write(file: &Path, known: &Known, is_forced: bool) -> std::io::Result<()> {
    use std::{
        fs::{self, OpenOptions},
        io::Write as _,
        os::unix::fs::OpenOptionsExt as _,
    };
    let new = file.with_extension("new");
    // What is there may be a link to something else, which is not ours to empty or to hand over.
    match fs::remove_file(&new) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    let mut writing = OpenOptions::new()
        .create_new(true)
        .write(true)
        .mode(0o600)
        .open(&new)?;
    ownership::hand_over(&writing, new.parent().unwrap_or(&new));
    writing.write_all(&serde_json::to_vec(known)?)?;
    if is_forced {
        writing.sync_all()?;
    }
    fs::rename(&new, file)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_room_that_has_not_come_as_far_is_behind() {
        let numbers = |list: &[(i64, u64)]| list.iter().copied().collect::<BTreeMap<_, _>>();
        assert_eq!(
            first_behind(&numbers(&[(1, 5)]), &numbers(&[(1, 5), (2, 0)])),
            None
        );
        assert_eq!(first_behind(&numbers(&[(1, 5)]), &numbers(&[(1, 9)])), None);
        assert_eq!(
            first_behind(&numbers(&[(1, 5)]), &numbers(&[(1, 4)])),
            Some(1)
        );
        assert_eq!(first_behind(&numbers(&[(1, 5)]), &numbers(&[])), Some(1));
        assert_eq!(first_behind(&numbers(&[(1, 0)]), &numbers(&[])), None);
    }
}
