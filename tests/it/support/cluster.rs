//! A PostgreSQL of a test's own, which may be stopped, started and configured.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
    thread,
};

use tempfile::TempDir;

use super::{Backend, Database, Server, server::Builder};

/// Stopped and deleted when dropped.
pub struct Cluster {
    folder: TempDir,
}

impl Cluster {
    /// Makes one and starts it.
    pub fn start() -> Self {
        Self::start_with(&[])
    }

    /// Makes one and starts it with more options, such as `-c fsync=off`.
    pub fn start_with(options: &[&str]) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        // PostgreSQL runs as another user when we are root, and must be let in.
        let mode = std::os::unix::fs::PermissionsExt::from_mode(0o755);
        fs::set_permissions(folder.path(), mode).expect("sets");
        let cluster = Self { folder };
        cluster.run("start", options);
        cluster
    }

    /// A server that is to be told more before it starts on this cluster.
    pub fn server(&self) -> Builder {
        Server::with(Backend::Sqlite).env("DATABASE_URL", self.url())
    }

    /// A server on it.
    pub fn serve(&self) -> Server {
        self.server().start()
    }

    /// The URL of a superuser.
    pub fn url(&self) -> String {
        self.ask("url")
    }

    /// The URL of a superuser for another database of it.
    pub fn url_of(&self, name: &str) -> String {
        let mut url = url::Url::parse(&self.url()).expect("a URL");
        url.set_path(name);
        url.to_string()
    }

    /// The folder of PostgreSQL's own files.
    pub fn data(&self) -> PathBuf {
        self.folder.path().join("cluster/data")
    }

    /// Sends a signal to the process that accepts connections.
    pub fn signal(&self, name: &str) {
        let text = fs::read_to_string(self.data().join("postmaster.pid")).expect("it runs");
        let pid = text.lines().next().expect("a process");
        let status = Command::new("sh")
            .args(["-c", &format!("kill -{name} {pid}")])
            .status();
        assert!(status.expect("sh runs").success(), "kill -{name} {pid}");
    }

    /// Runs statements in the database `postgres`, as a superuser.
    pub fn execute(&self, sql: &str) {
        self.database("postgres").execute(sql);
    }

    /// The values of a query of one text column named `value`.
    pub fn query(&self, sql: &str) -> Vec<Option<String>> {
        self.database("postgres").query(sql)
    }

    /// A database of it, as a superuser.
    pub fn database(&self, name: &str) -> Database {
        Database::at(self.url_of(name))
    }

    /// Has `scripts/postgres` do this.
    pub fn ask(&self, what: &str) -> String {
        self.run(what, &[])
    }

    fn run(&self, what: &str, options: &[&str]) -> String {
        let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("scripts/postgres");
        let dir = self.folder.path().join("cluster");
        let asked = Command::new(script)
            .arg(what)
            .arg(dir)
            .args(options)
            .output();
        let asked = asked.expect("scripts/postgres runs");
        let said = String::from_utf8_lossy(&asked.stderr);
        assert!(asked.status.success(), "{what}: {said}");
        String::from_utf8_lossy(&asked.stdout).trim().to_owned()
    }
}

impl Drop for Cluster {
    fn drop(&mut self) {
        if thread::panicking() {
            // It has been told why already; a second panic would hide it.
            let _ = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| self.ask("stop")));
        } else {
            self.ask("stop");
        }
    }
}
