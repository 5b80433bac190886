//! Taking a database out: everything that was committed at one moment, while others go on writing.

use std::io;

use diesel::{
    connection::{DefaultLoadingMode, SimpleConnection as _},
    pg::PgRowByRowLoadingMode,
    prelude::*,
    sql_query,
    sql_types::{BigInt, Text},
    sqlite::SqliteConnection,
};

use super::{
    CopyError, of_versions,
    shape::{Column, Kind, Table},
};
use crate::{
    config::DatabaseUrl,
    db::{
        AnyConnection, conn, file,
        integrity::{self, Depth},
        migrate, relations, row_checks,
    },
};

/// A database as it was at one moment.
pub struct Snapshot {
    conn: AnyConnection,
    /// The migrations that have been run on it.
    pub versions: Vec<String>,
    /// What is copied of it; a table stands after all that it refers to.
    pub tables: Vec<Table>,
}

/// Why there is no snapshot.
#[derive(Debug)]
pub enum Refusal {
    /// There are no tables: nothing was ever stored.
    Empty,
    /// A newer program made these tables.
    Newer,
    /// The database fails.
    Failed(CopyError),
}

impl<E: Into<CopyError>> From<E> for Refusal {
    fn from(error: E) -> Self {
        Self::Failed(error.into())
    }
}

#[derive(QueryableByName)]
struct Line {
    #[diesel(sql_type = Text)]
    line: String,
}

#[derive(QueryableByName)]
struct Count {
    #[diesel(sql_type = BigInt)]
    count: i64,
}

impl Snapshot {
    /// Holds the present fast: all that was committed before is in it, and nothing that comes later.
    ///
    /// # Errors
    /// [`Refusal`].
    pub fn take(url: &DatabaseUrl) -> Result<Self, Refusal> {
        let mut conn = open_reader(url)?;
        match &mut conn {
            // A copy takes as long as it takes; and PostgreSQL must not take a slow disk of ours for a dead client.
            AnyConnection::Postgres(conn) => conn.batch_execute(
                "SET statement_timeout = 0; SET idle_in_transaction_session_timeout = 0; SET tcp_user_timeout = 0; \
                 SET lock_timeout = '30s'; SET datestyle = 'ISO, YMD'; \
                 BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY",
            )?,
            AnyConnection::Sqlite(conn) => conn.batch_execute("BEGIN")?,
        }
        let standing = migrate::look(&mut conn)?;
        if standing.is_new {
            return Err(Refusal::Empty);
        }
        if !standing.unknown.is_empty() {
            return Err(Refusal::Newer);
        }
        let versions = migrate::list_applied(&mut conn)?;
        let tables = of_versions(&versions)?;
        Ok(Self {
            conn,
            versions,
            tables,
        })
    }

    /// What SQLite finds wrong with its file. (`PostgreSQL` has no such look at itself.)
    ///
    /// # Errors
    /// When the database fails.
    pub fn find_damage(&mut self) -> Result<Option<String>, CopyError> {
        Ok(integrity::find_damage(&mut self.conn, Depth::Indexes)?)
    }

    /// What keeps this from being restored, a part of a sentence for each kind: rows that name others which are not there
    /// (`PostgreSQL` lets none be), times that it does not know, and rows such as this program does not make. Of tables of
    /// an older release only the first is found.
    ///
    /// # Errors
    /// When the database fails.
    pub fn list_obstacles(&mut self, max_cost: u32) -> Result<Vec<String>, CopyError> {
        let mut found = Vec::new();
        if let AnyConnection::Sqlite(conn) = &mut self.conn {
            let dangling: Vec<Line> = sql_query(
                "SELECT count(*) || ' rows of ' || \"table\" || ' name a row of ' || parent || ' that is not there' AS line \
                 FROM pragma_foreign_key_check GROUP BY \"table\", parent",
            )
            .load(conn)?;
            found.extend(dangling.into_iter().map(|found| found.line));
        }
        if migrate::look(&mut self.conn)?.pending.is_empty() {
            for check in relations::time_checks() {
                let count = check.count(&mut self.conn)?;
                if count > 0 {
                    found.push(format!("{count} {}", check.what));
                }
            }
            found.extend(row_checks::find_faults(&mut self.conn, max_cost)?);
        }
        Ok(found)
    }

    /// How many rows a table has.
    ///
    /// # Errors
    /// When the database fails.
    pub fn count(&mut self, table: &Table) -> Result<u64, CopyError> {
        count(&mut self.conn, table)
    }

    /// Hands out a table's rows, each a JSON array of the values of its columns, in the order of its key.
    ///
    /// # Errors
    /// When the database fails, or `take` does.
    pub fn each_row(
        &mut self,
        table: &Table,
        mut take: impl FnMut(&str) -> io::Result<()>,
    ) -> Result<(), CopyError> {
        let query = sql_query(select(
            table,
            matches!(self.conn, AnyConnection::Postgres(_)),
        ));
        match &mut self.conn {
            AnyConnection::Postgres(conn) => {
                for row in query.load_iter::<Line, PgRowByRowLoadingMode>(conn)? {
                    take(&row?.line)?;
                }
            }
            AnyConnection::Sqlite(conn) => {
                for row in query.load_iter::<Line, DefaultLoadingMode>(conn)? {
                    take(&row?.line)?;
                }
            }
        }
        Ok(())
    }
}

/// How many rows a table has.
pub(super) fn count(conn: &mut AnyConnection, table: &Table) -> Result<u64, CopyError> {
    let query = sql_query(format!("SELECT count(*) AS count FROM \"{}\"", table.name));
    let found: Count = match conn {
        AnyConnection::Postgres(conn) => query.get_result(conn)?,
        AnyConnection::Sqlite(conn) => query.get_result(conn)?,
    };
    Ok(found.count.unsigned_abs())
}

/// A connection that changes nothing and makes no database. On SQLite it is an ordinary one all the same, since only
/// those who may write see what stands in the log of a database that is in use.
pub(super) fn open_reader(url: &DatabaseUrl) -> Result<AnyConnection, CopyError> {
    match url {
        DatabaseUrl::Postgres(_) => Ok(conn::open(url)?),
        DatabaseUrl::Sqlite(path) => {
            file::check_kinds(path).map_err(ConnectionError::BadConnection)?;
            let mut conn = SqliteConnection::establish(&(file::uri(path) + "?mode=rw"))?;
            conn.batch_execute("PRAGMA busy_timeout = 10000; PRAGMA query_only = ON;")?;
            Ok(AnyConnection::Sqlite(conn))
        }
    }
}

fn select(table: &Table, is_postgres: bool) -> String {
    // With the table's name before it, SQLite takes a column that is not there for a mistake and not for a text.
    let named = |column: &Column| format!("\"{}\".\"{}\"", table.name, column.name);
    let values: Vec<String> = table
        .columns
        .iter()
        .map(|column| match (column.kind, is_postgres) {
            (Kind::Time, true) => format!("{}::text", named(column)),
            (Kind::Truth, true) => format!("{}::integer", named(column)),
            _ => named(column),
        })
        .collect();
    let keys: Vec<String> = table
        .columns
        .iter()
        .filter(|column| column.is_key)
        .map(named)
        .collect();
    let array = if is_postgres {
        format!("json_build_array({})::text", values.join(", "))
    } else {
        format!("json_array({})", values.join(", "))
    };
    let mut sql = format!("SELECT {array} AS line FROM \"{}\"", table.name);
    if !keys.is_empty() {
        sql.push_str(" ORDER BY ");
        sql.push_str(&keys.join(", "));
    }
    sql
}
