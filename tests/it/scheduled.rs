//! Messages for later: kept, listed, changed and taken back by whoever wrote them, and nobody else's business.

use chrono::{DateTime, SecondsFormat, TimeDelta, Utc};
use serde_json::{Value, json};

use crate::support::{Backend, Http, Response, Server, Socket, User};

on_both![
    what_is_scheduled_is_listed_changed_and_taken_back_on_all_devices,
    nobody_else_learns_of_what_is_scheduled,
    what_cannot_be_said_is_not_scheduled_either,
    nobody_has_more_than_a_hundred_waiting_nor_further_ahead_than_a_year,
    a_retry_schedules_once,
    a_long_list_is_read_page_by_page,
    what_is_scheduled_is_sealed_and_holds_in_its_place_alone,
];

/// A time as it is written on the wire.
pub fn written(at: DateTime<Utc>) -> String {
    at.to_rfc3339_opts(SecondsFormat::Micros, false)
}

pub fn soon(seconds: i64) -> DateTime<Utc> {
    Utc::now() + TimeDelta::seconds(seconds)
}

/// Schedules a message; `more` has other fields.
pub fn schedule(
    user: &User,
    room: &str,
    content: &str,
    at: DateTime<Utc>,
    more: &Value,
) -> Response {
    let mut body = json!({"room": room, "content": content, "send_at": written(at)});
    for (name, value) in more.as_object().into_iter().flatten() {
        body[name] = value.clone();
    }
    user.http().post("/api/scheduled", &body)
}

/// Schedules a message, and tells its number.
#[track_caller]
pub fn waits(user: &User, room: &str, content: &str, at: DateTime<Utc>) -> u64 {
    let answer = schedule(user, room, content, at, &Value::Null);
    let kept = answer.expect(201).json();
    kept["id"].as_u64().expect("a number")
}

#[track_caller]
pub fn listed(user: &User) -> Vec<Value> {
    let answer = user.http().get("/api/scheduled").expect(200).json();
    answer.as_array().expect("an array").clone()
}

/// What a socket is told next of what is scheduled.
#[track_caller]
pub fn expect_news(socket: &mut Socket, change: &str) -> Value {
    let told = socket.expect_type("scheduled");
    assert_eq!(told["change"], change, "{told}");
    told
}

fn of(user: &User, method: &str, id: u64, body: &Value) -> Response {
    user.ask(method, &format!("/api/scheduled/{id}"), &[], body)
}

fn what_is_scheduled_is_listed_changed_and_taken_back_on_all_devices(backend: Backend) {
    let mut server = Server::start(backend);
    let alice = User::register(&server, "alice");
    let room = alice.make_room("garden", "public", &[]);
    let mut other = alice.clone();
    other.log_in();
    let mut socket = other.connect();
    assert!(listed(&alice).is_empty());
    let late = soon(7_200);
    let answer = schedule(&alice, "garden", "late", late, &Value::Null);
    let kept = answer.expect(201).json();
    let expected = json!({
        "id": kept["id"], "kind": "message", "room": room, "name": "garden", "content": "late",
        "send_at": written(late), "client_id": kept["client_id"], "created_at": kept["created_at"],
    });
    assert_eq!(kept, expected);
    let told = expect_news(&mut socket, "created");
    assert_eq!(told["scheduled"], kept);
    assert!(told.get("seq").is_none(), "it takes no number: {told}");
    let early = waits(&alice, &room, "early", soon(3_600));
    expect_news(&mut socket, "created");

    server.kill9();
    server.start_again();
    let alice = User {
        addr: server.addr,
        ..alice
    };
    let mut socket = alice.connect();
    let list = listed(&alice);
    assert_eq!(list[1], kept);
    let texts: Vec<_> = list.iter().map(|one| one["content"].clone()).collect();
    assert_eq!(texts, ["early", "late"], "by their times");

    let changed = of(&alice, "PATCH", early, &json!({"content": "earlier"}));
    let changed = changed.expect(200).json();
    assert_eq!(changed["content"], "earlier");
    assert_eq!(expect_news(&mut socket, "changed")["scheduled"], changed);
    let later = written(soon(9_000));
    let moved = of(&alice, "PATCH", early, &json!({"send_at": later}));
    assert_eq!(moved.expect(200).json()["send_at"], later);
    expect_news(&mut socket, "changed");
    let texts: Vec<_> = listed(&alice)
        .iter()
        .map(|one| one["content"].clone())
        .collect();
    assert_eq!(texts, ["late", "earlier"]);
    // Nothing is changed by nothing.
    of(&alice, "PATCH", early, &json!({})).expect(200);
    for (wrong, code) in [
        (json!({"send_at": written(soon(-1))}), "validation_error"),
        (json!({"content": " "}), "validation_error"),
        (json!({"send_at": "soon"}), "validation_error"),
    ] {
        of(&alice, "PATCH", early, &wrong).expect_problem(422, code);
    }

    of(&alice, "DELETE", early, &Value::Null).expect(204);
    let told = expect_news(&mut socket, "cancelled");
    assert_eq!(told["scheduled"]["id"], early);
    for (method, body) in [("DELETE", Value::Null), ("PATCH", json!({"content": "x"}))] {
        of(&alice, method, early, &body).expect_problem(404, "scheduled_not_found");
        of(&alice, method, 0, &body).expect_problem(404, "scheduled_not_found");
    }
    assert_eq!(listed(&alice).len(), 1);
}

fn nobody_else_learns_of_what_is_scheduled(backend: Backend) {
    let server = Server::start(backend);
    let alice = User::register(&server, "alice");
    let bob = User::register(&server, "bob");
    let (mut bobs, mut own) = (bob.connect(), alice.connect());
    // Such a client would print what it does not know.
    let query = format!("?token={}", alice.token);
    let mut old = Socket::open(server.addr, &query, &[]).expect("a socket");
    let id = waits(&alice, "general", "a secret", soon(3_600));
    expect_news(&mut own, "created");
    assert!(listed(&bob).is_empty());
    for (method, body) in [("PATCH", json!({"content": "x"})), ("DELETE", Value::Null)] {
        let theirs = of(&bob, method, id, &body);
        theirs.expect_problem(404, "scheduled_not_found");
        let path = format!("/api/scheduled/{id}");
        let http = Http::new(server.addr);
        let answer = http.request(method, &path, &[], body.to_string().as_bytes());
        assert_eq!(answer.status, 401, "{answer:?}");
    }
    alice.post("said", None).expect(201);
    for socket in [&mut bobs, &mut old] {
        let heard =
            socket.expect(|frame| frame["type"] == "scheduled" || frame["content"] == "said");
        assert_eq!(heard["content"], "said", "{heard}");
    }
    assert_eq!(listed(&alice)[0]["content"], "a secret");
    assert!(!server.log().contains("a secret"));
}

fn what_cannot_be_said_is_not_scheduled_either(backend: Backend) {
    let server = Server::with(backend)
        .env("MAX_CONTENT_BYTES", 1_024)
        .start();
    let [alice, bob] = ["alice", "bob"].map(|name| User::register(&server, name));
    let room = alice.make_room("den", "private", &[]);
    let said = alice.post_to(&room, "said").expect(201).json()["id"].clone();
    let reply = json!({"content": "reply", "thread": said});
    let reply = alice.in_room("POST", &room, "/messages", &reply);
    let reply = reply.expect(201).json()["id"].clone();
    let at = soon(3_600);
    let hers = |content: &str, more: Value| schedule(&alice, &room, content, at, &more);
    hers(
        &"x".repeat(1_024),
        json!({"thread": said, "also_to_room": true, "reply_to": reply}),
    )
    .expect(201);
    for (content, more) in [
        (" ".to_owned(), json!({})),
        ("x".repeat(1_025), json!({})),
        ("nul\0".to_owned(), json!({})),
        ("x".to_owned(), json!({"client_id": ""})),
        ("x".to_owned(), json!({"also_to_room": true})),
        ("x".to_owned(), json!({"send_at": "tomorrow"})),
        ("x".to_owned(), json!({"send_at": null})),
        ("x".to_owned(), json!({"room": null})),
    ] {
        hers(&content, more).expect_problem(422, "validation_error");
    }
    for more in [json!({"thread": 999}), json!({"reply_to": 999})] {
        hers("x", more).expect_problem(404, "message_not_found");
    }
    hers("x", json!({"thread": reply})).expect_problem(409, "not_a_thread");
    // A room that one may not know of is none.
    let his = schedule(&bob, &room, "x", at, &Value::Null);
    his.expect_problem(404, "room_not_found");
    // Who is muted until then may not; who may write by then may.
    let garden = alice.make_room("garden", "private", &[&bob]);
    let mute = json!({"muted_until": written(soon(3_000))});
    alice
        .in_room("PUT", &garden, "/members/bob", &mute)
        .expect(200);
    schedule(&bob, &garden, "x", soon(60), &Value::Null).expect_problem(403, "muted");
    schedule(&bob, &garden, "x", at, &Value::Null).expect(201);
}

fn nobody_has_more_than_a_hundred_waiting_nor_further_ahead_than_a_year(backend: Backend) {
    let server = Server::start(backend);
    let alice = User::register(&server, "alice");
    let limits = alice.connect().connected["limits"].clone();
    assert_eq!(limits["scheduled_per_user"], 100);
    let days = limits["scheduled_days"].as_i64().expect("days");
    for (at, detail) in [
        (soon(-1), "That time is over: say one that is to come."),
        (
            Utc::now() + TimeDelta::days(days) + TimeDelta::seconds(9),
            "A message can be scheduled at most 366 days ahead.",
        ),
    ] {
        let refused = schedule(&alice, "general", "x", at, &Value::Null);
        refused.expect_problem(422, "validation_error");
        let problem = refused.json();
        assert_eq!(problem["detail"], detail);
        assert_eq!(problem["errors"][0]["loc"], json!(["body", "send_at"]));
    }
    let last = waits(&alice, "general", "x", Utc::now() + TimeDelta::days(days));
    for _ in 1..100 {
        waits(&alice, "general", "x", soon(3_600));
    }
    let refused = schedule(&alice, "general", "x", soon(3_600), &Value::Null);
    refused.expect_problem(409, "too_many_scheduled");
    of(&alice, "DELETE", last, &Value::Null).expect(204);
    // Also when many ask at once there is no more room than that.
    let statuses: Vec<u16> = std::thread::scope(|scope| {
        let asking: Vec<_> = (0..8)
            .map(|_| {
                scope.spawn(|| schedule(&alice, "general", "x", soon(3_600), &Value::Null).status)
            })
            .collect();
        asking
            .into_iter()
            .map(|one| one.join().expect("answers"))
            .collect()
    });
    assert_eq!(statuses.iter().filter(|status| **status == 201).count(), 1);
    let count = "SELECT CAST(count(*) AS TEXT) AS value FROM scheduled";
    assert_eq!(server.database.query(count), [Some("100".to_owned())]);
}

fn a_retry_schedules_once(backend: Backend) {
    let server = Server::start(backend);
    let alice = User::register(&server, "alice");
    let at = soon(3_600);
    let named = json!({"client_id": "one"});
    let first = schedule(&alice, "general", "hi", at, &named).expect(201);
    let again = schedule(&alice, "general", "hi", at, &named).expect(200);
    assert_eq!(first.json(), again.json());
    assert_eq!(listed(&alice).len(), 1);
    let other = schedule(&alice, "general", "ho", at, &named);
    other.expect_problem(409, "client_id_reused");
    // Nor is it the name of what was said.
    alice.post("said", Some("two")).expect(201);
    let named = json!({"client_id": "two"});
    let said = schedule(&alice, "general", "said", at, &named);
    said.expect_problem(409, "client_id_reused");
}

fn a_long_list_is_read_page_by_page(backend: Backend) {
    let server = Server::start(backend);
    let alice = User::register(&server, "alice");
    // One time for all, and texts of which not fifty fit into a page.
    let at = soon(3_600);
    let mut expected = Vec::new();
    for number in 0..40 {
        let text = format!("{number} {}", "\"".repeat(16_000));
        waits(&alice, "general", &text, at);
        expected.push(text);
    }
    for (limit, most) in [("limit=7", 7), ("limit=50", 50)] {
        let (mut found, mut pages) = (Vec::new(), 0);
        let mut next = Some(format!("/api/scheduled?{limit}"));
        while let Some(path) = next {
            let page = alice.http().get(&path).expect(200);
            assert!(page.text().len() < 600 * 1024, "{}", page.text().len());
            let items = page.json().as_array().expect("an array").clone();
            assert!((1..=most).contains(&items.len()), "{}", items.len());
            let texts = items.iter().map(|one| one["content"].as_str());
            found.extend(texts.map(|text| text.expect("a text").to_owned()));
            pages += 1;
            next = page.link("next");
        }
        found.sort_by_key(|text| text.split(' ').next().and_then(|n| n.parse::<u32>().ok()));
        assert!(found == expected, "{limit}: {} in {pages}", found.len());
        assert!(pages >= 3, "{limit}: {pages}");
    }
    for wrong in ["limit=0", "limit=201", "cursor=x"] {
        let answer = alice.http().get(&format!("/api/scheduled?{wrong}"));
        answer.expect_problem(422, "validation_error");
    }
}

fn what_is_scheduled_is_sealed_and_holds_in_its_place_alone(backend: Backend) {
    let server = Server::start(backend);
    let [alice, bob] = ["alice", "bob"].map(|name| User::register(&server, name));
    waits(&alice, "general", "between us", soon(3_600));
    let bobs = waits(&bob, "general", "bob's own", soon(3_600));
    let stored = "SELECT content AS value FROM scheduled ORDER BY user_id";
    let stored = server.database.query(stored);
    for sealed in stored.iter().flatten() {
        assert!(!sealed.contains("between") && !sealed.contains("own"));
    }
    // Whoever can write to the database cannot have bob say what alice is going to.
    let mut socket = bob.connect();
    server.database.execute(&format!(
        "UPDATE scheduled SET content = '{}' WHERE user_id = {}",
        stored[0].as_ref().expect("a text"),
        bob.id
    ));
    let found = listed(&bob).remove(0);
    assert_eq!(
        (&found["content"], &found["unreadable"]),
        (&json!(""), &json!(true))
    );
    let body = json!({"send_at": written(soon(1))});
    of(&bob, "PATCH", bobs, &body).expect(200);
    expect_news(&mut socket, "changed");
    let failed = expect_news(&mut socket, "failed")["scheduled"].clone();
    assert_eq!(failed["failed"]["code"], "internal_error", "{failed}");
    assert!(bob.history().is_empty());
    let ended = crate::doctor::doctor_of(&server, &[]);
    assert!(
        ended
            .stdout
            .contains("1 of the texts that are to be said later cannot be opened"),
        "{ended:?}"
    );
}
