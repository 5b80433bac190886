//! What a restore needs, and what it refuses before anything is changed.

use super::*;

on_both![
    a_restore_needs_a_stopped_server_and_an_empty_database,
    what_a_restore_replaces_is_kept,
    a_backup_that_is_no_good_is_refused_before_anything_changes,
    a_restore_tells_a_wrong_key_and_says_which_is_needed,
    rows_that_no_parlour_has_stored_are_not_restored,
];

fn a_restore_needs_a_stopped_server_and_an_empty_database(backend: Backend) {
    let mut server = serve(backend);
    let alice = User::register(&server, "alice");
    alice.post("before", None).expect(201);
    let file = server.folder().join("x.backup");
    succeeds(backup(&server, &file));
    alice.post("after", None).expect(201);
    let before = alice.history();

    fails(restore(&file, &server, &[]), "stop it first");
    fails(restore(&file, &server, &["--replace"]), "stop it first");
    server.terminate();
    fails(restore(&file, &server, &[]), "1 user and 2 messages");
    server.start_again();
    assert_eq!(alice.history(), before, "a refused restore changes nothing");
}

fn what_a_restore_replaces_is_kept(backend: Backend) {
    let mut server = serve(backend);
    let mut alice = User::register(&server, "alice");
    alice.post("first", None).expect(201);
    let file = server.folder().join("x.backup");
    succeeds(backup(&server, &file));
    alice.post("second", None).expect(201);
    server.terminate();

    let said = succeeds(restore(&file, &server, &["--replace"]));
    let kept = said
        .split_once("is kept in ")
        .and_then(|(_, rest)| rest.split_once(": delete"))
        .map(|(kept, _)| server.folder().join(kept))
        .expect("it says where");
    assert_eq!(mode(&kept), 0o600);
    server.start_again();
    alice.log_in();
    assert_eq!(contents(&alice.history()), HashSet::from(["first"]));

    // And what was kept can be restored in turn.
    let kept = match backend {
        Backend::Sqlite => as_backup(&kept),
        Backend::Postgres => kept,
    };
    server.terminate();
    succeeds(restore(&kept, &server, &["--replace"]));
    server.start_again();
    alice.log_in();
    assert_eq!(
        contents(&alice.history()),
        HashSet::from(["first", "second"])
    );
}

/// The same backup with another first line, and a checksum that fits.
fn with_head(text: &str, from: &str, to: &str) -> String {
    let (body, end) = text.trim_end().rsplit_once('\n').expect("lines");
    let body = format!("{}\n", body.replacen(from, to, 1));
    let mut end: Value = serde_json::from_str(end).expect("JSON");
    let digits = Sha256::digest(body.as_bytes());
    let sum: Vec<String> = digits.iter().map(|byte| format!("{byte:02x}")).collect();
    end["sha256"] = sum.concat().into();
    format!("{body}{end}\n")
}

fn a_backup_that_is_no_good_is_refused_before_anything_changes(backend: Backend) {
    let mut server = serve(backend);
    let alice = User::register(&server, "alice");
    alice.post("hello", None).expect(201);
    let file = server.folder().join("x.backup");
    succeeds(backup(&server, &file));
    let before = alice.history();
    server.terminate();

    let good = fs::read_to_string(&file).expect("text");
    let newer = with_head(
        &good,
        "\"migrations\":[",
        "\"migrations\":[\"99990101000001\",",
    );
    let forged = with_head(&good, "\"columns\":[\"name\"", "\"columns\":[\"name) --\"");
    let bad = [
        (good[..good.len() / 2].to_owned(), "its end is missing"),
        (good.replacen("alice", "alicf", 1), "it is damaged"),
        (format!("{good}{good}"), "it is damaged"),
        (newer, "which does not know its tables"),
        (forged, "it is damaged"),
        (
            good.replacen("\"parlour_backup\":1", "\"parlour_backup\":2", 1),
            "a newer version",
        ),
        ("hello\n".into(), "it is not a backup"),
        (String::new(), "it is not a backup"),
        ("SQLite format 3\0…".into(), "SQLite database"),
        ("PGDMP…".into(), "pg_restore"),
    ];
    for (text, words) in bad {
        fs::write(&file, text).expect("writes");
        fails(restore(&file, &server, &["--replace"]), words);
    }
    fails(
        restore(&server.folder().join("none"), &server, &[]),
        "There is no file",
    );
    fails(restore(server.folder(), &server, &[]), "is not a file");
    server.start_again();
    assert_eq!(alice.history(), before);
    let left = fs::read_dir(server.data_dir()).expect("a folder");
    for entry in left {
        let name = entry.expect("an entry").file_name();
        let name = name.to_string_lossy();
        assert!(
            !name.contains("restoring") && !name.contains("replaced"),
            "{name}"
        );
    }
}

fn a_restore_tells_a_wrong_key_and_says_which_is_needed(backend: Backend) {
    let mut server = serve(backend);
    User::register(&server, "alice")
        .post("hello", None)
        .expect(201);
    let file = server.folder().join("x.backup");
    let to = file.to_str().expect("text");
    let (url, data) = (server.database.url.clone(), server.data_dir());
    let wrong = parlour(&["backup", "--to", to], &url, &data, Some(OTHER_KEY));
    // It is whole all the same, so it is there; but someone should look.
    assert!(
        wrong.stdout.contains("Backed up") && file.exists(),
        "{wrong:?}"
    );
    fails(wrong, "does not open");
    let none = server.folder().join("y.backup");
    let said = succeeds(parlour(
        &["backup", "--to", none.to_str().expect("text")],
        &url,
        &data,
        None,
    ));
    assert!(said.contains("No ENCRYPTION_KEY was found here"), "{said}");

    server.terminate();
    let args = ["restore", to, "--replace"];
    fails(
        parlour(&args, &url, &data, Some(OTHER_KEY)),
        "does not open",
    );
    fs::write(data.join("encryption_key"), OTHER_KEY).expect("writes");
    fails(
        parlour(&args, &url, &data, None),
        "data/encryption_key does not open",
    );
    fs::remove_file(data.join("encryption_key")).expect("removes");
    let said = succeeds(parlour(&args, &url, &data, None));
    assert!(
        said.contains("give it the ENCRYPTION_KEY of the server that was backed up"),
        "{said}"
    );
    server.set_env("ENCRYPTION_KEY", OTHER_KEY);
    let said = server.try_start_again().expect_err("another key");
    assert!(said.contains("ENCRYPTION_KEY does not open"), "{said}");
    server.set_env("ENCRYPTION_KEY", KEY);
    server.start_again();
}

/// Whatever comes with a file that someone else has made: a number beyond what clients keep exact, a name that commands a
/// terminal, a hash that a login would never be through with.
fn rows_that_no_parlour_has_stored_are_not_restored(backend: Backend) {
    let source = serve(Backend::Sqlite);
    let alice = User::register(&source, "alice");
    alice.post("hello", None).expect(201);
    let mut target = serve(backend);
    target.terminate();
    for (number, edit) in [
        "UPDATE messages SET seq = 9007199254740992",
        "UPDATE messages SET seq = 1, id = -5",
        "UPDATE messages SET id = 1, seq = 1; UPDATE users SET username = 'al' || char(27) || '[31m'",
        "UPDATE users SET username = 'alice', password_hash = '$2b$31$' || substr(password_hash, 8)",
    ]
    .into_iter()
    .enumerate()
    {
        source.database.execute(edit);
        let file = source.folder().join(format!("{number}.backup"));
        // It is made, and where that moved a message, the backup says that its text belongs elsewhere.
        let made = backup(&source, &file);
        assert!(matches!(made.status.code(), Some(0 | 3)), "{made:?}");
        let words = "the backup holds what no Parlour has stored";
        fails(restore(&file, &target, &["--replace"]), words);
    }
    source
        .database
        .execute("UPDATE users SET password_hash = '$2b$04$' || substr(password_hash, 8)");
    let file = source.folder().join("good.backup");
    succeeds(backup(&source, &file));
    succeeds(restore(&file, &target, &["--replace"]));
}

/// As after a key was added in the server's environment alone.
#[test]
fn a_backup_with_an_old_key_beside_it_says_where_the_new_one_belongs() {
    let server = serve(Backend::Sqlite);
    let kept = server.data_dir().join("encryption_key");
    let made = |name: &str| {
        let to = server.folder().join(name).display().to_string();
        let args = ["backup", "--to", to.as_str()];
        parlour(&args, &server.database.url, &server.data_dir(), None)
    };
    fs::write(&kept, OTHER_KEY).expect("writes");
    let wrong = made("x.backup");
    fails(wrong, "write the same keys (new,old) into");
    fs::write(&kept, format!("{KEY},{OTHER_KEY}\n")).expect("writes");
    succeeds(made("y.backup"));
}
