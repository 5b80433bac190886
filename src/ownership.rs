//! Whose the files are that this program makes. An administrator who runs a command as root beside a service must not
//! leave files in its folder that the service's user cannot open.

use std::{
    fs::File,
    io::{self, Read as _},
    os::unix::fs::{MetadataExt as _, fchown},
    path::{Path, PathBuf},
};

use rustix::process::geteuid;

/// Gives a file that was just made in this folder to the folder's owner and group, if root has made it. Where root may
/// not (a container without that right), it stays as it is, and `parlour doctor` names it.
pub fn hand_over(file: &File, folder: &Path) {
    if !geteuid().is_root() {
        return;
    }
    let _it_stays = try_hand_over(file, folder);
}

fn try_hand_over(file: &File, folder: &Path) -> io::Result<()> {
    let (owner, found) = (folder.metadata()?, file.metadata()?);
    // The folder's owner may have put another name of someone else's file there.
    if owner.uid() == 0 || !found.is_file() || found.nlink() > 1 {
        return Ok(());
    }
    fchown(file, Some(owner.uid()), Some(owner.gid()))
}

/// Whether a file belongs to another user than its folder, who can perhaps not open it. Root can open all.
#[must_use]
pub fn is_foreign(file: &Path, folder: &Path) -> bool {
    match (file.metadata(), folder.metadata()) {
        (Ok(file), Ok(folder)) => folder.uid() != 0 && file.uid() != folder.uid(),
        _ => false,
    }
}

/// Whether root would leave this folder to root, and so to no service that has a user of its own.
#[must_use]
pub fn is_roots_alone(folder: &Path) -> bool {
    geteuid().is_root() && folder.metadata().is_ok_and(|folder| folder.uid() == 0)
}

/// The files of a folder that belong to another user than the folder, who can perhaps not open them. Root can open all.
///
/// # Errors
/// When the folder cannot be read.
pub fn list_foreign(folder: &Path) -> io::Result<Vec<PathBuf>> {
    let mut found = Vec::new();
    for entry in folder.read_dir()? {
        let path = entry?.path();
        let is_file = path.symlink_metadata().is_ok_and(|file| file.is_file());
        if is_file && is_foreign(&path, folder) {
            found.push(path);
        }
    }
    found.sort();
    Ok(found)
}

/// More bytes than any short file of ours has.
const MOST: u64 = 1 << 20;

/// Reads a short file of ours. What is something else (a pipe that is waited for, a device that never ends, gigabytes)
/// must not be what a start hangs on.
///
/// # Errors
/// When it is no file, longer than a mebibyte, or cannot be read.
pub fn read_short(path: &Path) -> io::Result<Vec<u8>> {
    // Before it is opened: a pipe would be waited for.
    let found = path.metadata()?;
    if !found.is_file() && !found.is_dir() {
        let words = "it is a pipe, a device or a socket, which is not read";
        return Err(io::Error::new(io::ErrorKind::InvalidInput, words));
    }
    let mut bytes = Vec::new();
    File::open(path)?.take(MOST + 1).read_to_end(&mut bytes)?;
    if bytes.len() as u64 > MOST {
        return Err(io::Error::new(io::ErrorKind::InvalidData, "it is too long"));
    }
    Ok(bytes)
}

/// Reads a short text of ours.
///
/// # Errors
/// As [`read_short`], and when it is not UTF-8.
pub fn read_short_text(path: &Path) -> io::Result<String> {
    String::from_utf8(read_short(path)?)
        .map_err(|_| io::Error::new(io::ErrorKind::InvalidData, "it is not UTF-8"))
}
