//! The server's clock, as someone sets it: the server reads it through libfaketime, and its monotonic clock runs on
//! undisturbed.

use std::{
    fs,
    path::{Path, PathBuf},
};

use crate::{Result, Trouble};

/// Where distributions keep the library.
const LIBRARIES: [&str; 4] = [
    "/usr/lib/x86_64-linux-gnu/faketime/libfaketimeMT.so.1",
    "/usr/lib/aarch64-linux-gnu/faketime/libfaketimeMT.so.1",
    "/usr/lib64/faketime/libfaketimeMT.so.1",
    "/usr/lib/faketime/libfaketimeMT.so.1",
];

/// A clock that can be set.
#[derive(Debug, Clone)]
pub struct Clock {
    library: &'static str,
    file: PathBuf,
}

impl Clock {
    /// A clock that is right; what it shows is kept in `folder`.
    ///
    /// # Errors
    /// When there is no libfaketime.
    pub fn find(folder: &Path) -> Result<Self> {
        let library = LIBRARIES.into_iter().find(|path| Path::new(path).exists());
        let clock = Self {
            library: library.ok_or_else(|| {
                Trouble(
                    "libfaketime was not found: install it (Debian: apt-get install faketime)."
                        .into(),
                )
            })?,
            file: folder.join("clock"),
        };
        clock.set("+0")?;
        Ok(clock)
    }

    /// Sets it so many minutes ahead of the right time.
    ///
    /// # Errors
    /// When that cannot be written.
    pub fn step(&self, minutes: i64) -> Result<()> {
        self.set(&format!("{minutes:+}m"))
    }

    /// Sets it so far from the right time, such as `+5m`, `-1y` or `+0`.
    ///
    /// # Errors
    /// When that cannot be written.
    pub fn set(&self, offset: &str) -> Result<()> {
        // Never half of it: the server looks at any moment.
        let next = self.file.with_extension("next");
        fs::write(&next, format!("{offset}\n"))
            .and_then(|()| fs::rename(&next, &self.file))
            .map_err(|error| Trouble::io("set the clock", &error))
    }

    /// What a process is started with that is to read it.
    #[must_use]
    pub fn environment(&self) -> [(&'static str, PathBuf); 4] {
        [
            ("LD_PRELOAD", self.library.into()),
            ("FAKETIME_TIMESTAMP_FILE", self.file.clone()),
            ("FAKETIME_NO_CACHE", "1".into()),
            ("FAKETIME_DONT_FAKE_MONOTONIC", "1".into()),
        ]
    }
}
