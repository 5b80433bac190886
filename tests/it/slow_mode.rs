//! In slow mode members wait between two messages; whoever keeps order does not.

use serde_json::{Value, json};

use crate::support::{Backend, Response, Server, User, eventually};

on_both![
    members_wait_between_two_messages,
    a_wait_outlives_a_restart,
    a_wait_outlives_a_leave,
];

fn members_wait_between_two_messages(backend: Backend) {
    let server = Server::start(backend);
    let [alice, bob, carol] = ["alice", "bob", "carol"].map(|name| User::register(&server, name));
    let room = alice.make_room("garden", "private", &[&bob, &carol]);
    let slow = |user: &User, seconds: u64| {
        user.in_room("PATCH", &room, "", &json!({"slow_seconds": seconds}))
    };
    let mut socket = bob.connect();
    slow(&bob, 60).expect_problem(403, "forbidden");
    slow(&alice, 86_401).expect_problem(422, "validation_error");
    assert_eq!(
        slow(&alice, 3_600).expect(200).json()["slow_seconds"],
        3_600
    );
    let told = socket.expect_type("room");
    assert_eq!(
        (&told["changed"], &told["slow_seconds"]),
        (&json!(["slow_seconds"]), &json!(3_600))
    );
    let said = bob.post_to(&room, "one").expect(201).json();
    let said = said["id"].as_u64().expect("a number");
    let answer = bob.post_to(&room, "two");
    answer.expect_problem(429, "slow_mode");
    assert_eq!(
        answer.json()["detail"],
        "This room is in slow mode: you can write again in 60 minutes."
    );
    assert!(
        answer
            .header("retry-after")
            .is_some_and(|wait| wait.parse::<u64>().is_ok_and(|wait| wait > 3_500))
    );
    socket.send_json(&json!({"type": "message", "room": room, "content": "two", "ref": "r"}));
    let error = socket.expect_error("slow_mode");
    assert!(
        error["retry_after_ms"]
            .as_u64()
            .is_some_and(|wait| wait > 3_500_000),
        "{error}"
    );
    // To call somebody by an edit is to write to them; to put a word right is not.
    let edit = |content: &str| {
        let path = format!("/messages/{said}");
        bob.in_room("PATCH", &room, &path, &json!({"content": content}))
    };
    let seq = |answer: Response| answer.expect(200).json()["seq"].as_u64().expect("a number");
    let before = seq(edit("once"));
    edit("once, @carol").expect_problem(429, "slow_mode");
    assert_eq!(
        seq(edit("twice")),
        before + 1,
        "what is refused takes no number"
    );
    // A wait is one's own, and not of those who keep order.
    carol.post_to(&room, "mine").expect(201);
    for text in ["three", "four"] {
        alice.post_to(&room, text).expect(201);
    }
    // What was refused has not begun a wait of its own.
    slow(&alice, 1).expect(200);
    eventually("the wait is over", || {
        (bob.post_to(&room, "two").status == 201).then_some(())
    });
    slow(&alice, 0).expect(200);
    for text in ["five", "six"] {
        bob.post_to(&room, text).expect(201);
    }
}

fn a_wait_outlives_a_restart(backend: Backend) {
    let mut server = Server::start(backend);
    let [alice, bob] = ["alice", "bob"].map(|name| User::register(&server, name));
    let room = alice.make_room("garden", "private", &[&bob]);
    alice
        .in_room("PATCH", &room, "", &json!({"slow_seconds": 3_600}))
        .expect(200);
    bob.post_to(&room, "one").expect(201);
    server.restart();
    let bob = User {
        addr: server.addr,
        ..bob
    };
    bob.post_to(&room, "two").expect_problem(429, "slow_mode");
    // One that lies ahead is of a clock that ran ahead.
    server.database.execute(
        "UPDATE memberships SET spoke_at = '2999-01-01 00:00:00' WHERE spoke_at IS NOT NULL",
    );
    server.restart();
    let bob = User {
        addr: server.addr,
        ..bob
    };
    bob.post_to(&room, "two").expect(201);
}

fn a_wait_outlives_a_leave(backend: Backend) {
    let mut server = Server::start(backend);
    let [alice, bob] = ["alice", "bob"].map(|name| User::register(&server, name));
    let room = alice.make_room("garden", "public", &[&bob]);
    alice
        .in_room("PATCH", &room, "", &json!({"slow_seconds": 3_600}))
        .expect(200);
    bob.post_to(&room, "one").expect(201);
    bob.in_room("DELETE", &room, "/members/bob", &Value::Null)
        .expect(204);
    // What the server remembers is gone, too.
    server.restart();
    let bob = User {
        addr: server.addr,
        ..bob
    };
    bob.in_room("PUT", &room, "/members/bob", &Value::Null)
        .expect(200);
    bob.post_to(&room, "two").expect_problem(429, "slow_mode");
}
