//! Mentions: who is addressed in a text, told with it, counted for whoever is, and taken back with an edit or a deletion.

use serde_json::{Value, json};

use crate::support::{Backend, Server, User};

on_both![
    a_mention_is_told_with_its_place_wherever_the_message_is_shown,
    a_name_means_the_longest_that_a_member_has,
    an_edit_adds_mentions_and_takes_them_back_and_a_deletion_all,
    all_are_addressed_in_small_rooms_and_by_those_who_keep_order,
    who_is_mentioned_in_a_thread_follows_it,
    a_mention_in_a_reply_that_stands_in_the_room_too_counts_in_both,
];

/// Names and places of the mentions of a message.
fn places(message: &Value) -> Vec<(Value, u64, u64)> {
    let mentions = message["mentions"].as_array().cloned().unwrap_or_default();
    let place = |one: &Value| {
        let number = |name: &str| one[name].as_u64().expect("a number");
        let whom = match (&one["user_id"], &one["room"], &one["here"]) {
            (id, Value::Null, Value::Null) => id.clone(),
            (Value::Null, room, Value::Null) => json!(["room", room]),
            (Value::Null, Value::Null, here) => json!(["here", here]),
            _ => panic!("one of them: {one}"),
        };
        (whom, number("from"), number("to"))
    };
    mentions.iter().map(place).collect()
}

/// What is counted of mentions: user and message.
fn counted(server: &Server) -> Vec<String> {
    let rows = server.database.query(
        "SELECT user_id || ' ' || message_id || ' ' || COALESCE(thread, 0) AS value FROM mentions ORDER BY message_id, user_id",
    );
    rows.into_iter().flatten().collect()
}

fn edit(user: &User, id: u64, content: &str) -> Value {
    let path = format!("/api/rooms/general/messages/{id}");
    let edited = user.ask("PATCH", &path, &[], &json!({"content": content}));
    edited.expect(200).json()
}

fn a_mention_is_told_with_its_place_wherever_the_message_is_shown(backend: Backend) {
    let server = Server::start(backend);
    let [alice, bob] = ["alice", "Bob"].map(|name| User::register(&server, name));
    let mut his = bob.connect();
    let text = "👍 **@bob**, @Alice; `@bob`, @nobody-here x@bob @room";
    let said = alice.post(text, None).expect(201).json();
    let wanted = vec![
        (json!(bob.id), 4, 8),
        (json!(alice.id), 12, 18),
        (json!(["room", true]), 47, 52),
    ];
    assert_eq!(places(&said), wanted);
    assert_eq!(places(&his.expect_message(text)), wanted);
    assert_eq!(places(&bob.page("")[0]), wanted);
    assert_eq!(places(&bob.page("?since=0")[0]), wanted);
    // In code points, as people count characters of a text.
    let chars: Vec<char> = text.chars().collect();
    assert_eq!(chars[4..8].iter().collect::<String>(), "@bob");
    assert_eq!(chars[47..52].iter().collect::<String>(), "@room");
    let mut late = alice.connect();
    late.send_json(&json!({"type": "sync", "rooms": {"general": 0}}));
    assert_eq!(places(&late.expect_message(text)), wanted);
    // Whoever mentions themselves is not counted as mentioned.
    assert_eq!(
        counted(&server),
        ["0 1 0".to_owned(), format!("{} 1 0", bob.id)]
    );
    let frame = json!({"type": "message", "content": "@here @bob"});
    his.ask(frame);
    let heard = late.expect_message("@here @bob");
    assert_eq!(
        places(&heard),
        [(json!(["here", true]), 0, 5), (json!(bob.id), 6, 10)]
    );
    assert_eq!(counted(&server).len(), 2);
    let plain = alice.post("nobody", None).expect(201).json();
    assert!(plain["mentions"].is_null());
}

fn a_name_means_the_longest_that_a_member_has(backend: Backend) {
    let server = Server::start(backend);
    let [ann, anna, ann_b, marked] =
        ["ann", "anna", "ann-b", "ann_"].map(|name| User::register(&server, name));
    let stranger = User::register(&server, "stranger");
    let garden = ann.make_room("garden", "private", &[&anna, &ann_b, &marked]);
    for (text, who) in [
        ("@ann", Some((&ann, 4))),
        ("@anna", Some((&anna, 5))),
        ("@annab", None),
        ("@ann-b", Some((&ann_b, 6))),
        ("@ann-c", None),
        ("@ann-", Some((&ann, 4))),
        ("@ann-b_", Some((&ann_b, 6))),
        // Marked up or not, who is called so is meant.
        ("@ann_", Some((&marked, 5))),
        ("@ann__", Some((&marked, 5))),
        ("@an", None),
        ("@stranger", None),
    ] {
        let said = ann.post_to(&garden, text).expect(201).json();
        let wanted: Vec<_> = who
            .into_iter()
            .map(|(user, to)| (json!(user.id), 0, to))
            .collect();
        assert_eq!(places(&said), wanted, "{text}");
    }
    // In a room that they are in, strangers have names, too.
    let said = stranger.post("@ann @stranger", None).expect(201).json();
    assert_eq!(places(&said).len(), 2);
}

fn an_edit_adds_mentions_and_takes_them_back_and_a_deletion_all(backend: Backend) {
    let server = Server::start(backend);
    let [alice, bob, carol] = ["alice", "bob", "carol"].map(|name| User::register(&server, name));
    let mut his = bob.connect();
    alice.post("hello", None).expect(201);
    let row = |user: &User| format!("{} 1 0", user.id);
    let told = |content: &str, socket: &mut crate::support::Socket| {
        let frame = socket.expect(|frame| frame["type"] == "message_changed");
        assert_eq!(frame["content"], content);
        places(&frame)
    };
    edit(&alice, 1, "hello @bob");
    assert_eq!(told("hello @bob", &mut his), [(json!(bob.id), 6, 10)]);
    assert_eq!(counted(&server), [row(&bob)]);
    edit(&alice, 1, "hi @bob and @carol");
    assert_eq!(told("hi @bob and @carol", &mut his).len(), 2);
    assert_eq!(counted(&server), [row(&bob), row(&carol)]);
    edit(&alice, 1, "hi `@bob` and @carol");
    assert_eq!(
        told("hi `@bob` and @carol", &mut his),
        [(json!(carol.id), 14, 20)]
    );
    assert_eq!(counted(&server), [row(&carol)]);
    edit(&alice, 1, "hi");
    assert_eq!(told("hi", &mut his), []);
    assert!(counted(&server).is_empty());
    edit(&alice, 1, "hi @carol");
    assert_eq!(counted(&server), [row(&carol)]);
    let gone = alice.ask("DELETE", "/api/rooms/general/messages/1", &[], &Value::Null);
    assert!(gone.expect(200).json()["mentions"].is_null());
    assert!(counted(&server).is_empty());
}

fn all_are_addressed_in_small_rooms_and_by_those_who_keep_order(backend: Backend) {
    let server = Server::start(backend);
    let people = User::register_all(&server, "person", 21);
    let (owner, member) = (&people[0], &people[1]);
    let others: Vec<&User> = people[1..20].iter().collect();
    let garden = owner.make_room("garden", "private", &others);
    let addressed = |user: &User| {
        let said = user.post_to(&garden, "@room @here").expect(201).json();
        places(&said).len()
    };
    assert_eq!((addressed(owner), addressed(member)), (2, 2));
    owner
        .in_room("PUT", &garden, "/members/person20", &json!({}))
        .expect(200);
    // It is said, and is a text like any other.
    assert_eq!((addressed(owner), addressed(member)), (2, 0));
    let said = member.post_to(&garden, "lunch").expect(201).json();
    let path = format!("/messages/{}", said["id"]);
    let edited = member.in_room("PATCH", &garden, &path, &json!({"content": "lunch @room"}));
    assert!(edited.expect(200).json()["mentions"].is_null());
    let role = json!({"role": "moderator"});
    owner
        .in_room("PUT", &garden, "/members/person1", &role)
        .expect(200);
    assert_eq!(addressed(member), 2);
    let edited = member.in_room("PATCH", &garden, &path, &json!({"content": "lunch, @room"}));
    assert_eq!(places(&edited.expect(200).json()).len(), 1);
}

fn a_mention_in_a_reply_that_stands_in_the_room_too_counts_in_both(backend: Backend) {
    let server = Server::start(backend);
    let [alice, bob] = ["alice", "bob"].map(|name| User::register(&server, name));
    alice.post("lunch?", None).expect(201);
    for (content, also_to_room) in [("@alice", true), ("@room", true), ("@alice", false)] {
        let body = json!({"content": content, "thread": 1, "also_to_room": also_to_room});
        bob.in_room("POST", "general", "/messages", &body)
            .expect(201);
    }
    let mut device = alice.connect();
    let room = &device.connected["rooms"][0];
    assert_eq!((&room["unread"], &room["mentions"]), (&json!(2), &json!(2)));
    let listed = alice.http().get("/api/threads").expect(200).json()[0].clone();
    let back = json!({"seq": 1, "thread": 1, "unread": true});
    let read = alice.in_room("PUT", "general", "/read", &back).expect(200);
    let heard = device.expect_type("read");
    for counted in [listed, read.json(), heard] {
        assert_eq!(
            (&counted["unread"], &counted["mentions"]),
            (&json!(3), &json!(3)),
            "{counted}"
        );
    }
}

fn who_is_mentioned_in_a_thread_follows_it(backend: Backend) {
    let server = Server::start(backend);
    let [alice, bob, carol, dave] =
        ["alice", "bob", "carol", "dave"].map(|name| User::register(&server, name));
    alice.post("ask @dave", None).expect(201);
    let follows = |user: &User| {
        let threads = user.http().get("/api/threads").expect(200).json();
        threads
            .as_array()
            .expect("an array")
            .iter()
            .map(|thread| (thread["unread"].as_u64(), thread["mentions"].as_u64()))
            .next()
    };
    let reply = |user: &User, content: &str| {
        let body = json!({"content": content, "thread": 1});
        user.in_room("POST", "general", "/messages", &body)
            .expect(201);
    };
    reply(&bob, "one");
    reply(&bob, "two, @carol");
    reply(&bob, "three");
    assert_eq!(follows(&alice), Some((Some(3), Some(0))));
    // From where they came into it.
    assert_eq!(follows(&carol), Some((Some(2), Some(1))));
    assert_eq!(follows(&dave), Some((Some(3), Some(0))));
    let path = "/messages/1/follow";
    carol
        .in_room("DELETE", "general", path, &Value::Null)
        .expect(204);
    reply(&bob, "@carol @alice");
    // Whoever wants it no more is not brought back by others.
    assert_eq!(follows(&carol), None);
    assert_eq!(follows(&alice), Some((Some(4), Some(1))));
    // What stands in a thread alone counts there, and not in the room.
    let rows = counted(&server);
    assert!(rows.contains(&format!("{} 3 1", carol.id)), "{rows:?}");
    assert!(rows.contains(&format!("{} 1 0", dave.id)), "{rows:?}");
}
