//! Whoever finds a server is not in: registration is open for this very machine, and elsewhere only when it is said to be.

use serde_json::json;

use crate::support::{Backend, PASSWORD, Response, Server};

fn register(server: &Server, name: &str, headers: &[(&str, &str)]) -> Response {
    let body = json!({"username": name, "password": PASSWORD}).to_string();
    let mut all = vec![("content-type", "application/json")];
    all.extend(headers);
    server
        .http()
        .request("POST", "/api/auth/register", &all, body.as_bytes())
}

fn page(server: &Server, headers: &[(&str, &str)]) -> String {
    let mut all = vec![("accept", "text/html")];
    all.extend(headers);
    server
        .http()
        .request("GET", "/", &all, b"")
        .expect(200)
        .text()
}

#[track_caller]
fn is_closed(answer: &Response) {
    answer.expect_problem(403, "registration_closed");
    let detail = answer.json()["detail"]
        .as_str()
        .expect("a sentence")
        .to_owned();
    assert!(detail.contains("parlour users add"), "{detail}");
}

/// By this the page offers no account; the story in a browser sees that.
const CLOSED: &str = "data-registration=\"closed\"";

#[test]
fn at_first_registration_is_open_for_this_very_machine_alone() {
    let server = Server::start(Backend::Sqlite);
    let host = format!("localhost:{}", server.addr.port());
    register(&server, "alice", &[]).expect(201);
    register(&server, "bob", &[("host", &host)]).expect(201);
    assert!(!page(&server, &[]).contains(CLOSED));
    for (name, value) in [
        ("x-forwarded-for", "203.0.113.9"),
        ("forwarded", "for=203.0.113.9"),
        ("x-real-ip", "127.0.0.1"),
        ("via", "1.1 proxy"),
        ("x-forwarded-proto", "https"),
    ] {
        is_closed(&register(&server, "mallory", &[(name, value)]));
        let page = page(&server, &[(name, value)]);
        assert!(page.contains(CLOSED), "it offers an account");
    }
    // A page of another host that the browser takes for this machine.
    let answer = register(&server, "mallory", &[("host", "evil.test")]);
    assert!(matches!(answer.status, 403 | 421), "{}", answer.text());
    server.await_log("Registration is open for who comes from this very machine");
}

#[test]
fn behind_a_proxy_registration_is_closed_unless_it_is_said_to_be_open() {
    let server = Server::with(Backend::Sqlite)
        .env("TRUSTED_PROXIES", "127.0.0.1")
        .start();
    is_closed(&register(&server, "alice", &[]));
    is_closed(&register(
        &server,
        "alice",
        &[("x-forwarded-for", "127.0.0.1")],
    ));
    // It is said before anything else is looked at: a name that is refused tells no more.
    is_closed(&register(&server, "a", &[]));
    server.await_log("parlour users add");
    assert!(page(&server, &[]).contains(CLOSED));
    let documents = server.http().get("/openapi.json").json();
    let about = documents["info"]["description"].as_str().expect("a text");
    assert!(about.contains("parlour users add"), "{about}");

    let open = Server::with(Backend::Sqlite)
        .env("TRUSTED_PROXIES", "127.0.0.1")
        .env("REGISTRATION", "open")
        .start();
    register(&open, "alice", &[("x-forwarded-for", "203.0.113.9")]).expect(201);
    assert!(!page(&open, &[]).contains(CLOSED));
}

#[test]
fn registration_can_be_closed_for_everyone() {
    let mut server = Server::start(Backend::Sqlite);
    register(&server, "alice", &[]).expect(201);
    server.set_env("REGISTRATION", "closed");
    server.restart();
    is_closed(&register(&server, "bob", &[]));
    let login = json!({"username": "alice", "password": PASSWORD});
    server.http().post("/api/auth/login", &login).expect(200);
}

#[test]
fn of_two_who_come_first_at_the_same_moment_one_owns_general() {
    let server = Server::start(Backend::Postgres);
    // So that the second looks before the first has committed.
    server.database.execute(
        "CREATE FUNCTION dawdle() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN PERFORM pg_sleep(0.5); RETURN NEW; END';
         CREATE TRIGGER dawdle BEFORE UPDATE ON memberships FOR EACH ROW EXECUTE FUNCTION dawdle()",
    );
    std::thread::scope(|scope| {
        for name in ["alice", "bob"] {
            let server = &server;
            scope.spawn(move || {
                register(server, name, &[]).expect(201);
            });
        }
    });
    let owners = server
        .database
        .query("SELECT CAST(count(*) AS TEXT) AS value FROM memberships WHERE role = 'owner'");
    assert_eq!(owners, [Some("1".to_owned())]);
}
