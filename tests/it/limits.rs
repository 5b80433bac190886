//! Limits are told in the first frame, and kept; whoever runs into one is told when to try again.

use std::{
    io::{ErrorKind, Read as _, Write as _},
    thread,
    time::{Duration, Instant},
};

use parlour_protocol::limits::{
    DEFAULT_PAGE, Limits, MAX_CLIENT_ID, MAX_EMAIL, MAX_PAGE, MAX_PASSWORD_BYTES, MAX_REF,
    MIN_PASSWORD_CHARACTERS, NAME, PAGE_BYTES,
};
use serde_json::{Value, json};

use crate::support::{Backend, Server, Socket, User, eventually};

#[test]
fn the_first_frame_tells_the_limits() {
    let server = Server::with(Backend::Sqlite)
        .env("RATE_LIMITS", "on")
        .env("MAX_CONTENT_BYTES", 1000)
        .env("MESSAGE_BURST", 3)
        .env("MESSAGES_PER_SECOND", 1)
        .env("SOCKETS_PER_USER", 2)
        .env("UNACKED_PER_SOCKET", 5)
        .env("PING_INTERVAL_SECONDS", 7)
        .start();
    let alice = User::register(&server, "alice");
    let mut socket = alice.connect();
    let told = &socket.connected;
    let limits = json!({
        "content_bytes": 1000, "frame_bytes": 65_536, "messages_per_second": 1, "message_burst": 3,
        "sockets_per_user": 2, "unacked_per_socket": 5, "queue_frames": 256, "queue_bytes": 262_144,
        "slow_reader_ms": 10_000, "ping_timeout_ms": 10_000, "rooms_per_user": 500, "members_per_room": 10_000,
        "rooms_per_hour": 20, "direct_rooms_per_hour": 30, "people_per_direct": 50, "room_name_characters": 64, "topic_characters": 250,
        "reactions_per_message": 50, "reactions_per_user": 20, "edits_per_message": 200, "slow_seconds": 86_400,
        "scheduled_per_user": 100, "scheduled_days": 366,
    });
    assert_eq!(
        (&told["limits"], &told["heartbeat_ms"]),
        (&limits, &json!(7_000))
    );
    assert_eq!(
        (&told["user_id"], &told["username"]),
        (&json!(alice.id), &json!("alice"))
    );
    assert_eq!(told["online"], json!(["alice"]));

    let second = alice.connect();
    assert_eq!(alice.try_connect().err(), Some(429));
    second.close();
    eventually("the place is free again", || alice.try_connect().ok());

    assert_eq!(alice.post(&"x".repeat(1001), None).status, 422);
    for n in 0..3 {
        socket.say(&format!("m{n}"));
    }
    socket.send_json(&json!({"type": "message", "content": "too soon", "ref": "r"}));
    let error = socket.expect_type("error");
    assert_eq!(error["ref"], "r");
    let wait = error["retry_after_ms"].as_u64().expect("when to try again");
    assert!((1..=1_100).contains(&wait), "{error}");
    // It is one budget for all of a user's messages, by socket or by HTTP.
    let refused = alice.post("too soon", None);
    refused.expect_any_problem();
    assert_eq!(
        (refused.status, &refused.json()["code"]),
        (429, &error["code"])
    );
    User::register(&server, "bob")
        .post("not his fault", None)
        .expect(201);
    eventually("one may speak again", || {
        (alice.post("later", None).status == 201).then_some(())
    });
}

#[test]
fn guessing_passwords_is_slowed_down() {
    let server = Server::with(Backend::Sqlite)
        .env("RATE_LIMITS", "on")
        .start();
    let alice = User::register(&server, "alice");
    let guess = |n: usize| {
        let body = json!({"username": "alice", "password": format!("guess number {n}")});
        server.http().post("/api/auth/login", &body)
    };
    let refused = (0..200)
        .map(guess)
        .find(|answer| answer.status != 401)
        .expect("an end to guessing");
    refused.expect_any_problem();
    assert_eq!(refused.status, 429);
    // Whoever is logged in already does not notice.
    let mut socket: Socket = alice.connect();
    socket.say("undisturbed");
}

#[test]
fn many_unacked_messages_on_one_socket_are_refused_not_dropped() {
    let server = Server::with(Backend::Sqlite)
        .env("UNACKED_PER_SOCKET", 4)
        .start();
    let alice = User::register(&server, "alice");
    let mut socket = alice.connect();
    let count = 300;
    for n in 0..count {
        socket.send_json(
            &json!({"type": "message", "content": format!("m{n}"), "ref": format!("m{n}")}),
        );
    }
    let (mut acked, mut refused) = (Vec::new(), 0);
    while acked.len() + refused < count {
        let frame = socket.next_frame();
        match frame["type"].as_str() {
            Some("ack") => acked.push(frame["ref"].as_str().expect("a ref").to_owned()),
            Some("error") => refused += 1,
            _ => {}
        }
    }
    // Every send has its answer, and pipelined sends are stored and acked in their order.
    let stored: Vec<String> = alice
        .history()
        .iter()
        .filter_map(|message| message["content"].as_str().map(ToOwned::to_owned))
        .collect();
    assert_eq!(stored, acked);
}

/// A client that opens sockets in a circle costs everyone else time.
#[test]
fn who_opens_sockets_too_fast_is_told_to_wait() {
    let server = Server::with(Backend::Sqlite)
        .env("RATE_LIMITS", "on")
        .env("SOCKETS_PER_USER", 3)
        .start();
    let (alice, bob) = (
        User::register(&server, "alice"),
        User::register(&server, "bob"),
    );
    let handshake = [
        ("connection", "upgrade"),
        ("upgrade", "websocket"),
        ("sec-websocket-version", "13"),
        ("sec-websocket-key", "dGhlIHNhbXBsZSBub25jZQ=="),
    ];
    // Until then she may also be told that the sockets before are not gone yet.
    let asked = eventually("alice is refused", || {
        let _ = alice.try_connect().map(Socket::close);
        let asked = alice.http().request("GET", "/ws/chat", &handshake, b"");
        (asked.status == 429 && asked.json()["code"] == "rate_limited").then_some(asked)
    });
    asked.expect_any_problem();
    assert!(asked.header("retry-after").is_some(), "{asked:?}");
    bob.connect().say("not his fault");
}

/// A network that cuts all of them at once: the clients are back before it is noticed that the old connections have ended.
#[test]
fn who_comes_back_to_places_that_are_just_being_left_gets_them() {
    let server = Server::with(Backend::Sqlite)
        .env("SOCKETS_PER_USER", 2)
        .start();
    let alice = User::register(&server, "alice");
    let old = [alice.connect(), alice.connect()];
    let before = server.open_sockets();
    let new = thread::scope(|scope| {
        let comes_back = || scope.spawn(|| alice.try_connect());
        let coming = [comes_back(), comes_back()];
        eventually("they knock", || {
            (server.open_sockets() >= before + 2).then_some(())
        });
        drop(old);
        coming.map(|one| one.join().expect("comes back"))
    });
    for socket in &new {
        assert!(socket.is_ok(), "{:?}", socket.as_ref().err());
    }
    assert_eq!(alice.try_connect().err(), Some(429), "no place is left");
}

/// Connections on which no one asks for anything are cheap to open and hold a place.
#[test]
fn one_address_cannot_hold_all_connections() {
    let server = Server::with(Backend::Sqlite)
        .env("RATE_LIMITS", "on")
        .env("CONNECTIONS_PER_ADDRESS", 4)
        .start();
    let alice = User::register(&server, "alice");
    // Those with a socket on them are not counted.
    let mut sockets: Vec<Socket> = (0..6)
        .map(|_| eventually("a place", || alice.try_connect().ok()))
        .collect();
    let mut idle: Vec<_> = (0..5)
        .map(|_| server.http().open().expect("connects"))
        .collect();
    // Which one it is, the threads of the server settle among themselves.
    eventually("one of five is closed at once", || {
        let mut closed = idle.iter_mut().filter_map(|stream| {
            let shortly = Some(Duration::from_millis(10));
            stream.set_read_timeout(shortly).expect("sets");
            match stream.read(&mut [0]) {
                Ok(0) => Some(()),
                Ok(_) => panic!("it was not closed, but answered for being idle"),
                Err(error) => (error.kind() == ErrorKind::ConnectionReset).then_some(()),
            }
        });
        closed.next()
    });
    sockets[0].say("whoever has a socket is not concerned");
    drop(idle);
    eventually("the places are free again", || {
        let answer = server.http().try_request("GET", "/health", &[], b"");
        answer.ok().filter(|answer| answer.status == 200)
    });
}

/// Asking for another protocol is no way around what holds for every connection.
#[test]
fn an_answer_that_nobody_reads_is_given_up_whatever_was_asked_for() {
    let server = Server::with(Backend::Sqlite)
        .env("KEEP_ALIVE_SECONDS", 1)
        .env("SLOW_READER_SECONDS", 600)
        .start();
    server.http().get("/health").expect(200);
    let before = server.open_sockets();
    let mut streams = Vec::new();
    for upgrade in ["", "connection: upgrade\r\nupgrade: h2c\r\n"] {
        let mut stream = server.http().open().expect("connects");
        // So little that the answer does not fit into what the kernel takes.
        socket2::SockRef::from(&stream)
            .set_recv_buffer_size(4_096)
            .expect("sets");
        let request =
            format!("GET /redoc/redoc.standalone.js HTTP/1.1\r\nhost: x\r\n{upgrade}\r\n");
        stream.write_all(request.as_bytes()).expect("sends");
        streams.push(stream);
    }
    eventually("both are there", || {
        (server
            .log()
            .matches("GET /redoc/redoc.standalone.js 200")
            .count()
            == 2)
            .then_some(())
    });
    eventually("both are given up", || {
        (server.open_sockets() <= before).then_some(())
    });
}

/// A client that does not read cannot be told that its login has ended; it must be gone all the same.
#[test]
fn whoever_is_logged_out_is_cut_off_even_when_he_does_not_read() {
    let server = Server::with(Backend::Sqlite)
        .env("SLOW_READER_SECONDS", 600)
        .start();
    let (alice, bob) = (
        User::register(&server, "alice"),
        User::register(&server, "bob"),
    );
    let mut writer = bob.connect();
    writer.say("hello");
    let before = server.open_sockets();
    let stopped = alice.connect();
    let padding = "x".repeat(15_000);
    // Twice what the kernel's buffers take.
    for n in 0..600 {
        writer.say(&format!("{n} {padding}"));
    }
    alice
        .http()
        .post("/api/auth/logout", &json!({}))
        .expect(204);
    let logged_out = Instant::now();
    eventually("her socket is gone", || {
        (server.open_sockets() <= before).then_some(())
    });
    let took = logged_out.elapsed();
    assert!(took < Duration::from_secs(5), "{took:?}");
    drop(stopped);
}

/// Many clients escape all but ASCII (Python's `json.dumps` does), which makes a text up to three times longer.
#[test]
fn a_text_of_the_greatest_length_fits_however_it_is_escaped() {
    let server = Server::start(Backend::Sqlite);
    let alice = User::register(&server, "alice");
    let mut socket = alice.connect();
    for (n, (letter, escaped, bytes)) in [
        ("é", "\\u00e9", 2),
        ("漢", "\\u6f22", 3),
        ("😀", "\\ud83d\\ude00", 4),
        ("\"", "\\\"", 1),
        ("x", "x", 1),
    ]
    .into_iter()
    .enumerate()
    {
        let count = 16 * 1024 / bytes;
        let text = escaped.repeat(count);
        socket.send_text(&format!(
            r#"{{"type":"message","content":"{text}","ref":"r","client_id":"{n}"}}"#
        ));
        socket.expect_type("ack");
        let path = "/api/rooms/general/messages";
        let body = format!(r#"{{"content":"{text}"}}"#);
        (alice.http().request("POST", path, &[], body.as_bytes())).expect(201);
        for message in &alice.history()[2 * n..] {
            assert!(message["content"] == letter.repeat(count), "{letter}");
        }
    }
}

#[test]
fn the_documents_say_the_limits_that_hold() {
    let server = Server::start(Backend::Sqlite);
    let openapi = server.http().get("/openapi.json").json();
    let lengths = |shape: &str, field: &str| {
        let text = &openapi["components"]["schemas"][shape]["properties"][field];
        [&text["minLength"], &text["maxLength"]].map(Value::as_u64)
    };
    let number = |n: usize| Some(n as u64);
    let name = [*NAME.start(), *NAME.end()].map(number);
    let password = [MIN_PASSWORD_CHARACTERS, MAX_PASSWORD_BYTES].map(number);
    assert_eq!(lengths("Register", "username"), name);
    assert_eq!(lengths("Register", "password"), password);
    assert_eq!(lengths("Register", "email"), [None, number(MAX_EMAIL)]);
    assert_eq!(lengths("ChangePassword", "new"), password);
    assert_eq!(lengths("NewMessage", "content"), [number(1), None]);
    let client_id = [1, MAX_CLIENT_ID].map(number);
    assert_eq!(lengths("NewMessage", "client_id"), client_id);
    let mut pages = 0;
    for path in ["/api/chat/messages", "/api/rooms/{room}/messages"] {
        let read = &openapi["paths"][path]["get"];
        for parameter in read["parameters"].as_array().expect("parameters") {
            if parameter["name"] == "limit" {
                let told = ["minimum", "default", "maximum"].map(|word| &parameter["schema"][word]);
                assert_eq!(told, [1, DEFAULT_PAGE, MAX_PAGE], "{path}");
                pages += 1;
            }
        }
    }
    assert_eq!(pages, 2);
    let page = openapi["paths"]["/api/rooms/{room}/messages"]["get"].to_string();
    assert!(page.contains(&format!("{} KiB at most", PAGE_BYTES / 1024)));

    let asyncapi = server.http().get("/asyncapi.json").json();
    let ping = &asyncapi["components"]["messages"]["say.ping"]["payload"];
    assert_eq!(ping["properties"]["ref"]["maxLength"], MAX_REF);

    let api = include_str!("../../docs/API.md").replace('\n', " ");
    let told = Limits::DEFAULT;
    for sentence in [
        format!("**Names** have {}–{} of", NAME.start(), NAME.end()),
        format!(
            "have at least {MIN_PASSWORD_CHARACTERS} characters and at most {MAX_PASSWORD_BYTES} bytes"
        ),
        format!("a `ref`, a string of up to {MAX_REF} characters"),
        format!("`client_id` (1–{MAX_CLIENT_ID} characters)"),
        format!("and `limit`, 1–{MAX_PAGE} ({DEFAULT_PAGE} when absent)"),
        format!("A page holds {} KiB at most", PAGE_BYTES / 1024),
        format!(
            "{} messages for later, up to {} days ahead",
            told.scheduled_per_user, told.scheduled_days
        ),
        format!(
            "content {} KiB; a frame or a body of JSON {} KiB; {} messages a second per user, {} at once, where any change \
             counts as a message; {} sockets per user; {} messages waiting for their `ack`",
            told.content_bytes / 1024,
            told.frame_bytes / 1024,
            told.messages_per_second,
            told.message_burst,
            told.sockets_per_user,
            told.unacked_per_socket,
        ),
        format!(
            "and {} s to answer; {} frames or {} KiB waiting for a slow reader before `lag`, {} s without a byte taken",
            told.ping_timeout_ms / 1000,
            told.queue_frames,
            told.queue_bytes / 1024,
            told.slow_reader_ms / 1000,
        ),
    ] {
        assert!(
            api.contains(&sentence),
            "docs/API.md does not say: {sentence}"
        );
    }
}

/// A few addresses, each within what an address may hold, must not use up the files that the server may have open: who
/// asks for nothing gives way to whoever comes.
#[test]
fn connections_that_ask_for_nothing_give_way_to_those_that_come() {
    const HELD: usize = 90;
    let server = Server::with(Backend::Sqlite)
        .env("WORKERS", 2)
        .env("CONNECTIONS_PER_ADDRESS", 100)
        .wrapped(&["sh", "-c", "ulimit -n 300; exec \"$@\"", "sh"])
        .start();
    let mut alice = User::register(&server, "alice");
    let mut socket = alice.connect();
    for held in [
        "",
        "GET /health HTTP/1.1\r\nhost: x\r\n\r\n",
        "GET /health HTTP/1.1\r\nhost: x\r\n",
        "POST /api/auth/login HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\ncontent-length: 9\r\n\r\n{",
    ] {
        let streams: Vec<_> = (0..4 * HELD)
            .filter_map(|n| {
                let last = 10 + u8::try_from(n % 4).unwrap_or_default();
                let mut stream = server.http().at_address(last).open().ok()?;
                stream.write_all(held.as_bytes()).ok()?;
                Some(stream)
            })
            .collect();
        let limit = Duration::from_secs(5);
        let answer = server.http().request_within(limit, "GET", "/ready", &[]);
        let status = answer.map_or(0, |answer| answer.status);
        assert_eq!(status, 200, "beside {} of {held:?}", streams.len());
        alice.log_in();
        socket.say("not concerned");
        alice.connect().say("nor is one that comes");
    }
}
