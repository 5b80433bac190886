//! Direct rooms: one for each set of people, for ever.

use std::{collections::BTreeSet, sync::Barrier, thread};

use serde_json::{Value, json};

use crate::support::{Backend, Server, User, eventually};

on_both![
    a_set_of_people_has_one_room_however_many_ask_at_once,
    fifty_people_who_ask_at_both_doors_get_one_room,
    others_are_other_rooms,
    a_direct_room_is_of_those_who_are_in_it,
    a_direct_room_stays_what_it_is,
    a_hidden_room_comes_back_with_a_message,
    hiding_a_room_and_showing_it_reaches_all_sockets_of_its_user,
    whoever_hides_a_room_and_shows_it_at_once_is_told_what_is_so,
    a_conversation_in_which_nothing_is_said_is_hidden_from_the_others,
];

fn open(user: &User, users: &[&str]) -> (u16, Value) {
    let answer = user.http().post("/api/direct", &json!({"users": users}));
    (answer.status, answer.json())
}

fn key(user: &User, users: &[&str]) -> String {
    let (status, room) = open(user, users);
    assert!(matches!(status, 200 | 201), "{room}");
    room["room"].as_str().expect("a key").to_owned()
}

fn a_set_of_people_has_one_room_however_many_ask_at_once(backend: Backend) {
    const ASKS: usize = 50;
    let server = Server::start(backend);
    let (alice, bob) = (
        User::register(&server, "alice"),
        User::register(&server, "bob"),
    );
    let mut socket = bob.connect();
    let answers: Vec<(u16, Value)> = thread::scope(|scope| {
        let asking: Vec<_> = (0..ASKS)
            .map(|number| {
                let (user, other) = if number % 2 == 0 {
                    (&alice, "bob")
                } else {
                    (&bob, "alice")
                };
                scope.spawn(move || open(user, &[other]))
            })
            .collect();
        asking
            .into_iter()
            .map(|one| one.join().expect("asks"))
            .collect()
    });
    let keys: BTreeSet<&str> = answers
        .iter()
        .map(|(_, room)| room["room"].as_str().expect("a key"))
        .collect();
    assert_eq!(keys.len(), 1, "{keys:?}");
    let made = answers.iter().filter(|(status, _)| *status == 201).count();
    assert_eq!(made, 1);
    assert!(
        answers
            .iter()
            .all(|(status, _)| matches!(status, 200 | 201))
    );
    // And it was told once.
    let told = socket.expect_type("room");
    assert_eq!((&told["kind"], &told["seq"]), (&json!("direct"), &json!(0)));
    assert_eq!(told["users"].as_array().map(Vec::len), Some(2), "{told}");
    assert!(
        told.get("name").is_none() && told.get("role").is_none(),
        "{told}"
    );
    // But that bob has asked for it, and sees it since.
    let frames = socket.drain();
    let is_shown = |frame: &Value| {
        frame["changed"] == json!(["hidden"]) && frame.get("hidden") != Some(&json!(true))
    };
    assert!(
        (frames.iter()).all(|frame| frame["type"] != "room" || is_shown(frame)),
        "{frames:?}"
    );
    assert_eq!(
        server
            .database
            .query("SELECT CAST(count(*) AS TEXT) AS value FROM rooms WHERE kind = 'direct'"),
        [Some("1".to_owned())]
    );
}

fn fifty_people_who_ask_at_both_doors_get_one_room(backend: Backend) {
    let server = Server::start(backend);
    let people = User::register_all(&server, "user", 50);
    let names: Vec<&str> = people.iter().map(|user| user.name.as_str()).collect();
    let start = Barrier::new(people.len());
    let answers: Vec<(String, bool)> = thread::scope(|scope| {
        let asking: Vec<_> = people
            .iter()
            .enumerate()
            .map(|(number, user)| {
                let others: Vec<&str> = names
                    .iter()
                    .copied()
                    .filter(|name| *name != user.name)
                    .collect();
                let start = &start;
                scope.spawn(move || {
                    if number % 2 == 0 {
                        start.wait();
                        let (status, room) = open(user, &others);
                        assert!(matches!(status, 200 | 201), "{room}");
                        return (
                            room["room"].as_str().expect("a key").to_owned(),
                            status == 201,
                        );
                    }
                    let mut socket = user.connect();
                    start.wait();
                    socket.send_json(&json!({"type": "direct", "users": others, "ref": "r"}));
                    let ack = socket.expect(|frame| frame["ref"] == "r");
                    assert_eq!(ack["type"], "ack", "{ack}");
                    (
                        ack["room"].as_str().expect("a key").to_owned(),
                        ack["duplicate"] == false,
                    )
                })
            })
            .collect();
        asking
            .into_iter()
            .map(|one| one.join().expect("asks"))
            .collect()
    });
    let keys: BTreeSet<&String> = answers.iter().map(|(key, _)| key).collect();
    assert_eq!(keys.len(), 1, "{keys:?}");
    assert_eq!(answers.iter().filter(|(_, is_made)| *is_made).count(), 1);
    for user in &people {
        let rooms = user.http().get("/api/rooms").expect(200).json();
        assert_eq!(rooms.as_array().map(Vec::len), Some(2), "{rooms}");
    }
}

fn others_are_other_rooms(backend: Backend) {
    let server = Server::start(backend);
    let [alice, bob, carol] = ["alice", "bob", "carol"].map(|name| User::register(&server, name));
    let pair = key(&alice, &["bob"]);
    let three = key(&alice, &["bob", "carol"]);
    let notes = key(&alice, &[]);
    let all: BTreeSet<&String> = [&pair, &three, &notes].into();
    assert_eq!(all.len(), 3);
    // In any order, by number, by name in any case, and with oneself named or not.
    let (bobs, carols) = (bob.id.to_string(), carol.id.to_string());
    assert_eq!(key(&alice, &["CAROL", &bobs]), three);
    assert_eq!(key(&bob, &[&carols, "alice"]), three);
    assert_eq!(key(&bob, &["alice", "bob"]), pair);
    assert_eq!(key(&alice, &["alice"]), notes);
    assert_ne!(key(&bob, &[]), notes);
    let people: Vec<User> = User::register_all(&server, "user", 50);
    let names: Vec<&str> = people.iter().map(|user| user.name.as_str()).collect();
    assert_eq!(open(&alice, &names).0, 422, "51 people");
    assert_eq!(open(&alice, &names[1..]).0, 201, "50 people");
}

fn a_direct_room_is_of_those_who_are_in_it(backend: Backend) {
    let server = Server::start(backend);
    let [alice, bob, carol] = ["alice", "bob", "carol"].map(|name| User::register(&server, name));
    let room = key(&alice, &["bob"]);
    alice.post_to(&room, "hello bob").expect(201);
    let page = bob
        .http()
        .get(&format!("/api/rooms/{room}/messages"))
        .expect(200)
        .json();
    assert_eq!(page[0]["content"], "alice began this conversation");
    assert_eq!(page[1]["content"], "hello bob");
    for path in [
        format!("/api/rooms/{room}"),
        format!("/api/rooms/{room}/messages"),
    ] {
        carol
            .http()
            .get(&path)
            .expect_problem(404, "room_not_found");
    }
    carol
        .post_to(&room, "me too")
        .expect_problem(404, "room_not_found");
    let own = bob.http().get("/api/rooms").expect(200).json();
    let users = json!([
        {"user_id": alice.id, "username": "alice"},
        {"user_id": bob.id, "username": "bob"},
    ]);
    assert_eq!((&own[1]["room"], &own[1]["users"]), (&json!(room), &users));
    let told = bob.connect().connected["rooms"][1].clone();
    assert_eq!((&told["room"], &told["users"]), (&json!(room), &users));
}

fn a_direct_room_stays_what_it_is(backend: Backend) {
    let server = Server::start(backend);
    let [alice, bob, _carol] = ["alice", "bob", "carol"].map(|name| User::register(&server, name));
    let room = key(&alice, &["bob"]);
    for user in [&alice, &bob] {
        for (method, path, body) in [
            ("PUT", "/members/carol", json!({})),
            ("PUT", "/members/bob", json!({"role": "owner"})),
            (
                "PUT",
                "/members/bob",
                json!({"muted_until": "2999-01-01T00:00:00+00:00"}),
            ),
            ("DELETE", "/members/bob", Value::Null),
            ("DELETE", "/members/alice", Value::Null),
            ("PATCH", "", json!({"name": "us"})),
            ("PATCH", "", json!({"kind": "public"})),
            ("PATCH", "", json!({"archived": true})),
            ("PATCH", "", json!({"topic": "us"})),
            ("PATCH", "", json!({"slow_seconds": 5})),
        ] {
            let answer = user.in_room(method, &room, path, &body);
            answer.expect_problem(403, "forbidden");
            let detail = answer.json()["detail"].clone();
            assert!(
                detail
                    .as_str()
                    .is_some_and(|said| said.contains("direct room")),
                "{detail}"
            );
        }
    }
    let seen = alice
        .http()
        .get(&format!("/api/rooms/{room}"))
        .expect(200)
        .json();
    assert_eq!((&seen["seq"], &seen["members"]), (&json!(1), &json!(2)));
}

fn a_hidden_room_comes_back_with_a_message(backend: Backend) {
    let server = Server::start(backend);
    let [alice, bob] = ["alice", "bob"].map(|name| User::register(&server, name));
    let room = key(&alice, &["bob"]);
    let is_hidden = |user: &User| {
        let listed = user.http().get("/api/rooms").expect(200).json();
        let told = user.connect().connected["rooms"].clone();
        assert_eq!(listed[1]["hidden"], told[1]["hidden"]);
        listed[1].get("hidden") == Some(&json!(true))
    };
    let hide = |method: &str| bob.in_room(method, &room, "/hidden", &Value::Null);
    hide("PUT").expect(204);
    hide("PUT").expect(204);
    assert!(is_hidden(&bob) && !is_hidden(&alice));
    hide("DELETE").expect(204);
    assert!(!is_hidden(&bob));
    hide("PUT").expect(204);
    alice.post_to(&room, "are you there?").expect(201);
    assert!(!is_hidden(&bob));
    // Whoever looks for the room wants to see it.
    hide("PUT").expect(204);
    assert!(is_hidden(&bob));
    assert_eq!(key(&bob, &["alice"]), room);
    assert!(!is_hidden(&bob));
    bob.in_room("PUT", "general", "/hidden", &Value::Null)
        .expect_problem(403, "forbidden");
}

fn hiding_a_room_and_showing_it_reaches_all_sockets_of_its_user(backend: Backend) {
    let server = Server::start(backend);
    let [alice, bob] = ["alice", "bob"].map(|name| User::register(&server, name));
    let room = key(&alice, &["bob"]);
    alice.post_to(&room, "are you there?").expect(201);
    let (mut sockets, mut other) = ([bob.connect(), bob.connect()], alice.connect());
    let mut expect = |hidden: bool| {
        for socket in &mut sockets {
            let told = socket.expect_type("room");
            assert_eq!((&told["room"], &told["seq"]), (&json!(room), &json!(2)));
            assert_eq!(told["changed"], json!(["hidden"]));
            assert_eq!(told.get("hidden").is_some(), hidden, "{told}");
        }
    };
    let hide = |method: &str| bob.in_room(method, &room, "/hidden", &Value::Null);
    hide("PUT").expect(204);
    expect(true);
    hide("DELETE").expect(204);
    expect(false);
    // Whoever asks for the room sees it, at both doors.
    hide("PUT").expect(204);
    expect(true);
    assert_eq!(key(&bob, &["alice"]), room);
    expect(false);
    hide("PUT").expect(204);
    expect(true);
    let mut third = bob.connect();
    third.send_json(&json!({"type": "direct", "users": ["alice"], "ref": "d"}));
    third.expect(|frame| frame["ref"] == "d");
    expect(false);
    // It is no one else's matter.
    let frames = other.drain();
    assert!(
        frames.iter().all(|frame| frame["type"] != "room"),
        "{frames:?}"
    );
}

fn whoever_hides_a_room_and_shows_it_at_once_is_told_what_is_so(backend: Backend) {
    const ROUNDS: usize = 15;
    let server = Server::start(backend);
    let [alice, bob] = ["alice", "bob"].map(|name| User::register(&server, name));
    let room = key(&alice, &["bob"]);
    alice.post_to(&room, "are you there?").expect(201);
    let mut socket = bob.connect();
    let mut told = None;
    let (bob, room) = (&bob, &room);
    for _ in 0..ROUNDS {
        thread::scope(|scope| {
            for method in ["PUT", "DELETE", "PUT", "DELETE"] {
                scope.spawn(move || {
                    bob.in_room(method, room, "/hidden", &Value::Null)
                        .expect(204);
                });
            }
            scope.spawn(|| key(bob, &["alice"]));
        });
        eventually("what was told last is what is so", || {
            for frame in socket.drain() {
                if frame["changed"] == json!(["hidden"]) {
                    told = Some(frame.get("hidden") == Some(&json!(true)));
                }
            }
            let path = format!("/api/rooms/{room}");
            let room = bob.http().get(&path).expect(200).json();
            let hidden = room.get("hidden") == Some(&json!(true));
            (told == Some(hidden)).then_some(())
        });
    }
}

fn a_conversation_in_which_nothing_is_said_is_hidden_from_the_others(backend: Backend) {
    let server = Server::start(backend);
    let [alice, bob] = ["alice", "bob"].map(|name| User::register(&server, name));
    let mut socket = bob.connect();
    let room = key(&alice, &["bob"]);
    assert_eq!(socket.expect_type("room")["hidden"], true);
    let is_hidden = |user: &User| {
        let listed = user.http().get("/api/rooms").expect(200).json();
        let told = user.connect().connected["rooms"].clone();
        assert_eq!(listed[1]["hidden"], told[1]["hidden"]);
        listed[1].get("hidden") == Some(&json!(true))
    };
    assert!(is_hidden(&bob) && !is_hidden(&alice));
    alice.post_to(&room, "are you there?").expect(201);
    socket.expect_message("are you there?");
    assert!(!is_hidden(&bob));
    // Whoever opens it, too, wants to see it.
    let carol = User::register(&server, "carol");
    let other = key(&alice, &["carol"]);
    assert!(is_hidden(&carol));
    assert_eq!(key(&carol, &["alice"]), other);
    assert!(!is_hidden(&carol));
}
