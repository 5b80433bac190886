//! A retry is safe forever: the same `client_id`, any number of times, in parallel, through either door, after a
//! restart: one message, one number in every answer.

use std::{sync::Barrier, thread};

use serde_json::json;

use crate::support::{Backend, Http, Server, User};

on_both![
    a_repeated_post_gets_the_first_answer,
    a_repeated_post_gets_the_message_as_it_is,
    a_repeated_frame_is_acked_as_a_duplicate,
    parallel_retries_make_one_message,
    a_client_id_belongs_to_its_sender,
];

fn a_repeated_post_gets_the_first_answer(backend: Backend) {
    let mut server = Server::start(backend);
    let alice = User::register(&server, "alice");
    let first = alice.post("hello", Some("c1")).expect(201).json();
    assert_eq!(first["client_id"], "c1");
    alice.post("in between", None).expect(201);
    for round in 0..3 {
        assert_eq!(
            alice.post("hello", Some("c1")).expect(200).json(),
            first,
            "round {round}"
        );
    }
    let conflict = alice.post("something else", Some("c1"));
    conflict.expect_any_problem();
    assert_eq!(conflict.status, 409);
    server.restart();
    assert_eq!(alice.post("hello", Some("c1")).expect(200).json(), first);
    assert_eq!(alice.history().len(), 2);
    // Without a `client_id`, two equal messages are two messages.
    alice.post("hello", None).expect(201);
    alice.post("hello", None).expect(201);
    assert_eq!(alice.history().len(), 4);
}

fn a_repeated_post_gets_the_message_as_it_is(backend: Backend) {
    let server = Server::start(backend);
    let alice = User::register(&server, "alice");
    let say = |content: &str, client_id: &str, reply_to: Option<u64>| {
        let body = json!({"content": content, "client_id": client_id, "reply_to": reply_to});
        alice.in_room("POST", "general", "/messages", &body)
    };
    say("first", "c1", None).expect(201);
    say("second", "c2", Some(1)).expect(201);
    let put = |path: &str| {
        let answer = alice.in_room("PUT", "general", path, &json!({}));
        assert_eq!(answer.status / 100, 2, "{answer:?}");
    };
    put("/messages/2/reactions/%F0%9F%91%8D");
    put("/messages/2/pin");
    // Whatever the retry says that it answers.
    let again = say("second", "c2", None).expect(200).json();
    let there = alice
        .in_room("GET", "general", "/messages/2", &json!(null))
        .expect(200)
        .json();
    assert_eq!(again, there);
    assert_eq!(again["reply_to"], 1);
    assert_eq!(again["reactions"][0]["count"], 1, "{again}");
    assert_eq!(again["pinned"]["by"], alice.id, "{again}");
}

fn a_repeated_frame_is_acked_as_a_duplicate(backend: Backend) {
    let server = Server::start(backend);
    let (alice, bob) = (
        User::register(&server, "alice"),
        User::register(&server, "bob"),
    );
    let (mut hers, mut other_tab, mut his) = (alice.connect(), alice.connect(), bob.connect());
    let frame = |content: &str, reference: &str| json!({"type": "message", "content": content, "client_id": "c1", "ref": reference});
    hers.send_json(&frame("hello", "r1"));
    let first = hers.expect_type("ack");
    assert_eq!(
        (&first["duplicate"], &first["ref"]),
        (&json!(false), &json!("r1"))
    );
    for socket in [&mut hers, &mut other_tab] {
        socket.send_json(&frame("hello", "r2"));
        let again = socket.expect(|frame| frame["type"] == "ack" && frame["ref"] == "r2");
        let mut wanted = first.clone();
        wanted["duplicate"] = json!(true);
        wanted["ref"] = json!("r2");
        assert_eq!(again, wanted);
    }
    hers.send_json(&frame("something else", "r3"));
    let refused = hers.expect_type("error");
    assert_eq!(refused["ref"], "r3");
    let answer = alice.post("something else", Some("c1"));
    assert_eq!(
        (answer.status, &answer.json()["code"]),
        (409, &refused["code"])
    );
    assert_eq!(
        alice.post("hello", Some("c1")).expect(200).json()["id"],
        first["id"]
    );
    // It was told to others once, and only its sender sees what it was called.
    his.expect_message("hello");
    let told = his.drain();
    assert!(
        told.iter().all(|frame| frame["type"] != "message"),
        "{told:?}"
    );
    assert!(bob.page("")[0].get("client_id").is_none());
    assert_eq!(alice.page("")[0]["client_id"], "c1");
}

fn parallel_retries_make_one_message(backend: Backend) {
    let server = Server::with(backend).env("WORKERS", 2).start();
    let alice = User::register(&server, "alice");
    for round in 0..8 {
        let (content, client_id) = (format!("m{round}"), format!("c{round}"));
        let body = json!({"content": content, "client_id": client_id});
        let start = Barrier::new(16);
        let answers: Vec<(u16, u64)> = thread::scope(|scope| {
            let tasks: Vec<_> = (0..16)
                .map(|n| {
                    let (start, alice, body) = (&start, &alice, &body);
                    scope.spawn(move || post_or_send(n, alice, body, start))
                })
                .collect();
            tasks
                .into_iter()
                .map(|task| task.join().expect("joins"))
                .collect()
        });
        let first = answers[0].1;
        assert!(answers.iter().all(|(_, id)| *id == first), "{answers:?}");
        let made = answers.iter().filter(|(status, _)| *status == 201).count();
        assert_eq!(made, 1, "{answers:?}");
    }
    let history = alice.history();
    let seen: Vec<_> = history
        .iter()
        .map(|message| message["content"].clone())
        .collect();
    assert_eq!(
        seen,
        (0..8).map(|n| json!(format!("m{n}"))).collect::<Vec<_>>()
    );
}

/// Through one door or the other; 201 for the one that made the message, 200 for a repeat; and its number.
fn post_or_send(n: usize, alice: &User, body: &serde_json::Value, start: &Barrier) -> (u16, u64) {
    if n.is_multiple_of(2) {
        let http: Http = alice.http();
        start.wait();
        let answer = http.post("/api/rooms/general/messages", body);
        let id = answer.json()["id"].as_u64();
        return (
            answer.status,
            id.unwrap_or_else(|| panic!("{}", answer.text())),
        );
    }
    let mut socket = alice.connect();
    let mut frame = body.clone();
    frame["type"] = json!("message");
    frame["ref"] = json!("r");
    start.wait();
    socket.send_json(&frame);
    let ack = socket.expect_type("ack");
    let status = if ack["duplicate"] == true { 200 } else { 201 };
    (status, ack["id"].as_u64().expect("an id"))
}

fn a_client_id_belongs_to_its_sender(backend: Backend) {
    let server = Server::start(backend);
    let (alice, bob) = (
        User::register(&server, "alice"),
        User::register(&server, "bob"),
    );
    alice.post("hers", Some("same")).expect(201);
    bob.post("his", Some("same")).expect(201);
    assert_eq!(alice.history().len(), 2);
}
