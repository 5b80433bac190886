//! Files of the embedded database are taken away while a server uses it, or before it starts: no acknowledged message is
//! lost, and no empty database takes the place of a full one.

use std::{
    fs,
    io::Write as _,
    path::PathBuf,
    process::{Command, Stdio},
    thread,
};

use crate::{
    support::{BINARY, Backend, PASSWORD, Server, User, eventually, fed, run},
    visitors::{contents, has_sqlite3},
};

fn beside(server: &Server, end: &str) -> PathBuf {
    format!("{}{end}", server.database.file().display()).into()
}

/// Another process, which writes.
fn add_user(server: &Server, name: &str) {
    let mut command = Command::new(&*BINARY);
    command
        .args(["users", "add", name])
        .env_clear()
        .current_dir(server.folder())
        .env("DATA_DIR", server.data_dir())
        .env("BCRYPT_COST", "4");
    let output = fed(&mut command, PASSWORD);
    assert!(output.status.success(), "{output:?}");
}

/// Posts until the server is gone. Tells what was acked.
fn write_until_the_end(alice: &User, name: &str) -> Vec<String> {
    let mut acked = Vec::new();
    for n in 0.. {
        let content = format!("{name}{n}");
        let body = serde_json::json!({"content": content}).to_string();
        let json = [("content-type", "application/json")];
        let path = "/api/rooms/general/messages";
        let outcome = alice
            .http()
            .try_request("POST", path, &json, body.as_bytes());
        match outcome {
            Ok(answer) if answer.status == 201 => acked.push(content),
            Ok(_) => {}
            Err(_) => break,
        }
    }
    acked
}

/// SQLite keeps its locks in that file: a process that makes a new one waits for no one, and writes over the others' part
/// of the log.
#[test]
fn two_processes_with_different_shared_memory_lose_nothing() {
    let mut server = Server::start(Backend::Sqlite);
    let mut alice = User::register(&server, "alice");
    let acked = thread::scope(|scope| {
        let writers = ["a", "b", "c"].map(|name| {
            let alice = &alice;
            scope.spawn(move || write_until_the_end(alice, name))
        });
        eventually("they write", || (alice.history().len() > 20).then_some(()));
        fs::remove_file(beside(&server, "-shm")).expect("removes");
        add_user(&server, "bob");
        assert_eq!(server.wait().code(), Some(2));
        add_user(&server, "carol");
        writers
            .map(|writer| writer.join().expect("writes"))
            .concat()
    });
    server.await_log("-shm was removed or replaced");
    server.start_again();
    alice.log_in();
    let history = alice.history();
    let there: Vec<&str> = history
        .iter()
        .filter_map(|message| message["content"].as_str())
        .collect();
    let lost: Vec<_> = acked
        .iter()
        .filter(|one| !there.contains(&one.as_str()))
        .collect();
    assert!(lost.is_empty(), "of {}: {lost:?}", acked.len());
    for name in ["bob", "carol"] {
        let body = serde_json::json!({"username": name, "password": PASSWORD});
        server.http().post("/api/auth/login", &body).expect(200);
    }
}

#[test]
fn a_lock_whose_file_is_removed_is_taken_again() {
    let mut server = Server::start(Backend::Sqlite);
    let alice = User::register(&server, "alice");
    let lock = beside(&server, ".lock");
    for _ in 0..2 {
        fs::remove_file(&lock).expect("removes");
        eventually("it is there again", || lock.exists().then_some(()));
    }
    server.await_log(".lock was removed or replaced");
    let data_dir = server.data_dir().display().to_string();
    let second = run(
        &["serve"],
        &[("DATA_DIR", &data_dir), ("PORT", "0")],
        server.folder(),
    );
    assert!(
        second.stderr.contains("Another Parlour server is using"),
        "{second:?}"
    );
    alice.post("still served", None).expect(201);
    assert!(server.is_running());
}

/// What was acked last may be in the log alone. A new database beside it would write over it.
#[test]
fn a_log_without_its_database_is_left_alone() {
    let mut server = Server::with(Backend::Sqlite).start();
    let mut alice = User::register(&server, "alice");
    alice.post("in the log alone", None).expect(201);
    server.kill9();
    let file = server.database.file().to_owned();
    let (aside, log) = (file.with_extension("aside"), file.with_extension("db-wal"));
    std::fs::rename(&file, &aside).expect("moves");
    let before = std::fs::read(&log).expect("a log");
    let refusal = server.try_start_again().expect_err("it must not start");
    assert!(refusal.contains("without its database"), "{refusal}");
    assert_eq!(std::fs::read(&log).expect("a log"), before);
    std::fs::rename(&aside, &file).expect("moves");
    server.start_again();
    alice.log_in();
    assert_eq!(alice.history()[0]["content"], "in the log alone");
}

/// While many ask, the pool opens further connections. SQLite throws the log away for one that makes an empty database.
#[test]
fn a_database_that_is_moved_away_while_many_ask_takes_no_message_with_it() {
    let mut server = Server::with(Backend::Sqlite).start();
    let mut users = ["alice", "bob", "carol"].map(|name| User::register(&server, name));
    let file = server.database.file().to_owned();
    let aside = file.with_extension("aside");
    // Whether a connection is opened just then is chance.
    for round in 0..4 {
        for n in 0..20 {
            users[0].post(&format!("{round}, {n}"), None).expect(201);
        }
        fs::rename(&file, &aside).expect("moves");
        let refused = thread::scope(|scope| {
            let asking: Vec<_> = (0..24)
                .map(|n| (&users[n % users.len()], n))
                .map(|(user, n)| scope.spawn(move || refusals_until_the_end(user, n)))
                .collect();
            let refused = asking
                .into_iter()
                .map(|asking| asking.join().expect("asks"));
            refused.collect::<Vec<_>>().concat()
        });
        assert_eq!(server.wait().code(), Some(2));
        assert!(!file.exists(), "an empty database was made");
        // Whoever is refused must not believe that the login has ended.
        assert!(!refused.contains(&401), "{refused:?}");
        fs::rename(&aside, &file).expect("moves back");
        server.start_again();
        users.iter_mut().for_each(User::log_in);
        assert_eq!(users[0].history().len(), 20 * (round + 1));
    }
}

/// Asks for one thing after the other until the server is gone, and tells with which statuses it was refused.
fn refusals_until_the_end(user: &User, from: usize) -> Vec<u16> {
    const PATHS: [&str; 5] = ["rooms", "threads", "users/me", "scheduled", "saved"];
    let paths = PATHS.iter().cycle().skip(from);
    let answers = paths.map_while(|path| {
        let path = format!("/api/{path}");
        user.http().try_request("GET", &path, &[], b"").ok()
    });
    answers
        .map(|answer| answer.status)
        .filter(|status| *status != 200)
        .collect()
}

/// SQLite itself notices nothing, and what would be acked from then on would be gone with the process.
#[test]
fn a_server_whose_files_are_taken_away_says_so_and_ends() {
    for end in ["-wal", ""] {
        let mut server = Server::with(Backend::Sqlite).start();
        let mut alice = User::register(&server, "alice");
        alice.post("before", None).expect(201);
        let mut name = server.database.file().to_owned().into_os_string();
        name.push(end);
        let taken = std::path::PathBuf::from(name);
        let aside = taken.with_extension("aside");
        std::fs::rename(&taken, &aside).expect("moves");
        assert_eq!(server.wait().code(), Some(2), "{end}");
        server.await_log("was removed or replaced");
        if end.is_empty() {
            std::fs::rename(&aside, &taken).expect("moves");
        }
        server.start_again();
        alice.log_in();
        assert_eq!(alice.history()[0]["content"], "before", "{end}");
    }
}

/// Otherwise whoever restarts it (systemd does) would bring up an empty chat, with every name free.
#[test]
fn a_database_that_was_taken_away_is_not_replaced_by_an_empty_one() {
    let mut server = Server::with(Backend::Sqlite).start();
    let mut alice = User::register(&server, "alice");
    for content in ["one", "two"] {
        alice.post(content, None).expect(201);
    }
    let aside = server.folder().join("aside");
    fs::create_dir(&aside).expect("makes");
    let files = ["", "-wal", "-shm"].map(|end| {
        let path = format!("{}{end}", server.database.file().display());
        let kept = aside.join(format!("database{end}"));
        (path, kept)
    });
    for (path, kept) in &files {
        fs::rename(path, kept).expect("moves");
    }
    assert_eq!(server.wait().code(), Some(2));
    // Not once, and not after `migrate` either, which would make the tables.
    for _ in 0..2 {
        let refusal = server.try_start_again().expect_err("it must not start");
        assert!(refusal.contains("knows of messages"), "{refusal}");
        let migrated = Command::new(BINARY.as_str())
            .arg("migrate")
            .env("DATA_DIR", server.data_dir())
            .env("DATABASE_URL", &server.database.url)
            .current_dir(server.folder())
            .output()
            .expect("runs");
        assert!(!migrated.status.success(), "{migrated:?}");
        assert!(!server.database.file().exists());
    }
    // An empty file in its place is no better.
    fs::write(server.database.file(), "").expect("writes");
    let refusal = server.try_start_again().expect_err("it must not start");
    assert!(refusal.contains("knows of messages"), "{refusal}");
    for (path, kept) in &files {
        if kept.exists() {
            fs::rename(kept, path).expect("moves");
        }
    }
    server.start_again();
    alice.log_in();
    assert_eq!(contents(&alice), ["one", "two"]);
}

/// SQLite opens a new log when one is asked for after the old one is gone, and whoever closes last puts that into the
/// database: nothing, while the server's messages were in the old one.
#[test]
fn a_log_that_is_removed_while_people_write_costs_nothing() {
    if !has_sqlite3() {
        return;
    }
    let mut server = Server::with(Backend::Sqlite).start();
    let mut alice = User::register(&server, "alice");
    alice.post("before", None).expect(201);
    let acked = thread::scope(|scope| {
        let writers = ["a", "b", "c"].map(|name| {
            let alice = &alice;
            scope.spawn(move || write_until_the_end(alice, name))
        });
        eventually("they write", || (alice.history().len() > 20).then_some(()));
        fs::remove_file(format!("{}-wal", server.database.file().display())).expect("removes");
        // Someone who came later, and leaves last.
        let mut late = Command::new("sqlite3")
            .arg(server.database.file())
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .expect("sqlite3 runs");
        let stdin = late.stdin.as_mut().expect("piped");
        writeln!(stdin, "SELECT count(*) FROM sqlite_schema;").expect("asks");
        assert_eq!(server.wait().code(), Some(2));
        drop(late.stdin.take());
        late.wait().expect("ends");
        writers
            .map(|writer| writer.join().expect("writes"))
            .concat()
    });
    server.start_again();
    alice.log_in();
    let there = contents(&alice);
    let lost: Vec<_> = acked.iter().filter(|one| !there.contains(*one)).collect();
    assert_eq!(lost, Vec::<&String>::new(), "of {}", acked.len());
    server.await_log("has been saved in the database");
}
