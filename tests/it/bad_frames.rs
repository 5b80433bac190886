//! Broken, hostile and oversized frames: the right close code, no memory, and no one else notices.

use std::io::Write as _;

use parlour_lab::raw::frame::{masked as frame, masked_header as header};
use serde_json::{Value, json};

use crate::support::{Backend, Closed, Incoming, Server, Socket, TIMEOUT, User};

const TEXT: u8 = 0x81;
const TEXT_BEGINS: u8 = 0x01;
const MORE: u8 = 0x00;
const LAST: u8 = 0x80;
const BINARY: u8 = 0x82;
const CLOSE: u8 = 0x88;
const PING: u8 = 0x89;

pub fn hostile() -> Vec<(&'static str, Vec<u8>, &'static [u16])> {
    let ping = br#"{"type":"ping"}"#;
    let mut unmasked = vec![TEXT, u8::try_from(ping.len()).expect("short")];
    unmasked.extend(ping);
    let join = |parts: &[Vec<u8>]| parts.concat();
    vec![
        ("unmasked", unmasked, &[1002]),
        ("reserved bit 1", frame(TEXT | 0x40, ping), &[1002]),
        ("reserved bit 2", frame(TEXT | 0x20, ping), &[1002]),
        ("reserved bit 3", frame(TEXT | 0x10, ping), &[1002]),
        ("reserved opcode 3", frame(0x83, b"x"), &[1002]),
        ("reserved opcode 11", frame(0x8b, b""), &[1002]),
        ("a fragmented ping", frame(0x09, b"x"), &[1002]),
        ("a ping of 126 bytes", frame(PING, &[b'x'; 126]), &[1002]),
        ("a close of 126 bytes", frame(CLOSE, &[3; 126]), &[1002]),
        ("more of nothing", frame(LAST, b"x"), &[1002]),
        (
            "a beginning in the midst",
            join(&[frame(TEXT_BEGINS, b"x"), frame(TEXT, b"y")]),
            &[1002],
        ),
        ("text that is not UTF-8", frame(TEXT, b"\xff\xfe"), &[1007]),
        (
            "a lone surrogate",
            frame(TEXT, b"\"\xed\xa0\x80\""),
            &[1007],
        ),
        ("an overlong NUL", frame(TEXT, b"\"\xc0\x80\""), &[1007]),
        ("a character cut off", frame(TEXT, b"\xe2\x82"), &[1007]),
        (
            "bad UTF-8 over fragments",
            join(&[frame(TEXT_BEGINS, b"\xe2"), frame(LAST, b"x")]),
            &[1007],
        ),
        ("binary", frame(BINARY, b"x"), &[1003]),
        ("one byte over", header(TEXT, 65_537), &[1009]),
        ("1 GiB", header(TEXT, 1 << 30), &[1009]),
        ("1 TiB", header(TEXT, 1 << 40), &[1009]),
        (
            "a length with the sign bit",
            header(TEXT, 1 << 63),
            &[1002, 1009],
        ),
        (
            "fragments over the limit",
            join(&[frame(TEXT_BEGINS, &[b' '; 40_000]), header(LAST, 40_000)]),
            &[1009],
        ),
        (
            "a close with code 1005",
            frame(CLOSE, &1005_u16.to_be_bytes()),
            &[1002],
        ),
        (
            "a close with code 999",
            frame(CLOSE, &999_u16.to_be_bytes()),
            &[1002],
        ),
        ("a close of one byte", frame(CLOSE, b"\x03"), &[1002]),
        (
            "a close with a broken reason",
            frame(CLOSE, b"\x03\xe8\xff"),
            &[1007, 1002],
        ),
    ]
}

#[test]
fn a_broken_frame_gets_its_close_code() {
    let server = Server::start(Backend::Sqlite);
    let (alice, bob) = (
        User::register(&server, "alice"),
        User::register(&server, "bob"),
    );
    let mut witness = bob.connect();
    for (case, bytes, codes) in hostile() {
        let mut socket = alice.connect();
        socket.send_raw(&bytes).expect("sends");
        match socket.expect_end() {
            Closed::Code(code, _) if codes.contains(&code) => {}
            other => panic!("{case}: {other:?}, not {codes:?}"),
        }
    }
    witness.say("undisturbed");
}

#[test]
fn what_the_standard_allows_is_understood() {
    let server = Server::start(Backend::Sqlite);
    let alice = User::register(&server, "alice");
    let mut socket = alice.connect();
    let text = json!({"type": "message", "content": "häppchen 🌍", "ref": "r"}).to_string();
    // Cut at every byte, characters and all, with pings in between.
    let mut bytes = frame(TEXT_BEGINS, b"");
    for byte in text.as_bytes() {
        bytes.extend(frame(MORE, &[*byte]));
        bytes.extend(frame(PING, b"still there?"));
    }
    bytes.extend(frame(LAST, b""));
    // And the whole in pieces of the line's own choosing.
    for piece in bytes.chunks(7) {
        socket.send_raw(piece).expect("sends");
    }
    // Its sender is told twice, in either order.
    let mut told = Vec::new();
    while told.len() < 2 {
        let frame = socket.expect(|frame| frame["id"] == 1);
        assert!(frame["type"] == "ack" || frame["content"] == "häppchen 🌍");
        told.push(frame["type"].clone());
    }
    assert!(told.contains(&"ack".into()) && told.contains(&"message".into()));
    // A frame of exactly the limit.
    let empty = json!({"type": "ping", "ref": "r", "padding": ""})
        .to_string()
        .len();
    let longest =
        json!({"type": "ping", "ref": "r", "padding": "x".repeat(65_536 - empty)}).to_string();
    assert_eq!(longest.len(), 65_536);
    socket.send_text(&longest);
    socket.expect_type("pong");
    socket.close();
}

#[test]
fn a_frame_that_declares_a_gigabyte_costs_nothing() {
    let server = Server::start(Backend::Sqlite);
    let alice = User::register(&server, "alice");
    let declare = |body: &[u8]| {
        let mut socket = alice.connect();
        let mut bytes = header(TEXT, 1 << 30);
        bytes.extend_from_slice(body);
        // It is closed while we are still sending.
        let _ = socket.stream().write_all(&bytes);
        socket
    };
    let declare_both = |size: usize| {
        assert!(matches!(declare(&[]).expect_end(), Closed::Code(1009, _)));
        declare(&vec![b'x'; size]).expect_end();
    };
    // The first of each kind warm up whatever is made once, in each of the two workers.
    declare_both(4 << 10);
    declare_both(4 << 10);
    let before = server.memory_kb("VmHWM");
    for _ in 0..5 {
        declare_both(4 << 20);
    }
    let grown = server.memory_kb("VmHWM") - before;
    assert!(grown < 2048, "{grown} kB");
}

#[test]
fn a_million_empty_fragments_take_no_memory() {
    let server = Server::start(Backend::Sqlite);
    let (alice, bob) = (
        User::register(&server, "alice"),
        User::register(&server, "bob"),
    );
    let mut witness = bob.connect();
    let mut socket = alice.connect();
    let before = server.memory_kb("VmRSS");
    socket.send_raw(&frame(TEXT_BEGINS, b"")).expect("sends");
    let many = frame(MORE, b"").repeat(10_000);
    for _ in 0..100 {
        if socket.send_raw(&many).is_err() {
            break;
        }
    }
    let _ = socket.send_raw(&frame(LAST, br#"{"type":"ping"}"#));
    // Either they were all taken for what they are, or the patience had an end.
    match socket.next(TIMEOUT) {
        Incoming::Frame(answer) => assert!(
            answer["type"] == "pong" || answer["event"] == "joined",
            "{answer}"
        ),
        Incoming::Closed(Closed::Code(1002 | 1008 | 1009 | 4429, _) | Closed::Cut) => {}
        other => panic!("{other:?}"),
    }
    witness.say("undisturbed");
    let grown = server.memory_kb("VmRSS").saturating_sub(before);
    assert!(grown < 4096, "{grown} kB");
}

fn refused(socket: &mut Socket, text: &str, code: &str) -> Value {
    socket.send_text(text);
    socket.expect_error(code)
}

/// Frames of text that mean nothing, and the code that answers each.
pub const NONSENSE: &[(&str, &str)] = &[
    ("[1,2]", "not_an_object"),
    ("null", "not_an_object"),
    ("7", "not_an_object"),
    ("", "invalid_json"),
    ("{", "invalid_json"),
    (r#"{"content":"hi"}"#, "missing_type"),
    (r#"{"type":null}"#, "missing_type"),
    (r#"{"type":"dance"}"#, "unknown_type"),
    (r#"{"type":"Message","content":"hi"}"#, "unknown_type"),
    (r#"{"type":"message"}"#, "invalid_frame"),
    (r#"{"type":"message","content":["hi"]}"#, "invalid_frame"),
    (
        r#"{"type":"message","content":"hi","room":7}"#,
        "invalid_frame",
    ),
    (
        r#"{"type":"message","content":"hi","client_id":{}}"#,
        "invalid_frame",
    ),
    (
        r#"{"type":"message","content":"hi","room":"nowhere"}"#,
        "room_not_found",
    ),
    (
        r#"{"type":"message","content":"hi","room":"secret"}"#,
        "room_not_found",
    ),
    (
        r#"{"type":"sync","rooms":{"general":9223372036854775808000}}"#,
        "invalid_frame",
    ),
    (r#"{"type":"message","content":"\ud800"}"#, "invalid_json"),
    (r#"{"type":"sync"}"#, "invalid_frame"),
    (r#"{"type":"sync","rooms":{"general":-1}}"#, "invalid_frame"),
    (
        r#"{"type":"sync","rooms":{"general":1e30}}"#,
        "invalid_frame",
    ),
    (
        r#"{"type":"sync","rooms":{"general":1e999}}"#,
        "invalid_frame",
    ),
    (
        r#"{"type":"create","name":"tea","kind":5}"#,
        "invalid_frame",
    ),
    (
        r#"{"type":"member","room":"general","user":"alice","role":7}"#,
        "invalid_frame",
    ),
    (r#"{"type":"ping","ref":{}}"#, "invalid_ref"),
];

#[test]
fn a_frame_that_makes_no_sense_is_answered_with_its_code() {
    let server = Server::start(Backend::Sqlite);
    let alice = User::register(&server, "alice");
    server.database.execute("INSERT INTO rooms (id, key, last_seq, created_at) VALUES (2, 'secret', 0, '2026-11-22 00:00:00')");
    let long_ref = format!(r#"{{"type":"ping","ref":"{}"}}"#, "x".repeat(65));
    let deep = "[".repeat(60_000);
    let made = [(long_ref.as_str(), "invalid_ref"), (&deep, "invalid_json")];
    for (text, code) in NONSENSE.iter().copied().chain(made) {
        let mut socket = alice.connect();
        refused(&mut socket, text, code);
        socket.say("still here");
        socket.close();
    }
    let mut socket = alice.connect();
    let error = refused(
        &mut socket,
        r#"{"type":"message","content":7,"ref":"mine"}"#,
        "invalid_frame",
    );
    assert_eq!(error["ref"], "mine");
}

#[test]
fn what_a_client_claims_about_itself_is_not_believed() {
    let server = Server::start(Backend::Sqlite);
    let (alice, bob) = (
        User::register(&server, "alice"),
        User::register(&server, "bob"),
    );
    let (mut hers, mut his) = (alice.connect(), bob.connect());
    hers.send_json(&json!({
        "type": "message", "content": "hi", "username": "bob", "user_id": bob.id, "id": 77, "seq": 77,
        "timestamp": "1999-01-01T00:00:00.000000+00:00", "unreadable": true,
    }));
    let seen = his.expect_message("hi");
    assert_eq!(
        (&seen["username"], &seen["user_id"], &seen["seq"]),
        (&json!("alice"), &json!(alice.id), &json!(1))
    );
    assert!(
        !seen["timestamp"]
            .as_str()
            .expect("a time")
            .starts_with("1999")
    );
    assert!(seen.get("unreadable").is_none());
}

#[test]
fn ten_frames_of_nonsense_within_a_minute_are_enough() {
    let server = Server::with(Backend::Sqlite)
        .env("RATE_LIMITS", "on")
        .start();
    let alice = User::register(&server, "alice");
    let mut socket = alice.connect();
    for _ in 0..9 {
        socket.send_text(r#"{"type":"dance"}"#);
        socket.expect_error("unknown_type");
    }
    socket.send_json(&json!({"type": "ping"}));
    socket.expect_type("pong");
    for _ in 0..10_000 {
        if !socket.try_send(&json!({"type": "dance"})) {
            break;
        }
    }
    assert!(matches!(socket.expect_end(), Closed::Code(1008, _)));
    alice.connect().say("welcome back");
}
