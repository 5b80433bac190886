//! How far long work has come, for someone who watches.

use std::{
    io::{IsTerminal as _, Write as _},
    time::{Duration, Instant},
};

/// How often it is said.
const EVERY: Duration = Duration::from_millis(200);

/// Says on standard error how far the work has come, when that is a terminal.
pub struct Progress {
    what: &'static str,
    total: u64,
    done: u64,
    said: Option<Instant>,
}

impl Progress {
    /// For work of so many steps.
    pub fn new(what: &'static str, total: u64) -> Self {
        let is_watched = std::io::stderr().is_terminal();
        Self {
            what,
            total: total.max(1),
            done: 0,
            said: is_watched.then(Instant::now),
        }
    }

    /// So many more steps are done.
    pub fn add(&mut self, steps: u64) {
        self.done += steps;
        if self.said.is_some_and(|said| said.elapsed() > EVERY) {
            self.said = Some(Instant::now());
            let percent = self.done.min(self.total) * 100 / self.total;
            // Who cannot be told works on.
            let _ = write!(std::io::stderr(), "\r\u{1b}[K{} … {percent} %", self.what);
        }
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        if self.said.is_some() {
            let _ = write!(std::io::stderr(), "\r\u{1b}[K");
        }
    }
}
