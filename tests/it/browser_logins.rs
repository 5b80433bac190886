//! Logins of browsers: no script ever holds what renews them, and no page but the server's own can use them.

use serde_json::{Value, json};

use crate::support::{Backend, Response, Server, User};

on_both![
    a_browsers_login_is_renewed_by_its_cookie_and_ends_with_it,
    an_old_cookie_ends_the_login_that_it_was_stolen_from,
];

/// The page of a server, with what its browser keeps.
struct Browser<'a> {
    server: &'a Server,
    origin: String,
    cookie: Option<String>,
}

impl<'a> Browser<'a> {
    fn at(server: &'a Server) -> Self {
        Self {
            server,
            origin: format!("http://{}", server.addr),
            cookie: None,
        }
    }

    fn ask(&mut self, path: &str, body: &Value) -> Response {
        let cookie = self.cookie.clone().unwrap_or_default();
        let mut headers = vec![
            ("origin", self.origin.as_str()),
            ("content-type", "application/json"),
        ];
        if self.cookie.is_some() {
            headers.push(("cookie", &cookie));
        }
        let body = body.to_string();
        let path = format!("/api/auth/browser/{path}");
        let http = self.server.http();
        let answer = http.request("POST", &path, &headers, body.as_bytes());
        if let Some(set) = answer.header("set-cookie") {
            let pair = set.split(';').next().unwrap_or_default();
            self.cookie = (!pair.ends_with('=')).then(|| pair.to_owned());
        }
        answer
    }

    fn log_in(&mut self, name: &str) -> Value {
        let answer = self.ask("login", &json!({"username": name, "password": PASSWORD}));
        assert_eq!(answer.status, 200, "{}", answer.text());
        answer.json()
    }
}

const PASSWORD: &str = crate::support::PASSWORD;

fn is_live(server: &Server, login: &Value) -> bool {
    let token = login["access_token"].as_str().expect("a token");
    let http = server.http().with_token(token);
    http.get("/api/users/me").status == 200
}

fn a_browsers_login_is_renewed_by_its_cookie_and_ends_with_it(backend: Backend) {
    let server = Server::start(backend);
    let alice = User::register(&server, "alice");
    let mut browser = Browser::at(&server);
    let answer = browser.ask("login", &json!({"username": "alice", "password": PASSWORD}));
    let set = answer.header("set-cookie").expect("a cookie").to_owned();
    for part in [
        "; HttpOnly",
        "; SameSite=Strict",
        "; Path=/api/auth;",
        "Max-Age=",
    ] {
        assert!(set.contains(part), "{part} is not in {set}");
    }
    assert!(!set.contains("Secure"), "by HTTP it would not be kept");
    let first: Value = answer.json();
    assert_eq!(first["username"], "alice");
    assert_eq!(first["user_id"], json!(alice.id));
    assert_eq!(first.get("refresh_token"), None, "a script could read it");

    let renewed = browser.ask("refresh", &json!({}));
    assert_eq!(renewed.status, 200);
    assert!(is_live(&server, &renewed.json()));
    let cookie = browser.cookie.clone();
    assert_eq!(browser.ask("logout", &json!({})).status, 204);
    assert_eq!(browser.cookie, None, "the browser forgets it");
    assert!(!is_live(&server, &renewed.json()));
    browser.cookie = cookie;
    assert_eq!(browser.ask("refresh", &json!({})).status, 401);
    assert_eq!(browser.ask("logout", &json!({})).status, 401);
    browser.cookie = None;
    assert_eq!(browser.ask("refresh", &json!({})).status, 401);
}

fn an_old_cookie_ends_the_login_that_it_was_stolen_from(backend: Backend) {
    let server = Server::start(backend);
    User::register(&server, "alice");
    let mut browser = Browser::at(&server);
    browser.log_in("alice");
    let stolen = browser.cookie.clone();
    browser.ask("refresh", &json!({}));
    browser.ask("refresh", &json!({}));
    let last = browser.ask("refresh", &json!({})).json();
    assert!(is_live(&server, &last));
    browser.cookie = stolen;
    assert_eq!(browser.ask("refresh", &json!({})).status, 401);
    assert!(!is_live(&server, &last), "one of the two is a thief");
}

#[test]
fn no_other_page_uses_a_browsers_login() {
    let server = Server::with(Backend::Sqlite)
        .env("CORS_ORIGINS", "https://friend.example")
        .start();
    User::register(&server, "alice");
    let mut browser = Browser::at(&server);
    let login = browser.log_in("alice");
    let own = browser.origin.clone();
    for origin in ["https://evil.example", "https://friend.example", "null", ""] {
        origin.clone_into(&mut browser.origin);
        for path in ["refresh", "logout", "login"] {
            let answer = browser.ask(path, &json!({"username": "alice", "password": PASSWORD}));
            assert_eq!(answer.status, 403, "{path} for {origin:?}");
            assert_eq!(answer.json()["code"], "origin_not_allowed");
        }
    }
    let cookie = browser.cookie.clone().expect("a cookie");
    let headers = [("cookie", cookie.as_str())];
    let answer = server
        .http()
        .request("POST", "/api/auth/browser/refresh", &headers, &[]);
    assert_eq!(answer.status, 403, "without an origin");
    browser.origin = own;
    assert!(is_live(&server, &login));
    assert_eq!(browser.ask("refresh", &json!({})).status, 200);
}

/// Another host of the domain can set one beside ours, with a path that has the browser send it first.
#[test]
fn a_second_cookie_of_the_same_name_brings_nobody_into_anothers_account() {
    let server = Server::start(Backend::Sqlite);
    let [mut alice, mut mallory] = ["alice", "mallory"].map(|name| {
        User::register(&server, name);
        let mut browser = Browser::at(&server);
        browser.log_in(name);
        browser
    });
    let own = alice.cookie.clone().expect("a cookie");
    let planted = mallory.cookie.clone().expect("a cookie");
    alice.cookie = Some(format!("{planted}; {own}"));
    assert_eq!(alice.ask("refresh", &json!({})).status, 401);
    mallory.cookie = Some(planted);
    assert_eq!(mallory.ask("refresh", &json!({})).status, 200, "untouched");
}
