//! A login that has ended stores nothing and reads nothing, however long the request was on its way; a login that no one
//! ends does not stay forever, and no one has logins or tickets without number.

use std::{io::Write as _, net::TcpStream};

use serde_json::{Value, json};

use crate::support::{
    Backend, Closed, Incoming, Response, Server, Socket, TIMEOUT, User, eventually, read_response,
};

on_both![
    a_request_whose_body_comes_after_the_logout_stores_nothing,
    nothing_of_ones_own_is_kept_by_a_request_whose_body_comes_after_the_logout,
    a_socket_whose_login_was_ended_elsewhere_stores_and_reads_nothing,
    a_login_that_was_ended_elsewhere_reads_no_page,
    no_handshake_that_began_before_the_logout_leaves_a_living_socket,
    a_ticket_dies_with_its_login,
    the_login_that_was_not_used_for_longest_goes_when_there_are_too_many,
    a_login_that_expired_is_forgotten_after_a_day_of_service,
];

/// The head of a request that says something, on its way; the body comes later.
struct Half {
    stream: TcpStream,
    body: String,
}

impl Half {
    fn begin(user: &User, content: &str) -> Self {
        let body = json!({"content": content, "client_id": content});
        Self::to(user, "POST /api/rooms/general/messages", &body)
    }

    /// One to another door.
    fn to(user: &User, door: &str, body: &Value) -> Self {
        let body = body.to_string();
        let mut stream = TcpStream::connect_timeout(&user.addr, TIMEOUT).expect("connects");
        stream.set_read_timeout(Some(TIMEOUT)).expect("a timeout");
        let head = format!(
            "{door} HTTP/1.1\r\nHost: {}\r\nAuthorization: Bearer {}\r\n\
             Content-Type: application/json\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{}",
            user.addr,
            user.token,
            body.len(),
            &body[..1]
        );
        stream.write_all(head.as_bytes()).expect("writes");
        Self { stream, body }
    }

    fn end(&mut self) {
        self.stream
            .write_all(&self.body.as_bytes()[1..])
            .expect("writes");
    }

    fn answer(mut self) -> Response {
        read_response(&mut self.stream).expect("an answer")
    }
}

fn log_out(user: &User) {
    user.http().post("/api/auth/logout", &json!({})).expect(204);
}

/// What one keeps for oneself, and what one says of oneself, is no less somebody's than what is said in a room.
fn nothing_of_ones_own_is_kept_by_a_request_whose_body_comes_after_the_logout(backend: Backend) {
    let server = Server::with(backend).env("WORKERS", 2).start();
    let mut alice = User::register(&server, "alice");
    alice.post("first", None).expect(201);
    alice.post("second", None).expect(201);
    let later = "2027-01-01T09:00:00Z";
    let doors = [
        (
            "PUT /api/users/me/status",
            json!({"state": "dnd", "text": "later"}),
        ),
        (
            "PATCH /api/users/me",
            json!({"bio": "later", "receipts": false}),
        ),
        ("PUT /api/rooms/general/notify", json!({"level": "nothing"})),
        ("PUT /api/rooms/general/draft", json!({"content": "later"})),
        (
            "PUT /api/rooms/general/read",
            json!({"seq": 1, "unread": true}),
        ),
        (
            "POST /api/scheduled",
            json!({"room": "general", "content": "later", "send_at": later}),
        ),
        (
            "POST /api/rooms/general/commands",
            json!({"text": "/status later"}),
        ),
        (
            "PATCH /api/rooms/general/messages/1",
            json!({"content": "later"}),
        ),
        (
            "POST /api/rooms",
            json!({"name": "later", "kind": "public"}),
        ),
    ];
    let shown = |alice: &User| {
        let http = alice.http();
        [
            "/api/users/me",
            "/api/rooms",
            "/api/rooms/general/draft",
            "/api/scheduled",
            "/api/rooms/general/messages",
        ]
        .map(|path| http.get(path).expect(200).json())
    };
    let before = shown(&alice);
    for (door, body) in doors {
        let mut half = Half::to(&alice, door, &body);
        // The head has been looked at long before this.
        for _ in 0..4 {
            alice.http().get("/api/rooms").expect(200);
        }
        log_out(&alice);
        half.end();
        assert_eq!(half.answer().status, 401, "{door}");
        alice.log_in();
        assert_eq!(shown(&alice), before, "{door}");
    }
}

fn a_request_whose_body_comes_after_the_logout_stores_nothing(backend: Backend) {
    let server = Server::with(backend).env("WORKERS", 2).start();
    let (alice, mut bob, carol) = (
        User::register(&server, "alice"),
        User::register(&server, "bob"),
        User::register(&server, "carol"),
    );
    let bobs_other = bob.clone();
    bob.log_in();
    let before = carol.post("before", None).expect(201).json();
    let mut halves: Vec<_> = [
        (&alice, "alice's"),
        (&bobs_other, "bob's"),
        (&carol, "carol's"),
        (&bob, "bob's other"),
    ]
    .into_iter()
    .map(|(user, content)| Half::begin(user, content))
    .collect();
    // The heads have been looked at long before this: more requests have been answered on the same threads since.
    for _ in 0..20 {
        carol.page("?limit=1");
    }
    log_out(&alice);
    log_out(&bobs_other);
    halves.iter_mut().for_each(Half::end);
    let answers: Vec<_> = halves.into_iter().map(Half::answer).collect();
    for answer in &answers[..2] {
        answer.expect_problem(401, "invalid_token");
    }
    // The others, in the same transaction perhaps, are stored, and the numbers have no hole.
    let mut ids: Vec<_> = answers[2..]
        .iter()
        .map(|answer| answer.clone().expect(201).json()["id"].as_u64())
        .collect();
    ids.sort_unstable();
    let first = before["id"].as_u64().expect("a number");
    assert_eq!(ids, [Some(first + 1), Some(first + 2)]);
    let mut contents: Vec<_> = carol
        .history()
        .iter()
        .map(|message| message["content"].as_str().expect("text").to_owned())
        .collect();
    contents.sort_unstable();
    assert_eq!(contents, ["before", "bob's other", "carol's"]);
    // A repeat of what was stored is known to living logins only.
    Half::begin(&bob, "bob's other").finish().expect(200);
    assert_eq!(Half::begin(&bobs_other, "bob's other").finish().status, 401);
}

impl Half {
    fn finish(mut self) -> Response {
        self.end();
        self.answer()
    }
}

/// As another process does it, which tells the server nothing.
fn end_in_database(server: &Server, user: &User) {
    server
        .database
        .execute(&format!("DELETE FROM sessions WHERE user_id = {}", user.id));
}

fn a_socket_whose_login_was_ended_elsewhere_stores_and_reads_nothing(backend: Backend) {
    let server = Server::start(backend);
    let (alice, bob) = (
        User::register(&server, "alice"),
        User::register(&server, "bob"),
    );
    bob.post("hello", None).expect(201);
    let (mut writing, mut reading) = (alice.connect(), alice.connect());
    end_in_database(&server, &alice);
    writing.send_json(&json!({"type": "message", "content": "ghost", "ref": "1"}));
    let refused = writing.expect_error("invalid_token");
    assert_eq!(refused["ref"], "1");
    assert!(matches!(writing.expect_end(), Closed::Code(4403, _)));
    reading.send_json(&json!({"type": "sync", "rooms": {"general": 0}, "ref": "2"}));
    let mut seen = Vec::new();
    let closed = loop {
        match reading.next(TIMEOUT) {
            Incoming::Frame(frame) => seen.push(frame),
            Incoming::Closed(closed) => break closed,
            Incoming::Silence => panic!("the socket lives on: {seen:?}"),
        }
    };
    assert!(matches!(closed, Closed::Code(4403, _)), "{closed:?}");
    let is_news = |frame: &Value| frame["type"] == "message" || frame["type"] == "synced";
    assert!(!seen.iter().any(is_news), "{seen:?}");
    let contents: Vec<_> = bob
        .history()
        .iter()
        .map(|message| message["content"].clone())
        .collect();
    assert_eq!(contents, ["hello"]);
}

/// The server has just seen that this login lives, and nothing has told it that it has ended.
fn a_login_that_was_ended_elsewhere_reads_no_page(backend: Backend) {
    let server = Server::start(backend);
    let alice = User::register(&server, "alice");
    alice.post("hello", None).expect(201);
    assert_eq!(alice.history().len(), 1);
    end_in_database(&server, &alice);
    for path in ["/api/rooms/general/messages", "/api/chat/messages"] {
        let refused = alice.http().get(path).expect(401);
        assert_eq!(refused.json()["code"], "invalid_token", "{path}");
    }
}

/// Promise 13, at the seam: the handshake is let in, and the logout comes before the socket is known to anyone.
fn no_handshake_that_began_before_the_logout_leaves_a_living_socket(backend: Backend) {
    let server = Server::with(backend).env("WORKERS", 2).start();
    let mut alice = User::register(&server, "alice");
    for _ in 0..15 {
        alice.log_in();
        let opening = {
            let alice = alice.clone();
            std::thread::spawn(move || {
                let bearer = format!("Bearer {}", alice.token);
                Socket::open_silent(alice.addr, "", &[("authorization", &bearer)])
            })
        };
        log_out(&alice);
        match opening.join().expect("joins") {
            Ok(mut socket) => {
                let closed = socket.expect_end();
                assert!(matches!(closed, Closed::Code(4403, _)), "{closed:?}");
            }
            Err(status) => assert_eq!(status, 401),
        }
    }
}

fn a_ticket_dies_with_its_login(backend: Backend) {
    let server = Server::start(backend);
    let mut alice = User::register(&server, "alice");
    let first = alice.clone();
    alice.log_in();
    let ticket = |user: &User| -> String {
        let ticket = user.http().post("/api/auth/ws-ticket", &json!({}));
        let text = ticket.expect(200).json()["ticket"].clone();
        format!("?ticket={}", text.as_str().expect("text"))
    };
    let (dead, living) = (ticket(&first), ticket(&alice));
    log_out(&first);
    assert_eq!(Socket::open(server.addr, &dead, &[]).err(), Some(401));
    Socket::open(server.addr, &living, &[])
        .expect("opens")
        .close();
    // And one user's do not fill the place of all: the oldest goes.
    let others = User::register(&server, "bob");
    let (oldest, of_another) = (ticket(&alice), ticket(&others));
    let newest = (0..40).fold(String::new(), |_, _| ticket(&alice));
    assert_eq!(Socket::open(server.addr, &oldest, &[]).err(), Some(401));
    for query in [newest, of_another] {
        Socket::open(server.addr, &query, &[])
            .expect("opens")
            .close();
    }
}

fn the_login_that_was_not_used_for_longest_goes_when_there_are_too_many(backend: Backend) {
    let server = Server::with(backend).env("SESSIONS_PER_USER", 3).start();
    let bob = User::register(&server, "bob");
    let mut logins = vec![User::register(&server, "alice")];
    for _ in 0..2 {
        let mut next = logins[0].clone();
        next.log_in();
        logins.push(next);
    }
    // The first is used again, so the second is now the one that was not used for longest.
    let tokens = server
        .http()
        .post(
            "/api/auth/refresh",
            &json!({"refresh_token": logins[0].refresh_token}),
        )
        .expect(200)
        .json();
    tokens["access_token"]
        .as_str()
        .expect("text")
        .clone_into(&mut logins[0].token);
    let mut sockets: Vec<_> = logins.iter().map(User::connect).collect();
    let mut fourth = logins[0].clone();
    fourth.log_in();
    assert!(matches!(sockets[1].expect_end(), Closed::Code(4403, _)));
    assert_eq!(logins[1].http().get("/api/chat/messages").status, 401);
    for at in [0, 2] {
        sockets[at].say("still here");
    }
    for user in [&logins[0], &logins[2], &fourth, &bob] {
        user.http().get("/api/chat/messages").expect(200);
    }
    // All at once, too.
    std::thread::scope(|scope| {
        for _ in 0..8 {
            let mut user = fourth.clone();
            scope.spawn(move || user.log_in());
        }
    });
    assert_eq!(count_sessions(&server, &fourth), "3");
}

fn count_sessions(server: &Server, user: &User) -> String {
    let sql = format!(
        "SELECT CAST(COUNT(*) AS TEXT) AS value FROM sessions WHERE user_id = {}",
        user.id
    );
    server.database.query(&sql).remove(0).expect("a number")
}

/// The server notes how long it has served since it last looked; a test cannot wait for a day, so it turns the note.
fn a_login_that_expired_is_forgotten_after_a_day_of_service(backend: Backend) {
    let mut server = Server::start(backend);
    let (alice, bob) = (
        User::register(&server, "alice"),
        User::register(&server, "bob"),
    );
    let note = |server: &Server| -> Option<(i64, i64)> {
        let sql = "SELECT value FROM facts WHERE name = 'expired-logins'";
        let text = server.database.query(sql).into_iter().next().flatten()?;
        let (upto, left) = text.split_once(' ').expect("two numbers");
        Some((
            upto.parse().expect("a time"),
            left.parse().expect("seconds"),
        ))
    };
    let (_, left) = eventually("the wait is noted", || note(&server));
    assert_eq!(left, 86_400);
    server.kill9();
    let set = |server: &Server, expired: &str, note: &str| {
        server.database.execute(&format!(
            "UPDATE sessions SET expires_at = '{expired}' WHERE user_id = {}; \
             UPDATE facts SET value = '{note}' WHERE name = 'expired-logins'",
            alice.id
        ));
    };
    let now = chrono::Utc::now().timestamp();
    // Expired for long, but the server has not served for a day by this clock: it stays.
    set(
        &server,
        "2026-01-01 00:00:00.000000",
        &format!("{} 300", now - 5),
    );
    server.start_again();
    alice.http().get("/api/chat/messages").expect(401);
    server.http().get("/ready").expect(200);
    server.kill9();
    assert_eq!(count_sessions(&server, &alice), "1");
    // The clock was ahead when the wait began, and was put right: it begins again.
    set(
        &server,
        "2026-01-01 00:00:00.000000",
        &format!("{} 0", now + 40_000_000),
    );
    server.start_again();
    eventually("the wait begins again", || {
        note(&server).filter(|(upto, left)| *upto < now + 86_400 && *left == 86_400)
    });
    assert_eq!(count_sessions(&server, &alice), "1");
    server.kill9();
    // The day is over. What a wrong clock has written in the far future is put right with it.
    set(
        &server,
        "2026-01-01 00:00:00.000000",
        &format!("{} 0", now - 5),
    );
    server.database.execute(&format!(
        "UPDATE sessions SET expires_at = '2126-01-01 00:00:00.000000' WHERE user_id = {}",
        bob.id
    ));
    server.start_again();
    eventually("it is forgotten", || {
        (count_sessions(&server, &alice) == "0").then_some(())
    });
    let ends = format!(
        "SELECT CAST(expires_at AS TEXT) AS value FROM sessions WHERE user_id = {}",
        bob.id
    );
    let ends = server.database.query(&ends).remove(0).expect("a time");
    assert!(!ends.starts_with("2126"), "{ends}");
    bob.http().get("/api/chat/messages").expect(200);
}
