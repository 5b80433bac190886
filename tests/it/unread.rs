//! No one has to read what the server answers: who does not costs little, and is cut.

use std::{
    io::{ErrorKind, Read as _, Write as _},
    net::TcpStream,
    thread,
    time::{Duration, Instant},
};

use serde_json::{Value, json};
use socket2::{Domain, Socket as RawSocket, Type};

use crate::{
    many_directs::open_many,
    support::{Backend, Http, Server, TIMEOUT, User, eventually},
};

on_both![a_page_of_large_messages_ends_early_and_leads_on];

/// Most kilobytes that those who read nothing may cost all together.
const MOST_KB: u64 = 64 * 1024;

/// Sends as much of this as is taken, for a while, and reads nothing.
fn push(stream: &mut TcpStream, bytes: &[u8]) {
    stream
        .set_write_timeout(Some(Duration::from_millis(200)))
        .expect("sets");
    let end = Instant::now() + Duration::from_secs(5);
    let mut sent = 0;
    while sent < bytes.len() && Instant::now() < end {
        match stream.write(&bytes[sent..]) {
            Ok(count) => sent += count,
            Err(error) if error.kind() == ErrorKind::WouldBlock => {}
            // It was cut already.
            Err(_) => return,
        }
    }
}

#[test]
fn requests_whose_answers_nobody_reads_take_no_memory() {
    let server = Server::with(Backend::Sqlite)
        .env("RUST_LOG", "warn")
        .start();
    server.http().get("/health").expect(200);
    let (before, places) = (server.memory_kb("VmRSS"), server.open_sockets());
    let requests = "GET /health HTTP/1.1\r\nhost: x\r\n\r\n".repeat(18_000);
    let mut streams: Vec<TcpStream> = (0..60)
        .map(|_| server.http().open().expect("connects"))
        .collect();
    thread::scope(|scope| {
        for stream in &mut streams {
            scope.spawn(|| push(stream, requests.as_bytes()));
        }
    });
    // Others are served meanwhile, and after a while these are gone.
    server.http().get("/health").expect(200);
    eventually("who takes nothing is cut", || {
        (server.open_sockets() <= places).then_some(())
    });
    let grown = server.memory_kb("VmHWM").saturating_sub(before);
    assert!(grown < MOST_KB, "{grown} kB");
}

/// Stores `count` messages of the greatest length.
fn fill(user: &User, count: usize) {
    let mut socket = user.connect();
    for from in (1..=count).step_by(20) {
        let batch = from..=count.min(from + 19);
        for n in batch.clone() {
            let content = format!("{n} {}", "x".repeat(16_000));
            socket.send_json(&json!({"type": "message", "content": content, "ref": "r"}));
        }
        for _ in batch {
            socket.expect_type("ack");
        }
    }
}

/// Asks for a page on each of 60 connections, reads nothing, and tells how much memory that took, in kilobytes.
fn grown_by_unread_pages(server: &Server, readers: &[Http], path: &str) -> u64 {
    let before = server.memory_kb("VmRSS");
    let streams: Vec<TcpStream> = (0..60)
        .map(|n| {
            let reader: &Http = &readers[n % readers.len()];
            let token = reader.token.as_deref().expect("a login");
            let mut stream = reader.open().expect("connects");
            let request = format!(
                "GET {path}?limit=200 HTTP/1.1\r\nhost: {}\r\nauthorization: Bearer {token}\r\n\r\n",
                reader.addr
            );
            stream.write_all(request.as_bytes()).expect("is taken");
            stream
        })
        .collect();
    // Every connection has begun to answer: with a page, or with the advice to read the others first.
    for stream in &streams {
        let begun = stream.peek(&mut [0; 12]).expect("an answer begins");
        assert!(begun > 0);
    }
    server.memory_kb("VmHWM").saturating_sub(before)
}

#[test]
fn pages_that_nobody_reads_take_little_memory() {
    for path in ["/api/rooms/general/messages", "/api/chat/messages"] {
        for users in [1, 4] {
            let mut server = Server::with(Backend::Sqlite)
                .env("RUST_LOG", "warn")
                .start();
            let readers: Vec<User> = (0..users)
                .map(|n| User::register(&server, &format!("reader{n}")))
                .collect();
            fill(&readers[0], 210);
            // With limits, and before anything has needed memory.
            server.set_env("RATE_LIMITS", "on");
            server.restart();
            let readers: Vec<Http> = readers.iter().map(User::http).collect();
            readers[0]
                .get("/api/rooms/general/messages?limit=1")
                .expect(200);
            let grown = grown_by_unread_pages(&server, &readers, path);
            assert!(grown < MOST_KB, "{path}, {users} users: {grown} kB");
            // Others read meanwhile.
            let other = readers[0].at_address(9);
            other.get("/health").expect(200);
        }
    }
}

/// What is wrong is said at once, also to who has no place left for an answer.
#[test]
fn a_wrong_request_does_not_wait_for_others_to_be_read() {
    let mut server = Server::start(Backend::Sqlite);
    let alice = User::register(&server, "alice");
    fill(&alice, 60);
    server.set_env("RATE_LIMITS", "on");
    server.restart();
    let path = "/api/rooms/general/messages";
    let held: Vec<TcpStream> = (0..8).map(|_| ask(&alice.http(), path)).collect();
    for stream in &held {
        assert!(stream.peek(&mut [0; 12]).expect("an answer begins") > 0);
    }
    for (wrong, status, code) in [
        ("?limit=0", 422, "validation_error"),
        ("?limit=201", 422, "validation_error"),
        ("?before=-1", 422, "validation_error"),
        ("?before=1&after=1", 422, "validation_error"),
    ] {
        let answer = alice.http().get(&format!("{path}{wrong}"));
        answer.expect_problem(status, code);
    }
    (alice.http().get("/api/chat/messages?limit=0")).expect_problem(422, "validation_error");
    let waits = alice.http().get(path);
    waits.expect_problem(429, "too_many_unread");
    drop(held);
}

/// A list of rooms may be long: it is not read without bound while nobody takes it.
#[test]
fn who_reads_no_list_gets_no_more_of_them() {
    let mut server = Server::start(Backend::Sqlite);
    let alice = User::register(&server, "alice");
    open_many(&server, &alice, 200);
    // Each with all that a direct room may have.
    server.database.execute(
        "INSERT INTO memberships (room_id, user_id, created_at) \
         SELECT rooms.id, users.id, rooms.created_at FROM rooms JOIN users ON users.id BETWEEN 1000 AND 1047 \
         WHERE rooms.kind = 'direct' AND users.id <> rooms.id",
    );
    server.set_env("RATE_LIMITS", "on");
    server.restart();
    let path = "/api/rooms";
    let held: Vec<TcpStream> = (0..8).map(|_| ask(&alice.http(), path)).collect();
    for stream in &held {
        assert!(stream.peek(&mut [0; 12]).expect("an answer begins") > 0);
    }
    let wrong = alice.http().get(&format!("{path}?limit=0"));
    wrong.expect_problem(422, "validation_error");
    let waits = alice.http().get(path);
    waits.expect_problem(429, "too_many_unread");
    drop(held);
}

/// However long they go on, two who share an address with others do not take it from them.
#[test]
fn two_who_read_nothing_leave_places_for_others_of_their_address() {
    let mut server = Server::start(Backend::Sqlite);
    let users = User::register_all(&server, "reader", 3);
    fill(&users[0], 60);
    server.set_env("RATE_LIMITS", "on");
    server.restart();
    let path = "/api/rooms/general/messages";
    let held: Vec<TcpStream> = (0..16).map(|n| ask(&users[n % 2].http(), path)).collect();
    for stream in &held {
        assert!(stream.peek(&mut [0; 12]).expect("an answer begins") > 0);
    }
    users[2].http().get(path).expect(200);
    drop(held);
}

/// A connection on which a page was asked for.
fn ask(reader: &Http, path: &str) -> TcpStream {
    let token = reader.token.as_deref().expect("a login");
    let mut stream = connect(reader);
    write!(
        stream,
        "GET {path}?limit=200 HTTP/1.1\r\nhost: {}\r\nauthorization: Bearer {token}\r\nconnection: close\r\n\r\n",
        reader.addr
    )
    .expect("is taken");
    stream
}

/// A connection with a small receive buffer, so that the client is what decides how fast it is taken.
fn connect(reader: &Http) -> TcpStream {
    let socket = RawSocket::new(Domain::IPV4, Type::STREAM, None).expect("a socket");
    socket.set_recv_buffer_size(4096).expect("sets");
    socket
        .connect_timeout(&reader.addr.into(), TIMEOUT)
        .expect("connects");
    let stream = TcpStream::from(socket);
    stream.set_read_timeout(Some(TIMEOUT)).expect("a limit");
    stream
}

/// A socket on such a connection, and what has come on it.
fn open_socket(user: &User) -> (TcpStream, Vec<u8>) {
    let mut stream = connect(&user.http());
    write!(
        stream,
        "GET /ws/chat?token={} HTTP/1.1\r\nhost: {}\r\nconnection: upgrade\r\nupgrade: websocket\r\n\
         sec-websocket-version: 13\r\nsec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n",
        user.token,
        user.http().addr
    )
    .expect("is taken");
    let taken = read_some(&mut stream);
    assert!(taken.starts_with(b"HTTP/1.1 101 "));
    (stream, taken)
}

/// What comes at once.
fn read_some(stream: &mut TcpStream) -> Vec<u8> {
    let mut part = vec![0; 100];
    let count = stream.read(&mut part).expect("an answer");
    part.truncate(count);
    part
}

/// Takes so many bytes ten times a second, `most` at most, and gives what came until then or until the end.
fn take_slowly(stream: &mut TcpStream, a_time: usize, most: usize) -> Vec<u8> {
    let (mut taken, mut part) = (Vec::new(), vec![0; a_time]);
    while taken.len() < most {
        match stream.read(&mut part) {
            Ok(0) | Err(_) => break,
            Ok(count) => taken.extend_from_slice(&part[..count]),
        }
        // The client's own pace.
        thread::sleep(Duration::from_millis(100));
    }
    taken
}

/// Whether this is an answer with the whole of its body.
fn is_whole(answer: &[u8]) -> bool {
    let text = String::from_utf8_lossy(answer);
    let (head, body) = text.split_once("\r\n\r\n").expect("a head");
    let length = head.lines().find_map(|line| {
        let (name, value) = line.split_once(": ")?;
        name.eq_ignore_ascii_case("content-length").then_some(value)
    });
    length.and_then(|length| length.parse().ok()) == Some(body.len())
}

#[test]
fn a_slow_client_that_takes_steadily_gets_its_whole_page() {
    let server = Server::start(Backend::Sqlite);
    let alice = User::register(&server, "alice");
    fill(&alice, 60);
    let mut stream = ask(&alice.http(), "/api/rooms/general/messages");
    let mut answer = take_slowly(&mut stream, 500, 75_000);
    let rest = stream.read_to_end(&mut answer);
    assert!(is_whole(&answer), "{} bytes, {rest:?}", answer.len());
    assert!(answer.len() > 500_000, "{}", answer.len());
}

#[test]
fn a_slow_socket_that_takes_steadily_is_not_cut() {
    const MESSAGES: usize = 12;
    let server = Server::start(Backend::Sqlite);
    let alice = User::register(&server, "alice");
    let (mut stream, mut taken) = open_socket(&alice);
    fill(&alice, MESSAGES);
    taken.extend(take_slowly(&mut stream, 500, 75_000));
    let last = format!("{MESSAGES} xxx");
    while !String::from_utf8_lossy(&taken).contains(&last) {
        let mut part = [0; 16 * 1024];
        match stream.read(&mut part) {
            Ok(count @ 1..) => taken.extend_from_slice(&part[..count]),
            end => panic!("cut after {} bytes: {end:?}", taken.len()),
        }
    }
}

#[test]
fn a_slow_socket_that_takes_steadily_is_told_of_a_shutdown() {
    const MESSAGES: usize = 4;
    let mut server = Server::start(Backend::Sqlite);
    let alice = User::register(&server, "alice");
    let (mut stream, mut taken) = open_socket(&alice);
    fill(&alice, MESSAGES);
    taken.extend(take_slowly(&mut stream, 1_500, 3_000));
    server.signal("TERM");
    taken.extend(take_slowly(&mut stream, 1_500, usize::MAX));
    let all = String::from_utf8_lossy(&taken);
    let told = [format!("{MESSAGES} xxx"), r#""reconnect""#.to_owned()];
    let places = told.each_ref().map(|text| all.find(text));
    assert!(
        places[0].is_some() && places[0] < places[1],
        "{places:?} of {}",
        taken.len()
    );
    let code = [&4001_u16.to_be_bytes()[..], b"the server is shutting down"].concat();
    assert!(taken.ends_with(&code), "{:?}", &all[all.len() - 200..]);
    assert_eq!(server.wait().code(), Some(0));
}

/// The last of an answer waits in the kernel after the server is done with it. (Of several, since the kernel looks after
/// slow ones at moments of its own.)
#[test]
fn a_slow_client_gets_the_end_of_the_last_answer_on_a_connection() {
    let server = Server::start(Backend::Sqlite);
    let alice = User::register(&server, "alice");
    fill(&alice, 10);
    thread::scope(|scope| {
        for _ in 0..6 {
            scope.spawn(|| {
                let mut stream = ask(&alice.http(), "/api/rooms/general/messages");
                let answer = take_slowly(&mut stream, 500, usize::MAX);
                assert!(is_whole(&answer), "{} bytes", answer.len());
            });
        }
    });
}

#[test]
fn a_page_that_is_taken_drop_by_drop_is_given_up() {
    let server = Server::start(Backend::Sqlite);
    let alice = User::register(&server, "alice");
    fill(&alice, 6);
    let mut stream = ask(&alice.http(), "/api/rooms/general/messages");
    let taken = take_slowly(&mut stream, 130, usize::MAX);
    assert!(taken.starts_with(b"HTTP/1.1 200 "));
    assert!(!is_whole(&taken), "{} bytes", taken.len());
}

/// The numbers on every page that `rel` leads to, in the order in which it leads.
fn walk(user: &User, start: &str, rel: &str) -> Vec<Vec<u64>> {
    let mut pages = Vec::new();
    let mut next = Some(start.to_owned());
    while let Some(path) = next {
        let answer = user.http().get(&path).expect(200);
        assert!(
            answer.body.len() <= 512 * 1024,
            "{path}: {}",
            answer.body.len()
        );
        next = answer.link(rel);
        pages.push(numbers(&answer.json()));
        assert!(pages.len() < 50, "{rel} leads in a circle: {pages:?}");
    }
    pages
}

fn numbers(page: &Value) -> Vec<u64> {
    let page = page.as_array().expect("an array");
    page.iter()
        .map(|message| {
            let id = message["id"].as_u64().expect("an id");
            let content = message["content"].as_str().expect("a text");
            assert!(content.starts_with(&format!("{id} ")), "{content:.20}");
            id
        })
        .collect()
}

fn a_page_of_large_messages_ends_early_and_leads_on(backend: Backend) {
    let server = Server::start(backend);
    let alice = User::register(&server, "alice");
    fill(&alice, 210);
    let all: Vec<u64> = (1..=210).collect();
    let path = "/api/rooms/general/messages";
    let mut back = walk(&alice, &format!("{path}?limit=200"), "prev");
    assert!(back[0].len() < 40 && back[0].len() > 20, "{back:?}");
    assert_eq!(back[0].last(), Some(&210), "the newest are what is wanted");
    back.reverse();
    assert_eq!(back.concat(), all);
    for start in ["after=0", "since=0"] {
        let on = walk(&alice, &format!("{path}?{start}&limit=200"), "next");
        assert!(on[0].len() < 40 && on[0].len() > 20, "{on:?}");
        assert_eq!(on.concat(), all, "{start}");
    }
    let around = numbers(&json!(alice.page("?around=100&limit=200")));
    assert!(around.contains(&100) && around.len() < 40, "{around:?}");
    let middle: Vec<u64> = (around[0]..).take(around.len()).collect();
    assert_eq!(around, middle, "without a gap");
    assert_eq!(numbers(&json!(alice.history())), all);
    // The core path gives what was asked for, as one array of the same messages.
    for limit in [40_usize, 200] {
        let whole = alice
            .http()
            .get(&format!("/api/chat/messages?limit={limit}"))
            .expect(200);
        assert_eq!(whole.header("content-type"), Some("application/json"));
        let older = whole.link("prev").expect("there are older ones");
        let first = 211 - limit as u64;
        assert_eq!(older, format!("{path}?before={first}&limit={limit}"));
        let mut expected = Vec::new();
        for id in first..=210 {
            let one = alice
                .http()
                .get(&format!("{path}?after={}&limit=1", id - 1));
            expected.push(one.expect(200).text()[1..].trim_end_matches(']').to_owned());
        }
        assert!(
            whole.text() == format!("[{}]", expected.join(",")),
            "{limit}"
        );
    }
}
