//! Changing a room: by both doors alike, told to all who are in it, and to no one else.

use serde_json::{Value, json};

use crate::support::{Backend, Server, Socket, User};

on_both![
    a_change_is_told_as_a_message_and_as_a_view,
    a_socket_can_do_what_rest_can,
    who_catches_up_has_the_present_view,
    a_room_that_becomes_public_has_its_name_for_itself,
    general_stays_what_it_is,
    what_is_refused_changes_nothing,
    absent_and_forbidden_are_the_same_answer_for_every_change,
];

/// Sends a frame, and waits for what answers it.
#[track_caller]
fn answer(socket: &mut Socket, mut frame: Value) -> Value {
    let reference = crate::support::unique();
    frame["ref"] = reference.as_str().into();
    socket.send_json(&frame);
    socket.expect(|frame| frame["ref"] == *reference)
}

#[track_caller]
fn done(socket: &mut Socket, frame: Value) -> Value {
    let ack = answer(socket, frame);
    assert_eq!(ack["type"], "ack", "{ack}");
    ack
}

/// Sends a frame, and waits for its ack and for what it does to the own view, in whatever order they come.
#[track_caller]
fn done_and_seen(socket: &mut Socket, mut frame: Value) -> Value {
    frame["ref"] = "here".into();
    socket.send_json(&frame);
    let (mut is_acked, mut view) = (false, None);
    while !is_acked || view.is_none() {
        let frame = socket.next_frame();
        assert_ne!(frame["type"], "error", "{frame}");
        is_acked |= frame["ref"] == "here";
        if frame["type"] == "room" {
            view = Some(frame);
        }
    }
    view.expect("a view")
}

fn a_change_is_told_as_a_message_and_as_a_view(backend: Backend) {
    let server = Server::start(backend);
    let [alice, bob, carol] = ["alice", "bob", "carol"].map(|name| User::register(&server, name));
    let room = alice.make_room("garden", "private", &[&bob]);
    let [mut his, mut others] = [&bob, &carol].map(User::connect);
    let patch = json!({"name": "Park", "topic": "trees", "kind": "public", "slow_seconds": 5});
    let now = alice.in_room("PATCH", &room, "", &patch).expect(200).json();
    assert_eq!(
        (&now["name"], &now["topic"]),
        (&json!("park"), &json!("trees"))
    );
    assert_eq!(
        (&now["kind"], &now["slow_seconds"]),
        (&json!("public"), &json!(5))
    );
    assert_eq!(now["seq"], 6, "a number for each");
    for (seq, field, value, text) in [
        (3, "name", json!("park"), "alice renamed the room to park"),
        (4, "kind", json!("public"), "alice made the room public"),
        (5, "topic", json!("trees"), "alice set the topic to: trees"),
        (
            6,
            "slow_seconds",
            json!(5),
            "alice turned slow mode on: one message in 5 seconds",
        ),
    ] {
        let message = his.expect_type("message");
        assert_eq!(
            (&message["seq"], &message["content"]),
            (&json!(seq), &json!(text))
        );
        assert_eq!(message["kind"], "system");
        let view = his.next_frame();
        let expected =
            json!({"type": "room", "room": room, "seq": seq, "changed": [field], field: value});
        assert_eq!(view, expected);
    }
    // Nothing of what is so already takes a number.
    let same = alice.in_room("PATCH", &room, "", &patch).expect(200).json();
    assert_eq!(same["seq"], 6);
    alice.in_room("PATCH", &room, "", &json!({})).expect(200);
    assert!(his.drain().iter().all(|frame| frame["type"] == "system"));
    assert!(others.drain().iter().all(|frame| frame["room"] != *room));
    // The role of one is the view of one.
    alice
        .in_room("PUT", &room, "/members/bob", &json!({"role": "moderator"}))
        .expect(200);
    let view = his.expect_type("room");
    assert_eq!(
        (&view["changed"], &view["role"]),
        (&json!(["role", "muted_until"]), &json!("moderator"))
    );
    let stored = server.database.query("SELECT CAST(count(*) AS TEXT) AS value FROM messages WHERE content LIKE '%trees%' OR content LIKE '%park%'");
    assert_eq!(stored, [Some("0".to_owned())], "all of it is sealed");
}

fn a_socket_can_do_what_rest_can(backend: Backend) {
    let server = Server::start(backend);
    let [alice, bob, carol] = ["alice", "bob", "carol"].map(|name| User::register(&server, name));
    let [mut hers, mut his, mut third] = [&alice, &bob, &carol].map(User::connect);
    let made = done(
        &mut hers,
        json!({"type": "create", "name": "garden", "users": ["bob"]}),
    );
    let room = made["room"].as_str().expect("a key").to_owned();
    assert_eq!(
        (&made["seq"], &made["duplicate"]),
        (&json!(2), &json!(false))
    );
    let again = answer(&mut hers, json!({"type": "create", "name": "garden"}));
    assert_eq!(
        (&again["code"], &again["room"]),
        (&json!("room_exists"), &json!(room))
    );
    // By its key and by its name.
    let joined = done_and_seen(&mut third, json!({"type": "join", "room": "garden"}));
    assert_eq!(joined["role"], "member");
    let twice = done(&mut third, json!({"type": "join", "room": room}));
    assert_eq!(twice["duplicate"], true);
    let gone = done_and_seen(&mut third, json!({"type": "leave", "room": room}));
    assert_eq!(gone, json!({"type": "room", "room": room, "gone": true}));
    let refused = answer(&mut third, json!({"type": "leave", "room": room}));
    assert_eq!(refused["code"], "join_first");
    done(
        &mut his,
        json!({"type": "invite", "room": "garden", "user": "carol"}),
    );
    assert_eq!(third.expect_type("room")["name"], "garden");
    done(
        &mut hers,
        json!({"type": "member", "room": room, "user": "bob", "role": "moderator"}),
    );
    done(
        &mut his,
        json!({"type": "kick", "room": room, "user": carol.id.to_string()}),
    );
    assert_eq!(third.expect_type("room")["gone"], true);
    done(
        &mut his,
        json!({"type": "room", "room": room, "topic": "seeds"}),
    );
    let renamed = answer(
        &mut his,
        json!({"type": "room", "room": room, "name": "park"}),
    );
    assert_eq!(renamed["code"], "forbidden");
    for (frame, code) in [
        (
            json!({"type": "room", "room": room, "slow_seconds": -1}),
            "invalid_frame",
        ),
        (
            json!({"type": "room", "room": room, "name": "a b"}),
            "validation_error",
        ),
        (
            json!({"type": "member", "room": room, "user": "bob", "role": "king"}),
            "invalid_frame",
        ),
        (json!({"type": "invite", "room": room}), "invalid_frame"),
        (
            json!({"type": "invite", "room": room, "user": "nobody-yet"}),
            "user_not_found",
        ),
        (json!({"type": "join", "room": "nowhere"}), "room_not_found"),
    ] {
        let refused = answer(&mut his, frame.clone());
        assert_eq!(refused["code"], code, "{frame}");
    }
    let direct = done(&mut hers, json!({"type": "direct", "users": ["bob"]}));
    let same = done(&mut his, json!({"type": "direct", "users": ["alice"]}));
    assert_eq!(
        (&same["room"], &same["duplicate"]),
        (&direct["room"], &json!(true))
    );
    let rest = alice
        .http()
        .post("/api/direct", &json!({"users": ["bob"]}))
        .expect(200)
        .json();
    assert_eq!(rest["room"], direct["room"]);
}

fn who_catches_up_has_the_present_view(backend: Backend) {
    let server = Server::start(backend);
    let [alice, bob] = ["alice", "bob"].map(|name| User::register(&server, name));
    let room = alice.make_room("garden", "private", &[&bob]);
    for topic in ["one", "two"] {
        alice
            .in_room("PATCH", &room, "", &json!({"topic": topic}))
            .expect(200);
    }
    let mut socket = bob.connect();
    let listed = socket.connected["rooms"][1].clone();
    assert_eq!(
        (&listed["topic"], &listed["seq"]),
        (&json!("two"), &json!(4))
    );
    // He had seen the first message only: what he is told last is what is so.
    socket.send_json(&json!({"type": "sync", "rooms": {room.as_str(): 1}}));
    let view = socket.expect_type("room");
    assert_eq!((&view["seq"], &view["topic"]), (&json!(4), &json!("two")));
    assert_eq!(
        (&view["name"], &view["role"]),
        (&json!("garden"), &json!("member"))
    );
    let messages = [(); 3].map(|()| socket.expect_type("message")["seq"].clone());
    assert_eq!(messages, [json!(2), json!(3), json!(4)]);
    socket.expect_type("synced");
    // Where nothing of it has changed, nothing is told.
    bob.post_to(&room, "hello").expect(201);
    socket.expect_message("hello");
    socket.send_json(&json!({"type": "sync", "rooms": {room.as_str(): 4}}));
    socket.expect_type("message");
    assert_eq!(socket.next_frame()["type"], "synced");
}

fn a_room_that_becomes_public_has_its_name_for_itself(backend: Backend) {
    let server = Server::start(backend);
    let [alice, bob] = ["alice", "bob"].map(|name| User::register(&server, name));
    let room = alice.make_room("garden", "public", &[]);
    let kind = |user: &User, room: &str, kind: &str| {
        user.in_room("PATCH", room, "", &json!({"kind": kind}))
    };
    kind(&alice, &room, "private").expect(200);
    bob.http()
        .get("/api/rooms/garden")
        .expect_problem(404, "room_not_found");
    // The name is free for others now, and she has it back only under another one.
    let his = bob.make_room("garden", "public", &[]);
    kind(&alice, &room, "public").expect_problem(409, "room_name_taken");
    alice
        .in_room(
            "PATCH",
            &room,
            "",
            &json!({"kind": "public", "name": "g4rden"}),
        )
        .expect(200);
    kind(&alice, &room, "direct").expect_problem(422, "validation_error");
    let taken = bob.in_room("PATCH", &his, "", &json!({"name": "G4rden"}));
    taken.expect_problem(409, "room_name_taken");
    assert_eq!(
        bob.http().get("/api/rooms/garden").expect(200).json()["room"],
        *his
    );
    bob.http().get("/api/rooms/g4rden").expect(200);
}

fn general_stays_what_it_is(backend: Backend) {
    let server = Server::start(backend);
    let [alice, bob] = ["alice", "bob"].map(|name| User::register(&server, name));
    let mut socket = bob.connect();
    for (user, method, path, body) in [
        (&alice, "PATCH", "", json!({"name": "lobby"})),
        (&alice, "PATCH", "", json!({"kind": "private"})),
        (&alice, "PATCH", "", json!({"archived": true})),
        (&alice, "DELETE", "/members/bob", Value::Null),
        (&bob, "DELETE", "/members/bob", Value::Null),
        (&alice, "DELETE", "/members/alice", Value::Null),
        (&bob, "PATCH", "", json!({"topic": "mine"})),
    ] {
        user.in_room(method, "general", path, &body)
            .expect_problem(403, "forbidden");
    }
    let refused = answer(&mut socket, json!({"type": "leave", "room": "general"}));
    assert_eq!(refused["code"], "forbidden");
    bob.in_room("PUT", "general", "/members/bob", &Value::Null)
        .expect(200);
    // It has a topic like any other, and its owner can make others owners.
    alice
        .in_room("PATCH", "general", "", &json!({"topic": "hello"}))
        .expect(200);
    assert_eq!(socket.expect_type("room")["topic"], "hello");
    alice
        .in_room("PUT", "general", "/members/bob", &json!({"role": "owner"}))
        .expect(200);
    assert_eq!(socket.expect_type("room")["role"], "owner");
}

fn what_is_refused_changes_nothing(backend: Backend) {
    let server = Server::start(backend);
    let [alice, bob] = ["alice", "bob"].map(|name| User::register(&server, name));
    alice.make_room("park", "public", &[]);
    let room = alice.make_room("garden", "public", &[&bob]);
    let before = alice
        .http()
        .get(&format!("/api/rooms/{room}"))
        .expect(200)
        .json();
    let long = "x".repeat(251);
    for (user, body, status) in [
        (&bob, json!({"topic": "mine", "name": "mine"}), 403),
        (&alice, json!({"topic": "new", "name": "park"}), 409),
        (&alice, json!({"topic": "new", "name": "a b"}), 422),
        (&alice, json!({"name": "new", "topic": long}), 422),
        (
            &alice,
            json!({"name": "new", "slow_seconds": 4_000_000_000_u64}),
            422,
        ),
        (&alice, json!({"name": "new", "slow_seconds": -1}), 422),
        (&alice, json!({"name": "new", "archived": "yes"}), 422),
        (&alice, json!({"name": null, "topic": 7}), 422),
    ] {
        let answer = user.in_room("PATCH", &room, "", &body);
        assert_eq!(answer.status, status, "{body}");
        answer.expect_any_problem();
        let now = alice
            .http()
            .get(&format!("/api/rooms/{room}"))
            .expect(200)
            .json();
        assert_eq!(now, before, "{body}");
    }
}

fn absent_and_forbidden_are_the_same_answer_for_every_change(backend: Backend) {
    let server = Server::start(backend);
    let [alice, bob, carol] = ["alice", "bob", "carol"].map(|name| User::register(&server, name));
    let private = alice.make_room("cellar", "private", &[&carol]);
    let direct = alice
        .http()
        .post("/api/direct", &json!({"users": ["carol"]}))
        .expect(201)
        .json();
    let direct = direct["room"].as_str().expect("a key");
    let kicked = alice.make_room("garden", "public", &[&bob]);
    alice
        .in_room("DELETE", &kicked, "/members/bob", &Value::Null)
        .expect(204);
    for (method, path, body) in [
        ("PATCH", "", json!({"topic": "x"})),
        ("PATCH", "", json!({"name": "cellar"})),
        ("PATCH", "", json!({"archived": true})),
        ("PUT", "/members/bob", Value::Null),
        ("PUT", "/members/carol", json!({"role": "member"})),
        (
            "PUT",
            "/members/alice",
            json!({"muted_until": "2999-01-01T00:00:00+00:00"}),
        ),
        ("PUT", "/members/nobody-yet", Value::Null),
        ("DELETE", "/members/bob", Value::Null),
        ("DELETE", "/members/carol", Value::Null),
        ("PUT", "/hidden", Value::Null),
        ("DELETE", "/hidden", Value::Null),
    ] {
        let ask = |room: &str| {
            let answer = bob.in_room(method, room, path, &body);
            let mut said = answer.json();
            said.as_object_mut()
                .expect("an object")
                .remove("request_id");
            (answer.status, said)
        };
        let absent = ask("77");
        assert_eq!(absent.0, 404, "{method} {path}");
        for room in ["nowhere", &private, "cellar", direct, &kicked, "garden"] {
            assert_eq!(ask(room), absent, "{method} {room}{path}");
        }
    }
}
