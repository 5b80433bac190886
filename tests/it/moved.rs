//! A chat that was moved to another database: what its operator runs afterwards does not work on the one that was left.

use std::path::Path;

use chrono::{TimeDelta, Utc};
use serde_json::{Value, json};

use crate::support::{Backend, Database, Finished, Server, User, eventually, run};

on_both![
    a_database_that_was_left_is_not_taken_for_the_one_that_is_served,
    what_came_due_since_a_backup_is_not_said_unasked,
    what_came_due_since_a_copy_was_made_is_not_said_unasked,
];

/// Runs `parlour ARGS` in that data folder, with that database or, as cron may, without naming any.
fn parlour(args: &[&str], server: &Server, url: Option<&str>) -> Finished {
    let data_dir = server.data_dir().display().to_string();
    let port = server.addr.port().to_string();
    let mut env = vec![("DATA_DIR", data_dir.as_str()), ("PORT", port.as_str())];
    env.extend(url.map(|url| ("DATABASE_URL", url)));
    run(args, &env, server.folder())
}

fn backup(server: &Server, name: &str, url: Option<&str>) -> Finished {
    let to = server.folder().join(name).display().to_string();
    let finished = parlour(&["backup", "--to", &to], server, url);
    assert_eq!(finished.status.success(), Path::new(&to).exists());
    finished
}

#[track_caller]
fn succeeds(finished: Finished) -> String {
    assert!(finished.status.success(), "{finished:?}");
    finished.stdout
}

#[track_caller]
fn refuses(finished: &Finished) {
    assert_eq!(finished.status.code(), Some(2), "{finished:?}");
    let is_told = |words| finished.stderr.contains(words);
    assert!(
        is_told("is not the database that was served last from DATA_DIR")
            && is_told("DATABASE_URL"),
        "{finished:?}"
    );
}

fn a_database_that_was_left_is_not_taken_for_the_one_that_is_served(backend: Backend) {
    let mut server = Server::start(Backend::Sqlite);
    let alice = User::register(&server, "alice");
    alice.post("kept", None).expect(201);
    succeeds(backup(&server, "of-the-first", None));
    succeeds(parlour(&["users", "list"], &server, None));

    server.terminate();
    let elsewhere = tempfile::tempdir().expect("a folder");
    let target = Database::make(backend, elsewhere.path());
    let file = server.folder().join("of-the-first").display().to_string();
    succeeds(parlour(&["restore", &file], &server, Some(&target.url)));
    // No server has served it yet.
    succeeds(backup(&server, "before-the-start", Some(&target.url)));
    let said = succeeds(parlour(&["users", "list"], &server, Some(&target.url)));
    assert!(said.contains("alice"), "{said}");

    server.set_env("DATABASE_URL", &target.url);
    server.start_again();
    refuses(&backup(&server, "of-what-was-left", None));
    for args in [&["users", "disable", "alice"][..], &["users", "list"]] {
        refuses(&parlour(args, &server, None));
    }
    let doctor = parlour(&["doctor"], &server, None);
    let is_problem = |line: &str| line.starts_with("problem") && line.contains("served last");
    assert_eq!(doctor.status.code(), Some(1), "{doctor:?}");
    assert!(doctor.stdout.lines().any(is_problem), "{doctor:?}");

    // All goes well with the one that is served, and with what was left where nothing is known of another one.
    let url = Some(target.url.as_str());
    succeeds(backup(&server, "of-the-second", url));
    let doctor = succeeds(parlour(&["doctor"], &server, url));
    assert!(!doctor.contains("served last"), "{doctor}");
    succeeds(parlour(&["users", "disable", "alice"], &server, url));
    let empty = elsewhere.path().join("empty").display().to_string();
    let env = [
        ("DATA_DIR", empty.as_str()),
        ("DATABASE_URL", &server.database.url),
    ];
    succeeds(run(&["users", "list"], &env, server.folder()));
}

#[test]
fn an_older_copy_of_the_same_history_can_be_backed_up() {
    let mut server = Server::start(Backend::Sqlite);
    let copy = server.folder().join("copy.db").display().to_string();
    server.database.execute(&format!("VACUUM INTO '{copy}'"));
    for _ in 0..2 {
        server.restart();
    }
    let url = format!("sqlite://{copy}");
    succeeds(backup(&server, "of-the-copy", Some(&url)));
}

/// Stops the server, restores the backup into a new database, and serves that from the same folder. The database goes with the
/// returned values.
fn move_to(
    server: &mut Server,
    file: &str,
    backend: Backend,
) -> (tempfile::TempDir, Database, String) {
    server.terminate();
    let folder = tempfile::tempdir().expect("a folder");
    let target = Database::make(backend, folder.path());
    let file = server.folder().join(file).display().to_string();
    let said = succeeds(parlour(&["restore", &file], server, Some(&target.url)));
    server.set_env("DATABASE_URL", &target.url);
    server.start_again();
    (folder, target, said)
}

/// Its author may have taken it back after the backup was made: what then comes due must not be sent by a restore.
fn what_came_due_since_a_backup_is_not_said_unasked(backend: Backend) {
    let mut server = Server::start(backend);
    let mut alice = User::register(&server, "alice");
    let later = |content: &str, seconds: i64| {
        let at = Utc::now() + TimeDelta::seconds(seconds);
        let body = json!({"room": "general", "content": content, "send_at": at.to_rfc3339()});
        let answer = alice.http().post("/api/scheduled", &body).expect(201);
        answer.json()["id"].as_u64().expect("a number")
    };
    let (taken_back, to_come) = (later("I quit", 4), later("happy new year", 3_000));
    succeeds(backup(&server, "before", Some(&server.database.url)));
    let path = format!("/api/scheduled/{taken_back}");
    alice.ask("DELETE", &path, &[], &Value::Null).expect(204);
    let due = Utc::now() + TimeDelta::seconds(4);
    eventually("its time is over", || (Utc::now() > due).then_some(()));

    let (_folder, target, said) = move_to(&mut server, "before", backend);
    assert!(
        said.contains(
            "1 message for later had come due since that backup and will not be sent by itself"
        ),
        "{said}"
    );
    alice.addr = server.addr;
    alice.log_in();
    let waiting = alice.http().get("/api/scheduled").expect(200).json();
    let waiting = waiting.as_array().expect("a list").clone();
    let find = |id: u64| {
        waiting
            .iter()
            .find(|it| it["id"] == id)
            .expect("it is there")
    };
    assert_eq!(find(taken_back)["failed"]["code"], "epoch_changed");
    assert!(find(to_come).get("failed").is_none(), "{waiting:?}");
    // Whoever still wants it gives it another time.
    let soon = (Utc::now() + TimeDelta::seconds(1)).to_rfc3339();
    let change = json!({"send_at": soon});
    assert!(
        alice
            .history()
            .iter()
            .all(|message| message["content"] != "I quit")
    );
    alice.ask("PATCH", &path, &[], &change).expect(200);
    eventually("it is said now", || {
        let said = alice.history();
        said.iter()
            .any(|message| message["content"] == "I quit")
            .then_some(())
    });
    drop(target);
}

/// By whatever way the state of before is put back, with the server stopped.
fn what_came_due_since_a_copy_was_made_is_not_said_unasked(backend: Backend) {
    let mut server = Server::start(backend);
    let mut alice = User::register(&server, "alice");
    let at = Utc::now() + TimeDelta::seconds(3);
    let id = crate::scheduled::waits(&alice, "general", "I quit", at);
    let to_come = Utc::now() + TimeDelta::hours(1);
    let to_come = crate::scheduled::waits(&alice, "general", "happy new year", to_come);
    let copy = "CREATE TABLE copied AS SELECT * FROM scheduled";
    server.database.execute(copy);
    let path = format!("/api/scheduled/{id}");
    alice.ask("DELETE", &path, &[], &Value::Null).expect(204);
    alice.post("later", None).expect(201);
    eventually("its time is over", || (Utc::now() > at).then_some(()));
    server.kill9();
    // As it is in a copy of the whole: what was written since is not there.
    server.database.execute(
        "BEGIN; DELETE FROM scheduled; INSERT INTO scheduled SELECT * FROM copied; DELETE FROM messages; \
         UPDATE rooms SET last_seq = 0, last_message_id = 0; DELETE FROM facts WHERE name = 'life'; COMMIT",
    );
    server.start_again();
    alice.addr = server.addr;
    alice.log_in();
    let waiting = crate::scheduled::listed(&alice);
    let find = |id: u64| waiting.iter().find(|it| it["id"] == id);
    let held = find(id).expect("it is kept");
    assert_eq!(held["failed"]["code"], "epoch_changed", "{held}");
    assert!(find(to_come).expect("it waits").get("failed").is_none());
    alice.post("marker", None).expect(201);
    let history = alice.history();
    let is_said = |one: &Value| one["content"] == "I quit";
    assert!(!history.iter().any(is_said), "{history:?}");
}

/// PostgreSQL tells times without the zeros at their end, and SQLite compares them as texts.
#[test]
fn lists_are_read_to_their_end_after_a_move_from_postgresql_to_sqlite() {
    let mut server = Server::start(Backend::Postgres);
    let mut alice = User::register(&server, "alice");
    let mut saved = Vec::new();
    for fraction in ["", ".4", ".44", ".442", ".4425", ".44252", ".442521"] {
        let id = alice.post(&format!("at{fraction}"), None);
        let id = id.expect(201).json()["id"].clone();
        let path = format!("/api/saved/general/{id}");
        alice.ask("PUT", &path, &[], &Value::Null).expect(204);
        server.database.execute(&format!(
            "UPDATE saved SET created_at = '2026-11-27 21:13:15{fraction}' WHERE message_id = {id}"
        ));
        saved.insert(0, id);
    }
    succeeds(backup(&server, "before", Some(&server.database.url)));
    let _moved = move_to(&mut server, "before", Backend::Sqlite);
    alice.addr = server.addr;
    alice.log_in();
    let (mut found, mut path) = (Vec::new(), Some("/api/saved?limit=1".to_owned()));
    while let Some(page) = path.take().filter(|_| found.len() <= saved.len()) {
        let answer = alice.http().get(&page).expect(200);
        let list = answer.json().as_array().expect("a list").clone();
        found.extend(list.iter().map(|saved| saved["message"]["id"].clone()));
        path = answer.header("link").map(|link| {
            let (path, _) = link[1..].split_once('>').expect("a link");
            path.to_owned()
        });
    }
    assert_eq!(found, saved);
}
