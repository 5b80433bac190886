//! Backups: what was acked before one began is in it, and comes back from it, on the same kind of database or the other;
//! and what is no good is refused before anything is changed.

use std::{
    collections::HashSet,
    fs,
    io::Write as _,
    os::unix::fs::PermissionsExt as _,
    path::{Path, PathBuf},
    process::Command,
    sync::{
        Mutex,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
    thread,
    time::Duration,
};

use diesel::{Connection as _, PgConnection, SqliteConnection};
use diesel_migrations::{FileBasedMigrations, MigrationHarness as _};
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

use crate::support::{Backend, Database, Finished, Server, User, eventually, run, unique};

on_both![
    a_backup_comes_back_whole_on_the_same_kind_of_database,
    a_backup_comes_back_whole_on_the_other_kind_of_database,
    all_that_was_acked_before_a_backup_began_is_in_it,
    a_backup_of_an_older_release_is_brought_up_to_date,
    a_restore_needs_a_stopped_server_and_an_empty_database,
    what_a_restore_replaces_is_kept,
    a_backup_that_is_no_good_is_refused_before_anything_changes,
    a_restore_tells_a_wrong_key_and_says_which_is_needed,
    a_text_that_does_not_open_is_told_by_backup_and_doctor,
    a_backup_of_nothing_says_that_it_is_empty,
];

const KEY: &str = "q83vEjRWeJCrze8SNFZ4kKvN7xI0VniQq83vEjRWeJA=";
const OTHER_KEY: &str = "0Zzr0Zzr0Zzr0Zzr0Zzr0Zzr0Zzr0Zzr0Zzr0Zzr0Zw=";
const SECRET: &str = "3q2-796tvu_erb7v3q2-796tvu_erb7v3q2-796tvu8";

fn serve(backend: Backend) -> Server {
    Server::with(backend)
        .env("ENCRYPTION_KEY", KEY)
        .env("SECRET_KEY", SECRET)
        .start()
}

/// Runs `parlour ARGS` as the operator of that database would.
fn parlour(args: &[&str], url: &str, data_dir: &Path, key: Option<&str>) -> Finished {
    let data_dir = data_dir.display().to_string();
    let mut env = vec![("DATABASE_URL", url), ("DATA_DIR", data_dir.as_str())];
    env.extend(key.map(|key| ("ENCRYPTION_KEY", key)));
    let folder = tempfile::tempdir().expect("a folder");
    run(args, &env, folder.path())
}

fn backup(server: &Server, to: &Path) -> Finished {
    let to = to.display().to_string();
    let args = ["backup", "--to", to.as_str()];
    parlour(&args, &server.database.url, &server.data_dir(), Some(KEY))
}

fn restore(file: &Path, server: &Server, more: &[&str]) -> Finished {
    let file = file.display().to_string();
    let args = [&["restore", file.as_str()], more].concat();
    parlour(&args, &server.database.url, &server.data_dir(), Some(KEY))
}

#[track_caller]
fn succeeds(finished: Finished) -> String {
    assert!(finished.status.success(), "{finished:?}");
    finished.stdout
}

#[track_caller]
fn fails(finished: Finished, words: &str) {
    assert_eq!(finished.status.code(), Some(1), "{finished:?}");
    assert!(finished.stderr.contains(words), "{finished:?}");
    assert_eq!(finished.stderr.lines().count(), 1, "{finished:?}");
}

fn mode(path: &Path) -> u32 {
    fs::metadata(path).expect("is there").permissions().mode() & 0o777
}

fn epoch(user: &User) -> String {
    let socket = user.connect();
    socket.connected["epoch"].as_str().expect("text").to_owned()
}

/// Posts and returns its number; a repeat gets 200.
#[track_caller]
fn post(user: &User, content: &str, client_id: &str, status: u16) -> u64 {
    let answer = user.post(content, Some(client_id)).expect(status).json();
    answer["id"].as_u64().expect("a number")
}

fn a_backup_comes_back_whole_on_the_same_kind_of_database(backend: Backend) {
    comes_back_whole(backend, backend);
}

fn a_backup_comes_back_whole_on_the_other_kind_of_database(backend: Backend) {
    let other = match backend {
        Backend::Sqlite => Backend::Postgres,
        Backend::Postgres => Backend::Sqlite,
    };
    comes_back_whole(backend, other);
}

fn comes_back_whole(from: Backend, into: Backend) {
    let server = serve(from);
    let planted = format!("planted-{}", unique());
    let users = User::register_all(&server, "somebody", 3);
    let texts = [
        "plain".to_owned(),
        "\"quoted\" \\ back\\nslash\n\u{1f310} \u{7} [1,2] {\"a\":null}".into(),
        planted.clone(),
        "é".repeat(5_000),
    ];
    for (n, text) in texts.iter().enumerate() {
        post(&users[n % 3], text, &format!("name \"{n}\" é"), 201);
    }
    users[0].post("without a name", None).expect(201);
    let (before, old_epoch) = (users[0].history(), epoch(&users[0]));

    let file = server.folder().join("x.backup");
    let said = succeeds(backup(&server, &file));
    assert!(said.contains("3 users and 5 messages"), "{said}");
    assert_eq!(mode(&file), 0o600);
    let text = fs::read_to_string(&file).expect("text");
    for secret in [KEY, SECRET, &planted, "refresh_hash"] {
        assert!(!text.contains(secret), "{secret} is in the backup");
    }

    let mut target = serve(into);
    target.terminate();
    succeeds(restore(&file, &target, &[]));
    if into == Backend::Sqlite {
        assert_eq!(mode(target.database.file()), 0o600);
    }
    target.start_again();

    let mut user = users[0].clone();
    user.addr = target.addr;
    // Logins end: one that was ended since the backup must not live again.
    user.http().get("/api/rooms/general/messages").expect(401);
    let refresh = json!({"refresh_token": user.refresh_token});
    user.http().post("/api/auth/refresh", &refresh).expect(401);
    user.log_in();
    assert_eq!(user.history(), before);
    let new_epoch = epoch(&user);
    assert_ne!(
        new_epoch, old_epoch,
        "clients must see that this is another history"
    );
    // A message that was sent before the backup and is sent again after the restore is still one message.
    assert_eq!(post(&user, &texts[0], "name \"0\" é", 200), 1);
    assert_eq!(post(&user, "new", "new", 201), before.len() as u64 + 1);
    target.restart();
    assert_eq!(epoch(&user), new_epoch);
    assert_eq!(user.history().len(), before.len() + 1);
}

/// Posts without an end, and notes what was acked.
struct Load {
    stop: AtomicBool,
    acked: Mutex<Vec<String>>,
    count: AtomicUsize,
}

impl Load {
    fn post(&self, user: &User, writer: usize) {
        for n in 0.. {
            let content = format!("{writer}-{n}");
            let body = json!({"content": content, "client_id": content}).to_string();
            loop {
                if self.stop.load(Ordering::Relaxed) {
                    return;
                }
                let path = "/api/rooms/general/messages";
                match user.http().try_request("POST", path, &[], body.as_bytes()) {
                    Ok(answer) if matches!(answer.status, 200 | 201) => break,
                    // The server may be down: do not spin.
                    _ => thread::sleep(Duration::from_millis(5)),
                }
            }
            self.acked.lock().expect("no writer panicked").push(content);
            self.count.fetch_add(1, Ordering::Relaxed);
        }
    }

    fn so_far(&self) -> Vec<String> {
        self.acked.lock().expect("no writer panicked").clone()
    }
}

fn contents(history: &[Value]) -> HashSet<&str> {
    let all: Vec<&str> = history
        .iter()
        .filter_map(|m| m["content"].as_str())
        .collect();
    let once: HashSet<&str> = all.iter().copied().collect();
    assert_eq!(all.len(), once.len(), "a message is there twice");
    once
}

/// How many backups are made under load, each followed by `kill -9`.
fn rounds() -> usize {
    std::env::var("PARLOUR_TEST_BACKUPS").map_or(2, |text| {
        text.parse().expect("PARLOUR_TEST_BACKUPS is a number")
    })
}

fn has(program: &str) -> bool {
    let found = Command::new(program).arg("--version").output().is_ok();
    assert!(
        found || std::env::var_os("CI").is_none(),
        "{program} is missing"
    );
    found
}

/// A backup of that server's database by the `sqlite3` program.
fn backup_by_sqlite3(server: &Server, to: &Path) {
    let output = Command::new("sqlite3")
        .arg(server.database.file())
        .arg(format!(".backup '{}'", to.display()))
        .output()
        .expect("sqlite3 runs");
    assert!(output.status.success(), "{output:?}");
}

fn all_that_was_acked_before_a_backup_began_is_in_it(backend: Backend) {
    let mut server = serve(backend);
    let with_sqlite3 = backend == Backend::Sqlite && has("sqlite3");
    let users = User::register_all(&server, "writer", 6);
    let load = Load {
        stop: AtomicBool::new(false),
        acked: Mutex::default(),
        count: AtomicUsize::new(0),
    };
    let mut made: Vec<(PathBuf, Vec<String>)> = Vec::new();
    thread::scope(|scope| {
        for (writer, user) in users.iter().enumerate() {
            let load = &load;
            scope.spawn(move || load.post(user, writer));
        }
        for round in 0..rounds() {
            let wanted = load.count.load(Ordering::Relaxed) + 30;
            eventually("the writers are acked", || {
                (load.count.load(Ordering::Relaxed) >= wanted).then_some(())
            });
            let file = server.folder().join(format!("{round}.backup"));
            let before = load.so_far();
            succeeds(backup(&server, &file));
            made.push((file, before));
            server.restart();
            if with_sqlite3 {
                let file = server.folder().join(format!("{round}.db"));
                let before = load.so_far();
                backup_by_sqlite3(&server, &file);
                made.push((file, before));
                server.restart();
            }
        }
        load.stop.store(true, Ordering::Relaxed);
    });
    // The server that was backed up has lost nothing.
    let history = users[0].history();
    let there = contents(&history);
    let acked = load.so_far();
    let lost: Vec<_> = acked
        .iter()
        .filter(|text| !there.contains(text.as_str()))
        .collect();
    assert!(lost.is_empty(), "lost: {lost:?}");
    for (file, before) in &made {
        let file = if file.extension().is_some_and(|end| end == "db") {
            as_backup(file)
        } else {
            file.clone()
        };
        let mut target = serve(backend);
        target.terminate();
        succeeds(restore(&file, &target, &[]));
        target.start_again();
        let mut user = users[0].clone();
        user.addr = target.addr;
        user.log_in();
        let history = user.history();
        let there = contents(&history);
        let lost: Vec<_> = before
            .iter()
            .filter(|text| !there.contains(text.as_str()))
            .collect();
        assert!(lost.is_empty(), "{} lacks {lost:?}", file.display());
    }
    println!(
        "{} backups, {} acked; all there, once",
        made.len(),
        acked.len()
    );
}

/// As docs/OPERATIONS.md says: what another program backed up is turned into a backup, which is restored.
fn as_backup(file: &Path) -> PathBuf {
    let to = file.with_extension("db.backup");
    let url = format!("sqlite://{}", file.display());
    let folder = tempfile::tempdir().expect("a folder");
    let args = ["backup", "--to", to.to_str().expect("text")];
    succeeds(parlour(&args, &url, folder.path(), Some(KEY)));
    to
}

/// A database as the first release made it, with one user and one message.
fn first_release(database: &Database) {
    let folder = tempfile::tempdir().expect("a folder");
    let name = "2026-11-22-000001_first";
    let from = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("migrations")
        .join(name);
    let to = folder.path().join("migrations").join(name);
    fs::create_dir_all(&to).expect("a folder");
    for file in ["up.sql", "down.sql"] {
        fs::copy(from.join(file), to.join(file)).expect("copies");
    }
    let first = FileBasedMigrations::find_migrations_directory_in_path(folder.path());
    let first = first.expect("migrations");
    match database.backend {
        Backend::Sqlite => {
            let path = database.file().display().to_string();
            let mut conn = SqliteConnection::establish(&path).expect("opens");
            conn.run_pending_migrations(first).expect("run");
        }
        Backend::Postgres => {
            let mut conn = PgConnection::establish(&database.url).expect("connects");
            conn.run_pending_migrations(first).expect("run");
        }
    }
    let hash = bcrypt::hash(crate::support::PASSWORD, 4).expect("hashes");
    let vault = fernet::Fernet::new(KEY).expect("a key");
    let (check, text) = (vault.encrypt(b"key-check-1"), vault.encrypt(b"from of old"));
    let at = "2026-11-22 10:00:00.5";
    database.execute(&format!(
        "INSERT INTO facts VALUES ('epoch', 'of-old'), ('key-check-1', '{check}');
         INSERT INTO users VALUES (77, 'Alice', 'alice', '{hash}', NULL, '{at}');
         INSERT INTO memberships VALUES (1, 77, '{at}');
         INSERT INTO messages VALUES (1, 1, 1, 77, 'c', '{text}', '{at}');
         UPDATE rooms SET last_seq = 1;"
    ));
}

fn a_backup_of_an_older_release_is_brought_up_to_date(backend: Backend) {
    let folder = tempfile::tempdir().expect("a folder");
    let old = Database::make(backend, folder.path());
    first_release(&old);
    let file = folder.path().join("old.backup");
    let args = ["backup", "--to", file.to_str().expect("text")];
    succeeds(parlour(&args, &old.url, folder.path(), Some(KEY)));
    let unchanged = "SELECT count(*) || '' AS value FROM __diesel_schema_migrations";
    assert_eq!(
        old.query(unchanged),
        [Some("1".into())],
        "a backup changes nothing"
    );

    let mut target = serve(backend);
    target.terminate();
    succeeds(restore(&file, &target, &[]));
    target.start_again();
    let mut alice = User {
        name: "alice".into(),
        id: 77,
        token: String::new(),
        refresh_token: String::new(),
        addr: target.addr,
    };
    alice.log_in();
    let history = alice.history();
    assert_eq!(history.len(), 1);
    assert_eq!(history[0]["content"], "from of old");
    assert_eq!(history[0]["created_at"], "2026-11-22T10:00:00.500000+00:00");
    assert_eq!(post(&alice, "from of old", "c", 200), 1);
    assert_eq!(post(&alice, "new", "n", 201), 2);
}

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
    // It is whole all the same, so it is there; but somebody should look.
    assert!(
        wrong.stdout.contains("Backed up") && file.exists(),
        "{wrong:?}"
    );
    fails(wrong, "does not open it");
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
    // Nobody has it open now.
    let path = server.database.file().to_owned();
    let mut bytes = fs::read(&path).expect("reads");
    let middle = bytes.len() / 2 / 4096 * 4096;
    bytes[middle..middle + 4096].fill(0x5a);
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

/// A copy of the file alone, without what is in its log, looks like a chat that nobody has used.
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
