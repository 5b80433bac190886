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
    path::PathBuf,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError, RwLock, TryLockError,
        atomic::{AtomicBool, Ordering},
    },
};

use tokio::sync::Notify;

use super::scheduled::hold_overdue;
use crate::{
    config::{DatabaseUrl, Storage},
    crypto::random_name,
    db::{AnyConnection, facts, rooms, threads},
    journal::News,
};

mod known;
mod watch;

use known::{Found, Known, file_in, first_behind, read, unwritable, write};
pub use known::{
    find_another, find_lack, find_traces, find_unreadable, is_as_left, list_believed, was_elsewhere,
};
pub use watch::Watch;

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
        let lack = known
            .as_ref()
            .and_then(|known| known.find_lack(&found, &storage.database_url));
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
                if let Some(sentence) = lack {
                    log::error!("{sentence} Every client starts afresh.");
                } else if is_told && numbers.values().any(|&seq| seq > 0) {
                    let why = find_unreadable(&storage.data_dir).unwrap_or_else(|| {
                        format!("it was restored, or {} is missing", file.display())
                    });
                    log::warn!(
                        "this database is not as this server left it ({why}): every client starts afresh"
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
