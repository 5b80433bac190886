//! What making a backup says and leaves, where it can and where it cannot be made.

use super::*;

on_both![
    a_text_that_does_not_open_is_told_by_backup_and_doctor,
    a_backup_of_nothing_says_that_it_is_empty,
    a_backup_that_a_restore_would_refuse_says_so,
];

#[test]
fn a_backup_never_overwrites_and_names_itself_after_the_moment() {
    let server = serve(Backend::Sqlite);
    User::register(&server, "alice")
        .post("hello", None)
        .expect(201);
    let folder = tempfile::tempdir().expect("a folder");
    let taken = folder.path().join("taken");
    fs::write(&taken, "mine").expect("writes");
    fails(backup(&server, &taken), "never overwrites");
    assert_eq!(fs::read_to_string(&taken).expect("text"), "mine");
    fails(
        backup(&server, &folder.path().join("no/folder")),
        "no such folder",
    );
    let said = succeeds(backup(&server, folder.path()));
    let names: Vec<String> = fs::read_dir(folder.path())
        .expect("a folder")
        .map(|entry| {
            entry
                .expect("an entry")
                .file_name()
                .into_string()
                .expect("text")
        })
        .filter(|name| name != "taken")
        .collect();
    assert_eq!(names.len(), 1, "{names:?}");
    assert!(said.contains(&names[0]), "{said}");
    let stamp = names[0]
        .strip_prefix("parlour-20")
        .and_then(|rest| rest.strip_suffix("Z.backup"));
    assert_eq!(
        stamp.map(str::len),
        Some("26-11-26T152710".len()),
        "{names:?}"
    );
}

#[test]
fn without_a_database_a_backup_makes_none() {
    let folder = tempfile::tempdir().expect("a folder");
    let url = format!(
        "sqlite://{}",
        folder.path().join("data/parlour.db").display()
    );
    let data = folder.path().join("data");
    fails(
        parlour(&["backup"], &url, &data, None),
        "There is no database",
    );
    assert!(!data.exists());
}

/// Runs `parlour ARGS` where `place` is a disk of so many kilobytes; nothing where this user may not mount one.
fn on_a_small_disk(
    args: &str,
    place: &Path,
    kilobytes: u32,
    server: &Server,
) -> Option<(String, String)> {
    let script = format!(
        "mount -t tmpfs -o size={kilobytes}k,mode=0700 none '{place}' || exit 77
         '{binary}' {args}; echo code $?; ls -A '{place}'",
        place = place.display(),
        binary = *crate::support::BINARY,
    );
    let output = Command::new("unshare")
        .args(["-m", "sh", "-c", &script])
        .env_clear()
        .env("PATH", std::env::var_os("PATH").unwrap_or_default())
        .env("DATABASE_URL", &server.database.url)
        .env("ENCRYPTION_KEY", KEY)
        .current_dir(server.folder())
        .output();
    let allowed = output.as_ref().is_ok_and(|output| {
        output.stdout.starts_with(b"code") || output.stdout.windows(5).any(|w| w == b"code ")
    });
    if !allowed {
        eprintln!("skipped: a small disk cannot be mounted here: {output:?}");
        return None;
    }
    let output = output.expect("ran");
    let text = |bytes: Vec<u8>| String::from_utf8_lossy(&bytes).into_owned();
    Some((text(output.stdout), text(output.stderr)))
}

#[test]
fn on_a_full_disk_nothing_is_left_and_a_sentence_says_so() {
    let server = serve(Backend::Sqlite);
    let alice = User::register(&server, "alice");
    for n in 0..60 {
        alice
            .post(&format!("{n}{}", "x".repeat(1_000)), None)
            .expect(201);
    }
    let place = tempfile::tempdir().expect("a folder");
    let (to, file) = (
        place.path().join("x.backup"),
        server.folder().join("x.backup"),
    );
    let args = format!("backup --to '{}'", to.display());
    let Some((out, err)) = on_a_small_disk(&args, place.path(), 32, &server) else {
        return;
    };
    assert_eq!(out, "code 1\n", "{err}");
    assert!(
        err.contains("the disk is full. No backup was made"),
        "{err}"
    );

    succeeds(backup(&server, &file));
    let args = format!(
        "restore '{}' --database-url sqlite://{}/parlour.db --data-dir '{1}'",
        file.display(),
        place.path().display()
    );
    let (out, err) = on_a_small_disk(&args, place.path(), 64, &server).expect("as before");
    assert_eq!(out, "code 1\nparlour.db.lock\n", "{err}");
    assert!(
        err.contains("the disk is full. Nothing was changed"),
        "{err}"
    );
}

#[test]
fn a_backup_of_a_damaged_database_is_refused() {
    let mut server = serve(Backend::Sqlite);
    let alice = User::register(&server, "alice");
    for n in 0..40 {
        alice
            .post(&format!("{n}{}", "x".repeat(1_000)), None)
            .expect(201);
    }
    server.terminate();
    // No one has it open now.
    let path = server.database.file().to_owned();
    // The page from which all messages are reached: one from somewhere may be an index, which a backup does not need.
    let root = server
        .database
        .query("SELECT CAST(rootpage AS TEXT) AS value FROM sqlite_master WHERE type = 'table' AND name = 'messages'");
    let root: usize = root[0]
        .as_ref()
        .and_then(|n| n.parse().ok())
        .expect("a page");
    let mut bytes = fs::read(&path).expect("reads");
    bytes[(root - 1) * 4096..root * 4096].fill(0x5a);
    let mut file = fs::File::create(&path).expect("opens");
    file.write_all(&bytes).expect("writes");
    let to = server.folder().join("x.backup");
    fails(backup(&server, &to), "No backup was made");
    assert!(!to.exists());
}

/// One that was damaged years ago would otherwise be in each backup, and the last that still had it be thrown away.
fn a_text_that_does_not_open_is_told_by_backup_and_doctor(backend: Backend) {
    let server = serve(backend);
    let alice = User::register(&server, "alice");
    for n in 1..=5 {
        alice.post(&format!("m{n}"), None).expect(201);
    }
    let (url, data) = (&server.database.url, server.data_dir());
    let doctor = || parlour(&["doctor", "--port", "0"], url, &data, Some(KEY));
    let said = doctor().stdout;
    assert!(said.contains("Every message opens"), "{said}");
    let whole = server.folder().join("whole.backup");
    succeeds(backup(&server, &whole));
    // A row that was exchanged for another text; two of them.
    server
        .database
        .execute("UPDATE messages SET content = 'x' || content WHERE id IN (2, 4)");
    let file = server.folder().join("damaged.backup");
    let made = backup(&server, &file);
    assert_eq!(made.status.code(), Some(3), "{made:?}");
    assert!(made.stdout.contains("5 messages"), "{made:?}");
    assert!(
        made.stderr.contains("2 texts in it cannot be opened")
            && made.stderr.contains("message 2 of room general"),
        "{made:?}"
    );
    let found = doctor();
    assert_eq!(found.status.code(), Some(1), "{found:?}");
    assert!(
        found.stdout.contains("2 of the messages cannot be opened")
            && found.stdout.contains("message 2 of room general"),
        "{found:?}"
    );
    // It is worth having: the rest comes back.
    let other = Server::with(backend).env("ENCRYPTION_KEY", KEY).start();
    let (url, data) = (other.database.url.clone(), other.data_dir());
    let mut other = other;
    other.terminate();
    let path = file.display().to_string();
    succeeds(parlour(&["restore", &path], &url, &data, Some(KEY)));
    other.start_again();
    let mut again = User {
        addr: other.addr,
        ..alice
    };
    again.log_in();
    let texts: Vec<_> = again.history();
    let texts: Vec<_> = texts.iter().map(|message| &message["content"]).collect();
    assert_eq!(texts, ["m1", "", "m3", "", "m5"]);
}

/// A copy of the file alone, without what is in its log, looks like a chat that no one has used.
fn a_backup_of_nothing_says_that_it_is_empty(backend: Backend) {
    let server = serve(backend);
    let file = server.folder().join("empty.backup");
    let said = succeeds(backup(&server, &file));
    assert!(said.contains("THE BACKUP IS EMPTY"), "{said}");
    User::register(&server, "alice");
    let file = server.folder().join("used.backup");
    let said = succeeds(backup(&server, &file));
    assert!(!said.contains("EMPTY"), "{said}");
}

fn a_backup_that_a_restore_would_refuse_says_so(backend: Backend) {
    let server = serve(backend);
    let alice = User::register(&server, "alice");
    let id = post(&alice, "hello", "c-1", 201);
    let saved = format!("/api/saved/general/{id}");
    alice.ask("PUT", &saved, &[], &Value::Null).expect(204);
    let folder = tempfile::tempdir().expect("a folder");
    succeeds(backup(&server, &folder.path().join("sound.backup")));
    let faults = match backend {
        Backend::Sqlite => {
            // Whoever opens the file with something else has no foreign keys.
            server
                .database
                .execute("PRAGMA foreign_keys = OFF; DELETE FROM messages");
            "1 rows of saved name a row of messages that is not there"
        }
        // PostgreSQL lets nothing dangle, and keeps times that no calendar shows.
        Backend::Postgres => {
            server
                .database
                .execute("UPDATE messages SET created_at = 'infinity'");
            "1 rows of messages hold a time that no clock shows"
        }
    };
    let path = folder.path().join("doubtful.backup");
    let made = backup(&server, &path);
    assert_eq!(made.status.code(), Some(3), "{made:?}");
    let told = format!("{}{}", made.stdout, made.stderr);
    assert!(told.contains(faults), "{told}");
    assert!(told.contains("Keep the older backups"), "{told}");
    assert!(path.exists(), "it may be better than nothing");
}
