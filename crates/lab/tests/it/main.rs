//! The laboratory itself is tried: the real program, on the real server that is built beside it.

// A failed expectation is how a test speaks.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod bench;
mod verify;

use std::{
    path::Path,
    process::{Command, Stdio},
    thread,
    time::{Duration, Instant},
};

/// How long a test waits for anything that must happen. Long, since the machine may be busy with other tests.
const TIMEOUT: Duration = Duration::from_secs(20);

/// `parlour-lab COMMAND`, with the server that is built beside it and nothing else of what is set around the test.
fn lab(command: &str) -> Command {
    let lab = Path::new(env!("CARGO_BIN_EXE_parlour-lab"));
    let server = lab.with_file_name("parlour");
    assert!(
        server.exists(),
        "{} is not there: cargo build",
        server.display()
    );
    let mut words = Command::new(lab);
    words
        .arg(command)
        .env_clear()
        .env("PATH", std::env::var_os("PATH").unwrap_or_default())
        .env("PARLOUR_LAB_SERVER", server)
        .stdin(Stdio::null());
    words
}

/// Whether the tests are to be run on PostgreSQL, too; `scripts/test` sees to that.
fn has_postgres() -> bool {
    std::env::var_os("PARLOUR_TEST_POSTGRES_URL").is_some()
}

/// Asks again and again until the answer is `Some`, and fails with `what` when that never happens.
fn eventually<T>(what: &str, mut ask: impl FnMut() -> Option<T>) -> T {
    let start = Instant::now();
    loop {
        if let Some(answer) = ask() {
            return answer;
        }
        assert!(start.elapsed() < TIMEOUT, "it never happened: {what}");
        thread::sleep(Duration::from_millis(20));
    }
}
