//! Tickets for opening a socket from a browser, which can set no header there and should put no token into a URL.

use std::{
    collections::HashMap,
    sync::{Mutex, PoisonError},
    time::{Duration, Instant},
};

use super::Caller;
use crate::{
    crypto::random_name,
    error::{Error, Result},
};

/// How long a ticket is good.
pub const LIFE: Duration = Duration::from_secs(30);
/// Most tickets that may be out.
const MOST: usize = 100_000;

/// The tickets that are out. In memory: a restart makes clients fetch a new one.
#[derive(Debug, Default)]
pub struct Tickets(Mutex<HashMap<String, (Caller, Instant)>>);

impl Tickets {
    /// A ticket for the caller, good once and for [`LIFE`].
    ///
    /// # Errors
    /// 503 when too many are out, 500 when the system has no random bytes.
    pub fn issue(&self, caller: &Caller) -> Result<String> {
        let ticket = random_name().map_err(Error::internal)?;
        let mut out = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if out.len() >= MOST {
            out.retain(|_, (_, made)| made.elapsed() < LIFE);
        }
        if out.len() >= MOST {
            return Err(Error::unavailable(
                "busy",
                "Too many tickets are out; try again shortly.",
            ));
        }
        out.insert(ticket.clone(), (caller.clone(), Instant::now()));
        Ok(ticket)
    }

    /// Whose ticket this is; a second time it is nobody's.
    pub fn redeem(&self, ticket: &str) -> Option<Caller> {
        let mut out = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let (caller, made) = out.remove(ticket)?;
        (made.elapsed() < LIFE).then_some(caller)
    }

    /// Forgets the tickets whose time is over. To be called now and then.
    pub fn forget_the_late(&self) {
        self.0
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .retain(|_, (_, made)| made.elapsed() < LIFE);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_ticket_is_good_once() {
        let tickets = Tickets::default();
        let caller = Caller {
            user_id: 1,
            username: "alice".into(),
            session_id: 2,
        };
        let ticket = tickets.issue(&caller).expect("issued");
        assert_eq!(tickets.redeem(&ticket), Some(caller));
        assert_eq!(tickets.redeem(&ticket), None);
        assert_eq!(tickets.redeem("made up"), None);
    }

    #[test]
    fn a_ticket_comes_too_late_after_its_life() {
        let tickets = Tickets::default();
        let caller = Caller {
            user_id: 1,
            username: "alice".into(),
            session_id: 2,
        };
        let ticket = tickets.issue(&caller).expect("issued");
        let mut out = tickets.0.lock().expect("nobody has panicked");
        let made = Instant::now().checked_sub(LIFE).expect("an hour of uptime");
        out.get_mut(&ticket).expect("it is out").1 = made;
        drop(out);
        assert_eq!(tickets.redeem(&ticket), None);
    }
}
