//! Hostile requests, tokens and handshakes: the right 4xx, never a 5xx, and nobody else notices.

use std::{
    io::{Read as _, Write as _},
    process::Command,
    thread,
};

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use jsonwebtoken::{Algorithm, EncodingKey, Header};
use serde_json::{Value, json};

use crate::support::{Backend, Http, Server, Socket, User, eventually};

const SECRET: &str = "kJ8m2Qx7Vw4Zr9Tn3Lb6Yp1Hs5Dg0Fc8";

/// The statuses allowed; 0 for an end without an answer.
type Allowed = &'static [u16];

fn broken_framing() -> Vec<(&'static str, Vec<u8>, Allowed)> {
    let post = |headers: &str, body: &str| {
        format!("POST /api/auth/login HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\n{headers}\r\n{body}").into_bytes()
    };
    let body = r#"{"username":"alice","password":"x"}"#;
    vec![
        (
            "two lengths",
            post("content-length: 35\r\ncontent-length: 5\r\n", body),
            &[400],
        ),
        (
            "a length and chunks",
            post(
                "content-length: 5\r\ntransfer-encoding: chunked\r\n",
                "0\r\n\r\n",
            ),
            &[400],
        ),
        (
            "a negative length",
            post("content-length: -1\r\n", body),
            &[400],
        ),
        (
            "a signed length",
            post("content-length: +35\r\n", body),
            &[400],
        ),
        (
            "a length of no number",
            post("content-length: many\r\n", body),
            &[400],
        ),
        (
            "a length past 2^64",
            post("content-length: 99999999999999999999999\r\n", body),
            &[400, 413],
        ),
        (
            "a chunk past 2^64",
            post(
                "transfer-encoding: chunked\r\n",
                "fffffffffffffffff1\r\nx\r\n0\r\n\r\n",
            ),
            &[400],
        ),
        (
            "a chunk of no number",
            post("transfer-encoding: chunked\r\n", "zz\r\nx\r\n0\r\n\r\n"),
            &[400],
        ),
        (
            "an unknown coding",
            post("transfer-encoding: whatever\r\n", body),
            &[400, 501],
        ),
        (
            "chunked twice",
            post("transfer-encoding: chunked, chunked\r\n", "0\r\n\r\n"),
            &[400, 422, 501],
        ),
        (
            "a space before the colon",
            post("content-length : 35\r\n", body),
            &[400],
        ),
        (
            "a folded header",
            post("x-a: b\r\n c\r\ncontent-length: 35\r\n", body),
            &[400, 401],
        ),
    ]
}

fn broken_heads_and_bodies() -> Vec<(&'static str, Vec<u8>, Allowed)> {
    let get = |rest: &str| format!("GET {rest}\r\n\r\n").into_bytes();
    let post = |body: &str| {
        let head = "POST /api/auth/login HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\n";
        format!("{head}content-length: {}\r\n\r\n{body}", body.len()).into_bytes()
    };
    vec![
        (
            "a NUL in a header",
            get("/health HTTP/1.1\r\nhost: x\r\nx-a: a\0b"),
            &[400],
        ),
        (
            "100 kB of headers",
            get(&format!(
                "/health HTTP/1.1\r\nhost: x\r\nx-a: {}",
                "a".repeat(400_000)
            )),
            &[400, 431, 0],
        ),
        (
            "1,000 headers",
            get(&format!(
                "/health HTTP/1.1\r\nhost: x{}",
                "\r\nx-a: b".repeat(1000)
            )),
            &[400, 431],
        ),
        (
            "a path of 200 kB",
            get(&format!("/{} HTTP/1.1\r\nhost: x", "a".repeat(200_000))),
            &[400, 404, 414, 431, 0],
        ),
        ("no version", b"GET /\r\n\r\n".to_vec(), &[400, 0]),
        ("version 9", get("/ HTTP/9.9\r\nhost: x"), &[400, 505]),
        (
            "garbage",
            b"\x00\x01\x02\xff\xfe garbage \r\n\r\n".to_vec(),
            &[400, 0],
        ),
        (
            "a TLS hello",
            b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n".to_vec(),
            &[400, 0],
        ),
        (
            "an absolute URL",
            get("http://elsewhere.example/api/nothing HTTP/1.1\r\nhost: x"),
            &[400, 404],
        ),
        (
            "a path of bad UTF-8",
            b"GET /\xff\xfe HTTP/1.1\r\nhost: x\r\n\r\n".to_vec(),
            &[400, 404],
        ),
        (
            "a query of bad UTF-8",
            get("/api/chat/messages?limit=%ff HTTP/1.1\r\nhost: x"),
            &[400, 401, 422],
        ),
        (
            "a bearer of bad UTF-8",
            b"GET /api/chat/messages HTTP/1.1\r\nhost: x\r\nauthorization: Bearer \xff\xfe\r\n\r\n"
                .to_vec(),
            &[400, 401],
        ),
        (
            "bare line feeds",
            b"GET /nothing HTTP/1.1\nhost: x\n\n".to_vec(),
            &[400, 404],
        ),
        (
            "the same key twice",
            post(r#"{"username":"alice","username":"bob","password":"x"}"#),
            &[400, 422],
        ),
        (
            "a number past 2^63",
            post(r#"{"username":"alice","password":99999999999999999999999999}"#),
            &[400, 422],
        ),
    ]
}

#[test]
fn a_broken_request_gets_its_4xx() {
    let server = Server::start(Backend::Sqlite);
    let alice = User::register(&server, "alice");
    let mut witness = alice.connect();
    for (case, bytes, allowed) in broken_framing()
        .into_iter()
        .chain(broken_heads_and_bodies())
    {
        let mut stream = server.http().open().expect("connects");
        // It may be refused while we are still sending.
        let _ = stream.write_all(&bytes);
        let answer = crate::support::read_response(&mut stream);
        let status = answer.as_ref().map_or(0, |answer| answer.status);
        assert!(
            allowed.contains(&status),
            "{case}: {status}: {:?}",
            answer.map(|answer| answer.text())
        );
    }
    witness.say("undisturbed");
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

/// Heads and bodies that come a byte at a time must not keep a place for ever.
#[test]
fn a_request_that_never_ends_is_cut_off() {
    let server = Server::start(Backend::Sqlite);
    let start = [
        "GET /health HTTP/1.1\r\nhost: x\r\nx-a: ",
        "POST /api/auth/login HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\ncontent-length: 60000\r\n\r\n{",
    ];
    thread::scope(|scope| {
        for head in start {
            let mut stream = server.http().open().expect("connects");
            scope.spawn(move || {
                stream.write_all(head.as_bytes()).expect("sends");
                stream
                    .set_read_timeout(Some(std::time::Duration::from_millis(200)))
                    .expect("sets");
                eventually("the drip is cut off", || {
                    let cut = stream.write_all(b"a").is_err();
                    let mut byte = [0; 1024];
                    match stream.read(&mut byte) {
                        Ok(0) => Some(()),
                        // An answer came before the end.
                        Ok(_) => None,
                        Err(error) if error.kind() == std::io::ErrorKind::WouldBlock => {
                            cut.then_some(())
                        }
                        Err(_) => Some(()),
                    }
                });
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

fn claims(token: &str) -> Value {
    let part = token.split('.').nth(1).expect("three parts");
    serde_json::from_slice(&URL_SAFE_NO_PAD.decode(part).expect("base64")).expect("JSON")
}

fn signed(algorithm: Algorithm, secret: &str, claims: &Value) -> String {
    jsonwebtoken::encode(
        &Header::new(algorithm),
        claims,
        &EncodingKey::from_secret(secret.as_bytes()),
    )
    .expect("signs")
}

fn forged_tokens(user: &User) -> Vec<(&'static str, String)> {
    let good = claims(&user.token);
    let with = |name: &str, value: Value| {
        let mut changed = good.clone();
        changed[name] = value;
        signed(Algorithm::HS256, SECRET, &changed)
    };
    let without = |name: &str| {
        let mut changed = good.clone();
        changed.as_object_mut().expect("an object").remove(name);
        signed(Algorithm::HS256, SECRET, &changed)
    };
    let part = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
    let parts: Vec<&str> = user.token.split('.').collect();
    let unsigned = |alg: &str, signature: &str| {
        format!(
            "{}.{}.{signature}",
            part(&json!({"alg": alg, "typ": "JWT"})),
            part(&good)
        )
    };
    let exp = good["exp"].as_i64().expect("a number");
    vec![
        ("alg none", unsigned("none", "")),
        ("alg None with a signature", unsigned("None", parts[2])),
        ("alg RS256", unsigned("RS256", parts[2])),
        (
            "alg HS512, signed with our key",
            signed(Algorithm::HS512, SECRET, &good),
        ),
        (
            "another key",
            signed(
                Algorithm::HS256,
                "another key of at least 32 characters",
                &good,
            ),
        ),
        (
            "another's claims under this signature",
            format!("{}.{}.{}", parts[0], part(&json!({"sub": "1"})), parts[2]),
        ),
        ("exp as a string", with("exp", json!(exp.to_string()))),
        ("exp as a list", with("exp", json!([exp]))),
        ("exp in the past", with("exp", json!(1_000_000_000))),
        ("exp negative", with("exp", json!(-1))),
        ("no exp", without("exp")),
        ("no aud", without("aud")),
        ("another aud", with("aud", json!("elsewhere"))),
        ("no sub", without("sub")),
        ("a sub that is nobody", with("sub", json!("999999999"))),
        ("a sub of no number", with("sub", json!("alice' OR 1=1"))),
        ("a sid that is nothing", with("sid", json!(999_999_999))),
        ("no sid", without("sid")),
        ("a refresh token", user.refresh_token.clone()),
        ("8 kB of dots", ".".repeat(8_192)),
        ("8 kB of letters", "a".repeat(8_192)),
        ("two parts", parts[..2].join(".")),
        ("four parts", format!("{}.x", user.token)),
        ("nothing", String::new()),
        ("a character more", format!("{}x", user.token)),
    ]
}

#[test]
fn a_forged_token_opens_nothing() {
    let server = Server::with(Backend::Sqlite)
        .env("SECRET_KEY", SECRET)
        .start();
    let (alice, bob) = (
        User::register(&server, "alice"),
        User::register(&server, "bob"),
    );
    // That forging as such works here: the same claims, signed with the right key, are let in.
    let twin = signed(Algorithm::HS256, SECRET, &claims(&alice.token));
    server
        .http()
        .with_token(&twin)
        .get("/api/chat/messages")
        .expect(200);
    let mut cases = forged_tokens(&alice);
    let mut mixed = claims(&alice.token);
    mixed["sub"] = claims(&bob.token)["sub"].clone();
    cases.push((
        "another user in this login",
        signed(Algorithm::HS256, SECRET, &mixed),
    ));
    for (case, token) in cases {
        let by_header = server.http().with_token(&token).get("/api/chat/messages");
        assert_eq!(by_header.status, 401, "{case}: {}", by_header.text());
        by_header.expect_any_problem();
        assert_eq!(
            server
                .http()
                .get(&format!("/api/chat/messages?token={token}"))
                .status,
            401,
            "{case} in the URL"
        );
        let bearer = format!("Bearer {token}");
        let socket = Socket::open(server.addr, "", &[("authorization", &bearer)]).err();
        assert_eq!(socket, Some(401), "{case} on the socket");
    }
    for scheme in ["Basic", "Token", "bearer:", ""] {
        let value = format!("{scheme} {}", alice.token);
        let answer = server.http().request(
            "GET",
            "/api/chat/messages",
            &[("authorization", value.trim())],
            &[],
        );
        assert_eq!(answer.status, 401, "{scheme}");
    }
    // The scheme's name has no case (RFC 9110, 11.1).
    let value = format!("bearer {}", alice.token);
    server
        .http()
        .request(
            "GET",
            "/api/chat/messages",
            &[("authorization", &value)],
            &[],
        )
        .expect(200);
}

on_both![a_login_ends_when_it_is_said_to, a_ticket_is_good_once];

fn a_login_ends_when_it_is_said_to(backend: Backend) {
    let server = Server::start(backend);
    let mut alice = User::register(&server, "alice");
    let first = alice.clone();
    alice.log_in();
    let mut ended = first.connect();
    let mut kept = alice.connect();
    first
        .http()
        .post("/api/auth/logout", &json!({}))
        .expect(204);
    assert!(matches!(
        ended.expect_end(),
        crate::support::Closed::Code(4403 | 4401, _)
    ));
    for answer in [
        first.http().get("/api/chat/messages"),
        refresh(&server, &first.refresh_token),
    ] {
        answer.expect_any_problem();
        assert_eq!(answer.status, 401);
    }
    assert_eq!(first.try_connect().err(), Some(401));
    // The other login of the same user goes on.
    kept.say("still here");
    // A refresh gives new tokens; the old refresh token, once the new one has been used, is a theft.
    let second = refresh(&server, &alice.refresh_token).expect(200).json();
    let text = |tokens: &Value, field: &str| tokens[field].as_str().expect("text").to_owned();
    server
        .http()
        .with_token(&text(&second, "access_token"))
        .get("/api/chat/messages")
        .expect(200);
    let third = refresh(&server, &text(&second, "refresh_token"))
        .expect(200)
        .json();
    refresh(&server, &text(&third, "refresh_token")).expect(200);
    assert_eq!(refresh(&server, &alice.refresh_token).status, 401);
}

fn refresh(server: &Server, token: &str) -> crate::support::Response {
    server
        .http()
        .post("/api/auth/refresh", &json!({"refresh_token": token}))
}

fn a_ticket_is_good_once(backend: Backend) {
    let server = Server::with(backend).env("WORKERS", 2).start();
    let alice = User::register(&server, "alice");
    let ticket = alice
        .http()
        .post("/api/auth/ws-ticket", &json!({}))
        .expect(200)
        .json();
    assert_eq!(ticket["expires_in"], 30);
    let query = format!("?ticket={}", ticket["ticket"].as_str().expect("text"));
    let socket = Socket::open(server.addr, &query, &[]).expect("opens");
    assert_eq!(socket.connected["message"], "Connected as alice");
    for _ in 0..3 {
        assert_eq!(Socket::open(server.addr, &query, &[]).err(), Some(401));
    }
    for nonsense in ["?ticket=", "?ticket=x", "?ticket=%00", "?ticket=a&ticket=b"] {
        assert!(
            matches!(
                Socket::open(server.addr, nonsense, &[]).err(),
                Some(400 | 401)
            ),
            "{nonsense}"
        );
    }
    // A ticket opens a socket and nothing else.
    let ticket = alice
        .http()
        .post("/api/auth/ws-ticket", &json!({}))
        .expect(200)
        .json();
    let text = ticket["ticket"].as_str().expect("text");
    server
        .http()
        .with_token(text)
        .get("/api/chat/messages")
        .expect(401);
}

fn handshake(http: &Http, method: &str, token: &str, changes: &[(&str, Option<&str>)]) -> u16 {
    let mut headers = vec![
        ("connection", "Upgrade"),
        ("upgrade", "websocket"),
        ("sec-websocket-version", "13"),
        ("sec-websocket-key", "dGhlIHNhbXBsZSBub25jZQ=="),
    ];
    for (name, value) in changes {
        headers.retain(|(known, _)| known != name);
        if let Some(value) = value {
            headers.push((name, value));
        }
    }
    let answer = http.request(method, &format!("/ws/chat?token={token}"), &headers, &[]);
    if answer.status >= 400 {
        answer.expect_any_problem();
    }
    answer.status
}

#[test]
fn a_handshake_that_is_not_one_is_refused() {
    let server = Server::start(Backend::Sqlite);
    let alice = User::register(&server, "alice");
    let http = server.http();
    let shake = |method: &str, changes: &[(&str, Option<&str>)]| {
        handshake(&http, method, &alice.token, changes)
    };
    assert_eq!(shake("GET", &[]), 101);
    assert_eq!(shake("POST", &[]), 405);
    assert!(matches!(
        shake("GET", &[("sec-websocket-version", Some("8"))]),
        400 | 426
    ));
    assert!(matches!(
        shake("GET", &[("sec-websocket-version", None)]),
        400 | 426
    ));
    assert_eq!(shake("GET", &[("sec-websocket-key", None)]), 400);
    assert!(matches!(shake("GET", &[("upgrade", None)]), 400 | 426));
    assert!(matches!(
        shake("GET", &[("upgrade", Some("h2c"))]),
        400 | 426
    ));
    assert!(matches!(
        shake("GET", &[("connection", Some("close"))]),
        400 | 426
    ));
}

#[test]
fn a_foreign_page_opens_no_socket_and_reads_nothing() {
    let friend = "https://chat.example.org";
    let server = Server::with(Backend::Sqlite)
        .env("CORS_ORIGINS", friend)
        .start();
    let alice = User::register(&server, "alice");
    let own = format!("http://{}", server.addr);
    let http = server.http();
    let shake = |origin: &str| handshake(&http, "GET", &alice.token, &[("origin", Some(origin))]);
    for origin in [own.as_str(), friend] {
        assert_eq!(shake(origin), 101, "{origin}");
    }
    let other_port = format!("http://{}:{}", server.addr.ip(), server.addr.port() ^ 1);
    let suffix = format!("{own}.evil.example");
    for origin in [
        "https://evil.example",
        "null",
        "",
        &other_port,
        &suffix,
        "http://chat.example.org",
        "https://chat.example.org.evil.example",
        "https://chat.example.org:444",
        "https://sub.chat.example.org",
        "https://chat.example.org@evil.example",
        "file://",
    ] {
        assert_eq!(shake(origin), 403, "{origin:?}");
        let answer = alice
            .http()
            .request("GET", "/api/chat/messages", &[("origin", origin)], &[]);
        assert_eq!(
            answer.header("access-control-allow-origin"),
            None,
            "{origin:?}"
        );
    }
    let answer = alice
        .http()
        .request("GET", "/api/chat/messages", &[("origin", friend)], &[]);
    assert_eq!(answer.header("access-control-allow-origin"), Some(friend));
    let preflight = [
        ("origin", friend),
        ("access-control-request-method", "POST"),
        (
            "access-control-request-headers",
            "authorization, content-type",
        ),
    ];
    let answer = http.request("OPTIONS", "/api/rooms/general/messages", &preflight, &[]);
    assert!(answer.status < 300, "{}", answer.status);
    assert_eq!(answer.header("access-control-allow-origin"), Some(friend));
    // No cookies are involved, so none may be sent.
    assert_eq!(answer.header("access-control-allow-credentials"), None);
}
