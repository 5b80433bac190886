//! How far people have read: markers that are the same on all of a user's devices, and what is unread above them.

use serde_json::{Value, json};

use crate::support::{Backend, Server, Socket, User};

mod receipts;
mod truth;

on_both![
    a_marker_moves_forward_only_and_back_on_purpose,
    all_devices_of_a_user_hear_of_a_marker_and_no_one_else,
    newcomers_and_those_who_come_back_begin_where_they_came_in,
    only_what_other_people_wrote_and_no_one_deleted_is_unread,
    what_one_wants_to_be_told_is_kept_for_all_devices,
    counting_stops_at_a_thousand,
    thousands_of_mentions_keep_nobody_out,
    many_marks_at_once_are_all_kept,
];

/// A room as its member has it in the list.
#[track_caller]
fn listed(user: &User, room: &str) -> Value {
    let rooms = user.http().get("/api/rooms").expect(200).json();
    let rooms = rooms.as_array().expect("rooms");
    let found = rooms.iter().find(|one| one["room"] == room);
    found.expect("the room").clone()
}

/// Marker, unread messages and mentions of a room, by the list and by the first frame of a new socket.
#[track_caller]
fn counts(user: &User, room: &str) -> (u64, u64, u64) {
    let number = |of: &Value, field: &str| of[field].as_u64().expect("a number");
    let all = |of: &Value| {
        (
            number(of, "read_seq"),
            number(of, "unread"),
            number(of, "mentions"),
        )
    };
    let own = all(&listed(user, room));
    let alone = user.in_room("GET", room, "", &Value::Null).expect(200);
    assert_eq!(all(&alone.json()), own);
    let first = user.connect().connected.clone();
    let rooms = first["rooms"].as_array().expect("rooms");
    let found = rooms.iter().find(|one| one["room"] == room);
    assert_eq!(all(found.expect("the room")), own);
    own
}

#[track_caller]
fn read(user: &User, room: &str, body: &Value) -> Value {
    user.in_room("PUT", room, "/read", body).expect(200).json()
}

fn a_marker_moves_forward_only_and_back_on_purpose(backend: Backend) {
    let server = Server::start(backend);
    let [alice, bob] = ["alice", "bob"].map(|name| User::register(&server, name));
    for text in ["one", "two", "three"] {
        alice.post(text, None).expect(201);
    }
    assert_eq!(counts(&bob, "general"), (0, 3, 0));
    let marker = read(&bob, "general", &json!({"seq": 2}));
    assert_eq!(
        marker,
        json!({"room": "general", "user_id": bob.id, "seq": 2, "unread": 1, "mentions": 0, "at": 3})
    );
    // An older device says where it was.
    assert_eq!(read(&bob, "general", &json!({"seq": 1}))["seq"], 2);
    assert_eq!(counts(&bob, "general"), (2, 1, 0));
    let marker = read(&bob, "general", &json!({"seq": 1, "unread": true}));
    assert_eq!((&marker["seq"], &marker["unread"]), (&json!(0), &json!(3)));
    assert_eq!(counts(&bob, "general"), (0, 3, 0));
    read(&bob, "general", &json!({"seq": 3}));
    assert_eq!(counts(&bob, "general"), (3, 0, 0));

    for body in [json!({"seq": 4}), json!({"seq": 4, "unread": true})] {
        let refused = bob.in_room("PUT", "general", "/read", &body);
        refused.expect_problem(422, "validation_error");
    }
    let refused = bob.in_room("PUT", "general", "/read", &json!({"seq": 1, "thread": 1}));
    refused.expect_problem(404, "message_not_found");
    let mut socket = bob.connect();
    socket.send_json(&json!({"type": "read", "room": "general", "seq": 9, "ref": "r"}));
    let error = socket.expect_type("error");
    assert_eq!(
        (&error["code"], &error["ref"]),
        (&json!("validation_error"), &json!("r"))
    );
    assert_eq!(counts(&bob, "general"), (3, 0, 0));
}

fn all_devices_of_a_user_hear_of_a_marker_and_no_one_else(backend: Backend) {
    let server = Server::start(backend);
    let [alice, bob] = ["alice", "bob"].map(|name| User::register(&server, name));
    alice.post("one", None).expect(201);
    let (mut phone, mut laptop, mut hers) = (bob.connect(), bob.connect(), alice.connect());
    let mut old = Socket::open(server.addr, &format!("?token={}", bob.token), &[]).expect("opens");
    phone.send_json(&json!({"type": "read", "room": "general", "seq": 1, "ref": "r"}));
    let told = laptop.expect_type("read");
    assert_eq!(
        told,
        json!({"type": "read", "room": "general", "user_id": bob.id, "seq": 1, "unread": 0, "mentions": 0, "at": 1})
    );
    // The device itself is told, too; its ack may come before that.
    let mut heard = Vec::new();
    while heard.len() < 2 {
        heard.push(phone.expect(|frame| frame["type"] == "read" || frame["type"] == "ack"));
    }
    assert!(heard.contains(&told), "{heard:?}");
    let is_ack = |frame: &&Value| frame["ref"] == "r" && frame["seq"] == 1;
    assert!(heard.iter().any(|frame| is_ack(&frame)), "{heard:?}");
    // In a room of two it is a receipt, without what is unread.
    assert_eq!(
        hers.expect_type("read"),
        json!({"type": "read", "room": "general", "user_id": bob.id, "seq": 1})
    );
    alice.post("two", None).expect(201);
    let heard = old.expect(|frame| frame["type"] != "system");
    assert_eq!(heard["content"], "two", "an old client knows no such frame");
}

fn newcomers_and_those_who_come_back_begin_where_they_came_in(backend: Backend) {
    let server = Server::start(backend);
    let alice = User::register(&server, "alice");
    alice.post("before", None).expect(201);
    let bob = User::register(&server, "bob");
    assert_eq!(counts(&bob, "general"), (1, 0, 0));

    let room = alice.make_room("garden", "public", &[]);
    alice.post_to(&room, "before").expect(201);
    let path = format!("/members/{}", bob.name);
    bob.in_room("PUT", &room, &path, &json!({})).expect(200);
    assert_eq!(counts(&bob, &room), (3, 0, 0), "he came in by change 3");
    let mut socket = bob.connect();
    alice.post_to(&room, "after").expect(201);
    assert_eq!(counts(&bob, &room), (3, 1, 0));
    bob.in_room("DELETE", &room, &path, &Value::Null)
        .expect(204);
    alice.post_to(&room, "while he was away").expect(201);
    alice.in_room("PUT", &room, &path, &json!({})).expect(200);
    assert_eq!(counts(&bob, &room), (7, 0, 0), "he was brought in by 7");
    let here = socket.expect(|frame| frame["type"] == "room" && frame["kind"] == "public");
    assert_eq!((&here["read_seq"], &here["unread"]), (&json!(7), &json!(0)));
    let made = alice.make_room("shed", "private", &[&bob]);
    assert_eq!(counts(&bob, &made), (1, 0, 0));
    let direct = json!({"users": ["bob"]});
    let direct = alice.http().post("/api/direct", &direct).expect(201).json();
    let direct = direct["room"].as_str().expect("a key");
    alice.post_to(direct, "hello").expect(201);
    assert_eq!(counts(&bob, direct), (1, 1, 0));
}

fn only_what_other_people_wrote_and_no_one_deleted_is_unread(backend: Backend) {
    let server = Server::start(backend);
    let [alice, bob, carol] = ["alice", "bob", "carol"].map(|name| User::register(&server, name));
    let room = alice.make_room("garden", "public", &[&bob]);
    let id = |answer: &Value| answer["id"].as_u64().expect("a number");
    let first = id(&alice.post_to(&room, "to be deleted").expect(201).json());
    let second = id(&alice.post_to(&room, "for bob").expect(201).json());
    bob.post_to(&room, "his own").expect(201);
    carol
        .in_room("PUT", &room, "/members/carol", &json!({}))
        .expect(200);
    let third = id(&carol.post_to(&room, "for all").expect(201).json());
    assert_eq!(counts(&bob, &room), (1, 3, 0));
    for (user, message) in [
        (bob.id, second),
        (bob.id, third),
        (0, third),
        (bob.id, first),
    ] {
        server.database.execute(&format!(
            "INSERT INTO mentions (room_id, user_id, message_id) VALUES ({room}, {user}, {message})"
        ));
    }
    assert_eq!(counts(&bob, &room), (1, 3, 3), "one of them twice");
    assert_eq!(counts(&alice, &room), (1, 2, 1), "all are meant by one");
    assert_eq!(counts(&carol, &room).1, 0, "it is her own");
    let path = format!("/messages/{first}");
    alice
        .in_room("DELETE", &room, &path, &Value::Null)
        .expect(200);
    assert_eq!(counts(&bob, &room), (1, 2, 2));
    // What stands in a thread alone is counted there.
    server.database.execute(&format!(
        "UPDATE messages SET thread = {first}, thread_only = TRUE WHERE room_id = {room} AND id = {third}"
    ));
    server.database.execute(&format!(
        "UPDATE mentions SET thread = {first} WHERE room_id = {room} AND message_id = {third}"
    ));
    assert_eq!(counts(&bob, &room), (1, 1, 1));
    let at = listed(&bob, &room)["last_at"].clone();
    let message = bob.in_room(
        "GET",
        &room,
        &format!("/messages/{}", third - 1),
        &Value::Null,
    );
    assert_eq!(at, message.expect(200).json()["created_at"]);
}

fn what_one_wants_to_be_told_is_kept_for_all_devices(backend: Backend) {
    let server = Server::start(backend);
    let [alice, bob] = ["alice", "bob"].map(|name| User::register(&server, name));
    let direct = json!({"users": ["bob"]});
    let direct = alice.http().post("/api/direct", &direct).expect(201).json();
    assert_eq!(direct["notify"], "all");
    assert_eq!(listed(&bob, "general")["notify"], "mentions");
    let mut phone = bob.connect();
    let set = |level: &str| bob.in_room("PUT", "general", "/notify", &json!({"level": level}));
    set("nothing").expect(204);
    let told = phone.expect_type("room");
    assert_eq!(
        told,
        json!({"type": "room", "room": "general", "changed": ["notify"], "notify": "nothing"})
    );
    assert_eq!(listed(&bob, "general")["notify"], "nothing");
    assert_eq!(listed(&alice, "general")["notify"], "mentions");
    set("loudly").expect_problem(422, "validation_error");
}

fn counting_stops_at_a_thousand(backend: Backend) {
    let server = Server::start(backend);
    let [alice, bob] = ["alice", "bob"].map(|name| User::register(&server, name));
    let room = alice.make_room("garden", "private", &[&bob]);
    let fill = |from: u64, upto: u64, user: &User| {
        server.database.execute(&format!(
            "WITH RECURSIVE n (i) AS (SELECT {from} UNION ALL SELECT i + 1 FROM n WHERE i < {upto}) \
             INSERT INTO messages (room_id, id, seq, user_id, content, created_at, kind, previous) \
             SELECT {room}, i, i, {}, 'x', '2026-11-27 00:00:00', 'text', i - 1 FROM n",
            user.id
        ));
        server.database.execute(&format!(
            "UPDATE rooms SET last_seq = {upto}, last_message_id = {upto} WHERE id = {room}"
        ));
    };
    fill(3, 1_001, &alice);
    assert_eq!(counts(&bob, &room), (1, 999, 0));
    fill(1_002, 1_102, &alice);
    assert_eq!(counts(&bob, &room), (1, 1_000, 0));
    // So many of one's own are looked at, and no more.
    read(&bob, &room, &json!({"seq": 1_102}));
    fill(1_103, 4_101, &bob);
    fill(4_102, 4_110, &alice);
    assert_eq!(counts(&bob, &room), (1_102, 1, 0));
    read(&bob, &room, &json!({"seq": 1_103}));
    assert_eq!(counts(&bob, &room), (1_103, 2, 0));
}

/// Someone who was away for long, or whom a program names in each of its messages.
fn thousands_of_mentions_keep_nobody_out(backend: Backend) {
    let server = Server::start(backend);
    let [alice, bob] = ["alice", "bob"].map(|name| User::register(&server, name));
    let room = alice.make_room("garden", "private", &[&bob]);
    let first = alice.post_to(&room, "status").expect(201).json()["id"].clone();
    let fill = |from: u64, upto: u64, thread: &str, beside: bool| {
        let numbers = format!(
            "WITH RECURSIVE n (i) AS (SELECT {from} UNION ALL SELECT i + 1 FROM n WHERE i < {upto})"
        );
        server.database.execute(&format!(
            "{numbers} INSERT INTO messages (room_id, id, seq, user_id, content, created_at, kind, previous, thread, thread_only) \
             SELECT {room}, i, i, {}, 'x', '2026-11-27 00:00:00', 'text', i - 1, {thread}, {beside} FROM n; \
             {numbers} INSERT INTO mentions (room_id, user_id, message_id, thread) SELECT {room}, {}, i, {thread} FROM n; \
             UPDATE rooms SET last_seq = {upto}, last_message_id = {upto} WHERE id = {room}",
            alice.id, bob.id
        ));
    };
    fill(4, 4_003, "NULL", false);
    fill(4_004, 8_003, "3", true);
    assert_eq!(first, 3);
    server.database.execute(&format!(
        "INSERT INTO threads (room_id, id, replies, last_id, last_at, seq) VALUES ({room}, 3, 4000, 8003, '2026-11-27 00:00:00', 8003); \
         INSERT INTO thread_people (room_id, thread, user_id) VALUES ({room}, 3, {})",
        bob.id
    ));
    assert_eq!(counts(&bob, &room), (1, 1_000, 1_000));
    let back = json!({"seq": 4_004, "thread": 3, "unread": true});
    let marker = read(&bob, &room, &back);
    let many = json!(1_000);
    assert_eq!((&marker["unread"], &marker["mentions"]), (&many, &many));
    let threads = bob.http().get("/api/threads").expect(200).json();
    let thread = &threads.as_array().expect("a list")[0];
    assert_eq!((&thread["unread"], &thread["mentions"]), (&many, &many));
}

fn many_marks_at_once_are_all_kept(backend: Backend) {
    let server = Server::start(backend);
    let alice = User::register(&server, "alice");
    let readers = User::register_all(&server, "reader", 8);
    for n in 0..40 {
        alice.post(&format!("message {n}"), None).expect(201);
    }
    std::thread::scope(|scope| {
        for reader in &readers {
            scope.spawn(move || {
                let mut socket = reader.connect();
                for seq in 1..=30 {
                    let frame = json!({"type": "read", "room": "general", "seq": seq, "ref": seq.to_string()});
                    socket.send_json(&frame);
                }
                socket.expect(|frame| frame["type"] == "ack" && frame["ref"] == "30");
                // It is on the disk now, whatever was on its way.
                assert_eq!(listed(reader, "general")["read_seq"], 30);
            });
        }
    });
    for reader in &readers {
        assert_eq!(counts(reader, "general"), (30, 10, 0));
    }
}
