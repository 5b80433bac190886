//! A sealed text reads only where it was put, and a number that was lost is told from one that a change has taken.

use serde_json::{Value, json};

use crate::{
    doctor::doctor_of,
    support::{Backend, PASSWORD, Server, User},
    users::{done, users},
};

on_both![
    a_text_pasted_over_another_is_unreadable,
    a_message_is_no_topic_and_no_address_and_not_what_the_room_says,
    a_lost_message_is_told_from_a_number_of_a_change,
];

fn unreadable(messages: &[Value]) -> Vec<u64> {
    let are_not = messages.iter().filter(|one| one["unreadable"] == true);
    are_not
        .map(|one| one["id"].as_u64().expect("an id"))
        .collect()
}

fn a_text_pasted_over_another_is_unreadable(backend: Backend) {
    let server = Server::start(backend);
    let alice = User::register(&server, "alice");
    let bob = User::register(&server, "bob");
    for n in 0..3 {
        alice.post(&format!("of alice {n}"), None).expect(201);
        bob.post(&format!("of bob {n}"), None).expect(201);
    }
    assert!(unreadable(&alice.history()).is_empty());
    let paste = |columns: &str, from: u32, to: u32| {
        let sql = format!(
            "UPDATE messages SET ({columns}) = (SELECT {columns} FROM messages WHERE id = {from}) WHERE id = {to}"
        );
        server.database.execute(&sql);
    };
    // Bob's words as those of Alice, with and without what binds them; hers in another place; and a row given to another.
    paste("content, mac", 2, 1);
    paste("content, created_at", 4, 3);
    paste("content, mac", 1, 5);
    server.database.execute(&format!(
        "UPDATE messages SET user_id = {} WHERE id = 6",
        alice.id
    ));
    let wrong = [1, 3, 5, 6];
    assert_eq!(unreadable(&bob.history()), wrong);
    assert_eq!(unreadable(&bob.page("?limit=50")), wrong);
    let ended = doctor_of(&server, &[]);
    let words = "4 of the messages cannot be opened, the first is message 1 of room general";
    assert!(ended.stdout.contains(words), "{}", ended.stdout);
}

/// Whoever can write the database, and messages, makes other sealed texts out of them.
fn a_message_is_no_topic_and_no_address_and_not_what_the_room_says(backend: Backend) {
    let server = Server::start(backend);
    let account = |name: &str| {
        let email = format!("{name}@example.org");
        let body = json!({"username": name, "password": PASSWORD, "email": email});
        server.http().post("/api/auth/register", &body).expect(201);
        User::returning(&server, name, 0)
    };
    let (alice, _bob) = (account("alice"), account("bob"));
    let room = alice.make_room("park", "public", &[]);
    let other = alice.make_room("lake", "public", &[]);
    let topic = |room: &str| alice.in_room("GET", room, "", &json!({})).json()["topic"].clone();
    for (room, topic) in [(&room, "trees"), (&other, "boats")] {
        let set = alice.in_room("PATCH", room, "", &json!({"topic": topic}));
        set.expect(200);
    }
    assert_eq!(
        (topic(&room), topic(&other)),
        (json!("trees"), json!("boats"))
    );
    let email = |name: &str| {
        let shown = done(users(&server, &["show", name, "--json"], ""));
        let account = shown.lines().next().expect("a line").to_owned();
        serde_json::from_str::<Value>(&account).expect("an object")["email"].clone()
    };
    assert_eq!(email("bob"), "bob@example.org");

    // As a topic of this room was sealed once; an address; and what a room says when it is renamed.
    let says =
        json!({"text": "alice renamed the room to x", "event": {"type": "renamed", "name": "x"}});
    for (n, text) in [
        format!("{room} pay to mallory"),
        "m@example.org".into(),
        says.to_string(),
    ]
    .iter()
    .enumerate()
    {
        let posted = alice.post(text, None).expect(201).json();
        assert_eq!(posted["id"], n + 1);
    }
    let words_of =
        |id: u32| format!("(SELECT content FROM messages WHERE room_id = 1 AND id = {id})");
    let bound = |id: u32| {
        format!("(SELECT content || '.' || mac FROM messages WHERE room_id = 1 AND id = {id})")
    };
    for words in [
        words_of(1),
        bound(1),
        format!("(SELECT topic FROM rooms WHERE id = {other})"),
    ] {
        let sql = format!("UPDATE rooms SET topic = {words} WHERE id = {room}");
        server.database.execute(&sql);
        assert_eq!(topic(&room), Value::Null, "{words}");
    }
    let of_alice = "(SELECT email FROM users WHERE username_key = 'alice')".to_owned();
    for words in [words_of(2), bound(2), of_alice] {
        let sql = format!("UPDATE users SET email = {words} WHERE username_key = 'bob'");
        server.database.execute(&sql);
        assert_eq!(email("bob"), json!({"unreadable": true}), "{words}");
    }
    assert_eq!(email("alice"), "alice@example.org");
    server
        .database
        .execute("UPDATE messages SET kind = 'system' WHERE room_id = 1 AND id = 3");
    assert_eq!(unreadable(&alice.history()), [3]);
    let shown = alice.page("?limit=50");
    assert_eq!(
        (&shown[2]["content"], &shown[2]["event"]),
        (&json!(""), &Value::Null)
    );
    // And what the room has said is not what someone has written.
    let in_room = || alice.in_room("GET", &room, "/messages", &json!({})).json();
    assert_eq!(in_room()[0]["kind"], "system");
    assert_eq!(in_room()[0]["unreadable"], Value::Null);
    let sql = format!("UPDATE messages SET kind = 'text' WHERE room_id = {room} AND id = 1");
    server.database.execute(&sql);
    assert_eq!(in_room()[0]["unreadable"], true);
}

/// Messages 1, 2, 3 and 6, 8, 9; the numbers 4, 5 and 7 are changes, of which nobody knows any more but by the latest.
fn a_lost_message_is_told_from_a_number_of_a_change(backend: Backend) {
    let server = Server::start(backend);
    let alice = User::register(&server, "alice");
    let post = |count: usize| {
        for _ in 0..count {
            alice.post("hello", None).expect(201);
        }
    };
    let change = |id: u32, seq: u32| {
        server.database.execute(&format!(
            "UPDATE messages SET seq = {seq} WHERE id = {id}; UPDATE rooms SET last_seq = {seq} WHERE id = 1"
        ));
    };
    let ids = |query: &str| -> Vec<u64> {
        let page = alice.page(query);
        page.iter()
            .map(|one| one["id"].as_u64().expect("an id"))
            .collect()
    };
    post(3);
    change(2, 4);
    change(2, 5);
    post(1);
    change(2, 7);
    post(2);
    for query in ["", "?after=0", "?before=10", "?around=6"] {
        assert_eq!(ids(query), [1, 2, 3, 6, 8, 9], "{query}");
    }
    assert_eq!(ids("?since=0"), [1, 3, 6, 2, 8, 9]);
    assert_eq!(ids("?since=0&limit=2"), [1, 3]);
    assert_eq!(ids("?since=4"), [6, 2, 8, 9]);
    assert_eq!(ids("?before=6&limit=1"), [3]);
    assert_eq!(ids("?after=3&limit=1"), [6]);
    assert!(unreadable(&alice.history()).is_empty());
    assert_eq!(doctor_of(&server, &[]).status.code(), Some(0));

    server
        .database
        .execute("DELETE FROM messages WHERE id IN (3, 8)");
    for query in ["", "?after=0", "?before=10", "?around=6", "?limit=6"] {
        assert_eq!(ids(query), [1, 2, 3, 6, 8, 9], "{query}");
        assert_eq!(unreadable(&alice.page(query)), [3, 8], "{query}");
    }
    // The page before a message knows of what was lost right before it.
    for query in ["?before=6&limit=1", "?before=9&limit=1"] {
        assert_eq!(unreadable(&alice.page(query)).len(), 1, "{query}");
    }
    assert_eq!(unreadable(&alice.page("?since=7")), [8]);
    let ended = doctor_of(&server, &[]);
    let words = "Room general has lost 2 of its 6 messages";
    assert!(ended.stdout.contains(words), "{}", ended.stdout);
}
