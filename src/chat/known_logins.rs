//! Which logins were recently seen to be live. A token's signature stays valid until the token expires, even when its login
//! has ended, perhaps because it was stolen; requests with such a token must not be charged to the user. Looking up each
//! login before charging would cost more than it saves, so the results of earlier look-ups are remembered.

use std::{
    collections::HashMap,
    sync::{Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

/// How long it is remembered that a login was alive, or that it was ended.
const LIFE: Duration = Duration::from_mins(10);
/// A login that was seen so long ago is not noted again.
const FRESH: Duration = Duration::from_mins(1);

/// The logins that were seen alive, and those that were ended, in this process.
#[derive(Debug, Default)]
pub struct KnownLogins(Mutex<HashMap<i64, Known>>);

#[derive(Debug, Clone, Copy)]
struct Known {
    is_live: bool,
    since: Instant,
}

impl KnownLogins {
    fn lock(&self) -> MutexGuard<'_, HashMap<i64, Known>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A login was looked up, or begun, and lives. One that was ended meanwhile stays ended: no login comes back.
    pub fn note(&self, session_id: i64) {
        let (mut known, since) = (self.lock(), Instant::now());
        let noted = known.entry(session_id).or_insert(Known {
            is_live: true,
            since,
        });
        if noted.is_live && noted.since.elapsed() > FRESH {
            noted.since = since;
        }
    }

    /// A login was ended.
    pub fn end(&self, session_id: i64) {
        let (is_live, since) = (false, Instant::now());
        self.lock().insert(session_id, Known { is_live, since });
    }

    /// A login was refused; it has to be looked up before it counts as live again.
    pub fn forget(&self, session_id: i64) {
        let mut known = self.lock();
        if known.get(&session_id).is_some_and(|login| login.is_live) {
            known.remove(&session_id);
        }
    }

    /// Whether a login was recently seen to be live, and has not ended since.
    #[must_use]
    pub fn is_live(&self, session_id: i64) -> bool {
        let known = self.lock();
        known
            .get(&session_id)
            .is_some_and(|login| login.is_live && login.since.elapsed() < LIFE)
    }

    /// All that count as alive.
    #[must_use]
    pub fn list(&self) -> Vec<i64> {
        let known = self.lock();
        known
            .iter()
            .filter(|(_, login)| login.is_live)
            .map(|(id, _)| *id)
            .collect()
    }

    /// Forgets what was noted long ago. To be called regularly.
    pub fn forget_idle(&self) {
        self.lock().retain(|_, login| login.since.elapsed() < LIFE);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_login_lives_from_when_it_was_seen_until_it_is_ended_or_refused() {
        let logins = KnownLogins::default();
        assert!(!logins.is_live(1), "it was never seen");
        logins.note(1);
        logins.note(2);
        assert!(logins.is_live(1) && logins.is_live(2));
        logins.forget(1);
        assert!(!logins.is_live(1));
        logins.note(1);
        assert!(logins.is_live(1), "it was looked up again");
        logins.end(1);
        // By a request that had looked it up before it was ended.
        logins.note(1);
        logins.forget(1);
        logins.note(1);
        assert!(!logins.is_live(1));
        assert_eq!(logins.list(), [2]);
    }

    #[test]
    fn nothing_is_kept_of_those_who_are_quiet() {
        let logins = KnownLogins::default();
        logins.note(1);
        logins.end(2);
        let long_ago = Instant::now().checked_sub(LIFE).expect("some uptime");
        logins
            .lock()
            .values_mut()
            .for_each(|login| login.since = long_ago);
        assert!(!logins.is_live(1));
        logins.forget_idle();
        assert!(logins.lock().is_empty());
    }
}
