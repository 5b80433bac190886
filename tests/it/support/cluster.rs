//! A PostgreSQL of a test's own, which may be stopped, started and configured: the rig's, and servers on it.

use std::{
    path::PathBuf,
    sync::{Mutex, MutexGuard},
};

use parlour_lab::rig::{
    postgres::{Postgres, Programs, Stop},
    wait_for,
};
use tempfile::TempDir;

use super::{Backend, Database, Server, server::Builder, signal_named};

/// Stopped and deleted when dropped.
pub struct Cluster {
    postgres: Mutex<Postgres>,
    _folder: TempDir,
}

impl Cluster {
    /// Makes one and starts it.
    pub fn start() -> Self {
        Self::start_with(&[])
    }

    /// Makes one and starts it with settings of its own, such as `fsync=off`.
    pub fn start_with(settings: &[&str]) -> Self {
        // PostgreSQL runs as another user when we are root, and must be let in.
        let mode = std::os::unix::fs::PermissionsExt::from_mode(0o755);
        let folder = tempfile::Builder::new()
            .permissions(mode)
            .tempdir()
            .expect("a folder");
        let programs = Programs::find().expect("PostgreSQL's programs are installed");
        let path = folder.path().join("cluster");
        let postgres = wait_for(Postgres::start_with(&programs, &path, settings));
        Self {
            postgres: Mutex::new(postgres.expect("PostgreSQL starts")),
            _folder: folder,
        }
    }

    fn postgres(&self) -> MutexGuard<'_, Postgres> {
        self.postgres.lock().expect("no test has failed with it")
    }

    /// A server that is to be told more before it starts on this cluster.
    pub fn server(&self) -> Builder {
        Server::with(Backend::Sqlite).env("DATABASE_URL", self.url())
    }

    /// A server on it.
    pub fn serve(&self) -> Server {
        self.server().start()
    }

    /// A server that comes to the database `chat` as a role of that name, which owns it and is nothing else.
    pub fn serve_as_owner(&self) -> Server {
        self.execute("CREATE ROLE chat LOGIN PASSWORD 'chat'");
        self.execute("CREATE DATABASE chat OWNER chat");
        let mut url = url::Url::parse(&self.url_of("chat")).expect("a URL");
        url.set_username("chat").expect("sets");
        url.set_password(Some("chat")).expect("sets");
        self.server().env("DATABASE_URL", url).start()
    }

    /// The URL of a superuser.
    pub fn url(&self) -> String {
        self.url_of("postgres")
    }

    /// The URL of a superuser for another database of it.
    pub fn url_of(&self, name: &str) -> String {
        let postgres = self.postgres();
        postgres.url(postgres.addr(), name)
    }

    /// The folder of PostgreSQL's own files.
    pub fn data(&self) -> PathBuf {
        self.postgres().data()
    }

    /// Sends a signal to the process that accepts connections.
    pub fn signal(&self, name: &str) {
        self.postgres().signal(signal_named(name)).expect("it runs");
    }

    /// Stops it at once, as a power cut would, and keeps its data.
    pub fn halt(&self) {
        wait_for(self.postgres().stop(Stop::Immediate)).expect("it stops");
    }

    /// Starts it again.
    pub fn resume(&self) {
        wait_for(self.postgres().start_again()).expect("it starts again");
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
}
