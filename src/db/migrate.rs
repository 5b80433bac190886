//! Bringing a database's tables up to date.

use diesel::{connection::SimpleConnection as _, pg::Pg, sqlite::Sqlite};
use diesel_migrations::{EmbeddedMigrations, MigrationHarness, embed_migrations};

use super::AnyConnection;

/// The files of `migrations/`, compiled in.
const MIGRATIONS: EmbeddedMigrations = embed_migrations!("migrations");

/// Names the advisory lock that is held while migrating: two servers that start at once must not both do it.
const LOCK: i64 = 0x7061_726c_6f75_7201;

type Failure = Box<dyn std::error::Error + Send + Sync>;

/// Runs what is pending and returns the names of what ran.
///
/// # Errors
/// When a migration fails; what ran before it stays.
pub fn run(conn: &mut AnyConnection) -> Result<Vec<String>, Failure> {
    match conn {
        AnyConnection::Postgres(conn) => {
            conn.batch_execute(&format!(
                "SET statement_timeout = 0; SET lock_timeout = 0; SELECT pg_advisory_lock({LOCK})"
            ))?;
            let ran = run_pending::<Pg>(conn);
            conn.batch_execute(&format!(
                "SELECT pg_advisory_unlock({LOCK}); SET statement_timeout = '2s'; SET lock_timeout = '2s'"
            ))?;
            ran
        }
        AnyConnection::Sqlite(conn) => run_pending::<Sqlite>(conn),
    }
}

fn run_pending<DB: diesel::backend::Backend>(
    conn: &mut impl MigrationHarness<DB>,
) -> Result<Vec<String>, Failure>
where
    EmbeddedMigrations: diesel::migration::MigrationSource<DB>,
{
    Ok(conn
        .run_pending_migrations(MIGRATIONS)?
        .iter()
        .map(ToString::to_string)
        .collect())
}

/// How many migrations are pending.
///
/// # Errors
/// When the database fails.
pub fn count_pending(conn: &mut AnyConnection) -> Result<usize, Failure> {
    match conn {
        AnyConnection::Postgres(conn) => {
            Ok(MigrationHarness::<Pg>::pending_migrations(conn, MIGRATIONS)?.len())
        }
        AnyConnection::Sqlite(conn) => {
            Ok(MigrationHarness::<Sqlite>::pending_migrations(conn, MIGRATIONS)?.len())
        }
    }
}
