//! What stands beside an embedded database (its log, or what another program has left of a change) is part of it: it is read with it,
//! put into it at the end, named where it was lost, and that of another one is never put into it.

use std::{
    fs,
    io::Write as _,
    process::{Command, Stdio},
};

use diesel::{Connection as _, SqliteConnection, connection::SimpleConnection as _};
use serde_json::Value;

use crate::{
    support::{Backend, Server, User, eventually, run},
    written_over::{beside, post_many, put_log_aside},
};

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
