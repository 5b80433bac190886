//! When all pages of the database are looked at while it is served, and what that shows. It takes a thread of its own, since that of the
//! watch has to see at once when a file is taken away.

use std::{
    path::Path,
    sync::{atomic::Ordering, mpsc},
    thread::{self, JoinHandle},
    time::{Duration, Instant},
};

use super::{
    IS_SUSPECT, LOOK_EVERY, Loss,
    content::{Content, find_content},
};
use crate::db::{file, integrity};

/// How often all pages are looked at where something was written to the file, at most, and how many times longer than that took
/// the next pause is: someone may have put a copy over it that is of the same life.
const AT_MOST_EVERY: Duration = Duration::from_secs(2);
const PAUSE_FACTOR: u32 = 200;
/// The same where something that should be there was not found.
const SUSPECT_FACTOR: u32 = 20;
/// How many looks in turn must have found nothing readable where the log was cut; and where it is empty, as it may be by right.
const FAILURES_CUT: u32 = 2;
const FAILURES_EMPTY: u32 = 5;

/// What gives reason to look at them.
#[derive(Debug, Clone, Copy, Default)]
struct Reasons {
    /// Something was written to the file since they were looked at.
    is_unseen: bool,
    /// The log has become shorter.
    is_cut: bool,
}

/// The looks at all pages.
#[derive(Debug)]
pub(super) struct Pages {
    reasons: Reasons,
    /// Bytes of the log, when they were last seen.
    log_length: Option<u64>,
    running: Option<Running>,
    /// When the last look ended, and how long it took.
    ended: Instant,
    took: Duration,
    failures: u32,
}

#[derive(Debug)]
struct Running {
    reasons: Reasons,
    is_suspect: bool,
    /// What it finds, and how long that took.
    found: mpsc::Receiver<(Content, Duration)>,
    thread: JoinHandle<()>,
}

impl Pages {
    /// None yet; with the log as it is.
    pub(super) fn new(log: &Path) -> Self {
        Self {
            reasons: Reasons::default(),
            log_length: log.metadata().ok().map(|found| found.len()),
            running: None,
            ended: Instant::now(),
            took: Duration::ZERO,
            failures: 0,
        }
    }

    /// Something was written to the file.
    pub(super) fn note_written(&mut self) {
        self.reasons.is_unseen = true;
    }

    /// Looks how long the log is.
    pub(super) fn look_at_log(&mut self, log: &Path) {
        let Ok(found) = log.metadata() else {
            return;
        };
        let before = self.log_length.replace(found.len());
        self.reasons.is_cut |= before.is_some_and(|before| found.len() < before);
    }

    /// What is known when a look ended in this. Where the log was cut, its readers find nothing where something should be;
    /// whatever else cannot be found out says nothing about the file, and is asked again.
    pub(super) fn judge(&mut self, content: Content) -> Option<Loss> {
        match content {
            Content::Own => {
                self.failures = 0;
                None
            }
            Content::Lost(loss) => Some(loss),
            Content::Unknown(words) => {
                let enough = match self.log_length {
                    _ if !integrity::is_unreadable(&words) => None,
                    _ if self.reasons.is_cut => Some(FAILURES_CUT),
                    Some(0) => Some(FAILURES_EMPTY),
                    _ => None,
                };
                self.failures = enough.map_or(0, |_| self.failures + 1);
                let is_enough = enough.is_some_and(|enough| self.failures >= enough);
                is_enough.then_some(Loss::Log { is_saved: false })
            }
        }
    }

    /// Begins to look at all pages where there is reason to, or says what the look that was begun has found.
    pub(super) fn look(&mut self, path: &Path, life: Option<&str>) -> Option<Loss> {
        let Some(running) = self.running.take() else {
            self.begin(path, life);
            return None;
        };
        let (content, took) = match running.found.try_recv() {
            Err(mpsc::TryRecvError::Empty) => {
                self.running = Some(running);
                return None;
            }
            Ok(found) => found,
            Err(mpsc::TryRecvError::Disconnected) => {
                (Content::Unknown("the look ended".into()), self.took)
            }
        };
        let _it_has_ended = running.thread.join();
        (self.ended, self.took) = (Instant::now(), took);
        if let Content::Unknown(words) = &content {
            self.reasons.is_unseen |= running.reasons.is_unseen;
            self.reasons.is_cut |= running.reasons.is_cut;
            let is_suspect = running.is_suspect || integrity::is_unreadable(words);
            IS_SUSPECT.fetch_or(is_suspect, Ordering::SeqCst);
        }
        self.judge(content)
    }

    fn begin(&mut self, path: &Path, life: Option<&str>) {
        let has_rested = |factor: u32, least: Duration| {
            self.ended.elapsed() >= self.took.saturating_mul(factor).max(least)
        };
        let is_suspect = IS_SUSPECT.load(Ordering::SeqCst);
        let is_wanted = (is_suspect || self.reasons.is_cut)
            && has_rested(SUSPECT_FACTOR, LOOK_EVERY)
            || self.reasons.is_unseen && has_rested(PAUSE_FACTOR, AT_MOST_EVERY);
        if !is_wanted {
            return;
        }
        let (tell, found) = mpsc::channel();
        let (path, life) = (path.to_owned(), life.map(str::to_owned));
        let thread = thread::Builder::new()
            .name("database-pages".into())
            .spawn(move || {
                let begun = Instant::now();
                let content = find_content(&path, life.as_deref(), true);
                let _nobody_waits = tell.send((content, begun.elapsed()));
            });
        // One that the system has no thread for is tried again.
        if let Ok(thread) = thread {
            IS_SUSPECT.store(false, Ordering::SeqCst);
            self.running = Some(Running {
                reasons: std::mem::take(&mut self.reasons),
                is_suspect,
                found,
                thread,
            });
        }
    }

    /// Waits until nothing is being looked at: a connection that reads keeps the log from being put into the database.
    pub(super) fn end(&mut self) {
        if let Some(running) = self.running.take() {
            let _whatever_it_found = running.thread.join();
        }
    }
}

/// Whether the file is there and holds nothing, and not just for a moment.
pub(super) fn is_emptied(path: &Path) -> bool {
    file::is_empty(path) && {
        thread::sleep(super::LOOK_AGAIN);
        file::is_empty(path)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn unreadable() -> Content {
        Content::Unknown("disk I/O error".into())
    }

    #[test]
    fn a_disk_that_fails_for_a_moment_says_nothing_about_the_file() {
        let folder = tempfile::tempdir().expect("a folder");
        let log = folder.path().join("x.db-wal");
        std::fs::write(&log, "something").expect("writes");
        let mut pages = Pages::new(&log);
        for _ in 0..100 {
            assert!(pages.judge(unreadable()).is_none());
            assert!(pages.judge(Content::Unknown("locked".into())).is_none());
        }
    }

    #[test]
    fn a_log_that_was_cut_is_lost_when_nothing_can_be_read_twice() {
        let folder = tempfile::tempdir().expect("a folder");
        let log = folder.path().join("x.db-wal");
        std::fs::write(&log, "something").expect("writes");
        let mut pages = Pages::new(&log);
        std::fs::write(&log, "").expect("writes");
        pages.look_at_log(&log);
        assert!(pages.judge(unreadable()).is_none());
        // Between the two it could be read.
        assert!(pages.judge(Content::Own).is_none());
        assert!(pages.judge(unreadable()).is_none());
        let lost = pages.judge(unreadable());
        assert!(matches!(lost, Some(Loss::Log { is_saved: false })));
    }

    #[test]
    fn a_file_that_cannot_be_looked_at_is_not_called_empty() {
        let folder = tempfile::tempdir().expect("a folder");
        let file = folder.path().join("x.db");
        assert!(!is_emptied(&file));
        std::fs::write(&file, "").expect("writes");
        assert!(is_emptied(&file));
    }
}
