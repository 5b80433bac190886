//! What someone does to the tables by hand, for tests, and tables for them.

use std::sync::{
    Arc, Mutex,
    atomic::{AtomicUsize, Ordering},
};

use diesel::{
    RunQueryDsl as _,
    connection::{Connection as _, InstrumentationEvent, SimpleConnection as _},
    sql_query,
    sql_types::BigInt,
};

use crate::{
    config::DatabaseUrl,
    db::{AnyConnection, conn, migrate},
};

/// Tables of one test, which go with it.
pub struct Tables {
    /// Where they are.
    pub url: DatabaseUrl,
    _folder: tempfile::TempDir,
    /// The database on `PostgreSQL` that is dropped at the end, and by whom.
    dropped: Option<(String, String)>,
}

impl Drop for Tables {
    fn drop(&mut self) {
        if let Some((url, name)) = &self.dropped
            && let Ok(mut conn) = conn::open(&DatabaseUrl::Postgres(url.clone()))
        {
            run(&mut conn, &format!("DROP DATABASE {name} WITH (FORCE)"));
        }
    }
}

impl Tables {
    /// Runs a test on the embedded database, and on `PostgreSQL` where there is one.
    pub fn on_both(test: impl Fn(Self)) {
        test(Self::make(None));
        if let Ok(url) = std::env::var("PARLOUR_TEST_POSTGRES_URL") {
            test(Self::make(Some(url)));
        }
    }

    fn make(postgres: Option<String>) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let mut dropped = None;
        let url = match postgres {
            None => DatabaseUrl::Sqlite(folder.path().join("parlour.db")),
            Some(base) => {
                let random = crate::crypto::random_bytes::<8>().expect("random");
                let name = format!("parlour_tables_{}", u64::from_be_bytes(random));
                let mut conn = conn::open(&DatabaseUrl::Postgres(base.clone())).expect("opens");
                run(
                    &mut conn,
                    &format!("CREATE DATABASE {name} TEMPLATE template0"),
                );
                let mut url = url::Url::parse(&base).expect("a URL");
                url.set_path(&name);
                dropped = Some((base, name));
                DatabaseUrl::Postgres(url.into())
            }
        };
        let mut conn = conn::open(&url).expect("opens");
        migrate::run(&mut conn).expect("migrates");
        Self {
            url,
            _folder: folder,
            dropped,
        }
    }

    /// A connection to them.
    ///
    /// # Panics
    /// When there is none.
    #[must_use]
    pub fn open(&self) -> AnyConnection {
        conn::open(&self.url).expect("opens")
    }

    /// Whether they are on `PostgreSQL`.
    #[must_use]
    pub fn is_postgres(&self) -> bool {
        self.dropped.is_some()
    }
}

/// Keeps the texts of the statements that are run on a connection from now on.
///
/// # Panics
/// When whoever reads them has panicked.
pub fn keep_statements(conn: &mut AnyConnection) -> Arc<Mutex<Vec<String>>> {
    let kept = Arc::new(Mutex::new(Vec::new()));
    let keeper = Arc::clone(&kept);
    conn.set_instrumentation(move |event: InstrumentationEvent<'_>| {
        if let InstrumentationEvent::StartQuery { query, .. } = event {
            let text = query.to_string();
            let text = text.split(" -- binds:").next().unwrap_or_default();
            keeper.lock().expect("not poisoned").push(text.to_owned());
        }
    });
    kept
}

/// Counts the statements that are run on a connection from now on.
pub fn count_statements(conn: &mut AnyConnection) -> Arc<AtomicUsize> {
    let count = Arc::new(AtomicUsize::new(0));
    let counter = Arc::clone(&count);
    conn.set_instrumentation(move |event: InstrumentationEvent<'_>| {
        if let InstrumentationEvent::StartQuery { .. } = event {
            counter.fetch_add(1, Ordering::Relaxed);
        }
    });
    count
}

#[derive(diesel::QueryableByName)]
struct Count {
    #[diesel(sql_type = BigInt)]
    count: i64,
}

/// Runs statements.
///
/// # Panics
/// When the database refuses them.
pub fn run(conn: &mut AnyConnection, sql: &str) {
    match conn {
        AnyConnection::Postgres(conn) => conn.batch_execute(sql),
        AnyConnection::Sqlite(conn) => conn.batch_execute(sql),
    }
    .unwrap_or_else(|error| panic!("{sql}: {error}"));
}

/// How many rows there are of these.
///
/// # Panics
/// When the database fails.
pub fn count(conn: &mut AnyConnection, what: &str) -> i64 {
    let query = sql_query(format!("SELECT count(*) AS count FROM {what}"));
    let found: Count = match conn {
        AnyConnection::Postgres(conn) => query.get_result(conn),
        AnyConnection::Sqlite(conn) => query.get_result(conn),
    }
    .expect("counts");
    found.count
}
