//! A chat that was moved to another database: what its operator runs afterwards does not work on the one that was left.

use std::path::Path;

use crate::support::{Backend, Database, Finished, Server, User, run};

on_both![a_database_that_was_left_is_not_taken_for_the_one_that_is_served];

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
