//! What the disk below the database has to do with a failure. SQLite calls a disk on which no byte is left a failing one,
//! when it is its scratch memory (`-shm`) that does not fit.

use std::path::Path;

use rustix::fs::statvfs;

use super::file;
use crate::config::DatabaseUrl;

/// Free bytes below which the files of a database may not fit.
const NEARLY_FULL: u64 = 256 * 1024;

/// A sentence about the disk that holds a database, when it is the disk that is in the way.
#[must_use]
pub fn find_trouble(url: &DatabaseUrl, cause: &str) -> Option<String> {
    let fails = cause.contains("disk I/O error");
    if cause.contains("disk is full")
        || cause.contains("No space left on device")
        || (fails || cause.contains("unable to open database file")) && is_nearly_full(url)
    {
        Some(format!(
            "The disk that holds the database {url} is full: make room, and start again ({cause})."
        ))
    } else if fails {
        Some(format!(
            "The disk that holds the database {url} fails: look what the system says about it (dmesg), and back up what can still be read ({cause})."
        ))
    } else {
        None
    }
}

fn is_nearly_full(url: &DatabaseUrl) -> bool {
    let DatabaseUrl::Sqlite(path) = url else {
        return false;
    };
    let path = file::resolve(path).unwrap_or_else(|_| path.clone());
    let folder = path.parent().unwrap_or_else(|| Path::new("."));
    // What is no disk tells of no blocks.
    statvfs(folder).is_ok_and(|disk| {
        disk.f_blocks > 0 && disk.f_bavail.saturating_mul(disk.f_frsize) < NEARLY_FULL
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_disk_that_fails_with_room_left_is_not_called_full() {
        let folder = tempfile::tempdir().expect("a folder");
        let url = DatabaseUrl::Sqlite(folder.path().join("parlour.db"));
        let told = |cause| find_trouble(&url, cause).unwrap_or_default();
        assert!(told("disk I/O error").contains("parlour.db fails: "));
        assert!(told("database or disk is full").contains("is full: make room"));
        assert_eq!(told("unable to open database file"), "");
    }
}
