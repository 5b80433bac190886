//! Others may look: whatever other programs do to the embedded database by SQLite's own means, at any moment, costs no
//! acknowledged message. For that, nothing of ours opens the file of a live database but SQLite: closing any descriptor
//! of it would drop the locks that tell others that it is in use.

use std::{
    fs,
    io::{BufRead as _, BufReader, Write as _},
    os::unix::fs::PermissionsExt as _,
    path::Path,
    process::{Child, Command, Stdio},
};

use crate::support::{BINARY, Backend, Server, User, eventually};

/// Whether a program runs. Where it does not, its test is skipped, but not in CI.
fn works(program: &str, args: &[&str]) -> bool {
    let works = Command::new(program)
        .args(args)
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status()
        .is_ok_and(|status| status.success());
    if !works {
        assert!(
            std::env::var_os("CI").is_none(),
            "{program} does not work here: run scripts/test"
        );
        println!("skipped: {program} is not installed, or may not do what it should");
    }
    works
}

pub fn has_sqlite3() -> bool {
    works("sqlite3", &["--version"])
}

/// Runs the real `sqlite3` on a database. It waits its turn, as a person would try again.
fn visit(database: &Path, statement: &str) -> String {
    let output = Command::new("sqlite3")
        .args(["-cmd", ".timeout 10000"])
        .arg(database)
        .arg(statement)
        .output()
        .expect("sqlite3 runs");
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{statement}: {said}");
    String::from_utf8_lossy(&output.stdout).into_owned()
}

/// A visitor in the midst of reading; it stays until it is dropped.
struct LongRead(Child);

impl LongRead {
    fn begin(database: &Path) -> Self {
        let mut child = Command::new("sqlite3")
            .arg(database)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("sqlite3 runs");
        let reader = child.stdin.as_mut().expect("piped");
        writeln!(reader, "BEGIN; SELECT 'reads', count(*) FROM messages;").expect("asks");
        let mut line = String::new();
        BufReader::new(child.stdout.take().expect("piped"))
            .read_line(&mut line)
            .expect("an answer");
        assert!(line.starts_with("reads"), "{line}");
        Self(child)
    }
}

impl Drop for LongRead {
    fn drop(&mut self) {
        drop(self.0.stdin.take());
        let _ = self.0.wait();
    }
}

/// Files that the process has open though they are gone: whatever is written to them is lost when it ends.
fn deleted_files(pid: u32) -> Vec<String> {
    fs::read_dir(format!("/proc/{pid}/fd"))
        .expect("its files")
        .filter_map(|entry| fs::read_link(entry.ok()?.path()).ok())
        .map(|link| link.display().to_string())
        .filter(|link| link.ends_with(" (deleted)") && link.contains("parlour.db"))
        .collect()
}

pub fn contents(user: &User) -> Vec<String> {
    user.history()
        .iter()
        .map(|message| message["content"].as_str().unwrap_or_default().to_owned())
        .collect()
}

/// What a visitor does, around it six messages, then `kill -9`: all of them are there.
fn nothing_is_lost_around(visit: impl FnOnce(&Server) -> Option<LongRead>) {
    if !has_sqlite3() {
        return;
    }
    let mut server = Server::start(Backend::Sqlite);
    let alice = User::register(&server, "alice");
    let mut acked = Vec::new();
    let mut post = |count: usize| {
        for _ in 0..count {
            let content = format!("message {}", acked.len() + 1);
            alice.post(&content, None).expect(201);
            acked.push(content);
        }
    };
    post(3);
    let stays = visit(&server);
    assert_eq!(deleted_files(server.pid()), Vec::<String>::new());
    post(3);
    drop(stays);
    assert_eq!(deleted_files(server.pid()), Vec::<String>::new());
    server.kill9();
    server.start_again();
    assert_eq!(contents(&alice), acked);
    assert_eq!(
        server
            .database
            .query("SELECT integrity_check AS value FROM pragma_integrity_check"),
        [Some("ok".to_owned())]
    );
}

fn nothing_is_lost_around_statement(statement: &str) {
    nothing_is_lost_around(|server| {
        visit(server.database.file(), statement);
        None
    });
}

#[test]
fn a_backup_by_another_program_costs_nothing() {
    nothing_is_lost_around(|server| {
        let copy = server.folder().join("copy.db");
        visit(
            server.database.file(),
            &format!(".backup '{}'", copy.display()),
        );
        assert_eq!(visit(&copy, "SELECT count(*) FROM messages").trim(), "3");
        None
    });
}

#[test]
fn a_look_by_another_program_costs_nothing() {
    nothing_is_lost_around_statement("SELECT count(*) FROM messages");
    nothing_is_lost_around_statement(".schema");
    nothing_is_lost_around_statement(".dump");
}

#[test]
fn a_write_by_another_program_costs_nothing() {
    nothing_is_lost_around_statement("UPDATE users SET username = username");
    nothing_is_lost_around_statement("VACUUM");
    nothing_is_lost_around_statement("PRAGMA wal_checkpoint(TRUNCATE)");
    nothing_is_lost_around_statement("ANALYZE; REINDEX; PRAGMA optimize");
}

#[test]
fn a_long_read_by_another_program_costs_nothing() {
    nothing_is_lost_around(|server| Some(LongRead::begin(server.database.file())));
}

/// As someone would do who looks at the server with all that is at hand, the server's own doctor among it.
#[test]
fn many_visits_in_a_row_cost_nothing() {
    if !has_sqlite3() {
        return;
    }
    let mut server = Server::start(Backend::Sqlite);
    let alice = User::register(&server, "alice");
    let mut acked = Vec::new();
    for round in 0..3 {
        for statement in [
            "SELECT count(*) FROM messages",
            "UPDATE rooms SET key = key",
        ] {
            let reads = LongRead::begin(server.database.file());
            visit(server.database.file(), statement);
            let content = format!("{round} after {statement}");
            alice.post(&content, None).expect(201);
            acked.push(content);
            drop(reads);
            assert!(run_doctor(&server, &[]).success());
            assert_eq!(deleted_files(server.pid()), Vec::<String>::new());
        }
        server.restart();
        assert_eq!(contents(&alice), acked);
    }
}

/// The doctor, with the settings of this server, under another program if one is given.
fn run_doctor(server: &Server, wrapper: &[&str]) -> std::process::ExitStatus {
    let command = [wrapper, &[BINARY.as_str(), "doctor"]].concat();
    Command::new(command[0])
        .args(&command[1..])
        .env("DATA_DIR", server.data_dir())
        .env("DATABASE_URL", &server.database.url)
        .env("PORT", server.addr.port().to_string())
        .current_dir(server.folder())
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .status()
        .expect("runs")
}

const OPENS: &str = "trace=open,openat,openat2,creat";

/// The calls that open the database, its log or the log's index: by SQLite, and by anyone else. SQLite, and of all that
/// is in this program SQLite alone, says `O_NOFOLLOW`.
fn opens(trace: &str) -> (Vec<&str>, Vec<&str>) {
    trace
        .lines()
        .filter(|line| {
            ["", "-wal", "-shm", "-journal"]
                .iter()
                .any(|end| line.contains(&format!("parlour.db{end}\"")))
        })
        .partition(|line| line.contains("O_NOFOLLOW"))
}

#[track_caller]
fn expect_only_sqlite(trace: &Path, at_least: usize) {
    let text = fs::read_to_string(trace).expect("a trace");
    let (by_sqlite, by_others) = opens(&text);
    assert_eq!(by_others, Vec::<&str>::new());
    assert!(
        by_sqlite.len() >= at_least,
        "the trace shows too little: {by_sqlite:#?}"
    );
}

#[test]
fn only_sqlite_opens_the_files_of_a_live_database() {
    if !works("strace", &["-f", "-o", "/dev/null", "true"]) {
        return;
    }
    let mut server = Server::start(Backend::Sqlite);
    let alice = User::register(&server, "alice");
    // A restart after a crash, and one after a good end.
    for signal in ["KILL", "TERM"] {
        server.signal(signal);
        server.wait();
        let trace = server.folder().join(format!("trace-{signal}"));
        let name = trace.display().to_string();
        server.set_wrapper(&["strace", "-D", "-f", "-e", OPENS, "-o", &name]);
        server.start_again();
        alice.post(signal, None).expect(201);
        assert_eq!(server.http().get("/ready").status, 200);
        // Beside the server: its own locks are not the doctor's to lose, but the rule holds for every command.
        let beside = server.folder().join("trace-doctor");
        let beside_name = beside.display().to_string();
        let ended = run_doctor(&server, &["strace", "-f", "-e", OPENS, "-o", &beside_name]);
        assert!(ended.success());
        expect_only_sqlite(&beside, 1);
        let pid = server.pid();
        server.signal("TERM");
        server.wait();
        eventually("strace has written everything", || {
            let text = fs::read_to_string(&trace).ok()?;
            let ended = format!("{pid} ");
            text.lines()
                .any(|line| line.starts_with(&ended) && line.contains("+++ exited"))
                .then_some(())
        });
        expect_only_sqlite(&trace, 3);
        server.set_wrapper(&[]);
        server.start_again();
    }
}

#[test]
fn the_demo_opens_its_live_database_through_sqlite_alone() {
    if !works("strace", &["-f", "-o", "/dev/null", "true"]) {
        return;
    }
    let folder = tempfile::tempdir().expect("a folder");
    let trace = folder.path().join("trace");
    let output = Command::new("strace")
        .args(["-f", "-e", OPENS, "-o"])
        .arg(&trace)
        .args([BINARY.as_str(), "demo", "--fast"])
        .env("TMPDIR", folder.path())
        .current_dir(folder.path())
        .stdin(Stdio::null())
        .output()
        .expect("runs");
    assert!(output.status.success(), "{output:?}");
    expect_only_sqlite(&trace, 12);
}

/// They hold what people say, so they are their owner's alone, whatever the mask.
#[test]
fn the_files_of_the_database_are_private() {
    let mut server = Server::with(Backend::Sqlite).start();
    let alice = User::register(&server, "alice");
    server.kill9();
    for end in ["", "-wal", "-shm"] {
        fs::remove_file(format!("{}{end}", server.database.file().display())).expect("removes");
    }
    server.set_wrapper(&["sh", "-c", "umask 0; exec \"$@\"", "sh"]);
    server.start_again();
    User::register(&server, &format!("{}2", alice.name));
    for end in ["", "-wal", "-shm", ".lock"] {
        let path = format!("{}{end}", server.database.file().display());
        let mode = fs::metadata(&path).expect("is there").permissions().mode();
        assert_eq!(mode & 0o777, 0o600, "{path}");
    }
}

/// A copy of the file is then a copy of everything.
#[test]
fn a_server_that_has_ended_leaves_one_file() {
    let mut server = Server::with(Backend::Sqlite).start();
    User::register(&server, "alice")
        .post("in the one file", None)
        .expect(201);
    assert!(server.terminate().0.success());
    assert!(!server.database.file().with_extension("db-wal").exists());
}
