//! The server answers to its own names, to the pages that it served itself, and to no stranger's.

use std::fmt::Write as _;

use crate::support::{Backend, Http, Response, Server, User};

const KEY: &str = "dGhlIHNhbXBsZSBub25jZQ==";

/// Sends a request with exactly these headers.
fn ask(http: &Http, path: &str, headers: &[(&str, &str)]) -> Response {
    let mut head = format!("GET {path} HTTP/1.1\r\nconnection: close\r\n");
    for (name, value) in headers {
        let _ = write!(head, "{name}: {value}\r\n");
    }
    head.push_str("\r\n");
    http.raw(head.as_bytes()).expect("an answer")
}

/// The status of a handshake with these names.
fn shake(user: &User, names: &[(&str, &str)]) -> u16 {
    let path = format!("/ws/chat?token={}", user.token);
    let mut head = format!(
        "GET {path} HTTP/1.1\r\nconnection: Upgrade\r\nupgrade: websocket\r\nsec-websocket-version: 13\r\n\
         sec-websocket-key: {KEY}\r\n"
    );
    for (name, value) in names {
        let _ = write!(head, "{name}: {value}\r\n");
    }
    head.push_str("\r\n");
    user.http().raw(head.as_bytes()).expect("an answer").status
}

#[test]
fn a_strangers_name_for_this_machine_opens_nothing() {
    let server = Server::with(Backend::Sqlite)
        .env("ALLOWED_HOSTS", "")
        .start();
    let http = server.http();
    let port = server.addr.port();
    for path in ["/", "/health", "/openapi.json", "/sw.js", "/nothing"] {
        let refused = ask(&http, path, &[("host", &format!("evil.test:{port}"))]);
        refused.expect_problem(421, "host_not_allowed");
        for setting in ["ALLOWED_HOSTS", "TRUSTED_PROXIES"] {
            assert!(refused.text().contains(setting), "{}", refused.text());
        }
    }
    for host in [
        "localhost",
        "LOCALHOST",
        "localhost.",
        "127.0.0.1",
        "[::1]",
        "parlour.localhost",
    ] {
        for host in [
            host.to_owned(),
            format!("{host}:{port}"),
            format!("{host}:80"),
        ] {
            ask(&http, "/health", &[("host", &host)]).expect(200);
        }
    }
    let alice = User::register(&server, "alice");
    let origin = format!("http://evil.test:{port}");
    let host = format!("evil.test:{port}");
    assert_eq!(shake(&alice, &[("host", &host), ("origin", &origin)]), 421);
}

#[test]
fn a_name_that_the_operator_gives_is_answered() {
    let server = Server::with(Backend::Sqlite)
        .env("ALLOWED_HOSTS", "chat.lan,chat.example.org")
        .start();
    let http = server.http();
    for (host, status) in [
        ("chat.lan:8000", 200),
        ("Chat.Example.Org", 200),
        ("evil.test", 421),
    ] {
        assert_eq!(
            ask(&http, "/health", &[("host", host)]).status,
            status,
            "{host}"
        );
    }
}

#[test]
fn a_request_names_one_host() {
    let server = Server::start(Backend::Sqlite);
    let http = server.http();
    for headers in [
        vec![],
        vec![("host", "")],
        vec![("host", "localhost"), ("host", "localhost")],
        vec![("host", "localhost"), ("host", "evil.test")],
        vec![("host", "user@localhost")],
        vec![("host", "localhost/x")],
        vec![("host", "local host")],
        vec![("host", "localhost:port")],
    ] {
        let refused = ask(&http, "/health", &headers);
        assert_eq!(refused.status, 400, "{headers:?}: {}", refused.text());
    }
    let old = http
        .raw(b"GET /health HTTP/1.0\r\n\r\n")
        .expect("an answer");
    assert_eq!(old.status, 200, "checks of load balancers name no host");
}

#[test]
fn the_own_page_may_connect_however_the_browser_spells_it() {
    let server = Server::start(Backend::Sqlite);
    let alice = User::register(&server, "alice");
    for (host, origin, status) in [
        ("localhost:80", "http://localhost", 101),
        ("LocalHost", "http://localhost", 101),
        ("localhost.:8000", "http://localhost:8000", 101),
        ("[0:0::1]:8000", "http://[::1]:8000", 101),
        ("localhost:8000", "https://localhost:8000", 403),
        ("localhost:443", "https://localhost", 403),
        ("localhost:8000", "http://localhost:8000/path", 403),
        ("localhost:8000", "http://user@localhost:8000", 403),
        ("localhost:8000", "http://localhost:3000", 403),
        ("localhost:8000", "null", 403),
    ] {
        let seen = shake(&alice, &[("host", host), ("origin", origin)]);
        assert_eq!(seen, status, "Host: {host}, Origin: {origin}");
    }
    let own = ("origin", "http://localhost:8000");
    let host = ("host", "localhost:8000");
    assert_eq!(shake(&alice, &[host, own]), 101);
    assert_eq!(
        shake(&alice, &[host, own, ("origin", "http://evil.test")]),
        403
    );
}

#[test]
fn the_address_that_the_proxy_tells_is_found_however_it_is_written() {
    let server = Server::with(Backend::Sqlite)
        .env("TRUSTED_PROXIES", "::ffff:127.0.0.1,10.0.0.0/8")
        .start();
    let http = server.http();
    let cases: &[(&[u8], &str)] = &[
        (b"198.51.100.1", "198.51.100.1"),
        (b"198.51.100.2:5678", "198.51.100.2"),
        (b"[2001:db8::3]:443", "2001:db8::3"),
        (b"[2001:db8::4]", "2001:db8::4"),
        (b"198.51.100.5, ", "198.51.100.5"),
        (b"198.51.100.6,,10.0.0.1", "198.51.100.6"),
        (b"\xff\xfe, 198.51.100.7", "198.51.100.7"),
        (b"198.51.100.8, nonsense", "127.0.0.1"),
    ];
    for (number, (forwarded, expected)) in cases.iter().enumerate() {
        let path = format!("/number-{number}");
        let mut request =
            format!("GET {path} HTTP/1.1\r\nhost: localhost\r\nx-forwarded-for: ").into_bytes();
        request.extend_from_slice(forwarded);
        request.extend_from_slice(b"\r\nconnection: close\r\n\r\n");
        http.raw(&request).expect("an answer").expect(404);
        // Lines are written by a thread of their own.
        server.await_log(&format!("path={path} "));
        let log = server.log();
        let line = log
            .lines()
            .find(|line| line.contains(&format!("path={path} ")));
        let line = line.unwrap_or_else(|| panic!("{path} is not in the log:\n{log}"));
        let address = format!("address={expected} ");
        assert!(
            line.contains(&address),
            "{}: {line}",
            forwarded.escape_ascii()
        );
    }
}
