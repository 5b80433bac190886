//! What someone does to the tables by hand, for tests.

use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering},
};

use diesel::{
    RunQueryDsl as _,
    connection::{Connection as _, InstrumentationEvent, SimpleConnection as _},
    sql_query,
    sql_types::BigInt,
};

use super::AnyConnection;

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
