//! Backups: what was acked before one began is in it, and comes back from it, on the same kind of database or the other;
//! and what is no good is refused before anything is changed.

mod made;
mod refusals;

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
};

use diesel::{Connection as _, PgConnection, SqliteConnection};
use diesel_migrations::{FileBasedMigrations, MigrationHarness as _};
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

use crate::support::{Backend, Database, Finished, Server, User, eventually, root, run, unique};

on_both![
    a_backup_comes_back_whole_on_the_same_kind_of_database,
    a_backup_comes_back_whole_on_the_other_kind_of_database,
    all_that_was_acked_before_a_backup_began_is_in_it,
    a_backup_of_an_older_release_is_brought_up_to_date,
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
            // The server may be down for a while.
            let is_acked = eventually("it is acked, or no longer wanted", || {
                if self.stop.load(Ordering::Relaxed) {
                    return Some(false);
                }
                let path = "/api/rooms/general/messages";
                let answer = user.http().try_request("POST", path, &[], body.as_bytes());
                answer
                    .is_ok_and(|answer| matches!(answer.status, 200 | 201))
                    .then_some(true)
            });
            if !is_acked {
                return;
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
    let from = root().join("migrations").join(name);
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
    let alice = User::returning(&target, "alice", 77);
    let history = alice.history();
    assert_eq!(history.len(), 1);
    assert_eq!(history[0]["content"], "from of old");
    assert_eq!(history[0]["created_at"], "2026-11-22T10:00:00.500000+00:00");
    assert_eq!(post(&alice, "from of old", "c", 200), 1);
    assert_eq!(post(&alice, "new", "n", 201), 2);
}
