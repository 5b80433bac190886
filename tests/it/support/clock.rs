//! A clock that a test can set. The server reads it through libfaketime; its monotonic clock runs on undisturbed, as it
//! does when somebody sets the clock of a machine.

use std::{
    fs,
    path::{Path, PathBuf},
};

use tempfile::TempDir;

/// Where Debian and others keep the library.
const LIBRARIES: [&str; 4] = [
    "/usr/lib/x86_64-linux-gnu/faketime/libfaketimeMT.so.1",
    "/usr/lib/aarch64-linux-gnu/faketime/libfaketimeMT.so.1",
    "/usr/lib64/faketime/libfaketimeMT.so.1",
    "/usr/lib/faketime/libfaketimeMT.so.1",
];

/// The clock of a server, right at first.
pub struct Clock {
    library: &'static str,
    folder: TempDir,
}

impl Clock {
    /// A clock; `None` where libfaketime is not installed, and the test is skipped. In CI nothing is left out.
    pub fn find() -> Option<Self> {
        let library = LIBRARIES.into_iter().find(|path| Path::new(path).exists());
        if library.is_none() {
            assert!(std::env::var_os("CI").is_none(), "libfaketime is missing");
            eprintln!("skipped: libfaketime is not installed (Debian: apt-get install faketime)");
        }
        let clock = Self {
            library: library?,
            folder: tempfile::tempdir().expect("a folder"),
        };
        clock.step("+0");
        Some(clock)
    }

    /// Steps to so far from the right time, such as `+5m`, `-1y` or `+0`.
    pub fn step(&self, offset: &str) {
        // Never half of it: the server looks at any moment.
        let next = self.folder.path().join("next");
        fs::write(&next, format!("{offset}\n")).expect("writes");
        fs::rename(next, self.file()).expect("renames");
    }

    fn file(&self) -> PathBuf {
        self.folder.path().join("clock")
    }

    /// What a process is started with that is to read this clock.
    pub fn environment(&self) -> Vec<(String, String)> {
        let file = self.file().display().to_string();
        [
            ("LD_PRELOAD", self.library),
            ("FAKETIME_TIMESTAMP_FILE", &file),
            ("FAKETIME_NO_CACHE", "1"),
            ("FAKETIME_DONT_FAKE_MONOTONIC", "1"),
        ]
        .map(|(name, value)| (name.into(), value.into()))
        .into()
    }
}
