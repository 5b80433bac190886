//! Hostile requests: the right 4xx, never a 5xx, and no one else notices.

use std::{
    io::{ErrorKind, Read as _, Write as _},
    process::Command,
    thread,
    time::{Duration, Instant},
};

use serde_json::json;

use crate::support::{Backend, PASSWORD, Server, Socket, TIMEOUT, User, read_response};

mod requests;

pub use requests::{broken_chunks, broken_framing, broken_heads_and_bodies, long_heads};

#[test]
fn a_broken_request_gets_its_4xx() {
    let server = Server::start(Backend::Sqlite);
    let alice = User::register(&server, "alice");
    let mut witness = alice.connect();
    let cases = [broken_framing(), broken_chunks(), broken_heads_and_bodies()];
    for (case, bytes, allowed) in cases.into_iter().flatten() {
        let mut stream = server.http().open().expect("connects");
        // It may be refused while we are still sending.
        let _ = stream.write_all(&bytes);
        let answer = read_response(&mut stream);
        let status = answer.as_ref().map_or(0, |answer| answer.status);
        assert!(
            allowed.contains(&status),
            "{case}: {status}: {:?}",
            answer.map(|answer| answer.text())
        );
        if let Ok(answer) = answer {
            answer.expect_nothing_inner();
            answer.expect_any_problem();
            assert_eq!(
                (
                    answer.header("x-content-type-options"),
                    answer.header("cache-control"),
                    answer.header("x-frame-options")
                ),
                (Some("nosniff"), Some("no-store"), Some("DENY")),
                "{case}"
            );
        }
    }
    witness.say("undisturbed");
}

/// Chunks as small as can be are a body like any other, and a word on each of a few chunks may be said.
#[test]
fn a_body_in_small_chunks_is_taken() {
    let server = Server::start(Backend::Sqlite);
    let _alice = User::register(&server, "alice");
    let body = json!({"username": "alice", "password": PASSWORD}).to_string();
    let padded = body.clone() + &" ".repeat(10_000);
    let in_bytes: Vec<String> = padded.chars().map(|c| format!("1\r\n{c}\r\n")).collect();
    let with_words = format!("{:x};name=value\r\n{body}\r\n", body.len());
    for chunks in [in_bytes.concat(), with_words] {
        let request = format!(
            "POST /api/auth/login HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\n\
             transfer-encoding: chunked\r\n\r\n{chunks}0\r\nx-trailer: a\r\n\r\n"
        );
        let answer = server.http().raw(request.as_bytes()).expect("an answer");
        answer.expect(200);
    }
}

/// Lengths that lie: less comes than was said, and then nothing more.
#[test]
fn a_body_that_breaks_off_is_refused_and_stores_nothing() {
    let server = Server::start(Backend::Sqlite);
    let alice = User::register(&server, "alice");
    let body = r#"{"content":"half of it"}"#;
    for framing in [
        "content-length: 50\r\n\r\n",
        "transfer-encoding: chunked\r\n\r\n32\r\n",
    ] {
        let request = format!(
            "POST /api/rooms/general/messages HTTP/1.1\r\nhost: x\r\nauthorization: Bearer {}\r\n\
             content-type: application/json\r\n{framing}{body}",
            alice.token
        );
        let said = alice.http().raw_to_end(request.as_bytes()).expect("an end");
        let said = String::from_utf8_lossy(&said);
        assert!(
            said.is_empty() || said.starts_with("HTTP/1.1 400 "),
            "{framing:?}: {said}"
        );
    }
    // More comes than was said: it is no part of the body, and no request either.
    let request = format!(
        "POST /api/auth/login HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\ncontent-length: 5\r\n\r\n{body}"
    );
    let said = server
        .http()
        .raw_to_end(request.as_bytes())
        .expect("an end");
    let said = String::from_utf8_lossy(&said);
    let statuses: Vec<&str> = said.matches("HTTP/1.1 400 ").collect();
    assert_eq!(said.matches("HTTP/1.1 ").count(), statuses.len(), "{said}");
    assert!(!statuses.is_empty());
    assert!(alice.history().is_empty());
}

/// Two requests on one line, the first with a doubtful length: what follows must not be read as a request.
#[test]
fn where_the_framing_is_in_doubt_the_connection_is_closed() {
    let server = Server::start(Backend::Sqlite);
    let smuggled = "GET /health HTTP/1.1\r\nhost: x\r\n\r\n";
    for headers in [
        "content-length: 4\r\ntransfer-encoding: chunked\r\n",
        "content-length: 4\r\ncontent-length: 0\r\n",
        "transfer-encoding: xchunked\r\n",
        "content-length: 0x4\r\n",
    ] {
        let request =
            format!("POST /api/auth/login HTTP/1.1\r\nhost: x\r\n{headers}\r\n0\r\n\r\n{smuggled}");
        let mut stream = server.http().open().expect("connects");
        stream.write_all(request.as_bytes()).expect("sends");
        let mut all = Vec::new();
        let _ = stream.read_to_end(&mut all);
        let text = String::from_utf8_lossy(&all);
        assert_eq!(text.matches("HTTP/1.1 ").count(), 1, "{headers:?}: {text}");
        assert!(text.starts_with("HTTP/1.1 4"), "{headers:?}: {text}");
    }
}

/// Heads and bodies that come a byte at a time must not keep a place forever.
#[test]
fn a_request_that_never_ends_is_cut_off() {
    let server = Server::with(Backend::Sqlite)
        .env("KEEP_ALIVE_SECONDS", 2)
        .start();
    let start = [
        "GET /health HTTP/1.1\r\nhost: x\r\nx-a: ",
        "POST /api/auth/login HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\ncontent-length: 60000\r\n\r\n{",
        "POST /api/auth/login HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\ntransfer-encoding: chunked\r\n\r\nea60\r\n{",
        "GET /ws/chat HTTP/1.1\r\nhost: x\r\nconnection: upgrade\r\nupgrade: websocket\r\nsec-websocket-key: ",
        // The second request of a connection, and one that does not even begin.
        "GET /health HTTP/1.1\r\nhost: x\r\n\r\nGET /hea",
        "",
    ];
    thread::scope(|scope| {
        for head in start {
            let mut stream = server.http().open().expect("connects");
            scope.spawn(move || {
                stream.write_all(head.as_bytes()).expect("sends");
                stream
                    .set_read_timeout(Some(Duration::from_millis(200)))
                    .expect("sets");
                // A body has 15 seconds, and more on a busy machine.
                let end = Instant::now() + 3 * TIMEOUT;
                while Instant::now() < end {
                    let cut = stream.write_all(b"a").is_err();
                    let mut bytes = [0; 1024];
                    match stream.read(&mut bytes) {
                        Ok(0) => return,
                        // An answer came before the end.
                        Ok(_) => {}
                        Err(error) if error.kind() == ErrorKind::WouldBlock && !cut => {}
                        Err(_) => return,
                    }
                }
                panic!("this may drip for ever: {head:?}");
            });
        }
        // Meanwhile others are served.
        server.http().get("/health").expect(200);
    });
}

#[test]
fn a_body_that_unpacks_to_a_bomb_takes_no_memory() {
    let server = Server::start(Backend::Sqlite);
    let alice = User::register(&server, "alice");
    let bomb = Command::new("sh")
        .args(["-c", "head -c 200000000 /dev/zero | tr '\\0' ' ' | gzip -9"])
        .output()
        .expect("gzip runs")
        .stdout;
    let before = server.memory_kb("VmHWM");
    let headers = [("content-encoding", "gzip")];
    let answer = alice
        .http()
        .request("POST", "/api/rooms/general/messages", &headers, &bomb);
    assert!(
        matches!(answer.status, 400 | 413 | 415),
        "{}: {}",
        answer.status,
        answer.text()
    );
    answer.expect_any_problem();
    let grown = server.memory_kb("VmHWM") - before;
    assert!(grown < 8 * 1024, "{grown} kB");
}

/// Where two things are said at once, a proxy and the server could each go by another one.
#[test]
fn what_is_said_twice_is_refused() {
    let server = Server::start(Backend::Sqlite);
    let (alice, bob) = (
        User::register(&server, "alice"),
        User::register(&server, "bob"),
    );
    let of = |user: &User| user.http().token.expect("a login");
    let (bearer, token) = (format!("Bearer {}", of(&alice)), of(&bob));
    let (own, path) = (of(&alice), "/api/chat/messages");
    let header = ("authorization", bearer.as_str());
    let http = server.http();
    for (headers, path, status, code) in [
        (
            vec![header, header],
            path.to_owned(),
            400,
            "ambiguous_login",
        ),
        (
            vec![header, header],
            "/api/rooms/general/messages".into(),
            400,
            "ambiguous_login",
        ),
        (
            vec![header],
            format!("{path}?token={token}"),
            400,
            "ambiguous_login",
        ),
        (
            vec![header],
            format!("{path}?token={own}"),
            400,
            "ambiguous_login",
        ),
        (
            vec![],
            format!("{path}?token={own}&token={token}"),
            400,
            "ambiguous_login",
        ),
        (
            vec![header],
            format!("{path}?limit=1&limit=200"),
            422,
            "validation_error",
        ),
        (
            vec![header],
            "/api/rooms/general/messages?before=1&before=2".into(),
            422,
            "validation_error",
        ),
    ] {
        let answer = http.request("GET", &path, &headers, &[]);
        answer.expect_problem(status, code);
    }
    let logout = http.request("POST", "/api/auth/logout", &[header, header], &[]);
    logout.expect_problem(400, "ambiguous_login");
    for body in [
        r#"{"content":"one","content":"two"}"#,
        r#"{"content":"one","client_id":"a","client_id":"b"}"#,
    ] {
        let path = "/api/rooms/general/messages";
        let answer = http.request("POST", path, &[header], body.as_bytes());
        answer.expect_problem(422, "validation_error");
    }
    // Sockets, too; and the login of a request that showed two is none the worse for it.
    for query in [
        format!("token={own}&token={token}"),
        format!("token={own}&ticket=x"),
        "ticket=x&ticket=y".into(),
    ] {
        let opened = Socket::open(server.addr, &format!("?{query}"), &[]);
        assert_eq!(opened.err(), Some(400), "{query}");
    }
    let opened = Socket::open(server.addr, &format!("?token={token}"), &[header]);
    assert_eq!(opened.err(), Some(400));
    assert!(alice.history().is_empty());
}
