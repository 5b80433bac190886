//! What lies where the database was is not what the server has left there: a copy of another day, a log of another database,
//! a whole folder that was put back, or a database that another one has long replaced.

use std::{
    fs,
    io::Write as _,
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

use chrono::{TimeDelta, Utc};
use diesel::{Connection as _, SqliteConnection, connection::SimpleConnection as _};
use serde_json::Value;

use crate::support::{Backend, Database, Server, User, eventually, run};

fn beside(server: &Server, end: &str) -> PathBuf {
    format!("{}{end}", server.database.file().display()).into()
}

fn copy_folder(from: &Path, to: &Path) {
    let status = Command::new("cp").arg("-a").args([from, to]).status();
    assert!(status.expect("cp runs").success());
}

/// Posts so many, each of some length.
fn post_many(user: &User, count: usize) {
    for n in 0..count {
        user.post(&format!("{n}: {}", "words ".repeat(100)), None)
            .expect(201);
    }
}

fn put_log_aside(server: &Server) {
    for end in ["-wal", "-shm"] {
        let _may_not_be_there = fs::remove_file(beside(server, end));
    }
}

/// SQLite would go on with what it remembers of the one and what it reads of the other.
#[test]
fn a_server_whose_database_is_copied_over_ends() {
    let mut server = Server::start(Backend::Sqlite);
    let mut alice = User::register(&server, "alice");
    post_many(&alice, 30);
    let copy = server.folder().join("yesterday.db");
    let to_copy = format!("VACUUM INTO '{}'", copy.display());
    server.database.execute(&to_copy);
    server.terminate();
    server.start_again();
    alice.addr = server.addr;
    alice.log_in();
    let epoch = alice.connect().connected["epoch"].clone();
    post_many(&alice, 30);
    fs::copy(&copy, server.database.file()).expect("copies over it");
    assert_eq!(server.wait().code(), Some(2));
    let log = server.log();
    assert!(
        log.contains("was written over while") || log.contains("is damaged ("),
        "{log}"
    );
    // Whoever meant it takes the log away, which belongs to what is gone.
    put_log_aside(&server);
    server.start_again();
    alice.addr = server.addr;
    alice.log_in();
    assert_eq!(alice.history().len(), 30);
    assert_ne!(alice.connect().connected["epoch"], epoch);
}

/// As when someone puts a copy in the place of the database, and leaves the log that lies beside it.
#[test]
fn a_copy_beside_the_log_of_another_day_is_not_served() {
    let mut server = Server::start(Backend::Sqlite);
    let mut alice = User::register(&server, "alice");
    post_many(&alice, 100);
    server.terminate();
    let file = server.database.file().to_owned();
    let copy = server.folder().join("yesterday.db");
    fs::copy(&file, &copy).expect("copies");
    for _ in 0..2 {
        server.start_again();
        alice.addr = server.addr;
        alice.log_in();
        post_many(&alice, 200);
        if server.log().matches("bye").count() < 2 {
            server.terminate();
        }
    }
    server.kill9();
    let log = fs::read(beside(&server, "-wal")).expect("a log");
    fs::copy(&copy, &file).expect("puts it there");
    let doctor = crate::doctor::doctor_of(&server, &[]);
    assert!(doctor.stdout.contains("is damaged ("), "{doctor:?}");
    let refusal = server.try_start_again().expect_err("it must not start");
    assert!(refusal.contains("is damaged ("), "{refusal}");
    assert!(refusal.contains("parlour restore"), "{refusal}");
    // Nothing was done to either.
    assert!(fs::read(beside(&server, "-wal")).expect("a log") == log);
    put_log_aside(&server);
    assert!(fs::read(&file).expect("a database") == fs::read(&copy).expect("a copy"));
    server.start_again();
    alice.addr = server.addr;
    alice.log_in();
    assert_eq!(alice.history().len(), 100);
}

/// `history` comes back with the folder, and knows of nothing that came after.
#[test]
fn a_folder_that_is_put_back_is_another_history() {
    let mut server = Server::start(Backend::Sqlite);
    let mut alice = User::register(&server, "alice");
    let at = Utc::now() + TimeDelta::seconds(4);
    let id = crate::scheduled::waits(&alice, "general", "I quit", at);
    let epoch = alice.connect().connected["epoch"].clone();
    server.terminate();
    let (data, copy) = (server.data_dir(), server.folder().join("yesterday"));
    copy_folder(&data, &copy);
    server.start_again();
    alice.addr = server.addr;
    alice.log_in();
    assert_eq!(alice.connect().connected["epoch"], epoch);
    let is_said = |alice: &User| {
        let said = alice.history();
        said.iter().any(|one: &Value| one["content"] == "I quit")
    };
    eventually("it is said", || is_said(&alice).then_some(()));
    server.terminate();

    fs::remove_dir_all(&data).expect("removes");
    copy_folder(&copy, &data);
    server.start_again();
    alice.addr = server.addr;
    alice.log_in();
    assert_ne!(alice.connect().connected["epoch"], epoch);
    let waiting = crate::scheduled::listed(&alice);
    let held = waiting.iter().find(|it| it["id"] == id);
    let held = held.expect("it is kept");
    assert_eq!(held["failed"]["code"], "epoch_changed", "{held}");
    alice.post("marker", None).expect(201);
    assert!(!is_said(&alice), "it was said before");
}

/// Otherwise the chat of before the move would be served and written to, because a line was lost from a file.
#[test]
fn the_embedded_database_is_not_served_because_the_name_of_another_was_lost() {
    let mut server = Server::start(Backend::Sqlite);
    User::register(&server, "alice");
    let embedded = server.database.url.clone();
    server.terminate();
    let elsewhere = tempfile::tempdir().expect("a folder");
    let target = Database::make(Backend::Postgres, elsewhere.path());
    server.set_env("DATABASE_URL", &target.url);
    server.start_again();
    server.terminate();
    let data_dir = server.data_dir().display().to_string();
    let env = [("DATA_DIR", data_dir.as_str()), ("PORT", "0")];
    let refused = run(&["serve"], &env, server.folder());
    assert_eq!(refused.status.code(), Some(2), "{refused:?}");
    assert!(
        refused.stderr.contains("DATABASE_URL is not set") && refused.stderr.contains("PostgreSQL"),
        "{refused:?}"
    );
    // Whoever says so means it.
    server.set_env("DATABASE_URL", &embedded);
    server.start_again();
}

/// A copy of this very day, as a cron job makes it, bears the same marks as the database.
#[test]
fn a_server_whose_database_is_copied_over_by_a_copy_of_its_own_ends() {
    let mut server = Server::start(Backend::Sqlite);
    let alice = User::register(&server, "alice");
    post_many(&alice, 100);
    // Otherwise the log holds all of it, and nothing is lost.
    (server.database).execute("PRAGMA wal_checkpoint(TRUNCATE)");
    let copy = server.folder().join("today.db");
    let to_copy = format!("VACUUM INTO '{}'", copy.display());
    server.database.execute(&to_copy);
    post_many(&alice, 100);
    fs::copy(&copy, server.database.file()).expect("copies over it");
    assert_eq!(server.wait().code(), Some(2));
    let log = server.log();
    assert!(log.contains("is damaged ("), "{log}");
}

/// As `cat backup.db > parlour.db` leaves it for a moment. SQLite removes the log of an empty file when it opens that.
#[test]
fn a_server_whose_database_is_emptied_ends_and_leaves_the_log() {
    let mut server = Server::start(Backend::Sqlite);
    let alice = User::register(&server, "alice");
    post_many(&alice, 10);
    let (file, wal) = (server.database.file().to_owned(), beside(&server, "-wal"));
    let kept = fs::read(&wal).expect("a log");
    fs::File::create(&file).expect("empties it");
    assert_eq!(server.wait().code(), Some(2));
    let log = server.log();
    assert!(log.contains("is damaged (it is empty)"), "{log}");
    assert!(!log.contains("has been saved"), "{log}");
    let left = fs::read(&wal).expect("the log is left");
    assert!(left.starts_with(&kept), "{} bytes", left.len());
}

/// It is not served for good from what cannot be read, whether all was in the log or next to nothing.
#[test]
fn a_server_whose_log_is_emptied_ends_and_names_it() {
    for posts in [1, 30] {
        let mut server = Server::start(Backend::Sqlite);
        let alice = User::register(&server, "alice");
        (server.database).execute("PRAGMA wal_checkpoint(TRUNCATE)");
        post_many(&alice, posts);
        let wal = beside(&server, "-wal");
        fs::File::create(&wal).expect("empties it");
        assert_eq!(server.wait().code(), Some(2));
        let log = server.log();
        let named = format!("{} was removed or replaced", wal.display());
        assert!(log.contains(&named), "{posts}: {log}");
        assert!(log.contains("could not be saved"), "{posts}: {log}");
    }
}

/// Whoever puts the right log back must find the database as it was.
#[test]
fn a_database_beside_the_log_of_another_one_is_refused_and_left_as_it_is() {
    let mut server = Server::start(Backend::Sqlite);
    let mut alice = User::register(&server, "alice");
    post_many(&alice, 20);
    let mut other = Server::start(Backend::Sqlite);
    let bob = User::register(&other, "bob");
    post_many(&bob, 20);
    server.kill9();
    other.kill9();
    let (file, wal) = (server.database.file().to_owned(), beside(&server, "-wal"));
    let (database, own) = (
        fs::read(&file).expect("a database"),
        fs::read(&wal).expect("a log"),
    );
    fs::copy(beside(&other, "-wal"), &wal).expect("copies");
    fs::remove_file(beside(&server, "-shm")).expect("removes");
    let refusal = server.try_start_again().expect_err("it must not start");
    assert!(
        refusal.contains("ENCRYPTION_KEY")
            || refusal.contains("sealed with")
            || refusal.contains("is damaged"),
        "{refusal}"
    );
    assert!(fs::read(&file).expect("a database") == database);
    fs::write(&wal, own).expect("puts it back");
    let _made_by_looking = fs::remove_file(beside(&server, "-shm"));
    server.start_again();
    alice.addr = server.addr;
    alice.log_in();
    assert_eq!(alice.history().len(), 20);
}

/// Whoever takes that log away again must find the database as it was, whatever was tried meanwhile.
#[test]
fn no_command_puts_the_log_of_another_one_into_the_database() {
    let mut server = Server::start(Backend::Sqlite);
    post_many(&User::register(&server, "alice"), 20);
    let to = server.folder().join("one.backup");
    let to = to.display().to_string();
    let data_dir = server.data_dir().display().to_string();
    let url = server.database.url.clone();
    let env = [
        ("DATABASE_URL", url.as_str()),
        ("DATA_DIR", data_dir.as_str()),
    ];
    let made = run(&["backup", "--to", &to], &env, server.folder());
    assert!(made.status.success(), "{made:?}");
    server.terminate();
    let mut other = Server::start(Backend::Sqlite);
    post_many(&User::register(&other, "bob"), 20);
    other.kill9();
    let (file, wal) = (server.database.file().to_owned(), beside(&server, "-wal"));
    let database = fs::read(&file).expect("a database");
    let foreign = fs::read(beside(&other, "-wal")).expect("a log");
    for command in [
        &["users", "list"][..],
        &["users", "show", "alice"],
        &["backup"],
        &["migrate"],
        &["doctor"],
        &["restore", "--replace", &to],
    ] {
        fs::write(&wal, &foreign).expect("writes");
        let _made_by_looking = fs::remove_file(beside(&server, "-shm"));
        let ended = run(command, &env, server.folder());
        assert!(
            fs::read(&file).expect("a database") == database,
            "{command:?}: {ended:?}"
        );
        assert!(
            fs::read(&wal).ok().as_ref() == Some(&foreign),
            "{command:?}: {ended:?}"
        );
        // Nothing is pending, which is all that is asked.
        assert!(
            command == ["migrate"] || !ended.status.success(),
            "{command:?}: {ended:?}"
        );
    }
    fs::remove_file(&wal).expect("removes");
    let listed = run(&["users", "list"], &env, server.folder());
    assert!(listed.stdout.contains("alice"), "{listed:?}");
}

/// Everything would seem to be gone, with every name free to be taken by others.
#[test]
fn an_empty_database_where_there_was_one_with_messages_is_not_served() {
    // One that is so young that all of it was in the log; and one that was dropped and made again.
    for backend in [Backend::Sqlite, Backend::Postgres] {
        let mut server = Server::start(backend);
        let alice = User::register(&server, "alice");
        post_many(&alice, 5);
        let history = server.data_dir().join("history");
        eventually("it is known", || {
            let known: Value = serde_json::from_slice(&fs::read(&history).ok()?).ok()?;
            (known["rooms"]["1"] == 5).then_some(())
        });
        server.kill9();
        match backend {
            Backend::Sqlite => put_log_aside(&server),
            Backend::Postgres => {
                (server.database).execute("DROP SCHEMA public CASCADE; CREATE SCHEMA public");
            }
        }
        let refusal = server.try_start_again().expect_err("it must not start");
        assert!(refusal.contains("or is empty, though"), "{refusal}");
        let named = history.display().to_string();
        assert!(refusal.contains(&named), "{refusal}");
        fs::remove_file(history).expect("removes");
        server.start_again();
    }
}

/// Somebody looks into the database and leaves the window open.
#[test]
fn the_database_alone_is_everything_after_a_stop_also_while_someone_has_it_open() {
    let mut server = Server::start(Backend::Sqlite);
    let alice = User::register(&server, "alice");
    let window = server.database.connect();
    post_many(&alice, 50);
    server.terminate();
    let left = beside(&server, "-wal").metadata();
    assert_eq!(left.map_or(0, |found| found.len()), 0);
    drop(window);
}

/// Whoever restarts it by itself would never know.
#[test]
fn a_log_that_was_lost_is_named_by_the_start_the_doctor_and_the_backup() {
    let mut server = Server::start(Backend::Sqlite);
    let alice = User::register(&server, "alice");
    (server.database).execute("PRAGMA wal_checkpoint(TRUNCATE)");
    post_many(&alice, 20);
    let history = server.data_dir().join("history");
    eventually("it is known", || {
        let known: Value = serde_json::from_slice(&fs::read(&history).ok()?).ok()?;
        (known["rooms"]["1"] == 20).then_some(())
    });
    server.kill9();
    put_log_aside(&server);
    let data_dir = server.data_dir().display().to_string();
    let url = server.database.url.clone();
    let env = [
        ("DATABASE_URL", url.as_str()),
        ("DATA_DIR", data_dir.as_str()),
    ];
    let words = "room 1 had come to change 20, and is at 0 here";
    let doctor = run(&["doctor"], &env, server.folder());
    assert!(doctor.stdout.contains(words), "{doctor:?}");
    let backup = run(&["backup"], &env, server.folder());
    assert!(backup.stderr.contains(words), "{backup:?}");
    assert_eq!(backup.status.code(), Some(3), "{backup:?}");
    server.start_again();
    let log = server.log();
    assert!(log.contains(words), "{log}");
    // It is another history now.
    let doctor = run(&["doctor"], &env, server.folder());
    assert!(!doctor.stdout.contains("lacks"), "{doctor:?}");
}

/// As `sqlite3` leaves it that is killed in the middle of a change.
#[test]
fn what_another_program_has_begun_and_not_ended_is_undone() {
    let mut server = Server::start(Backend::Sqlite);
    let mut alice = User::register(&server, "alice");
    post_many(&alice, 20);
    server.terminate();
    let mut other = Command::new("sqlite3")
        .arg(server.database.file())
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .spawn()
        .expect("runs");
    let change = b"PRAGMA journal_mode = DELETE; PRAGMA cache_size = 1; BEGIN IMMEDIATE;\n\
                   UPDATE messages SET content = content || zeroblob(20000);\n";
    let mut input = other.stdin.take().expect("piped");
    input.write_all(change).expect("writes");
    let journal = beside(&server, "-journal");
    let before = server.database.file().metadata().expect("is there").len();
    eventually("it is in the middle of it", || {
        let length = server.database.file().metadata().ok()?.len();
        (journal.exists() && length > before).then_some(())
    });
    other.kill().expect("kills");
    other.wait().expect("ends");
    let doctor = run(
        &["doctor"],
        &[("DATABASE_URL", server.database.url.as_str())],
        server.folder(),
    );
    assert!(
        doctor.stdout.contains("the next start undoes that"),
        "{doctor:?}"
    );
    server.start_again();
    alice.addr = server.addr;
    alice.log_in();
    assert_eq!(alice.history().len(), 20);
}

/// Whoever copies `parlour.db` then must know that it is not all.
#[test]
fn a_log_that_someone_is_reading_at_the_end_is_named() {
    let mut server = Server::start(Backend::Sqlite);
    let alice = User::register(&server, "alice");
    let file = server.database.file().display().to_string();
    let mut reading = SqliteConnection::establish(&file).expect("opens");
    reading
        .batch_execute("BEGIN; SELECT count(*) FROM users")
        .expect("reads");
    post_many(&alice, 50);
    server.terminate();
    let wal = beside(&server, "-wal");
    assert!(wal.metadata().is_ok_and(|found| found.len() > 0));
    let log = server.log();
    let said = format!(
        "stays in {} (another program is reading it: copy both",
        wal.display()
    );
    assert!(log.contains(&said), "{log}");
    reading.batch_execute("COMMIT").expect("ends");
}

/// Only where there is reason to: it takes a second for each gigabyte.
#[test]
fn a_database_that_was_left_well_is_not_looked_through() {
    let mut server = Server::start(Backend::Sqlite);
    let mut alice = User::register(&server, "alice");
    post_many(&alice, 5);
    server.terminate();
    server.start_again();
    alice.addr = server.addr;
    alice.log_in();
    post_many(&alice, 5);
    assert!(!server.log().contains("looked through"), "{}", server.log());
    server.kill9();
    server.start_again();
    assert!(server.log().contains("looked through"), "{}", server.log());
}
