//! What lies where the database was is not what the server has left there: a copy of another day,
//! a whole folder that was put back, or a database that another one has long replaced.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use chrono::{TimeDelta, Utc};
use serde_json::Value;

use crate::support::{Backend, Database, Server, User, eventually, run};

pub fn beside(server: &Server, end: &str) -> PathBuf {
    format!("{}{end}", server.database.file().display()).into()
}

fn copy_folder(from: &Path, to: &Path) {
    let status = Command::new("cp").arg("-a").args([from, to]).status();
    assert!(status.expect("cp runs").success());
}

/// Posts so many, each of some length.
pub fn post_many(user: &User, count: usize) {
    for n in 0..count {
        user.post(&format!("{n}: {}", "words ".repeat(100)), None)
            .expect(201);
    }
}

pub fn put_log_aside(server: &Server) {
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
