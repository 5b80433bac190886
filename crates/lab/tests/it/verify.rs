//! Anyone can check that nothing is lost: `parlour-lab verify` finds nothing wrong with this server, finds what is wrong
//! when a guard is taken out, says "invalid" when it did too little, and leaves nothing behind.

use std::{
    fs,
    io::{BufRead as _, BufReader},
    os::unix::fs::PermissionsExt as _,
    path::Path,
    process::{Command, Stdio},
};

use serde_json::Value;
use tempfile::TempDir;

use crate::{eventually, lab};

/// A folder for temporary things that PostgreSQL, who is another user, may enter.
fn folder() -> TempDir {
    tempfile::Builder::new()
        .permissions(fs::Permissions::from_mode(0o755))
        .tempdir()
        .expect("a folder")
}

fn verify(folder: &Path, args: &[&str]) -> Command {
    let mut command = lab("verify");
    command
        .args(args)
        .env("TMPDIR", folder)
        .current_dir(folder)
        .stdin(Stdio::null());
    command
}

/// Its exit code and its scoreboard.
fn scoreboard(folder: &Path, args: &[&str]) -> (Option<i32>, Value) {
    let output = verify(folder, args)
        .arg("--json")
        .stderr(Stdio::inherit())
        .output()
        .expect("runs");
    let board = serde_json::from_slice(&output.stdout).expect("JSON on standard output");
    (output.status.code(), board)
}

fn databases() -> &'static str {
    if std::env::var_os("PARLOUR_TEST_POSTGRES_URL").is_some() {
        "both"
    } else {
        "sqlite"
    }
}

/// What of `folder` is still in use: a process started with it, a mounted disk, a file.
fn left_behind(folder: &Path) -> Vec<String> {
    let name = folder.display().to_string();
    let mut found = Vec::new();
    for process in fs::read_dir("/proc").expect("/proc").flatten() {
        let told = ["cmdline", "environ"]
            .map(|file| fs::read(process.path().join(file)).unwrap_or_default())
            .concat();
        if String::from_utf8_lossy(&told).contains(&name) {
            found.push(format!("process {}", process.path().display()));
        }
    }
    let mounts = fs::read_to_string("/proc/mounts").unwrap_or_default();
    found.extend(
        mounts
            .lines()
            .filter(|line| line.contains(&name))
            .map(str::to_owned),
    );
    let files = fs::read_dir(folder).expect("the folder").flatten();
    found.extend(files.map(|file| file.path().display().to_string()));
    found
}

/// A machine too busy for so short a run to say anything about a fault is given these more tries, one fault on one
/// database at a time.
const MORE_TRIES: usize = 3;

#[test]
fn nothing_is_lost_whatever_is_done_to_a_server() {
    let folder = folder();
    let options = ["--seed", "1", "--database", databases(), "--minutes", "0.3"];
    let (code, board) = scoreboard(folder.path(), &options);
    let rows = board["rows"].as_array().expect("rows");
    let expected = if rows.iter().any(|row| row["result"] == "invalid") {
        (Some(3), "invalid")
    } else {
        (Some(0), "passed")
    };
    assert_eq!(
        (code, board["outcome"].as_str()),
        (expected.0, Some(expected.1)),
        "{board:#}"
    );
    let faults = if databases() == "both" { 17 } else { 8 };
    assert_eq!(rows.len(), faults, "{board:#}");
    for row in rows {
        let row = said_something(folder.path(), row.clone());
        let is_fine = row["result"] == "passed" || row["result"] == "skipped";
        assert!(is_fine, "{row:#}");
        if row["trouble"].is_null() {
            assert!(row["acked"].as_u64() > Some(0), "{row:#}");
        }
    }
    assert_eq!(left_behind(folder.path()), Vec::<String>::new());
}

/// This row, or that of the first further try that was not cut short by the machine.
fn said_something(folder: &Path, mut row: Value) -> Value {
    let word = |row: &Value, name: &str| row[name].as_str().expect("a word").to_owned();
    for _ in 0..MORE_TRIES {
        if row["result"] != "invalid" {
            break;
        }
        let (fault, database) = (word(&row, "fault"), word(&row, "database"));
        let options = ["--seed", "1", "--minutes", "0.1"];
        let which = ["--faults", &fault, "--database", &database];
        let (_, board) = scoreboard(folder, &[&options[..], &which].concat());
        row = board["rows"][0].clone();
    }
    row
}

/// The control: without the index that finds what was sent before, messages are doubled, and it is seen.
#[test]
fn with_a_guard_taken_out_the_loss_of_it_is_seen() {
    let folder = folder();
    let options = ["--seed", "1", "--database", databases()];
    let (code, board) = scoreboard(
        folder.path(),
        &[&options[..], &["--minutes", "0.1", "--control", "no-index"]].concat(),
    );
    assert_eq!(code, Some(1), "{board:#}");
    for row in board["rows"].as_array().expect("rows") {
        assert!(row["doubled"].as_u64() > Some(0), "{row:#}");
        assert_eq!(row["lost"], 0, "{row:#}");
    }
}

#[test]
fn a_run_that_is_stopped_leaves_nothing_behind() {
    let folder = folder();
    let mut run = verify(folder.path(), &["--database", databases()])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("starts");
    let stderr = BufReader::new(run.stderr.take().expect("piped"));
    let begun = stderr.lines().map_while(Result::ok).next();
    assert!(begun.is_some_and(|line| line.starts_with("seed ")));
    eventually("a server was started", || {
        let found = left_behind(folder.path());
        // This very process, its folder, and a server.
        (found
            .iter()
            .filter(|what| what.starts_with("process"))
            .count()
            > 1)
        .then_some(())
    });
    let interrupted = Command::new("sh")
        .args(["-c", &format!("kill -INT {}", run.id())])
        .status();
    assert!(interrupted.is_ok_and(|status| status.success()));
    let status = run.wait().expect("ends");
    assert_eq!(status.code(), Some(130));
    assert_eq!(left_behind(folder.path()), Vec::<String>::new());
}
