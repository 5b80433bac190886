//! How far a slow step is, on stderr: one line that is rewritten in a terminal, a line now and then in a file.

use std::{
    io::{IsTerminal as _, Write as _},
    sync::Mutex,
    time::{Duration, Instant},
};

use crate::printing;

const WIDTH: u64 = 24;

/// One slow step.
pub struct Progress {
    what: String,
    total: u64,
    terminal: bool,
    told: Mutex<Instant>,
}

impl Progress {
    /// Begins a step of `total` parts.
    #[must_use]
    pub fn new(what: impl Into<String>, total: u64) -> Self {
        Self {
            what: what.into(),
            total,
            terminal: std::io::stderr().is_terminal(),
            told: Mutex::new(Instant::now()),
        }
    }

    /// Tells that `count` parts are done; most calls say nothing.
    pub fn at(&self, count: u64) {
        let pause = Duration::from_millis(if self.terminal { 100 } else { 5_000 });
        if let Ok(mut told) = self.told.try_lock()
            && told.elapsed() >= pause
        {
            *told = Instant::now();
            self.tell(count);
        }
    }

    /// Ends the step.
    pub fn done(&self) {
        self.tell(self.total);
        if self.terminal {
            printing::tell("");
        }
    }

    fn tell(&self, count: u64) {
        let Self { what, total, .. } = self;
        if !self.terminal {
            printing::tell(format_args!("  {count} of {total} {what}"));
            return;
        }
        let full = (count.min(*total) * WIDTH / (*total).max(1)) as usize;
        let bar = format!("{:-<24}", "#".repeat(full));
        let mut stderr = std::io::stderr().lock();
        let _ = write!(stderr, "\r  [{bar}] {count} of {total} {what}\x1b[K");
        let _ = stderr.flush();
    }
}

/// Says what comes next.
pub fn step(text: &str) {
    printing::tell(text);
}
