//! Going down politely: everyone is told to come back, what was accepted is acked or refused, and the exit is clean.

use std::{
    io::{Read as _, Write as _},
    thread,
    time::{Duration, Instant},
};

use serde_json::{Value, json};

use crate::support::{
    Backend, Closed, Http, Incoming, Server, Socket, TIMEOUT, User, read_response,
};

on_both![
    sigterm_is_polite,
    a_restart_under_load_loses_and_doubles_nothing,
    who_does_not_answer_does_not_hold_it_up,
    an_outage_does_not_hold_it_up,
];

fn sigterm_is_polite(backend: Backend) {
    for signal in ["TERM", "INT", "HUP"] {
        let mut server = Server::with(backend).env("WORKERS", 2).start();
        let users = User::register_all(&server, "user", 5);
        let mut sockets: Vec<Socket> = users.iter().map(User::connect).collect();
        sockets[0].say("before");
        assert_eq!(server.http().get("/ready").status, 200);
        let asked = Instant::now();
        server.signal(signal);
        for socket in &mut sockets {
            let reconnect = socket.expect_type("reconnect");
            assert!(
                reconnect["after_ms"].as_u64().is_some_and(|ms| ms < 60_000),
                "{reconnect}"
            );
            // Asked while others are still being told: it either does not answer any more, or says no.
            if let Ok(answer) = Http::new(server.addr).try_request("GET", "/ready", &[], &[]) {
                assert_eq!(answer.status, 503, "{}", answer.text());
                answer.expect_any_problem();
            }
            assert!(matches!(socket.expect_end(), Closed::Code(4001, _)));
        }
        let status = server.wait();
        assert_eq!(status.code(), Some(0), "{signal}");
        assert!(
            asked.elapsed() < Duration::from_secs(15),
            "{signal}: {:?}",
            asked.elapsed()
        );
        if backend == Backend::Sqlite {
            // Closed in order: what was in the write-ahead log is in the database.
            let wal = server.database.file().with_extension("db-wal");
            assert!(
                !wal.exists() || wal.metadata().is_ok_and(|data| data.len() == 0),
                "{}",
                wal.display()
            );
        }
        server.start_again();
        assert_eq!(users[0].history().len(), 1);
    }
}

/// `nohup` asks for a server that outlives the terminal.
#[test]
fn a_server_that_was_told_to_ignore_a_hangup_goes_on() {
    let mut server = Server::start(Backend::Sqlite);
    let alice = User::register(&server, "alice");
    server.kill9();
    server.set_wrapper(&["sh", "-c", "trap '' HUP; exec \"$@\"", "sh"]);
    server.start_again();
    server.signal("HUP");
    alice.post("still here", None).expect(201);
    assert_eq!(server.terminate().0.code(), Some(0));
    assert!(!server.log().contains("SIGHUP"), "{}", server.log());
}

/// What a writer on a socket, who does not wait between sends, knows at the end.
fn pour(mut socket: Socket, name: &str) -> (Vec<String>, Vec<String>) {
    let (mut acked, mut refused) = (Vec::new(), Vec::new());
    let (mut sent, mut answered) = (0_u32, 0_u32);
    loop {
        while sent - answered < 16 {
            let content = format!("{name}-{sent}");
            if !socket.try_send(&json!({"type": "message", "content": content, "ref": content})) {
                break;
            }
            sent += 1;
        }
        match socket.next(TIMEOUT) {
            Incoming::Frame(frame) => match (frame["type"].as_str(), frame["ref"].as_str()) {
                (Some("ack"), Some(reference)) => {
                    acked.push(reference.to_owned());
                    answered += 1;
                }
                (Some("error"), Some(reference)) => {
                    refused.push(reference.to_owned());
                    answered += 1;
                }
                _ => {}
            },
            Incoming::Closed(Closed::Code(4001, _)) => return (acked, refused),
            other => panic!("{name}: {other:?}"),
        }
    }
}

fn a_restart_under_load_loses_and_doubles_nothing(backend: Backend) {
    let mut server = Server::start(backend);
    let users = User::register_all(&server, "user", 6);
    let outcomes: Vec<(Vec<String>, Vec<String>)> = thread::scope(|scope| {
        let tasks: Vec<_> = users
            .iter()
            .map(|user| {
                let socket = user.connect();
                scope.spawn(move || pour(socket, &user.name))
            })
            .collect();
        // In the midst of it: when some hundred are stored.
        let mut watcher = users[0].connect();
        watcher.expect(|frame| frame["seq"].as_u64().is_some_and(|seq| seq >= 300));
        server.signal("TERM");
        tasks
            .into_iter()
            .map(|task| task.join().expect("the writer is content"))
            .collect()
    });
    assert_eq!(server.wait().code(), Some(0));
    server.start_again();
    let history = users[0].history();
    for (n, message) in history.iter().enumerate() {
        assert_eq!(message["seq"], n + 1);
    }
    let mut stored: Vec<&str> = history
        .iter()
        .filter_map(|message: &Value| message["content"].as_str())
        .collect();
    let mut acked: Vec<&str> = outcomes
        .iter()
        .flat_map(|(acked, _)| acked.iter().map(String::as_str))
        .collect();
    stored.sort_unstable();
    acked.sort_unstable();
    // Both ways: what was acked is stored, and what was stored was acked, for every socket was read to its end.
    assert_eq!(stored, acked);
    for content in outcomes.iter().flat_map(|(_, refused)| refused) {
        assert!(
            stored.binary_search(&content.as_str()).is_err(),
            "{content} was refused"
        );
    }
    assert!(acked.len() >= 300);
}

/// A reader who has stopped, a request that never ends, and connections that are only held open.
fn who_does_not_answer_does_not_hold_it_up(backend: Backend) {
    let mut server = Server::start(backend);
    let (alice, bob) = (
        User::register(&server, "alice"),
        User::register(&server, "bob"),
    );
    let _stopped = alice.connect();
    let mut writer = bob.connect();
    let padding = "x".repeat(15_000);
    for _ in 0..500 {
        writer.say(&padding);
    }
    let mut held: Vec<_> = (0..5)
        .map(|_| server.http().open().expect("connects"))
        .collect();
    let half = b"POST /api/auth/login HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\ncontent-length: 99\r\n\r\n{";
    held[0].write_all(half).expect("sends");
    held[1]
        .write_all(b"GET /health HTTP/1.1\r\nhost: x\r\n")
        .expect("sends");
    held[2]
        .write_all(b"GET /health HTTP/1.1\r\nhost: x\r\n\r\n")
        .expect("sends");
    read_response(&mut held[2]).expect("an answer");
    let (status, took) = server.terminate();
    assert_eq!(status.code(), Some(0));
    assert!(took < Duration::from_secs(15), "{took:?}");
}

/// What was not said to its end is no request, and is not waited for; a request that was accepted is answered in full.
#[test]
fn half_a_request_ends_at_once_and_an_accepted_one_is_finished() {
    let mut server = Server::start(Backend::Sqlite);
    let alice = User::register(&server, "alice");
    let mut socket = alice.connect();
    for n in 0..40 {
        socket.say(&format!("{n} {}", "x".repeat(16_000)));
    }
    socket.close();
    let half_head = b"GET /health HTTP/1.1\r\nhost: x\r\n";
    let half_body =
        b"POST /api/auth/login HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\n\
                      content-length: 99\r\nexpect: 100-continue\r\n\r\n{";
    let [mut head, mut body, mut accepted] =
        [(); 3].map(|()| server.http().open().expect("connects"));
    head.write_all(half_head).expect("sends");
    body.write_all(half_body).expect("sends");
    let token = alice.http().token.expect("a login");
    write!(
        accepted,
        "GET /api/rooms/general/messages?limit=200 HTTP/1.1\r\nhost: localhost\r\nauthorization: Bearer {token}\r\n\r\n"
    )
    .expect("sends");
    // Both are being answered: one is told to go on, and the page has begun.
    let mut told = [0; 25];
    body.read_exact(&mut told).expect("an interim answer");
    assert_eq!(&told, b"HTTP/1.1 100 Continue\r\n\r\n");
    assert!(accepted.peek(&mut [0; 12]).expect("an answer begins") > 0);
    server.signal("TERM");
    let mut rest = Vec::new();
    head.read_to_end(&mut rest).expect("an orderly end");
    assert!(rest.is_empty(), "{rest:?}");
    let refused = read_response(&mut body).expect("an answer");
    refused.expect_problem(503, "shutting_down");
    assert!(refused.header("retry-after").is_some());
    // Only now is the page read: whoever had waited for the others would have cut it.
    let page = read_response(&mut accepted).expect("the whole page");
    assert!(page.status == 200 && page.body.len() > 400_000);
    assert_eq!(server.wait().code(), Some(0));
}

fn an_outage_does_not_hold_it_up(backend: Backend) {
    let mut server = Server::start(backend);
    let alice = User::register(&server, "alice");
    let mut socket = alice.connect();
    socket.say("before");
    let outage = server.database.outage();
    for n in 0..5 {
        let name = format!("m{n}");
        socket.send_json(&json!({"type": "message", "content": name, "ref": name}));
    }
    let (status, took) = server.terminate();
    assert_eq!(status.code(), Some(0));
    assert!(took < Duration::from_secs(15), "{took:?}");
    // Each of them was refused, or its outcome said to be unknown, before the end.
    let mut answered = 0;
    let end = loop {
        match socket.next(TIMEOUT) {
            Incoming::Frame(frame) if frame["type"] == "error" => answered += 1,
            Incoming::Frame(frame) => assert_ne!(frame["type"], "ack", "{frame}"),
            Incoming::Closed(closed) => break closed,
            Incoming::Silence => panic!("no end"),
        }
    };
    assert!(
        answered == 5 && matches!(end, Closed::Code(4001, _)),
        "{answered} of 5, {end:?}"
    );
    drop(outage);
    server.start_again();
    assert_eq!(alice.history().len(), 1);
}
