//! The hub, the feeds and a log together, put side by side as a session does it, and clients that believe what they are
//! sent: no one has a hole that he was not told of, and everyone has everything in the end.

use std::{
    cell::RefCell,
    collections::{BTreeMap, BTreeSet},
    rc::Rc,
    sync::Arc,
    time::{Duration, Instant},
};

use bytes::Bytes;

use super::*;
use crate::{
    config::SocketLimits,
    hub::{
        Broadcast, Deliver, Gauge,
        registry::{NewSocket, Outbox, Registry, SocketId},
    },
};

mod client;
mod session;

use client::{Client, Expect, View};
use session::{Reading, Sent, Session};

const ROOMS: [i64; 2] = [1, 2];
const CLIENTS: usize = 3;
const MOST_HELD: usize = 3;
const LIMITS: SocketLimits = SocketLimits {
    queue_frames: 4,
    queue_bytes: 60,
    slow_reader: Duration::from_secs(10),
    ping_interval: Duration::from_secs(25),
    ping_timeout: Duration::from_secs(10),
};

type Cursors = BTreeMap<i64, u64>;

/// One step of a run. Nearly all do nothing when their client is not connected.
#[derive(Debug, Clone)]
enum Step {
    /// Changes are committed and announced.
    Publish { room: i64, count: u64 },
    /// A change is committed and its announcement lost.
    Lose { room: i64 },
    /// The members are told how far the room has come.
    Reached { room: i64 },
    /// The client connects; so many changes are committed before the session reads how far the rooms have come.
    Come { who: usize, meanwhile: u64 },
    /// The connection is cut.
    Cut { who: usize },
    /// The connection takes so many deliveries.
    Take { who: usize, count: usize },
    /// The client asks for a `sync` of the rooms, from so many changes before what it has in a row (negative: ahead).
    Ask {
        who: usize,
        rooms: Vec<i64>,
        back: i64,
    },
    /// The server hears what the client has asked.
    Hear { who: usize },
    /// The database answers a reading, with as many changes as this at most; or it fails.
    Read {
        who: usize,
        room: i64,
        most: Option<usize>,
    },
    /// The answer of the database arrives. More may have happened since.
    Page { who: usize, room: i64 },
    /// Seconds go by.
    Pass { seconds: u64 },
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let (room, who) = (1..3i64, 0..CLIENTS);
    let some = prop::sample::subsequence(ROOMS.to_vec(), 1..=2);
    let most = prop::option::weighted(0.85, 1..9usize);
    let step = prop_oneof![
        8 => (room.clone(), 1..4u64).prop_map(|(room, count)| Step::Publish { room, count }),
        1 => room.clone().prop_map(|room| Step::Lose { room }),
        1 => room.clone().prop_map(|room| Step::Reached { room }),
        3 => (who.clone(), 0..2u64).prop_map(|(who, meanwhile)| Step::Come { who, meanwhile }),
        1 => who.clone().prop_map(|who| Step::Cut { who }),
        8 => (who.clone(), 1..6usize).prop_map(|(who, count)| Step::Take { who, count }),
        3 => (who.clone(), some, -2..9i64).prop_map(|(who, rooms, back)| Step::Ask { who, rooms, back }),
        3 => who.clone().prop_map(|who| Step::Hear { who }),
        8 => (who.clone(), room.clone(), most).prop_map(|(who, room, most)| Step::Read { who, room, most }),
        8 => (who, room).prop_map(|(who, room)| Step::Page { who, room }),
        2 => (1..5u64).prop_map(|seconds| Step::Pass { seconds }),
    ];
    prop::collection::vec(step, 0..150)
}

#[derive(Clone, Default)]
struct Mailbox(Rc<RefCell<VecDeque<Deliver>>>);

impl Outbox for Mailbox {
    fn offer(&self, delivery: Deliver) -> bool {
        let mut held = self.0.borrow_mut();
        let fits = held.len() < LIMITS.queue_frames;
        if fits {
            held.push_back(delivery);
        }
        fits
    }
}

struct World {
    registry: Registry<Mailbox>,
    now: Instant,
    log: BTreeMap<i64, Vec<Bytes>>,
    clients: Vec<Client>,
}

impl World {
    fn new() -> Self {
        Self {
            registry: Registry::new(LIMITS),
            now: Instant::now(),
            log: ROOMS.map(|room| (room, Vec::new())).into(),
            clients: (0..CLIENTS).map(|_| Client::default()).collect(),
        }
    }

    fn last(&self, room: i64) -> u64 {
        self.log[&room].len() as u64
    }

    fn commit(&mut self, room: i64) -> Broadcast {
        let seq = self.last(room) + 1;
        let frame = Bytes::from(format!("{room}:{seq}"));
        let log = self.log.get_mut(&room).expect("a room");
        log.push(frame.clone());
        Broadcast {
            room_id: room,
            seq,
            frame,
            own: None,
        }
    }

    fn publish(&mut self, room: i64, count: u64) {
        let changes: Vec<_> = (0..count).map(|_| self.commit(room)).collect();
        self.registry.publish(&changes, self.now);
    }

    fn come(&mut self, who: usize, meanwhile: u64) {
        if self.clients[who].session.is_some() {
            return;
        }
        let (mailbox, gauge) = (Mailbox::default(), Arc::<Gauge>::default());
        let newcomer = NewSocket {
            user_id: who.try_into().expect("few"),
            username: format!("user{who}"),
            session_id: 0,
            rooms: ROOMS.to_vec(),
            gauge: Arc::clone(&gauge),
        };
        let id = self.registry.connect(newcomer, mailbox.clone(), self.now);
        self.publish(1, meanwhile);
        let seqs: Cursors = ROOMS.map(|room| (room, self.last(room))).into();
        let client = &mut self.clients[who];
        for (room, seq) in &seqs {
            let fresh = || View {
                start: *seq,
                has: BTreeSet::new(),
                expect: Expect::Exactly(0),
            };
            client.views.entry(*room).or_insert_with(fresh).expect = Expect::Exactly(seq + 1);
        }
        client.asked = None;
        client.session = Some(Session {
            id,
            mailbox,
            gauge,
            feeds: seqs
                .iter()
                .map(|(room, seq)| (*room, Feed::new(*seq, MOST_HELD)))
                .collect(),
            reading: BTreeMap::new(),
            told: seqs.clone(),
            asked: None,
            sync: None,
        });
    }

    fn cut(&mut self, who: usize) {
        if let Some(session) = self.clients[who].session.take() {
            self.registry.disconnect(session.id, self.now);
        }
    }

    fn take(&mut self, who: usize, count: usize) {
        for _ in 0..count {
            let client = &mut self.clients[who];
            let Some(session) = &mut client.session else {
                return;
            };
            let delivery = session.mailbox.0.borrow_mut().pop_front();
            let Some(delivery) = delivery else { return };
            session.gauge.take(delivery.weight());
            session.gauge.progress();
            session.gauge.hear();
            if let Deliver::Change { room_id, seq, .. }
            | Deliver::Missed { room_id, seq }
            | Deliver::Reached { room_id, seq } = delivery
            {
                let told = session.told.entry(room_id).or_default();
                *told = seq.max(*told);
            }
            let mut sent = Vec::new();
            match delivery {
                Deliver::Change {
                    room_id,
                    seq,
                    frame,
                } => session.feed(room_id, &mut sent, |feed, actions| {
                    feed.live(seq, frame, actions);
                }),
                Deliver::Missed { room_id, seq } => {
                    session.feed(room_id, &mut sent, |feed, actions| {
                        feed.missed(seq, actions);
                    });
                }
                Deliver::Reached { room_id, seq } => {
                    session.feed(room_id, &mut sent, |feed, actions| {
                        feed.reached(seq, actions);
                    });
                }
                Deliver::Notice(_) => {}
                Deliver::Ping => session.gauge.ping(),
                Deliver::Close { .. } => client.session = None,
            }
            let is_told_to_close =
                |session: &mut Session| session.gauge.undelivered_close().is_some();
            client.session.take_if(is_told_to_close);
            client.hear(sent, &self.log);
        }
    }

    fn ask(&mut self, who: usize, rooms: &[i64], back: i64) {
        let client = &mut self.clients[who];
        let Some(session) = &mut client.session else {
            return;
        };
        if client.asked.is_some() {
            return;
        }
        let mut cursors = Cursors::new();
        for room in rooms {
            let view = client.views.get_mut(room).expect("a room");
            let cursor = view.cursor().saturating_add_signed(-back);
            // Whoever asks for what was before he first came wants to have it.
            view.start = view.start.min(cursor);
            cursors.insert(*room, cursor);
            view.ask();
        }
        session.asked = Some(cursors.clone());
        client.asked = Some(cursors);
    }

    fn hear(&mut self, who: usize) {
        let client = &mut self.clients[who];
        if let Some(session) = &mut client.session {
            session.gauge.hear();
            let sent = session.start_sync();
            client.hear(sent, &self.log);
        }
    }

    fn read(&mut self, who: usize, room: i64, most: Option<usize>) {
        let last_seq = self.last(room);
        let session = self.clients[who].session.as_mut();
        let Some(reading) = session.and_then(|session| session.reading.get_mut(&room)) else {
            return;
        };
        let Reading::After(since) = *reading else {
            return;
        };
        let Some(most) = most else {
            *reading = Reading::Failed;
            return;
        };
        let rest = (1..).zip(&self.log[&room]).filter(|(seq, _)| *seq > since);
        let changes: Vec<_> = rest
            .map(|(seq, frame)| (seq, frame.clone()))
            .take(most)
            .collect();
        let complete = changes.last().map_or(since, |(seq, _)| *seq) >= last_seq;
        *reading = Reading::Done(Page {
            since,
            changes,
            last_seq,
            complete,
        });
    }

    fn page(&mut self, who: usize, room: i64) {
        let client = &mut self.clients[who];
        let Some(session) = &mut client.session else {
            return;
        };
        let mut sent = Vec::new();
        match session.reading.remove(&room) {
            Some(Reading::Done(page)) => {
                session.feed(room, &mut sent, |feed, actions| feed.page(page, actions));
            }
            Some(Reading::Failed) => session.feed(room, &mut sent, Feed::failed),
            Some(waiting @ Reading::After(_)) => _ = session.reading.insert(room, waiting),
            None => {}
        }
        client.hear(sent, &self.log);
    }

    fn pass(&mut self, seconds: u64) {
        for _ in 0..seconds {
            self.now += Duration::from_secs(1);
            self.registry.tick(self.now);
        }
        self.registry.tell_comings();
    }

    fn step(&mut self, step: Step) {
        match step {
            Step::Publish { room, count } => self.publish(room, count),
            Step::Lose { room } => drop(self.commit(room)),
            Step::Reached { room } => {
                self.registry.tell_reached(room, self.last(room), self.now);
            }
            Step::Come { who, meanwhile } => self.come(who, meanwhile),
            Step::Cut { who } => self.cut(who),
            Step::Take { who, count } => self.take(who, count),
            Step::Ask { who, rooms, back } => self.ask(who, &rooms, back),
            Step::Hear { who } => self.hear(who),
            Step::Read { who, room, most } => self.read(who, room, most),
            Step::Page { who, room } => self.page(who, room),
            Step::Pass { seconds } => self.pass(seconds),
        }
        self.check_nothing_waits();
    }

    /// What a session was told of has been sent, or told as a `lag`, or is being read. Nothing may wait for the next
    /// change to be noticed: there may be none.
    fn check_nothing_waits(&self) {
        let sessions = self.clients.iter().filter_map(|who| who.session.as_ref());
        for session in sessions {
            for (room, told) in &session.told {
                let sent = session.feeds[room].sent();
                assert!(
                    sent >= *told || session.reading.contains_key(room),
                    "told of {told}, sent {sent}, and nothing is being read"
                );
            }
        }
    }

    /// Everything that is under way arrives.
    fn settle(&mut self, who: usize) {
        let is_busy = |client: &Client| {
            client.session.as_ref().is_some_and(|session| {
                let is_read = session.mailbox.0.borrow().is_empty() && session.reading.is_empty();
                !is_read || session.asked.is_some()
            })
        };
        for _ in 0..1_000 {
            if !is_busy(&self.clients[who]) {
                return;
            }
            self.take(who, usize::MAX);
            self.hear(who);
            for room in ROOMS {
                self.read(who, room, Some(usize::MAX));
                self.page(who, room);
            }
        }
        panic!("it never ends");
    }

    /// The faults are over; everyone comes back, and asks for what he was told that he has not.
    fn end(mut self) {
        for who in 0..CLIENTS {
            self.settle(who);
            self.pass(1);
            for room in ROOMS {
                self.registry.tell_reached(room, self.last(room), self.now);
            }
            self.come(who, 0);
            self.settle(who);
            self.ask(who, &ROOMS, 0);
            self.settle(who);
            // From here on it is live: nothing needs to be asked for any more.
            self.publish(1, 1);
            self.settle(who);
            for (room, view) in &self.clients[who].views {
                assert_eq!(view.cursor(), self.last(*room), "room {room}: {view:?}");
                assert!(matches!(view.expect, Expect::Exactly(_)), "{view:?}");
            }
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 500, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn what_clients_are_sent_has_no_hole_that_they_were_not_told_of(steps in steps()) {
        let mut world = World::new();
        for step in steps {
            world.step(step);
        }
        world.end();
    }
}
