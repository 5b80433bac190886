//! How many connections there are in all, and which of them may end when the files that a process may have open are nearly
//! used up: those that ask for nothing, the one that has done so for longest first. Otherwise a few addresses could use up
//! all of them by holding connections, each within the bound for an address. Whoever has only just come has not asked for
//! anything either, and is not taken for one of those.

use std::{
    cell::Cell,
    collections::BTreeMap,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    time::{Duration, Instant},
};

use rustix::process::{Resource, getrlimit};
use tokio::sync::Notify;

use crate::config::Config;

/// The next request is waited for no longer than this when most files are in use.
const SHORT_KEEP_ALIVE: Duration = Duration::from_secs(5);
/// Files that the server may want besides its threads, its database and its connections.
const OTHERS: u64 = 64;
/// So long, who waits for nothing yet is left in peace as long as there is someone who has waited for longer.
const GRACE: Duration = Duration::from_secs(1);
/// How often it is said that no connection is taken.
const SAY_EVERY: Duration = Duration::from_mins(1);

/// What a connection waits for, the one that is given up first before the others.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Waiting {
    /// Its client to ask for something.
    Idle,
    /// The rest of a request.
    Arriving,
}

/// All connections of the process.
#[derive(Debug)]
pub struct OpenConnections {
    /// From this many on, each that comes takes the place of one that waits. `None`: any number.
    most: Option<usize>,
    grace: Duration,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    count: usize,
    /// Counted up with each wait.
    turn: u64,
    /// When it was last said that there are too many.
    said: Option<Instant>,
    waiting: BTreeMap<(Waiting, u64), Waiter>,
}

#[derive(Debug)]
struct Waiter {
    since: Instant,
    summons: Arc<Summons>,
}

/// One connection, until this is dropped.
#[derive(Debug)]
pub struct Seat {
    all: Arc<OpenConnections>,
    place: Cell<Option<(Waiting, u64)>>,
    summons: Arc<Summons>,
}

/// Tells a connection that it has to go. It is chosen once: what it does until it goes makes no place for another.
#[derive(Debug, Default)]
struct Summons {
    is_chosen: AtomicBool,
    given_up: Notify,
}

impl OpenConnections {
    /// As many as the limit of open files leaves beside those of the server itself.
    #[must_use]
    pub fn within_limit(config: &Config) -> Arc<Self> {
        let files = getrlimit(Resource::Nofile).current;
        let own = u64::from(config.storage.pool_size) * 3 + config.workers as u64 * 4 + OTHERS;
        let most = files.map(|files| files.saturating_sub(own).max(files / 2));
        Self::new(most.and_then(|most| usize::try_from(most).ok()), GRACE)
    }

    fn new(most: Option<usize>, grace: Duration) -> Arc<Self> {
        Arc::new(Self {
            most,
            grace,
            state: Mutex::default(),
        })
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// One more connection. When there are too many, one that waits has to go; `None` when none does.
    pub fn enter(self: &Arc<Self>) -> Option<Seat> {
        let mut state = self.lock();
        if self.most.is_some_and(|most| state.count >= most) {
            let Some(chosen) = state.take_longest(self.grace) else {
                state.say();
                return None;
            };
            chosen.is_chosen.store(true, Ordering::Relaxed);
            chosen.given_up.notify_one();
        }
        state.count += 1;
        drop(state);
        let seat = Seat {
            all: Arc::clone(self),
            place: Cell::new(None),
            summons: Arc::default(),
        };
        seat.wait_for(Waiting::Idle);
        Some(seat)
    }
}

impl State {
    /// Who goes: the one that has been idle for longest, or, while that has only just come, whoever has waited for longest.
    fn take_longest(&mut self, grace: Duration) -> Option<Arc<Summons>> {
        let mut key = *self.waiting.first_key_value()?.0;
        if self.waiting[&key].since.elapsed() < grace {
            let mut arriving = self.waiting.range((Waiting::Arriving, 0)..);
            if let Some((other, _)) = arriving.next().filter(|(other, _)| other.1 < key.1) {
                key = *other;
            }
        }
        self.waiting.remove(&key).map(|waiter| waiter.summons)
    }

    fn say(&mut self) {
        if self.said.is_none_or(|at| at.elapsed() > SAY_EVERY) {
            self.said = Some(Instant::now());
            log::warn!(
                "new connections are cut: {} are in use, and the limit of open files leaves no more; raise it (LimitNOFILE)",
                self.count
            );
        }
    }
}

impl Seat {
    /// From now on, it waits for its client.
    pub fn wait_for(&self, what: Waiting) {
        let mut state = self.all.lock();
        if self.summons.is_chosen.load(Ordering::Relaxed) {
            return;
        }
        if let Some(place) = self.place.get() {
            if place.0 == what {
                return;
            }
            state.waiting.remove(&place);
        }
        state.turn += 1;
        let place = (what, state.turn);
        let waiter = Waiter {
            since: Instant::now(),
            summons: Arc::clone(&self.summons),
        };
        state.waiting.insert(place, waiter);
        self.place.set(Some(place));
    }

    /// From now on, something is done for it.
    pub fn work(&self) {
        if let Some(place) = self.place.take() {
            self.all.lock().waiting.remove(&place);
        }
    }

    /// Comes back when it has to go.
    pub async fn given_up(&self) {
        self.summons.given_up.notified().await;
    }

    /// How long to wait for a client that is usually waited for so long.
    pub fn patience(&self, usual: Duration) -> Duration {
        let is_near = |most: usize| self.all.lock().count > most / 4 * 3;
        if self.all.most.is_some_and(is_near) {
            usual.min(SHORT_KEEP_ALIVE)
        } else {
            usual
        }
    }
}

impl Drop for Seat {
    fn drop(&mut self) {
        self.work();
        self.all.lock().count -= 1;
    }
}

#[cfg(test)]
mod tests {
    use futures_util::FutureExt as _;

    use super::*;

    fn has_to_go(seat: &Seat) -> bool {
        seat.given_up().now_or_never().is_some()
    }

    #[test]
    fn the_longest_idle_goes_first_and_none_that_is_served() {
        let all = OpenConnections::new(Some(4), Duration::ZERO);
        let seats: Vec<Seat> = (0..4).filter_map(|_| all.enter()).collect();
        let [served, arriving, first, second] = &seats[..] else {
            panic!("four places");
        };
        served.work();
        arriving.wait_for(Waiting::Arriving);
        // It was served meanwhile, and has waited for less long than the other since.
        first.work();
        first.wait_for(Waiting::Idle);
        let fifth = all.enter().expect("a place");
        fifth.work();
        assert!(has_to_go(second) && !has_to_go(first));
        let sixth = all.enter().expect("another place");
        sixth.work();
        assert!(has_to_go(first) && !has_to_go(arriving));
        let seventh = all.enter().expect("another place");
        seventh.work();
        assert!(has_to_go(arriving) && !has_to_go(served));
        assert!(all.enter().is_none(), "all are served");
        drop(seats);
        assert!(all.enter().is_some());
    }

    #[test]
    fn who_has_only_just_come_does_not_go_before_who_never_ends_a_request() {
        let all = OpenConnections::new(Some(2), Duration::MAX);
        let slow = all.enter().expect("a place");
        slow.wait_for(Waiting::Arriving);
        let come = all.enter().expect("a place");
        let next = all.enter().expect("the place of the slow one");
        assert!(has_to_go(&slow) && !has_to_go(&come));
        drop(slow);
        let _last = all.enter().expect("the place of the one before");
        assert!(has_to_go(&come) && !has_to_go(&next));
    }

    #[test]
    fn whoever_was_chosen_goes_when_it_waits_again() {
        let all = OpenConnections::new(Some(1), Duration::ZERO);
        let chosen = all.enter().expect("a place");
        let _next = all.enter().expect("its place");
        // Its request came at that very moment, and is answered.
        chosen.work();
        chosen.wait_for(Waiting::Idle);
        assert!(has_to_go(&chosen));
    }

    #[test]
    fn whoever_was_chosen_makes_place_for_one_only() {
        let all = OpenConnections::new(Some(1), Duration::ZERO);
        let chosen = all.enter().expect("a place");
        let next = all.enter().expect("its place");
        next.work();
        chosen.work();
        chosen.wait_for(Waiting::Idle);
        assert!(all.enter().is_none(), "it goes already, for another");
    }

    #[test]
    fn nothing_is_kept_of_those_who_have_gone() {
        let all = OpenConnections::new(None, Duration::ZERO);
        drop(all.enter());
        let state = all.lock();
        assert!(state.count == 0 && state.waiting.is_empty());
    }
}
