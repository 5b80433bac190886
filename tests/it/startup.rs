//! A start that cannot go well says in one sentence what to do; a start without any settings makes good keys.

use std::{
    fs,
    net::TcpListener,
    os::unix::fs::{MetadataExt as _, PermissionsExt as _, symlink},
    path::Path,
    process::Command,
};

use crate::support::{Backend, Finished, Server, User, run};

on_both![
    keys_are_made_once_and_used_again,
    another_encryption_key_is_noticed,
    a_lost_encryption_key_is_noticed,
];

const GOOD_KEY: &str = "q83vEjRWeJCrze8SNFZ4kKvN7xI0VniQq83vEjRWeJA=";

/// One sentence, and the exit code of a configuration error.
fn expect_sentence(ended: &Finished, words: &str, case: &str) {
    assert_eq!(ended.status.code(), Some(2), "{case}: {ended:?}");
    assert!(ended.stdout.is_empty(), "{case}: {ended:?}");
    assert!(
        ended.stderr.contains(words),
        "{case} does not say {words:?}: {}",
        ended.stderr
    );
    assert!(
        !ended.stderr.contains("panicked"),
        "{case}: {}",
        ended.stderr
    );
}

#[test]
fn a_wrong_setting_is_one_sentence_and_exit_code_2() {
    let folder = tempfile::tempdir().expect("a folder");
    for (name, value, words) in [
        (
            "DATABASE_URL",
            "mysql://localhost/chat",
            "sqlite:// or postgres://",
        ),
        ("DATABASE_URL", "parlour.db", "sqlite:// or postgres://"),
        ("SECRET_KEY", "short", "SECRET_KEY is too short"),
        (
            "SECRET_KEY",
            "0123456789012345678901234567890",
            "SECRET_KEY is too short",
        ),
        ("ENCRYPTION_KEY", "short", "ENCRYPTION_KEY is too short"),
        (
            "ENCRYPTION_KEY",
            "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
            "ENCRYPTION_KEY looks like a sample",
        ),
        (
            "SECRET_KEY",
            "your-secret-key-here-change-in-production",
            "SECRET_KEY looks like a sample",
        ),
        ("HOST", "0.0.0.0", "TLS"),
        ("HOST", "::", "TLS"),
        ("HOST", "192.0.2.7", "TLS"),
        ("HOST", "here", "HOST"),
        ("PORT", "65536", "PORT"),
        ("PORT", "http", "PORT"),
        ("PORT", "-1", "PORT"),
        ("BCRYPT_COST", "3", "BCRYPT_COST"),
        ("BCRYPT_COST", "32", "BCRYPT_COST"),
        (
            "ACCESS_TOKEN_EXPIRE_MINUTES",
            "0",
            "ACCESS_TOKEN_EXPIRE_MINUTES",
        ),
        (
            "ACCESS_TOKEN_EXPIRE_MINUTES",
            "thirty",
            "ACCESS_TOKEN_EXPIRE_MINUTES",
        ),
        ("DATABASE_POOL_SIZE", "0", "DATABASE_POOL_SIZE"),
        ("WORKERS", "0", "WORKERS"),
        ("RATE_LIMITS", "maybe", "RATE_LIMITS"),
        ("LOG_FORMAT", "xml", "LOG_FORMAT"),
        ("CORS_ORIGINS", "*", "CORS_ORIGINS"),
        ("CORS_ORIGINS", "https://a.example/path", "CORS_ORIGINS"),
        ("TRUSTED_PROXIES", "proxy.local", "TRUSTED_PROXIES"),
        ("MAX_FRAME_BYTES", "1024", "MAX_FRAME_BYTES"),
        ("DATA_DIR", "/proc/nothing", "DATA_DIR"),
        ("TLS_CERT", "/nowhere.pem", "TLS_KEY is not"),
        ("TLS_KEY", "/nowhere.pem", "TLS_CERT is not"),
    ] {
        // The flag says the same as the variable.
        let case = format!("{name}={value}");
        let ended = run(&["serve"], &[("PORT", "0"), (name, value)], folder.path());
        expect_sentence(&ended, words, &case);
        let lines = ended.stderr.lines().filter(|line| !line.is_empty()).count();
        assert!(lines <= 4, "{case}: more than a sentence: {}", ended.stderr);
    }
    let bare = run(
        &["serve"],
        &[
            ("PORT", "0"),
            ("DATABASE_URL", "postgres://u:hunter2@127.0.0.1:1/x"),
            ("DATABASE_WAIT_SECONDS", "1"),
        ],
        folder.path(),
    );
    assert!(
        !bare.status.success() && !bare.stderr.contains("hunter2"),
        "{bare:?}"
    );
}

#[test]
fn a_broken_env_file_is_told_without_its_content() {
    let folder = tempfile::tempdir().expect("a folder");
    fs::write(
        folder.path().join(".env"),
        "SECRET_KEY=\"hunter2 is not closed\nPORT=0\n",
    )
    .expect("writes");
    let ended = run(&["serve"], &[], folder.path());
    expect_sentence(&ended, ".env", "a broken .env");
    assert!(!ended.stderr.contains("hunter2"), "{ended:?}");
}

#[test]
fn a_setting_comes_from_the_flag_then_the_environment_then_the_file() {
    let folder = tempfile::tempdir().expect("a folder");
    fs::write(folder.path().join(".env"), "PORT=from-the-file\n").expect("writes");
    let said = |args: &[&str], env: &[(&str, &str)]| run(args, env, folder.path()).stderr;
    assert!(said(&["serve"], &[]).contains("from-the-file"));
    assert!(said(&["serve"], &[("PORT", "from-the-environment")]).contains("from-the-environment"));
    let both = said(
        &["serve", "--port", "from-the-flag"],
        &[("PORT", "from-the-environment")],
    );
    assert!(both.contains("from-the-flag"), "{both}");
}

fn mode(path: &Path) -> u32 {
    fs::metadata(path).expect("is there").permissions().mode() & 0o777
}

fn keys_are_made_once_and_used_again(backend: Backend) {
    let mut server = Server::start(backend);
    let alice = User::register(&server, "alice");
    alice.post("kept", None).expect(201);
    let keys = ["secret_key", "encryption_key"].map(|name| server.data_dir().join(name));
    let read = || {
        keys.each_ref()
            .map(|path| fs::read_to_string(path).expect("a key"))
    };
    let before = read();
    assert_ne!(before[0], before[1]);
    for (path, key) in keys.iter().zip(&before) {
        assert_eq!(mode(path), 0o600, "{}", path.display());
        assert!(key.trim().len() >= 43, "{} is short", path.display());
        assert_eq!(
            fs::metadata(path).expect("is there").uid(),
            fs::metadata(server.folder()).expect("is there").uid()
        );
        assert!(!server.log().contains(key.trim()) && !server.stdout().contains(key.trim()));
        // It is said where the key lies: it must be backed up.
        assert!(
            server.log().contains(&path.display().to_string()),
            "{}",
            server.log()
        );
    }
    server.restart();
    assert_eq!(read(), before);
    assert_eq!(
        alice.page("")[0]["content"],
        "kept",
        "the login and the text outlive the process"
    );
    server.restart();
    assert_eq!(
        server.log().matches("made a new").count(),
        2,
        "{}",
        server.log()
    );
}

/// With the wrong key the server must not pretend that all is well, and must destroy nothing.
fn another_encryption_key_is_noticed(backend: Backend) {
    let mut server = Server::start(backend);
    let alice = User::register(&server, "alice");
    alice.post("sealed with the first key", None).expect(201);
    let first = fs::read_to_string(server.data_dir().join("encryption_key")).expect("a key");
    server.kill9();
    server.set_env("ENCRYPTION_KEY", GOOD_KEY);
    let said = server
        .try_start_again()
        .expect_err("it must not start with a key that opens nothing");
    let kept = server.data_dir().join("encryption_key");
    let advice = format!(
        "the key in {} does: take ENCRYPTION_KEY out of .env",
        kept.display()
    );
    assert!(said.contains(&advice), "{said}");
    assert!(
        !said.contains(GOOD_KEY) && !said.contains(first.trim()),
        "{said}"
    );
    // The first key after the new one: new messages are sealed with the new one, old ones are opened.
    server.set_env("ENCRYPTION_KEY", format!("{GOOD_KEY},{}", first.trim()));
    server.start_again();
    alice.post("sealed with the second key", None).expect(201);
    let contents: Vec<_> = alice
        .history()
        .iter()
        .map(|message| message["content"].clone())
        .collect();
    assert_eq!(
        contents,
        ["sealed with the first key", "sealed with the second key"]
    );
}

/// A new key would open nothing, and would lie where the right one belongs.
fn a_lost_encryption_key_is_noticed(backend: Backend) {
    let mut server = Server::start(backend);
    User::register(&server, "alice")
        .post("sealed", None)
        .expect(201);
    server.kill9();
    let path = server.data_dir().join("encryption_key");
    let kept = fs::read(&path).expect("a key");
    fs::remove_file(&path).expect("removes");
    let said = server
        .try_start_again()
        .expect_err("it must not start without the key");
    let advice = format!("put {} back from where you keep the key", path.display());
    assert!(said.contains(&advice), "{said}");
    assert!(!path.exists(), "a useless key was made");
    fs::write(&path, kept).expect("writes");
    server.start_again();
}

#[test]
fn a_key_file_that_holds_no_key_is_refused() {
    let folder = tempfile::tempdir().expect("a folder");
    fs::create_dir(folder.path().join("data")).expect("makes");
    fs::write(folder.path().join("data/secret_key"), "garbage\n").expect("writes");
    let ended = run(&["serve"], &[("PORT", "0")], folder.path());
    expect_sentence(&ended, "secret_key is shorter than", "a broken key file");
    assert!(!ended.stderr.contains("garbage"), "{ended:?}");
}

#[test]
fn a_port_that_is_taken_is_noticed_before_anything_is_made() {
    let folder = tempfile::tempdir().expect("a folder");
    let other = TcpListener::bind("127.0.0.1:0").expect("a port");
    let port = other.local_addr().expect("an address").port().to_string();
    let ended = run(&["serve"], &[("PORT", &port)], folder.path());
    expect_sentence(&ended, "choose another HOST or PORT", "a taken port");
    let made: Vec<_> = fs::read_dir(folder.path().join("data"))
        .map(|entries| entries.flatten().map(|entry| entry.path()).collect())
        .unwrap_or_default();
    assert!(made.is_empty(), "{made:?}");
}

#[test]
fn a_folder_that_is_made_is_private() {
    let folder = tempfile::tempdir().expect("a folder");
    let data = folder.path().join("deep").join("data");
    let server = Server::with(Backend::Sqlite)
        .env("DATA_DIR", data.display())
        .start();
    assert_eq!(mode(&data), 0o700);
    let database = server.database.file();
    assert!(database.exists());
    assert_eq!(
        server.stdout(),
        format!("Parlour is listening on http://{}\n", server.addr)
    );
}

/// A pipe would be waited for, and a device has no end.
#[test]
fn what_is_no_file_is_not_read_for_a_key() {
    let folder = tempfile::tempdir().expect("a folder");
    let data = folder.path().join("data");
    for name in ["secret_key", "encryption_key"] {
        fs::create_dir_all(&data).expect("a folder");
        let key = data.join(name);
        for kind in ["pipe", "device"] {
            if kind == "pipe" {
                let made = Command::new("mkfifo").arg(&key).status();
                assert!(made.is_ok_and(|status| status.success()));
            } else {
                symlink("/dev/zero", &key).expect("a link");
            }
            let ended = run(&["serve"], &[], folder.path());
            expect_sentence(
                &ended,
                "a pipe, a device or a socket",
                &format!("{name}, a {kind}"),
            );
            fs::remove_file(&key).expect("removes");
        }
        fs::remove_dir_all(&data).expect("removes");
    }
}

#[test]
fn a_history_that_is_no_file_delays_no_start() {
    let mut server = Server::start(Backend::Sqlite);
    server.terminate();
    let history = server.data_dir().join("history");
    fs::remove_file(&history).expect("is there");
    let made = Command::new("mkfifo").arg(&history).status();
    assert!(made.is_ok_and(|status| status.success()));
    server.start_again();
    User::register(&server, "alice")
        .post("hello", None)
        .expect(201);
}

#[test]
fn a_key_that_others_can_change_is_named_at_the_start() {
    let mut server = Server::start(Backend::Sqlite);
    assert!(!server.log().contains("can be changed by other users"));
    server.terminate();
    let key = server.data_dir().join("secret_key");
    fs::set_permissions(&key, fs::Permissions::from_mode(0o622)).expect("a mode");
    server.start_again();
    server.await_log("can be changed by other users");
}
