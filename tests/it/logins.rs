//! Passwords are slow to check, on purpose; nobody else may feel it, and nobody may learn from it who has an account.

use std::{
    sync::atomic::{AtomicUsize, Ordering},
    thread,
    time::{Duration, Instant},
};

use serde_json::json;

use crate::support::{Backend, PASSWORD, Server, User};

#[test]
fn an_unknown_name_takes_as_long_as_a_wrong_password() {
    let server = Server::with(Backend::Sqlite).env("BCRYPT_COST", 9).start();
    let _alice = User::register(&server, "alice");
    let time = |name: &str| -> Duration {
        let body = json!({"username": name, "password": "not her password"});
        let start = Instant::now();
        server.http().post("/api/auth/login", &body).expect(401);
        start.elapsed()
    };
    // Taken by turns, so that a busy moment strikes both; the fastest of each is the least disturbed.
    let (mut known, mut unknown) = (Duration::MAX, Duration::MAX);
    for n in 0..15 {
        known = known.min(time("alice"));
        unknown = unknown.min(time(&format!("nobody{n}")));
    }
    let ratio = known.as_secs_f64() / unknown.as_secs_f64();
    assert!(
        (0.7..1.4).contains(&ratio),
        "known {known:?}, unknown {unknown:?}"
    );
}

#[test]
fn a_storm_of_logins_delays_no_message() {
    let server = Server::with(Backend::Sqlite)
        .env("WORKERS", 2)
        .env("BCRYPT_COST", 12)
        .start();
    let alice = User::register(&server, "alice");
    let mut socket = alice.connect();
    let waiting = AtomicUsize::new(0);
    thread::scope(|scope| {
        for _ in 0..40 {
            scope.spawn(|| {
                waiting.fetch_add(1, Ordering::Relaxed);
                let body = json!({"username": "alice", "password": PASSWORD});
                let answer = server.http().post("/api/auth/login", &body);
                // The queue has a bound: whoever finds it full is told to come back.
                assert!(matches!(answer.status, 200 | 503), "{}", answer.text());
                waiting.fetch_sub(1, Ordering::Relaxed);
            });
        }
        while waiting.load(Ordering::Relaxed) < 30 {
            thread::yield_now();
        }
        for n in 0..10 {
            socket.say(&format!("m{n}"));
        }
        let left = waiting.load(Ordering::Relaxed);
        assert!(
            left > 5,
            "only {left} logins were still waiting when the messages were through"
        );
    });
}
