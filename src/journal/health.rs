//! The health of a writer: whether it is stuck or has failed.

use std::{
    sync::{
        Mutex, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    time::{Duration, Instant},
};

/// Shared between a writer and the readiness check.
#[derive(Debug, Default)]
pub struct WriterHealth {
    /// Since when it has been storing what it stores now.
    since: Mutex<Option<Instant>>,
    has_failed: AtomicBool,
    is_stale: AtomicBool,
}

impl WriterHealth {
    fn set(&self, since: Option<Instant>) {
        *self.since.lock().unwrap_or_else(PoisonError::into_inner) = since;
    }

    /// The writer begins to store something. True when it must first forget what it remembers.
    pub fn begin(&self) -> bool {
        self.set(Some(Instant::now()));
        self.is_stale.swap(false, Ordering::SeqCst)
    }

    /// The writer has stored it, or has failed to.
    pub fn end(&self, is_stored: bool) {
        self.set(None);
        self.has_failed.store(!is_stored, Ordering::SeqCst);
    }

    /// Whether one commit has taken longer than this.
    pub fn is_stuck(&self, limit: Duration) -> bool {
        let since = *self.since.lock().unwrap_or_else(PoisonError::into_inner);
        since.is_some_and(|since| since.elapsed() >= limit)
    }

    /// Whether its last commit failed.
    pub fn has_failed(&self) -> bool {
        self.has_failed.load(Ordering::SeqCst)
    }

    /// What it remembers is out of date.
    pub fn forget(&self) {
        self.is_stale.store(true, Ordering::SeqCst);
    }
}
