//! Deleting the logins that have expired. They are refused at once, but their rows are deleted only after the server has run
//! for a day by the same clock: if the clock is wrong and is put right within the day, no login is lost.

use std::time::{Duration, Instant};

use super::logins::Logins;
use crate::{
    db::{facts, sessions},
    error::Result,
    protocol::time::Timestamp,
};

/// How long the server has to run by the same clock before it deletes.
const WAIT: Duration = Duration::from_hours(24);
/// How often the time that it has run is stored.
const NOTE_EVERY: Duration = Duration::from_mins(10);
/// The name of the fact that stores it.
const FACT: &str = "expired-logins";

/// The wait before the next sweep, as it is stored.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Wait {
    /// Logins that had expired by then (seconds since 1970) will be deleted.
    upto: i64,
    /// Seconds that are left.
    left: u64,
}

impl Wait {
    fn begin(now: i64) -> Self {
        Self {
            upto: now,
            left: WAIT.as_secs(),
        }
    }

    fn parse(text: &str) -> Option<Self> {
        let (upto, left) = text.split_once(' ')?;
        Some(Self {
            upto: upto.parse().ok()?,
            left: left.parse().ok()?,
        })
    }

    /// After `served` more seconds; and whether it is over.
    fn go_on(self, now: i64, served: u64) -> (Self, bool) {
        if self.upto > now {
            // The clock was put back: what it said before says nothing.
            return (Self::begin(now), false);
        }
        let left = self.left.saturating_sub(served).min(WAIT.as_secs());
        (Self { left, ..self }, left == 0)
    }
}

/// The sweeps of one run of the server.
#[derive(Debug, Default)]
pub struct Sweep {
    /// When the wait was last stored.
    noted: Option<Instant>,
}

impl Sweep {
    /// To be called regularly.
    pub async fn go_on(&mut self, logins: &Logins) {
        let served = self.noted.map_or(Duration::ZERO, |at| at.elapsed());
        if self.noted.is_some() && served < NOTE_EVERY {
            return;
        }
        match note(logins, served).await {
            Ok(()) => self.noted = Some(Instant::now()),
            // The database is away; the time still counts.
            Err(error) => log::debug!("expired logins stay for now: {error}"),
        }
    }
}

async fn note(logins: &Logins, served: Duration) -> Result<()> {
    let (now, latest) = (logins.clock.now(), logins.latest_end());
    let forgotten = logins.db.write(move |conn| {
        let noted = facts::find(conn, FACT)?.and_then(|text| Wait::parse(&text));
        let wait = noted.unwrap_or_else(|| Wait::begin(now.timestamp()));
        let (mut wait, is_over) = wait.go_on(now.timestamp(), served.as_secs());
        let mut forgotten = 0;
        if is_over {
            let upto = Timestamp::from_timestamp(wait.upto, 0).unwrap_or_default();
            forgotten = sessions::delete_expired(conn, upto)?;
            // The clock is right: what a wrong one wrote in the far future is not.
            sessions::shorten(conn, latest)?;
            wait = Wait::begin(now.timestamp());
        }
        facts::set(conn, FACT, &format!("{} {}", wait.upto, wait.left))?;
        Ok(forgotten)
    });
    match forgotten.await? {
        0 => {}
        count => log::info!("forgot {count} logins that expired a day ago or more"),
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    const DAY: i64 = 86_400;

    #[test]
    fn a_day_of_service_by_the_same_clock_has_to_pass() {
        let mut wait = Wait::begin(1_000);
        let mut now = 1_000;
        for _ in 0..23 {
            now += 3_600;
            let (next, is_over) = wait.go_on(now, 3_600);
            assert!(!is_over);
            assert_eq!(next.upto, 1_000, "only what had expired before the wait");
            wait = Wait::parse(&format!("{} {}", next.upto, next.left)).expect("reads back");
        }
        // Away for a month: that is no service.
        now += 30 * DAY;
        assert!(!wait.go_on(now, 0).1);
        assert!(wait.go_on(now + 3_600, 3_600).1);
    }

    #[test]
    fn a_clock_that_was_put_back_begins_the_wait_again() {
        let ahead = Wait {
            upto: 365 * DAY,
            left: 5,
        };
        let (wait, is_over) = ahead.go_on(DAY, 600);
        assert!(!is_over);
        assert_eq!(wait, Wait::begin(DAY));
    }

    #[test]
    fn a_note_that_cannot_be_read_is_none() {
        for text in ["", "1", "x y", "1 -1", "1 2 3"] {
            assert_eq!(Wait::parse(text), None, "{text}");
        }
    }
}
