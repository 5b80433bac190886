//! What the data folder knows of the history that was served last, and how a database compares with it.

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
};

use serde::{Deserialize, Serialize};

use crate::{
    config::{ConfigError, DatabaseUrl, Storage},
    db::{AnyConnection, QueryError, facts, file, rooms},
    ownership,
};

/// What the data folder knows.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Known {
    /// The life that is written into the database; and the one before, as long as it is not known to be.
    pub(super) lives: Vec<String>,
    /// Room → how far it has come.
    pub(super) rooms: BTreeMap<i64, u64>,
    /// The history that was served last; earlier versions did not keep it.
    #[serde(default)]
    pub(super) epoch: Option<String>,
    /// The history of which every text is bound to its place: nothing that the database says about older ones is believed.
    #[serde(default)]
    pub(super) bound: Option<String>,
    /// What tells the file of the embedded database from one that was put in its place, as far as the system knows.
    #[serde(default)]
    pub(super) mark: Option<String>,
    /// Whether the database is the embedded one; earlier versions did not keep it.
    #[serde(default)]
    pub(super) is_embedded: Option<bool>,
}

impl Known {
    /// Whether this is what it knows, with the facts and the numbers that a database has.
    pub(super) fn fits(&self, found: &Found) -> bool {
        let knows = |life: &String| self.lives.contains(life);
        found.life.as_ref().is_some_and(knows)
            && (self.epoch.is_none() || self.epoch == found.epoch)
            && (self.mark.is_none() || found.mark.is_none() || self.mark == found.mark)
            && first_behind(&self.rooms, &found.numbers).is_none()
    }

    /// What is to be said where the database is of this very history, and lacks what was announced: then its log was lost, or it is
    /// an older copy. (What `parlour restore` has brought back is another history.)
    pub(super) fn find_lack(&self, found: &Found, url: &DatabaseUrl) -> Option<String> {
        if self.epoch.is_none() || self.epoch != found.epoch {
            return None;
        }
        let room_id = first_behind(&self.rooms, &found.numbers)?;
        let of = |numbers: &BTreeMap<i64, u64>| numbers.get(&room_id).copied().unwrap_or(0);
        let why = match url {
            DatabaseUrl::Sqlite(_) => {
                "Its -wal was lost or damaged, or an older copy was put in its place"
            }
            DatabaseUrl::Postgres(_) => "An older copy was put in its place",
        };
        Some(format!(
            "{url} lacks what was acknowledged: room {room_id} had come to change {}, and is at {} here. {why}: if the right one is to be had, put it back with the server stopped, before people write more.",
            of(&self.rooms),
            of(&found.numbers)
        ))
    }
}

/// What a database says of itself.
pub(super) struct Found {
    pub(super) epoch: Option<String>,
    pub(super) life: Option<String>,
    pub(super) mark: Option<String>,
    /// Room → how far it has come.
    pub(super) numbers: BTreeMap<i64, u64>,
}

impl Found {
    pub(super) fn read(conn: &mut AnyConnection, url: &DatabaseUrl) -> Result<Self, QueryError> {
        Ok(Self {
            epoch: facts::find(conn, "epoch")?,
            life: facts::find(conn, "life")?,
            mark: file::mark(url),
            numbers: rooms::list_all_numbers(conn)?.into_iter().collect(),
        })
    }
}

pub(super) fn file_in(data_dir: &Path) -> PathBuf {
    data_dir.join("history")
}

/// What is said when the file cannot be kept. A full disk is the database's, too, and named where that is known.
pub(super) fn unwritable(file: &Path, error: std::io::Error) -> Box<dyn std::error::Error> {
    if error.kind() == std::io::ErrorKind::StorageFull {
        return error.into();
    }
    let sentence = format!(
        "{} cannot be written ({error}), where Parlour keeps how far each room has come: see that it is a file, in a folder that Parlour's user can write to.",
        file.display()
    );
    ConfigError(sentence).into()
}

pub(super) fn read(file: &Path) -> Option<Known> {
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

/// What the database lacks of what was served from it last, as a sentence, as far as the data folder knows.
///
/// # Errors
/// When the database fails.
pub fn find_lack(
    conn: &mut AnyConnection,
    url: &DatabaseUrl,
    data_dir: &Path,
) -> std::result::Result<Option<String>, QueryError> {
    // First the file: a server may be going on meanwhile.
    let Some(known) = read(&file_in(data_dir)) else {
        return Ok(None);
    };
    let found = Found::read(conn, url)?;
    Ok(known.find_lack(&found, url))
}

/// What is wrong with the file by which the data folder knows of the history, if it is there and tells nothing.
#[must_use]
pub fn find_unreadable(data_dir: &Path) -> Option<String> {
    let file = file_in(data_dir);
    if file.metadata().is_ok_and(|found| !found.is_file()) {
        return Some(format!(
            "{} is not a file, so that no server can start: move it away.",
            file.display()
        ));
    }
    let is_wrong = file.symlink_metadata().is_ok() && read(&file).is_none();
    is_wrong.then(|| {
        format!(
            "{} cannot be read, or is not whole: the next start takes the history for another one (clients start afresh, and what was due meanwhile is not sent). Put it back, or see to its owner.",
            file.display()
        )
    })
}

/// The first room that has not come as far as was known.
pub(super) fn first_behind(
    known: &BTreeMap<i64, u64>,
    numbers: &BTreeMap<i64, u64>,
) -> Option<i64> {
    known
        .iter()
        .find(|(room_id, known)| numbers.get(room_id).copied().unwrap_or(0) < **known)
        .map(|(room_id, _)| *room_id)
}

pub(super) fn write(file: &Path, known: &Known, is_forced: bool) -> std::io::Result<()> {
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
