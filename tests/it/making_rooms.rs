//! Making a room: it is there at once, with all who are to be in it, or not at all.

use std::thread;

use serde_json::{Value, json};

use crate::support::{Backend, Server, User};

on_both![
    whoever_is_in_a_new_room_hears_it_from_its_first_change_on,
    a_room_with_someone_who_cannot_come_is_not_made,
    a_room_whose_answer_was_lost_is_found_again,
    of_many_who_ask_for_a_name_at_once_one_gets_it,
    no_one_makes_rooms_without_end,
    no_one_is_in_rooms_without_end,
    what_others_do_keeps_no_one_from_rooms,
];

fn whoever_is_in_a_new_room_hears_it_from_its_first_change_on(backend: Backend) {
    let server = Server::start(backend);
    let (alice, bob) = (
        User::register(&server, "alice"),
        User::register(&server, "Bob"),
    );
    let carol = User::register(&server, "carol");
    let [mut hers, mut his, mut others] = [&alice, &bob, &carol].map(User::connect);
    let body = json!({"name": "garden", "kind": "private", "topic": "seeds", "users": ["bob"]});
    let made = alice.http().post("/api/rooms", &body).expect(201).json();
    let room = made["room"].as_str().expect("a key");
    assert!(room.parse::<u64>().is_ok_and(|id| id < 1 << 53), "{room}");
    let expected = (&json!("garden"), &json!("private"), &json!("seeds"));
    assert_eq!((&made["name"], &made["kind"], &made["topic"]), expected);
    assert_eq!(
        (&made["role"], &made["members"], &made["seq"]),
        (&json!("owner"), &json!(2), &json!(2))
    );
    // As it is read.
    let read = alice.http().get(&format!("/api/rooms/{room}")).expect(200);
    assert_eq!(read.json(), made);
    bob.post_to(room, "thank you").expect(201);
    for (socket, role) in [(&mut hers, "owner"), (&mut his, "member")] {
        let told = socket.expect_type("room");
        assert_eq!((&told["room"], &told["seq"]), (&json!(room), &json!(0)));
        assert_eq!(
            (&told["name"], &told["role"]),
            (&json!("garden"), &json!(role))
        );
        let heard: Vec<Value> = (0..3).map(|_| socket.expect_type("message")).collect();
        let said: Vec<&str> = heard
            .iter()
            .map(|one| one["content"].as_str().expect("text"))
            .collect();
        assert_eq!(
            said,
            [
                "alice made the room",
                "alice added Bob to the room",
                "thank you"
            ]
        );
        assert_eq!(heard[0]["event"], json!({"type": "created"}));
        assert_eq!(
            heard[1]["event"],
            json!({"type": "invited", "user_id": bob.id})
        );
        for (number, one) in (1..).zip(&heard) {
            assert_eq!((&one["seq"], &one["id"]), (&json!(number), &json!(number)));
        }
    }
    // To anyone else there is no such room.
    assert!(others.drain().iter().all(|frame| frame["room"] != *room));
    for path in [format!("/api/rooms/{room}"), "/api/rooms/garden".into()] {
        carol
            .http()
            .get(&path)
            .expect_problem(404, "room_not_found");
    }
    // The next socket is told of it as of all others.
    let rooms = bob.connect().connected["rooms"].clone();
    assert_eq!(
        (&rooms[1]["room"], &rooms[1]["seq"]),
        (&json!(room), &json!(3))
    );
}

fn a_room_with_someone_who_cannot_come_is_not_made(backend: Backend) {
    let server = Server::start(backend);
    let (alice, bob) = (
        User::register(&server, "alice"),
        User::register(&server, "bob"),
    );
    let off = User::register(&server, "off");
    server.database.execute(&format!(
        "UPDATE users SET disabled_at = '2026-11-22 00:00:00' WHERE id = {}",
        off.id
    ));
    let mut socket = bob.connect();
    let id = bob.id.to_string();
    let many: Vec<String> = (0..101).map(|n| format!("u{n}")).collect();
    for (users, status, code) in [
        (json!(["bob", "nobody-yet"]), 404, "user_not_found"),
        (json!(["bob", "a b\u{202e}"]), 404, "user_not_found"),
        (
            json!(["bob", "99999999999999999999"]),
            404,
            "user_not_found",
        ),
        (json!(["bob", "BOB"]), 422, "validation_error"),
        (json!(["bob", id]), 422, "validation_error"),
        (json!(["bob", "off"]), 409, "user_disabled"),
        (json!(many), 422, "validation_error"),
        (json!("bob"), 422, "validation_error"),
        (json!([7]), 422, "validation_error"),
    ] {
        for (path, body) in [
            ("/api/rooms", json!({"name": "tea", "users": users})),
            ("/api/direct", json!({"users": users})),
        ] {
            let answer = alice.http().post(path, &body);
            answer.expect_problem(status, code);
            answer.expect_nothing_inner();
        }
    }
    assert!(socket.drain().iter().all(|frame| frame["type"] != "room"));
    for table in ["rooms", "messages", "memberships WHERE room_id <> 1"] {
        let count = server.database.query(&format!(
            "SELECT CAST(count(*) AS TEXT) AS value FROM {table}"
        ));
        let expected = usize::from(table == "rooms").to_string();
        assert_eq!(count, [Some(expected)], "{table}");
    }
    server
        .http()
        .post("/api/rooms", &json!({"name": "tea"}))
        .expect_problem(401, "not_authenticated");
}

fn a_room_whose_answer_was_lost_is_found_again(backend: Backend) {
    let server = Server::start(backend);
    let [alice, bob, carol] = ["alice", "bob", "carol"].map(|name| User::register(&server, name));
    for kind in ["public", "private"] {
        let room = alice.make_room(&format!("{kind}-tea"), kind, &[]);
        let body = json!({"name": format!("{kind}-tea"), "kind": kind});
        let again = alice.http().post("/api/rooms", &body);
        again.expect_problem(409, "room_exists");
        let told = again.json();
        assert_eq!((&told["room"], &told["kind"]), (&json!(room), &json!(kind)));
        // What another has made is not what was asked for.
        bob.make_room(&format!("{kind}-tea"), "private", &[&carol]);
        let theirs = carol.http().post("/api/rooms", &body);
        theirs.expect_problem(409, "room_name_taken");
        assert!(theirs.json().get("room").is_none());
    }
    // And of a public room that someone else has made, nothing but that its name is taken is told.
    let dave = User::register(&server, "dave");
    let taken = dave.http().post(
        "/api/rooms",
        &json!({"name": "PUBLIC-TEA", "kind": "public"}),
    );
    taken.expect_problem(409, "room_name_taken");
    assert!(taken.json().get("room").is_none());
}

fn of_many_who_ask_for_a_name_at_once_one_gets_it(backend: Backend) {
    let server = Server::start(backend);
    let users = User::register_all(&server, "user", 8);
    let answers: Vec<u16> = thread::scope(|scope| {
        let asking: Vec<_> = users
            .iter()
            .map(|user| {
                scope.spawn(|| {
                    user.http()
                        .post("/api/rooms", &json!({"name": "tea"}))
                        .status
                })
            })
            .collect();
        asking
            .into_iter()
            .map(|one| one.join().expect("asks"))
            .collect()
    });
    assert_eq!(
        answers.iter().filter(|status| **status == 201).count(),
        1,
        "{answers:?}"
    );
    assert!(
        answers.iter().all(|status| matches!(status, 201 | 409)),
        "{answers:?}"
    );
}

fn no_one_makes_rooms_without_end(backend: Backend) {
    let mut server = Server::with(backend)
        .env("RATE_LIMITS", "on")
        .env("MESSAGE_BURST", 1_000)
        .start();
    let (alice, bob) = (
        User::register(&server, "alice"),
        User::register(&server, "bob"),
    );
    let others = add_users(&server, 30);
    for number in 0..20 {
        alice.make_room(&format!("room-{number}"), "private", &[]);
    }
    // A restart does not help.
    server.restart();
    let alice = User {
        addr: server.addr,
        ..alice
    };
    let is_refused = |user: &User, path: &str, body: &Value| {
        let answer = user.http().post(path, body);
        answer.expect_problem(429, "rate_limited");
        assert!(answer.header("retry-after").is_some());
    };
    is_refused(&alice, "/api/rooms", &json!({"name": "one-more"}));
    // Direct rooms are counted by themselves, and for whoever opens them.
    let direct = |users: Value| json!({"users": users});
    for other in &others {
        let body = direct(json!([other]));
        alice.http().post("/api/direct", &body).expect(201);
    }
    is_refused(&alice, "/api/direct", &direct(json!(["bob"])));
    let again = direct(json!([others[0]]));
    alice.http().post("/api/direct", &again).expect(200);
    let bob = User {
        addr: server.addr,
        ..bob
    };
    bob.make_room("one-more", "private", &[]);
    // What was made by a clock that ran ahead keeps no one from making rooms.
    server
        .database
        .execute("UPDATE rooms SET created_at = '2999-01-01 00:00:00' WHERE id <> 1");
    alice.make_room("later", "private", &[]);
}

/// Users without a login, straight into the tables: registering so many is limited.
fn add_users(server: &Server, count: usize) -> Vec<String> {
    let names: Vec<String> = (0..count).map(|number| format!("user{number}")).collect();
    let rows: Vec<String> = (1_000..)
        .zip(&names)
        .map(|(id, name)| format!("({id}, '{name}', '{name}', '', '2026-11-22 00:00:00')"))
        .collect();
    server.database.execute(&format!(
        "INSERT INTO users (id, username, username_key, password_hash, created_at) VALUES {}",
        rows.join(", ")
    ));
    names
}

/// Makes someone a member of rooms that are made for it, brought in by someone or not.
fn fill(server: &Server, user: &User, (kind, first, count): (&str, usize, usize), by: &str) {
    let (rooms, members): (Vec<String>, Vec<String>) = (first..first + count)
        .map(|id| {
            (
                format!("({id}, '{id}', 0, '2026-11-22 00:00:00', '{kind}')"),
                format!("({id}, {}, '2026-11-22 00:00:00', {by})", user.id),
            )
        })
        .unzip();
    server.database.execute(&format!(
        "INSERT INTO rooms (id, key, last_seq, created_at, kind) VALUES {}",
        rooms.join(", ")
    ));
    server.database.execute(&format!(
        "INSERT INTO memberships (room_id, user_id, created_at, invited_by) VALUES {}",
        members.join(", ")
    ));
}

fn no_one_is_in_rooms_without_end(backend: Backend) {
    let server = Server::start(backend);
    let [alice, bob] = ["alice", "bob"].map(|name| User::register(&server, name));
    let tea = alice.make_room("tea", "public", &[]);
    // With `general`, that is all.
    fill(&server, &bob, ("private", 1_000, 499), "NULL");
    let full = |answer: crate::support::Response| {
        answer.expect_problem(409, "room_full");
    };
    full(bob.http().post("/api/rooms", &json!({"name": "mine"})));
    full(bob.in_room("PUT", &tea, "/members/bob", &Value::Null));
    // What others do is counted by itself.
    alice
        .in_room("PUT", &tea, "/members/bob", &Value::Null)
        .expect(200);
    fill(
        &server,
        &bob,
        ("private", 2_000, 499),
        &alice.id.to_string(),
    );
    let body = json!({"name": "coffee", "users": ["bob"]});
    full(alice.http().post("/api/rooms", &body));
    let milk = alice.make_room("milk", "private", &[]);
    full(alice.in_room("PUT", &milk, "/members/bob", &Value::Null));
    // There is room for a conversation, and again for others where one leaves.
    let direct = json!({"users": ["bob"]});
    alice.http().post("/api/direct", &direct).expect(201);
    bob.in_room("DELETE", &tea, "/members/bob", &Value::Null)
        .expect(204);
    alice
        .in_room("PUT", &milk, "/members/bob", &Value::Null)
        .expect(200);
}

fn what_others_do_keeps_no_one_from_rooms(backend: Backend) {
    let server = Server::start(backend);
    let [alice, bob] = ["alice", "bob"].map(|name| User::register(&server, name));
    fill(&server, &bob, ("direct", 1_000, 600), &alice.id.to_string());
    let tea = alice.make_room("tea", "public", &[]);
    alice.make_room("cocoa", "private", &[&bob]);
    fill(
        &server,
        &bob,
        ("private", 2_000, 499),
        &alice.id.to_string(),
    );
    bob.in_room("PUT", &tea, "/members/bob", &Value::Null)
        .expect(200);
    bob.make_room("mine", "private", &[]);
    bob.http()
        .post("/api/direct", &json!({"users": ["alice"]}))
        .expect(201);
}
