//! Random runs of everything that can happen to the registry, over several sockets and rooms. What is checked stands in
//! the words of a reader: what he is sent, in which order, what waits for him, and when he is given up.

use std::collections::BTreeSet;

use proptest::prelude::*;
use serde_json::Value;

use super::*;

mod reader;

use reader::{Reader, payload};

const QUEUE_FRAMES: usize = 6;
const LIMITS: SocketLimits = SocketLimits {
    queue_frames: QUEUE_FRAMES,
    queue_bytes: 700,
    slow_reader: Duration::from_secs(10),
    ping_interval: Duration::from_secs(25),
    ping_timeout: Duration::from_secs(10),
};
/// Longest that it takes to find out that someone is dead: until a ping is due and a tick sends it, and until it is due
/// to be answered and a tick looks.
const FOUND_DEAD: Duration = Duration::from_secs(25 + 1 + 10 + 1);
const TICK: Duration = Duration::from_secs(1);
const WITHIN: Duration = Duration::from_secs(5);

/// How someone reads.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Habit {
    /// Takes everything at once, and answers.
    Prompt,
    /// Takes everything at once, and says nothing unless a step makes him.
    Mute,
    /// Does nothing unless a step makes him.
    Frozen,
}

/// One step of a run. `who` is cut to the sockets that there are.
#[derive(Debug, Clone)]
enum Step {
    Connect {
        user: i64,
        login: i64,
        rooms: Vec<i64>,
        habit: Habit,
    },
    Disconnect {
        who: usize,
    },
    /// Changes of these sizes are committed and announced together.
    Publish {
        room: i64,
        author: i64,
        sizes: Vec<usize>,
    },
    /// Changes are committed, no one is told, and then everyone is told how far the room has come.
    Reached {
        room: i64,
        silent: u64,
    },
    /// A user becomes a member of a room, or is none any more.
    Move {
        room: i64,
        user: i64,
        to: Membership,
    },
    Take {
        who: usize,
        count: usize,
    },
    Hear {
        who: usize,
    },
    Pass {
        ticks: u32,
    },
    TellComings,
    EndSession {
        login: i64,
    },
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let habit = prop_oneof![
        2 => Just(Habit::Prompt),
        1 => Just(Habit::Mute),
        3 => Just(Habit::Frozen),
    ];
    let rooms = prop::sample::subsequence(vec![1, 2, 3], 0..=3);
    let step = prop_oneof![
        4 => (0..5i64, 0..9i64, rooms, habit).prop_map(|(user, login, rooms, habit)| {
            Step::Connect { user, login, rooms, habit }
        }),
        2 => (0..20usize).prop_map(|who| Step::Disconnect { who }),
        9 => (1..4i64, 0..5i64, prop::collection::vec(1..220usize, 1..4))
            .prop_map(|(room, author, sizes)| Step::Publish { room, author, sizes }),
        1 => (1..4i64, 1..3u64).prop_map(|(room, silent)| Step::Reached { room, silent }),
        3 => (1..4i64, 0..5i64, prop::bool::ANY).prop_map(|(room, user, comes)| Step::Move {
            room,
            user,
            to: if comes { Membership::Joined } else { Membership::Left },
        }),
        5 => (0..20usize, 1..9usize).prop_map(|(who, count)| Step::Take { who, count }),
        3 => (0..20usize).prop_map(|who| Step::Hear { who }),
        5 => (1..7u32).prop_map(|ticks| Step::Pass { ticks }),
        2 => Just(Step::TellComings),
        1 => (0..9i64).prop_map(|login| Step::EndSession { login }),
    ];
    prop::collection::vec(step, 0..150)
}

struct Run {
    registry: Registry<Inbox>,
    now: Instant,
    readers: Vec<Reader>,
    /// Room → its latest change.
    log: HashMap<i64, u64>,
}

impl Run {
    fn new() -> Self {
        Self {
            registry: Registry::new(LIMITS),
            now: Instant::now(),
            readers: Vec::new(),
            log: HashMap::from([(1, 0), (2, 0), (3, 0)]),
        }
    }

    fn connect(&mut self, user: i64, login: i64, rooms: Vec<i64>, habit: Habit) {
        let inbox = Inbox::new(QUEUE_FRAMES);
        let newcomer = NewSocket {
            user_id: user,
            username: format!("user{user}"),
            session_id: login,
            rooms: rooms.iter().copied().collect(),
            unopened: BTreeSet::new(),
            gauge: Arc::clone(&inbox.gauge),
        };
        let id = self.registry.connect(newcomer, inbox.clone(), self.now);
        self.readers.push(Reader {
            id,
            user,
            login,
            covered: rooms.iter().map(|room| (*room, self.log[room])).collect(),
            rooms: rooms.into_iter().collect(),
            habit,
            inbox,
            names: self.registry.names(user).into_iter().collect(),
            last_heard: self.now,
            last_taken: None,
            ping_taken: None,
            behind_since: None,
            closed: None,
        });
    }

    fn publish(&mut self, room: i64, author: i64, sizes: &[usize]) {
        let seq = self.log.get_mut(&room).expect("a room");
        let changes: Vec<Broadcast> = sizes
            .iter()
            .map(|size| {
                *seq += 1;
                Broadcast {
                    room_id: room,
                    seq: *seq,
                    frame: frame::text(&"x".repeat(*size)),
                    own: Some((author, frame::text(&format!("own of {author}")))),
                    is_post: true,
                    written_by: None,
                    members: Vec::new(),
                }
            })
            .collect();
        self.registry.publish(&changes, self.now);
        self.note_who_is_behind(&[room]);
    }

    fn move_member(&mut self, room: i64, user: i64, to: Membership) {
        let seq = self.log.get_mut(&room).expect("a room");
        *seq += 1;
        let change = Broadcast {
            room_id: room,
            seq: *seq,
            frame: frame::text("x"),
            own: None,
            is_post: false,
            written_by: None,
            members: vec![(user, to)],
        };
        for reader in self.readers.iter_mut().filter(|reader| reader.user == user) {
            match to {
                Membership::Joined | Membership::BroughtIn => reader.rooms.insert(room),
                Membership::Left => reader.rooms.remove(&room),
            };
        }
        self.registry.publish(&[change], self.now);
        self.note_who_is_behind(&[room]);
    }

    /// Whoever is not told by what waits for him how far these rooms have come has had something left out.
    fn note_who_is_behind(&mut self, rooms: &[i64]) {
        let now = self.now;
        for reader in &mut self.readers {
            let held = reader.inbox.held.borrow();
            let mut mine = rooms.iter().filter(|room| reader.rooms.contains(room));
            let is_behind = mine.any(|room| {
                let queued = held.iter().filter_map(|delivery| match delivery {
                    Deliver::Change { room_id, seq, .. }
                    | Deliver::Missed { room_id, seq }
                    | Deliver::Reached { room_id, seq } => (room_id == room).then_some(*seq),
                    _ => None,
                });
                let covered = reader.covered.get(room).copied().unwrap_or(0);
                queued.max().unwrap_or(0).max(covered) < self.log[room]
            });
            drop(held);
            if is_behind {
                reader.behind_since.get_or_insert(now);
            }
        }
    }

    /// Tells of comers and goers; at the end, half of each queue must be left to changes.
    fn tell_comings(&mut self) {
        let waiting = |reader: &Reader| reader.inbox.held.borrow().len();
        let before: Vec<usize> = self.readers.iter().map(waiting).collect();
        self.registry.tell_comings();
        for (reader, before) in self.readers.iter().zip(before) {
            let most = before.max(QUEUE_FRAMES / 2);
            assert!(waiting(reader) <= most, "notices crowd out changes");
        }
    }

    fn tick(&mut self) {
        self.now += TICK;
        if self.registry.tell_at().is_some_and(|at| at <= self.now) {
            self.tell_comings();
            self.read_promptly();
        }
        self.registry.tick(self.now);
        let now = self.now;
        for reader in self.take_out_who_left() {
            let since = |at: Option<Instant>| at.map(|at| now - at);
            match reader.closed {
                Some(close::TOO_SLOW) => {
                    let quiet = since(reader.last_taken).unwrap_or(Duration::MAX);
                    assert!(quiet >= LIMITS.slow_reader, "he read {quiet:?} ago");
                    assert!(!reader.is_prompt(), "he took everything");
                }
                Some(close::HEARTBEAT_MISSED) => assert!(
                    since(reader.ping_taken).is_some_and(|wait| wait >= LIMITS.ping_timeout),
                    "no ping has waited so long for its answer"
                ),
                other => panic!("a tick closed a socket with {other:?}"),
            }
        }
        for reader in &self.readers {
            let behind = reader.behind_since.map(|at| now - at);
            assert!(
                behind.is_none_or(|behind| behind < LIMITS.slow_reader),
                "he has taken nothing for {behind:?}"
            );
            if reader.habit == Habit::Mute {
                let silent = now - reader.last_heard;
                assert!(silent < FOUND_DEAD, "he is silent for {silent:?}");
            }
        }
        self.note_who_is_behind(&[1, 2, 3]);
    }

    fn read_promptly(&mut self) {
        for reader in &mut self.readers {
            match reader.habit {
                Habit::Prompt => {
                    reader.take(usize::MAX, self.now);
                    reader.hear(self.now);
                }
                Habit::Mute => reader.take(usize::MAX, self.now),
                Habit::Frozen => {}
            }
        }
    }

    /// Those whom the registry has closed, when they have read to the end.
    fn take_out_who_left(&mut self) -> Vec<Reader> {
        let (left, stay) = std::mem::take(&mut self.readers)
            .into_iter()
            .partition(|reader| !self.registry.sockets.contains_key(&reader.id));
        self.readers = stay;
        let mut left: Vec<Reader> = left;
        for reader in &mut left {
            // What it knew at its end, not what reading on tells it.
            let (taken, ping) = (reader.last_taken, reader.ping_taken);
            reader.take(usize::MAX, self.now);
            (reader.last_taken, reader.ping_taken) = (taken, ping);
            reader.closed = reader.closed.or(reader.inbox.gauge.undelivered_close());
        }
        left
    }

    fn step(&mut self, step: Step) {
        match step {
            Step::Connect {
                user,
                login,
                rooms,
                habit,
            } => self.connect(user, login, rooms, habit),
            Step::Publish {
                room,
                author,
                sizes,
            } => self.publish(room, author, &sizes),
            Step::Reached { room, silent } => {
                let seq = self.log.get_mut(&room).expect("a room");
                *seq += silent;
                self.registry.tell_reached(room, *seq, self.now);
                self.note_who_is_behind(&[room]);
            }
            Step::Move { room, user, to } => self.move_member(room, user, to),
            Step::Pass { ticks } => {
                for _ in 0..ticks {
                    self.tick();
                    self.read_promptly();
                }
            }
            Step::TellComings => self.tell_comings(),
            Step::EndSession { login } => {
                let reason = "logged out";
                self.registry
                    .end_session(login, close::REVOKED, reason, self.now);
                for reader in self.take_out_who_left() {
                    assert_eq!((reader.login, reader.closed), (login, Some(close::REVOKED)));
                }
                assert!(self.readers.iter().all(|reader| reader.login != login));
            }
            Step::Disconnect { who } => {
                if let Some(who) = who.checked_rem(self.readers.len()) {
                    let reader = self.readers.swap_remove(who);
                    self.registry.disconnect(reader.id, self.now);
                }
            }
            Step::Take { who, count } => {
                if let Some(who) = who.checked_rem(self.readers.len()) {
                    self.readers[who].take(count, self.now);
                }
            }
            Step::Hear { who } => {
                if let Some(who) = who.checked_rem(self.readers.len()) {
                    self.readers[who].hear(self.now);
                }
            }
        }
        self.check_what_waits();
        self.read_promptly();
        self.check_the_prompt();
    }

    fn check_what_waits(&self) {
        for reader in &self.readers {
            let held = reader.inbox.held.borrow();
            let bytes: usize = held.iter().map(Deliver::weight).sum();
            assert!(bytes <= LIMITS.queue_bytes, "{bytes} bytes wait");
            assert!(held.len() <= QUEUE_FRAMES);
            let gauge = &reader.inbox.gauge;
            let counted = [&gauge.waiting, &gauge.waiting_bytes].map(|n| n.load(Ordering::Relaxed));
            assert_eq!(
                counted,
                [held.len(), bytes],
                "what is counted is what waits"
            );
        }
    }

    /// Whoever takes everything has everything, whatever the others do; and knows who is here.
    fn check_the_prompt(&self) {
        let here: BTreeSet<String> = self
            .registry
            .users
            .values()
            .map(|u| u.name.clone())
            .collect();
        for reader in self.readers.iter().filter(|reader| reader.is_prompt()) {
            let mine = reader.rooms.iter().map(|room| (*room, self.log[room]));
            let mine: HashMap<i64, u64> = mine.collect();
            assert_eq!(reader.covered, mine, "of {:?}", reader.user);
            if self.registry.tell_at().is_none() {
                assert_eq!(reader.names, here, "of {:?}", reader.user);
            }
        }
    }

    fn end(mut self) {
        self.step(Step::TellComings);
        self.registry.drain(WITHIN, self.now);
        let mut told = Vec::new();
        for reader in &self.readers {
            let held = reader.inbox.held.borrow();
            match held.last() {
                Some(Deliver::Close {
                    farewell: Some(frame),
                    code: close::SHUTTING_DOWN,
                    ..
                }) => {
                    let event: Value = serde_json::from_slice(payload(frame)).expect("JSON");
                    assert_eq!(event["type"], "reconnect");
                    told.push(event["after_ms"].as_u64().expect("milliseconds"));
                }
                _ => assert_eq!(
                    reader.inbox.gauge.undelivered_close(),
                    Some(close::SHUTTING_DOWN)
                ),
            }
        }
        let bounds = 500..=500 + u64::try_from(WITHIN.as_millis()).expect("small");
        assert!(told.iter().all(|after| bounds.contains(after)), "{told:?}");
        told.sort_unstable();
        told.dedup_by(|after, before| *after - *before < 5_000 / self.readers.len() as u64);
        let closing = |reader: &&Reader| reader.inbox.gauge.undelivered_close().is_some();
        let closing = self.readers.iter().filter(closing).count();
        assert_eq!(told.len() + closing, self.readers.len(), "all at once");
        assert_eq!((self.registry.count(), self.registry.users.len()), (0, 0));
        assert!(self.registry.rooms.values().all(BTreeSet::is_empty));
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn slow_readers_are_told_or_given_up_and_hurt_nobody(steps in steps()) {
        let mut run = Run::new();
        for step in steps {
            run.step(step);
        }
        run.end();
    }
}
