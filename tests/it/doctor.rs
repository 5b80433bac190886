//! `parlour doctor` says what is wrong and what to do, changes nothing, and tells no secrets.

use std::{collections::BTreeMap, fs, os::unix::fs::PermissionsExt as _, path::Path};

use crate::support::{BINARY, Backend, Database, Finished, Server, User, run};

on_both![
    a_healthy_server_has_no_problem,
    before_the_first_start_nothing_is_made,
    a_wrong_or_lost_key_is_found,
    a_database_of_a_newer_parlour_is_found,
];

const OTHER_KEY: &str = "q83vEjRWeJCrze8SNFZ4kKvN7xI0VniQq83vEjRWeJA=";

fn doctor(folder: &Path, env: &[(&str, &str)]) -> Finished {
    run(&["doctor"], env, folder)
}

/// The doctor, with the settings of this server and then these.
pub fn doctor_of(server: &Server, env: &[(&str, &str)]) -> Finished {
    let data_dir = server.data_dir().display().to_string();
    let port = server.addr.port().to_string();
    let mut all = vec![
        ("DATA_DIR", data_dir.as_str()),
        ("DATABASE_URL", server.database.url.as_str()),
        ("PORT", port.as_str()),
    ];
    all.extend(env);
    let ended = doctor(server.folder(), &all);
    for name in ["secret_key", "encryption_key"] {
        if let Ok(key) = fs::read_to_string(server.data_dir().join(name)) {
            assert!(!said(&ended).contains(key.trim()), "{name} is told");
        }
    }
    ended
}

fn said(ended: &Finished) -> String {
    format!("{}{}", ended.stdout, ended.stderr)
}

#[track_caller]
fn expect_line(ended: &Finished, verdict: &str, words: &str) {
    assert!(
        ended
            .stdout
            .lines()
            .any(|line| line.starts_with(verdict) && line.contains(words)),
        "no {verdict} with {words:?} in\n{}",
        said(ended)
    );
}

#[track_caller]
fn expect_problem(ended: &Finished, words: &str) {
    assert_eq!(ended.status.code(), Some(1), "{}", said(ended));
    expect_line(ended, "problem", words);
}

#[track_caller]
fn expect_no_problem(ended: &Finished) {
    assert_eq!(ended.status.code(), Some(0), "{}", said(ended));
    assert!(ended.stdout.contains("no problems"), "{}", said(ended));
    assert!(ended.stderr.is_empty(), "{}", ended.stderr);
}

/// Every file of a folder, and what is in it; without SQLite's scratch memory, which is made again when it is read.
fn contents(folder: &Path) -> BTreeMap<String, Vec<u8>> {
    fs::read_dir(folder)
        .expect("a folder")
        .map(|entry| {
            let path = entry.expect("an entry").path();
            let name = path.display().to_string();
            (name, fs::read(path).expect("reads"))
        })
        .filter(|(name, _)| !name.ends_with("-shm"))
        .collect()
}

fn health(server: &Server, host: &str) -> Finished {
    let port = server.addr.port().to_string();
    let env = [("HOST", host), ("PORT", port.as_str())];
    run(&["doctor", "--health"], &env, server.folder())
}

fn a_healthy_server_has_no_problem(backend: Backend) {
    let mut server = Server::start(backend);
    let alice = User::register(&server, "alice");
    alice.post("sealed", None).expect(201);
    let ended = doctor_of(&server, &[]);
    expect_no_problem(&ended);
    for words in [
        "The tables are up to date",
        "ENCRYPTION_KEY opens what is in the database",
        "files open",
        "runs at http://127.0.0.1:",
    ] {
        expect_line(&ended, "", words);
    }
    // In a container it listens on every address.
    for host in ["127.0.0.1", "0.0.0.0"] {
        let asked = health(&server, host);
        assert_eq!(asked.status.code(), Some(0), "{}", said(&asked));
        assert_eq!(said(&asked), "");
    }

    server.kill9();
    let asked = health(&server, "127.0.0.1");
    assert_eq!(asked.status.code(), Some(1));
    assert!(asked.stderr.contains("does not answer"), "{asked:?}");
    // After a crash the log of the database holds what the database does not; it must stay so.
    let before = contents(&server.data_dir());
    let ended = doctor_of(&server, &[]);
    expect_no_problem(&ended);
    expect_line(&ended, "ok", "is free to listen on");
    let after = contents(&server.data_dir());
    let changed: Vec<_> = after
        .iter()
        .filter(|&(name, content)| before.get(name) != Some(content))
        .map(|(name, _)| name)
        .collect();
    assert!(
        changed.is_empty() && before.len() == after.len(),
        "changed: {changed:?}"
    );
    server.start_again();
    assert_eq!(alice.history().len(), 1);
}

fn before_the_first_start_nothing_is_made(backend: Backend) {
    let folder = tempfile::tempdir().expect("a folder");
    let database = Database::make(backend, &folder.path().join("data"));
    let ended = doctor(
        folder.path(),
        &[("PORT", "0"), ("DATABASE_URL", &database.url)],
    );
    expect_no_problem(&ended);
    for words in [
        "the first start makes it",
        "SECRET_KEY is not given; the first start makes one",
        "ENCRYPTION_KEY is not given; the first start makes one",
    ] {
        expect_line(&ended, "ok", words);
    }
    assert!(contents(folder.path()).is_empty(), "something was made");
    if backend == Backend::Postgres {
        expect_line(&ended, "ok", "the first start makes its tables (pending: ");
        let tables = database.query(
            "SELECT table_name::text AS value FROM information_schema.tables WHERE table_schema = 'public'",
        );
        assert_eq!(tables, Vec::<Option<String>>::new());
    }
}

#[test]
fn pending_migrations_are_told_and_not_run() {
    let folder = tempfile::tempdir().expect("a folder");
    fs::create_dir(folder.path().join("data")).expect("a folder");
    let file = folder.path().join("data/parlour.db");
    fs::write(&file, "").expect("writes");
    let ended = doctor(folder.path(), &[("PORT", "0")]);
    expect_line(&ended, "ok", "pending: 2026");
    assert_eq!(fs::read(&file).expect("reads"), b"");
}

fn a_wrong_or_lost_key_is_found(backend: Backend) {
    let server = Server::start(backend);
    let ended = doctor_of(&server, &[("ENCRYPTION_KEY", OTHER_KEY)]);
    expect_problem(
        &ended,
        "ENCRYPTION_KEY does not open what is in this database",
    );
    assert!(!said(&ended).contains(OTHER_KEY));
    let kept = server.data_dir().join("encryption_key");
    let advice = format!("the key in {} does: take ENCRYPTION_KEY", kept.display());
    expect_problem(&ended, &advice);
    let key = fs::read_to_string(&kept).expect("a key");
    let both = format!("{OTHER_KEY},{}", key.trim());
    let ended = doctor_of(&server, &[("ENCRYPTION_KEY", &both)]);
    expect_no_problem(&ended);
    assert!(!said(&ended).contains(key.trim()));

    fs::remove_file(&kept).expect("is there");
    let ended = doctor_of(&server, &[]);
    expect_problem(&ended, "there is no ENCRYPTION_KEY");
    expect_problem(&ended, "from where you keep the key");
    let promised = "the first start makes one";
    assert!(!ended.stdout.contains(promised), "{}", said(&ended));
    assert!(!kept.exists());
    fs::write(&kept, &key[..20]).expect("writes");
    expect_problem(&doctor_of(&server, &[]), "encryption_key is shorter");
    fs::write(&kept, key).expect("writes");
    fs::set_permissions(&kept, fs::Permissions::from_mode(0o644)).expect("a mode");
    expect_problem(&doctor_of(&server, &[]), "chmod 600");
}

fn a_database_of_a_newer_parlour_is_found(backend: Backend) {
    let server = Server::start(backend);
    server.database.execute(
        "INSERT INTO __diesel_schema_migrations (version, run_on) VALUES ('99991231235959', '2026-11-22 00:00:00')",
    );
    expect_problem(&doctor_of(&server, &[]), "a newer Parlour (99991231235959)");
}

#[test]
fn a_database_that_cannot_be_reached_is_told_without_its_password() {
    let folder = tempfile::tempdir().expect("a folder");
    for (url, words) in [
        ("postgres://u:hunter2@127.0.0.1:1/x", "cannot be reached"),
        ("postgres://u:hunter2%zz@127.0.0.1:1/x", "%25"),
        ("postgres://u@127.0.0.1:1/x?password=hunter2%zz", "%25"),
        ("postgres://u@127.0.0.1:1/x?hunter2", "parameter"),
        ("postgres://u:p@hunter2@127.0.0.1:1/x", "%40"),
        ("postgres://u:p/hunter2@127.0.0.1:1/x", "%2F"),
        ("postgres://u:p#hunter2@127.0.0.1:1/x", "cannot be reached"),
        ("postgres://u:p?hunter2@127.0.0.1:1/x", "cannot be reached"),
        ("postgres://u:p:hunter2/x", "no valid host"),
        ("postgres://127.0.0.1:1/x?pass=hunter2", "`pass`"),
    ] {
        let ended = doctor(folder.path(), &[("PORT", "0"), ("DATABASE_URL", url)]);
        expect_problem(&ended, words);
        assert!(!said(&ended).contains("hunter2"), "{url}: {}", said(&ended));
    }
}

#[test]
fn every_setting_that_is_not_right_is_told_at_once() {
    let folder = tempfile::tempdir().expect("a folder");
    let ended = doctor(
        folder.path(),
        &[
            ("HOST", "0.0.0.0"),
            ("PORT", "0"),
            ("SECRET_KEY", "hunter2"),
            ("DATA_DIR", "/dev/null/data"),
            ("RATE_LIMITS", "off"),
        ],
    );
    expect_problem(&ended, "there is no TLS");
    expect_problem(&ended, "SECRET_KEY is too short");
    expect_problem(&ended, "DATA_DIR /dev/null/data");
    expect_line(&ended, "warning", "RATE_LIMITS is off");
    assert!(!said(&ended).contains("hunter2"), "{}", said(&ended));
}

#[test]
fn a_port_that_another_program_has_is_told() {
    let folder = tempfile::tempdir().expect("a folder");
    // It takes connections, and ends them without a word.
    let other = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
    let port = other.local_addr().expect("an address").port().to_string();
    std::thread::spawn(move || other.incoming().for_each(drop));
    let ended = doctor(folder.path(), &[("PORT", &port)]);
    expect_problem(&ended, "is taken by another program");
}

#[test]
fn few_open_files_are_told() {
    let folder = tempfile::tempdir().expect("a folder");
    let command = format!("ulimit -n 200; exec '{}' doctor", *BINARY);
    let ended = std::process::Command::new("sh")
        .args(["-c", &command])
        .env_clear()
        .env("PORT", "0")
        .env("WORKERS", "2")
        .current_dir(folder.path())
        .output()
        .expect("sh runs");
    let text = String::from_utf8_lossy(&ended.stdout);
    assert!(
        text.contains("warning  A process may have 200 files open"),
        "{text}"
    );
    assert!(
        text.contains("ulimit -n") || text.contains("LimitNOFILE"),
        "{text}"
    );
}
