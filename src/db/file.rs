//! The file of the embedded database. Only SQLite opens it, its `-wal` and its `-shm`: closing any descriptor of a file
//! drops all the POSIX locks that the process holds on it, also those of SQLite. Another program then takes the database
//! for unused and, when it leaves, removes the write-ahead log with all that is written to it afterwards.

use std::{
    fmt::Write as _,
    fs, io,
    os::unix::fs::MetadataExt as _,
    path::{Path, PathBuf},
    time::UNIX_EPOCH,
};

use rustix::{
    fs::{Access, AtFlags, CWD, StatxAttributes, StatxFlags, access, statx},
    process::geteuid,
};

use super::lock;
use crate::{config::DatabaseUrl, ownership};

/// What the name of the lock file has at its end.
const LOCK: &str = ".lock";
/// How many links may lead on from one to the next.
const MOST_LINKS: usize = 40;

/// The file that belongs to the database and has its name with this at the end.
#[must_use]
pub fn beside(path: &Path, end: &str) -> PathBuf {
    let mut name = path.to_owned().into_os_string();
    name.push(end);
    name.into()
}

/// The file that a serving process locks. Unlike the database itself, it may be opened.
#[must_use]
pub fn lock_of(path: &Path) -> PathBuf {
    beside(path, LOCK)
}

/// How SQLite is asked to open the database and to make it when it is not there. It is made with the mode of the lock
/// file, which is its owner's alone, and SQLite gives its `-wal` and `-shm` the same.
#[must_use]
pub fn uri_to_write(path: &Path) -> String {
    let mut uri = uri(path);
    let lock = lock_of(path);
    if lock.exists() {
        uri.push_str("?modeof=");
        push_encoded(&mut uri, &lock);
    }
    uri
}

/// Makes an empty database for the owner of its folder, if root would make one for itself. It has been closed before it
/// gets its name: no descriptor of a live database is ever closed here.
///
/// # Errors
/// When it cannot be made.
pub fn make_for_owner(path: &Path) -> io::Result<()> {
    if !geteuid().is_root() || path.exists() {
        return Ok(());
    }
    // With mode 0600, as SQLite would make it.
    let file = tempfile::NamedTempFile::new_in(folder_of(path))?;
    ownership::hand_over(file.as_file(), folder_of(path));
    match file.into_temp_path().persist_noclobber(path) {
        Err(error) if error.error.kind() != io::ErrorKind::AlreadyExists => Err(error.error),
        // Someone else was quicker.
        _ => Ok(()),
    }
}

/// How SQLite is asked to open the database without changing anything.
#[must_use]
pub fn uri_to_read(path: &Path) -> String {
    // When nothing waits in the log, it is read as it lies. Otherwise SQLite would make the files of a log beside it, and
    // leave them there. Where a server has it open, nothing is taken for granted.
    let lies_still = !beside(path, "-wal").exists() && !lock::sqlite::is_held(path);
    let how = if lies_still {
        "?mode=ro&immutable=1"
    } else {
        "?mode=ro"
    };
    uri(path) + how
}

/// What tells the file of the embedded database from one that was put in its place later, even from a copy of itself: its
/// number, and when it was made. `None` where the file system does not tell, and for `PostgreSQL`.
#[must_use]
pub fn mark(url: &DatabaseUrl) -> Option<String> {
    let DatabaseUrl::Sqlite(path) = url else {
        return None;
    };
    let found = path.metadata().ok()?;
    let made = found.created().ok()?.duration_since(UNIX_EPOCH).ok()?;
    Some(format!("{}:{}", found.ino(), made.as_nanos()))
}

/// The file as SQLite's URIs name it, without parameters.
pub(super) fn uri(path: &Path) -> String {
    let mut uri = String::from("file:");
    push_encoded(&mut uri, path);
    uri
}

fn push_encoded(uri: &mut String, path: &Path) {
    for &byte in path.as_os_str().as_encoded_bytes() {
        match byte {
            b'/' | b'.' | b'-' | b'_' | b'0'..=b'9' | b'A'..=b'Z' | b'a'..=b'z' => {
                uri.push(char::from(byte));
            }
            // Writing to a string cannot fail.
            _ => _ = write!(uri, "%{byte:02X}"),
        }
    }
}

/// The system's word for what is in the way of opening it, which SQLite does not pass on.
///
/// # Errors
/// That word.
pub fn check_access(path: &Path, how: Access) -> io::Result<()> {
    match path.metadata() {
        Ok(found) if found.is_dir() => Err(io::ErrorKind::IsADirectory.into()),
        Ok(_) => Ok(access(path, how)?),
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            if how.contains(Access::WRITE_OK) {
                Ok(access(folder_of(path), Access::WRITE_OK | Access::EXEC_OK)?)
            } else {
                Err(error)
            }
        }
        Err(error) => Err(error),
    }
}

/// The database by the one name that everyone is to use. The embedded one's is without links, which may lead elsewhere
/// tomorrow, and there must be no second one.
///
/// # Errors
/// A sentence that says what to do.
pub fn real(url: &DatabaseUrl) -> Result<DatabaseUrl, String> {
    let DatabaseUrl::Sqlite(path) = url else {
        return Ok(url.clone());
    };
    let path = resolve(path).map_err(|error| {
        format!("The database {url} cannot be reached: check DATABASE_URL ({error}).")
    })?;
    check_names(&path)?;
    Ok(DatabaseUrl::Sqlite(path))
}

/// Where the database really is: absolute, with no link on the way. SQLite follows links too, so its log lies there.
///
/// # Errors
/// When the folder is not there, or links lead nowhere.
pub fn resolve(path: &Path) -> io::Result<PathBuf> {
    let mut path = path.to_owned();
    for _ in 0..MOST_LINKS {
        let folder = folder_of(&path).canonicalize()?;
        let name = path.file_name().ok_or(io::ErrorKind::IsADirectory)?;
        let real = folder.join(name);
        match fs::read_link(&real) {
            Ok(target) => path = folder.join(target),
            // It is no link, or not there yet.
            Err(_) => return Ok(real),
        }
    }
    Err(io::Error::other("too many links lead on from it"))
}

/// A log whose database is gone may hold all that was acked last: a new database beside it would write over it.
fn check_alone(path: &Path) -> Result<(), String> {
    if has_log(path) {
        return Err(format!(
            "{}-wal or -journal lies there without its database: put the database back beside it, or move it away first.",
            path.display()
        ));
    }
    Ok(())
}

/// Sees to it that the database, if it is there, and whatever has the name of one of its files is a file: a folder cannot be
/// opened, and who opens a pipe waits for good.
///
/// # Errors
/// A sentence that says what to do.
pub fn check_kinds(path: &Path) -> Result<(), String> {
    check_kind(path)?;
    for end in ["-wal", "-shm", "-journal", LOCK] {
        check_kind(&beside(path, end))?;
    }
    Ok(())
}

fn check_kind(name: &Path) -> Result<(), String> {
    let what = match name.metadata() {
        Ok(found) if found.is_file() => return Ok(()),
        Ok(_) => "is not a file",
        Err(_) if name.is_symlink() => "is a link that leads nowhere",
        Err(_) => return Ok(()),
    };
    Err(format!(
        "{} {what}, and the database wants a file of that name: move it away.",
        name.display()
    ))
}

/// Whether a part of an embedded database stands beside its file. (Who only looks at one leaves an empty log there.)
#[must_use]
pub fn has_log(path: &Path) -> bool {
    has(path, "-wal") || has_journal(path)
}

/// Whether another program has begun to change the database, and not ended.
#[must_use]
pub fn has_journal(path: &Path) -> bool {
    has(path, "-journal")
}

fn has(path: &Path, end: &str) -> bool {
    let found = beside(path, end).metadata();
    found.is_ok_and(|found| found.len() > 0)
}

/// Whether a file is there and holds nothing. (What cannot be looked at is not opened to find out.)
#[must_use]
pub fn is_empty(path: &Path) -> bool {
    path.metadata().is_ok_and(|found| found.len() == 0)
}

/// Sees to it that there is no other way to the database than this path. SQLite finds the log by the path of the database:
/// who opened it by another name would not see what is in the log, and would write over it.
///
/// # Errors
/// A sentence that says what to do.
pub fn check_names(path: &Path) -> Result<(), String> {
    for end in ["-wal", "-shm", "-journal", LOCK] {
        check_kind(&beside(path, end))?;
    }
    let Ok(found) = path.symlink_metadata() else {
        return check_alone(path);
    };
    let shown = path.display();
    if !found.is_file() {
        return Err(format!(
            "The database {shown} is not a file: let DATABASE_URL name one."
        ));
    }
    if is_mounted_alone(path) {
        return Err(format!(
            "The database {shown} is mounted by itself, away from the log that SQLite keeps beside it, so messages would be lost: mount the folder that it is in."
        ));
    }
    if found.nlink() > 1 {
        return Err(format!(
            "The database {shown} has {} names (hard links), and a log of its own under each of them, so messages would be lost: remove the others (`find / -xdev -samefile {shown}` lists them), or give this name a file of its own while no server runs (`cp -p {shown} {shown}.new && mv {shown}.new {shown}`).",
            found.nlink()
        ));
    }
    Ok(())
}

fn is_mounted_alone(path: &Path) -> bool {
    statx(
        CWD,
        path,
        AtFlags::SYMLINK_NOFOLLOW,
        StatxFlags::BASIC_STATS,
    )
    .is_ok_and(|found| found.stx_attributes.contains(StatxAttributes::MOUNT_ROOT))
}

fn folder_of(path: &Path) -> &Path {
    path.parent()
        .filter(|folder| !folder.as_os_str().is_empty())
        .unwrap_or(Path::new("."))
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::symlink;

    use super::*;

    #[test]
    fn a_path_is_a_uri_whatever_is_in_it() {
        assert_eq!(
            uri_to_write(Path::new("/a b/?mode=ro#%.db")),
            "file:/a%20b/%3Fmode%3Dro%23%25.db"
        );
        assert_eq!(uri(Path::new("file:x.db")), "file:file%3Ax.db");
    }

    #[test]
    fn links_lead_to_the_one_real_path() {
        let folder = tempfile::tempdir().expect("a folder");
        let root = folder.path().canonicalize().expect("is there");
        fs::create_dir_all(root.join("data/deep")).expect("makes");
        symlink("data", root.join("folder")).expect("links");
        symlink("folder/deep/../x.db", root.join("file.db")).expect("links");
        symlink(root.join("file.db"), root.join("data/other.db")).expect("links");
        symlink("round.db", root.join("round.db")).expect("links");
        for spelled in [
            "data/x.db",
            "folder/./x.db",
            "data/deep//../x.db",
            "file.db",
            "folder/other.db",
        ] {
            let real = resolve(&root.join(spelled)).map_err(|error| error.kind());
            assert_eq!(real, Ok(root.join("data/x.db")), "{spelled}");
        }
        for nowhere in ["round.db", "nothing/x.db", "data/deep/.."] {
            assert!(resolve(&root.join(nowhere)).is_err(), "{nowhere}");
        }
    }

    #[test]
    fn a_second_name_of_the_file_is_seen() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("x.db");
        assert_eq!(check_names(&path), Ok(()));
        fs::write(&path, "").expect("writes");
        assert_eq!(check_names(&path), Ok(()));
        fs::hard_link(&path, folder.path().join("y.db")).expect("links");
        assert!(check_names(&path).is_err_and(|said| said.contains("2 names")));
        assert!(check_names(folder.path()).is_err_and(|said| said.contains("not a file")));
    }

    #[test]
    fn what_is_in_the_way_is_named_by_the_system() {
        let folder = tempfile::tempdir().expect("a folder");
        let write = Access::READ_OK | Access::WRITE_OK;
        let said = |path: &Path, how| check_access(path, how).map_err(|error| error.kind());
        let missing = folder.path().join("x.db");
        assert_eq!(said(&missing, write), Ok(()));
        assert_eq!(
            said(&missing, Access::READ_OK),
            Err(io::ErrorKind::NotFound)
        );
        assert_eq!(
            said(&missing.join("y.db"), write),
            Err(io::ErrorKind::NotFound)
        );
        assert_eq!(said(folder.path(), write), Err(io::ErrorKind::IsADirectory));
    }
}
