//! The clock by which tokens and logins end: the machine's own at the start, and from then on the time that has passed
//! since. Someone may set the machine's clock while the server runs; a login then ends neither early nor late.
//!
//! What people read (when a message was stored) is told by the machine's clock, [`crate::protocol::time::now`].

use std::time::Duration;

use chrono::TimeDelta;
use rustix::time::{ClockId, clock_gettime};

use crate::protocol::time::{Timestamp, now};

/// A clock that no one can set.
#[derive(Debug, Clone, Copy)]
pub struct Clock {
    started: Timestamp,
    running: Duration,
}

impl Clock {
    /// A clock that shows what the machine's shows.
    #[must_use]
    pub fn start() -> Self {
        Self {
            started: now(),
            running: running(),
        }
    }

    /// The present. It never goes back.
    #[must_use]
    pub fn now(&self) -> Timestamp {
        TimeDelta::from_std(self.elapsed())
            .ok()
            .and_then(|elapsed| self.started.checked_add_signed(elapsed))
            .unwrap_or(self.started)
    }

    /// How long it has run.
    #[must_use]
    pub fn elapsed(&self) -> Duration {
        running().saturating_sub(self.running)
    }
}

/// Since the machine was started, cut to microseconds as every time that is stored. Unlike that of `Instant`, this clock
/// goes on while the machine sleeps: a login must not outlive its time in a closed laptop.
fn running() -> Duration {
    let at = clock_gettime(ClockId::Boottime);
    let (seconds, nanos) = (u64::try_from(at.tv_sec), u64::try_from(at.tv_nsec));
    Duration::from_secs(seconds.unwrap_or(0)) + Duration::from_micros(nanos.unwrap_or(0) / 1_000)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_goes_on_from_the_machines_clock_in_microseconds() {
        let before = now();
        let clock = Clock::start();
        let (first, second) = (clock.now(), clock.now());
        assert!(before <= first && first <= second);
        assert!(first - before < TimeDelta::seconds(5));
        assert_eq!(second.timestamp_subsec_nanos() % 1_000, 0);
    }
}
