//! What is going on, on standard error: one line that is rewritten in a terminal, a line now and then in a file.

use std::{
    cell::{Cell, RefCell},
    collections::BTreeMap,
    io::{IsTerminal as _, Write as _},
    time::{Duration, Instant},
};

use super::{
    crowd::Record,
    fault::{Database, Fault},
};

/// The teller.
pub struct StatusLine {
    is_terminal: bool,
    told: Cell<Instant>,
    lanes: RefCell<BTreeMap<String, String>>,
}

impl StatusLine {
    /// Begins to tell.
    pub fn new() -> Self {
        Self {
            is_terminal: std::io::stderr().is_terminal(),
            told: Cell::new(Instant::now()),
            lanes: RefCell::default(),
        }
    }

    /// Tells how far a phase is; most calls say nothing.
    pub fn tell(&self, database: Database, fault: Fault, injected: u64, record: &Record) {
        let line = format!(
            "{database}: {fault} {injected}×, {} acked",
            record.acked.get()
        );
        self.lanes.borrow_mut().insert(database.to_string(), line);
        let pause = if self.is_terminal {
            Duration::from_millis(200)
        } else {
            Duration::from_secs(10)
        };
        if self.told.get().elapsed() < pause {
            return;
        }
        self.told.set(Instant::now());
        let lanes: Vec<_> = self.lanes.borrow().values().cloned().collect();
        let text = lanes.join("  |  ");
        let mut stderr = std::io::stderr().lock();
        let _nobody_reads = if self.is_terminal {
            write!(stderr, "\r{text}\x1b[K").and_then(|()| stderr.flush())
        } else {
            writeln!(stderr, "  {text}")
        };
    }

    /// A line that stays.
    pub fn say(&self, text: &str) {
        let clear = if self.is_terminal { "\r\x1b[K" } else { "" };
        tell(&format!("{clear}{text}"));
    }

    /// A lane is at its end.
    pub fn forget(&self, database: Database) {
        self.lanes.borrow_mut().remove(&database.to_string());
    }
}

/// A line on standard error. No one may be reading; that is no reason to leave a server behind.
pub fn tell(text: &str) {
    let _nobody_reads = writeln!(std::io::stderr(), "{text}");
}
