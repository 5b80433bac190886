//! The queue of a gate: a lane for each of those who ask, served by turns, so that one who asks for much waits for himself.

use std::{
    collections::{HashMap, VecDeque},
    net::IpAddr,
    sync::{Condvar, Mutex, MutexGuard, PoisonError},
};

/// Who asks. All who do not say share one lane.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub struct Asker {
    /// Where the request comes from.
    pub network: Option<IpAddr>,
    /// Whether it comes from where that account has logged in before. Those have a queue of their own, which takes turns
    /// with that of all others: however many strangers there are, it gets every other turn.
    pub is_known: bool,
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

#[derive(Debug)]
struct Queue<J> {
    lanes: HashMap<Asker, VecDeque<J>>,
    /// Those who have something in their lane, in the order of their turns.
    turns: VecDeque<Asker>,
    waiting: usize,
}

impl<J> Queue<J> {
    fn new() -> Self {
        Self {
            lanes: HashMap::new(),
            turns: VecDeque::new(),
            waiting: 0,
        }
    }

    /// Takes a job in. The one that has no place is given back: this one, or the last of whoever has the most waiting.
    fn push(&mut self, asker: Asker, job: J, most: usize) -> Option<J> {
        let mut left_out = None;
        if self.waiting >= most {
            let own = self.lanes.get(&asker).map_or(0, VecDeque::len);
            let longest = self.lanes.iter().max_by_key(|(_, lane)| lane.len());
            let Some((&longest, _)) = longest.filter(|(_, lane)| lane.len() > own + 1) else {
                return Some(job);
            };
            left_out = self.lanes.get_mut(&longest).and_then(VecDeque::pop_back);
            self.waiting -= usize::from(left_out.is_some());
        }
        let lane = self.lanes.entry(asker).or_default();
        if lane.is_empty() {
            self.turns.push_back(asker);
        }
        lane.push_back(job);
        self.waiting += 1;
        left_out
    }

    fn pop(&mut self) -> Option<J> {
        let asker = self.turns.pop_front()?;
        let lane = self.lanes.get_mut(&asker)?;
        let job = lane.pop_front()?;
        self.waiting -= 1;
        if lane.is_empty() {
            self.lanes.remove(&asker);
        } else {
            self.turns.push_back(asker);
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
        let queue = if asker.is_known {
            &mut state.known
        } else {
            &mut state.others
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
            is_known: false,
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
        let known = Asker {
            is_known: true,
            ..stranger(9)
        };
        assert_eq!(lanes.push(known, "k1"), None);
        assert_eq!(lanes.push(known, "k2"), None);
        assert_eq!(all(&lanes), ["a", "k1", "b", "k2", "c"]);
    }
}
