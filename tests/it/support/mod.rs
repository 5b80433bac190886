//! What the tests stand on: a server in a process of its own, a database made for one test, and clients that speak
//! HTTP and WebSocket from the outside. Everything waits for an event with a deadline; nothing sleeps and hopes.

#![allow(dead_code)] // each test uses its part

mod clock;
mod cluster;
pub mod crash;
mod database;
mod server;
mod terminal;
mod user;

use std::path::Path;

use rustix::process::Signal;

pub use clock::Clock;
pub use cluster::Cluster;
pub use database::{Backend, Database};
pub use parlour_lab::{
    raw::{
        http::{Http, Kept, Response, TIMEOUT, read_response},
        socket::{Closed, Incoming, Socket},
    },
    rig::{disk::Disk, host::Host},
};
pub use server::{BINARY, Finished, Server, fed, run};
pub use terminal::Terminal;
pub use user::{PASSWORD, User};

/// Makes a test for each database out of functions that take a [`Backend`]: `on_both![a_message_is_stored]` becomes the
/// tests `a_message_is_stored::sqlite` and `a_message_is_stored::postgres`. (A function that is not listed is reported
/// as dead code.)
macro_rules! on_both {
    ($($name:ident),+ $(,)?) => {
        $(
            mod $name {
                #[test]
                fn sqlite() {
                    super::$name($crate::support::Backend::Sqlite);
                }

                #[test]
                fn postgres() {
                    super::$name($crate::support::Backend::Postgres);
                }
            }
        )+
    };
}

/// Asks again and again until the answer is `Some`, and fails with `what` when that never happens.
pub fn eventually<T>(what: &str, ask: impl FnMut() -> Option<T>) -> T {
    eventually_within(TIMEOUT, what, ask)
}

/// The same for what may take this long.
pub fn eventually_within<T>(
    limit: std::time::Duration,
    what: &str,
    mut ask: impl FnMut() -> Option<T>,
) -> T {
    let start = std::time::Instant::now();
    loop {
        if let Some(answer) = ask() {
            return answer;
        }
        assert!(start.elapsed() < limit, "it never happened: {what}");
        std::thread::sleep(std::time::Duration::from_millis(20));
    }
}

/// What the rig could make, or a word on why the test is skipped. In CI nothing may be.
pub fn or_skip<T>(made: parlour_lab::Result<T>) -> Option<T> {
    let in_ci = std::env::var_os("CI").is_some();
    made.map_err(|trouble| {
        assert!(!in_ci, "in CI nothing may be skipped: {trouble}");
        println!("skipped: {trouble}");
    })
    .ok()
}

/// A signal by its name, such as `TERM` or `STOP`.
fn signal_named(name: &str) -> Signal {
    match name {
        "TERM" => Signal::TERM,
        "STOP" => Signal::STOP,
        "CONT" => Signal::CONT,
        "KILL" => Signal::KILL,
        "HUP" => Signal::HUP,
        "INT" => Signal::INT,
        other => panic!("no signal {other}"),
    }
}

/// The folder of the repository.
pub fn root() -> &'static Path {
    let own = Path::new(env!("CARGO_MANIFEST_DIR"));
    own.parent().expect("it stands in the repository")
}

/// Sixteen hexadecimal digits that no other test has.
pub fn unique() -> String {
    let mut bytes = [0; 8];
    getrandom::fill(&mut bytes).expect("random bytes");
    format!("{:016x}", u64::from_ne_bytes(bytes))
}
