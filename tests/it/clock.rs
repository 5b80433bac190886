//! The clock of the machine may step, ahead or back, while serving or between two lives: nothing is lost, hidden,
//! doubled, let in or locked out. Order is `seq`; a stored time is for people.

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use jsonwebtoken::{Algorithm, EncodingKey, Header};
use serde_json::{Value, json};

use crate::support::{
    Backend, Clock, Closed, PASSWORD, Response, Server, Socket, User, eventually, run,
};

const SECRET: &str = "kJ8m2Qx7Vw4Zr9Tn3Lb6Yp1Hs5Dg0Fc8";

on_both![
    what_was_written_while_the_clock_was_ahead_is_read,
    a_step_while_serving_ends_nothing,
    a_step_while_serving_prolongs_nothing,
    a_token_from_the_future_can_be_refreshed,
    a_clock_that_was_wrong_for_a_life_costs_no_login,
];

fn refresh(server: &Server, token: &str) -> Response {
    server
        .http()
        .post("/api/auth/refresh", &json!({"refresh_token": token}))
}

fn text(tokens: &Value, field: &str) -> String {
    tokens[field].as_str().expect("text").to_owned()
}

fn renew(server: &Server, user: &mut User) {
    let tokens = refresh(server, &user.refresh_token).expect(200).json();
    user.token = text(&tokens, "access_token");
    user.refresh_token = text(&tokens, "refresh_token");
}

fn contents(user: &User) -> Vec<String> {
    user.history()
        .iter()
        .map(|message| {
            assert_ne!(message["unreadable"], true, "{message}");
            message["content"].as_str().expect("text").to_owned()
        })
        .collect()
}

fn what_was_written_while_the_clock_was_ahead_is_read(backend: Backend) {
    let Some(clock) = Clock::find() else { return };
    clock.step("+5m");
    let mut server = Server::with(backend).clock(&clock).start();
    let mut alice = User::register(&server, "alice");
    alice.post("ahead", None).expect(201);
    // Put right while serving, and over a restart: the check of the keys was sealed ahead of time, too.
    clock.step("+0");
    assert_eq!(contents(&alice), ["ahead"]);
    server.restart();
    alice.log_in();
    assert_eq!(contents(&alice), ["ahead"]);
    for (offset, content) in [("+1y", "a year ahead"), ("-200d", "back")] {
        clock.step(offset);
        server.restart();
        alice.log_in();
        alice.post(content, None).expect(201);
    }
    assert_eq!(contents(&alice), ["ahead", "a year ahead", "back"]);
}

/// Someone sets the clock of a serving machine, right or wrong: no one is locked out, and numbers go on rising.
fn a_step_while_serving_ends_nothing(backend: Backend) {
    let Some(clock) = Clock::find() else { return };
    let server = Server::with(backend).clock(&clock).start();
    let mut alice = User::register(&server, "alice");
    let mut socket = alice.connect();
    let mut last_id = alice.id;
    let mut said = Vec::new();
    for (n, offset) in ["+5m", "-5m", "+1y", "-2y", "+0"].into_iter().enumerate() {
        clock.step(offset);
        for content in [format!("posted {n}"), format!("said {n}")] {
            if content.starts_with("posted") {
                alice.post(&content, None).expect(201);
                socket.expect_message(&content);
            } else {
                socket.say(&content);
            }
            said.push(content);
        }
        // The tokens of before are good, new ones are given, and someone new gets in.
        let ticket = alice.http().post("/api/auth/ws-ticket", &json!({}));
        let query = format!("?ticket={}", text(&ticket.expect(200).json(), "ticket"));
        Socket::open(server.addr, &query, &[])
            .unwrap_or_else(|status| panic!("{offset}: {status}"))
            .close();
        if n % 2 == 1 {
            renew(&server, &mut alice);
        }
        let newcomer = User::register(&server, &format!("newcomer{n}"));
        assert!(
            newcomer.id > last_id,
            "{offset}: {} after {last_id}",
            newcomer.id
        );
        last_id = newcomer.id;
        assert_eq!(contents(&newcomer), said, "{offset}");
    }
    alice.log_in();
    assert_eq!(contents(&alice), said);
}

fn claims(token: &str) -> Value {
    let part = token.split('.').nth(1).expect("three parts");
    serde_json::from_slice(&URL_SAFE_NO_PAD.decode(part).expect("base64")).expect("JSON")
}

/// A clock that is put back gives no one more time.
fn a_step_while_serving_prolongs_nothing(backend: Backend) {
    let Some(clock) = Clock::find() else { return };
    let server = Server::with(backend)
        .clock(&clock)
        .env("SECRET_KEY", SECRET)
        .start();
    let (alice, bob) = (
        User::register(&server, "alice"),
        User::register(&server, "bob"),
    );
    // A token with a few seconds to live, as the server would sign it.
    let mut short = claims(&alice.token);
    short["exp"] = (short["iat"].as_i64().expect("a time") + 6).into();
    let key = EncodingKey::from_secret(SECRET.as_bytes());
    let token = jsonwebtoken::encode(&Header::new(Algorithm::HS256), &short, &key).expect("signs");
    // And a login with as many.
    let soon = chrono::Utc::now().naive_utc() + chrono::TimeDelta::seconds(6);
    server.database.execute(&format!(
        "UPDATE sessions SET expires_at = '{}' WHERE user_id = {}",
        soon.format("%Y-%m-%d %H:%M:%S%.6f"),
        bob.id
    ));
    let mut socket = bob.connect();
    clock.step("-2y");
    eventually("the token dies at its time", || {
        let answer = server.http().with_token(&token).get("/api/chat/messages");
        (answer.status == 401).then_some(())
    });
    eventually("the login dies at its time", || {
        let answer = bob.http().get("/api/chat/messages");
        (answer.status == 401).then_some(())
    });
    assert!(matches!(socket.expect_end(), Closed::Code(4401, _)));
    assert_eq!(refresh(&server, &bob.refresh_token).status, 401);
    alice.http().get("/api/chat/messages").expect(200);
}

/// The clock was a year ahead when the token was made, and has been put right over a restart.
fn a_token_from_the_future_can_be_refreshed(backend: Backend) {
    let Some(clock) = Clock::find() else { return };
    clock.step("+1y");
    let mut server = Server::with(backend).clock(&clock).start();
    let mut alice = User::register(&server, "alice");
    clock.step("+0");
    server.restart();
    let refused = alice.http().get("/api/chat/messages");
    refused.expect_any_problem();
    assert_eq!(refused.status, 401, "good for a year");
    let problem = refused.json();
    assert_eq!(problem["code"], "token_expired");
    let detail = problem["detail"].as_str().expect("a sentence");
    assert!(
        detail.contains("clock") && detail.contains("refresh"),
        "{detail}"
    );
    assert_eq!(alice.try_connect().err(), Some(401));
    renew(&server, &mut alice);
    alice.post("hello", None).expect(201);
    let mut socket = alice.connect();
    socket.say("and again");
    // A little ahead is no reason to refuse it: clocks are set right by seconds all the time.
    clock.step("-30s");
    server.restart();
    alice.post("still here", None).expect(201);
}

/// A life of the server with a wrong clock, between two with the right one, ends no login: neither one that was used in
/// it, nor one that was taken for expired.
fn a_clock_that_was_wrong_for_a_life_costs_no_login(backend: Backend) {
    let Some(clock) = Clock::find() else { return };
    let mut server = Server::with(backend).clock(&clock).start();
    let (mut alice, mut bob) = (
        User::register(&server, "alice"),
        User::register(&server, "bob"),
    );
    clock.step("+1y");
    server.restart();
    for user in [&alice, &bob] {
        assert_eq!(refresh(&server, &user.refresh_token).status, 401);
    }
    // A new login in the meantime sweeps nothing away.
    bob.clone().log_in();
    clock.step("+0");
    server.restart();
    renew(&server, &mut alice);
    renew(&server, &mut bob);
    clock.step("-200d");
    server.restart();
    renew(&server, &mut alice);
    alice.post("long ago", None).expect(201);
    clock.step("+0");
    server.restart();
    for user in [&mut alice, &mut bob] {
        renew(&server, user);
        assert_eq!(contents(user), ["long ago"]);
    }
}

/// No date of HTTP can be written after the year 9999.
#[test]
fn a_clock_that_no_date_can_tell_starts_no_server() {
    let Some(clock) = Clock::find() else { return };
    let mut server = Server::with(Backend::Sqlite).clock(&clock).start();
    assert_eq!(server.terminate().0.code(), Some(0));
    for wrong in ["-10y", "+8000y"] {
        clock.step(wrong);
        let why = server.try_start_again().expect_err("no server starts");
        assert!(why.contains("The clock of this machine says"), "{why}");
    }
    clock.step("+0");
    server.start_again();
}

/// No server is asked: it could not be, without a date.
#[test]
fn a_client_whose_clock_shows_an_impossible_year_says_so() {
    let Some(clock) = Clock::find() else { return };
    clock.step("+2917000d");
    let environment = clock.environment();
    let environment: Vec<(&str, &str)> = (environment.iter())
        .map(|(name, value)| (name.as_str(), value.as_str()))
        .chain([
            ("PARLOUR_USERNAME", "alice"),
            ("PARLOUR_PASSWORD", PASSWORD),
        ])
        .collect();
    let folder = tempfile::tempdir().expect("a folder");
    for args in [&["send", "hello"][..], &["tail"]] {
        let finished = run(args, &environment, folder.path());
        let said = &finished.stderr;
        assert_eq!(finished.status.code(), Some(2), "{said}");
        assert!(said.contains("The clock of this machine says"), "{said}");
        assert!(!said.contains("panicked"), "{said}");
    }
}
