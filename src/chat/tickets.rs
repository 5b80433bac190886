//! Tickets for opening a socket from a browser, which can set no header there and should put no token into a URL.

use std::{
    collections::{HashMap, VecDeque, hash_map::Entry},
    sync::{Mutex, PoisonError},
    time::{Duration, Instant},
};

use super::Caller;
use crate::{
    crypto::random_name,
    error::{Code, Error, Result},
};

/// How long a ticket is good.
pub const LIFE: Duration = Duration::from_secs(30);
/// Most tickets that may be out.
const MOST: usize = 100_000;
/// Most of them that may be one user's; one more ends the oldest. All tabs of a browser may come back at once.
const MOST_OF_USER: usize = 20;

/// The tickets that are out. In memory: a restart makes clients fetch a new one.
#[derive(Debug, Default)]
pub struct Tickets(Mutex<Out>);

#[derive(Debug, Default)]
struct Out {
    tickets: HashMap<String, (Caller, Instant)>,
    /// Each user's, the oldest first.
    of_users: HashMap<i64, VecDeque<String>>,
}

impl Out {
    fn insert(&mut self, ticket: String, caller: Caller) {
        let own = self.of_users.entry(caller.user_id).or_default();
        if own.len() >= MOST_OF_USER
            && let Some(oldest) = own.pop_front()
        {
            self.tickets.remove(&oldest);
        }
        own.push_back(ticket.clone());
        self.tickets.insert(ticket, (caller, Instant::now()));
    }

    fn remove(&mut self, ticket: &str) -> Option<(Caller, Instant)> {
        let (caller, made) = self.tickets.remove(ticket)?;
        if let Entry::Occupied(mut own) = self.of_users.entry(caller.user_id) {
            own.get_mut().retain(|other| other != ticket);
            if own.get().is_empty() {
                own.remove();
            }
        }
        Some((caller, made))
    }

    fn forget_the_late(&mut self) {
        let tickets = &mut self.tickets;
        tickets.retain(|_, (_, made)| made.elapsed() < LIFE);
        self.of_users.retain(|_, own| {
            own.retain(|ticket| tickets.contains_key(ticket));
            !own.is_empty()
        });
    }
}

impl Tickets {
    /// A ticket for the caller, good once and for [`LIFE`].
    ///
    /// # Errors
    /// 503 when too many are out, 500 when the system has no random bytes.
    pub fn issue(&self, caller: &Caller) -> Result<String> {
        let ticket = random_name().map_err(Error::internal)?;
        let mut out = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if out.tickets.len() >= MOST {
            out.forget_the_late();
        }
        if out.tickets.len() >= MOST {
            return Err(Error::unavailable(
                Code::Busy,
                "Too many tickets are out; try again shortly.",
            ));
        }
        out.insert(ticket.clone(), caller.clone());
        Ok(ticket)
    }

    /// Whose ticket this is; a second time it is no one's.
    pub fn redeem(&self, ticket: &str) -> Option<Caller> {
        let mut out = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let (caller, made) = out.remove(ticket)?;
        (made.elapsed() < LIFE).then_some(caller)
    }

    /// Forgets the tickets whose time is over. To be called regularly.
    pub fn forget_the_late(&self) {
        self.0
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .forget_the_late();
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
        out.tickets.get_mut(&ticket).expect("it is out").1 = made;
        drop(out);
        assert_eq!(tickets.redeem(&ticket), None);
    }

    #[test]
    fn one_user_cannot_take_the_tickets_of_all() {
        let tickets = Tickets::default();
        let caller = |user_id| Caller {
            user_id,
            username: "alice".into(),
            session_id: 2,
        };
        let other = tickets.issue(&caller(7)).expect("issued");
        let all: Vec<_> = (0..3 * MOST_OF_USER)
            .map(|_| tickets.issue(&caller(1)).expect("issued"))
            .collect();
        assert_eq!(
            tickets.0.lock().expect("whole").tickets.len(),
            MOST_OF_USER + 1
        );
        let (old, new) = all.split_at(2 * MOST_OF_USER);
        assert!(old.iter().all(|ticket| tickets.redeem(ticket).is_none()));
        assert!(new.iter().all(|ticket| tickets.redeem(ticket).is_some()));
        assert!(tickets.redeem(&other).is_some());
        assert!(tickets.0.lock().expect("whole").of_users.is_empty());
    }

    #[test]
    fn nothing_is_kept_of_the_late() {
        let tickets = Tickets::default();
        let caller = Caller {
            user_id: 1,
            username: "alice".into(),
            session_id: 2,
        };
        tickets.issue(&caller).expect("issued");
        let mut out = tickets.0.lock().expect("whole");
        let made = Instant::now().checked_sub(LIFE).expect("some uptime");
        out.tickets
            .values_mut()
            .for_each(|(_, issued)| *issued = made);
        drop(out);
        tickets.forget_the_late();
        let out = tickets.0.lock().expect("whole");
        assert!(out.tickets.is_empty() && out.of_users.is_empty());
    }
}
