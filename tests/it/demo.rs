//! `parlour demo` shows what it says, and leaves nothing behind, however it ends.

use std::{
    fs,
    io::{BufRead as _, BufReader, Read as _},
    net::TcpStream,
    path::Path,
    process::{Child, Command, ExitStatus, Stdio},
    time::Duration,
};

use crate::support::{BINARY, eventually_within, run};

/// It hashes five passwords at full cost and starts two servers.
const TIMEOUT: Duration = Duration::from_mins(2);

fn start(args: &[&str], tmp: &Path) -> Child {
    Command::new(&*BINARY)
        .arg("demo")
        .args(args)
        .env_clear()
        .envs(std::env::var_os("LLVM_PROFILE_FILE").map(|file| ("LLVM_PROFILE_FILE", file)))
        .env("TMPDIR", tmp)
        // What is set for a server of one's own has no bearing on the demo.
        .env("PORT", "1")
        .env("DATABASE_URL", "postgres://nobody@127.0.0.1:1/nothing")
        .current_dir(tmp)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("parlour starts")
}

/// Ends with the test, also with one that fails.
struct KilledOnDrop<'a>(&'a mut Child);

impl Drop for KilledOnDrop<'_> {
    fn drop(&mut self) {
        let _ = self.0.kill();
    }
}

fn wait(child: &mut Child) -> ExitStatus {
    let child = KilledOnDrop(child);
    eventually_within(TIMEOUT, "the demo ends", || {
        child.0.try_wait().expect("waits")
    })
}

fn expect_empty(folder: &Path) {
    let left: Vec<_> = fs::read_dir(folder).expect("a folder").collect();
    assert!(left.is_empty(), "left behind: {left:?}");
}

#[test]
fn every_step_is_seen_to_hold_and_nothing_is_left_behind() {
    let tmp = tempfile::tempdir().expect("a folder");
    let mut child = start(&["--fast"], tmp.path());
    let status = wait(&mut child);
    let (mut out, mut err) = (String::new(), String::new());
    let read = child.stdout.take().expect("piped").read_to_string(&mut out);
    read.expect("text");
    let read = child.stderr.take().expect("piped").read_to_string(&mut err);
    read.expect("text");
    assert!(status.success() && err.is_empty(), "{status}\n{out}\n{err}");
    let mut rest = out.as_str();
    for words in [
        "It listens on http://127.0.0.1:",
        "bob mistypes his password and is refused",
        "on the disk and acknowledged",
        "in the database        gAAAAA",
        "what bob reads         The code for the door is 4711.",
        "what bob reads         unreadable",
        "it reads again",
        "duplicate: false",
        "duplicate: true",
        "kill -9",
        "what bob gets          Last words before the crash.",
        "206 acknowledged, 206 stored",
        "p50",
        "Everything held.",
    ] {
        let at = rest.find(words);
        rest = &rest[at.unwrap_or_else(|| panic!("{words:?} is not in its place in\n{out}"))..];
    }
    assert!(!out.contains('\u{1b}'), "colours, where nobody looks");
    expect_empty(tmp.path());
}

#[test]
fn ctrl_c_ends_the_server_and_removes_the_folder() {
    let tmp = tempfile::tempdir().expect("a folder");
    for signal in ["INT", "TERM"] {
        let mut child = start(&[], tmp.path());
        let mut lines = BufReader::new(child.stdout.take().expect("piped")).lines();
        let address = loop {
            let line = lines.next().expect("one more line").expect("text");
            if let Some((_, rest)) = line.split_once("listens on http://") {
                break rest.split(' ').next().expect("a word").to_owned();
            }
        };
        assert!(TcpStream::connect(&address).is_ok(), "{address}");
        let kill = format!("kill -{signal} {}", child.id());
        let sent = Command::new("sh").args(["-c", &kill]).status();
        assert!(sent.expect("sh runs").success());
        assert_eq!(wait(&mut child).code(), Some(130), "{signal}");
        assert!(TcpStream::connect(&address).is_err(), "{address} answers");
        expect_empty(tmp.path());
    }
}

#[test]
fn a_demo_that_cannot_be_given_says_why() {
    let folder = tempfile::tempdir().expect("a folder");
    let nowhere = folder.path().join("nowhere").display().to_string();
    let ended = run(&["demo", "--fast"], &[("TMPDIR", &nowhere)], folder.path());
    assert_eq!(ended.status.code(), Some(1), "{ended:?}");
    assert!(ended.stderr.contains("No temporary folder"), "{ended:?}");
    assert!(!ended.stdout.contains("Everything held"), "{ended:?}");
}
