//! A kick among a thousand page reads, a thousand syncs and a thousand posts: nothing above its number is ever read.

use std::{
    sync::atomic::{AtomicBool, AtomicU64, Ordering},
    thread,
    time::{Duration, Instant},
};

use serde_json::{Value, json};

use crate::support::{Backend, Server, Socket, User};

on_both![
    nothing_above_the_number_of_a_kick_is_ever_read,
    whoever_is_kicked_while_they_catch_up_is_told_of_it_before_the_room_is_gone,
];

/// So many of each.
const TIMES: u64 = 1_000;
/// And so many of each before the kick, at least.
const BEFORE: u64 = 200;
/// Those who do the same at once.
const AT_ONCE: u64 = 2;
/// After this the guard is out, and not the machine slow.
const LONGEST: Duration = Duration::from_mins(2);

/// What is done, by all at once.
#[derive(Default)]
struct Counts {
    read: AtomicU64,
    synced: AtomicU64,
    posted: AtomicU64,
    is_over: AtomicBool,
}

impl Counts {
    fn are_at_least(&self, least: u64) -> bool {
        let counts = [&self.read, &self.synced, &self.posted];
        counts
            .iter()
            .all(|count| count.load(Ordering::Relaxed) >= least)
    }
}

fn nothing_above_the_number_of_a_kick_is_ever_read(backend: Backend) {
    let server = Server::start(backend);
    let [alice, bob] = ["alice", "bob"].map(|name| User::register(&server, name));
    let room = alice.make_room("garden", "private", &[&bob]);
    let (counts, until) = (Counts::default(), Instant::now() + LONGEST);
    let (seen, kicked_at) = thread::scope(|scope| {
        let (alice, bob, room, counts) = (&alice, &bob, &room, &counts);
        let mut going = Vec::new();
        for number in 0..AT_ONCE {
            going.push(scope.spawn(move || largest_read(bob, room, number, counts)));
            going.push(scope.spawn(move || largest_synced(bob.connect(), room, number, counts)));
            // The kicked one tries on, too: what is acked is below the kick.
            let poster = [alice, bob][usize::try_from(number).unwrap_or(0)];
            going.push(scope.spawn(move || largest_posted(poster, bob, room, counts)));
        }
        let listening = scope.spawn(move || largest_heard(bob.connect(), room, counts, until));
        wait(until, "much is done before the kick", || {
            counts.are_at_least(BEFORE)
        });
        kick(alice, room, bob);
        let seen: Vec<u64> = going
            .into_iter()
            .map(|one| one.join().expect("it goes on"))
            .collect();
        counts.is_over.store(true, Ordering::Relaxed);
        assert!(counts.are_at_least(TIMES));
        let heard = listening.join().expect("it hears");
        let kicked_at = number_of_the_kick(alice, bob, room);
        assert_eq!(
            heard, kicked_at,
            "who listens hears of the kick itself, as the last"
        );
        (seen, kicked_at)
    });
    assert!(
        seen.iter().all(|seq| *seq <= kicked_at),
        "read {seen:?}, but kicked at {kicked_at}"
    );
}

fn wait(until: Instant, what: &str, is_so: impl Fn() -> bool) {
    while !is_so() {
        assert!(Instant::now() < until, "{what}: not within {LONGEST:?}");
        thread::yield_now();
    }
}

fn kick(alice: &User, room: &str, member: &User) {
    let path = format!("/members/{}", member.name);
    let kick = || alice.in_room("DELETE", room, &path, &Value::Null);
    let answer = kick();
    if answer.status == 503 {
        // A machine that stands still may be too slow to know. If it was stored all the same, there is no one left to kick.
        answer.expect_problem(503, "outcome_unknown");
        assert!([204, 404].contains(&kick().status));
    } else {
        answer.expect(204);
    }
}

/// Nothing that the kicked one wrote has a greater one, answered or not.
fn number_of_the_kick(alice: &User, bob: &User, room: &str) -> u64 {
    let (mut since, mut kicked_at) = (0, None);
    loop {
        let path = format!("/messages?since={since}&limit=200");
        let page = alice.in_room("GET", room, &path, &Value::Null).expect(200);
        let page = page.json();
        let page = page.as_array().expect("a page");
        if page.is_empty() {
            return kicked_at.expect("the kick is in a page");
        }
        for message in page {
            since = message["seq"].as_u64().expect("a number");
            if message["event"]["type"] == "kicked" {
                kicked_at = Some(since);
            } else if kicked_at.is_some() {
                assert_ne!(message["user_id"], bob.id, "written after the kick");
            }
        }
    }
}

/// The greatest number in this user's part of the page reads.
fn largest_read(bob: &User, room: &str, number: u64, counts: &Counts) -> u64 {
    let mut largest = 0;
    for _ in 0..TIMES / AT_ONCE {
        let path = match number {
            0 => "/messages?limit=5".to_owned(),
            _ => format!("/messages?since={largest}&limit=200"),
        };
        let answer = bob.in_room("GET", room, &path, &Value::Null);
        counts.read.fetch_add(1, Ordering::Relaxed);
        if answer.status == 503 {
            assert!(is_too_much(&answer.json()), "{answer:?}");
            continue;
        }
        if answer.status != 200 {
            answer.expect_problem(404, "room_not_found");
            continue;
        }
        let page = answer.json();
        let numbers = page.as_array().expect("a page").iter();
        let last = numbers.filter_map(|one| one["seq"].as_u64()).max();
        largest = last.unwrap_or(0).max(largest);
    }
    largest
}

/// The greatest number that a socket is brought by `sync`, each from the beginning or from what it has.
fn largest_synced(mut socket: Socket, room: &str, number: u64, counts: &Counts) -> u64 {
    let mut largest = 0;
    for time in 0..TIMES / AT_ONCE {
        let is_from_the_beginning = number == 0 && time % 10 == 0;
        let since = if is_from_the_beginning { 0 } else { largest };
        socket.send_json(&json!({"type": "sync", "rooms": {room: since}, "ref": "s"}));
        loop {
            let frame = socket.next_frame();
            if frame["ref"] == "s" {
                assert!(frame["type"] == "synced" || is_too_much(&frame), "{frame}");
                break;
            }
            if frame["room"] == *room && frame["type"] == "message" {
                largest = frame["seq"].as_u64().unwrap_or(0).max(largest);
            }
        }
        counts.synced.fetch_add(1, Ordering::Relaxed);
    }
    largest
}

/// The greatest number of what the kicked one has written.
fn largest_posted(poster: &User, bob: &User, room: &str, counts: &Counts) -> u64 {
    let mut largest = 0;
    for _ in 0..TIMES / AT_ONCE {
        let answer = poster.post_to(room, "said");
        counts.posted.fetch_add(1, Ordering::Relaxed);
        if answer.status == 201 {
            let seq = answer.json()["seq"].as_u64().unwrap_or(0);
            if poster.id == bob.id {
                largest = seq.max(largest);
            }
        } else if answer.status == 503 {
            // A machine that stands still may be too slow to know. What was stored all the same is seen in the log.
            let code = answer.json()["code"].clone();
            assert!(
                code == "outcome_unknown" || code == "store_unavailable",
                "{answer:?}"
            );
        } else {
            assert_eq!(poster.id, bob.id, "{answer:?}");
            answer.expect_problem(404, "room_not_found");
        }
    }
    largest
}

/// The greatest number that a socket hears which only listens. It is told that the room is gone, and after that nothing.
fn largest_heard(mut socket: Socket, room: &str, counts: &Counts, until: Instant) -> u64 {
    let (mut largest, mut is_gone) = (0, false);
    while !(counts.is_over.load(Ordering::Relaxed) && is_gone) {
        assert!(
            Instant::now() < until,
            "whoever was kicked is not told within {LONGEST:?} that the room is gone"
        );
        for frame in socket.drain() {
            match frame["seq"].as_u64() {
                Some(seq) if frame["room"] == *room && frame["type"] == "message" => {
                    assert!(!is_gone, "{frame} after it was gone");
                    largest = largest.max(seq);
                }
                _ => is_gone |= frame["room"] == *room && frame["gone"] == true,
            }
        }
    }
    largest
}

/// A machine that stands still lets no one wait for longer than is useful, and says so.
fn is_too_much(answer: &Value) -> bool {
    answer["code"] == "store_unavailable"
}

/// So many are kicked, one after the other.
const KICKED: usize = 16;
/// What they catch up with, again and again.
const BACKLOG: usize = 60;

fn whoever_is_kicked_while_they_catch_up_is_told_of_it_before_the_room_is_gone(backend: Backend) {
    let server = Server::with(backend).env("WORKERS", 2).start();
    let alice = User::register(&server, "alice");
    let others = User::register_all(&server, "member", KICKED);
    let members: Vec<&User> = others.iter().collect();
    let room = alice.make_room("garden", "private", &members);
    for number in 0..BACKLOG {
        let said = format!("{number} {}", "x".repeat(500));
        alice.post_to(&room, &said).expect(201);
    }
    let begun = AtomicU64::new(0);
    let partings: Vec<(u64, Value)> = thread::scope(|scope| {
        // All at once, so that nearly always a reading is on its way.
        let catching_up: Vec<_> = others
            .iter()
            .map(|member| {
                let (room, begun) = (&room, &begun);
                scope.spawn(move || {
                    (
                        member.id,
                        catch_up_until_gone(member.connect(), room, begun),
                    )
                })
            })
            .collect();
        let until = Instant::now() + LONGEST;
        wait(until, "they catch up", || {
            begun.load(Ordering::Relaxed) >= KICKED as u64
        });
        for member in &others {
            kick(&alice, &room, member);
        }
        catching_up
            .into_iter()
            .map(|one| one.join().expect("it is told that the room is gone"))
            .collect()
    });
    for (user_id, last) in partings {
        assert_eq!(
            (&last["event"]["type"], &last["event"]["user_id"]),
            (&json!("kicked"), &json!(user_id)),
            "the last of the room before it was gone: {last}"
        );
    }
}

/// Asks for all of the room, over and over, until it is told that the room is gone. Returns what it heard last of it before;
/// what follows is no more than the answer to what it has asked.
fn catch_up_until_gone(mut socket: Socket, room: &str, begun: &AtomicU64) -> Value {
    let ask = json!({"type": "sync", "rooms": {room: 0}, "ref": "s"});
    let (mut last, mut is_first) = (Value::Null, true);
    socket.send_json(&ask);
    loop {
        let frame = socket.next_frame();
        if frame["ref"] == "s" {
            assert!(frame["type"] == "synced" || is_too_much(&frame), "{frame}");
            begun.fetch_add(u64::from(std::mem::take(&mut is_first)), Ordering::Relaxed);
            socket.send_json(&ask);
        } else if frame["room"] == *room && frame["gone"] == true {
            break;
        } else if frame["room"] == *room {
            last = frame;
        }
    }
    let answer = socket.expect(|frame| frame["ref"] == "s" || frame["room"] == *room);
    let is_gone = answer["rooms"][room] == json!({"gone": true});
    assert!(is_gone || is_too_much(&answer), "{answer}");
    assert!(socket.drain().iter().all(|frame| frame["room"] != *room));
    last
}
