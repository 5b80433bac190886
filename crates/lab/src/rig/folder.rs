//! The folder of a run, which is gone when the run is over, however that ends.

use std::{
    fs,
    os::unix::fs::PermissionsExt as _,
    path::{Path, PathBuf},
    thread,
    time::{Duration, Instant},
};

use crate::{Result, Trouble};

/// How long those who were killed may take to be gone.
const TIMEOUT: Duration = Duration::from_secs(10);
const LOOK_EVERY: Duration = Duration::from_millis(10);

/// A temporary folder.
#[derive(Debug)]
pub struct Folder {
    path: PathBuf,
    is_kept: bool,
}

impl Folder {
    /// Makes one in `parent`, or where the system keeps its temporary files; its name begins with `prefix`.
    ///
    /// # Errors
    /// When it cannot be made.
    pub fn make_in(parent: Option<&Path>, prefix: &str) -> Result<Self> {
        let mut builder = tempfile::Builder::new();
        builder
            .prefix(prefix)
            // PostgreSQL runs as another user when we are root, and has to get through.
            .permissions(fs::Permissions::from_mode(0o755));
        let made = parent
            .map_or_else(|| builder.tempdir(), |parent| builder.tempdir_in(parent))
            .map_err(|error| Trouble::io("make a folder", &error))?;
        Ok(Self {
            path: made.keep(),
            is_kept: false,
        })
    }

    /// Where it is.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Leaves it there.
    #[must_use]
    pub fn keep(mut self) -> PathBuf {
        self.is_kept = true;
        self.path.clone()
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        // A process that was killed may still be writing its last file while the folder is being emptied.
        let deadline = Instant::now() + TIMEOUT;
        while !self.is_kept && self.path.exists() && Instant::now() < deadline {
            if fs::remove_dir_all(&self.path).is_err() {
                thread::sleep(LOOK_EVERY);
            }
        }
    }
}
