//! One `sync` for many rooms, and what is told of rooms that one is not in.

use std::collections::BTreeMap;

use serde_json::json;

use super::{read_sync, sync_from};
use crate::support::{Backend, Server, Socket, User};

on_both![
    a_sync_by_name_is_refused,
    a_sync_of_what_is_not_mine_says_that_it_is_gone,
    many_rooms_are_brought_up_to_date_in_one_answer,
    an_old_client_hears_only_what_people_say_in_general,
];

/// Else a client that takes `gone` for removed would drop a room that it is in.
fn a_sync_by_name_is_refused(backend: Backend) {
    let server = Server::start(backend);
    let alice = User::register(&server, "alice");
    let room = alice.make_room("garden", "private", &[]);
    let mut socket = alice.connect();
    for name in ["garden", "General", "nowhere", "", "07", "#garden"] {
        let rooms = json!({"general": 0, room.as_str(): 0, name: 0});
        socket.send_json(&json!({"type": "sync", "rooms": rooms, "ref": "r"}));
        let answer = socket.expect(|frame| frame["ref"] == "r");
        assert_eq!(
            (&answer["type"], &answer["code"]),
            (&json!("error"), &json!("validation_error")),
            "{name}"
        );
        assert!(
            answer["detail"]
                .as_str()
                .is_some_and(|text| text.contains("keys"))
        );
    }
    // It is none of the broken frames for which a socket is closed, and the next one is answered.
    socket.send_json(&json!({"type": "sync", "rooms": {room.as_str(): 0}, "ref": "k"}));
    let answer = socket.expect(|frame| frame["ref"] == "k");
    assert_eq!(answer["type"], "synced");
}

fn a_sync_of_what_is_not_mine_says_that_it_is_gone(backend: Backend) {
    let server = Server::start(backend);
    let alice = User::register(&server, "alice");
    server.database.execute(
        "INSERT INTO rooms (id, key, last_seq, created_at, kind) VALUES (2, '2', 7, '2026-11-22 00:00:00', 'private')",
    );
    let mut socket = alice.connect();
    let names: Vec<&str> = socket.connected["rooms"]
        .as_array()
        .expect("rooms")
        .iter()
        .filter_map(|room| room["name"].as_str())
        .collect();
    assert_eq!(names, ["general"]);
    let mut answers = Vec::new();
    for room in ["2", "3"] {
        socket.send_json(&json!({"type": "sync", "rooms": {room: 0}, "ref": "r"}));
        let mut answer = socket.expect(|frame| frame["ref"] == "r");
        let rooms = answer["rooms"].as_object_mut().expect("rooms");
        assert_eq!(rooms.remove(room), Some(json!({"gone": true})));
        answers.push(answer);
        socket.send_json(&json!({"type": "message", "room": room, "content": "x", "ref": "m"}));
        let error = socket.expect(|frame| frame["ref"] == "m");
        assert_eq!(
            (&error["type"], &error["code"]),
            (&json!("error"), &json!("room_not_found"))
        );
    }
    assert_eq!(answers[0], answers[1], "absent and forbidden look the same");
    let empty = sync_from(&mut socket, 0);
    let (messages, synced) = read_sync(&mut socket, &empty);
    assert_eq!(
        (messages.len(), synced),
        (0, json!({"seq": 0, "complete": true}))
    );
}

/// Makes rooms 2 to `last` by hand, with these members.
fn make_rooms(server: &Server, last: u64, members: &[&User]) {
    for room in 2..=last {
        server.database.execute(&format!(
            "INSERT INTO rooms (id, key, last_seq, created_at, kind, name) VALUES ({room}, '{room}', 0, '2026-11-22 00:00:00', 'private', 'room{room}')",
        ));
        for member in members {
            server.database.execute(&format!(
                "INSERT INTO memberships (room_id, user_id, created_at) VALUES ({room}, {}, '2026-11-22 00:00:00')",
                member.id
            ));
        }
    }
}

fn say_in(user: &User, room: u64, content: &str) {
    let path = format!("/api/rooms/{room}/messages");
    let posted = user.http().post(&path, &json!({"content": content}));
    posted.expect(201);
}

fn many_rooms_are_brought_up_to_date_in_one_answer(backend: Backend) {
    const LAST: u64 = 30;
    let server = Server::start(backend);
    let (alice, bob) = (
        User::register(&server, "alice"),
        User::register(&server, "bob"),
    );
    make_rooms(&server, LAST, &[&alice, &bob]);
    // More than one answer holds; each room has some of it, but for the last five.
    let large = "x".repeat(15_000);
    for room in 2..=LAST - 5 {
        say_in(&bob, room, &large);
    }
    let mut socket = alice.connect();
    let told = socket.connected["rooms"].as_array().expect("rooms").len();
    assert_eq!(told as u64, LAST, "general and the others");
    let mut rooms: BTreeMap<String, u64> = (2..=LAST).map(|room| (room.to_string(), 0)).collect();
    rooms.insert("31".into(), 0);
    socket.send_json(&json!({"type": "sync", "rooms": rooms, "ref": "all"}));
    let (mut sent, mut bytes) = (Vec::new(), 0);
    let synced = loop {
        let frame = socket.next_frame();
        match frame["type"].as_str() {
            Some("message") => {
                bytes += frame.to_string().len();
                sent.push(frame["room"].as_str().expect("a room").to_owned());
            }
            Some("synced") => break frame["rooms"].clone(),
            Some("error") => panic!("{frame}"),
            _ => {}
        }
    };
    assert!(bytes <= 192 * 1024, "{bytes} bytes");
    assert_eq!(synced["31"], json!({"gone": true}));
    for room in 2..=LAST {
        let (key, is_empty) = (room.to_string(), room > LAST - 5);
        let was_sent = sent.contains(&key);
        let expected = json!({
            "seq": u64::from(was_sent),
            "complete": was_sent || is_empty,
        });
        assert_eq!(synced[&key], expected, "room {room}");
    }
    assert!(sent.len() > 5, "as much as fits: {sent:?}");
    // From here on all are live.
    for room in [2, LAST - 6, LAST] {
        say_in(&bob, room, "live");
        let live = socket.expect_message("live");
        assert_eq!(live["room"], room.to_string());
    }
}

fn an_old_client_hears_only_what_people_say_in_general(backend: Backend) {
    let server = Server::start(backend);
    let (alice, bob) = (
        User::register(&server, "alice"),
        User::register(&server, "bob"),
    );
    make_rooms(&server, 2, &[&alice, &bob]);
    let query = format!("?token={}", alice.token);
    let mut old = Socket::open(server.addr, &query, &[]).expect("opens");
    let mut new = alice.connect();
    say_in(&bob, 2, "among us");
    bob.post("to all", None).expect(201);
    assert_eq!(new.expect_type("message")["content"], "among us");
    assert_eq!(old.expect_type("message")["content"], "to all");
    old.send_json(&json!({"type": "sync", "rooms": {"2": 0}, "ref": "r"}));
    assert_eq!(old.expect_type("message")["content"], "among us");
    old.expect_type("synced");
    say_in(&bob, 2, "among us again");
    assert_eq!(old.expect_type("message")["content"], "among us again");
}
