//! The lock of the embedded database: a file beside it that a serving process locks. The system takes the lock back when
//! the process ends, however it ends. The file is its owner's alone: whoever may open it, may lock it, too.

use std::{
    fs::{self, File, Metadata, OpenOptions, Permissions, TryLockError},
    io,
    os::unix::fs::{MetadataExt as _, OpenOptionsExt as _, PermissionsExt as _, fchown},
    path::Path,
};

use rustix::{
    fs::{OFlags, major, minor},
    process::geteuid,
};

use crate::db::file::{beside, lock_of};

/// How often the lock file may be replaced under our hands before someone else is taken to have it.
const TRIES: usize = 5;
/// The rights of all who are not the owner.
const OTHERS: u32 = 0o077;

/// Takes the lock of this database; `None` when another server has it. The path is the real one, without links.
///
/// # Errors
/// When the lock file cannot be made or opened.
pub fn take(database: &Path) -> io::Result<Option<File>> {
    let name = lock_of(database);
    for _ in 0..TRIES {
        let file = open(&name, database)?;
        let found = file.metadata()?;
        let is_locked = try_lock(&file)?;
        if is_private(&found, database) {
            if !is_locked {
                return Ok(None);
            }
            if is_still_there(&name, &found) {
                return Ok(Some(file));
            }
            // It was replaced between opening and locking.
            continue;
        }
        // Someone else may have it open for as long as they like, and take the lock whenever it is free: a new file it
        // must be. A server that has the lock, such as one of an older version, is left alone.
        if !is_locked && !is_held_by_strangers(&found, database) {
            return Ok(None);
        }
        return replace(&name, &found, database);
    }
    Ok(None)
}

/// Whether a server has the lock. Makes nothing; a lock that cannot be looked at is taken to be free.
#[must_use]
pub fn is_held(database: &Path) -> bool {
    let name = lock_of(database);
    let Ok(file) = OpenOptions::new()
        .read(true)
        .custom_flags(no_follow())
        .open(&name)
    else {
        return false;
    };
    let is_held = matches!(file.try_lock_shared(), Err(TryLockError::WouldBlock));
    is_held
        && file.metadata().is_ok_and(|found| {
            is_private(&found, database) || !is_held_by_strangers(&found, database)
        })
}

/// Puts a new file in the place of one that others could open. The new one is locked before it is there; those who
/// replace it at the same time take turns by a file of their own.
fn replace(name: &Path, old: &Metadata, database: &Path) -> io::Result<Option<File>> {
    let next = beside(name, ".new");
    let file = open(&next, database)?;
    let found = file.metadata()?;
    if !is_private(&found, database) {
        fs::remove_file(&next)?;
        return Ok(None);
    }
    if !try_lock(&file)? || !is_still_there(&next, &found) {
        return Ok(None);
    }
    if !is_still_there(name, old) {
        fs::remove_file(&next)?;
        return Ok(None);
    }
    fs::rename(&next, name)?;
    Ok(Some(file))
}

fn open(name: &Path, database: &Path) -> io::Result<File> {
    let made = OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(name);
    match made {
        Ok(file) => {
            // The mask may take more than it should, and what root makes must not lock the database's owner out.
            file.set_permissions(Permissions::from_mode(0o600))?;
            if geteuid().is_root()
                && let Some((owner, group)) = owner_of(database)
            {
                fchown(&file, Some(owner), Some(group))?;
            }
            Ok(file)
        }
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => OpenOptions::new()
            .write(true)
            .custom_flags(no_follow())
            .open(name),
        Err(error) => Err(error),
    }
}

fn no_follow() -> i32 {
    // The flags of the system are those of the standard library, whose type has a sign.
    i32::try_from(OFlags::NOFOLLOW.bits()).unwrap_or_default()
}

fn try_lock(file: &File) -> io::Result<bool> {
    match file.try_lock() {
        Ok(()) => Ok(true),
        Err(TryLockError::WouldBlock) => Ok(false),
        Err(TryLockError::Error(error)) => Err(error),
    }
}

/// Whether no one but those who may have a server on the database can open the file.
fn is_private(found: &Metadata, database: &Path) -> bool {
    found.is_file()
        && found.mode() & OTHERS == 0
        && found.nlink() == 1
        && users(database).contains(&Some(found.uid()))
}

/// The users who may have a server on the database.
fn users(database: &Path) -> [Option<u32>; 3] {
    let owner = owner_of(database).map(|(owner, _)| owner);
    [Some(0), Some(geteuid().as_raw()), owner]
}

fn is_still_there(name: &Path, found: &Metadata) -> bool {
    fs::symlink_metadata(name)
        .is_ok_and(|there| (there.dev(), there.ino()) == (found.dev(), found.ino()))
}

/// The user and the group whose database it is, or will be.
fn owner_of(database: &Path) -> Option<(u32, u32)> {
    database
        .metadata()
        .or_else(|_| database.parent().unwrap_or(database).metadata())
        .ok()
        .map(|found| (found.uid(), found.gid()))
}

/// Whether all who hold the lock of this file are users who can have no server on the database: neither its owner, nor
/// root, nor we. When a holder cannot be seen, as from within a container, it counts as a server.
fn is_held_by_strangers(lock: &Metadata, database: &Path) -> bool {
    let locks = fs::read_to_string("/proc/locks").unwrap_or_default();
    let holders = holders(&locks, lock.dev(), lock.ino());
    let users = users(database);
    !holders.is_empty()
        && holders.iter().all(|pid| {
            fs::metadata(format!("/proc/{pid}"))
                .is_ok_and(|process| !users.contains(&Some(process.uid())))
        })
}

/// The processes that hold a lock by `flock`, as `/proc/locks` has them:
/// `1: FLOCK  ADVISORY  WRITE 8100 fe:00:10010638 0 EOF`.
fn holders(locks: &str, device: u64, inode: u64) -> Vec<u32> {
    let place = format!("{:02x}:{:02x}:{inode}", major(device), minor(device));
    locks
        .lines()
        .filter_map(|line| {
            let words: Vec<&str> = line.split_whitespace().collect();
            // Those who wait have an arrow in the second place.
            (words.get(1) == Some(&"FLOCK") && words.get(5) == Some(&place.as_str()))
                .then(|| words.get(4)?.parse().ok())?
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn those_who_hold_a_lock_are_found_and_those_who_wait_are_not() {
        let locks = "1: FLOCK  ADVISORY  WRITE 8100 fe:00:10638 0 EOF\n\
                     1: -> FLOCK  ADVISORY  WRITE 8101 fe:00:10638 0 EOF\n\
                     2: POSIX  ADVISORY  READ 8102 fe:00:10638 128 128\n\
                     3: FLOCK  ADVISORY  READ 8103 fe:00:10638 0 EOF\n\
                     4: FLOCK  ADVISORY  READ 8104 fe:00:1063 0 EOF\n";
        assert_eq!(holders(locks, 0xfe00, 10_638), [8100, 8103]);
        assert_eq!(holders(locks, 0xfe01, 10_638), Vec::<u32>::new());
    }

    #[test]
    fn one_has_the_lock_and_the_next_gets_it_afterwards() {
        let folder = tempfile::tempdir().expect("a folder");
        let database = folder.path().join("x.db");
        assert!(!is_held(&database) && !lock_of(&database).exists());
        let first = take(&database).expect("a lock");
        assert!(first.is_some() && is_held(&database));
        assert!(take(&database).expect("an answer").is_none());
        drop(first);
        assert!(!is_held(&database));
        assert!(take(&database).expect("a lock").is_some());
    }

    #[test]
    fn a_file_that_others_can_open_is_replaced_unless_a_server_has_it() {
        let folder = tempfile::tempdir().expect("a folder");
        let database = folder.path().join("x.db");
        let name = lock_of(&database);
        let lax = File::create(&name).expect("a file");
        lax.set_permissions(Permissions::from_mode(0o644))
            .expect("a mode");
        lax.try_lock().expect("a lock");
        assert!(take(&database).expect("an answer").is_none());
        drop(lax);
        let before = fs::metadata(&name).expect("is there");
        let held = take(&database).expect("an answer").expect("the lock");
        let after = fs::metadata(&name).expect("is there");
        assert_ne!(before.ino(), after.ino());
        assert_eq!(held.metadata().expect("a file").ino(), after.ino());
        assert_eq!(after.mode() & 0o777, 0o600);
        assert!(take(&database).expect("an answer").is_none());
        assert!(!beside(&name, ".new").exists());
    }
}
