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
            let ran = run_pending::<Pg>(conn);
            conn.batch_execute(&format!(
                "SELECT pg_advisory_unlock({LOCK}); SET statement_timeout = '1500ms'; SET lock_timeout = '1500ms'"
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
    let known: Vec<(String, String)> = MigrationSource::<Sqlite>::migrations(&MIGRATIONS)?
        .iter()
        .map(|migration| {
            let name = migration.name();
            (name.version().to_string(), name.to_string())
        })
        .collect();
    let applied: Vec<String> = if has_table(conn)? {
        applied::table
            .select(applied::version)
            .order(applied::version)
            .load(conn)?
    } else {
        Vec::new()
    };
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
