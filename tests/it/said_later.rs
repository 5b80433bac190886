//! What was scheduled is said at its time: once, not early, in the order of the times, over restarts, outages and clocks that
//! are set; and where it may not be said any more, its author learns why.

use std::time::{Duration, Instant};

use chrono::{DateTime, Datelike as _, TimeDelta, Utc};
use serde_json::{Value, json};

use crate::{
    scheduled::{expect_news, listed, schedule, soon, waits, written},
    support::{Backend, Server, User, eventually},
    users::{done, users},
};

mod held_back;
mod many;

on_both![
    a_message_is_said_at_its_time_as_if_it_was_written_then,
    an_answer_in_a_thread_stands_where_it_was_meant_to,
    what_was_taken_back_or_changed_is_not_said_as_it_was,
    what_may_not_be_said_any_more_fails_and_its_author_learns_why,
    what_was_due_while_no_server_ran_is_said_in_the_order_of_its_times,
    what_is_due_in_an_outage_waits_and_is_said_by_itself,
    another_time_is_said_as_people_say_it_in_their_time_zone,
];

/// So late it may be, with what a busy machine adds.
pub const SOON: TimeDelta = TimeDelta::seconds(6);

pub fn time(text: &Value) -> DateTime<Utc> {
    let text = text.as_str().expect("a time");
    DateTime::parse_from_rfc3339(text).expect(text).to_utc()
}

/// How much later than its time a message was stored; it is not earlier.
#[track_caller]
pub fn lateness(message: &Value, send_at: DateTime<Utc>) -> TimeDelta {
    let at = if message["created_at"].is_null() {
        &message["timestamp"]
    } else {
        &message["created_at"]
    };
    let late = time(at) - send_at;
    assert!(late >= TimeDelta::zero(), "{late} early: {message}");
    late
}

fn contents(messages: &[Value]) -> Vec<&str> {
    let texts = messages.iter().map(|message| message["content"].as_str());
    texts.map(|text| text.expect("a text")).collect()
}

#[track_caller]
fn page(user: &User, room: &str) -> Vec<Value> {
    let answer = user.in_room("GET", room, "/messages?limit=200", &Value::Null);
    let page = answer.expect(200).json();
    let all = page.as_array().expect("an array");
    let written = all.iter().filter(|message| message["kind"] != "system");
    written.cloned().collect()
}

fn again(user: User, server: &Server) -> User {
    User {
        addr: server.addr,
        ..user
    }
}

fn a_message_is_said_at_its_time_as_if_it_was_written_then(backend: Backend) {
    let server = Server::start(backend);
    let [alice, bob] = ["alice", "bob"].map(|name| User::register(&server, name));
    let (mut hers, mut his) = (alice.connect(), bob.connect());
    let at = soon(1);
    let kept = schedule(
        &alice,
        "general",
        "hello @bob",
        at,
        &json!({"client_id": "c"}),
    );
    let kept = kept.expect(201).json();
    expect_news(&mut hers, "created");
    let heard = his.expect_message("hello @bob");
    let late = lateness(&heard, at);
    assert!(late < SOON, "{late}");
    assert_eq!(heard["username"], "alice");
    assert_eq!(heard["mentions"][0]["user_id"], bob.id);
    assert!(heard.get("client_id").is_none());
    let own = hers.expect_message("hello @bob");
    assert_eq!(own["client_id"], "c");
    let told = expect_news(&mut hers, "sent");
    assert_eq!(told["message"], heard["id"]);
    assert_eq!(told["scheduled"], kept);
    assert!(listed(&alice).is_empty());
    assert_eq!(contents(&page(&bob, "general")), ["hello @bob"]);
    // Its name is the message's: who asks again is told so.
    alice.post("hello @bob", Some("c")).expect(200);
}

fn an_answer_in_a_thread_stands_where_it_was_meant_to(backend: Backend) {
    let server = Server::start(backend);
    let alice = User::register(&server, "alice");
    let first = alice.post("first", None).expect(201).json()["id"].clone();
    let mut socket = alice.connect();
    for (text, also) in [("in the thread", false), ("in both", true)] {
        let more = json!({"thread": first, "also_to_room": also, "reply_to": first});
        schedule(&alice, "general", text, soon(1), &more).expect(201);
    }
    for (text, also) in [("in the thread", false), ("in both", true)] {
        let heard = socket.expect_message(text);
        assert_eq!((&heard["thread"], &heard["reply_to"]), (&first, &first));
        assert_eq!(heard["also_to_room"] == true, also, "{heard}");
    }
    let path = format!("/messages/{first}");
    let first = alice.in_room("GET", "general", &path, &Value::Null);
    assert_eq!(first.expect(200).json()["replies"]["count"], 2);
}

fn what_was_taken_back_or_changed_is_not_said_as_it_was(backend: Backend) {
    let server = Server::start(backend);
    let alice = User::register(&server, "alice");
    let mut socket = alice.connect();
    // At any moment around its time: whatever is answered is true.
    let (mut said, mut at) = (Vec::new(), soon(1));
    for number in 0..12 {
        let id = waits(&alice, "general", &format!("{number} as it was"), at);
        let path = format!("/api/scheduled/{id}");
        let pause = at - Utc::now() + TimeDelta::milliseconds(3 * number - 12);
        std::thread::sleep(pause.to_std().unwrap_or_default());
        let is_changed = number % 2 == 0;
        let answer = if is_changed {
            let body = json!({"content": format!("{number} changed")});
            alice.ask("PATCH", &path, &[], &body)
        } else {
            alice.ask("DELETE", &path, &[], &Value::Null)
        };
        match (answer.status, is_changed) {
            (200, true) => said.push(format!("{number} changed")),
            (204, false) => {}
            _ => {
                answer.expect_problem(404, "scheduled_not_found");
                said.push(format!("{number} as it was"));
            }
        }
        at = soon(1);
    }
    waits(&alice, "general", "end", at);
    socket.expect_message("end");
    said.push("end".to_owned());
    let history = alice.history();
    let mut found = contents(&history);
    found.sort_unstable();
    said.sort_unstable();
    assert_eq!(found, said);
    assert!(listed(&alice).is_empty());
}

fn what_may_not_be_said_any_more_fails_and_its_author_learns_why(backend: Backend) {
    let server = Server::start(backend);
    let [alice, bob, carol] = ["alice", "bob", "carol"].map(|name| User::register(&server, name));
    let left = alice.make_room("left", "public", &[&bob]);
    let kicked = alice.make_room("kicked", "private", &[&bob]);
    let archived = alice.make_room("archived", "public", &[&bob]);
    let muted = alice.make_room("muted", "public", &[&bob]);
    let at = soon(2);
    for room in [&left, &kicked, &archived, &muted] {
        waits(&bob, room, "too late", at);
    }
    let answered = alice.post("a question", None).expect(201).json()["id"].clone();
    let more = json!({"reply_to": answered});
    schedule(&bob, "general", "too late", at, &more).expect(201);
    waits(&carol, "general", "too late", at);

    let mut socket = bob.connect();
    let nothing = json!({});
    bob.in_room("DELETE", &left, "/members/bob", &nothing)
        .expect(204);
    alice
        .in_room("DELETE", &kicked, "/members/bob", &nothing)
        .expect(204);
    let body = json!({"archived": true});
    alice.in_room("PATCH", &archived, "", &body).expect(200);
    let body = json!({"muted_until": "2100-01-01T00:00:00+00:00"});
    alice
        .in_room("PUT", &muted, "/members/bob", &body)
        .expect(200);
    let path = format!("/messages/{answered}");
    alice
        .in_room("DELETE", "general", &path, &nothing)
        .expect(200);
    done(users(&server, &["disable", "carol"], ""));
    assert!(Utc::now() < at, "all that was in time");

    let mut told: Vec<(Value, Value)> = (0..5)
        .map(|_| {
            let news = expect_news(&mut socket, "failed")["scheduled"].clone();
            assert!(
                news["failed"]["detail"]
                    .as_str()
                    .is_some_and(|text| text.ends_with('.'))
            );
            (news["room"].clone(), news["failed"]["code"].clone())
        })
        .collect();
    told.sort_by_key(|(room, _)| room.to_string());
    let mut expected = vec![
        (json!(left), json!("join_first")),
        (json!(kicked), json!("room_not_found")),
        (json!(archived), json!("room_archived")),
        (json!(muted), json!("muted")),
        (json!("general"), json!("message_not_found")),
    ];
    expected.sort_by_key(|(room, _)| room.to_string());
    assert_eq!(told, expected);
    // They stay in the list; of a room that one was taken out of, no more than its key.
    let list = listed(&bob);
    assert_eq!(list.len(), 5);
    for one in &list {
        assert_eq!(one["content"], "too late");
        let is_known = one["room"] != *kicked && one["room"] != *left;
        assert_eq!(one["name"].is_string(), is_known, "{one}");
    }
    eventually("carol's has failed, too", || {
        let failed = "SELECT failed AS value FROM scheduled WHERE failed LIKE 'account_disabled %'";
        (server.database.query(failed).len() == 1).then_some(())
    });
    assert!(
        page(&alice, "general")
            .iter()
            .all(|message| message["content"] != "too late")
    );

    // With another time it waits again, and is said where one may again.
    bob.in_room("PUT", &left, "/members/bob", &nothing)
        .expect(200);
    let one = list.iter().find(|one| one["room"] == *left);
    let path = format!("/api/scheduled/{}", one.expect("it is listed")["id"]);
    let body = json!({"content": "not yet"});
    let changed = bob.ask("PATCH", &path, &[], &body).expect(200).json();
    assert_eq!(changed["failed"]["code"], "join_first", "still");
    let body = json!({"send_at": written(soon(1))});
    let changed = bob.ask("PATCH", &path, &[], &body).expect(200).json();
    assert!(changed.get("failed").is_none(), "{changed}");
    socket.expect_message("not yet");
    assert_eq!(contents(&page(&alice, &left)), ["not yet"]);
    assert_eq!(listed(&bob).len(), 4);
}

fn what_was_due_while_no_server_ran_is_said_in_the_order_of_its_times(backend: Backend) {
    let mut server = Server::start(backend);
    let [alice, bob] = ["alice", "bob"].map(|name| User::register(&server, name));
    // Time enough to write forty on a busy machine.
    let at = soon(6);
    let mut expected = Vec::new();
    // Written in another order than that of their times.
    for number in (0..40_i64).rev() {
        let author = if number % 3 == 0 { &alice } else { &bob };
        let at = at + TimeDelta::milliseconds(number);
        waits(author, "general", &number.to_string(), at);
        expected.insert(0, number.to_string());
    }
    assert!(Utc::now() < at, "all that was in time");
    server.kill9();
    let last = at + TimeDelta::milliseconds(50);
    std::thread::sleep((last - Utc::now()).to_std().unwrap_or_default());
    server.start_again();
    let begun = Instant::now();
    let alice = again(alice, &server);
    let history = eventually("all are said", || {
        let history = alice.history();
        (history.len() >= 40).then_some(history)
    });
    assert!(
        begun.elapsed() < Duration::from_secs(6),
        "{:?}",
        begun.elapsed()
    );
    assert_eq!(contents(&history), expected);
}

fn what_is_due_in_an_outage_waits_and_is_said_by_itself(backend: Backend) {
    let server = Server::start(backend);
    let alice = User::register(&server, "alice");
    let mut socket = alice.connect();
    let at = soon(1);
    for text in ["one", "two", "three"] {
        waits(&alice, "general", text, at);
    }
    let outage = server.database.outage();
    let end = at + TimeDelta::seconds(2);
    std::thread::sleep((end - Utc::now()).to_std().unwrap_or_default());
    assert!(
        socket
            .drain()
            .iter()
            .all(|frame| frame["type"] != "message")
    );
    let back = Instant::now();
    drop(outage);
    for text in ["one", "two", "three"] {
        socket.expect_message(text);
    }
    assert!(
        back.elapsed() < Duration::from_secs(10),
        "{:?}",
        back.elapsed()
    );
    assert_eq!(contents(&alice.history()), ["one", "two", "three"]);
    assert!(listed(&alice).is_empty());
}

fn another_time_is_said_as_people_say_it_in_their_time_zone(backend: Backend) {
    let server = Server::start(backend);
    let alice = User::register(&server, "alice");
    let zone = json!({"time_zone": "Asia/Kolkata"});
    alice.ask("PATCH", "/api/users/me", &[], &zone).expect(200);
    let at = soon(3_600);
    let id = waits(&alice, "general", "tea", at);
    let path = format!("/api/scheduled/{id}");
    let change = |body: Value| alice.ask("PATCH", &path, &[], &body);
    let year = Utc::now().year() + 1;
    let changed = change(json!({"when": format!("{year}-01-05 at 9:00")}));
    let changed = changed.expect(200).json();
    assert_eq!(
        changed["send_at"],
        format!("{year}-01-05T03:30:00.000000+00:00"),
    );
    for (body, field) in [
        (json!({"when": "tomorrow at 9 or so"}), "when"),
        (json!({"when": "yesterday"}), "when"),
        (json!({"when": "2020-01-01 09:00"}), "when"),
        (json!({"when": "in 3 years"}), "when"),
        (json!({"when": "tomorrow", "send_at": at}), "when"),
    ] {
        let problem = change(body);
        problem.expect_problem(422, "validation_error");
        let problem = problem.json();
        assert_eq!(
            problem["errors"][0]["loc"],
            json!(["body", field]),
            "{problem}"
        );
    }
    let kept = &listed(&alice)[0];
    assert_eq!(kept["send_at"], changed["send_at"], "nothing of it counted");
}

/// Nobody else would tell the author's devices of it. (The name of the test lets a run without PostgreSQL leave it out.)
mod what_was_said_after_longer_than_anyone_waits_for_is_told {
    use super::*;

    #[test]
    fn postgres() {
        let server = Server::start(Backend::Postgres);
        let alice = User::register(&server, "alice");
        let mut socket = alice.connect();
        let database = &server.database;
        // Each statement waits for less than the database allows, and all of them for more than a sender does.
        let id = waits(&alice, "general", "at last", soon(2));
        expect_news(&mut socket, "created");
        let of_room = database.hold("SELECT FROM rooms FOR UPDATE");
        let of_rows = database.hold("LOCK TABLE scheduled IN SHARE MODE");
        for held in [of_room, of_rows] {
            eventually("it has waited for long", || {
                let waiting = "SELECT 'long' AS value FROM pg_stat_activity WHERE wait_event_type = 'Lock' \
                               AND datname = current_database() AND clock_timestamp() - query_start > interval '1.1 seconds'";
                (!database.query(waiting).is_empty()).then_some(())
            });
            drop(held);
        }
        let told = expect_news(&mut socket, "sent");
        assert_eq!(told["scheduled"]["id"], id);
        assert_eq!(listed(&alice), [] as [Value; 0]);
        assert_eq!(alice.history().len(), 1);
    }
}
