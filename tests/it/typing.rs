//! Who is writing is told to those who could read it, and to no one else.

use serde_json::{Value, json};

use crate::support::{Backend, Server, Socket, User};

on_both![
    it_is_told_who_is_writing_to_those_who_could_read_it,
    nothing_is_heard_of_who_writes_in_a_direct_room_that_one_has_hidden,
];

fn it_is_told_who_is_writing_to_those_who_could_read_it(backend: Backend) {
    let server = Server::start(backend);
    let [alice, bob, eve] = ["alice", "bob", "eve"].map(|name| User::register(&server, name));
    let room = alice.make_room("garden", "private", &[&bob]);
    let (mut hers, mut his, mut strangers) = (alice.connect(), bob.connect(), eve.connect());
    let typing = |thread: Value| json!({"type": "typing", "room": room, "thread": thread});
    assert_eq!(his.ask(typing(Value::Null))["type"], "ack");
    let told = hers.expect_type("typing");
    assert_eq!(
        told,
        json!({"type": "typing", "room": room, "user_id": bob.id, "username": "bob"})
    );
    let first = alice.post_to(&room, "first").expect(201).json()["id"].clone();
    assert_eq!(his.ask(typing(first.clone()))["type"], "ack");
    assert_eq!(hers.expect_type("typing")["thread"], first);
    // Said again at once, it is told once.
    for _ in 0..20 {
        assert_eq!(his.ask(typing(first.clone()))["type"], "ack");
    }
    his.send_json(&json!({"type": "message", "room": room, "content": "done"}));
    let mut told = 0;
    while hers.next_frame()["type"] != "message" {
        told += 1;
    }
    assert!(told <= 1, "{told}");
    // Where no thread can be, nobody writes: the room was made by the first message, and there is no hundredth.
    for none in [json!(1), json!(100), json!(u64::MAX)] {
        assert_eq!(his.ask(typing(none))["code"], "message_not_found");
    }
    assert_eq!(strangers.ask(typing(Value::Null))["code"], "room_not_found");
    // Whoever may not write is not told to be writing.
    alice
        .in_room(
            "PUT",
            &room,
            "/members/bob",
            &json!({"muted_until": "2999-01-01T00:00:00+00:00"}),
        )
        .expect(200);
    assert_eq!(bob.connect().ask(typing(Value::Null))["code"], "muted");
    alice
        .in_room("PATCH", &room, "", &json!({"archived": true}))
        .expect(200);
    assert_eq!(
        alice.connect().ask(typing(Value::Null))["code"],
        "room_archived"
    );
    let is_typing = |frame: &Value| frame["type"] == "typing";
    assert!(!his.drain().iter().any(is_typing), "nor to oneself");
    assert!(!strangers.drain().iter().any(is_typing));
    // An old client would print it.
    let mut old = Socket::open(server.addr, &format!("?token={}", alice.token), &[]).unwrap();
    assert_eq!(
        his.ask(json!({"type": "typing", "room": "general"}))["type"],
        "ack"
    );
    hers.expect(|frame| is_typing(frame) && frame["room"] == "general");
    assert!(
        !old.drain_any()
            .iter()
            .any(|frame| is_typing(frame) || frame["type"] == "presence")
    );
}

fn nothing_is_heard_of_who_writes_in_a_direct_room_that_one_has_hidden(backend: Backend) {
    let server = Server::start(backend);
    let [alice, bob] = ["alice", "bob"].map(|name| User::register(&server, name));
    let made = bob.ask("POST", "/api/direct", &[], &json!({"users": ["alice"]}));
    let room = made.expect(201).json()["room"].clone();
    let room = room.as_str().expect("a key");
    let (mut hers, mut his) = (alice.connect(), bob.connect());
    // Of the same place it would be told once in a while.
    let writes = |socket: &mut Socket, thread: &Value| {
        let typing = json!({"type": "typing", "room": room, "thread": thread});
        assert_eq!(socket.ask(typing)["type"], "ack");
    };
    let is_told = |socket: &mut Socket| {
        let frames = socket.drain();
        frames.iter().any(|frame| frame["type"] == "typing")
    };
    writes(&mut his, &Value::Null);
    assert!(!is_told(&mut hers), "nothing is said in it yet");
    let hello = bob.post_to(room, "hello").expect(201).json()["id"].clone();
    writes(&mut his, &hello);
    assert_eq!(hers.expect_type("typing")["thread"], hello);
    let hidden = format!("/api/rooms/{room}/hidden");
    alice.ask("PUT", &hidden, &[], &Value::Null).expect(204);
    writes(&mut his, &Value::Null);
    assert!(!is_told(&mut hers), "it is hidden");
    // The one who has not hidden it hears the other.
    writes(&mut hers, &hello);
    assert_eq!(his.expect_type("typing")["thread"], hello);
    bob.post_to(room, "are you there?").expect(201);
    writes(&mut his, &hello);
    assert_eq!(hers.expect_type("typing")["thread"], hello);
}
