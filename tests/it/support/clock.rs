//! A clock that a test can set: the rig's, which is skipped with a word where libfaketime is not installed.

use parlour_lab::rig;
use tempfile::TempDir;

/// The clock of a server, right at first.
pub struct Clock {
    inner: rig::clock::Clock,
    _folder: TempDir,
}

impl Clock {
    /// A clock; `None` where libfaketime is not installed, and the test is skipped. In CI nothing is left out.
    pub fn find() -> Option<Self> {
        let folder = tempfile::tempdir().expect("a folder");
        let inner = super::or_skip(rig::clock::Clock::find(folder.path()))?;
        Some(Self {
            inner,
            _folder: folder,
        })
    }

    /// Steps to so far from the right time, such as `+5m`, `-1y` or `+0`.
    pub fn step(&self, offset: &str) {
        self.inner.set(offset).expect("sets");
    }
    /// What a process is started with that is to read this clock.
    pub fn environment(&self) -> Vec<(String, String)> {
        self.inner
            .environment()
            .map(|(name, value)| (name.into(), value.display().to_string()))
            .into()
    }
}
