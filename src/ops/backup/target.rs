//! The file of a backup. It has no name until it is complete, so that a partial one is never taken for a backup,
//! whatever ends the program.

use std::{
    fs::{self, File},
    io,
    os::unix::fs::OpenOptionsExt as _,
    path::{Path, PathBuf},
};

use rustix::fs::{AtFlags, CWD, OFlags};
use tempfile::NamedTempFile;

use crate::protocol::time::Timestamp;

/// How a moment stands in the name of a file.
const STAMP: &str = "%Y-%m-%dT%H%M%SZ";

/// The file that `--to` asks for; a folder gets one that is named after the moment.
pub fn target(to: Option<&Path>, at: &Timestamp) -> Result<PathBuf, String> {
    let is_taken = |path: &PathBuf| fs::symlink_metadata(path).is_ok();
    let folder = match to {
        None => Path::new(""),
        Some(path) if path.is_dir() => path,
        Some(path) if is_taken(&path.to_owned()) => {
            return Err(format!(
                "{} is there already, and a backup never overwrites anything: choose another name.",
                path.display()
            ));
        }
        Some(path) => return Ok(path.to_owned()),
    };
    // Two of the same second get two names.
    let names = (1..).map(|n| match n {
        1 => format!("parlour-{}.backup", stamp(at)),
        _ => format!("parlour-{}-{n}.backup", stamp(at)),
    });
    let mut free = names
        .map(|name| folder.join(name))
        .skip_while(|path| is_taken(path));
    free.next()
        .ok_or_else(|| "There are too many backups in that folder.".into())
}

/// A moment as it stands in the name of a file.
#[must_use]
pub fn stamp(at: &Timestamp) -> String {
    at.format(STAMP).to_string()
}

/// A file that is being written. Dropped, it leaves nothing behind.
pub enum Part {
    /// Without a name: the system takes it back however this program ends.
    Nameless(File),
    /// For file systems that know no files without a name.
    Hidden(NamedTempFile),
}

impl Part {
    /// Makes one in the folder of what it will be, for its owner alone.
    pub fn make(target: &Path) -> io::Result<Self> {
        let folder = folder(target);
        let nameless = File::options()
            .read(true)
            .write(true)
            .mode(0o600)
            .custom_flags(OFlags::TMPFILE.bits().cast_signed())
            .open(folder);
        if let Ok(file) = nameless
            && own_name(&file).exists()
        {
            return Ok(Self::Nameless(file));
        }
        // tempfile makes its files with mode 0600.
        tempfile::Builder::new()
            .prefix(".parlour-")
            .suffix(".part")
            .tempfile_in(folder)
            .map(Self::Hidden)
    }

    /// The file.
    pub fn file(&self) -> &File {
        match self {
            Self::Nameless(file) => file,
            Self::Hidden(file) => file.as_file(),
        }
    }

    /// Gives it its name, which nothing may have yet. What is in it must be on the disk.
    pub fn publish(self, target: &Path) -> io::Result<()> {
        match self {
            Self::Nameless(file) => {
                rustix::fs::linkat(CWD, own_name(&file), CWD, target, AtFlags::SYMLINK_FOLLOW)?;
            }
            Self::Hidden(file) => {
                file.persist_noclobber(target)
                    .map_err(|error| error.error)?;
            }
        }
        File::open(folder(target))?.sync_all()
    }
}

/// The folder that a file lies in.
#[must_use]
pub fn folder(target: &Path) -> &Path {
    match target.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder,
        _ => Path::new("."),
    }
}

/// By this name the system can be told of a file that has none.
fn own_name(file: &File) -> PathBuf {
    use std::os::fd::AsRawFd as _;
    PathBuf::from(format!("/proc/self/fd/{}", file.as_raw_fd()))
}

/// An error of the system, as a part of a sentence.
#[must_use]
pub fn plainly(error: &io::Error) -> String {
    match error.kind() {
        io::ErrorKind::StorageFull => "the disk is full".into(),
        io::ErrorKind::QuotaExceeded => "the quota of this user is used up".into(),
        io::ErrorKind::NotFound => "there is no such folder".into(),
        io::ErrorKind::PermissionDenied => "this user may not write there".into(),
        io::ErrorKind::ReadOnlyFilesystem => "that can only be read".into(),
        _ => error.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;

    use super::*;

    fn parts(target: &Path) -> [Part; 2] {
        let hidden = NamedTempFile::new_in(folder(target)).map(Part::Hidden);
        [Part::make(target).expect("a file"), hidden.expect("a file")]
    }

    #[test]
    fn a_file_gets_its_name_when_it_is_whole_and_takes_nobody_elses() {
        let place = tempfile::tempdir().expect("a folder");
        for (n, part) in parts(&place.path().join("x")).into_iter().enumerate() {
            let target = place.path().join(format!("backup-{n}"));
            part.file().write_all(b"whole").expect("writes");
            assert!(!target.exists());
            part.publish(&target).expect("gets its name");
            assert_eq!(fs::read(&target).expect("is there"), b"whole");
        }
        let taken = place.path().join("backup-0");
        for part in parts(&taken) {
            part.file().write_all(b"other").expect("writes");
            assert!(part.publish(&taken).is_err());
        }
        assert_eq!(fs::read(&taken).expect("is there"), b"whole");
        let left = fs::read_dir(place.path()).expect("a folder").count();
        assert_eq!(left, 2, "something else was left behind");
    }
}
