//! The door of the socket: a handshake that is none is refused, and so is a page from elsewhere.

use crate::support::{Backend, Http, Server, User};

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
    assert_eq!(shake("GET", &[("sec-websocket-version", Some("8"))]), 426);
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
    let exposed = answer.header("access-control-expose-headers");
    let exposed = exposed.unwrap_or_default().to_lowercase();
    for header in ["etag", "link", "retry-after", "x-request-id"] {
        assert!(exposed.contains(header), "{header}: {exposed}");
    }
    // Whatever the API takes, such a page may send.
    for method in ["GET", "POST", "PUT", "PATCH", "DELETE"] {
        let preflight = [
            ("origin", friend),
            ("access-control-request-method", method),
            (
                "access-control-request-headers",
                "authorization, content-type, if-match",
            ),
        ];
        let answer = http.request("OPTIONS", "/api/rooms/general", &preflight, &[]);
        assert!(answer.status < 300, "{method}: {}", answer.status);
        assert_eq!(answer.header("access-control-allow-origin"), Some(friend));
    }
    // No cookies are involved, so none may be sent.
    assert_eq!(answer.header("access-control-allow-credentials"), None);
}
