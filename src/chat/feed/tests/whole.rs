//! The hub, its offices, the feeds and a log together, put side by side as a session does it, and clients that believe what they are
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
        Broadcast, Deliver, Gauge, Membership,
        registry::{NewSocket, Outbox, Registry, SocketId},
    },
};

mod client;
mod session;
mod world;

use client::{Client, Expect, View};
use session::{Reading, RoomFeed, Sent, Session};
use world::{OnItsWay, Store, World};

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
    /// The members are told how far the room has come, and those who came in without a word that they did.
    Reached { room: i64 },
    /// Changes are committed, and announced together with what is announced next.
    Hold { room: i64, count: u64 },
    /// The client's user becomes a member of the room, or is none any more.
    Move {
        who: usize,
        room: i64,
        comes: bool,
        told: Told,
    },
    /// The client connects; so many changes are committed, and its user is perhaps moved, before the session reads which
    /// rooms it is in and how far they have come.
    Come {
        who: usize,
        meanwhile: u64,
        moved: Option<(i64, bool, Told)>,
    },
    /// The connection is cut.
    Cut { who: usize },
    /// The office of the socket takes in so many deliveries; what it cannot send past the session, it hands over. `is_busy`:
    /// something is being written.
    Sort {
        who: usize,
        count: usize,
        is_busy: bool,
    },
    /// The session handles so many deliveries.
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

/// When a change of membership is announced.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Told {
    Now,
    /// With what is announced next.
    Later,
    /// Never: the announcement is lost. Who comes in then hears of it when the room is said to have come so far.
    Never,
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let (room, who) = (1..3i64, 0..CLIENTS);
    let told = prop_oneof![
        4 => Just(Told::Now),
        2 => Just(Told::Later),
        1 => Just(Told::Never),
    ];
    let moved = prop::option::weighted(0.3, (room.clone(), prop::bool::ANY, told.clone()));
    let some = prop::sample::subsequence(ROOMS.to_vec(), 1..=2);
    let most = prop::option::weighted(0.85, 1..9usize);
    let step = prop_oneof![
        8 => (room.clone(), 1..4u64).prop_map(|(room, count)| Step::Publish { room, count }),
        1 => room.clone().prop_map(|room| Step::Lose { room }),
        1 => room.clone().prop_map(|room| Step::Reached { room }),
        2 => (room.clone(), 1..3u64).prop_map(|(room, count)| Step::Hold { room, count }),
        4 => (who.clone(), room.clone(), prop::bool::ANY, told)
            .prop_map(|(who, room, comes, told)| Step::Move { who, room, comes, told }),
        3 => (who.clone(), 0..2u64, moved)
            .prop_map(|(who, meanwhile, moved)| Step::Come { who, meanwhile, moved }),
        1 => who.clone().prop_map(|who| Step::Cut { who }),
        8 => (who.clone(), 1..6usize, prop::bool::weighted(0.3))
            .prop_map(|(who, count, is_busy)| Step::Sort { who, count, is_busy }),
        6 => (who.clone(), 1..6usize).prop_map(|(who, count)| Step::Take { who, count }),
        3 => (who.clone(), some, -2..9i64).prop_map(|(who, rooms, back)| Step::Ask { who, rooms, back }),
        3 => who.clone().prop_map(|who| Step::Hear { who }),
        8 => (who.clone(), room.clone(), most).prop_map(|(who, room, most)| Step::Read { who, room, most }),
        8 => (who, room).prop_map(|(who, room)| Step::Page { who, room }),
        2 => (1..5u64).prop_map(|seconds| Step::Pass { seconds }),
    ];
    prop::collection::vec(step, 0..150)
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
