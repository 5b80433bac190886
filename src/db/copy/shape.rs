//! The tables of a release, as its migrations make them: they are run on an empty database in memory, which is asked
//! then. So both databases, and all releases, are described in the same way.

use diesel::{
    prelude::*,
    sql_query,
    sql_types::{BigInt, Text},
    sqlite::SqliteConnection,
};

use super::super::migrate::{self, Failure};

/// Logins end with a restore: one that was ended after the backup would otherwise live again.
const LEFT_OUT: &str = "sessions";

/// A table that is copied.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Table {
    /// Its name.
    pub name: String,
    /// Its columns.
    pub(super) columns: Vec<Column>,
}

/// A column of a table that is copied.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Column {
    pub(super) name: String,
    pub(super) kind: Kind,
    /// Whether it is a part of the primary key.
    pub(super) is_key: bool,
}

/// How the values of a column are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Integer,
    Text,
    /// As text, which is how SQLite keeps it.
    Time,
    /// As 0 or 1, which is how SQLite keeps it.
    Truth,
}

impl Table {
    /// The names of its columns, in the order of a row's values.
    #[must_use]
    pub fn column_names(&self) -> Vec<&str> {
        self.columns.iter().map(|c| c.name.as_str()).collect()
    }
}

#[derive(QueryableByName)]
struct Named {
    #[diesel(sql_type = Text)]
    name: String,
}

#[derive(QueryableByName)]
struct Described {
    #[diesel(sql_type = Text)]
    name: String,
    #[diesel(sql_type = Text)]
    declared: String,
    #[diesel(sql_type = BigInt)]
    key: i64,
}

/// The tables that these migrations make, without those of logins; a table stands after all that it refers to.
///
/// # Errors
/// When the migrations fail, or make a column that cannot be copied.
pub fn of_versions(versions: &[String]) -> Result<Vec<Table>, Failure> {
    let mut left_out = vec![LEFT_OUT.to_owned()];
    let mut copied = Vec::new();
    for (table, parents) in all_of_versions(versions)? {
        if parents
            .iter()
            .chain([&table.name])
            .any(|name| left_out.contains(name))
        {
            left_out.push(table.name);
        } else {
            copied.push(table);
        }
    }
    Ok(copied)
}

/// All tables that these migrations make, and which others each refers to; a table stands after those.
pub(super) fn all_of_versions(versions: &[String]) -> Result<Vec<(Table, Vec<String>)>, Failure> {
    let mut conn = SqliteConnection::establish(":memory:")?;
    migrate::run_only(&mut conn, versions)?;
    let names: Vec<Named> = sql_query(
        "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite\\_%' ESCAPE '\\' \
         AND name NOT LIKE '\\_\\_diesel\\_%' ESCAPE '\\' ORDER BY rowid",
    )
    .load(&mut conn)?;
    let mut waiting = Vec::new();
    for Named { name } in names {
        let parents: Vec<Named> =
            sql_query("SELECT DISTINCT \"table\" AS name FROM pragma_foreign_key_list(?)")
                .bind::<Text, _>(&name)
                .load(&mut conn)?;
        let parents: Vec<String> = parents.into_iter().map(|parent| parent.name).collect();
        waiting.push((describe(&mut conn, name)?, parents));
    }
    in_order(waiting)
}

fn describe(conn: &mut SqliteConnection, name: String) -> Result<Table, Failure> {
    let described: Vec<Described> = sql_query(
        "SELECT name, type AS declared, pk AS key FROM pragma_table_info(?) ORDER BY cid",
    )
    .bind::<Text, _>(&name)
    .load(conn)?;
    let columns = described
        .into_iter()
        .map(|column| {
            let kind = match column.declared.to_uppercase().as_str() {
                "BIGINT" | "INTEGER" | "SMALLINT" => Kind::Integer,
                "TEXT" => Kind::Text,
                "TIMESTAMP" => Kind::Time,
                "BOOLEAN" => Kind::Truth,
                other => {
                    return Err(format!(
                        "{name}.{}: a backup cannot hold a {other}",
                        column.name
                    ));
                }
            };
            Ok(Column {
                name: column.name,
                kind,
                is_key: column.key > 0,
            })
        })
        .collect::<Result<_, String>>()?;
    Ok(Table { name, columns })
}

fn in_order(mut waiting: Vec<(Table, Vec<String>)>) -> Result<Vec<(Table, Vec<String>)>, Failure> {
    let mut placed: Vec<(Table, Vec<String>)> = Vec::new();
    while !waiting.is_empty() {
        let next = waiting.iter().position(|(table, parents)| {
            parents.iter().all(|parent| {
                *parent == table.name || placed.iter().any(|(known, _)| known.name == *parent)
            })
        });
        let next = next.ok_or("the tables refer to each other in a circle")?;
        placed.push(waiting.remove(next));
    }
    Ok(placed)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_table_of_every_release_can_be_copied() {
        let versions = migrate::list_versions().expect("migrations");
        assert!(versions.len() > 1);
        for until in 1..=versions.len() {
            let tables = of_versions(&versions[..until]).expect("can be copied");
            let at = |name: &str| tables.iter().position(|table| table.name == name);
            assert!(at("users").is_some() && at("rooms") < at("messages"));
            assert_eq!(at("sessions"), None, "logins are not copied");
        }
        assert_eq!(of_versions(&[]).expect("no tables"), []);
    }
}
