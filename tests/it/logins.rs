//! Passwords are slow to check, on purpose; no one else may feel it, and no one may learn from it who has an account.

use std::{
    fs,
    panic::AssertUnwindSafe,
    sync::atomic::{AtomicBool, AtomicUsize, Ordering},
    thread,
    time::{Duration, Instant},
};

use serde_json::json;

use crate::support::{Backend, PASSWORD, Server, User, eventually};

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

/// The threads that work on passwords leave the cores to those that carry messages.
#[test]
fn passwords_get_what_messages_leave_of_the_cores() {
    let server = Server::start(Backend::Sqlite);
    let niceness = |name: &str| -> Vec<i64> {
        let threads = fs::read_dir(format!("/proc/{}/task", server.pid())).expect("its threads");
        let stats =
            threads.map(|thread| fs::read_to_string(thread.expect("one").path().join("stat")));
        stats
            .filter_map(|stat| {
                let stat = stat.ok()?;
                let (before, after) = stat.rsplit_once(") ")?;
                // The 19th field, of which the first two are before the bracket (proc_pid_stat(5)).
                let nice = after.split(' ').nth(16)?.parse().ok()?;
                before.split_once('(')?.1.starts_with(name).then_some(nice)
            })
            .collect()
    };
    // A thread takes its name and its place when it first runs; and all of this may run behind others already.
    eventually("the password thread stands back", || {
        let others = niceness("database-").into_iter().max()?;
        (niceness("password-") == [(others + 10).min(19)]).then_some(())
    });
}

/// A hash in a row that was changed by hand, or came with a crafted backup, may be one that takes a day to check.
#[test]
fn one_hash_without_measure_keeps_no_one_from_logging_in() {
    let mut server = Server::with(Backend::Sqlite).env("WORKERS", 2).start();
    let (alice, mut bob) = (
        User::register(&server, "alice"),
        User::register(&server, "bob"),
    );
    server.kill9();
    server.database.execute(&format!(
        "UPDATE users SET password_hash = '$2b$31$' || substr(password_hash, 8) WHERE id = {}",
        alice.id
    ));
    // At the start it is counted what hashes cost, which names that no one has take as long as.
    server.start_again();
    let refused = |name: &str| {
        let login = json!({"username": name, "password": PASSWORD});
        server.http().post("/api/auth/login", &login).expect(401);
    };
    refused("alice");
    for n in 0..20 {
        refused(&format!("nobody{n}"));
    }
    bob.addr = server.addr;
    bob.log_in();
    server.await_log("the password of alice is not checked");
    let change = json!({"current": PASSWORD, "new": "another good password"});
    let change = serde_json::to_vec(&change).expect("JSON");
    let headers = [("content-type", "application/json")];
    let mut alice = alice;
    alice.addr = server.addr;
    let path = "/api/users/me/password";
    let answer = alice.http().request("PUT", path, &headers, &change);
    answer.expect_problem(403, "wrong_password");
}

/// Whoever has few accounts and many addresses can make all of those addresses known by logging in from each. Then their
/// logins compete with those of people who are where they always are.
#[test]
fn addresses_that_were_made_known_keep_no_one_out_who_is_known() {
    const ADDRESSES: u8 = 80;
    let mut server = Server::with(Backend::Sqlite).env("WORKERS", 2).start();
    let _victim = User::register(&server, "victim");
    let log_in = |server: &Server, last: u8, name: &str| {
        let login = json!({"username": name, "password": PASSWORD});
        let body = login.to_string();
        let http = server.http().at_address(last);
        let answer = http.try_request("POST", "/api/auth/login", &[], body.as_bytes());
        answer.map_or(0, |answer| answer.status)
    };
    let account = |last: u8| format!("thief{}", last % 4);
    for n in 0..4 {
        User::register(&server, &account(n));
    }
    for last in 2..2 + ADDRESSES {
        assert_eq!(log_in(&server, last, &account(last)), 200);
    }
    assert_eq!(log_in(&server, 200, "victim"), 200);
    server.set_env("BCRYPT_COST", 11);
    server.restart();
    let (asked, ended, server) = (&AtomicUsize::new(0), &AtomicBool::new(false), &server);
    thread::scope(|scope| {
        for last in 2..2 + ADDRESSES {
            scope.spawn(move || {
                while !ended.load(Ordering::Relaxed) {
                    asked.fetch_add(1, Ordering::Relaxed);
                    let _whatever_comes = log_in(server, last, &account(last));
                }
            });
        }
        let was_heard = std::panic::catch_unwind(AssertUnwindSafe(|| {
            eventually("more ask than can wait", || {
                (asked.load(Ordering::Relaxed) > 200).then_some(())
            });
            for _ in 0..3 {
                assert_eq!(log_in(server, 200, "victim"), 200);
            }
        }));
        ended.store(true, Ordering::Relaxed);
        assert!(was_heard.is_ok(), "a login waited for those of others");
    });
}
