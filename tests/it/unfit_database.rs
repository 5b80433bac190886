//! A database that cannot be served is refused at the start with a sentence that says what to do. (The names of the
//! tests let a run without PostgreSQL leave them out.)

use std::{
    fs,
    net::TcpListener,
    os::unix::fs::PermissionsExt as _,
    path::Path,
    process::{Child, Command, Stdio},
};

use crate::{
    doctor::doctor_of,
    support::{Backend, Cluster, Server, User, eventually, run},
};

on_both![a_database_that_a_newer_parlour_has_changed_is_refused];

#[track_caller]
fn expect_refusal(url: &str, words: &[&str]) {
    let folder = tempfile::tempdir().expect("a folder");
    for command in ["serve", "migrate"] {
        let env = [("PORT", "0"), ("DATABASE_URL", url)];
        let env = if command == "serve" {
            &env[..]
        } else {
            &env[1..]
        };
        let ended = run(&[command], env, folder.path());
        assert_eq!(ended.status.code(), Some(2), "{command}: {ended:?}");
        for words in words {
            assert!(
                ended.stderr.contains(words),
                "{command}: not {words:?}: {ended:?}"
            );
        }
        let lines = ended
            .stderr
            .lines()
            .filter(|line| line.starts_with("parlour:"));
        assert_eq!(lines.count(), 1, "{command}: {ended:?}");
    }
    let ended = run(
        &["doctor"],
        &[("PORT", "0"), ("DATABASE_URL", url)],
        folder.path(),
    );
    assert_eq!(ended.status.code(), Some(1), "doctor: {ended:?}");
    for words in words {
        assert!(
            ended.stdout.contains(words),
            "doctor: not {words:?}: {ended:?}"
        );
    }
}

fn a_database_that_a_newer_parlour_has_changed_is_refused(backend: Backend) {
    let mut server = Server::start(backend);
    server.kill9();
    server.database.execute(
        "INSERT INTO __diesel_schema_migrations (version, run_on) VALUES ('99991231235959', '2026-11-22 00:00:00')",
    );
    expect_refusal(
        &server.database.url,
        &["a newer Parlour (99991231235959)", "use that one"],
    );
}

mod what_postgresql_does_not_allow_is_said {
    use super::*;

    #[test]
    fn postgres() {
        let cluster = Cluster::start();
        cluster.execute("CREATE ROLE guest LOGIN PASSWORD 'guest'");
        let mut url = url::Url::parse(&cluster.url()).expect("a URL");
        url.set_username("guest").expect("sets");
        url.set_password(Some("guest")).expect("sets");
        expect_refusal(
            url.as_str(),
            &[
                "The role guest may not make tables",
                "GRANT CREATE ON SCHEMA public TO guest",
            ],
        );

        cluster.execute("ALTER ROLE guest SET search_path = nowhere");
        expect_refusal(
            url.as_str(),
            &["No schema of the search_path", "search_path"],
        );
        cluster.execute("ALTER ROLE guest RESET search_path");
        cluster.execute("ALTER ROLE guest SET default_transaction_read_only = on");
        expect_refusal(url.as_str(), &["is read-only for this user", "ALTER ROLE"]);

        cluster.execute(
            "CREATE DATABASE western ENCODING 'LATIN1' LC_COLLATE 'C' LC_CTYPE 'C' TEMPLATE template0",
        );
        expect_refusal(
            &cluster.url_of("western"),
            &["has the encoding LATIN1", "ENCODING 'UTF8'"],
        );

        cluster.halt();
        let signal = cluster.data().join("standby.signal");
        fs::write(&signal, "").expect("writes");
        fs::set_permissions(&signal, fs::Permissions::from_mode(0o644)).expect("sets");
        cluster.resume();
        expect_refusal(&cluster.url(), &["is a read-only standby", "primary"]);
    }
}

mod what_a_role_may_not_do_is_named_by_the_doctor {
    use super::*;

    #[test]
    fn postgres() {
        let cluster = Cluster::start();
        let server = cluster.serve();
        cluster.execute(
            "CREATE ROLE guest LOGIN PASSWORD 'guest'; \
             GRANT SELECT ON ALL TABLES IN SCHEMA public TO guest; GRANT INSERT ON users TO guest",
        );
        let mut url = url::Url::parse(&cluster.url()).expect("a URL");
        url.set_username("guest").expect("sets");
        url.set_password(Some("guest")).expect("sets");
        let ended = doctor_of(&server, &[("DATABASE_URL", url.as_str())]);
        assert_eq!(ended.status.code(), Some(1), "{ended:?}");
        let line = ended
            .stdout
            .lines()
            .find(|line| line.contains("lacks rights"));
        let line = line.unwrap_or_else(|| panic!("nothing on rights: {}", ended.stdout));
        assert!(
            line.contains("INSERT on messages") && line.contains("UPDATE on rooms"),
            "{line}"
        );
        assert!(
            !line.contains("INSERT on users") && line.contains("GRANT"),
            "{line}"
        );
    }
}

/// Who may use tables and not change them is told before an upgrade that would need it, and kept from beginning one.
mod tables_of_another_role_are_named_with_what_to_do {
    use super::*;

    #[test]
    fn postgres() {
        let cluster = Cluster::start();
        let mut server = cluster.serve();
        server.kill9();
        cluster.execute(
            "CREATE ROLE guest LOGIN PASSWORD 'guest'; GRANT ALL ON ALL TABLES IN SCHEMA public TO guest; \
             GRANT ALL ON SCHEMA public TO guest",
        );
        let mut url = url::Url::parse(&cluster.url()).expect("a URL");
        url.set_username("guest").expect("sets");
        url.set_password(Some("guest")).expect("sets");
        let ended = doctor_of(&server, &[("DATABASE_URL", url.as_str())]);
        let warned = (ended.stdout.lines()).find(|line| line.contains("A new release of Parlour"));
        let warned = warned.unwrap_or_else(|| panic!("no word of the owner: {}", ended.stdout));
        for words in ["messages of", "threads of", "OWNER TO guest"] {
            assert!(warned.contains(words), "not {words:?}: {warned}");
        }

        cluster.execute(
            "DELETE FROM __diesel_schema_migrations WHERE version = (SELECT max(version) FROM __diesel_schema_migrations)",
        );
        expect_refusal(
            url.as_str(),
            &["the role guest may not change", "OWNER TO guest"],
        );

        // Who may not even read them is told so, and not that the database cannot be reached.
        cluster.execute("REVOKE ALL ON ALL TABLES IN SCHEMA public FROM guest");
        expect_refusal(
            url.as_str(),
            &["may not use the tables", "ALTER TABLE … OWNER TO"],
        );

        // Beside another program, whose tables have such names, there is room in a schema of one's own.
        cluster.execute("CREATE DATABASE shared");
        cluster.execute(
            "CREATE ROLE own LOGIN PASSWORD 'own'; GRANT ALL ON DATABASE shared TO own; \
             ALTER ROLE own SET search_path = own, public",
        );
        let shared = cluster.url_of("shared");
        cluster
            .database("shared")
            .execute("CREATE TABLE users (id int); CREATE SCHEMA own AUTHORIZATION own");
        let mut url = url::Url::parse(&shared).expect("a URL");
        url.set_username("own").expect("sets");
        url.set_password(Some("own")).expect("sets");
        let folder = tempfile::tempdir().expect("a folder");
        let migrated = run(
            &["migrate"],
            &[("DATABASE_URL", url.as_str())],
            folder.path(),
        );
        assert_eq!(migrated.status.code(), Some(0), "{migrated:?}");
    }
}

/// Of several hosts in the URL, as psql takes them, the one that takes writes is served.
mod several_hosts_are_tried_for_the_one_that_takes_writes {
    use super::*;

    #[test]
    fn postgres() {
        let (standby, primary) = (Cluster::start(), Cluster::start());
        for cluster in [&standby, &primary] {
            cluster.execute("CREATE ROLE chat LOGIN PASSWORD 'chat'");
            cluster.execute("CREATE DATABASE chat OWNER chat");
        }
        standby.halt();
        let signal = standby.data().join("standby.signal");
        fs::write(&signal, "").expect("writes");
        fs::set_permissions(&signal, fs::Permissions::from_mode(0o644)).expect("sets");
        standby.resume();
        let port = |cluster: &Cluster| {
            url::Url::parse(&cluster.url())
                .ok()
                .and_then(|url| url.port())
        };
        let (first, second) = (
            port(&standby).expect("a port"),
            port(&primary).expect("a port"),
        );
        let server = Server::with(Backend::Sqlite)
            .env(
                "DATABASE_URL",
                format!("postgres:///chat?user=chat&password=chat&host=127.0.0.1,127.0.0.1,127.0.0.1&port=1,{first},{second}"),
            )
            .start();
        User::register(&server, "alice")
            .post("to the primary", None)
            .expect(201);
        assert_eq!(
            primary
                .database("chat")
                .query("SELECT count(*)::text AS value FROM messages"),
            [Some("1".into())]
        );
    }
}

/// A pooler in front of the cluster. Killed when dropped.
struct Pooler {
    child: Child,
    url: String,
}

impl Pooler {
    /// `None`, with a word on why, where there is none.
    fn start(cluster: &Cluster, mode: &str, folder: &Path) -> Option<Self> {
        let target = url::Url::parse(&cluster.url()).expect("a URL");
        let free = TcpListener::bind("127.0.0.1:0").expect("a port");
        let port = free.local_addr().expect("an address").port();
        drop(free);
        let file = folder.join(format!("{mode}.ini"));
        let settings = format!(
            "[databases]\nchat = host=127.0.0.1 port={} dbname=postgres user={} password={}\n\
             [pgbouncer]\nlisten_addr = 127.0.0.1\nlisten_port = {port}\nunix_socket_dir =\n\
             auth_type = any\npool_mode = {mode}\n",
            target.port().expect("a port"),
            target.username(),
            target.password().expect("a password"),
        );
        fs::write(&file, settings).expect("writes");
        for path in [folder, &file] {
            fs::set_permissions(path, fs::Permissions::from_mode(0o755)).expect("sets");
        }
        // Debian keeps it off the PATH of those who are not root.
        let program = ["/usr/sbin/pgbouncer", "pgbouncer"]
            .into_iter()
            .find(|path| Path::new(path).exists())
            .unwrap_or("pgbouncer");
        let mut command = Command::new(program);
        if fs::metadata("/proc/self").is_ok_and(|me| std::os::unix::fs::MetadataExt::uid(&me) == 0)
        {
            // It refuses to run as root.
            command.args(["-u", "nobody"]);
        }
        let child = command
            .arg(&file)
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn();
        let Ok(child) = child else {
            assert!(
                std::env::var("CI").as_deref() != Ok("true"),
                "in CI nothing may be skipped: pgbouncer is missing"
            );
            println!("skipped: pgbouncer is not installed");
            return None;
        };
        eventually("the pooler listens", || {
            std::net::TcpStream::connect(("127.0.0.1", port)).ok()
        });
        Some(Self {
            child,
            url: format!("postgres://anyone@127.0.0.1:{port}/chat"),
        })
    }
}

impl Drop for Pooler {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

mod a_pooler_that_changes_sessions_is_refused_and_one_that_keeps_them_is_not {
    use super::*;

    #[test]
    fn postgres() {
        let folder = tempfile::tempdir().expect("a folder");
        let cluster = Cluster::start();
        let Some(pooler) = Pooler::start(&cluster, "transaction", folder.path()) else {
            return;
        };
        expect_refusal(&pooler.url, &["transaction pooling", "pool_mode = session"]);
        drop(pooler);
        let pooler = Pooler::start(&cluster, "session", folder.path()).expect("as before");
        let server = Server::with(Backend::Sqlite)
            .env("DATABASE_URL", &pooler.url)
            .start();
        User::register(&server, "alice")
            .post("through it", None)
            .expect(201);
        server.http().get("/ready").expect(200);
    }
}
