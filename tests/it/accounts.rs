//! Accounts: a password counts whole, whatever keyboard sends it; and the time of an answer tells no one's secrets.

use std::{
    fs,
    sync::atomic::{AtomicUsize, Ordering},
    thread,
    time::Duration,
};

use diesel::connection::SimpleConnection as _;
use serde_json::json;

use crate::support::{Backend, Closed, Http, PASSWORD, Response, Server, User, eventually};

on_both![
    a_password_is_not_cut_at_a_nul,
    a_password_is_the_same_however_a_keyboard_sends_it,
    a_password_from_before_it_was_composed_goes_on_working,
    a_changed_work_factor_tells_nobody_who_has_an_account,
    strangers_who_guess_do_not_keep_the_owner_out,
    a_changed_password_ends_all_other_logins,
    a_text_that_shows_nothing_is_no_message,
];

/// `ä` in one character, and as `a` with a mark, as some keyboards and systems send it.
const COMPOSED: &str = "pässwörter für alle";
const DECOMPOSED: &str = "pa\u{308}sswo\u{308}rter fu\u{308}r alle";

fn register(server: &Server, name: &str, password: &str) -> Response {
    let body = json!({"username": name, "password": password});
    server.http().post("/api/auth/register", &body)
}

fn log_in(server: &Server, name: &str, password: &str) -> Response {
    let body = json!({"username": name, "password": password});
    server.http().post("/api/auth/login", &body)
}

fn hash_of(server: &Server, name: &str) -> String {
    let sql = format!("SELECT password_hash AS value FROM users WHERE username_key = '{name}'");
    let mut values = server.database.query(&sql).into_iter().flatten();
    values.next().expect("a hash")
}

fn a_password_is_not_cut_at_a_nul(backend: Backend) {
    let server = Server::start(backend);
    register(&server, "alice", "abcdefgh").expect(201);
    for wrong in ["abcdefgh\0abcdefgh", "abcdefgh\0", "\0abcdefgh", "\0"] {
        log_in(&server, "alice", wrong).expect_problem(401, "wrong_credentials");
        let answer = register(&server, "bob", &format!("{wrong}12345678"));
        answer.expect_problem(422, "validation_error");
    }
    log_in(&server, "alice", "abcdefgh").expect(200);
}

fn a_password_is_the_same_however_a_keyboard_sends_it(backend: Backend) {
    let server = Server::start(backend);
    register(&server, "alice", DECOMPOSED).expect(201);
    register(&server, "bob", COMPOSED).expect(201);
    for name in ["alice", "bob"] {
        for password in [COMPOSED, DECOMPOSED] {
            log_in(&server, name, password).expect(200);
        }
        log_in(&server, name, "passworter fur alle").expect(401);
    }
    // The limit is that of what is hashed: 72 bytes composed, 108 as they are sent.
    let longest = "a\u{308}".repeat(36);
    register(&server, "carol", &longest).expect(201);
    log_in(&server, "carol", &"ä".repeat(36)).expect(200);
    let answer = register(&server, "dave", &"a\u{308}".repeat(37));
    answer.expect_problem(422, "validation_error");
    // Eight marks on one letter are no eight characters.
    register(&server, "dave", "a\u{308}a\u{308}a\u{308}a\u{308}").expect(422);
}

fn a_password_from_before_it_was_composed_goes_on_working(backend: Backend) {
    let server = Server::start(backend);
    register(&server, "alice", COMPOSED).expect(201);
    let old = bcrypt::hash(DECOMPOSED, 4).expect("hashes");
    let sql = format!("UPDATE users SET password_hash = '{old}'");
    server.database.execute(&sql);
    log_in(&server, "alice", "pa\u{308}sswort").expect(401);
    log_in(&server, "alice", DECOMPOSED).expect(200);
    eventually("it is hashed again", || {
        (hash_of(&server, "alice") != old).then_some(())
    });
    for password in [COMPOSED, DECOMPOSED] {
        log_in(&server, "alice", password).expect(200);
    }
}

/// What the threads that work on passwords have worked so far: their time, which others on the machine do not change.
fn time_on_passwords(server: &Server) -> Duration {
    let threads = fs::read_dir(format!("/proc/{}/task", server.pid())).expect("its threads");
    let times = threads.filter_map(|thread| {
        let path = thread.ok()?.path();
        let name = fs::read_to_string(path.join("comm")).ok()?;
        // Nanoseconds on a core come first.
        let stat = fs::read_to_string(path.join("schedstat")).ok()?;
        let nanos = stat.split(' ').next()?.parse().ok()?;
        name.starts_with("password-")
            .then(|| Duration::from_nanos(nanos))
    });
    times.sum()
}

/// The least work on each, taken by turns.
fn known_and_unknown(server: &Server, known: &str) -> (Duration, Duration) {
    let work = |name: &str| {
        let before = time_on_passwords(server);
        log_in(server, name, "not her password").expect(401);
        time_on_passwords(server).saturating_sub(before)
    };
    let mut least = (Duration::MAX, Duration::MAX);
    for n in 0..5 {
        least.0 = least.0.min(work(known));
        least.1 = least.1.min(work(&format!("nobody{n}")));
    }
    least
}

fn a_changed_work_factor_tells_nobody_who_has_an_account(backend: Backend) {
    let mut server = Server::with(backend).env("BCRYPT_COST", 8).start();
    let mut alice = User::register(&server, "alice");
    for cost in [10, 8] {
        server.set_env("BCRYPT_COST", cost);
        server.restart();
        let before = hash_of(&server, "alice");
        let (known, unknown) = known_and_unknown(&server, "alice");
        let ratio = known.as_secs_f64() / unknown.as_secs_f64();
        assert!(
            (0.6..1.6).contains(&ratio),
            "with BCRYPT_COST={cost}: known {known:?}, unknown {unknown:?}"
        );
        assert_eq!(
            hash_of(&server, "alice"),
            before,
            "wrong guesses change nothing"
        );
        alice.log_in();
        eventually("it is hashed again", || {
            let cost = format!("$2b${cost:02}$");
            hash_of(&server, "alice").starts_with(&cost).then_some(())
        });
        alice.log_in();
    }
}

fn guess(from: &Http, name: &str, password: &str) -> Response {
    let body = json!({"username": name, "password": password});
    from.post("/api/auth/login", &body)
}

fn strangers_who_guess_do_not_keep_the_owner_out(backend: Backend) {
    let mut server = Server::with(backend).env("RATE_LIMITS", "on").start();
    User::register(&server, "alice");
    // What is known of where she comes from outlives the server.
    server.restart();
    let mut refused = 0;
    for last in 2..=21 {
        let stranger = server.http().at_address(last);
        for n in 0..10 {
            let answer = guess(&stranger, "alice", &format!("guess number {n}"));
            assert!(matches!(answer.status, 401 | 429), "{}", answer.text());
            refused += usize::from(answer.status == 429);
        }
    }
    assert!(refused > 20, "only {refused} of 200 guesses were refused");
    guess(&server.http(), "alice", PASSWORD).expect(200);
}

/// Each of these was charged to the account whose name it was.
#[test]
fn registering_a_name_that_is_taken_costs_its_owner_nothing() {
    let server = Server::with(Backend::Sqlite)
        .env("RATE_LIMITS", "on")
        .start();
    User::register(&server, "alice");
    for last in 1..=12 {
        let stranger = server.http().at_address(last);
        for name in ["alice", "ALICE"].iter().cycle().take(12) {
            let body = json!({"username": name, "password": PASSWORD});
            let answer = stranger.post("/api/auth/register", &body);
            assert!(matches!(answer.status, 400 | 429), "{}", answer.text());
        }
    }
    guess(&server.http(), "alice", PASSWORD).expect(200);
    guess(&server.http().at_address(99), "alice", PASSWORD).expect(200);
}

/// They work on passwords one after the other, and everyone else stood behind them.
#[test]
fn a_storm_of_logins_from_four_addresses_leaves_room_for_a_fifth() {
    let server = Server::with(Backend::Sqlite)
        .env("RATE_LIMITS", "on")
        .env("WORKERS", 2)
        .env("BCRYPT_COST", 9)
        .start();
    User::register(&server, "alice");
    let (refused, worked) = (AtomicUsize::new(0), AtomicUsize::new(0));
    let worked_on = || worked.load(Ordering::SeqCst);
    thread::scope(|scope| {
        for n in 0..200_usize {
            let (refused, worked, server) = (&refused, &worked, &server);
            scope.spawn(move || {
                let last = u8::try_from(2 + n % 4).expect("small");
                let stranger = server.http().at_address(last);
                let answer = guess(&stranger, &format!("nobody{n}"), "not the password");
                assert!(matches!(answer.status, 401 | 503), "{}", answer.text());
                let count = if answer.status == 401 {
                    worked
                } else {
                    refused
                };
                count.fetch_add(1, Ordering::SeqCst);
            });
        }
        eventually("the queue is full", || {
            (refused.load(Ordering::SeqCst) > 0).then_some(())
        });
        // A stranger, and one who is known where she comes from: not behind the 64 that wait.
        for http in [server.http().at_address(77), server.http()] {
            let before = worked_on();
            guess(&http, "alice", PASSWORD).expect(200);
            let others = worked_on() - before;
            assert!(others < 32, "{others} others came first");
        }
    });
}

fn a_changed_password_ends_all_other_logins(backend: Backend) {
    const NEW: &str = "staple battery horse";
    let server = Server::start(backend);
    let mut alice = User::register(&server, "alice");
    let other = alice.clone();
    alice.log_in();
    let bob = User::register(&server, "bob");
    let (mut own, mut others, mut bobs) = (alice.connect(), other.connect(), bob.connect());
    let ticket = other.http().post("/api/auth/ws-ticket", &json!({})).json();
    let change = |http: &Http, current: &str, new: &str| {
        let body = json!({"current": current, "new": new}).to_string();
        http.request("PUT", "/api/users/me/password", &[], body.as_bytes())
    };
    change(&server.http(), PASSWORD, NEW).expect_problem(401, "not_authenticated");
    change(&alice.http(), "not her password", NEW).expect_problem(403, "wrong_password");
    for bad in [
        "short",
        "        ",
        "\u{2003}\u{200b}\u{3000}\u{2003}\u{200b}\u{3000}\u{2003}\u{200b}",
        "\0 but long enough",
        &"x".repeat(73),
    ] {
        let answer = change(&alice.http(), PASSWORD, bad);
        answer.expect_problem(422, "validation_error");
        assert_eq!(answer.json()["errors"][0]["loc"], json!(["body", "new"]));
    }
    own.say("nothing has happened yet");
    others.say("nor here");

    change(&alice.http(), PASSWORD, NEW).expect(204);
    assert!(matches!(others.expect_end(), Closed::Code(4403, _)));
    own.say("goes on");
    bobs.say("is not concerned");
    other.http().get("/api/chat/messages").expect(401);
    let refresh = json!({"refresh_token": other.refresh_token});
    server
        .http()
        .post("/api/auth/refresh", &refresh)
        .expect(401);
    let ticket = format!("?ticket={}", ticket["ticket"].as_str().expect("a ticket"));
    let opened = crate::support::Socket::open(server.addr, &ticket, &[]);
    assert_eq!(opened.err(), Some(401));
    let refresh = json!({"refresh_token": alice.refresh_token});
    server
        .http()
        .post("/api/auth/refresh", &refresh)
        .expect(200);
    log_in(&server, "alice", PASSWORD).expect_problem(401, "wrong_credentials");
    log_in(&server, "alice", NEW).expect(200);
    assert!(!server.log().contains(NEW) && !server.log().contains(PASSWORD));
}

/// Whoever has someone's token is not to try passwords with it.
#[test]
fn a_change_of_the_password_is_charged_like_a_guess() {
    let server = Server::with(Backend::Sqlite)
        .env("RATE_LIMITS", "on")
        .start();
    let alice = User::register(&server, "alice");
    let try_one = |n: usize| {
        let body = json!({"current": format!("guess number {n}"), "new": PASSWORD});
        let last = u8::try_from(2 + n).expect("few");
        let http = alice.http().at_address(last);
        http.request(
            "PUT",
            "/api/users/me/password",
            &[],
            body.to_string().as_bytes(),
        )
    };
    let refused = (0..30)
        .map(try_one)
        .find(|answer| answer.status != 403)
        .expect("an end to guessing");
    refused.expect_problem(429, "rate_limited");
    // She can still log in.
    guess(&server.http(), "alice", PASSWORD).expect(200);
}

fn a_text_that_shows_nothing_is_no_message(backend: Backend) {
    let server = Server::start(backend);
    let alice = User::register(&server, "alice");
    let mut socket = alice.connect();
    for blank in [
        "\u{200b}",
        "\u{2060}\u{feff}",
        "\u{fe0f}",
        "\u{e0067}\u{e007f}",
        "\u{202e}\u{202c}",
        "\u{3164}",
        " \u{2003}\u{a0}\t\n",
        "\u{ad}",
        "\u{7}",
    ] {
        alice
            .post(blank, None)
            .expect_problem(422, "validation_error");
        socket.send_json(&json!({"type": "message", "content": blank, "ref": "r"}));
        socket.expect_error("validation_error");
    }
    for text in ["\u{200b}x", "👩\u{200d}🚀", "می\u{200c}خواهم", "❤\u{fe0f}"] {
        alice.post(text, None).expect(201);
    }
    assert_eq!(alice.history().len(), 4);
}

/// Waits until this many ask the database for something that another transaction holds.
fn await_waiting(server: &Server, count: usize) {
    let waiting = format!(
        "SELECT pid::text AS value FROM pg_stat_activity WHERE datname = '{}' AND wait_event_type = 'Lock'",
        server.database.name()
    );
    eventually("all wait for the row of the account", || {
        (server.database.query(&waiting).len() == count).then_some(())
    });
}

#[test]
fn the_second_of_two_changes_of_a_password_hears_that_the_password_is_another() {
    let server = Server::start(Backend::Postgres);
    let alice = User::register(&server, "alice");
    let row = format!("SELECT id FROM users WHERE id = {} FOR UPDATE", alice.id);
    let held = server.database.hold(&row);
    let http = &alice.http();
    let mut answers = thread::scope(|scope| {
        let changes = ["another good password", "yet another password"].map(|new| {
            scope.spawn(move || {
                let change = json!({"current": PASSWORD, "new": new}).to_string();
                http.request("PUT", "/api/users/me/password", &[], change.as_bytes())
            })
        });
        await_waiting(&server, 2);
        drop(held);
        changes.map(|change| change.join().expect("joins"))
    });
    answers.sort_by_key(|answer| answer.status);
    let [first, second] = answers;
    first.expect(204);
    second.expect_problem(403, "wrong_password");
    http.get("/api/chat/messages").expect(200);
}

#[test]
fn whoever_has_the_right_password_while_the_account_is_disabled_is_told_so() {
    let server = Server::start(Backend::Postgres);
    let alice = User::register(&server, "alice");
    let mut disabling = server.database.hold(&format!(
        "UPDATE users SET disabled_at = now(), credentials = credentials + 1 WHERE id = {}",
        alice.id
    ));
    thread::scope(|scope| {
        let login = scope.spawn(|| log_in(&server, "alice", PASSWORD));
        await_waiting(&server, 1);
        disabling.batch_execute("COMMIT").expect("commits");
        let answer = login.join().expect("joins");
        answer.expect_problem(403, "account_disabled");
    });
}
