//! Bringing a database's tables up to date.

use diesel::{
    connection::SimpleConnection as _,
    dsl::sql,
    migration::{Migration as _, MigrationSource},
    pg::Pg,
    prelude::*,
    sql_types::Bool,
    sqlite::Sqlite,
};
use diesel_migrations::{EmbeddedMigrations, MigrationHarness, embed_migrations};

use self::tables::applied;
use super::AnyConnection;

/// The files of `migrations/`, compiled in.
const MIGRATIONS: EmbeddedMigrations = embed_migrations!("migrations");

/// Names the advisory lock that is held while migrating: two servers that start at once must not both do it.
const LOCK: i64 = 0x7061_726c_6f75_7201;

/// What the migrations report.
pub type Failure = Box<dyn std::error::Error + Send + Sync>;

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
            let ran = run_all::<Pg>(conn);
            conn.batch_execute(&format!(
                "SELECT pg_advisory_unlock({LOCK}); SET statement_timeout = '1500ms'; SET lock_timeout = '1500ms'"
            ))?;
            ran
        }
        AnyConnection::Sqlite(conn) => run_all::<Sqlite>(conn),
    }
}

/// Runs what is pending.
pub(super) fn run_all<DB: diesel::backend::Backend>(
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

/// How the tables of a database stand to this program.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Standing {
    /// Nothing has ever been run: there are no tables.
    pub is_new: bool,
    /// Migrations that are still to be run.
    pub pending: Vec<String>,
    /// Migrations that this program does not know: a newer one ran them.
    pub unknown: Vec<String>,
}

/// Compares without changing anything. (Diesel's own way of asking makes its table when it is not there.)
///
/// # Errors
/// When the database fails.
pub fn look(conn: &mut AnyConnection) -> Result<Standing, Failure> {
    let known = known()?;
    let applied = list_applied(conn)?;
    let is_known = |version: &String| known.iter().any(|(known, _)| known == version);
    Ok(Standing {
        is_new: applied.is_empty(),
        unknown: applied
            .iter()
            .filter(|version| !is_known(version))
            .cloned()
            .collect(),
        pending: known
            .iter()
            .filter(|(version, _)| !applied.contains(version))
            .map(|(_, name)| name.clone())
            .collect(),
    })
}

/// The versions and names of the migrations that are compiled in, oldest first.
fn known() -> Result<Vec<(String, String)>, Failure> {
    let mut known: Vec<(String, String)> = MigrationSource::<Sqlite>::migrations(&MIGRATIONS)?
        .iter()
        .map(|migration| {
            let name = migration.name();
            (name.version().to_string(), name.to_string())
        })
        .collect();
    known.sort();
    Ok(known)
}

/// The versions of all migrations, oldest first.
#[cfg(test)]
pub(super) fn list_versions() -> Result<Vec<String>, Failure> {
    Ok(known()?.into_iter().map(|(version, _)| version).collect())
}

/// Those of these versions that this program does not know: a newer one made them.
///
/// # Errors
/// When the migrations that are compiled in cannot be read.
pub fn list_unknown(versions: &[String]) -> Result<Vec<String>, Failure> {
    let known = known()?;
    let is_known = |version: &String| known.iter().any(|(known, _)| known == version);
    let unknown = versions.iter().filter(|version| !is_known(version));
    Ok(unknown.cloned().collect())
}

/// The versions of the migrations that have been run, oldest first. Changes nothing.
///
/// # Errors
/// When the database fails.
pub fn list_applied(conn: &mut AnyConnection) -> QueryResult<Vec<String>> {
    if !has_table(conn)? {
        return Ok(Vec::new());
    }
    applied::table
        .select(applied::version)
        .order(applied::version)
        .load(conn)
}

/// Runs exactly those of the pending migrations that have these versions: the tables become what they were in an older
/// release.
///
/// # Errors
/// When a migration fails.
pub(super) fn run_only<DB: diesel::backend::Backend>(
    conn: &mut impl MigrationHarness<DB>,
    versions: &[String],
) -> Result<(), Failure>
where
    EmbeddedMigrations: MigrationSource<DB>,
{
    for migration in conn.pending_migrations(MIGRATIONS)? {
        if versions.contains(&migration.name().version().to_string()) {
            conn.run_migration(&migration)?;
        }
    }
    Ok(())
}

fn has_table(conn: &mut AnyConnection) -> QueryResult<bool> {
    let exists = match conn {
        AnyConnection::Postgres(_) => "to_regclass('__diesel_schema_migrations') IS NOT NULL",
        AnyConnection::Sqlite(_) => {
            "EXISTS (SELECT 1 FROM sqlite_master WHERE name = '__diesel_schema_migrations')"
        }
    };
    diesel::select(sql::<Bool>(exists)).get_result(conn)
}

mod tables {
    // The macro makes public items that it does not document.
    #![allow(missing_docs)]

    diesel::table! {
        #[sql_name = "__diesel_schema_migrations"]
        applied (version) {
            version -> Text,
        }
    }
}
