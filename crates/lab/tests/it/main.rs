//! The laboratory itself is tried: the real program, on the real server that is built beside it.

// A failed expectation is how a test speaks.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod bench;
mod verify;

use std::{
    path::PathBuf,
    process::{Command, Stdio},
    sync::LazyLock,
    thread,
    time::{Duration, Instant},
};

use parlour_lab::rig::binary::under_test;

/// How long a test waits for anything that must happen. Long, since the machine may be busy with other tests.
const TIMEOUT: Duration = Duration::from_secs(20);

/// The server of this tree, built when it is not.
static SERVER: LazyLock<PathBuf> =
    LazyLock::new(|| under_test(&[]).unwrap_or_else(|trouble| panic!("{trouble}")));

/// `parlour-lab COMMAND`, with that server and nothing else of what is set around the test.
fn lab(command: &str) -> Command {
    let mut words = Command::new(env!("CARGO_BIN_EXE_parlour-lab"));
    words
        .arg(command)
        .env_clear()
        .env("PATH", std::env::var_os("PATH").unwrap_or_default())
        .env("PARLOUR_LAB_SERVER", SERVER.as_path())
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
