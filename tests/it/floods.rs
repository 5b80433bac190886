//! Whoever goes on sending what is refused, or what costs and says nothing, is closed; what was said before is answered.

use std::{
    io::{Read as _, Write as _},
    net::Shutdown,
    panic::AssertUnwindSafe,
    sync::atomic::{AtomicBool, Ordering},
};

use serde_json::json;

use crate::support::{
    Backend, Closed, Http, Incoming, Kept, Server, Socket, TIMEOUT, User, eventually,
};

const TEXT: u8 = 0x81;
const CLOSE: u8 = 0x88;
const PING: u8 = 0x89;
const PONG: u8 = 0x8A;

/// A frame with a mask of zeros.
fn frame(first: u8, payload: &[u8]) -> Vec<u8> {
    let mut bytes = vec![first];
    match u8::try_from(payload.len()) {
        Ok(short) if short < 126 => bytes.push(0x80 | short),
        _ => {
            let long = u16::try_from(payload.len()).expect("short enough");
            bytes.push(0x80 | 0x7E);
            bytes.extend_from_slice(&long.to_be_bytes());
        }
    }
    bytes.extend_from_slice(&[0; 4]);
    bytes.extend_from_slice(payload);
    bytes
}

/// How a socket ends that sends this forever, as far as 20,000 times are that.
fn end_of_a_flood(socket: &mut Socket, bytes: &[u8]) -> Option<Closed> {
    let batch = bytes.repeat(50);
    for _ in 0..400 {
        let _cut_meanwhile = socket.send_raw(&batch);
        // The answers are read, so that it is not for being slow that it ends.
        let mut asked = false;
        loop {
            match socket.next(std::time::Duration::from_millis(5)) {
                Incoming::Frame(_) => asked = true,
                Incoming::Silence if !asked => break,
                Incoming::Silence => asked = false,
                Incoming::Closed(closed) => return Some(closed),
            }
        }
    }
    None
}

#[test]
fn who_floods_a_socket_is_closed() {
    let server = Server::with(Backend::Sqlite)
        .env("RATE_LIMITS", "on")
        .start();
    let bob = User::register(&server, "bob");
    let mut witness = bob.connect();
    let text = |text: &str| frame(TEXT, text.as_bytes());
    for (number, (flood, code)) in [
        (text(r#"{"type":"ping"}"#), 4429),
        (frame(PING, b"are you there?"), 4429),
        (frame(PONG, b""), 4429),
        (text(r#"{"type":"message","content":"again"}"#), 4429),
        (text(r#"{"type":"message","content":""}"#), 4429),
        (text(r#"{"type":"sync","rooms":{"general":0}}"#), 4429),
        (text(r#"{"type":"sync","rooms":{"777":0}}"#), 4429),
        (text(r#"{"type":"nonsense"}"#), 1008),
        (text("no JSON"), 1008),
    ]
    .into_iter()
    .enumerate()
    {
        let user = User::register(&server, &format!("user{number}"));
        let mut socket = user.connect();
        let end = end_of_a_flood(&mut socket, &flood);
        let closed = matches!(end, Some(Closed::Code(seen, _)) if seen == code);
        assert!(closed, "{}: {end:?}", String::from_utf8_lossy(&flood));
    }
    witness.say("undisturbed");
}

/// A message is acked however soon its sender is gone: with a close frame right behind it, with a half-close, or with a
/// frame that ends the connection.
#[test]
fn what_was_said_before_the_close_is_acked() {
    let server = Server::start(Backend::Sqlite);
    let alice = User::register(&server, "alice");
    let message = |n: u32| {
        let message = json!({"type": "message", "content": format!("last words {n}"), "ref": "r"});
        frame(TEXT, message.to_string().as_bytes())
    };
    let close = frame(CLOSE, &1000_u16.to_be_bytes());
    let endings = [
        ("a close frame", close),
        ("half a close", Vec::new()),
        ("a broken frame", vec![0xFF, 0xFF]),
        ("a binary frame", frame(0x82, b"x")),
    ];
    for (n, (what, ending)) in (0..).zip(endings) {
        let mut socket = alice.connect();
        let mut bytes = message(n);
        bytes.extend_from_slice(&ending);
        socket.stream().write_all(&bytes).expect("sends");
        if ending.is_empty() {
            socket.stream().shutdown(Shutdown::Write).expect("closes");
        }
        let acked = loop {
            match socket.next(TIMEOUT) {
                Incoming::Frame(frame) if frame["type"] == "ack" => break true,
                Incoming::Frame(_) => {}
                Incoming::Closed(_) | Incoming::Silence => break false,
            }
        };
        assert!(acked, "{what} came right behind a message");
        let end = socket.next(TIMEOUT);
        assert!(matches!(end, Incoming::Closed(_)), "{what}: {end:?}");
    }
    let said: Vec<_> = alice.history();
    assert_eq!(said.len(), 4, "{said:?}");
}

/// Requests that are refused again and again are soon refused for that alone, and their connection is closed; who shows
/// a token is charged to a budget of its own.
#[test]
fn who_floods_us_with_requests_is_told_to_wait() {
    let server = Server::with(Backend::Sqlite)
        .env("RATE_LIMITS", "on")
        .start();
    let (alice, bob) = (
        User::register(&server, "alice"),
        User::register(&server, "bob"),
    );
    let authorization = format!("authorization: Bearer {}\r\n", alice.token);
    for headers in ["", authorization.as_str()] {
        let request = format!("GET /nothing HTTP/1.1\r\nhost: x\r\n{headers}\r\n");
        let mut stream = server.http().open().expect("connects");
        let mut reader = stream.try_clone().expect("another handle");
        let sending = std::thread::spawn(move || {
            // Until it is closed on us.
            (0..20).any(|_| stream.write_all(request.repeat(250).as_bytes()).is_err())
        });
        let mut said = Vec::new();
        let _however_it_ends = reader.read_to_end(&mut said);
        sending.join().expect("joins");
        let said = String::from_utf8_lossy(&said);
        assert!(said.contains("HTTP/1.1 404 "), "{said}");
        let last = said.rfind("HTTP/1.1 ").map_or("", |at| &said[at..]);
        assert!(last.starts_with("HTTP/1.1 429 "), "{last}");
        assert!(last.contains("retry-after: "), "{last}");
        assert_eq!(said.matches("HTTP/1.1 429 ").count(), 1);
    }
    bob.post("not concerned", None).expect(201);
}

/// Sends this forever, on one connection after the other.
fn flood(http: &Http, request: &str, ended: &AtomicBool) {
    while !ended.load(Ordering::Relaxed) {
        let Ok(mut stream) = http.open() else {
            continue;
        };
        let Ok(mut reader) = stream.try_clone() else {
            continue;
        };
        let _cut_when_it_has_to_wait = stream.write_all(request.repeat(100).as_bytes());
        let _no_more = stream.shutdown(Shutdown::Write);
        let _however_it_ends = reader.read_to_end(&mut Vec::new());
    }
}

/// A token that was stolen is good for nothing once its login has ended, and it keeps no one out either.
#[test]
fn a_stolen_token_of_an_ended_login_spends_nothing_of_its_user() {
    let server = Server::with(Backend::Sqlite)
        .env("RATE_LIMITS", "on")
        .start();
    let mut alice = User::register(&server, "alice");
    let first = alice.clone();
    alice.log_in();
    let second = alice.clone();
    alice.log_in();
    first
        .http()
        .post("/api/auth/logout", &json!({}))
        .expect(204);
    // Ended by another program, which tells the server nothing: the server learns of it when the token is shown.
    server
        .database
        .execute("DELETE FROM sessions WHERE id = (SELECT id FROM sessions ORDER BY id LIMIT 1)");
    second.http().get("/api/chat/messages").expect(401);
    let ended = AtomicBool::new(false);
    let (ended, server) = (&ended, &server);
    std::thread::scope(|scope| {
        for (last, thief) in [(7, &first), (8, &second)] {
            for path in ["/api/chat/messages", "/nothing"] {
                let request = format!(
                    "GET {path} HTTP/1.1\r\nhost: x\r\nauthorization: Bearer {}\r\n\r\n",
                    thief.token
                );
                scope.spawn(move || flood(&server.http().at_address(last), &request, ended));
            }
        }
        let waiting = |last| {
            let http = server.http().at_address(last);
            // Whoever opens too many connections is cut off before that.
            let answer = http.try_request("GET", "/nothing", &[], &[]);
            answer
                .map_or(true, |answer| answer.status == 429)
                .then_some(())
        };
        let was_heard = std::panic::catch_unwind(AssertUnwindSafe(|| {
            // The floods have cost so much that someone has to wait.
            eventually("the thieves have to wait", || {
                waiting(7).and_then(|()| waiting(8))
            });
            (0..100).all(|_| alice.http().get("/api/chat/messages?limit=1").status == 200)
        }));
        ended.store(true, Ordering::Relaxed);
        assert!(was_heard.is_ok_and(|was_heard| was_heard));
    });
}

/// Each of these is a transaction of its own, on the disk that the messages of others wait for.
#[test]
fn whoever_goes_on_following_saving_and_drafting_has_to_wait_and_goes_on_writing() {
    let server = Server::with(Backend::Sqlite)
        .env("RATE_LIMITS", "on")
        .start();
    let [alice, bob] = ["alice", "bob"].map(|name| User::register(&server, name));
    alice.post("a thread", None).expect(201);
    let bare = json!({});
    let acts = [
        ("PUT", "/api/rooms/general/messages/1/follow"),
        ("DELETE", "/api/rooms/general/messages/1/follow"),
        ("PUT", "/api/saved/general/1"),
        ("DELETE", "/api/saved/general/1"),
    ];
    let mut refused = None;
    for (method, path) in acts.iter().cycle().take(1_000) {
        let answer = alice.ask(method, path, &[], &bare);
        if answer.status == 429 {
            refused = Some(answer);
            break;
        }
        answer.expect(204);
    }
    let refused = refused.expect("a thousand at once are too many");
    // It is a budget of its own: reading goes on.
    let path = "/api/rooms/general/draft";
    alice.ask("GET", path, &[], &bare).expect(200);
    refused.expect_problem(429, "rate_limited");
    let draft = json!({"content": "later"});
    let draft = alice.in_room("PUT", "general", "/draft", &draft);
    draft.expect_problem(429, "rate_limited");
    alice.post("still here", None).expect(201);
    bob.ask("PUT", "/api/saved/general/1", &[], &bare)
        .expect(204);
}

/// Each time that someone is seen again tells all that they have come.
#[test]
fn nobody_comes_and_goes_without_end_by_becoming_invisible() {
    let server = Server::with(Backend::Sqlite)
        .env("RATE_LIMITS", "on")
        .start();
    let [alice, bob] = ["alice", "bob"].map(|name| User::register(&server, name));
    let (_hers, mut his) = (alice.connect(), bob.connect());
    let set = |state: &str| {
        let wish = json!({"state": state});
        alice.ask("PUT", "/api/users/me/status", &[], &wish)
    };
    let mut refused = None;
    for state in ["invisible", "online"].into_iter().cycle().take(100) {
        let answer = set(state);
        if answer.status == 429 {
            refused = Some(answer);
            break;
        }
        answer.expect(200);
    }
    let refused = refused.expect("a hundred in a row are too many");
    refused.expect_problem(429, "rate_limited");
    let words = json!({"text": "lunch"});
    let said = alice.ask("PUT", "/api/users/me/status", &[], &words);
    said.expect(200);
    alice.post("still here", None).expect(201);
    his.expect(|frame| frame["content"] == "still here");
}

#[test]
fn made_up_refresh_tokens_keep_no_one_of_their_address_out() {
    let server = Server::with(Backend::Sqlite)
        .env("RATE_LIMITS", "on")
        .start();
    let mut alice = User::register(&server, "alice");
    for n in 0..200 {
        let junk = json!({"refresh_token": format!("made up {n}")});
        server.http().post("/api/auth/refresh", &junk).expect(401);
    }
    alice.log_in();
    let refresh = json!({"refresh_token": alice.refresh_token});
    server
        .http()
        .post("/api/auth/refresh", &refresh)
        .expect(200);
}

#[test]
fn whoever_is_logged_in_cannot_fill_the_log_either() {
    const SENT: usize = 2_300;
    let mut server = Server::with(Backend::Sqlite)
        .env("RATE_LIMITS", "on")
        .start();
    let alice = User::register(&server, "alice");
    let request = format!(
        "GET /health HTTP/1.1\r\nhost: x\r\nauthorization: Bearer {}\r\n\r\n",
        alice.token
    );
    let mut stream = server.http().open().expect("connects");
    let mut reader = stream.try_clone().expect("another handle");
    let sending = std::thread::spawn(move || {
        let sent = stream.write_all(request.repeat(SENT).as_bytes());
        sent.and_then(|()| stream.shutdown(Shutdown::Write))
    });
    let mut said = Vec::new();
    reader.read_to_end(&mut said).expect("reads");
    sending.join().expect("joins").expect("sends");
    let answered = String::from_utf8_lossy(&said)
        .matches("HTTP/1.1 200 ")
        .count();
    assert_eq!(answered, SENT);
    assert_eq!(server.terminate().0.code(), Some(0));
    let log = server.log();
    let left_out: usize = (log.lines())
        .filter_map(|line| {
            let (before, _) = line.split_once(" requests with a login are not in the log")?;
            before.rsplit(' ').next()?.parse::<usize>().ok()
        })
        .sum();
    let lines = log
        .lines()
        .filter(|line| line.contains("GET /health"))
        .count();
    assert!(
        left_out > 0 && lines >= 2_000,
        "{lines} lines, {left_out} left out"
    );
    assert_eq!(lines + left_out, SENT, "each is there or counted");
}

/// A page of another site can have the browser of someone who looks at it send requests here, whose answers it cannot
/// read, but which come from the same address as what that person wants.
#[test]
fn a_page_of_another_site_spends_nothing_of_who_looks_at_it() {
    let server = Server::with(Backend::Sqlite)
        .env("RATE_LIMITS", "on")
        .start();
    let mut alice = User::register(&server, "alice");
    let headers = [
        ("sec-fetch-site", "cross-site"),
        ("sec-fetch-mode", "no-cors"),
    ];
    let mut page = Kept::new(server.addr);
    let mut ask = || {
        let answer = page.request("GET", "/api/chat/messages", &headers, &[]);
        answer.expect("an answer")
    };
    let refused = eventually("the page has to wait", || {
        Some(ask()).filter(|answer| answer.status == 429)
    });
    assert_ne!(refused.header("connection"), Some("close"));
    let foreign = "GET /api/chat/messages HTTP/1.1\r\nhost: x\r\norigin: https://evil.test\r\n\r\n";
    let server = &server;
    std::thread::scope(|scope| {
        for _ in 0..60 {
            scope.spawn(move || {
                let mut stream = server.http().open().expect("connects");
                let _refused_meanwhile = stream.write_all(foreign.repeat(30).as_bytes());
                let _no_more = stream.shutdown(Shutdown::Write);
                let _however_it_ends = stream.read_to_end(&mut Vec::new());
            });
        }
    });
    // A link on that page leads here all the same.
    let link = [
        ("sec-fetch-site", "cross-site"),
        ("sec-fetch-mode", "navigate"),
        ("sec-fetch-dest", "document"),
    ];
    for headers in [&[][..], &link] {
        let answer = server.http().request("GET", "/", headers, &[]);
        answer.expect(200);
    }
    alice.log_in();
}
