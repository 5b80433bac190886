//! The registry by itself, one case after the other; [`runs`] holds its random runs.

mod came_in;
mod comings;
mod people;
mod runs;
mod views;

use std::{cell::RefCell, rc::Rc};

use super::*;

/// A socket of the test: takes up to `room` deliveries, then no more until emptied.
#[derive(Clone)]
struct Inbox {
    held: Rc<RefCell<Vec<Deliver>>>,
    room: usize,
    /// Answers a ping before the registry can do anything else.
    quick: bool,
    gauge: Arc<Gauge>,
}

impl Outbox for Inbox {
    fn offer(&self, delivery: Deliver) -> bool {
        let mut held = self.held.borrow_mut();
        let fits = held.len() < self.room;
        if self.quick && matches!(delivery, Deliver::Ping) {
            self.gauge.ping();
            self.gauge.hear();
        }
        if fits {
            held.push(delivery);
        }
        fits
    }
}

impl Inbox {
    fn new(room: usize) -> Self {
        Self {
            held: Rc::default(),
            room,
            quick: false,
            gauge: Arc::default(),
        }
    }

    /// Empties it as a socket would, into words.
    fn take(&self) -> Vec<String> {
        let held = std::mem::take(&mut *self.held.borrow_mut());
        held.iter()
            .map(|delivery| {
                self.gauge.take(delivery.weight());
                self.gauge.progress();
                match delivery {
                    Deliver::Change { seq, frame, .. } => {
                        format!("{seq}:{}", String::from_utf8_lossy(&frame[2..]))
                    }
                    Deliver::Missed { seq, .. } => format!("missed {seq}"),
                    Deliver::Joined { seq, .. } => format!("joined {seq}"),
                    Deliver::Left { seq, .. } => format!("left {seq}"),
                    Deliver::View { frame, .. } => {
                        format!("view {}", String::from_utf8_lossy(&frame[2..]))
                    }
                    Deliver::Notice(frame) => {
                        let text = String::from_utf8_lossy(&frame[2..]).into_owned();
                        let value: serde_json::Value = serde_json::from_str(&text).expect("JSON");
                        value["message"].as_str().expect("a message").to_owned()
                    }
                    Deliver::Own { frame, .. } | Deliver::Aside(frame) => {
                        let begin = if frame[1] < 126 { 2 } else { 4 };
                        format!("aside {}", String::from_utf8_lossy(&frame[begin..]))
                    }
                    Deliver::Reached { seq, .. } => format!("reached {seq}"),
                    Deliver::Ping => {
                        self.gauge.ping();
                        "ping".into()
                    }
                    Deliver::Close { code, .. } => format!("close {code}"),
                }
            })
            .collect()
    }
}

const LIMITS: SocketLimits = SocketLimits {
    queue_frames: 256,
    queue_bytes: 1_000,
    slow_reader: Duration::from_secs(10),
    ping_interval: Duration::from_secs(25),
    ping_timeout: Duration::from_secs(10),
};

struct World {
    registry: Registry<Inbox>,
    start: Instant,
}

impl World {
    fn new() -> Self {
        Self {
            registry: Registry::new(LIMITS),
            start: Instant::now(),
        }
    }

    fn at(&self, seconds: u64) -> Instant {
        self.start + Duration::from_secs(seconds)
    }
    fn join(&mut self, user_id: i64, name: &str, inbox: &Inbox) -> SocketId {
        let newcomer = NewSocket {
            user_id,
            username: name.into(),
            session_id: user_id * 10,
            rooms: BTreeSet::from([1]),
            unopened: BTreeSet::new(),
            gauge: Arc::clone(&inbox.gauge),
        };
        self.registry.connect(newcomer, inbox.clone(), self.start)
    }

    fn say(&mut self, seq: u64, second: u64) {
        let change = Broadcast {
            own: Some((1, frame::text("own"))),
            ..change(seq, 1)
        };
        self.registry.publish(&[change], self.at(second));
    }

    /// A user becomes a member of the room by this change, or is none any more.
    fn move_member(&mut self, seq: u64, user_id: i64, to: Membership) {
        let change = Broadcast {
            members: vec![(user_id, to)],
            ..change(seq, 1)
        };
        self.registry.publish(&[change], self.start);
    }
}

/// A change of room 1 whose frame is so long.
fn change(seq: u64, length: usize) -> Broadcast {
    Broadcast {
        room_id: 1,
        seq,
        frame: frame::text(&"x".repeat(length)),
        own: None,
        is_post: true,
        written_by: None,
        members: Vec::new(),
    }
}

#[test]
fn the_sender_sees_his_own_frame_and_the_others_theirs() {
    let (mut world, alice, bob) = (World::new(), Inbox::new(9), Inbox::new(9));
    world.join(1, "alice", &alice);
    world.join(2, "bob", &bob);
    world.say(1, 0);
    assert_eq!(alice.take(), ["1:own"]);
    assert_eq!(bob.take(), ["1:x"]);
}

#[test]
fn who_is_too_slow_is_told_what_he_missed_before_anything_newer() {
    let (mut world, slow, quick) = (World::new(), Inbox::new(2), Inbox::new(99));
    world.join(2, "slow", &slow);
    world.join(3, "quick", &quick);
    for seq in 1..=5 {
        world.say(seq, 0);
    }
    assert_eq!(slow.take(), ["1:x", "2:x"]);
    world.say(6, 0);
    assert_eq!(slow.take(), ["missed 5", "6:x"]);
    assert_eq!(quick.take().len(), 6, "the others are not disturbed");
}

#[test]
fn who_missed_the_last_message_is_told_although_no_other_follows() {
    let (mut world, slow) = (World::new(), Inbox::new(1));
    world.join(2, "slow", &slow);
    world.say(1, 0);
    world.say(2, 0);
    assert_eq!(slow.take(), ["1:x"]);
    world.registry.tick(world.at(1));
    assert_eq!(slow.take(), ["missed 2"]);
}

#[test]
fn a_membership_begins_and_ends_at_exactly_its_change() {
    let (mut world, alice, bob) = (World::new(), Inbox::new(9), Inbox::new(9));
    world.join(2, "alice", &alice);
    let id = world.join(3, "bob", &bob);
    world
        .registry
        .set_rooms(id, BTreeSet::new(), Instant::now());
    world.say(1, 0);
    world.move_member(2, 3, Membership::Joined);
    world.say(3, 0);
    world.move_member(4, 3, Membership::Left);
    world.say(5, 0);
    assert_eq!(bob.take(), ["joined 2", "2:x", "3:x", "4:x", "left 4"]);
    assert_eq!(alice.take(), ["1:x", "2:x", "3:x", "4:x", "5:x"]);
}

#[test]
fn a_membership_acts_on_all_sockets_of_its_user() {
    let (mut world, tab, other) = (World::new(), Inbox::new(9), Inbox::new(9));
    world.join(2, "bob", &tab);
    world.join(2, "bob", &other);
    world.move_member(1, 2, Membership::Left);
    world.say(2, 0);
    assert_eq!(tab.take(), ["1:x", "left 1"]);
    assert_eq!(other.take(), ["1:x", "left 1"]);
}

#[test]
fn a_membership_that_did_not_fit_is_told_as_soon_as_it_does() {
    let (mut world, slow) = (World::new(), Inbox::new(1));
    world.join(2, "slow", &slow);
    world.say(1, 0);
    world.say(2, 0);
    world.move_member(3, 2, Membership::Left);
    world.say(4, 0);
    assert_eq!(slow.take(), ["1:x"], "it was full");
    world.registry.tick(world.at(1));
    assert_eq!(
        slow.take(),
        ["left 3"],
        "what was missed before is no matter"
    );
    world.say(5, 0);
    world.registry.tick(world.at(2));
    assert!(slow.take().is_empty());
    world.move_member(6, 2, Membership::Joined);
    for (second, told) in [(3, "joined 6"), (4, "missed 6")] {
        assert_eq!(slow.take(), [told]);
        world.registry.tick(world.at(second));
    }
}

#[test]
fn bytes_are_bounded_too() {
    let (mut world, inbox) = (World::new(), Inbox::new(99));
    world.join(2, "bob", &inbox);
    for seq in 1..=3 {
        world.registry.publish(&[change(seq, 490)], world.start);
    }
    assert_eq!(inbox.take().len(), 2, "1,000 bytes hold two of these");
}

#[test]
fn who_takes_nothing_for_ten_seconds_is_closed_and_gone() {
    let (mut world, slow) = (World::new(), Inbox::new(1));
    world.join(2, "slow", &slow);
    world.say(1, 0);
    world.say(2, 0);
    world.registry.tick(world.at(9));
    assert_eq!(world.registry.count(), 1);
    world.registry.tick(world.at(10));
    assert_eq!(world.registry.count(), 0);
    assert_eq!(
        slow.gauge.undelivered_close(),
        Some(close::TOO_SLOW),
        "it sees the code when it wakes up"
    );
}

#[test]
fn who_reads_nothing_is_closed_although_there_is_room_to_note_what_he_missed() {
    let (mut world, slow) = (World::new(), Inbox::new(99));
    world.join(2, "slow", &slow);
    for second in 0..=10 {
        let begin = 1 + 3 * second;
        let changes: Vec<_> = (begin..begin + 3).map(|seq| change(seq, 490)).collect();
        world.registry.publish(&changes, world.at(second));
        world.registry.tick(world.at(second));
    }
    assert_eq!(world.registry.count(), 0);
    let words = slow.take();
    assert!(words.len() < 15, "once a tick at most: {words:?}");
    assert_eq!(words.last().map(String::as_str), Some("close 4008"));
}

#[test]
fn who_missed_only_how_far_a_room_has_come_is_closed_as_well() {
    let (mut world, slow) = (World::new(), Inbox::new(1));
    world.join(2, "slow", &slow);
    world.say(1, 0);
    world.registry.tell_reached(1, 2, world.start);
    world.registry.tick(world.at(10));
    assert_eq!(world.registry.count(), 0);
}

#[test]
fn who_takes_something_now_and_then_is_not_stuck() {
    let (mut world, slow) = (World::new(), Inbox::new(1));
    world.join(2, "slow", &slow);
    for second in 0..20 {
        world.say(2 * second + 1, second);
        world.say(2 * second + 2, second);
        world.registry.tick(world.at(second));
        slow.take();
    }
    assert_eq!(world.registry.count(), 1);
}

#[test]
fn a_silent_socket_is_pinged_and_then_taken_for_dead() {
    let (mut world, inbox) = (World::new(), Inbox::new(9));
    world.join(2, "bob", &inbox);
    world.registry.tick(world.at(24));
    assert!(inbox.take().is_empty());
    world.registry.tick(world.at(25));
    assert_eq!(inbox.take(), ["ping"]);
    world.registry.tick(world.at(34));
    assert_eq!(world.registry.count(), 1);
    world.registry.tick(world.at(35));
    assert_eq!(inbox.take(), ["close 4002"]);
    assert_eq!(world.registry.count(), 0);
}

#[test]
fn a_ping_that_stands_behind_other_things_cannot_be_answered_yet() {
    let (mut world, slow) = (World::new(), Inbox::new(9));
    world.join(2, "slow", &slow);
    world.registry.tick(world.at(25));
    for second in 26..60 {
        world.registry.tick(world.at(second));
    }
    assert_eq!(world.registry.count(), 1, "it has not seen the ping");
    assert_eq!(slow.take(), ["ping", "ping"]);
    world.registry.tick(world.at(70));
    assert_eq!(world.registry.count(), 0);
}

#[test]
fn any_sign_of_life_answers_a_ping_however_soon_it_comes() {
    let (mut world, inbox) = (World::new(), Inbox::new(9));
    world.join(2, "bob", &inbox);
    inbox.gauge.hear();
    world.registry.tick(world.at(25));
    assert_eq!(inbox.take(), ["ping"]);
    inbox.gauge.hear();
    world.registry.tick(world.at(40));
    assert_eq!(world.registry.count(), 1);
}

#[test]
fn an_answer_may_be_as_quick_as_it_likes() {
    let (mut world, mut inbox) = (World::new(), Inbox::new(9));
    inbox.quick = true;
    world.join(2, "bob", &inbox);
    for second in 25..40 {
        world.registry.tick(world.at(second));
    }
    assert_eq!(world.registry.count(), 1);
}

#[test]
fn ending_a_login_closes_its_sockets_and_no_others() {
    let (mut world, alice, bob) = (World::new(), Inbox::new(9), Inbox::new(9));
    world.join(1, "alice", &alice);
    world.join(2, "bob", &bob);
    world
        .registry
        .end_session(20, close::REVOKED, "logged out", world.start);
    assert_eq!(bob.take(), ["close 4403"]);
    assert!(alice.take().is_empty());
}

#[test]
fn draining_tells_everyone_and_leaves_nobody() {
    let (mut world, alice) = (World::new(), Inbox::new(9));
    world.join(1, "alice", &alice);
    world.registry.drain(Duration::from_secs(5), world.start);
    assert_eq!(alice.take(), ["close 4001"]);
    assert_eq!(world.registry.count(), 0);
}
