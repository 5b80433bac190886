//! What the system that Parlour replaces gets wrong, each seen on it as it ran. One test a defect.

use std::{thread, time::Duration};

use serde_json::{Value, json};

use crate::support::{
    Backend, Closed, Incoming, PASSWORD, Server, Socket, TIMEOUT, User, eventually, run,
};

fn contents(frames: &[Value]) -> Vec<&str> {
    frames
        .iter()
        .filter(|frame| frame["type"] == "message")
        .filter_map(|frame| frame["content"].as_str())
        .collect()
}

on_both![
    the_sixteenth_socket_is_served_like_the_first,
    joining_while_messages_go_out_ends_nobodys_socket,
    two_tabs_of_one_user_both_get_everything,
    a_frame_that_is_not_an_object_leaves_the_socket_alive,
    a_limit_out_of_range_is_refused,
    an_undecryptable_message_is_shown_as_unreadable,
    a_reader_that_stops_reading_stops_nobody,
    every_event_of_a_message_carries_its_number,
    all_worker_threads_are_one_chat,
    a_second_process_on_the_same_database_is_refused,
    names_that_differ_in_case_are_one_person,
    every_byte_of_a_password_counts,
];

/// Each socket pinned a pooled connection: the 16th blocked the whole server for 30 s.
fn the_sixteenth_socket_is_served_like_the_first(backend: Backend) {
    let server = Server::with(backend).env("DATABASE_POOL_SIZE", 4).start();
    let users = User::register_all(&server, "user", 4);
    let mut sockets: Vec<Socket> = (0..40).map(|n| users[n % 4].connect()).collect();
    for (n, socket) in sockets.iter_mut().enumerate() {
        socket.say(&format!("from socket {n}"));
    }
    assert_eq!(users[0].page("?limit=200").len(), 40);
}

/// A set of sockets changed while it was walked through: other people's sockets ended in silence.
fn joining_while_messages_go_out_ends_nobodys_socket(backend: Backend) {
    let server = Server::start(backend);
    let users = User::register_all(&server, "user", 5);
    let visitors = User::register_all(&server, "visitor", 10);
    let mut readers: Vec<Socket> = users[..4].iter().map(User::connect).collect();
    let mut writer = users[4].connect();
    thread::scope(|scope| {
        for crowd in visitors.chunks(5) {
            scope.spawn(move || {
                for _ in 0..8 {
                    for visitor in crowd {
                        visitor.connect().close();
                    }
                }
            });
        }
        for n in 0..200 {
            writer.say(&format!("m{n}"));
        }
    });
    let wanted: Vec<String> = (0..200).map(|n| format!("m{n}")).collect();
    for reader in &mut readers {
        let seen: Vec<Value> = (0..200).map(|_| reader.expect_type("message")).collect();
        assert_eq!(contents(&seen), wanted);
    }
}

/// A second tab took the first one's messages away, and when either closed neither got any.
fn two_tabs_of_one_user_both_get_everything(backend: Backend) {
    let server = Server::start(backend);
    let (alice, bob) = (
        User::register(&server, "alice"),
        User::register(&server, "bob"),
    );
    let mut bobs = bob.connect();
    let mut first = alice.connect();
    bobs.expect(|frame| frame["message"] == "alice joined the chat");
    let mut second = alice.connect();
    bobs.say("one");
    first.expect_message("one");
    second.expect_message("one");
    first.close();
    bobs.say("two");
    second.expect_message("two");
    // She is still here: no one was told that she left, nor that she came again.
    let told = bobs.drain();
    let notice = told.iter().find(|frame| frame["type"] == "system");
    assert_eq!(notice, None);
    second.close();
    bobs.expect(|frame| frame["message"] == "alice left the chat");
}

/// After a frame that was not JSON, or was JSON but no object, the socket stayed open and dead.
fn a_frame_that_is_not_an_object_leaves_the_socket_alive(backend: Backend) {
    let server = Server::start(backend);
    let alice = User::register(&server, "alice");
    for (text, code) in [
        ("hello", "invalid_json"),
        ("", "invalid_json"),
        ("{\"type\":\"message\",", "invalid_json"),
        ("[]", "not_an_object"),
        ("null", "not_an_object"),
        ("42", "not_an_object"),
        ("\"message\"", "not_an_object"),
    ] {
        let mut socket = alice.connect();
        socket.send_text(text);
        socket.expect_error(code);
        socket.say("still here");
        socket.close();
    }
}

/// `limit=-1` was a 500 and `limit=1000000000` was obeyed.
fn a_limit_out_of_range_is_refused(backend: Backend) {
    let server = Server::start(backend);
    let alice = User::register(&server, "alice");
    for path in ["/api/chat/messages", "/api/rooms/general/messages"] {
        for limit in [
            "-1",
            "0",
            "201",
            "1000000000",
            "99999999999999999999999",
            "ten",
            "",
            "1.5",
            "0x10",
        ] {
            let answer = alice.http().get(&format!("{path}?limit={limit}"));
            answer.expect_problem(422, "validation_error");
            let loc = answer.json()["errors"][0]["loc"].clone();
            assert_eq!(loc, json!(["query", "limit"]), "{path} {limit}");
        }
        for limit in [1, 200] {
            alice
                .http()
                .get(&format!("{path}?limit={limit}"))
                .expect(200);
        }
    }
}

/// A message that could not be decrypted vanished from history.
fn an_undecryptable_message_is_shown_as_unreadable(backend: Backend) {
    let server = Server::start(backend);
    let alice = User::register(&server, "alice");
    for content in ["one", "two", "three", "four"] {
        alice.post(content, None).expect(201);
    }
    // One character inside the ciphertext changed, another's text in its place, and no token at all.
    let stored = |id: u64| {
        let sql = format!("SELECT content AS value FROM messages WHERE id = {id}");
        server.database.query(&sql)[0].clone().expect("a token")
    };
    let mut tampered = stored(2);
    let flipped = if &tampered[40..41] == "A" { "B" } else { "A" };
    tampered.replace_range(40..41, flipped);
    for (id, content) in [(2, tampered.as_str()), (3, "not a token")] {
        server.database.execute(&format!(
            "UPDATE messages SET content = '{content}' WHERE id = {id}"
        ));
    }
    let check = |messages: &[Value], time: &str| {
        let shown: Vec<(u64, &str, bool)> = messages
            .iter()
            .map(|message| {
                assert_eq!(message["username"], "alice");
                assert!(message[time].is_string());
                (
                    message["id"].as_u64().expect("an id"),
                    message["content"].as_str().expect("text"),
                    message["unreadable"].as_bool().unwrap_or(false),
                )
            })
            .collect();
        assert_eq!(
            shown,
            [
                (1, "one", false),
                (2, "", true),
                (3, "", true),
                (4, "four", false)
            ]
        );
    };
    check(&alice.page("?limit=10"), "created_at");
    check(&alice.page("?since=0"), "created_at");
    check(
        alice
            .http()
            .get("/api/chat/messages")
            .json()
            .as_array()
            .expect("an array"),
        "created_at",
    );
    let mut socket = alice.connect();
    socket.send_json(&json!({"type": "sync", "rooms": {"general": 0}}));
    let frames: Vec<Value> = (0..4).map(|_| socket.expect_type("message")).collect();
    check(&frames, "timestamp");
    let synced = socket.expect_type("synced");
    assert_eq!(
        synced["rooms"]["general"],
        json!({"seq": 4, "complete": true})
    );
}

/// One reader that stopped reading froze the room for everyone after 4 MB.
fn a_reader_that_stops_reading_stops_nobody(backend: Backend) {
    let server = Server::start(backend);
    let users = User::register_all(&server, "user", 3);
    let mut stopped = users[0].connect();
    let mut reader = users[1].connect();
    let mut writer = users[2].connect();
    let padding = "x".repeat(15_000);
    // Twice what the kernel's buffers and the original's took.
    let count = 600;
    for n in 0..count {
        writer.say(&format!("{n} {padding}"));
        reader.expect_message(&format!("{n} {padding}"));
    }
    // The one that stopped is told, or cut off; never left to believe that it saw everything.
    let mut last = 0;
    let told = loop {
        match stopped.next(TIMEOUT) {
            Incoming::Frame(frame) if frame["type"] == "lag" => break true,
            Incoming::Frame(frame) if frame["type"] == "message" => {
                last += 1;
                assert_eq!(frame["seq"], last, "a hole without a word");
            }
            Incoming::Frame(_) => {}
            Incoming::Closed(Closed::Code(4008, _) | Closed::Cut) => break true,
            other => panic!("{other:?}"),
        }
    };
    assert!(told && last < count);
    let again = users[0].connect();
    assert_eq!(again.room_seq("general"), count);
    again.close();
    assert_eq!(users[0].history().len() as u64, count);
}

/// No event carried an id.
fn every_event_of_a_message_carries_its_number(backend: Backend) {
    let server = Server::start(backend);
    let (alice, bob) = (
        User::register(&server, "alice"),
        User::register(&server, "bob"),
    );
    let (mut hers, mut his) = (alice.connect(), bob.connect());
    for n in 1..=5_u64 {
        let ack = hers.say(&format!("m{n}"));
        let seen = his.expect_type("message");
        for frame in [&ack, &seen] {
            assert_eq!(
                (&frame["id"], &frame["seq"]),
                (&json!(n), &json!(n)),
                "{frame}"
            );
            assert_eq!(frame["room"], "general");
        }
    }
    let answer = bob.post("by HTTP", None).expect(201).json();
    assert_eq!((&answer["id"], &answer["seq"]), (&json!(6), &json!(6)));
    let seen = hers.expect_message("by HTTP");
    assert_eq!(
        (&seen["id"], &seen["seq"], &seen["user_id"]),
        (&json!(6), &json!(6), &json!(bob.id))
    );
}

/// Two workers made two separate chats.
fn all_worker_threads_are_one_chat(backend: Backend) {
    let server = Server::with(backend).env("WORKERS", 4).start();
    let users = User::register_all(&server, "user", 12);
    let mut sockets: Vec<Socket> = users.iter().map(User::connect).collect();
    for (n, socket) in sockets.iter_mut().enumerate() {
        // Others' messages, and its own, stay unread until later: `say` would pass over them.
        socket.send_json(&json!({"type": "message", "content": format!("m{n}")}));
    }
    let wanted: Vec<String> = (0..users.len()).map(|n| format!("m{n}")).collect();
    for socket in &mut sockets {
        let mut seen: Vec<String> = Vec::new();
        while seen.len() < wanted.len() {
            let frame = socket.expect_type("message");
            seen.push(frame["content"].as_str().expect("text").into());
        }
        seen.sort_by_key(|text| text[1..].parse::<usize>().expect("a number"));
        assert_eq!(seen, wanted);
    }
}

/// … and so did two processes: until they can tell each other what happens, the second is refused.
fn a_second_process_on_the_same_database_is_refused(backend: Backend) {
    let mut server = Server::start(backend);
    let elsewhere = tempfile::tempdir().expect("a folder");
    let url = server.database.url.clone();
    let key = std::fs::read_to_string(server.data_dir().join("encryption_key")).expect("a key");
    let second = run(
        &["serve"],
        &[
            ("DATABASE_URL", &url),
            ("ENCRYPTION_KEY", key.trim()),
            ("PORT", "0"),
            ("BCRYPT_COST", "4"),
        ],
        elsewhere.path(),
    );
    assert!(!second.status.success(), "{second:?}");
    assert!(
        second.stderr.contains("waiting up to 10 s for it to end")
            && second.stderr.contains("Another Parlour server is using"),
        "{second:?}"
    );
    assert!(!second.stdout.contains("listening"), "{second:?}");
    // The first one's end, even a violent one, leaves the place free.
    server.restart();
}

/// Names that differed only in case were two people.
fn names_that_differ_in_case_are_one_person(backend: Backend) {
    let server = Server::start(backend);
    let alice = User::register(&server, "Alice");
    for name in ["alice", "ALICE", "aLiCe", "Alice"] {
        let body = json!({"username": name, "password": PASSWORD});
        let taken = server.http().post("/api/auth/register", &body);
        assert_eq!(
            (taken.status, taken.json()["detail"].as_str()),
            (400, Some("Username already registered"))
        );
        let tokens = server
            .http()
            .post("/api/auth/login", &body)
            .expect(200)
            .json();
        let query = format!(
            "?token={}",
            tokens["access_token"].as_str().expect("a token")
        );
        let socket = Socket::open(server.addr, &query, &[]).expect("opens");
        assert_eq!(socket.connected["user_id"], json!(alice.id));
        assert_eq!(socket.connected["message"], "Connected as Alice");
    }
}

/// Everything after byte 72 of a password was ignored.
fn every_byte_of_a_password_counts(backend: Backend) {
    let server = Server::start(backend);
    let register = |name: &str, password: &str| {
        server.http().post(
            "/api/auth/register",
            &json!({"username": name, "password": password}),
        )
    };
    for (name, password) in [
        ("a73", "p".repeat(73)),
        ("umlauts", "ä".repeat(37)),
        ("long", "p".repeat(10_000)),
    ] {
        let answer = register(name, &password);
        answer.expect_problem(422, "validation_error");
        assert_eq!(
            answer.json()["errors"][0]["loc"],
            json!(["body", "password"])
        );
        assert!(
            answer.json()["detail"]
                .as_str()
                .is_some_and(|text| text.contains("72")),
            "{}",
            answer.text()
        );
    }
    let longest = "p".repeat(71);
    register("longest", &(longest.clone() + "x")).expect(201);
    let login = |password: &str| {
        server
            .http()
            .post(
                "/api/auth/login",
                &json!({"username": "longest", "password": password}),
            )
            .status
    };
    assert_eq!(login(&(longest.clone() + "x")), 200);
    for wrong in [longest.clone() + "y", longest.clone(), longest + "xx"] {
        assert!(matches!(login(&wrong), 401 | 422), "{wrong}");
    }
}

/// Known default keys were accepted without a word.
#[test]
fn known_default_keys_are_refused() {
    let folder = tempfile::tempdir().expect("a folder");
    for name in ["SECRET_KEY", "ENCRYPTION_KEY"] {
        for key in [
            "your-secret-key-here-change-in-production",
            "your-super-secret-key-change-this-in-production",
            "your-encryption-key-here-change-in-production",
            "change-me-change-me-change-me-change-me",
        ] {
            let ended = run(&["serve"], &[(name, key), ("PORT", "0")], folder.path());
            assert_eq!(ended.status.code(), Some(2), "{name}={key}: {ended:?}");
            assert!(
                ended.stderr.contains(name) && ended.stderr.contains("keys generate"),
                "{ended:?}"
            );
            assert!(
                !ended.stderr.contains(key),
                "a key is never printed: {ended:?}"
            );
        }
    }
}

/// A socket whose client has vanished without a word does not stay in the room forever.
#[test]
fn a_client_that_falls_silent_is_seen_to_leave() {
    let server = Server::with(Backend::Sqlite)
        .env("PING_INTERVAL_SECONDS", 1)
        .env("PING_TIMEOUT_SECONDS", 1)
        .start();
    let (alice, bob) = (
        User::register(&server, "alice"),
        User::register(&server, "bob"),
    );
    let mut watcher = bob.connect();
    // It is open, and no one reads it: no ping is answered.
    let silent = alice.connect();
    watcher.expect(|frame| frame["message"] == "alice joined the chat");
    // The watcher answers its pings by reading.
    let left = eventually("alice is seen to leave", || {
        match watcher.next(Duration::from_secs(5)) {
            Incoming::Frame(frame) if frame["event"] == "left" => Some(frame),
            Incoming::Closed(closed) => panic!("the one who answers was cut: {closed:?}"),
            _ => None,
        }
    });
    assert_eq!(left["message"], "alice left the chat");
    drop(silent);
}
