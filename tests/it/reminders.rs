//! `/remind`: what one asks for in words, in one's own time zone, comes at that time.

use chrono::{DateTime, TimeDelta, Utc};
use serde_json::{Value, json};

use crate::{
    said_later::{lateness, time},
    scheduled::{expect_news, listed, written},
    support::{Backend, Clock, Response, Server, User},
};

on_both![
    a_reminder_comes_among_ones_own_notes_or_in_a_room,
    reminders_come_at_the_time_of_the_zone_also_when_the_clocks_are_set,
];

fn command(user: &User, text: &str) -> Response {
    user.in_room("POST", "general", "/commands", &json!({"text": text}))
}

fn a_reminder_comes_among_ones_own_notes_or_in_a_room(backend: Backend) {
    let server = Server::start(backend);
    let [alice, bob] = ["alice", "bob"].map(|name| User::register(&server, name));
    let garden = alice.make_room("garden", "public", &[&bob]);
    let (mut hers, mut his) = (alice.connect(), bob.connect());
    command(&alice, "/remind me in 1 second to water the plants").expect(200);
    command(&alice, "/remind #garden in 1 second the plants").expect(200);
    let heard = his.expect_message("Reminder: the plants");
    assert_eq!(
        (&heard["room"], &heard["username"]),
        (&json!(garden), &json!("alice"))
    );
    let mut rooms = Vec::new();
    for _ in 0..2 {
        let sent = expect_news_of(&mut hers, "sent");
        assert_eq!(sent["scheduled"]["kind"], "reminder");
        rooms.push(sent["scheduled"]["room"].clone());
    }
    let notes = alice.http().post("/api/direct", &json!({"users": []}));
    let notes = notes.expect(200).json()["room"].clone();
    assert!(
        rooms.contains(&notes) && rooms.contains(&json!(garden)),
        "{rooms:?}"
    );
    let path = format!("/api/rooms/{}/messages", notes.as_str().expect("a key"));
    let page = alice.http().get(&path).expect(200).json();
    let page = page.as_array().expect("messages");
    let last = page.last().map(|message| &message["content"]);
    assert_eq!(last, Some(&json!("Reminder: water the plants")));
    for (text, detail) in [
        ("/remind me to water", "Say when, such as"),
        ("/remind me every day to water", "Reminders come once"),
        ("/remind me in 3 years to water", "at most 366 days ahead"),
        ("/remind me tomorrow", "Say what to be reminded of"),
    ] {
        let refused = command(&alice, text);
        refused.expect_problem(422, "validation_error");
        let said = refused.json()["detail"]
            .as_str()
            .expect("a sentence")
            .to_owned();
        assert!(said.contains(detail), "{text}: {said}");
    }
    command(&bob, "/remind #nowhere tomorrow water").expect_problem(404, "room_not_found");
    assert!(listed(&alice).is_empty() && listed(&bob).is_empty());
}

fn expect_news_of(socket: &mut crate::support::Socket, change: &str) -> Value {
    socket.expect(|frame| frame["type"] == "scheduled" && frame["change"] == change)
}

/// Has the machine's clock show this.
fn set(clock: &Clock, at: DateTime<Utc>) {
    clock.step(&format!("{:+}", (at - Utc::now()).num_seconds()));
}

fn reminders_come_at_the_time_of_the_zone_also_when_the_clocks_are_set(backend: Backend) {
    let Some(clock) = Clock::find() else { return };
    // Said in the evening before the night in which the clocks are set.
    let said = [
        (
            "America/New_York",
            "2027-03-13T20:00:00-05:00",
            "tomorrow at 2:30am",
            "2027-03-14T03:30:00-04:00",
        ),
        (
            "America/New_York",
            "2027-03-13T20:01:00-05:00",
            "tomorrow at 9am",
            "2027-03-14T09:00:00-04:00",
        ),
        (
            "Europe/Berlin",
            "2027-03-27T20:00:00+01:00",
            "at 9 tomorrow",
            "2027-03-28T09:00:00+02:00",
        ),
        (
            "Europe/Berlin",
            "2027-03-28T12:00:00+02:00",
            "in 1 day",
            "2027-03-29T12:00:00+02:00",
        ),
        (
            "Australia/Lord_Howe",
            "2027-04-03T20:00:00+11:00",
            "on sunday at 9",
            "2027-04-04T09:00:00+10:30",
        ),
    ];
    let at = |text: &str| time(&json!(text));
    set(&clock, at(said[0].1) - TimeDelta::minutes(1));
    let server = Server::with(backend).clock(&clock).start();
    let alice = User::register(&server, "alice");
    let mut socket = alice.connect();
    for (number, (zone, now, when, due)) in said.into_iter().enumerate() {
        alice
            .ask("PATCH", "/api/users/me", &[], &json!({"time_zone": zone}))
            .expect(200);
        set(&clock, at(now));
        let what = format!("{zone} {number}");
        command(&alice, &format!("/remind me {when} {what}")).expect(200);
        let kept = expect_news_of(&mut socket, "created")["scheduled"].clone();
        let late = time(&kept["send_at"]) - at(due);
        // What is said by its distance bears the seconds of the moment at which it was said.
        assert!(
            (0..30).contains(&late.num_seconds()),
            "{when} in {zone}: {kept}"
        );
        let due = time(&kept["send_at"]);
        set(&clock, due - TimeDelta::seconds(2));
        let heard = socket.expect_message(&format!("Reminder: {what}"));
        let late = lateness(&heard, due);
        assert!(late < TimeDelta::seconds(30), "{late}: {}", written(due));
    }
    let _ = expect_news(&mut socket, "sent");
    assert!(listed(&alice).is_empty());
}
