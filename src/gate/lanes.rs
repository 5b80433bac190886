//! The queue of a gate: a lane for each of those who ask, served by turns, so that whoever asks for much makes only itself wait.

use std::{
    collections::{HashMap, VecDeque},
    net::IpAddr,
    sync::{Condvar, Mutex, MutexGuard, PoisonError},
    time::Instant,
};

use super::usage::Usage;

/// Who asks. All who do not say share one lane.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub struct Asker {
    /// Where the request comes from.
    pub network: Option<IpAddr>,
    /// The account, if someone has logged in to it from that network before. Those requests have a queue of their own,
    /// which takes turns with that of all others: however many strangers there are, it gets every other turn.
    pub known_account: Option<i64>,
}

impl Asker {
    /// Whether both share a network, an account, or that they name neither.
    fn is_akin(&self, other: &Self) -> bool {
        self == other
            || (self.network.is_some() && self.network == other.network)
            || (self.known_account.is_some() && self.known_account == other.known_account)
    }
}

/// The jobs that wait.
#[derive(Debug)]
pub(super) struct Lanes<J> {
    state: Mutex<State<J>>,
    more: Condvar,
    /// Most that may wait in each of the two queues.
    most: usize,
}

#[derive(Debug)]
struct State<J> {
    known: Queue<J>,
    others: Queue<J>,
    /// Whose turn it is when both have something.
    known_are_next: bool,
    closed: bool,
}

/// The jobs of those who come from known networks, or of those who do not. Whose network and account have used least of
/// late is next, so that neither many addresses of one account nor many accounts at one address get more than one. What
/// strangers use counts among strangers only: an owner does not pay for those who guess its password.
#[derive(Debug)]
struct Queue<J> {
    /// Each job with its number.
    lanes: HashMap<Asker, VecDeque<(u64, J)>>,
    waiting: usize,
    arrived: u64,
    usage: Usage,
}

impl<J> Queue<J> {
    fn new() -> Self {
        Self {
            lanes: HashMap::new(),
            waiting: 0,
            arrived: 0,
            usage: Usage::default(),
        }
    }

    /// Takes a job in. The one that has no place is given back: the last of whoever has the most waiting or, where all
    /// have equally many, of whoever has used most of late.
    fn push(&mut self, asker: Asker, job: J, most: usize) -> Option<J> {
        self.arrived += 1;
        let lane = self.lanes.entry(asker).or_default();
        lane.push_back((self.arrived, job));
        self.waiting += 1;
        if self.waiting <= most {
            return None;
        }
        let now = Instant::now();
        let greed = |asker: &Asker, lane: &VecDeque<(u64, J)>| {
            let last = lane.back().map_or(0, |(number, _)| *number);
            (self.waiting_of_kin(asker), self.usage.of(asker, now), last)
        };
        let greediest = self.lanes.iter().max_by(|(a, lane_a), (b, lane_b)| {
            let (a, b) = (greed(a, lane_a), greed(b, lane_b));
            a.0.cmp(&b.0).then(a.1.total_cmp(&b.1)).then(a.2.cmp(&b.2))
        });
        let greediest = greediest.map(|(asker, _)| *asker)?;
        self.take(&greediest, VecDeque::pop_back)
    }

    /// How many jobs wait of the same network or account.
    fn waiting_of_kin(&self, asker: &Asker) -> usize {
        let kin = self.lanes.iter().filter(|(other, _)| asker.is_akin(other));
        kin.map(|(_, lane)| lane.len()).sum()
    }

    fn pop(&mut self) -> Option<J> {
        let now = Instant::now();
        let turn = |asker: &Asker, lane: &VecDeque<(u64, J)>| {
            let first = lane.front().map_or(0, |(number, _)| *number);
            (self.usage.of(asker, now), first)
        };
        let next = self.lanes.iter().min_by(|(a, lane_a), (b, lane_b)| {
            let (a, b) = (turn(a, lane_a), turn(b, lane_b));
            a.0.total_cmp(&b.0).then(a.1.cmp(&b.1))
        });
        let asker = next.map(|(asker, _)| *asker)?;
        self.usage.add(&asker, now);
        self.take(&asker, VecDeque::pop_front)
    }

    fn take(
        &mut self,
        asker: &Asker,
        end: impl FnOnce(&mut VecDeque<(u64, J)>) -> Option<(u64, J)>,
    ) -> Option<J> {
        let lane = self.lanes.get_mut(asker)?;
        let (_, job) = end(lane)?;
        self.waiting -= 1;
        if lane.is_empty() {
            self.lanes.remove(asker);
        }
        Some(job)
    }
}

impl<J> Lanes<J> {
    pub(super) fn new(most: usize) -> Self {
        Self {
            state: Mutex::new(State {
                known: Queue::new(),
                others: Queue::new(),
                known_are_next: false,
                closed: false,
            }),
            more: Condvar::new(),
            most,
        }
    }

    fn lock(&self) -> MutexGuard<'_, State<J>> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Takes a job in; what has no place is given back.
    pub(super) fn push(&self, asker: Asker, job: J) -> Option<J> {
        let mut state = self.lock();
        let queue = match asker.known_account {
            Some(_) => &mut state.known,
            None => &mut state.others,
        };
        let left_out = queue.push(asker, job, self.most);
        drop(state);
        self.more.notify_one();
        left_out
    }

    /// The next job, as soon as there is one; `None` when the gate is closed and none is left.
    pub(super) fn pop(&self) -> Option<J> {
        let mut state = self.lock();
        loop {
            let job = if state.known_are_next {
                state.known.pop().or_else(|| state.others.pop())
            } else {
                state.others.pop().or_else(|| state.known.pop())
            };
            if job.is_some() {
                state.known_are_next = !state.known_are_next;
                return job;
            }
            if state.closed {
                return None;
            }
            state = self
                .more
                .wait(state)
                .unwrap_or_else(PoisonError::into_inner);
        }
    }

    /// Nothing more will come.
    pub(super) fn close(&self) {
        self.lock().closed = true;
        self.more.notify_all();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn stranger(last: u8) -> Asker {
        Asker {
            network: Some(IpAddr::from([192, 0, 2, last])),
            known_account: None,
        }
    }

    fn known(account: i64, last: u8) -> Asker {
        Asker {
            known_account: Some(account),
            ..stranger(last)
        }
    }

    fn all(lanes: &Lanes<&'static str>) -> Vec<&'static str> {
        lanes.close();
        std::iter::from_fn(|| lanes.pop()).collect()
    }

    #[test]
    fn each_has_a_turn_and_keeps_its_own_order() {
        let lanes = Lanes::new(10);
        for (who, job) in [
            (1, "a1"),
            (1, "a2"),
            (1, "a3"),
            (2, "b1"),
            (3, "c1"),
            (2, "b2"),
        ] {
            assert_eq!(lanes.push(stranger(who), job), None);
        }
        assert_eq!(all(&lanes), ["a1", "b1", "c1", "a2", "b2", "a3"]);
    }

    #[test]
    fn a_full_queue_gives_up_the_last_of_the_longest_lane() {
        let lanes = Lanes::new(4);
        for (who, job) in [(1, "a1"), (1, "a2"), (2, "b1"), (1, "a3")] {
            assert_eq!(lanes.push(stranger(who), job), None);
        }
        assert_eq!(lanes.push(stranger(1), "a4"), Some("a4"), "its own fault");
        assert_eq!(lanes.push(stranger(3), "c1"), Some("a3"));
        assert_eq!(
            lanes.push(stranger(2), "b2"),
            Some("b2"),
            "as many as the longest"
        );
        assert_eq!(lanes.push(stranger(4), "d1"), Some("a2"));
        assert_eq!(lanes.push(stranger(5), "e1"), Some("e1"), "all are short");
        assert_eq!(all(&lanes), ["a1", "b1", "c1", "d1"]);
    }

    #[test]
    fn however_many_strangers_wait_the_known_have_every_other_turn() {
        let lanes = Lanes::new(3);
        for (who, job) in [(1, "a"), (2, "b"), (3, "c")] {
            assert_eq!(lanes.push(stranger(who), job), None);
        }
        assert_eq!(lanes.push(known(1, 9), "k1"), None);
        assert_eq!(lanes.push(known(1, 9), "k2"), None);
        assert_eq!(all(&lanes), ["a", "k1", "b", "k2", "c"]);
    }

    #[test]
    fn many_addresses_of_an_account_and_many_accounts_of_an_address_have_one_turn() {
        let lanes = Lanes::new(9);
        for (who, job) in [
            (known(1, 1), "a1"),
            (known(1, 2), "a2"),
            (known(1, 3), "a3"),
            (known(2, 4), "b1"),
            (known(3, 4), "b2"),
            (known(4, 5), "c1"),
        ] {
            assert_eq!(lanes.push(who, job), None);
        }
        assert_eq!(all(&lanes), ["a1", "b1", "c1", "a2", "b2", "a3"]);
    }

    #[test]
    fn whoever_had_an_answer_of_late_gives_way_when_all_are_short() {
        let lanes = Lanes::new(3);
        for (who, job) in [(1, "a1"), (2, "b1")] {
            assert_eq!(lanes.push(known(who, 1 + u8::from(who == 2)), job), None);
        }
        assert_eq!((lanes.pop(), lanes.pop()), (Some("a1"), Some("b1")));
        // One account from two networks counts for both of them together.
        for (who, job) in [
            (known(1, 1), "a2"),
            (known(2, 2), "b2"),
            (known(1, 3), "a3"),
        ] {
            assert_eq!(lanes.push(who, job), None);
        }
        assert_eq!(lanes.push(known(5, 5), "v1"), Some("a3"));
        assert_eq!(
            lanes.push(known(6, 6), "w1"),
            Some("b2"),
            "the later answer"
        );
        assert_eq!(all(&lanes), ["v1", "w1", "a2"]);
    }

    #[test]
    fn an_owner_does_not_pay_for_strangers() {
        let lanes = Lanes::new(9);
        assert_eq!(lanes.push(stranger(1), "guess"), None);
        assert_eq!(lanes.pop(), Some("guess"));
        // From the same network, for instance.
        assert_eq!(lanes.push(known(2, 2), "other"), None);
        assert_eq!(lanes.push(known(1, 1), "owner"), None);
        assert_eq!(all(&lanes), ["other", "owner"]);
    }
}
