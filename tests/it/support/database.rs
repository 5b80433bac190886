//! A database for one test: a file in its folder, or a fresh database in the cluster that `scripts/test` started.

use std::path::Path;

use diesel::{
    Connection, PgConnection, QueryableByName, RunQueryDsl, SqliteConnection,
    connection::SimpleConnection, sql_query, sql_types,
};

use super::{eventually, unique};

/// Which database a test runs on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Backend {
    /// The embedded one.
    Sqlite,
    /// A real PostgreSQL.
    Postgres,
}

/// The database of one test. A PostgreSQL one is dropped at the end.
pub struct Database {
    /// Which kind.
    pub backend: Backend,
    /// What the server is told.
    pub url: String,
    /// Whether it was made for this test, and is dropped with it.
    is_ours: bool,
}

#[derive(QueryableByName)]
struct Row {
    #[diesel(sql_type = sql_types::Nullable<sql_types::Text>)]
    value: Option<String>,
}

/// A connection to it.
pub enum Connected {
    Sqlite(Box<SqliteConnection>),
    Postgres(PgConnection),
}

/// Ends when dropped.
pub enum Outage {
    /// The embedded database, by the connection that locks it.
    Locked(Box<SqliteConnection>),
    /// The database of this name, and a connection that can open it again.
    Closed(PgConnection, String),
}

impl Drop for Outage {
    fn drop(&mut self) {
        let _ = match self {
            Self::Locked(connection) => connection.batch_execute("ROLLBACK"),
            Self::Closed(connection, name) => {
                connection.batch_execute(&format!("ALTER DATABASE {name} ALLOW_CONNECTIONS true"))
            }
        };
    }
}

fn cluster() -> url::Url {
    let text = std::env::var("PARLOUR_TEST_POSTGRES_URL")
        .expect("run scripts/test, which starts PostgreSQL for you");
    url::Url::parse(&text).expect("PARLOUR_TEST_POSTGRES_URL is a URL")
}

impl Database {
    /// Makes one; `folder` is where the embedded one lives.
    pub fn make(backend: Backend, folder: &Path) -> Self {
        let url = match backend {
            Backend::Sqlite => format!("sqlite://{}", folder.join("parlour.db").display()),
            Backend::Postgres => {
                let mut url = cluster();
                let name = format!("parlour_test_{}", unique());
                let mut connection =
                    PgConnection::establish(url.as_str()).expect("the test cluster is up");
                connection
                    .batch_execute(&format!("CREATE DATABASE {name} TEMPLATE template0"))
                    .expect("a fresh database");
                url.set_path(&name);
                url.to_string()
            }
        };
        Self {
            backend,
            url,
            is_ours: true,
        }
    }

    /// A PostgreSQL database that someone else drops.
    pub fn at(url: String) -> Self {
        Self {
            backend: Backend::Postgres,
            url,
            is_ours: false,
        }
    }

    /// The file of the embedded database.
    pub fn file(&self) -> &Path {
        Path::new(self.url.strip_prefix("sqlite://").expect("embedded"))
    }

    /// Opens it, as someone would with a tool of the database.
    pub fn connect(&self) -> Connected {
        match self.backend {
            Backend::Sqlite => {
                let mut connection =
                    SqliteConnection::establish(&self.file().display().to_string()).expect("opens");
                connection
                    .batch_execute("PRAGMA busy_timeout = 10000")
                    .expect("a pragma");
                Connected::Sqlite(Box::new(connection))
            }
            Backend::Postgres => {
                Connected::Postgres(PgConnection::establish(&self.url).expect("opens"))
            }
        }
    }

    /// Makes the database unusable until the returned value is dropped: on PostgreSQL no one gets in and whoever was
    /// in is thrown out; the embedded one is locked, as a backup gone wrong might do it.
    pub fn outage(&self) -> Outage {
        match self.backend {
            Backend::Sqlite => {
                let Connected::Sqlite(mut connection) = self.connect() else {
                    unreachable!("it is the embedded one");
                };
                connection.batch_execute("BEGIN EXCLUSIVE").expect("locks");
                Outage::Locked(connection)
            }
            Backend::Postgres => {
                let name = self.name();
                let mut connection = PgConnection::establish(cluster().as_str()).expect("opens");
                // Two transactions: whoever is thrown out before the first is committed gets in again at once.
                connection
                    .batch_execute(&format!("ALTER DATABASE {name} ALLOW_CONNECTIONS false"))
                    .expect("lets nobody in");
                let throw_out = format!(
                    "SELECT pg_terminate_backend(pid)::text AS value FROM pg_stat_activity WHERE datname = '{name}'"
                );
                eventually("everyone is thrown out", || {
                    let there: Vec<Row> =
                        sql_query(&throw_out).load(&mut connection).expect("asks");
                    there.is_empty().then_some(())
                });
                Outage::Closed(connection, name)
            }
        }
    }

    /// Its name in the cluster.
    pub fn name(&self) -> String {
        url::Url::parse(&self.url)
            .map(|url| url.path().trim_start_matches('/').to_owned())
            .unwrap_or_default()
    }

    /// Runs statements in a transaction that stays open until the returned value is dropped.
    pub fn hold(&self, sql: &str) -> PgConnection {
        let mut connection = PgConnection::establish(&self.url).expect("opens");
        connection
            .batch_execute(&format!("BEGIN; {sql}"))
            .unwrap_or_else(|error| panic!("{sql}: {error}"));
        connection
    }

    /// Runs statements, as someone would who has the database's password.
    pub fn execute(&self, sql: &str) {
        match self.connect() {
            Connected::Sqlite(mut connection) => connection.batch_execute(sql),
            Connected::Postgres(mut connection) => connection.batch_execute(sql),
        }
        .unwrap_or_else(|error| panic!("{sql}: {error}"));
    }

    /// The values of a query of one text column named `value`.
    pub fn query(&self, sql: &str) -> Vec<Option<String>> {
        match self.connect() {
            Connected::Sqlite(mut connection) => sql_query(sql).load::<Row>(&mut *connection),
            Connected::Postgres(mut connection) => sql_query(sql).load::<Row>(&mut connection),
        }
        .unwrap_or_else(|error| panic!("{sql}: {error}"))
        .into_iter()
        .map(|row| row.value)
        .collect()
    }
}

impl Drop for Database {
    fn drop(&mut self) {
        if self.is_ours
            && self.backend == Backend::Postgres
            && let Ok(mut connection) = PgConnection::establish(cluster().as_str())
        {
            let name = self.name();
            let _ =
                connection.batch_execute(&format!("DROP DATABASE IF EXISTS {name} WITH (FORCE)"));
        }
    }
}
