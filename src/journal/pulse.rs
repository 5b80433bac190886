//! How a writer fares, for those who ask from outside.

use std::{
    sync::{
        Mutex, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    time::{Duration, Instant},
};

/// Shared between a writer and those who ask.
#[derive(Debug, Default)]
pub struct Pulse {
    /// Since when it has been storing what it stores now.
    since: Mutex<Option<Instant>>,
    has_failed: AtomicBool,
    is_stale: AtomicBool,
}

impl Pulse {
    fn set(&self, since: Option<Instant>) {
        *self.since.lock().unwrap_or_else(PoisonError::into_inner) = since;
    }

    /// It begins to store something. True when it has to forget first what it remembers.
    pub fn begin(&self) -> bool {
        self.set(Some(Instant::now()));
        self.is_stale.swap(false, Ordering::SeqCst)
    }

    /// It has stored it, or not.
    pub fn end(&self, is_stored: bool) {
        self.set(None);
        self.has_failed.store(!is_stored, Ordering::SeqCst);
    }

    /// Whether it has been storing the same for so long.
    pub fn is_stuck(&self, limit: Duration) -> bool {
        let since = *self.since.lock().unwrap_or_else(PoisonError::into_inner);
        since.is_some_and(|since| since.elapsed() >= limit)
    }

    /// Whether the last that it tried to store was not stored.
    pub fn has_failed(&self) -> bool {
        self.has_failed.load(Ordering::SeqCst)
    }

    /// What it remembers does not hold any more.
    pub fn forget(&self) {
        self.is_stale.store(true, Ordering::SeqCst);
    }
}
