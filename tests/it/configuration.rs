//! What people write into `.env`, compose files and flags is taken as it is written, or told by a sentence that says what to
//! do.

use std::{fs, path::Path};

use crate::{
    settings::settings_of_the_program,
    support::{Backend, Database, Finished, Server, User, run},
};

const KEY: &str = "q83vEjRWeJCrze8SNFZ4kKvN7xI0VniQq83vEjRWeJA=";

fn doctor(folder: &Path, env: &[(&str, &str)]) -> Finished {
    run(&["doctor", "--port", "0"], env, folder)
}

#[track_caller]
fn expect_line(ended: &Finished, verdict: &str, words: &str) {
    let is_there = ended
        .stdout
        .lines()
        .any(|line| line.starts_with(verdict) && line.contains(words));
    assert!(
        is_there,
        "no {verdict} with {words:?} in\n{}{}",
        ended.stdout, ended.stderr
    );
}

#[track_caller]
fn expect_sentence(ended: &Finished, words: &str) {
    assert_eq!(ended.status.code(), Some(2), "{ended:?}");
    assert!(
        ended.stderr.contains(words),
        "no {words:?} in {}",
        ended.stderr
    );
    assert!(ended.stdout.is_empty(), "{ended:?}");
}

fn with_env_file(content: impl AsRef<[u8]>) -> tempfile::TempDir {
    let folder = tempfile::tempdir().expect("a folder");
    fs::write(folder.path().join(".env"), content).expect("writes");
    folder
}

#[test]
fn what_is_set_but_empty_is_not_set() {
    let folder = tempfile::tempdir().expect("a folder");
    let names: Vec<String> = settings_of_the_program().into_keys().collect();
    assert!(names.len() > 20, "{names:?}");
    for empty in ["", "  "] {
        let env: Vec<(&str, &str)> = names.iter().map(|name| (name.as_str(), empty)).collect();
        let ended = doctor(folder.path(), &env);
        assert_eq!(ended.status.code(), Some(0), "{ended:?}");
        expect_line(&ended, "ok", "SECRET_KEY is not given");
        expect_line(&ended, "ok", "The settings fit together");
    }
    // In the file too; and what the environment leaves empty, the file may set.
    let lines: String = names
        .iter()
        .fold(String::new(), |all, name| all + name + "=\n");
    let folder = with_env_file(lines);
    let ended = doctor(folder.path(), &[]);
    assert_eq!(ended.status.code(), Some(0), "{ended:?}");
    let folder = with_env_file("PORT=from-the-file\n");
    let ended = run(&["serve"], &[("PORT", "")], folder.path());
    expect_sentence(&ended, "from-the-file");
}

#[test]
fn the_env_file_is_taken_as_it_is_written() {
    for (line, expected) in [
        ("DATA_DIR=da$ta", "da$ta"),
        ("DATA_DIR=\"da$ta\"", "da$ta"),
        ("DATA_DIR='da${ta}'", "da${ta}"),
        ("DATA_DIR=a$$b$", "a$$b$"),
        ("DATA_DIR=a\\b", "a\\b"),
        ("DATA_DIR=two words", "two words"),
        ("DATA_DIR=a#b", "a#b"),
        ("DATA_DIR=plain # a comment", "plain"),
        ("export DATA_DIR=plain\r", "plain"),
        ("\u{feff}DATA_DIR=plain", "plain"),
        ("DATA_DIR=first\nDATA_DIR=last", "last"),
    ] {
        let folder = with_env_file(format!("{line}\n"));
        let ended = doctor(folder.path(), &[]);
        assert_eq!(ended.status.code(), Some(0), "{line}: {ended:?}");
        let told = format!("DATA_DIR {expected} is not there yet");
        expect_line(&ended, "ok", &told);
    }
}

#[test]
fn a_bad_line_of_the_env_file_is_told_by_its_number() {
    let utf16: Vec<u8> = "\u{feff}PORT=0\n"
        .encode_utf16()
        .flat_map(u16::to_le_bytes)
        .collect();
    for (content, words) in [
        (&b"PORT=0\n# fine\nhunter2\n"[..], "Line 3 of .env"),
        (b"PORT=0\nSECRET_KEY: hunter2\n", "Line 2 of .env"),
        (b"PORT=0\n\nSECRET_KEY=\"hunter2\n", "line 3 of .env"),
        (b"PORT=0\nSECRET_KEY='hunter2'x\n", "Line 2 of .env"),
        (
            b"PORT=0\nSECRET_KEY=hunter2\xfc\n",
            "Line 2 of .env is not UTF-8",
        ),
        (&utf16, "UTF-16"),
    ] {
        let folder = with_env_file(content);
        let ended = run(&["serve"], &[], folder.path());
        expect_sentence(&ended, words);
        assert!(!ended.stderr.contains("hunter2"), "{ended:?}");
    }
}

#[test]
fn a_name_that_is_nearly_a_setting_is_told() {
    let folder = with_env_file("# mine\nPROT=9000\nDATABSE_URL=x\nPOSTGRES_PASSWORD=x\n");
    let ended = doctor(
        folder.path(),
        &[("SECERT_KEY", "x"), ("HSOT", "x"), ("HOME", "/root")],
    );
    assert_eq!(ended.status.code(), Some(0), "{ended:?}");
    for words in [
        ".env sets PROT in line 2, which is no setting of Parlour: PORT is.",
        "DATABSE_URL in line 3",
        "The environment sets SECERT_KEY",
        "The environment sets HSOT, which is no setting of Parlour: HOST is.",
    ] {
        expect_line(&ended, "warning", words);
    }
    assert_eq!(
        ended.stdout.matches("no setting of Parlour").count(),
        4,
        "{}",
        ended.stdout
    );
    let server = Server::with(Backend::Sqlite)
        .env("ENCRYPTON_KEY", KEY)
        .start();
    server.await_log(
        "The environment sets ENCRYPTON_KEY, which is no setting of Parlour: ENCRYPTION_KEY is.",
    );
}

/// Names that desktops, shells, containers, clouds and build machines set.
#[test]
fn an_ordinary_environment_is_no_mistake() {
    const ORDINARY: &str = "PATH HOME HOSTNAME HOSTTYPE LANG LANGUAGE LC_ALL TERM TERMINFO LOGNAME USER USERNAME PWD OLDPWD SHELL \
        SHLVL TZ TMPDIR EDITOR VISUAL PAGER MAIL MAILTO DISPLAY WAYLAND_DISPLAY COLORTERM COLUMNS LINES DATABASE POSTGRES_HOST \
        POSTGRES_PORT POSTGRES_USER POSTGRES_PASSWORD POSTGRES_DB PGHOST PGPORT PGUSER PGDATABASE PGPASSWORD REDIS_URL \
        DB_HOST DB_PORT DB_NAME DB_USER HTTP_PROXY HTTPS_PROXY NO_PROXY http_proxy https_proxy no_proxy INVOCATION_ID \
        JOURNAL_STREAM NOTIFY_SOCKET MAINPID LISTEN_FDS SYSTEMD_EXEC_PID DBUS_SESSION_BUS_ADDRESS XDG_RUNTIME_DIR \
        XDG_SESSION_ID XDG_DATA_DIRS XDG_DATA_HOME XDG_CONFIG_HOME XDG_STATE_HOME SSH_CLIENT SSH_CONNECTION SSH_TTY \
        SSH_AUTH_SOCK CI GITHUB_TOKEN GITHUB_ACTIONS RUST_BACKTRACE CARGO_HOME RUSTUP_HOME KUBERNETES_SERVICE_HOST \
        KUBERNETES_SERVICE_PORT KUBERNETES_PORT DYNO WEB_CONCURRENCY RAILWAY_ENVIRONMENT FLY_APP_NAME RENDER \
        AWS_REGION AWS_ACCESS_KEY_ID AWS_SECRET_ACCESS_KEY GOOGLE_APPLICATION_CREDENTIALS NODE_ENV SECRET API_KEY APP_KEY \
        HOSTS PORTS WORKER WORKERS_COUNT SSL_CERT_FILE SSL_CERT_DIR GPG_KEY PYTHON_VERSION DEBIAN_FRONTEND TLS_VERSION";
    let folder = tempfile::tempdir().expect("a folder");
    let env: Vec<(&str, &str)> = ORDINARY
        .split_whitespace()
        .filter(|name| *name != "PATH")
        .map(|name| (name, "/nowhere"))
        .collect();
    let ended = doctor(folder.path(), &env);
    assert!(
        !ended.stdout.contains("no setting of Parlour"),
        "{}",
        ended.stdout
    );
}

#[test]
fn an_env_file_that_is_a_pipe_or_a_device_is_refused_and_not_waited_for() {
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join(".env");
    rustix::fs::mknodat(
        rustix::fs::CWD,
        &file,
        rustix::fs::FileType::Fifo,
        rustix::fs::Mode::RUSR,
        0,
    )
    .expect("a pipe");
    let refused = ".env is a pipe, a device or a socket";
    expect_sentence(&doctor(folder.path(), &[]), refused);
    fs::remove_file(&file).expect("removes");
    std::os::unix::fs::symlink("/dev/zero", &file).expect("links");
    expect_sentence(&doctor(folder.path(), &[]), refused);
}

#[test]
fn a_value_that_is_not_right_is_told_in_words_for_people() {
    let folder = tempfile::tempdir().expect("a folder");
    for (args, env, words) in [
        (
            &["serve"][..],
            &[("PORT", "http")][..],
            "PORT (or --port <PORT>) may not be `http`: it is a whole number from 0 to 65535.",
        ),
        (&["serve"], &[("PORT", "70000")], "from 0 to 65535"),
        (
            &["serve", "--workers", "many"],
            &[],
            "WORKERS (or --workers <N>) may not be `many`: it is a whole number from 1 to 256.",
        ),
        (&["serve"], &[("BCRYPT_COST", "3")], "from 4 to 16"),
        (
            &["serve"],
            &[("HOST", "here")],
            "it is an IP address, like 127.0.0.1",
        ),
        (
            &["serve"],
            &[("RATE_LIMITS", "maybe")],
            "RATE_LIMITS (or --rate-limits <on|off>) may not be `maybe`: it may be on or off.",
        ),
        (
            &["serve"],
            &[("RUST_LOG", "inof")],
            "RUST_LOG (or --rust-log) holds `inof`",
        ),
        (
            &["serve"],
            &[("RUST_LOG", "parlour=loud")],
            "error, warn, info, debug or trace",
        ),
        (
            &["tui", "--server", "chat.example"],
            &[],
            "PARLOUR_SERVER (or --server <URL>) may not be `chat.example`: give the address",
        ),
        (
            &["tail", "--lines", "few"],
            &[],
            "--lines <N> may not be `few`: give a whole number",
        ),
        (
            &["completions", "cmd"],
            &[],
            "may not be `cmd`: it may be bash",
        ),
        (
            &["backup", "--to", ""],
            &[],
            "--to <FILE> may not be empty: give a value, or leave it out.",
        ),
        (
            &["backup", "--to"],
            &[],
            "--to <FILE> may not be empty: give a value, or leave it out.",
        ),
        (
            &["restore", ""],
            &[],
            "<FILE> may not be empty: give a value.",
        ),
        (
            &["serve", "--port", ""],
            &[],
            "PORT (or --port <PORT>) may not be empty: it is a whole number from 0 to 65535.",
        ),
        (
            &["serve", "--rate-limits", ""],
            &[],
            "RATE_LIMITS (or --rate-limits <on|off>) may not be empty: it may be on or off.",
        ),
    ] {
        let ended = run(args, env, folder.path());
        expect_sentence(&ended, words);
        for inner in ["invalid", "digit", "relative", "..=", " SERVER", "LINES"] {
            assert!(!ended.stderr.contains(inner), "{inner} in {}", ended.stderr);
        }
    }
}

#[test]
fn a_damaged_encryption_key_is_told_before_it_is_used() {
    let folder = tempfile::tempdir().expect("a folder");
    let quoted = format!("\"{KEY}\"");
    for (key, words) in [
        (quoted.as_str(), "is a Fernet key with quotes"),
        (&KEY[..42], "looks like a Fernet key and is none"),
        (
            "any text that is as long as this one is",
            "is no Fernet key",
        ),
    ] {
        let ended = doctor(folder.path(), &[("ENCRYPTION_KEY", key)]);
        expect_line(&ended, "warning", words);
        assert!(!ended.stdout.contains(&KEY[..12]), "{ended:?}");
    }
    let ended = doctor(folder.path(), &[("ENCRYPTION_KEY", KEY)]);
    assert!(
        ended.stdout.contains("no problems, no warnings"),
        "{ended:?}"
    );
    let server = Server::with(Backend::Sqlite)
        .env("ENCRYPTION_KEY", &quoted)
        .start();
    server.await_log("ENCRYPTION_KEY is a Fernet key with quotes");
    assert!(!server.log().contains(&KEY[..12]));
}

#[test]
fn what_psql_takes_for_a_url_is_taken() {
    let folder = tempfile::tempdir().expect("a folder");
    let database = Database::make(Backend::Postgres, folder.path());
    let url = url::Url::parse(&database.url).expect("a URL");
    let (host, port) = (url.host_str().expect("a host"), url.port().unwrap_or(5432));
    let user = url.username();
    let password = url.password().unwrap_or_default();
    let name = url.path();
    for spelled in [
        format!("postgres://{user}:{password}@{name}?host={host}&port={port}"),
        format!("postgresql://{host}:{port}{name}?user={user}&password={password}"),
        format!("postgres://{user}:{password}@{host}:1,{host}:{port}{name}"),
        format!(
            "postgres://{user}:{password}@{host}:{port}/?dbname={}&options=-csearch_path%3Dpublic",
            &name[1..]
        ),
    ] {
        let ended = doctor(folder.path(), &[("DATABASE_URL", &spelled)]);
        assert_eq!(ended.status.code(), Some(0), "{spelled}: {ended:?}");
        expect_line(&ended, "ok", "pending: ");
    }
}

#[test]
fn a_parameter_that_postgresql_does_not_know_is_named() {
    let folder = tempfile::tempdir().expect("a folder");
    for (behind, words) in [
        ("?schema=chat", "`schema`"),
        ("?pgbouncer=true", "`pgbouncer`"),
        (
            "?connect_timeout=2&connection_limit=5",
            "`connection_limit`",
        ),
    ] {
        let url = format!("postgres://u:hunter2@127.0.0.1:1/x{behind}");
        let ended = run(
            &["serve"],
            &[("PORT", "0"), ("DATABASE_URL", &url)],
            folder.path(),
        );
        expect_sentence(&ended, words);
        assert!(!ended.stderr.contains("hunter2"), "{ended:?}");
    }
    if !cfg!(feature = "pg-tls") {
        let url = "postgres://u:hunter2@127.0.0.1:1/x?sslmode=require";
        let ended = run(
            &["serve"],
            &[("PORT", "0"), ("DATABASE_URL", url)],
            folder.path(),
        );
        expect_sentence(&ended, "--features pg-tls");
    }
}

#[test]
fn a_folder_that_cannot_be_used_is_told_by_serve_and_doctor_alike() {
    let folder = tempfile::tempdir().expect("a folder");
    for set in ["/proc/x", "/proc", "~/chat", "~", "$HOME/chat"] {
        let env = [("DATA_DIR", set), ("PORT", "0")];
        let served = run(&["serve"], &env, folder.path());
        expect_sentence(&served, "DATA_DIR");
        let looked = doctor(folder.path(), &env);
        assert_eq!(looked.status.code(), Some(1), "{set}: {looked:?}");
        expect_line(&looked, "problem", "DATA_DIR");
    }
    let made: Vec<_> = fs::read_dir(folder.path()).expect("a folder").collect();
    assert!(made.is_empty(), "{made:?}");
}

#[test]
fn apps_with_a_scheme_of_their_own_may_be_allowed() {
    let folder = tempfile::tempdir().expect("a folder");
    for wrong in [
        "https://*.x",
        "*",
        "https://chat.example/x",
        "capacitor://localhost/x",
    ] {
        let env = [("PORT", "0"), ("CORS_ORIGINS", wrong)];
        expect_sentence(&run(&["serve"], &env, folder.path()), "CORS_ORIGINS");
    }
    let server = Server::with(Backend::Sqlite)
        .env(
            "CORS_ORIGINS",
            "capacitor://localhost,HTTPS://Chat.Example:443,",
        )
        .start();
    let alice = User::register(&server, "alice");
    for (origin, allowed) in [
        ("capacitor://localhost", true),
        ("https://chat.example", true),
        ("tauri://localhost", false),
        ("capacitor://localhost.evil.test", false),
    ] {
        let answer = server
            .http()
            .request("GET", "/health", &[("origin", origin)], &[]);
        let reads = answer.header("access-control-allow-origin");
        assert_eq!(reads, allowed.then_some(origin));
        let bearer = format!("Bearer {}", alice.token);
        let headers = [("origin", origin), ("authorization", bearer.as_str())];
        let opened = crate::support::Socket::open(server.addr, "", &headers).map(drop);
        assert_eq!(opened, if allowed { Ok(()) } else { Err(403) }, "{origin}");
    }
}

#[test]
fn who_trusts_everyone_is_told() {
    let folder = tempfile::tempdir().expect("a folder");
    for nets in ["0.0.0.0/0", "::/0", "10.0.0.1,::ffff:0.0.0.0/96"] {
        let ended = doctor(folder.path(), &[("TRUSTED_PROXIES", nets)]);
        expect_line(&ended, "warning", "TRUSTED_PROXIES holds");
    }
    let server = Server::with(Backend::Sqlite)
        .env("TRUSTED_PROXIES", "0.0.0.0/0")
        .start();
    server.await_log("TRUSTED_PROXIES holds 0.0.0.0/0");
}
