//! `parlour users`: whoever runs the server adds people and sees to their accounts, beside a server that runs or is stopped.

use std::{
    io::{Read as _, Write as _},
    path::Path,
    process::{Command, Stdio},
    thread,
    time::{Duration, Instant},
};

use serde_json::{Value, json};

use crate::support::{
    BINARY, Backend, Closed, Finished, PASSWORD, Response, Server, Socket, User, eventually, fed,
    run,
};

on_both![
    whoever_is_added_can_log_in,
    what_is_ended_is_ended_at_once,
    accounts_are_seen_to_while_the_server_is_stopped,
    a_login_that_races_with_being_disabled_loses,
    all_that_is_stored_about_a_person_can_be_shown,
];

const NEW: &str = "staple battery horse";

/// Runs `parlour users ARGS` beside a server, with this on standard input.
pub fn users(server: &Server, args: &[&str], input: &str) -> Finished {
    let mut command = Command::new(&*BINARY);
    command
        .arg("users")
        .args(args)
        .env_clear()
        .current_dir(server.folder())
        .env("DATA_DIR", server.data_dir())
        .env("DATABASE_URL", &server.database.url)
        .env("BCRYPT_COST", "4");
    let output = fed(&mut command, input);
    let text = |bytes| String::from_utf8(bytes).expect("text");
    Finished {
        status: output.status,
        stdout: text(output.stdout),
        stderr: text(output.stderr),
    }
}

#[track_caller]
pub fn done(finished: Finished) -> String {
    assert!(finished.status.success(), "{finished:?}");
    finished.stdout
}

#[track_caller]
pub fn refused(finished: &Finished, code: i32, words: &str) {
    assert_eq!(finished.status.code(), Some(code), "{finished:?}");
    assert!(finished.stderr.contains(words), "{finished:?}");
    assert_eq!(finished.stderr.trim().lines().count(), 1, "{finished:?}");
}

pub fn listed(server: &Server) -> Vec<Value> {
    let json = done(users(server, &["list", "--json"], ""));
    let list: Value = serde_json::from_str(&json).expect("JSON");
    list.as_array().expect("an array").clone()
}

pub fn log_in(server: &Server, name: &str, password: &str) -> Response {
    let body = json!({"username": name, "password": password});
    server.http().post("/api/auth/login", &body)
}

fn whoever_is_added_can_log_in(backend: Backend) {
    let server = Server::with(backend).env("REGISTRATION", "closed").start();
    let said = done(users(&server, &["add", "alice"], &format!("{PASSWORD}\n")));
    assert!(said.contains("alice was added"), "{said}");
    log_in(&server, "alice", PASSWORD).expect(200);
    // As PowerShell and some editors write a text.
    let marked = |password: &str| format!("\u{feff}{password}\r\n");
    let said = done(users(&server, &["add", "Bob", "--generate"], ""));
    let made_up = said.lines().next().expect("a password");
    assert!(made_up.len() >= 20, "{said}");
    log_in(&server, "bob", made_up).expect(200);

    done(users(&server, &["set-password", "bob"], &marked(NEW)));
    log_in(&server, "bob", NEW).expect(200);

    refused(&users(&server, &["add", "ALICE"], PASSWORD), 1, "taken");
    refused(&users(&server, &["add", "admin"], PASSWORD), 2, "reserved");
    refused(
        &users(&server, &["add", "carol"], "short\n"),
        2,
        "8 characters",
    );
    refused(&users(&server, &["add", "carol"], ""), 2, "--generate");
    refused(
        &users(&server, &["add", "carol"], "nul\0 in a password\n"),
        2,
        "NUL",
    );
    for command in ["set-password", "disable", "enable", "sessions", "sign-out"] {
        refused(
            &users(&server, &[command, "nobody1"], PASSWORD),
            1,
            "no user nobody1",
        );
    }
    refused(
        &users(&server, &["delete", "--yes", "x\u{1b}[2J"], ""),
        1,
        "no user",
    );
    refused(&users(&server, &["enable", "alice"], ""), 1, "not disabled");

    let list = listed(&server);
    let names: Vec<&Value> = list.iter().map(|user| &user["username"]).collect();
    assert_eq!(names, ["alice", "Bob"]);
    assert_eq!(
        (&list[0]["state"], &list[0]["sessions"]),
        (&json!("active"), &json!(1))
    );
    let table = done(users(&server, &["list"], ""));
    assert!(
        table.starts_with("USERNAME") && table.lines().count() == 3,
        "{table}"
    );
    server.await_log("the account alice was added, by its operator");
    assert!(!server.log().contains(PASSWORD) && !server.log().contains(made_up));
}

/// Everything that belongs to a login.
struct LoggedIn {
    user: User,
    socket: Socket,
    ticket: String,
}

impl LoggedIn {
    fn new(user: User) -> Self {
        let ticket = user.http().post("/api/auth/ws-ticket", &json!({})).json();
        let ticket = ticket["ticket"].as_str().expect("a ticket").to_owned();
        let socket = user.connect();
        Self {
            user,
            socket,
            ticket,
        }
    }

    #[track_caller]
    fn expect_dead(mut self, server: &Server) {
        let since = Instant::now();
        let end = self.socket.expect_end();
        assert!(matches!(end, Closed::Code(4403, _)), "{end:?}");
        // A second is promised; this is a loaded machine.
        assert!(
            since.elapsed() < Duration::from_secs(5),
            "{:?}",
            since.elapsed()
        );
        self.user.http().get("/api/chat/messages").expect(401);
        self.user.post("too late", None).expect(401);
        let refresh = json!({"refresh_token": self.user.refresh_token});
        let refreshed = server.http().post("/api/auth/refresh", &refresh);
        refreshed.expect_problem(401, "invalid_refresh_token");
        let query = format!("?ticket={}", self.ticket);
        assert_eq!(Socket::open(server.addr, &query, &[]).err(), Some(401));
    }
}

fn what_is_ended_is_ended_at_once(backend: Backend) {
    let server = Server::start(backend);
    let mut bystander = User::register(&server, "bystander").connect();
    let mut alice = User::register(&server, "alice");

    let open = LoggedIn::new(alice.clone());
    done(users(&server, &["sign-out", "Alice"], ""));
    open.expect_dead(&server);

    alice.log_in();
    let open = LoggedIn::new(alice.clone());
    let input = format!("{NEW}\r\n");
    done(users(&server, &["set-password", "alice"], &input));
    open.expect_dead(&server);
    log_in(&server, "alice", PASSWORD).expect_problem(401, "wrong_credentials");
    log_in(&server, "alice", NEW).expect(200);
    done(users(&server, &["set-password", "alice"], PASSWORD));

    alice.log_in();
    let open = LoggedIn::new(alice.clone());
    done(users(&server, &["disable", "alice"], ""));
    open.expect_dead(&server);
    // Only who has the password learns why.
    log_in(&server, "alice", "not her password").expect_problem(401, "wrong_credentials");
    log_in(&server, "alice", PASSWORD).expect_problem(403, "account_disabled");
    refused(
        &users(&server, &["disable", "alice"], ""),
        1,
        "disabled already",
    );
    assert_eq!(listed(&server)[0]["state"], "disabled");
    done(users(&server, &["enable", "alice"], ""));

    alice.log_in();
    let kept = LoggedIn::new(alice.clone());
    alice.log_in();
    let open = LoggedIn::new(alice.clone());
    let sessions = done(users(&server, &["sessions", "alice", "--json"], ""));
    let sessions: Value = serde_json::from_str(&sessions).expect("JSON");
    assert_eq!(sessions.as_array().map(Vec::len), Some(2), "{sessions}");
    let newest = open.socket.connected["session"].to_string();
    assert_eq!(
        sessions[0]["id"].to_string(),
        newest,
        "the newest is the first"
    );
    done(users(
        &server,
        &["sign-out", "alice", "--session", &newest],
        "",
    ));
    open.expect_dead(&server);
    let again = users(&server, &["sign-out", "alice", "--session", &newest], "");
    refused(&again, 1, "no login");
    let mut kept = kept;
    kept.socket.say("goes on");

    refused(&users(&server, &["delete", "alice"], ""), 2, "--yes");
    done(users(&server, &["delete", "alice", "--yes"], ""));
    kept.expect_dead(&server);
    log_in(&server, "alice", PASSWORD).expect_problem(401, "wrong_credentials");
    bystander.say("is not concerned");
}

fn accounts_are_seen_to_while_the_server_is_stopped(backend: Backend) {
    let mut server = Server::start(backend);
    let alice = User::register(&server, "alice");
    server.terminate();
    done(users(&server, &["add", "bob"], PASSWORD));
    done(users(&server, &["sign-out", "alice"], ""));
    server.start_again();
    alice.http().get("/api/chat/messages").expect(401);
    log_in(&server, "alice", PASSWORD).expect(200);
    log_in(&server, "bob", PASSWORD).expect(200);
}

/// A login is checked for a long time before it is stored: what happens in between counts.
fn a_login_that_races_with_being_disabled_loses(backend: Backend) {
    let server = Server::with(backend).env("BCRYPT_COST", 7).start();
    User::register(&server, "alice");
    for _ in 0..4 {
        thread::scope(|scope| {
            for _ in 0..8 {
                let server = &server;
                scope.spawn(move || {
                    let answer = log_in(server, "alice", PASSWORD);
                    assert!(
                        matches!(answer.status, 200 | 401 | 403),
                        "{}",
                        answer.text()
                    );
                });
            }
            done(users(&server, &["disable", "alice"], ""));
        });
        let left = server
            .database
            .query("SELECT CAST(count(*) AS TEXT) AS value FROM sessions");
        assert_eq!(left, [Some("0".to_owned())], "somebody is still logged in");
        done(users(&server, &["enable", "alice"], ""));
    }
    log_in(&server, "alice", PASSWORD).expect(200);
}

#[test]
fn without_a_database_it_says_what_to_do_and_makes_none() {
    let folder = tempfile::tempdir().expect("a folder");
    let data = folder.path().join("data");
    let dir = data.to_string_lossy().into_owned();
    let list = |env: &[(&str, &str)]| run(&["users", "list"], env, folder.path());
    refused(&list(&[("DATA_DIR", &dir)]), 3, "no database");
    assert!(!data.exists(), "it was made");
    let nowhere = "postgres://nobody:secret-word@127.0.0.1:1/none";
    let finished = list(&[("DATA_DIR", &dir), ("DATABASE_URL", nowhere)]);
    refused(&finished, 3, "cannot be reached");
    assert!(!finished.stderr.contains("secret-word"));
    // One that has no tables.
    let empty = folder.path().join("empty.db");
    std::fs::write(&empty, "").expect("writes");
    let url = format!("sqlite://{}", empty.display());
    refused(&list(&[("DATABASE_URL", &url)]), 3, "parlour migrate");
}

/// Types into a terminal, each line when the one before was asked for, and returns all that was shown.
fn in_a_terminal(folder: &Path, url: &str, command: &str, lines: &[(&str, &str)]) -> String {
    let mut child = Command::new("script")
        .args(["-qec", command, "/dev/null"])
        .env("DATABASE_URL", url)
        .env("BCRYPT_COST", "4")
        .current_dir(folder)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("script is installed");
    let (mut typed, mut shown) = (
        child.stdin.take().expect("piped"),
        child.stdout.take().expect("piped"),
    );
    let mut all = String::new();
    let mut chunk = [0; 4_096];
    for (question, answer) in lines {
        while !all.contains(question) {
            let count = shown.read(&mut chunk).expect("reads");
            assert!(count > 0, "it ended before it asked {question}: {all}");
            all.push_str(&String::from_utf8_lossy(&chunk[..count]));
        }
        typed.write_all(answer.as_bytes()).expect("types");
    }
    shown.read_to_string(&mut all).expect("reads");
    child.wait().expect("ends");
    all
}

#[test]
fn a_password_is_typed_without_an_echo() {
    let server = Server::start(Backend::Sqlite);
    let add = format!("'{}' users add alice", *BINARY);
    let asked = [("New password for alice", PASSWORD), ("Once more", NEW)]
        .map(|(question, answer)| (question, format!("{answer}\r")));
    let asked = asked
        .each_ref()
        .map(|(question, answer)| (*question, answer.as_str()));
    let url = &server.database.url;
    let shown = in_a_terminal(server.folder(), url, &add, &asked);
    assert!(shown.contains("differ"), "{shown}");
    let line = format!("{PASSWORD}\r");
    let asked = [
        ("New password for alice", line.as_str()),
        ("Once more", line.as_str()),
    ];
    let shown = in_a_terminal(server.folder(), url, &add, &asked);
    assert!(shown.contains("alice was added"), "{shown}");
    assert!(!shown.contains(PASSWORD), "{shown}");
    log_in(&server, "alice", PASSWORD).expect(200);
    // And a deletion is asked for.
    let delete = format!("'{}' users delete alice", *BINARY);
    let shown = in_a_terminal(server.folder(), url, &delete, &[("Type the name", "bob\r")]);
    assert!(shown.contains("was not deleted"), "{shown}");
    let shown = in_a_terminal(
        server.folder(),
        url,
        &delete,
        &[("Type the name", "Alice\r")],
    );
    assert!(shown.contains("alice is deleted"), "{shown}");
    eventually("the server has noticed", || {
        (log_in(&server, "alice", PASSWORD).status == 401).then_some(())
    });
}

/// Something of everything that one can leave in rooms.
fn leave_traces(alice: &User, bob: &User) {
    let put = |user: &User, method: &str, room: &str, path: &str, body: Value| {
        let answer = user.in_room(method, room, path, &body);
        assert!((200..300).contains(&answer.status), "{path}: {answer:?}");
    };
    put(
        alice,
        "PATCH",
        "general",
        "/messages/1",
        json!({"content": "another text"}),
    );
    for id in [1, 2] {
        let path = format!("/messages/{id}/reactions/%F0%9F%91%8D");
        put(alice, "PUT", "general", &path, Value::Null);
    }
    put(alice, "PUT", "general", "/messages/3/pin", Value::Null);
    let answer = json!({"content": "an answer", "thread": 211});
    put(alice, "POST", "general", "/messages", answer);
    let begun = json!({"content": "begun"});
    put(alice, "PUT", "general", "/draft?thread=2", begun);
    let saved = alice.ask("PUT", "/api/saved/general/4", &[], &Value::Null);
    saved.expect(204);
    alice.make_room("park", "public", &[bob]);
    let lake = bob.make_room("lake", "public", &[alice]);
    put(
        bob,
        "PUT",
        &lake,
        "/members/Alice",
        json!({"role": "moderator"}),
    );
    let den = bob.make_room("den", "public", &[alice]);
    let muted = json!({"muted_until": "2036-01-01T00:00:00+00:00"});
    put(bob, "PUT", &den, "/members/Alice", muted);
    put(bob, "DELETE", &den, "/members/Alice", Value::Null);
}

/// What is nobody else's business is told, too.
fn expect_own<'a>(of: &impl Fn(&str) -> Vec<&'a Value>) {
    let thread = of("thread")[0];
    assert_eq!(
        (&thread["thread"], &thread["replies"], &thread["follows"]),
        (&json!(211), &json!(1), &json!(true))
    );
    assert_eq!(of("mentions")[0]["count"], 1);
    let draft = of("draft")[0];
    assert_eq!(
        (&draft["room"], &draft["thread"], &draft["content"]),
        (&json!("general"), &json!(2), &json!("begun"))
    );
    let scheduled = of("scheduled")[0];
    assert_eq!(
        (&scheduled["what"], &scheduled["send_at"]),
        (
            &json!("reminder"),
            &json!("2036-01-01T00:00:00.000000+00:00")
        )
    );
    assert_eq!(scheduled["content"], json!({"unreadable": true}));
    assert_eq!(of("saved")[0]["id"], 4);
}

fn all_that_is_stored_about_a_person_can_be_shown(backend: Backend) {
    let server = Server::start(backend);
    let bob = User::register(&server, "bob");
    let body = json!({"username": "Alice", "password": PASSWORD, "email": "alice@example.org"});
    let made = server.http().post("/api/auth/register", &body).expect(201);
    let mut alice = User {
        name: "Alice".into(),
        id: made.json()["id"].as_u64().expect("an id"),
        ..bob.clone()
    };
    alice.log_in();
    // More than is read at once, and something that must not speak to a terminal.
    let texts: Vec<String> = (0..210).map(|n| format!("\u{1b}[31m{n}\u{9b}")).collect();
    for text in &texts {
        alice.post(text, None).expect(201);
    }
    bob.post("bob's own", None).expect(201);
    leave_traces(&alice, &bob);
    server.database.execute(&format!(
        "INSERT INTO mentions (room_id, user_id, message_id) VALUES (1, {0}, 211); \
         INSERT INTO scheduled (id, user_id, room_id, kind, content, client_id, send_at, created_at) \
         VALUES (7, {0}, 1, 'reminder', 'sealed', 'one', '2036-01-01 00:00:00', '2026-01-01 00:00:00')",
        alice.id
    ));
    let said = done(users(&server, &["show", "alice", "--json"], ""));
    let lines: Vec<Value> = said
        .lines()
        .map(|line| serde_json::from_str(line).expect("an object"))
        .collect();
    let of =
        |kind: &str| -> Vec<&Value> { lines.iter().filter(|line| line["kind"] == kind).collect() };
    let account = of("account")[0];
    assert_eq!(account["username"], "Alice");
    assert_eq!(account["id"], alice.id);
    assert_eq!(account["email"], "alice@example.org");
    assert_eq!(of("login").len(), 1);
    assert_eq!(of("known network").len(), 1);
    assert_eq!(
        (&of("room")[0]["name"], &of("room")[0]["role"]),
        (&json!("general"), &json!("member"))
    );
    let general = of("message")
        .into_iter()
        .filter(|line| line["room"] == "general");
    let shown: Vec<&Value> = general.map(|line| &line["content"]).collect();
    assert_eq!(shown[0], "another text");
    assert_eq!(shown[1..210], texts[1..].iter().collect::<Vec<_>>());
    assert_eq!(shown[210..], ["an answer"]);
    assert_eq!(of("earlier version")[0]["content"], texts[0]);
    let reactions = of("reactions");
    assert_eq!(
        (&reactions[0]["emoji"], &reactions[0]["count"]),
        (&json!("👍"), &json!(2))
    );
    assert_eq!(
        (&of("pin")[0]["room"], &of("pin")[0]["id"]),
        (&json!("general"), &json!(3))
    );
    expect_own(&of);
    assert_eq!(of("room made")[0]["name"], "park");
    // What a room says of itself is told as a sentence.
    assert!(
        of("message").iter().any(|line| line["content"]
            .as_str()
            .is_some_and(|text| text.contains("made the room"))),
        "{said}"
    );
    assert!(!said.contains("\"event"), "{said}");
    assert_eq!(of("invitations")[0]["members_brought_in"], 1);
    let rooms = of("room");
    let lake = rooms
        .iter()
        .find(|line| line["name"] == "lake")
        .expect("a room");
    assert_eq!(
        (&lake["role"], &lake["invited_by_user"]),
        (&json!("moderator"), &json!(bob.id))
    );
    assert!(
        !of("removal").is_empty() && !of("restraint").is_empty(),
        "{said}"
    );
    assert!(of("restraint")[0]["muted_until"].is_string(), "{said}");
    assert!(
        !said.contains("$2b$") && !said.contains("bob's own"),
        "{said}"
    );
    let plain = done(users(&server, &["show", "alice"], ""));
    assert!(plain.contains("alice@example.org") && plain.contains("general"));
    assert_eq!(plain.lines().count(), lines.len());
    assert!(!plain.contains(['\u{1b}', '\u{9b}']), "{plain}");
    refused(&users(&server, &["show", "carol"], ""), 1, "no user");
}
