//! One server for each database, whatever road leads to it: a second one is refused with a sentence, for two would be two
//! chats that look like one, and on the embedded database each would lose what the other writes.

use std::{
    fs::{self, Permissions},
    os::unix::fs::{MetadataExt as _, PermissionsExt as _, symlink},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    thread,
};

use tempfile::TempDir;

use parlour_lab::rig::server::Launch;

use crate::support::{BINARY, Backend, Finished, Server, User, eventually, run};

on_both![nothing_is_migrated_under_the_hands_of_a_server];

/// `serve` on a database, with a data folder of its own.
fn serve(url: &str, folder: &Path) -> Finished {
    let own = tempfile::tempdir().expect("a folder");
    let data = own.path().display().to_string();
    run(
        &["serve"],
        &[("PORT", "0"), ("DATABASE_URL", url), ("DATA_DIR", &data)],
        folder,
    )
}

#[track_caller]
fn expect_refusal(ended: &Finished, words: &str, road: &str) {
    assert_eq!(ended.status.code(), Some(2), "{road}: {ended:?}");
    assert!(ended.stderr.contains(words), "{road}: {ended:?}");
    assert!(ended.stdout.is_empty(), "{road}: {ended:?}");
}

/// Mounting takes root. Without it the test is skipped, but not in CI.
fn is_root(folder: &Path) -> bool {
    let is_root = fs::metadata(folder).expect("is there").uid() == 0;
    if !is_root {
        println!("skipped: this takes root");
    }
    is_root
}

/// A place that is mounted a second time, as long as this value lives.
struct Bound(PathBuf);

impl Bound {
    fn mount(from: &Path, to: PathBuf) -> Option<Self> {
        let mounted = Command::new("mount")
            .arg("--bind")
            .args([from, &to])
            .stderr(Stdio::null())
            .status()
            .is_ok_and(|status| status.success());
        if !mounted {
            println!("skipped: nothing can be mounted here");
        }
        mounted.then_some(Self(to))
    }
}

impl Drop for Bound {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg("-l").arg(&self.0).status();
    }
}

#[test]
fn a_second_server_is_refused_whatever_road_it_takes() {
    let server = Server::start(Backend::Sqlite);
    let (folder, data) = (server.folder(), server.data_dir());
    let root = folder.display();
    symlink(data.join("parlour.db"), folder.join("file.db")).expect("links");
    symlink("file.db", folder.join("link-of-link.db")).expect("links");
    symlink("data", folder.join("linked")).expect("links");
    let mut roads: Vec<String> = [
        "data/parlour.db",
        "./data/parlour.db",
        "data//parlour.db",
        "data/./parlour.db",
        "data/../data/parlour.db",
        "linked/parlour.db",
        "linked/../file.db",
        "file.db",
        "link-of-link.db",
    ]
    .iter()
    .flat_map(|road| {
        [
            format!("sqlite://{road}"),
            format!("sqlite://{root}/{road}"),
        ]
    })
    .collect();
    fs::create_dir(folder.join("bound")).expect("makes");
    let bound = is_root(folder)
        .then(|| Bound::mount(&data, folder.join("bound")))
        .flatten();
    roads.extend(
        bound
            .iter()
            .map(|_| format!("sqlite://{root}/bound/parlour.db")),
    );
    // Each waits for the first one to end, as in a restart: side by side, then.
    thread::scope(|scope| {
        for road in &roads {
            scope.spawn(move || {
                let ended = serve(road, folder);
                expect_refusal(&ended, "Another Parlour server is using", road);
            });
        }
    });
    User::register(&server, "alice")
        .post("served", None)
        .expect(201);
}

#[test]
fn a_database_with_a_second_name_is_refused() {
    let mut server = Server::start(Backend::Sqlite);
    let alice = User::register(&server, "alice");
    alice.post("before", None).expect(201);
    let (path, other) = (
        server.database.file().to_owned(),
        server.folder().join("other.db"),
    );
    fs::hard_link(&path, &other).expect("links");
    for road in [&other, &path] {
        let url = format!("sqlite://{}", road.display());
        expect_refusal(&serve(&url, server.folder()), "has 2 names", &url);
    }
    // It is not undone behind anyone's back, and a name is not what was stored.
    server.kill9();
    let said = server.try_start_again().expect_err("it has two names");
    assert!(
        said.contains("has 2 names") && said.contains("cp -p"),
        "{said}"
    );
    // What the sentence says helps, also after a crash.
    let advice = format!("cp -p {0} {0}.new && mv {0}.new {0}", path.display());
    assert!(said.contains(&advice), "{said}");
    let done = Command::new("sh")
        .args(["-c", &advice])
        .status()
        .expect("runs");
    assert!(done.success());
    server.start_again();
    assert_eq!(alice.history().len(), 1);
}

#[test]
fn what_is_no_file_beside_the_database_is_named_and_not_waited_for() {
    let mut stopped = Server::start(Backend::Sqlite);
    stopped.terminate();
    for end in ["-wal", "-shm", "-journal", ".lock"] {
        for make in ["mkfifo", "mkdir"] {
            let folder = tempfile::tempdir().expect("a folder");
            let path = folder.path().join("x.db");
            fs::copy(stopped.database.file(), &path).expect("copies");
            let url = format!("sqlite://{}", path.display());
            let name = format!("{}{end}", path.display());
            let made = Command::new(make).arg(&name).status();
            assert!(made.expect("runs").success());
            let words = format!("x.db{end} is not a file");
            expect_refusal(&serve(&url, folder.path()), &words, &name);
            let env = [("DATABASE_URL", url.as_str())];
            for command in [
                &["migrate"][..],
                &["doctor"],
                &["backup"],
                &["users", "list"],
            ] {
                let ended = run(command, &env, folder.path());
                assert!(
                    ended.stdout.contains(&words) || ended.stderr.contains(&words),
                    "{command:?}: {ended:?}"
                );
            }
        }
    }
}

#[test]
fn a_folder_where_history_is_kept_is_named() {
    let mut server = Server::start(Backend::Sqlite);
    server.kill9();
    let history = server.data_dir().join("history");
    fs::remove_file(&history).expect("removes");
    fs::create_dir(&history).expect("makes");
    let said = server.try_start_again().expect_err("it is a folder");
    assert!(
        said.contains("history cannot be written") && !said.contains("DATABASE_URL"),
        "{said}"
    );
}

#[test]
fn a_database_that_is_mounted_alone_is_refused() {
    let server = Server::start(Backend::Sqlite);
    let alone = server.folder().join("alone.db");
    fs::write(&alone, "").expect("writes");
    if !is_root(server.folder()) {
        return;
    }
    let Some(_bound) = Bound::mount(server.database.file(), alone.clone()) else {
        return;
    };
    let url = format!("sqlite://{}", alone.display());
    expect_refusal(&serve(&url, server.folder()), "is mounted by itself", &url);
}

/// Someone who can do no more than read what everyone may read.
struct Stranger(Child);

impl Stranger {
    /// Locks a file and keeps it.
    fn lock(file: &Path) -> Self {
        let child = Command::new("setpriv")
            .args([
                "--reuid",
                "65534",
                "--regid",
                "65534",
                "--clear-groups",
                "--",
            ])
            // Without a child of its own.
            .args(["flock", "--no-fork"])
            .arg(file)
            .args(["sleep", "600"])
            .stdin(Stdio::null())
            .spawn()
            .expect("setpriv runs");
        Self(child)
    }
}

impl Drop for Stranger {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

fn is_locked(file: &Path) -> bool {
    let inode = fs::metadata(file).expect("is there").ino();
    fs::read_to_string("/proc/locks")
        .unwrap_or_default()
        .lines()
        .any(|line| line.contains("FLOCK") && line.contains(&format!(":{inode} ")))
}

fn open_folder() -> TempDir {
    tempfile::Builder::new()
        .permissions(Permissions::from_mode(0o755))
        .tempdir()
        .expect("a folder")
}

#[test]
fn another_user_of_the_machine_cannot_hold_the_lock() {
    let folder = open_folder();
    if !is_root(folder.path()) {
        return;
    }
    let data = folder.path().join("data");
    fs::create_dir(&data).expect("makes");
    fs::set_permissions(&data, Permissions::from_mode(0o755)).expect("opens");
    let lock = data.join("parlour.db.lock");
    // As a version before this one has left it.
    fs::write(&lock, "").expect("writes");
    fs::set_permissions(&lock, Permissions::from_mode(0o644)).expect("opens");
    let stranger = Stranger::lock(&lock);
    eventually("the stranger has the lock", || {
        is_locked(&lock).then_some(())
    });
    let mut server = Server::with(Backend::Sqlite).in_folder(folder).start();
    let mode = fs::metadata(&lock).expect("is there").permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
    assert!(is_locked(&lock), "the server has no lock");
    // The stranger still has the old file, which is of no use any more.
    server.restart();
    drop(stranger);
    let refused = serve(&server.database.url, server.folder());
    expect_refusal(&refused, "Another Parlour server is using", "the same");
}

/// With nothing to do it says so; with something to do it waits, and then says who is in the way.
fn nothing_is_migrated_under_the_hands_of_a_server(backend: Backend) {
    let server = Server::start(backend);
    let data = server.data_dir().display().to_string();
    let env = [
        ("DATA_DIR", data.as_str()),
        ("DATABASE_URL", &server.database.url),
    ];
    let migrate = || run(&["migrate"], &env, server.folder());
    let ended = migrate();
    assert!(
        ended.status.success() && ended.stdout.contains("up to date"),
        "{ended:?}"
    );
    let applied = "SELECT version AS value FROM __diesel_schema_migrations ORDER BY version DESC";
    let last = server.database.query(applied).remove(0).expect("a version");
    server.database.execute(&format!(
        "DELETE FROM __diesel_schema_migrations WHERE version = '{last}'"
    ));
    let ended = migrate();
    assert_eq!(ended.status.code(), Some(2), "{ended:?}");
    assert!(
        ended.stderr.contains("Another Parlour server is using"),
        "{ended:?}"
    );
    assert!(!server.database.query(applied).contains(&Some(last)));
}

#[test]
fn doctor_notices_a_server_on_the_database() {
    let server = Server::start(Backend::Sqlite);
    let doctor = |port: &str| {
        run(
            &["doctor"],
            &[("DATABASE_URL", &server.database.url), ("PORT", port)],
            server.folder(),
        )
        .stdout
    };
    let here = doctor(&server.addr.port().to_string());
    assert!(
        here.contains("ok       A Parlour server is using the database"),
        "{here}"
    );
    let elsewhere = doctor("0");
    assert!(
        elsewhere.contains("warning  A Parlour server is using the database")
            && elsewhere.contains("would be refused"),
        "{elsewhere}"
    );
    // By whatever name it goes.
    fs::hard_link(server.database.file(), server.folder().join("other.db")).expect("links");
    let named = doctor("0");
    assert!(
        named.contains("problem  The database") && named.contains("has 2 names"),
        "{named}"
    );
}

mod a_server_with_another_key_never_waits_for_the_lock {
    use super::*;

    #[test]
    fn postgres() {
        let server = Server::start(Backend::Postgres);
        let ended = serve(&server.database.url, server.folder());
        expect_refusal(&ended, "was sealed with a key that is not there", "its own");
        assert!(!ended.stderr.contains("waiting"), "{ended:?}");
        User::register(&server, "alice")
            .post("served", None)
            .expect(201);
    }
}

mod a_server_that_lost_its_session_keeps_its_lock_from_one_that_waits {
    use super::*;

    #[test]
    fn postgres() {
        let mut server = Server::start(Backend::Postgres);
        let alice = User::register(&server, "alice");
        let key = fs::read_to_string(server.data_dir().join("encryption_key")).expect("a key");
        let own = tempfile::tempdir().expect("a folder");
        let said = own.path().join("said");
        let mut second = Launch::new(BINARY.as_str(), own.path())
            .envs([
                ("DATABASE_URL", server.database.url.as_str()),
                ("ENCRYPTION_KEY", key.trim()),
            ])
            .command(0)
            .stdout(Stdio::null())
            .stderr(fs::File::create(&said).expect("makes"))
            .spawn()
            .expect("starts");
        let says = |words: &str| {
            let text = fs::read_to_string(&said).expect("reads");
            text.contains(words)
        };
        eventually("it waits", || says("waiting up to").then_some(()));
        let name = server.database.name();
        server.database.query(&format!(
            "SELECT pg_terminate_backend(pid)::text AS value FROM pg_stat_activity \
             WHERE datname = '{name}' AND pid <> pg_backend_pid()"
        ));
        let status = eventually("it ends", || second.try_wait().expect("waits"));
        assert_eq!(status.code(), Some(2));
        assert!(says("Another Parlour server is using"));
        assert!(server.is_running(), "{}", server.log());
        eventually("the first one goes on", || {
            (alice.post("served", Some("served")).status < 300).then_some(())
        });
    }
}
