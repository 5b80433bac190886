//! What is told of whom, without sockets.

use chrono::TimeDelta;

use super::*;
use crate::protocol::time::now;

const ALICE: i64 = 7;
const ROOM: i64 = 12;

struct World {
    presence: Presence,
    sockets: BTreeSet<SocketId>,
    now: Instant,
}

impl World {
    fn new() -> Self {
        Self {
            presence: Presence::default(),
            sockets: BTreeSet::from([1, 2]),
            now: Instant::now(),
        }
    }

    fn mark(&mut self) {
        self.presence.mark(ALICE, [ROOM], self.now);
    }

    /// How others are told of her in the next round, if they are.
    fn round(&mut self, is_here: bool) -> Option<String> {
        let here = Here {
            username: "alice",
            sockets: &self.sockets,
        };
        let round = self.presence.begin(|_| is_here.then_some(here), |_| 10);
        self.now += EVERY;
        self.presence.end(self.now);
        let at = *round.by_room.get(&ROOM)?.first()?;
        Some(round.entries[at].public.clone())
    }

    fn choose(&mut self, state: State) {
        let status = Status {
            state: Some(state),
            ..Status::default()
        };
        self.presence.set_status(ALICE, "alice", Some(status));
        self.mark();
    }
}

fn seen(state: &str) -> String {
    format!(r#"{{"user_id":7,"username":"alice","state":"{state}"}}"#)
}

#[test]
fn what_has_not_changed_is_not_told() {
    let mut world = World::new();
    assert_eq!(world.presence.due(), None);
    world.mark();
    assert_eq!(world.round(true), Some(seen("online")));
    // She has gone and come back.
    world.mark();
    assert_eq!(world.round(true), None);
    world.mark();
    assert_eq!(world.round(false), Some(seen("offline")));
    assert_eq!(
        world.presence.due(),
        None,
        "nothing is planned when nothing waits"
    );
}

#[test]
fn someone_is_away_when_all_devices_say_so_and_no_sooner() {
    let mut world = World::new();
    assert!(world.presence.set_idle(1, true));
    assert!(!world.presence.set_idle(1, true), "said twice");
    world.mark();
    assert_eq!(world.round(true), Some(seen("online")));
    world.presence.set_idle(2, true);
    world.mark();
    assert_eq!(world.round(true), Some(seen("away")));
    world.presence.set_idle(1, false);
    world.mark();
    assert_eq!(world.round(true), Some(seen("online")));
    world.choose(State::Dnd);
    world.presence.set_idle(1, true);
    assert_eq!(world.round(true), Some(seen("dnd")));
    world.presence.forget_socket(1);
    world.sockets.remove(&1);
    world.choose(State::Online);
    assert_eq!(
        world.round(true),
        Some(seen("away")),
        "the one that is left is idle"
    );
}

#[test]
fn who_is_invisible_is_offline_to_others_and_nothing_more() {
    let mut world = World::new();
    world.choose(State::Invisible);
    assert_eq!(world.round(true), None, "was offline before");
    world.mark();
    assert_eq!(world.round(false), None);
    world.choose(State::Online);
    assert_eq!(world.round(true), Some(seen("online")));
    world.choose(State::Invisible);
    assert_eq!(world.round(true), Some(seen("offline")));
    world.presence.mark_new(ALICE, ROOM, world.now);
    assert_eq!(world.round(true), None, "nor to those who have just come");
}

#[test]
fn who_comes_into_a_room_is_told_there_changed_or_not() {
    let mut world = World::new();
    world.mark();
    assert_eq!(world.round(true), Some(seen("online")));
    world.presence.mark_new(ALICE, ROOM, world.now);
    assert_eq!(world.round(true), Some(seen("online")));
}

#[test]
fn a_status_ends_at_its_time() {
    let mut world = World::new();
    let until = now() + TimeDelta::minutes(5);
    for end in [until - TimeDelta::minutes(1), until] {
        let status = Status {
            state: Some(State::Invisible),
            until: Some(end),
            ..Status::default()
        };
        world.presence.set_status(ALICE, "alice", Some(status));
    }
    assert_eq!(
        world.presence.end_statuses(until - TimeDelta::seconds(1)),
        []
    );
    assert!(
        world.presence.is_invisible(ALICE),
        "the first end was replaced"
    );
    assert_eq!(world.presence.end_statuses(until), [(ALICE, true)]);
    assert!(!world.presence.is_invisible(ALICE));
}

#[test]
fn a_state_that_has_no_end_comes_back() {
    let mut world = World::new();
    let until = now() + TimeDelta::minutes(5);
    let status = Status {
        state: Some(State::Dnd),
        until: Some(until),
        then_state: Some(State::Invisible),
        ..Status::default()
    };
    world.presence.set_status(ALICE, "alice", Some(status));
    world.mark();
    assert_eq!(
        world.round(true),
        Some(seen("dnd")),
        "the end of a choice is not told"
    );
    assert_eq!(world.presence.end_statuses(until), [(ALICE, false)]);
    assert!(world.presence.is_invisible(ALICE));
    assert_eq!(world.presence.end_statuses(until), []);
}

#[test]
fn a_round_is_bounded_and_what_is_left_comes_in_the_next() {
    let mut world = World::new();
    let here = BTreeSet::from([1]);
    let crowd = 1_000;
    for user_id in 0..crowd {
        world.presence.mark(user_id, [ROOM], world.now);
    }
    let look = |_: i64| {
        Some(Here {
            username: "x",
            sockets: &here,
        })
    };
    let mut told = BTreeSet::new();
    let mut rounds = 0;
    while world.presence.due().is_some() {
        // Ten thousand sockets hear the room.
        let round = world.presence.begin(look, |_| 10_000);
        assert!(round.entries.len() * 10_000 <= MOST_IN_ROUND);
        told.extend(round.entries.iter().map(|entry| entry.user_id));
        let before = world.now;
        world.now += EVERY;
        world.presence.end(world.now);
        assert!(
            world
                .presence
                .due()
                .is_none_or(|due| due >= before + 2 * EVERY)
        );
        rounds += 1;
    }
    assert_eq!((told.len(), rounds), (1_000, 50));
}
