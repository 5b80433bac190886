//! A log that no one reads costs the log: whoever serves, or ends, never waits for whoever should read standard error or
//! standard output.

use std::{
    fs::{self, File},
    io::{self, BufRead as _, BufReader, PipeReader, Read as _, Write as _},
    net::{SocketAddr, TcpListener},
    path::Path,
    process::{Child, Command, ExitStatus, Stdio},
    time::{Duration, Instant},
};

use parlour_lab::rig::server::Launch;
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::support::{BINARY, Http, PASSWORD, eventually};

/// A server whose outputs go where the test wants them to.
struct Served {
    child: Child,
    addr: SocketAddr,
    _folder: TempDir,
}

impl Served {
    fn start(look: &str, stdout: impl Into<Stdio>, stderr: impl Into<Stdio>) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        // Its first line may go nowhere, so the port must be known before.
        let addr = TcpListener::bind("127.0.0.1:0")
            .and_then(|listener| listener.local_addr())
            .expect("a port");
        let child = Launch::new(BINARY.as_str(), folder.path())
            .envs([
                ("RATE_LIMITS", "off"),
                ("LOG_FORMAT", look),
                ("RUST_LOG", "info"),
            ])
            .command(addr.port())
            .stdin(Stdio::null())
            .stdout(stdout)
            .stderr(stderr)
            .spawn()
            .expect("starts");
        let served = Self {
            child,
            addr,
            _folder: folder,
        };
        eventually("it serves", || {
            let answer = Http::new(addr).try_request("GET", "/health", &[], &[]);
            answer
                .is_ok_and(|answer| answer.status == 200)
                .then_some(())
        });
        served
    }

    fn register(&self) -> Http {
        let http = Http::new(self.addr);
        let who = json!({"username": "alice", "password": PASSWORD});
        http.post("/api/auth/register", &who).expect(201);
        let tokens = http.post("/api/auth/login", &who).expect(200).json();
        http.with_token(tokens["access_token"].as_str().expect("a token"))
    }

    fn end(mut self) -> (ExitStatus, Duration) {
        let began = Instant::now();
        let sent = Command::new("kill")
            .arg(self.child.id().to_string())
            .status();
        assert!(sent.is_ok_and(|status| status.success()));
        let status = eventually("it ends", || self.child.try_wait().expect("waits"));
        (status, began.elapsed())
    }
}

impl Drop for Served {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// What others ask, each of which is a long line in the log.
fn ask_often(http: &Http, count: usize) {
    let path = format!("/nothing/{}", "x".repeat(1_000));
    for _ in 0..count {
        http.get(&path).expect(404);
    }
}

fn post(http: &Http, content: &str) {
    http.post("/api/rooms/general/messages", &json!({"content": content}))
        .expect(201);
}

fn a_reader_who_sleeps_holds_nothing_up(look: &str) {
    let (reader, stderr) = io::pipe().expect("a pipe");
    let served = Served::start(look, Stdio::null(), stderr);
    let alice = served.register();
    ask_often(&alice, 2_000);
    post(&alice, "still here");
    let (status, took) = served.end();
    assert_eq!(status.code(), Some(0));
    assert!(took < Duration::from_secs(15), "{took:?}");
    drop(reader);
}

#[test]
fn a_server_whose_log_no_one_reads_goes_on() {
    a_reader_who_sleeps_holds_nothing_up("text");
}

#[test]
fn a_server_whose_json_log_no_one_reads_goes_on() {
    a_reader_who_sleeps_holds_nothing_up("json");
}

fn lines(reader: PipeReader) -> impl Iterator<Item = String> {
    BufReader::new(reader).lines().map_while(Result::ok)
}

#[test]
fn what_was_dropped_is_counted_and_said_when_someone_reads_again() {
    let (reader, stderr) = io::pipe().expect("a pipe");
    let served = Served::start("json", Stdio::null(), stderr);
    let alice = served.register();
    // More than the pipe and the queue hold.
    let asked = 3_000;
    ask_often(&alice, asked);
    let read = std::thread::spawn(move || lines(reader).collect::<Vec<String>>());
    // The sentence stands where the lines are missing: those that come after it do.
    let (status, _) = served.end();
    assert_eq!(status.code(), Some(0));
    let lines: Vec<Value> = read
        .join()
        .expect("it reads")
        .iter()
        .map(|line| serde_json::from_str(line).unwrap_or_else(|_| panic!("no JSON: {line}")))
        .collect();
    let says = |words: &str| {
        lines.iter().position(|line| {
            line["message"]
                .as_str()
                .is_some_and(|said| said.contains(words))
        })
    };
    let (missing, bye) = (says("log lines are missing here"), says("bye"));
    assert!(
        missing.is_some() && bye.is_some() && missing < bye,
        "{missing:?} {bye:?}"
    );
    let sentence = lines[missing.expect("is said")]["message"]
        .as_str()
        .expect("text");
    let dropped: usize = sentence
        .split_whitespace()
        .find_map(|word| word.parse().ok())
        .expect("a count");
    let written = lines.iter().filter(|line| line["status"] == 404).count();
    assert!(
        dropped > 0 && written + dropped >= asked,
        "{written} + {dropped}"
    );
}

#[test]
fn a_log_that_was_closed_costs_the_log() {
    let (reader, stderr) = io::pipe().expect("a pipe");
    let served = Served::start("text", Stdio::null(), stderr);
    drop(reader);
    let alice = served.register();
    ask_often(&alice, 20);
    post(&alice, "still here");
    assert_eq!(served.end().0.code(), Some(0));
}

#[test]
fn a_log_on_a_full_disk_costs_the_log() {
    let full = File::options()
        .write(true)
        .open("/dev/full")
        .expect("opens");
    let served = Served::start("text", Stdio::null(), full);
    let alice = served.register();
    ask_often(&alice, 20);
    post(&alice, "still here");
    assert_eq!(served.end().0.code(), Some(0));
}

/// All that was logged before the end is written before the end.
#[test]
fn the_last_lines_of_a_log_are_written() {
    let folder = tempfile::tempdir().expect("a folder");
    for round in 0..3 {
        let path = folder.path().join("log");
        let log = File::create(&path).expect("a file");
        let served = Served::start("text", Stdio::null(), log);
        let alice = served.register();
        ask_often(&alice, 300);
        assert_eq!(served.end().0.code(), Some(0));
        let said = fs::read_to_string(&path).expect("a log");
        assert!(
            said.trim_end().ends_with("bye"),
            "round {round}: {said:.300}"
        );
        assert_eq!(
            said.matches(" 404 method=GET").count(),
            300,
            "round {round}"
        );
        assert!(!said.contains("are missing here"), "round {round}");
    }
}

/// A pipe that holds nothing more.
fn full_pipe() -> (PipeReader, std::io::PipeWriter) {
    let (reader, mut writer) = io::pipe().expect("a pipe");
    // A pipe holds 64 KiB on Linux, and what is written at once fits or waits.
    writer.write_all(&vec![b'x'; 64 * 1024]).expect("fits");
    (reader, writer)
}

#[test]
fn a_first_line_that_no_one_takes_holds_nothing_up() {
    let (reader, stdout) = full_pipe();
    let served = Served::start("text", stdout, Stdio::null());
    post(&served.register(), "still here");
    assert_eq!(served.end().0.code(), Some(0));
    drop(reader);

    let (reader, stdout) = io::pipe().expect("a pipe");
    drop(reader);
    let served = Served::start("text", stdout, Stdio::null());
    post(&served.register(), "still here");
    assert_eq!(served.end().0.code(), Some(0));

    let full = File::options()
        .write(true)
        .open("/dev/full")
        .expect("opens");
    let served = Served::start("text", full, Stdio::null());
    post(&served.register(), "still here");
    assert_eq!(served.end().0.code(), Some(0));
}

/// A start that goes wrong says so, and ends even when no one takes what it says.
#[test]
fn a_failed_start_ends_though_no_one_reads_why() {
    let (mut reader, stderr) = full_pipe();
    let folder = tempfile::tempdir().expect("a folder");
    let mut child = fails_to_start(folder.path(), stderr);
    let status = eventually("it ends", || child.try_wait().expect("waits"));
    assert_eq!(status.code(), Some(2));
    let mut said = Vec::new();
    reader.read_to_end(&mut said).expect("reads");
    assert!(said.len() >= 64 * 1024);

    let (mut reader, stderr) = io::pipe().expect("a pipe");
    let mut child = fails_to_start(folder.path(), stderr);
    let mut said = String::new();
    reader.read_to_string(&mut said).expect("reads");
    assert!(said.contains("names no file"), "{said}");
    assert_eq!(child.wait().expect("ends").code(), Some(2));
}

fn fails_to_start(folder: &Path, stderr: impl Into<Stdio>) -> Child {
    Launch::new(BINARY.as_str(), folder)
        .env("DATABASE_URL", "sqlite://:memory:")
        .command(0)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(stderr)
        .spawn()
        .expect("starts")
}
