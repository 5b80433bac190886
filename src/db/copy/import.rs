//! Putting a copy into a database: all of it or nothing.

use std::path::Path;

use diesel::{
    connection::{AnsiTransactionManager, SimpleConnection as _, TransactionManager as _},
    pg::Pg,
    prelude::*,
    sql_query,
    sql_types::Text,
    sqlite::{Sqlite, SqliteConnection},
};

use super::{
    CopyError, of_versions,
    shape::{Kind, Table, all_of_versions},
};
use crate::{
    config::DatabaseUrl,
    db::{
        AnyConnection, conn, facts, file, migrate, rooms, row_checks, scheduled,
        schema::{messages, users},
        threads,
    },
    protocol::time::now,
};

/// What a database holds before something is put into it.
#[derive(Debug, Default)]
pub struct Holding {
    /// Accounts.
    pub users: u64,
    /// Messages.
    pub messages: u64,
    /// A newer program made its tables.
    pub is_newer: bool,
}

/// Looks what a database holds, and changes nothing.
///
/// # Errors
/// When the database fails.
pub fn look_into(url: &DatabaseUrl) -> Result<Holding, CopyError> {
    let mut conn = super::export::open_reader(url)?;
    let standing = migrate::look(&mut conn)?;
    if standing.is_new {
        return Ok(Holding::default());
    }
    Ok(Holding {
        users: users::table
            .count()
            .get_result::<i64>(&mut conn)?
            .unsigned_abs(),
        messages: messages::table
            .count()
            .get_result::<i64>(&mut conn)?
            .unsigned_abs(),
        is_newer: !standing.unknown.is_empty(),
    })
}

/// Brings what stands in the log of an embedded database into its file, which is then the whole of it. Fails when
/// another program has it open.
///
/// # Errors
/// When the database fails.
pub fn fold_log(path: &Path) -> Result<(), CopyError> {
    let mut conn = SqliteConnection::establish(&(file::uri(path) + "?mode=rw"))?;
    conn.batch_execute("PRAGMA busy_timeout = 2000; PRAGMA journal_mode = DELETE;")?;
    Ok(())
}

/// A database that is being filled. Until [`Self::finish`] no one sees anything of it.
pub struct Import {
    conn: AnyConnection,
    /// The tables as the copy has them.
    pub tables: Vec<Table>,
}

impl Import {
    /// Fills a new embedded database. It is not yet safe from a power cut when this has finished: whoever gives the file
    /// its name sees to that.
    ///
    /// # Errors
    /// When the file cannot be made.
    pub fn into_file(path: &Path, versions: &[String]) -> Result<Self, CopyError> {
        let mut conn = SqliteConnection::establish(&(file::uri(path) + "?mode=rwc"))?;
        conn.batch_execute(
            "PRAGMA journal_mode = MEMORY; PRAGMA synchronous = OFF; PRAGMA locking_mode = EXCLUSIVE; \
             PRAGMA cache_size = -65536; PRAGMA foreign_keys = ON; PRAGMA trusted_schema = OFF;",
        )?;
        AnsiTransactionManager::begin_transaction_sql(&mut conn, "BEGIN IMMEDIATE")?;
        Self::begin(AnyConnection::Sqlite(conn), versions)
    }

    /// Fills a database of `PostgreSQL` in place of the tables that are there.
    ///
    /// # Errors
    /// When the database fails.
    pub fn into_postgres(url: &DatabaseUrl, versions: &[String]) -> Result<Self, CopyError> {
        let mut conn = conn::open(url)?;
        if let AnyConnection::Postgres(conn) = &mut conn {
            conn.batch_execute(
                "SET statement_timeout = 0; SET idle_in_transaction_session_timeout = 0; SET lock_timeout = '30s'",
            )?;
            AnsiTransactionManager::begin_transaction(conn)?;
        }
        let there = migrate::list_applied(&mut conn)?;
        if let (AnyConnection::Postgres(conn), false) = (&mut conn, there.is_empty()) {
            for (table, _) in all_of_versions(&there)?.iter().rev() {
                conn.batch_execute(&format!("DROP TABLE IF EXISTS \"{}\"", table.name))?;
            }
            conn.batch_execute("DROP TABLE __diesel_schema_migrations")?;
        }
        Self::begin(conn, versions)
    }

    fn begin(mut conn: AnyConnection, versions: &[String]) -> Result<Self, CopyError> {
        match &mut conn {
            AnyConnection::Postgres(conn) => migrate::run_only::<Pg>(conn, versions)?,
            AnyConnection::Sqlite(conn) => migrate::run_only::<Sqlite>(conn, versions)?,
        }
        let tables = of_versions(versions)?;
        // Migrations make rows, too, and those are in the copy.
        for table in tables.iter().rev() {
            let delete = format!("DELETE FROM \"{}\"", table.name);
            match &mut conn {
                AnyConnection::Postgres(conn) => conn.batch_execute(&delete)?,
                AnyConnection::Sqlite(conn) => conn.batch_execute(&delete)?,
            }
        }
        Ok(Self { conn, tables })
    }

    /// Puts rows into a table; `rows` is a JSON array of them.
    ///
    /// # Errors
    /// When the database fails, or the rows are not such as the table takes.
    pub fn insert(&mut self, table: usize, rows: &str) -> Result<(), CopyError> {
        let Some(table) = self.tables.get(table) else {
            return Ok(());
        };
        match &mut self.conn {
            AnyConnection::Postgres(conn) => sql_query(insert(table, true))
                .bind::<Text, _>(rows)
                .execute(conn)?,
            AnyConnection::Sqlite(conn) => sql_query(insert(table, false))
                .bind::<Text, _>(rows)
                .execute(conn)?,
        };
        Ok(())
    }

    /// How many rows a table has now.
    ///
    /// # Errors
    /// When the database fails.
    pub fn count(&mut self, table: &Table) -> Result<u64, CopyError> {
        super::export::count(&mut self.conn, table)
    }

    /// Brings the tables up to date, names this history again, makes sure that the rows are such as
    /// this program makes (hashes of passwords cost at most `max_cost`), and commits. What was to be said before now is not said
    /// unasked, for the reason `overdue`: its author may have taken it back since. Tells how many there are.
    ///
    /// # Errors
    /// When the database fails, or the rows are not such as this program makes. Nothing is changed then, but by a commit that was not confirmed.
    pub fn finish(mut self, epoch: &str, max_cost: u32, overdue: &str) -> Result<usize, CopyError> {
        match &mut self.conn {
            AnyConnection::Postgres(conn) => migrate::run_all::<Pg>(conn)?,
            AnyConnection::Sqlite(conn) => migrate::run_all::<Sqlite>(conn)?,
        };
        let held = scheduled::hold_overdue(&mut self.conn, now(), overdue)?;
        rooms::recount_members(&mut self.conn)?;
        threads::counts::recount(&mut self.conn)?;
        if let Some(fault) = row_checks::find_faults(&mut self.conn, max_cost)?
            .into_iter()
            .next()
        {
            let words = format!("the backup holds what no Parlour has stored: {fault}");
            return Err(CopyError::Database(words));
        }
        if facts::find(&mut self.conn, "epoch")?.is_some() {
            facts::set(&mut self.conn, "epoch", epoch)?;
        } else {
            facts::insert(&mut self.conn, "epoch", epoch)?;
        }
        // No server has served this one yet.
        facts::delete(&mut self.conn, "life")?;
        match &mut self.conn {
            AnyConnection::Postgres(conn) => conn::commit_replicated(conn)
                .map_err(|error| CopyError::Unconfirmed(error.to_string()))?,
            AnyConnection::Sqlite(conn) => AnsiTransactionManager::commit_transaction(conn)?,
        }
        Ok(held)
    }
}

fn insert(table: &Table, is_postgres: bool) -> String {
    let names: Vec<String> = table
        .columns
        .iter()
        .map(|column| format!("\"{}\"", column.name))
        .collect();
    let values: Vec<String> = table
        .columns
        .iter()
        .enumerate()
        .map(|(at, column)| match (column.kind, is_postgres) {
            (Kind::Integer, true) => format!("(value ->> {at})::bigint"),
            (Kind::Time, true) => format!("(value ->> {at})::timestamp"),
            (Kind::Truth, true) => format!("(value ->> {at})::integer::boolean"),
            (Kind::Time, false) => whole_fraction(&format!("value ->> {at}")),
            _ => format!("value ->> {at}"),
        })
        .collect();
    let rows = if is_postgres {
        "jsonb_array_elements($1::jsonb) AS new (value)"
    } else {
        "json_each(?)"
    };
    format!(
        "INSERT INTO \"{}\" ({}) SELECT {} FROM {rows}",
        table.name,
        names.join(", "),
        values.join(", ")
    )
}

/// A time as the server itself writes it to `SQLite`, which compares times as texts: with no fraction of a second, or with
/// three or six digits of it. `PostgreSQL` leaves out the zeros at its end.
fn whole_fraction(time: &str) -> String {
    let seconds = "2026-11-27 21:13:15".len();
    let missing = [(2, "00"), (3, "0"), (5, "00"), (6, "0")];
    let cases: String = missing
        .map(|(there, zeros)| format!(" WHEN {} THEN {time} || '{zeros}'", seconds + there))
        .concat();
    format!("CASE length({time}){cases} ELSE {time} END")
}
