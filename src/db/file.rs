//! The file of the embedded database. Only SQLite opens it, its `-wal` and its `-shm`: closing any descriptor of a file
//! drops all the POSIX locks that the process holds on it, also those of SQLite. Another program then takes the database
//! for unused and, when it leaves, removes the write-ahead log with all that is written to it afterwards.

use std::{
    fmt::Write as _,
    path::{Path, PathBuf},
};

use rustix::fs::{Access, access};

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
    beside(path, ".lock")
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

/// How SQLite is asked to open the database without changing anything.
#[must_use]
pub fn uri_to_read(path: &Path) -> String {
    // When nothing waits in the log, it is read as it lies. Otherwise SQLite would make the files of a log beside it, and
    // leave them there. Where a server has it open there is always a log, and then nothing is taken for granted.
    let lies_still = !beside(path, "-wal").exists();
    let how = if lies_still {
        "?mode=ro&immutable=1"
    } else {
        "?mode=ro"
    };
    uri(path) + how
}

fn uri(path: &Path) -> String {
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
pub fn check_access(path: &Path, how: Access) -> std::io::Result<()> {
    match path.metadata() {
        Ok(found) if found.is_dir() => Err(std::io::ErrorKind::IsADirectory.into()),
        Ok(_) => Ok(access(path, how)?),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
            let folder = path
                .parent()
                .filter(|folder| !folder.as_os_str().is_empty())
                .unwrap_or(Path::new("."));
            if how.contains(Access::WRITE_OK) {
                Ok(access(folder, Access::WRITE_OK | Access::EXEC_OK)?)
            } else {
                Err(error)
            }
        }
        Err(error) => Err(error),
    }
}

#[cfg(test)]
mod tests {
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
    fn what_is_in_the_way_is_named_by_the_system() {
        let folder = tempfile::tempdir().expect("a folder");
        let write = Access::READ_OK | Access::WRITE_OK;
        let said = |path: &Path, how| check_access(path, how).map_err(|error| error.kind());
        let missing = folder.path().join("x.db");
        assert_eq!(said(&missing, write), Ok(()));
        assert_eq!(
            said(&missing, Access::READ_OK),
            Err(std::io::ErrorKind::NotFound)
        );
        assert_eq!(
            said(&missing.join("y.db"), write),
            Err(std::io::ErrorKind::NotFound)
        );
        assert_eq!(
            said(folder.path(), write),
            Err(std::io::ErrorKind::IsADirectory)
        );
    }
}
