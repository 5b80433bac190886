//! `parlour send` and `parlour tail`: between pipes, in scripts, and in folders that someone else has filled.

use std::{
    fs,
    io::{BufRead as _, BufReader},
    net::TcpListener,
    path::Path,
    process::{Child, Command, Output, Stdio},
    sync::mpsc::{self, Receiver},
    thread,
};

use serde_json::{Value, json};

use crate::{
    support::{BINARY, Backend, PASSWORD, Server, TIMEOUT, User, eventually, fed, run},
    terminal::{contents, kept_logins},
};

on_both![what_is_sent_from_a_pipe_comes_out_of_another];

/// `parlour ARGS` as alice, with a home of its own.
pub fn client(server: &Server, home: &Path, args: &[&str]) -> Command {
    let mut command = Command::new(&*BINARY);
    command
        .env_clear()
        .env("HOME", home)
        .env("PARLOUR_SERVER", server.url())
        .env("PARLOUR_USERNAME", "alice")
        .env("PARLOUR_PASSWORD", PASSWORD)
        .current_dir(home)
        .args(args);
    command
}

fn send(server: &Server, home: &Path, args: &[&str], piped: &str) -> Output {
    fed(client(server, home, &["send"]).args(args), piped)
}

pub struct Tail {
    child: Child,
    lines: Receiver<String>,
}

impl Tail {
    pub fn start(server: &Server, home: &Path, args: &[&str]) -> Self {
        let mut child = client(server, home, &["tail"])
            .args(args)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            // Where it tells about the connection.
            .stderr(Stdio::null())
            .spawn()
            .expect("parlour starts");
        let stdout = child.stdout.take().expect("piped");
        let (tell, lines) = mpsc::channel();
        thread::spawn(move || {
            for line in BufReader::new(stdout).lines().map_while(Result::ok) {
                let _ = tell.send(line);
            }
        });
        Self { child, lines }
    }

    #[track_caller]
    pub fn line(&self) -> String {
        self.lines.recv_timeout(TIMEOUT).expect("a line")
    }
}

impl Drop for Tail {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn what_is_sent_from_a_pipe_comes_out_of_another(backend: Backend) {
    let mut server = Server::start(backend);
    let home = tempfile::tempdir().expect("a folder");
    let alice = User::register(&server, "alice");
    alice.post("from before", None).expect(201);
    let json = Tail::start(&server, home.path(), &["--json"]);
    let text = Tail::start(&server, home.path(), &[]);
    let read = |tail: &Tail| -> Value { serde_json::from_str(&tail.line()).expect("JSON") };
    assert_eq!(read(&json)["content"], "from before");
    assert!(text.line().ends_with(" alice: from before"));

    let sent = send(&server, home.path(), &["hello"], "");
    assert!(sent.status.success(), "{sent:?}");
    let message = read(&json);
    let fields = [&message["username"], &message["content"], &message["room"]];
    assert_eq!(fields, ["alice", "hello", "general"]);
    assert!(text.line().ends_with(" alice: hello"));

    let sent = send(&server, home.path(), &[], "\u{feff}two\n\u{1b}[31mlines\n");
    assert!(sent.status.success(), "{sent:?}");
    assert!(sent.stdout.is_empty() && sent.stderr.is_empty(), "{sent:?}");
    assert_eq!(read(&json)["content"], "two\n\u{1b}[31mlines");
    assert!(text.line().ends_with(" alice: two"));
    assert_eq!(text.line(), "    ␛[31mlines");

    server.restart();
    alice.post("after the crash", None).expect(201);
    assert_eq!(read(&json)["content"], "after the crash");
    assert!(text.line().ends_with(" alice: after the crash"));

    for (args, piped, words) in [
        (&["--room", "nowhere", "hi"][..], "", "no such room"),
        (&[], "  \n", "empty"),
    ] {
        let sent = send(&server, home.path(), args, piped);
        assert_eq!(sent.status.code(), Some(2), "{sent:?}");
        let said = String::from_utf8_lossy(&sent.stderr);
        assert!(said.contains(words) && said.trim().ends_with('.'), "{said}");
    }
    let stored = contents(&alice.history());
    assert_eq!(stored.len(), 4, "nothing twice: {stored:?}");
}

#[test]
fn a_login_that_was_ended_is_replaced_when_the_password_is_at_hand() {
    let server = Server::start(Backend::Sqlite);
    let home = tempfile::tempdir().expect("a folder");
    let alice = User::register(&server, "alice");
    assert!(send(&server, home.path(), &["first"], "").status.success());
    let kept = kept_logins(&home.path().join(".local"));
    let text = std::fs::read_to_string(&kept[0]).expect("reads");
    let tokens: Value = serde_json::from_str(&text).expect("JSON");
    let token = tokens["access_token"].as_str().expect("a token");
    let ended = server.http().with_token(token);
    ended.post("/api/auth/logout", &json!({})).expect(204);
    assert!(send(&server, home.path(), &["second"], "").status.success());
    assert_eq!(contents(&alice.history()), ["first", "second"]);

    // Without a password there is nothing to replace it with.
    let after = std::fs::read_to_string(&kept[0]).expect("reads");
    let tokens: Value = serde_json::from_str(&after).expect("JSON");
    let token = tokens["access_token"].as_str().expect("a token");
    let ended = server.http().with_token(token);
    ended.post("/api/auth/logout", &json!({})).expect(204);
    let refused = client(&server, home.path(), &["send", "third"])
        .env_remove("PARLOUR_PASSWORD")
        .output()
        .expect("it ends");
    let said = String::from_utf8_lossy(&refused.stderr);
    assert!(
        !refused.status.success() && said.contains("log in"),
        "{said}"
    );
}

#[test]
fn send_waits_for_a_server_that_is_restarting() {
    let mut server = Server::start(Backend::Sqlite);
    let home = tempfile::tempdir().expect("a folder");
    let alice = User::register(&server, "alice");
    assert!(send(&server, home.path(), &["first"], "").status.success());
    server.kill9();
    let mut sending = client(&server, home.path(), &["send", "second"])
        .stdin(Stdio::null())
        .spawn()
        .expect("parlour starts");
    server.start_again();
    assert!(sending.wait().expect("it ends").success());
    assert_eq!(contents(&alice.history()), ["first", "second"]);
}

#[test]
fn tail_gives_as_many_messages_as_asked_for_and_then_the_new_ones() {
    let server = Server::start(Backend::Sqlite);
    let home = tempfile::tempdir().expect("a folder");
    let alice = User::register(&server, "alice");
    for n in 1..=260 {
        alice.post(&format!("line {n}"), None).expect(201);
    }
    for (wanted, first) in [("250", 11), ("200", 61), ("5", 256), ("1000", 1)] {
        let tail = Tail::start(&server, home.path(), &["-n", wanted]);
        for n in first..=260 {
            let line = tail.line();
            assert!(
                line.ends_with(&format!(" alice: line {n}")),
                "{line} is not {n}"
            );
        }
    }
    let tail = Tail::start(&server, home.path(), &["-n", "150"]);
    assert!(tail.line().ends_with(" alice: line 111"));
    alice.post("news", None).expect(201);
    for _ in 112..=260 {
        tail.line();
    }
    assert!(tail.line().ends_with(" alice: news"));
}

#[test]
fn tail_ends_with_its_reader_also_while_nobody_speaks() {
    let server = Server::start(Backend::Sqlite);
    let home = tempfile::tempdir().expect("a folder");
    User::register(&server, "alice")
        .post("the only one", None)
        .expect(201);
    let mut tail = client(&server, home.path(), &["tail"])
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .spawn()
        .expect("parlour starts");
    let mut reader = BufReader::new(tail.stdout.take().expect("piped"));
    reader
        .read_line(&mut String::new())
        .expect("the line that was wanted");
    drop(reader);
    let ended = eventually("tail ends", || tail.try_wait().expect("a child"));
    assert_eq!(ended.code(), Some(0));
}

#[test]
fn what_tail_prints_as_json_hides_nothing_and_commands_no_terminal() {
    let server = Server::start(Backend::Sqlite);
    let home = tempfile::tempdir().expect("a folder");
    let alice = User::register(&server, "alice");
    let text =
        "\u{9b}2J\u{85}\u{202e}live\u{2066} \u{2028}\u{7f}\u{200b}\u{feff}\u{e0041} naïve 日本";
    alice.post(text, None).expect(201);
    let tail = Tail::start(&server, home.path(), &["--json"]);
    let line = tail.line();
    let message: Value = serde_json::from_str(&line).expect("JSON");
    assert_eq!(message["content"], text);
    let raw: Vec<char> = line
        .chars()
        .filter(|c| !c.is_ascii() && !"ï日本".contains(*c) || c.is_control())
        .collect();
    assert!(raw.is_empty(), "{raw:?} in {line:?}");
    assert!(
        line.contains("naïve 日本"),
        "letters stay as they are: {line}"
    );
}

/// Whoever filled a folder does not learn the password of who writes a message while in it.
#[test]
fn a_folders_env_file_cannot_redirect_a_password() {
    let server = Server::start(Backend::Sqlite);
    let alice = User::register(&server, "alice");
    let home = tempfile::tempdir().expect("a folder");
    let folder = tempfile::tempdir().expect("a folder");
    let stranger = TcpListener::bind("127.0.0.1:0").expect("a port");
    let evil = format!(
        "PARLOUR_SERVER=http://{}\nPARLOUR_USERNAME=mallory\n",
        stranger.local_addr().expect("an address")
    );
    fs::write(folder.path().join(".env"), evil).expect("writes");
    let own = home.path().join(".config/parlour");
    fs::create_dir_all(&own).expect("a folder");
    let mine = format!("PARLOUR_SERVER={}\nPARLOUR_USERNAME=alice\n", server.url());
    fs::write(own.join("client.env"), mine).expect("writes");
    stranger.set_nonblocking(true).expect("sets");
    for args in [&["send", "hello"][..], &["tail", "-n", "1"]] {
        let mut child = client(&server, home.path(), args)
            .env_remove("PARLOUR_SERVER")
            .env_remove("PARLOUR_USERNAME")
            .current_dir(folder.path())
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .spawn()
            .expect("parlour starts");
        if args[0] == "tail" {
            let mut line = String::new();
            let out = child.stdout.take().expect("piped");
            BufReader::new(out).read_line(&mut line).expect("a line");
            assert!(line.ends_with(" alice: hello\n"), "{line}");
            child.kill().expect("kills");
        }
        let ended = child.wait().expect("it ends");
        assert!(args[0] == "tail" || ended.success());
        assert!(
            stranger.accept().is_err(),
            "`{}` asked the stranger",
            args[0]
        );
    }
    assert_eq!(contents(&alice.history()), ["hello"]);
}

#[test]
fn a_server_that_is_not_there_is_not_a_question_of_the_login() {
    let server = Server::start(Backend::Sqlite);
    let home = tempfile::tempdir().expect("a folder");
    let closed = TcpListener::bind("127.0.0.1:0").expect("a port");
    let address = format!("http://{}", closed.local_addr().expect("an address"));
    drop(closed);
    for args in [&["send", "hello"][..], &["tail"]] {
        let ended = client(&server, home.path(), args)
            .env("PARLOUR_SERVER", &address)
            .env_remove("PARLOUR_PASSWORD")
            .output()
            .expect("it ends");
        let said = String::from_utf8_lossy(&ended.stderr);
        assert_eq!(ended.status.code(), Some(1), "{said}");
        assert!(
            said.contains("cannot be reached") && !said.contains("log in"),
            "{said}"
        );
    }
}

#[test]
fn a_login_that_is_kept_comes_before_a_password() {
    let server = Server::start(Backend::Sqlite);
    let home = tempfile::tempdir().expect("a folder");
    User::register(&server, "alice");
    assert!(send(&server, home.path(), &["first"], "").status.success());
    let sent = client(&server, home.path(), &["send", "second"])
        .env("PARLOUR_PASSWORD", "not the password")
        .env("PARLOUR_USERNAME", " alice ")
        .output()
        .expect("it ends");
    assert!(sent.status.success(), "{sent:?}");
    let help = run(&["send", "--help"], &[], home.path()).stdout;
    let help = help.split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(
        help.contains("used only when there is no saved login that still works"),
        "{help}"
    );
}

/// By the name that can be set, in words of this program.
#[test]
fn a_value_that_is_not_right_is_named_as_it_was_given() {
    let home = tempfile::tempdir().expect("a folder");
    for (args, env, words) in [
        (
            &["tail", "-n", "many"][..],
            None,
            "--lines <N> may not be `many`: give a whole number",
        ),
        (
            &["send", "--server", "chat.example.org", "x"],
            None,
            "PARLOUR_SERVER (or --server <URL>) may not be `chat.example.org`: give the address with http://",
        ),
        (
            &["tui"],
            Some("ftp://chat.example.org"),
            "PARLOUR_SERVER (or --server <URL>) may not be",
        ),
        (
            &["tail"],
            Some("http://alice:hunter2@chat.example.org:99999"),
            "PARLOUR_SERVER (or --server <URL>) may not be that",
        ),
    ] {
        let env: Vec<_> = env
            .map(|value| ("PARLOUR_SERVER", value))
            .into_iter()
            .collect();
        let ended = run(args, &env, home.path());
        assert_eq!(ended.status.code(), Some(2), "{args:?}");
        assert!(ended.stderr.contains(words), "{args:?}: {}", ended.stderr);
        assert!(!ended.stderr.contains("hunter2"), "{}", ended.stderr);
    }
}

#[test]
fn a_room_that_is_not_there_ends_send_and_tail_alike() {
    let server = Server::start(Backend::Sqlite);
    User::register(&server, "alice");
    let home = tempfile::tempdir().expect("a folder");
    for args in [
        &["send", "--room", "cellar", "hello"][..],
        &["tail", "--room", "cellar"],
    ] {
        let output = client(&server, home.path(), args).output().expect("runs");
        assert_eq!(output.status.code(), Some(2), "{args:?}: {output:?}");
    }
}

#[test]
fn what_keyboards_for_hebrew_type_is_no_escape_and_a_tower_of_accents_is_counted() {
    let server = Server::start(Backend::Sqlite);
    let alice = User::register(&server, "alice");
    let home = tempfile::tempdir().expect("a folder");
    let tower = format!("e{}", "\u{301}".repeat(204));
    for text in ["שלום\u{200f}!", "שלום\u{202e}!", &tower] {
        alice.post(text, None).expect(201);
    }
    let tail = Tail::start(&server, home.path(), &[]);
    let next = || tail.line();
    assert!(next().ends_with(": שלום\u{200f}!"));
    assert!(next().ends_with(": שלום\\u{202e}!"));
    let shown = next();
    assert!(
        shown.ends_with(": e\u{301}\u{301}\u{301}\u{301}[+200 combining marks]"),
        "{shown}"
    );
}
