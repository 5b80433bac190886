//! Rooms where members wait between two messages.

use std::{cell::RefCell, collections::HashMap, time::Duration};

use crate::{
    db::log::lock::Locked,
    error::{Code, Error},
    protocol::{limits::MAX_SLOW_SECONDS, room::Role, time::Timestamp},
};

/// Most members that are remembered, all rooms together. Beyond that all of them are forgotten, and looked up again as they
/// write.
const MOST: usize = 10_000;

/// Since when members have to wait, in rooms where they do. What is not remembered is in their rows.
#[derive(Debug, Default)]
pub struct SlowMode(RefCell<HashMap<(i64, i64), Timestamp>>);

impl SlowMode {
    /// Whether it is remembered when someone last wrote.
    pub fn knows(&self, room_id: i64, user_id: i64) -> bool {
        self.0.borrow().contains_key(&(room_id, user_id))
    }

    /// Someone last wrote at that moment, as their row has it. One that has not come yet is of a clock that was put back since,
    /// and must not keep anyone from writing.
    pub fn learn(&self, room_id: i64, user_id: i64, spoke_at: Timestamp, now: Timestamp) {
        if spoke_at <= now {
            self.0.borrow_mut().insert((room_id, user_id), spoke_at);
        }
    }

    /// Lets someone write, who may then not for a while.
    pub fn check(
        &self,
        room: &Locked,
        user_id: i64,
        role: Role,
        now: Timestamp,
    ) -> Result<(), Error> {
        if room.slow_seconds <= 0 || role > Role::Member {
            return Ok(());
        }
        let mut last = self.0.borrow_mut();
        // A row that was edited by hand may hold any number.
        let seconds = room.slow_seconds.min(MAX_SLOW_SECONDS.into());
        let wait = chrono::TimeDelta::seconds(seconds);
        let before = last.get(&(room.id, user_id));
        if let Some(next) = before.and_then(|at| at.checked_add_signed(wait))
            && next > now
        {
            let left = (next - now).to_std().unwrap_or(Duration::ZERO);
            let told = format!(
                "This room is in slow mode: you can write again in {}.",
                in_words(left)
            );
            return Err(Error::too_many(Code::SlowMode, told, left));
        }
        last.insert((room.id, user_id), now);
        Ok(())
    }

    /// What was let through at this moment was not stored.
    pub fn take_back(&self, at: Timestamp) {
        self.0.borrow_mut().retain(|_, last| *last != at);
    }

    /// Keeps what is remembered within its limit. To be called between two transactions.
    pub fn forget(&self) {
        let mut last = self.0.borrow_mut();
        if last.len() > MOST {
            last.clear();
        }
    }
}

/// A time as people say it, rounded up: who waits for so long has waited long enough.
fn in_words(time: Duration) -> String {
    let seconds = time.as_secs() + u64::from(time.subsec_nanos() > 0);
    let (count, unit) = match seconds {
        0..120 => (seconds.max(1), "second"),
        120..7_200 => (seconds.div_ceil(60), "minute"),
        _ => (seconds.div_ceil(3_600), "hour"),
    };
    let plural = if count == 1 { "" } else { "s" };
    format!("{count} {unit}{plural}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn how_long_to_wait_is_said_in_words_and_never_too_short() {
        for (millis, words) in [
            (0, "1 second"),
            (1, "1 second"),
            (1_001, "2 seconds"),
            (119_000, "119 seconds"),
            (119_001, "2 minutes"),
            (601_000, "11 minutes"),
            (7_199_001, "2 hours"),
            (86_400_000, "24 hours"),
        ] {
            assert_eq!(in_words(Duration::from_millis(millis)), words);
        }
    }

    #[test]
    fn no_more_members_are_remembered_than_the_limit_however_many_write() {
        let (slow, now) = (SlowMode::default(), crate::protocol::time::now());
        for user_id in (0..).take(MOST) {
            slow.learn(1, user_id, now, now);
        }
        slow.forget();
        assert!(slow.knows(1, 0), "within the limit they stay");
        slow.learn(2, 0, now, now);
        slow.forget();
        assert!(!slow.knows(1, 0) && !slow.knows(2, 0));
    }
}
