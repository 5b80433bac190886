//! Whatever goes wrong, the answer is a problem+json that says what to do, with the request's id; and nothing of the
//! inside leaks into it.

use serde_json::json;

use crate::support::{Backend, PASSWORD, Server, User};

on_both![
    every_refusal_is_a_problem,
    what_a_name_or_a_password_may_be,
    what_a_message_may_hold,
];

pub type Case = (
    &'static str,                            // method
    &'static str,                            // path
    &'static [(&'static str, &'static str)], // headers
    &'static str,                            // body
    u16,                                     // status
);

const JSON: &[(&str, &str)] = &[("content-type", "application/json")];
const TEXT: &[(&str, &str)] = &[("content-type", "text/plain")];
const NO_TYPE: &[(&str, &str)] = &[("content-type", "")];
const FORM: &[(&str, &str)] = &[("content-type", "application/x-www-form-urlencoded")];
const ANONYMOUS: &[(&str, &str)] = &[("authorization", "")];

pub const CASES: &[Case] = &[
    ("GET", "/nothing/here", &[], "", 404),
    ("GET", "/api/nothing", &[], "", 404),
    ("GET", "/api/rooms/nowhere/messages", &[], "", 404),
    (
        "POST",
        "/api/rooms/nowhere/messages",
        JSON,
        r#"{"content":"x"}"#,
        404,
    ),
    ("GET", "/api/rooms/%2e%2e/messages", &[], "", 404),
    ("GET", "/api/rooms/%00/messages", &[], "", 404),
    ("GET", "/api/rooms/%ff/messages", &[], "", 404),
    ("GET", "/api/rooms/general%2f/messages", &[], "", 404),
    ("GET", "/%2e%2e/%2e%2e/etc/passwd", &[], "", 404),
    ("DELETE", "/api/auth/login", &[], "", 405),
    ("GET", "/api/auth/register", &[], "", 405),
    ("POST", "/api/chat/messages", JSON, "{}", 405),
    ("PUT", "/health", JSON, "{}", 405),
    ("BREW", "/api/auth/login", &[], "", 405),
    (
        "POST",
        "/api/auth/login",
        TEXT,
        r#"{"username":"alice","password":"x"}"#,
        415,
    ),
    (
        "POST",
        "/api/auth/login",
        NO_TYPE,
        r#"{"username":"alice","password":"x"}"#,
        415,
    ),
    (
        "POST",
        "/api/auth/login",
        FORM,
        "username=alice&password=x",
        415,
    ),
    ("POST", "/api/auth/login", JSON, "", 400),
    ("POST", "/api/auth/login", JSON, "{", 400),
    (
        "POST",
        "/api/auth/login",
        JSON,
        "{\"username\":\"\u{0}",
        400,
    ),
    (
        "POST",
        "/api/auth/login",
        JSON,
        r#"{"username":"\ud800","password":"x"}"#,
        400,
    ),
    (
        "POST",
        "/api/auth/login",
        JSON,
        r#"{"username":"a","password":"x"} more"#,
        400,
    ),
    ("POST", "/api/auth/login", JSON, "[]", 422),
    ("POST", "/api/auth/login", JSON, "null", 422),
    (
        "POST",
        "/api/auth/login",
        JSON,
        r#"["alice","correct horse battery"]"#,
        422,
    ),
    ("POST", "/api/auth/login", JSON, "{}", 422),
    (
        "POST",
        "/api/auth/login",
        JSON,
        r#"{"username":7,"password":"x"}"#,
        422,
    ),
    (
        "POST",
        "/api/auth/login",
        JSON,
        r#"{"username":["alice"],"password":{}}"#,
        422,
    ),
    (
        "POST",
        "/api/auth/register",
        JSON,
        r#"{"username":"carol"}"#,
        422,
    ),
    (
        "POST",
        "/api/rooms",
        JSON,
        r#"{"name":"tea","kind":5}"#,
        422,
    ),
    (
        "POST",
        "/api/rooms",
        JSON,
        r#"{"name":"tea","kind":null}"#,
        422,
    ),
    (
        "PATCH",
        "/api/rooms/general",
        JSON,
        r#"{"kind":["public"]}"#,
        422,
    ),
    (
        "PATCH",
        "/api/rooms/general",
        JSON,
        r#"{"slow_seconds":1e999}"#,
        422,
    ),
    (
        "PUT",
        "/api/rooms/general/members/alice",
        JSON,
        r#"{"role":7}"#,
        422,
    ),
    (
        "PUT",
        "/api/rooms/general/members/alice",
        JSON,
        r#"{"role":{}}"#,
        422,
    ),
    (
        "POST",
        "/api/rooms/general/messages",
        JSON,
        r#"{"content":5}"#,
        422,
    ),
    (
        "POST",
        "/api/rooms/general/messages",
        JSON,
        r#"{"content":null}"#,
        422,
    ),
    (
        "POST",
        "/api/rooms/general/messages",
        JSON,
        r#"{"content":"x","client_id":7}"#,
        422,
    ),
    ("GET", "/api/rooms/general/messages?before=x", &[], "", 422),
    ("GET", "/api/rooms/general/messages?before=-1", &[], "", 422),
    (
        "GET",
        "/api/rooms/general/messages?since=9223372036854775808",
        &[],
        "",
        422,
    ),
    (
        "GET",
        "/api/rooms/general/messages?before=3&after=1",
        &[],
        "",
        422,
    ),
    ("GET", "/api/rooms/general/messages?since=%00", &[], "", 422),
    ("GET", "/api/rooms/general/messages", ANONYMOUS, "", 401),
    (
        "POST",
        "/api/rooms/general/messages",
        ANONYMOUS,
        r#"{"content":"x"}"#,
        401,
    ),
    ("POST", "/api/auth/logout", ANONYMOUS, "", 401),
    ("POST", "/api/auth/ws-ticket", ANONYMOUS, "", 401),
    (
        "POST",
        "/api/auth/refresh",
        JSON,
        r#"{"refresh_token":"no such"}"#,
        401,
    ),
    ("GET", "/ws/chat", &[], "", 426),
];

fn every_refusal_is_a_problem(backend: Backend) {
    let server = Server::start(backend);
    let alice = User::register(&server, "alice");
    let http = alice.http();
    for (method, path, headers, body, status) in CASES {
        let answer = http.request(method, path, headers, body.as_bytes());
        assert_eq!(
            answer.status,
            *status,
            "{method} {path} {body:?}: {}",
            answer.text()
        );
        answer.expect_any_problem();
        answer.expect_nothing_inner();
        if *status == 405 {
            assert!(
                answer.header("allow").is_some(),
                "{method} {path}: no Allow"
            );
        }
    }
    for (depth, status) in [(100_000, 413), (60_000, 400)] {
        let deep = "[".repeat(depth);
        http.request("POST", "/api/auth/login", JSON, deep.as_bytes())
            .expect(status)
            .expect_any_problem();
    }
    // A room that one may not know of looks like one that does not exist.
    server.database.execute("INSERT INTO rooms (id, key, last_seq, created_at) VALUES (2, 'secret', 0, '2026-11-22 00:00:00')");
    let strip = |room: &str| {
        let answer = http.get(&format!("/api/rooms/{room}/messages"));
        answer.expect_problem(404, "room_not_found");
        let mut body = answer.json();
        body["request_id"] = json!(null);
        body
    };
    assert_eq!(strip("secret"), strip("nowhere"));
    // All this has disturbed no one.
    alice.connect().say("still here");
}

#[test]
fn a_body_over_the_limit_is_refused_before_it_is_read() {
    let server = Server::start(Backend::Sqlite);
    let alice = User::register(&server, "alice");
    let huge = json!({"content": "x".repeat(200_000)}).to_string();
    alice
        .http()
        .request("POST", "/api/rooms/general/messages", &[], huge.as_bytes())
        .expect_problem(413, "too_large");
    // Announced only: the answer must not wait for a body that never comes.
    let head = format!(
        "POST /api/auth/login HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\ncontent-length: {}\r\n\r\n",
        10_u64.pow(9)
    );
    let answer = server.http().raw(head.as_bytes()).expect("an answer");
    assert_eq!(answer.status, 413, "{}", answer.text());
    answer.expect_any_problem();
}

#[test]
fn the_request_id_of_the_caller_is_echoed_and_logged() {
    let server = Server::start(Backend::Sqlite);
    let http = server.http();
    let given = [("x-request-id", "my-trace.0_1")];
    for path in ["/health", "/nothing"] {
        let answer = http.request("GET", path, &given, &[]);
        assert_eq!(answer.header("x-request-id"), Some("my-trace.0_1"));
    }
    server.await_log("my-trace.0_1");
    let made = |answer: crate::support::Response| {
        answer
            .header("x-request-id")
            .map(ToOwned::to_owned)
            .expect("an id")
    };
    let (one, two) = (made(http.get("/health")), made(http.get("/health")));
    assert_ne!(one, two);
    // What could not stand in a log or a header as it is, is replaced.
    for wild in ["a b", "x\"y", "<script>", "é", &"x".repeat(500)] {
        let answer = http.request("GET", "/health", &[("x-request-id", wild)], &[]);
        let seen = made(answer);
        assert!(
            seen.len() <= 128
                && seen
                    .bytes()
                    .all(|b| b.is_ascii_alphanumeric() || b"-_.".contains(&b)),
            "{wild} came back as {seen}"
        );
    }
}

fn what_a_name_or_a_password_may_be(backend: Backend) {
    let server = Server::start(backend);
    let register = |username: &str, password: &str| {
        let body = json!({"username": username, "password": password});
        server.http().post("/api/auth/register", &body)
    };
    let fifty = "n".repeat(50);
    for name in ["abc", &fifty, "A-b_9", "9lives", "ok-"] {
        register(name, PASSWORD).expect(201);
    }
    let too_long = "n".repeat(51);
    for name in [
        "",
        "ab",
        &too_long,
        "a b c",
        "alice\n",
        "al\u{0}ce",
        "älice",
        "аlice",
        "al\u{200b}ice",
        "al\u{202e}ice",
        "alice.",
        "../../x",
        "alice@x",
        "<b>x</b>",
        "日本語名",
        "' OR 1=1",
        // Well formed, and misleading all the same.
        "admin",
        "System",
        "everyone",
        "here",
        "parlour",
        "__proto__",
        "constructor",
        "-rf",
        "_me_",
        "---",
        "123",
        "deleted-user-7",
    ] {
        let answer = register(name, PASSWORD);
        answer.expect_problem(422, "validation_error");
        assert_eq!(
            answer.json()["errors"][0]["loc"],
            json!(["body", "username"]),
            "{name:?}"
        );
    }
    let seventy_two = "p".repeat(72);
    for (n, password) in ["12345678", &seventy_two, "pässwörd", "☃☃☃☃☃☃☃☃"]
        .iter()
        .enumerate()
    {
        register(&format!("user{n}"), password).expect(201);
        let body = json!({"username": format!("user{n}"), "password": password});
        server.http().post("/api/auth/login", &body).expect(200);
    }
    let one_over = "p".repeat(73);
    let in_bytes = "☃".repeat(25);
    for password in ["", "1234567", "p\u{0}assword", "☃☃☃", &one_over, &in_bytes] {
        let answer = register("somebody", password);
        answer.expect_problem(422, "validation_error");
        assert_eq!(
            answer.json()["errors"][0]["loc"],
            json!(["body", "password"]),
            "{password:?}"
        );
    }
    // Two wrong fields are told at once.
    let answer = register("x", "y");
    assert_eq!(
        answer.json()["errors"].as_array().map(Vec::len),
        Some(2),
        "{}",
        answer.text()
    );
}

fn what_a_message_may_hold(backend: Backend) {
    let server = Server::start(backend);
    let alice = User::register(&server, "alice");
    let mut socket = alice.connect();
    let longest = "ä".repeat(8 * 1024);
    let marks = "a".to_owned() + &"\u{301}".repeat(8_000);
    let fine = [
        "x",
        &longest,
        &marks,
        "\u{202e}abc",
        "a\u{200b}b",
        "a\u{feff}",
        "\u{1b}[31mred\u{7}",
        "🏳️‍🌈",
        "%s' --",
        "\u{10ffff}\u{fffe}",
        "<script>alert(1)</script>",
        "\\u0000",
        "{\"type\":\"message\"}",
        "\u{1}x\u{7f}\u{85}",
    ];
    for (n, content) in fine.iter().enumerate() {
        alice.post(content, None).expect(201);
        let seen = socket.expect(|frame| frame["seq"] == 2 * n + 1 && frame["type"] == "message");
        assert_eq!(seen["content"], *content);
        let ack = socket.say(content);
        assert_eq!(ack["seq"], json!(2 * n + 2));
    }
    let history = alice.history();
    for (n, content) in fine.iter().enumerate() {
        assert_eq!(
            (&history[2 * n]["content"], &history[2 * n + 1]["content"]),
            (&json!(content), &json!(content))
        );
    }
    let too_long = longest.clone() + "x";
    let too_many_marks = "a".to_owned() + &"\u{301}".repeat(10_000);
    for content in [
        "",
        " ",
        "\n\t",
        "a\u{0}b",
        "\u{0}",
        &too_long,
        &too_many_marks,
    ] {
        let answer = alice.post(content, None);
        answer.expect_any_problem();
        assert_eq!(answer.status, 422, "{}", answer.text());
        socket.send_json(&json!({"type": "message", "content": content, "ref": "r"}));
        let error = socket.expect_type("error");
        assert_eq!(
            (&error["ref"], &error["code"]),
            (&json!("r"), &answer.json()["code"]),
            "{error}"
        );
    }
    let id_64 = "é".repeat(64);
    alice
        .post("with the longest client_id", Some(&id_64))
        .expect(201);
    for client_id in ["", &"x".repeat(65), "a\u{0}"] {
        assert_eq!(
            alice.post("x", Some(client_id)).status,
            422,
            "{client_id:?}"
        );
        socket.send_json(
            &json!({"type": "message", "content": "x", "client_id": client_id, "ref": "r"}),
        );
        assert_eq!(socket.expect_type("error")["ref"], "r");
    }
    assert_eq!(alice.history().len(), 2 * fine.len() + 1);
}
