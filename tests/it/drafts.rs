//! Drafts: what someone has begun to write is on all of their devices, and nobody else's business.

use serde_json::{Value, json};

use crate::support::{Backend, Http, Server, Socket, User};

on_both![
    a_draft_is_on_all_devices_and_survives_a_restart,
    a_room_and_each_of_its_threads_has_a_draft_of_its_own,
    nobody_else_learns_of_a_draft,
    whoever_is_not_in_a_room_has_no_draft_there,
    a_draft_keeps_to_the_limits_of_a_message,
    a_draft_is_sealed_and_holds_in_its_place_alone,
];

#[track_caller]
fn put(user: &User, path: &str, content: &str) -> Value {
    let path = format!("/api/rooms/{path}");
    let answer = user.ask("PUT", &path, &[], &json!({"content": content}));
    answer.expect(200).json()
}

#[track_caller]
fn draft(user: &User, path: &str) -> Value {
    let answer = user.http().get(&format!("/api/rooms/{path}"));
    answer.expect(200).json()
}

fn is_draft(frame: &Value) -> bool {
    frame["type"] == "room" && frame["changed"] == json!(["draft"])
}

#[track_caller]
fn expect_draft(socket: &mut Socket, content: &str) -> Value {
    let told = socket.expect(is_draft);
    assert_eq!(told["draft"]["content"], content, "{told}");
    told
}

fn a_draft_is_on_all_devices_and_survives_a_restart(backend: Backend) {
    let mut server = Server::start(backend);
    let alice = User::register(&server, "alice");
    let room = alice.make_room("garden", "public", &[]);
    let mut other = alice.clone();
    other.log_in();
    let mut socket = other.connect();
    assert_eq!(draft(&alice, "garden/draft"), json!({"content": ""}));
    let kept = put(&alice, "garden/draft", "I thi");
    let told = expect_draft(&mut socket, "I thi");
    assert_eq!(told["room"], room.as_str());
    assert_eq!(told["draft"], kept);
    assert!(told.get("seq").is_none(), "it takes no number: {told}");
    let kept = put(&alice, "garden/draft", "I think that");
    expect_draft(&mut socket, "I think that");
    assert_eq!(draft(&other, "garden/draft"), kept);

    server.kill9();
    server.start_again();
    let alice = User {
        addr: server.addr,
        ..alice
    };
    let mut socket = alice.connect();
    assert_eq!(draft(&alice, "garden/draft"), kept);
    let path = "/api/rooms/garden/draft";
    alice.ask("DELETE", path, &[], &Value::Null).expect(204);
    expect_draft(&mut socket, "");
    assert_eq!(draft(&alice, "garden/draft"), json!({"content": ""}));
    // What shows nothing is none either.
    put(&alice, "garden/draft", "again");
    expect_draft(&mut socket, "again");
    assert_eq!(put(&alice, "garden/draft", " \n")["content"], "");
    expect_draft(&mut socket, "");
    assert_eq!(draft(&alice, "garden/draft"), json!({"content": ""}));
    // Where there is none, nothing changes by deleting it.
    alice.ask("DELETE", path, &[], &Value::Null).expect(204);
    alice.post("done", None).expect(201);
    let told = socket.expect(|frame| is_draft(frame) || frame["content"] == "done");
    assert!(!is_draft(&told), "{told}");
}

fn a_room_and_each_of_its_threads_has_a_draft_of_its_own(backend: Backend) {
    let server = Server::start(backend);
    let alice = User::register(&server, "alice");
    let mut socket = alice.connect();
    let post = |body: &Value| {
        let answer = alice.in_room("POST", "general", "/messages", body);
        answer.expect(201).json()["id"].as_u64().expect("an id")
    };
    let (one, two) = (
        post(&json!({"content": "one"})),
        post(&json!({"content": "two"})),
    );
    let reply = post(&json!({"content": "reply", "thread": one}));
    let (first, second) = (
        format!("general/draft?thread={one}"),
        format!("general/draft?thread={two}"),
    );
    put(&alice, "general/draft", "in the room");
    put(&alice, &first, "in the first");
    put(&alice, &second, "in the second");
    put(&alice, &second, "");
    assert_eq!(draft(&alice, "general/draft")["content"], "in the room");
    let in_first = draft(&alice, &first);
    assert_eq!(
        (&in_first["content"], &in_first["thread"]),
        (&json!("in the first"), &json!(one))
    );
    assert_eq!(
        draft(&alice, &second),
        json!({"content": "", "thread": two})
    );
    let threads = [json!(null), json!(one), json!(two), json!(two)];
    for thread in threads {
        assert_eq!(socket.expect(is_draft)["draft"]["thread"], thread);
    }
    // A reply has no thread of its own, nor has what is not there.
    for wrong in [reply, 999] {
        let path = format!("/draft?thread={wrong}");
        let answer = alice.in_room("PUT", "general", &path, &json!({"content": "x"}));
        answer.expect_problem(404, "message_not_found");
    }
    for wrong in ["0", "-1", "one"] {
        let path = format!("/draft?thread={wrong}");
        let answer = alice.in_room("PUT", "general", &path, &json!({"content": "x"}));
        answer.expect_problem(422, "validation_error");
    }
}

fn nobody_else_learns_of_a_draft(backend: Backend) {
    let server = Server::start(backend);
    let alice = User::register(&server, "alice");
    let bob = User::register(&server, "bob");
    let (mut bobs, mut own) = (bob.connect(), alice.connect());
    // Such a client would print what it does not know.
    let query = format!("?token={}", alice.token);
    let mut old = Socket::open(server.addr, &query, &[]).expect("a socket");
    put(&alice, "general/draft", "a secret");
    expect_draft(&mut own, "a secret");
    assert_eq!(draft(&bob, "general/draft"), json!({"content": ""}));
    alice.post("said", None).expect(201);
    for socket in [&mut bobs, &mut old] {
        let heard = socket.expect(|frame| frame["type"] == "room" || frame["content"] == "said");
        assert_eq!(heard["content"], "said", "{heard}");
    }
    assert!(!server.log().contains("a secret"));
}

fn whoever_is_not_in_a_room_has_no_draft_there(backend: Backend) {
    let server = Server::start(backend);
    let (alice, bob) = (
        User::register(&server, "alice"),
        User::register(&server, "bob"),
    );
    let room = alice.make_room("den", "private", &[&bob]);
    put(&bob, &format!("{room}/draft"), "I");
    let path = format!("/api/rooms/{room}/members/bob");
    alice.ask("DELETE", &path, &[], &Value::Null).expect(204);
    for method in ["GET", "PUT", "DELETE"] {
        let body = match method {
            "PUT" => json!({"content": "again"}),
            _ => Value::Null,
        };
        let answer = bob.in_room(method, &room, "/draft", &body);
        answer.expect_problem(404, "room_not_found");
        let http = Http::new(server.addr);
        let path = format!("/api/rooms/{room}/draft");
        let answer = http.request(method, &path, &[], body.to_string().as_bytes());
        assert_eq!(answer.status, 401, "{answer:?}");
    }
}

fn a_draft_keeps_to_the_limits_of_a_message(backend: Backend) {
    let server = Server::with(backend)
        .env("MAX_CONTENT_BYTES", 1_024)
        .start();
    let alice = User::register(&server, "alice");
    put(&alice, "general/draft", &"x".repeat(1_024));
    for wrong in ["x".repeat(1_025), "nul\0".to_owned()] {
        let body = json!({"content": wrong});
        let answer = alice.in_room("PUT", "general", "/draft", &body);
        answer.expect_problem(422, "validation_error");
    }
    assert_eq!(draft(&alice, "general/draft")["content"], "x".repeat(1_024));
}

fn a_draft_is_sealed_and_holds_in_its_place_alone(backend: Backend) {
    let server = Server::start(backend);
    let (alice, bob) = (
        User::register(&server, "alice"),
        User::register(&server, "bob"),
    );
    put(&alice, "general/draft", "between us");
    put(&bob, "general/draft", "bob's own");
    let stored = "SELECT content AS value FROM drafts ORDER BY user_id";
    let stored = server.database.query(stored);
    for sealed in stored.iter().flatten() {
        assert!(!sealed.contains("between") && !sealed.contains("own"));
    }
    // Whoever can write to the database cannot have bob say what alice has begun to.
    server.database.execute(&format!(
        "UPDATE drafts SET content = '{}' WHERE user_id = {}",
        stored[0].as_ref().expect("a draft"),
        bob.id
    ));
    assert_eq!(
        draft(&bob, "general/draft"),
        json!({"content": "", "unreadable": true}),
        "that there is none would have a client throw its own away"
    );
    let ended = crate::doctor::doctor_of(&server, &[]);
    assert!(
        ended.stdout.contains("1 of the drafts cannot be opened"),
        "{ended:?}"
    );
}
