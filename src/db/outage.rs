//! Saying that the database is away: once when it begins, and once when it is over. Under load the same sentence would
//! otherwise fill the log, hundreds of times a minute.

use std::{
    sync::{
        Mutex, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    time::{Duration, Instant},
};

/// Different sentences that one outage is told in, at most.
const MOST_SENTENCES: usize = 6;
/// An outage is over when something went well this long after the last failure: while it goes on, some things may still
/// go well.
const CALM: Duration = Duration::from_secs(1);

/// Connections cannot be made.
pub static CONNECTING: Outage = Outage::new("the database can be reached again");
/// Nothing can be read.
pub static READING: Outage = Outage::new("the database answers again");
/// What is no message cannot be written.
pub static WRITING: Outage = Outage::new("the database takes changes again");
/// Messages cannot be stored.
pub static STORING: Outage = Outage::new("messages are stored again");

/// One way in which the database can be away.
#[derive(Debug)]
pub struct Outage {
    is_on: AtomicBool,
    over: &'static str,
    state: Mutex<State>,
}

#[derive(Debug)]
struct State {
    span: Option<(Instant, Instant)>,
    said: Vec<String>,
    untold: u64,
}

impl Outage {
    const fn new(over: &'static str) -> Self {
        Self {
            is_on: AtomicBool::new(false),
            over,
            state: Mutex::new(State {
                span: None,
                said: Vec::new(),
                untold: 0,
            }),
        }
    }

    /// Something failed. The sentence is logged, unless this outage has been told in it already.
    pub fn note(&self, sentence: &str) {
        if self.is_news(sentence, Instant::now()) {
            log::warn!("{sentence}");
        } else {
            log::debug!("{sentence}");
        }
    }

    /// Something went well; so the database can be reached, too.
    pub fn note_success(&self) {
        self.end_if_calm();
        CONNECTING.end_if_calm();
    }

    fn end_if_calm(&self) {
        if let Some((length, untold)) = self.end(Instant::now()) {
            log::info!(
                "{} after {} s ({untold} more failures were not logged)",
                self.over,
                length.as_secs()
            );
        }
    }

    fn is_news(&self, sentence: &str, now: Instant) -> bool {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        self.is_on.store(true, Ordering::Relaxed);
        let since = state.span.map_or(now, |(since, _)| since);
        state.span = Some((since, now));
        let is_news =
            state.said.len() < MOST_SENTENCES && !state.said.iter().any(|said| said == sentence);
        if is_news {
            state.said.push(sentence.to_owned());
        } else {
            state.untold += 1;
        }
        is_news
    }

    /// How long it took, and how much of it was not told, when it is over now.
    fn end(&self, now: Instant) -> Option<(Duration, u64)> {
        if !self.is_on.load(Ordering::Relaxed) {
            return None;
        }
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        let (since, last) = state.span?;
        if now.saturating_duration_since(last) < CALM {
            return None;
        }
        self.is_on.store(false, Ordering::Relaxed);
        state.span = None;
        state.said.clear();
        Some((
            last.saturating_duration_since(since),
            std::mem::take(&mut state.untold),
        ))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_outage_is_told_once_and_its_end_once() {
        let (outage, now) = (Outage::new("back"), Instant::now());
        let at = |seconds| now + Duration::from_secs(seconds);
        assert_eq!(outage.end(now), None);
        assert!(outage.is_news("a", now));
        for second in 0..120 {
            assert!(!outage.is_news("a", at(second)));
            assert_eq!(
                outage.end(at(second)),
                None,
                "something may go well meanwhile"
            );
        }
        assert!(outage.is_news("b", at(120)));
        assert_eq!(outage.end(at(122)), Some((Duration::from_mins(2), 120)));
        assert_eq!(outage.end(at(123)), None);
        assert!(outage.is_news("a", at(200)), "another outage");
    }
}
