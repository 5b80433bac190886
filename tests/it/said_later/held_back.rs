//! What keeps back what is due: slow mode, and clocks that are wrong. It is said when that is over, in order, once, not early.

use std::time::Duration;

use chrono::{TimeDelta, Utc};
use serde_json::{Value, json};

use super::{again, contents, lateness, page, time};
use crate::{
    scheduled::{listed, soon, waits},
    support::{Backend, Clock, Server, User, eventually, eventually_within},
};

on_both![
    in_slow_mode_it_waits_and_keeps_its_order,
    what_slow_mode_held_back_is_said_when_slow_mode_ends,
    what_a_wrong_clock_has_put_off_is_said_at_its_time,
    a_clock_that_is_set_says_nothing_twice_or_too_early,
];

/// A room of alice's, with bob in it, in which one waits so many seconds between two messages.
fn with_slow_room(backend: Backend, seconds: u64) -> (Server, [User; 2], String) {
    let server = Server::start(backend);
    let [alice, bob] = ["alice", "bob"].map(|name| User::register(&server, name));
    let room = alice.make_room("garden", "public", &[&bob]);
    let slow = json!({"slow_seconds": seconds});
    alice.in_room("PATCH", &room, "", &slow).expect(200);
    (server, [alice, bob], room)
}

fn in_slow_mode_it_waits_and_keeps_its_order(backend: Backend) {
    let (_server, [alice, bob], room) = with_slow_room(backend, 2);
    let at = soon(1);
    for (number, text) in ["one", "two", "three"].into_iter().enumerate() {
        waits(
            &bob,
            &room,
            text,
            at + TimeDelta::milliseconds(i64::try_from(number).expect("few")),
        );
    }
    waits(&alice, &room, "mine", at);
    let mut socket = alice.connect();
    let heard: Vec<Value> = (0..4)
        .map(|_| socket.expect(|frame| frame["type"] == "message" && frame["kind"] != "system"))
        .collect();
    let his: Vec<&Value> = heard
        .iter()
        .filter(|one| one["username"] == "bob")
        .collect();
    let texts: Vec<_> = his.iter().map(|one| &one["content"]).collect();
    assert_eq!(texts, ["one", "two", "three"]);
    for pair in his.windows(2) {
        let apart = time(&pair[1]["timestamp"]) - time(&pair[0]["timestamp"]);
        assert!(
            (1_990..6_000).contains(&apart.num_milliseconds()),
            "{apart}"
        );
    }
    assert!(listed(&bob).is_empty(), "none has failed");
}

/// What kept it may end before it said: nobody waits for an hour that the owner has taken back.
fn what_slow_mode_held_back_is_said_when_slow_mode_ends(backend: Backend) {
    let (server, [alice, bob], room) = with_slow_room(backend, 3_600);
    bob.post_to(&room, "now").expect(201);
    waits(&bob, &room, "held back", soon(1));
    eventually("it is held back", || {
        (count(&server, PUT_OFF) == "1").then_some(())
    });
    let fast = json!({"slow_seconds": 0});
    alice.in_room("PATCH", &room, "", &fast).expect(200);
    eventually_within(Duration::from_mins(1), "it is said", || {
        let said = page(&bob, &room);
        contents(&said).contains(&"held back").then_some(())
    });
}

fn count(server: &Server, sql: &str) -> String {
    let rows = server.database.query(sql).into_iter();
    rows.flatten().collect()
}

const PUT_OFF: &str =
    "SELECT CAST(count(*) AS TEXT) AS value FROM scheduled WHERE try_at > send_at";

/// A clock that was far ahead when something was held back has it wait no longer than until it is right.
fn what_a_wrong_clock_has_put_off_is_said_at_its_time(backend: Backend) {
    let Some(clock) = Clock::find() else { return };
    let mut server = Server::with(backend).clock(&clock).start();
    let alice = User::register(&server, "alice");
    let put_off = |server: &Server| {
        server
            .database
            .execute("UPDATE scheduled SET try_at = '2030-01-01 00:00:00.000000'");
    };
    let hour = Utc::now() + TimeDelta::hours(1);
    waits(&alice, "general", "in an hour", hour);
    put_off(&server);
    clock.step("+30m");
    clock.step("-30m");
    eventually("it is taken up", || {
        (count(&server, PUT_OFF) == "0").then_some(())
    });
    // And by the next start.
    put_off(&server);
    server.restart();
    clock.step("+61m");
    let mut alice = again(alice, &server);
    alice.log_in();
    let history = eventually("it is said", || {
        let history = alice.history();
        (!history.is_empty()).then_some(history)
    });
    lateness(&history[0], hour);
}

fn a_clock_that_is_set_says_nothing_twice_or_too_early(backend: Backend) {
    let Some(clock) = Clock::find() else { return };
    let mut server = Server::with(backend).clock(&clock).start();
    let alice = User::register(&server, "alice");
    let mut socket = alice.connect();
    let (hour, day) = (
        Utc::now() + TimeDelta::hours(1),
        Utc::now() + TimeDelta::days(1),
    );
    waits(&alice, "general", "in an hour", hour);
    waits(&alice, "general", "in a day", day);
    // Set back, and an hour ahead while it serves: it is time by the clock that people read.
    clock.step("-1d");
    clock.step("+61m");
    let heard = socket.expect_message("in an hour");
    assert!(lateness(&heard, hour) < TimeDelta::minutes(2));
    // Set back behind its time, and there again: it was said.
    clock.step("-2h");
    let at = Utc::now() - TimeDelta::hours(2) + TimeDelta::seconds(1);
    waits(&alice, "general", "by the other clock", at);
    let heard = socket.expect_message("by the other clock");
    assert!(lateness(&heard, at) < TimeDelta::minutes(1));
    clock.step("+62m");
    waits(
        &alice,
        "general",
        "marker",
        Utc::now() + TimeDelta::minutes(62) + TimeDelta::seconds(1),
    );
    socket.expect_message("marker");
    // And over a restart: what is not due by the new clock waits.
    clock.step("-1d");
    server.restart();
    clock.step("+25h");
    let mut alice = again(alice, &server);
    // What was logged in before is of a time that is to come for a server that starts with its clock put back.
    alice.log_in();
    let history = eventually("the last is said", || {
        let history = alice.history();
        (history.len() >= 4).then_some(history)
    });
    let said = ["in an hour", "by the other clock", "marker", "in a day"];
    assert_eq!(contents(&history), said);
    lateness(&history[3], day);
}
