//! Whether a database can be what Parlour stands on, and whether what it holds belongs together. What is not right is
//! told as a sentence that says what to do.

use diesel::{
    connection::SimpleConnection as _,
    dsl::sql,
    pg::PgConnection,
    prelude::*,
    sql_query,
    sql_types::{BigInt, Bool, Text},
};

use super::{AnyConnection, conn, migrate, privileges};
use crate::config::DatabaseUrl;

/// The tables that every version has.
const TABLES: [&str; 6] = [
    "facts",
    "users",
    "sessions",
    "rooms",
    "memberships",
    "messages",
];
/// Those that came later.
const NEWER_TABLES: [&str; 13] = [
    "account_changes",
    "drafts",
    "known_networks",
    "mentions",
    "message_versions",
    "reactions",
    "removals",
    "restraints",
    "saved",
    "scheduled",
    "thread_people",
    "threads",
    "user_words",
];
/// The indexes without which something could be stored twice, how they are made, and what that would be.
const UNIQUE_INDEXES: [(&str, &str, &str); 4] = [
    (
        "messages_by_seq",
        "CREATE UNIQUE INDEX messages_by_seq ON messages (room_id, seq)",
        "a message could be stored twice",
    ),
    (
        "messages_by_client_id",
        "CREATE UNIQUE INDEX messages_by_client_id ON messages (room_id, user_id, client_id) WHERE client_id IS NOT NULL",
        "a message could be stored twice",
    ),
    (
        "rooms_by_name",
        "CREATE UNIQUE INDEX rooms_by_name ON rooms (name_key) WHERE name_key IS NOT NULL",
        "two public rooms could have one name",
    ),
    (
        "rooms_by_people",
        "CREATE UNIQUE INDEX rooms_by_people ON rooms (people) WHERE people IS NOT NULL",
        "the same people could have two direct rooms",
    ),
];
/// The indexes without which something becomes slow, and how they are made.
const INDEXES: [(&str, &str); 20] = [
    (
        "users_by_looks",
        "CREATE INDEX users_by_looks ON users (REPLACE(REPLACE(REPLACE(REPLACE(REPLACE(LOWER(REPLACE(username, 'I', 'l')), '0', 'o'), '1', 'l'), 'm', 'rn'), 'w', 'vv'), '_', '-'))",
    ),
    (
        "rooms_by_looks",
        "CREATE INDEX rooms_by_looks ON rooms (REPLACE(REPLACE(name_key, 'w', 'vv'), '_', '-')) WHERE name_key IS NOT NULL",
    ),
    (
        "sessions_by_user",
        "CREATE INDEX sessions_by_user ON sessions (user_id)",
    ),
    (
        "memberships_by_user",
        "CREATE INDEX memberships_by_user ON memberships (user_id)",
    ),
    (
        "memberships_of_owners",
        "CREATE INDEX memberships_of_owners ON memberships (room_id) WHERE role = 'owner'",
    ),
    (
        "messages_changed",
        "CREATE INDEX messages_changed ON messages (room_id, seq) WHERE seq > id",
    ),
    (
        "messages_pinned",
        "CREATE INDEX messages_pinned ON messages (room_id, id) WHERE pinned_by IS NOT NULL",
    ),
    (
        "rooms_by_maker",
        "CREATE INDEX rooms_by_maker ON rooms (created_by, created_at)",
    ),
    (
        "messages_written",
        "CREATE INDEX messages_written ON messages (room_id, id, user_id) WHERE kind <> 'system' AND deleted_at IS NULL AND NOT thread_only",
    ),
    (
        "messages_in_room",
        "CREATE INDEX messages_in_room ON messages (room_id, id) WHERE NOT thread_only",
    ),
    (
        "messages_of_threads",
        "CREATE INDEX messages_of_threads ON messages (room_id, thread, id) WHERE thread IS NOT NULL",
    ),
    (
        "messages_in_threads",
        "CREATE INDEX messages_in_threads ON messages (room_id, thread, id, user_id) WHERE thread IS NOT NULL AND deleted_at IS NULL",
    ),
    (
        "thread_people_by_user",
        "CREATE INDEX thread_people_by_user ON thread_people (user_id, room_id, thread) WHERE follows",
    ),
    (
        "mentions_by_message",
        "CREATE INDEX mentions_by_message ON mentions (room_id, message_id)",
    ),
    (
        "user_words_by_user",
        "CREATE INDEX user_words_by_user ON user_words (user_id, word)",
    ),
    (
        "drafts_by_room",
        "CREATE INDEX drafts_by_room ON drafts (room_id)",
    ),
    (
        "scheduled_by_user",
        "CREATE INDEX scheduled_by_user ON scheduled (user_id, send_at)",
    ),
    (
        "scheduled_by_time",
        "CREATE INDEX scheduled_by_time ON scheduled (try_at) WHERE failed IS NULL",
    ),
    (
        "saved_by_time",
        "CREATE INDEX saved_by_time ON saved (user_id, created_at)",
    ),
    (
        "reactions_in_order",
        "CREATE INDEX reactions_in_order ON reactions (room_id, message_id, emoji, seq)",
    ),
];

/// Why a database cannot be served, or what is wrong with it.
pub type Fault = String;

/// What a connection to it shows: its encoding, whether it takes writes, and whether sessions are what they seem.
///
/// # Errors
/// When the database fails.
pub fn find_connection_fault(
    conn: &mut AnyConnection,
    url: &DatabaseUrl,
) -> QueryResult<Option<Fault>> {
    let AnyConnection::Postgres(conn) = conn else {
        return Ok(None);
    };
    if is_pooled_by_transaction(conn, url) {
        return Ok(Some(format!(
            "Between here and {url} is a pooler that gives each transaction another session (transaction pooling): connect to PostgreSQL directly, or set pool_mode = session there."
        )));
    }
    let (encoding, is_standby, is_read_only): (String, bool, bool) = diesel::select((
        sql::<Text>("current_setting('server_encoding')"),
        sql::<Bool>("pg_is_in_recovery()"),
        sql::<Bool>("(SELECT reset_val = 'on' FROM pg_settings WHERE name = 'default_transaction_read_only')"),
    ))
    .get_result(conn)?;
    Ok(if encoding != "UTF8" {
        Some(format!(
            "The database {url} has the encoding {encoding}, in which not every text can be written: make one in UTF8 (CREATE DATABASE parlour OWNER parlour ENCODING 'UTF8' TEMPLATE template0) and name it in DATABASE_URL."
        ))
    } else if is_standby {
        Some(format!(
            "The database {url} is a read-only standby: name its primary in DATABASE_URL (or several hosts, of which the one that takes writes is used)."
        ))
    } else if is_read_only {
        Some(format!(
            "The database {url} is read-only for this user: reset default_transaction_read_only (ALTER ROLE … RESET, ALTER DATABASE … RESET, or postgresql.conf)."
        ))
    } else {
        None
    })
}

/// A session must keep what it is told. With a pooler in between, another one answers, or two are one.
fn is_pooled_by_transaction(one: &mut PgConnection, url: &DatabaseUrl) -> bool {
    let Ok(AnyConnection::Postgres(mut other)) = conn::open(url) else {
        return false;
    };
    // Statements without parameters: others would fail in ways of their own.
    let is_kept = "DO $$ BEGIN IF current_setting('parlour.session', true) IS DISTINCT FROM 'one' \
                   THEN RAISE EXCEPTION 'another session'; END IF; END $$";
    let is_new = "DO $$ BEGIN IF current_setting('parlour.session', true) = 'one' \
                  THEN RAISE EXCEPTION 'the same session'; END IF; END $$";
    if one.batch_execute("SET parlour.session = 'one'").is_err() {
        return false;
    }
    let is_pooled = other.batch_execute(is_new).is_err()
        || other.batch_execute("BEGIN").is_err()
        || one.batch_execute(is_kept).is_err();
    // It may have been set in a session that the pooler hands to someone else.
    for conn in [&mut other, one] {
        let _it_is_closed_anyway = conn.batch_execute("ROLLBACK; RESET parlour.session");
    }
    is_pooled
}

/// What is wrong with the tables of a database that is about to be brought up to date.
///
/// # Errors
/// When the database fails.
pub fn find_table_fault(
    conn: &mut AnyConnection,
    url: &DatabaseUrl,
) -> Result<Option<Fault>, migrate::Failure> {
    let standing = migrate::look(conn)?;
    if !standing.unknown.is_empty() {
        return Ok(Some(newer(&standing.unknown)));
    }
    if !standing.is_new {
        let missing = list_missing_tables(conn)?;
        if !missing.is_empty() {
            return Ok(Some(tables_are_missing(url, &missing)));
        }
    }
    if standing.pending.is_empty() {
        return Ok(None);
    }
    Ok(privileges::find_fault(conn, url)?)
}

fn newer(unknown: &[String]) -> Fault {
    format!(
        "The database was brought up to date by a newer Parlour ({}): use that one, or go back to a backup from before.",
        unknown.join(", ")
    )
}

fn tables_are_missing(url: &DatabaseUrl, missing: &[String]) -> Fault {
    format!(
        "The database {url} lacks tables that it once had ({}): restore a backup, check the role's search_path, or start with a new database.",
        missing.join(", ")
    )
}

/// The tables of this version.
pub(super) fn list_all_tables() -> Vec<&'static str> {
    [&TABLES[..], &NEWER_TABLES].concat()
}

#[derive(QueryableByName)]
struct Name {
    #[diesel(sql_type = Text)]
    name: String,
}

/// The values of the column `name` of a query.
pub(super) fn list_names(conn: &mut AnyConnection, query: &str) -> QueryResult<Vec<String>> {
    let found: Vec<Name> = match conn {
        AnyConnection::Postgres(conn) => sql_query(query).load(conn)?,
        AnyConnection::Sqlite(conn) => sql_query(query).load(conn)?,
    };
    Ok(found.into_iter().map(|found| found.name).collect())
}

fn list_missing_tables(conn: &mut AnyConnection) -> QueryResult<Vec<String>> {
    let found = match conn {
        AnyConnection::Postgres(_) => list_names(
            conn,
            "SELECT relname::text AS name FROM pg_class WHERE pg_table_is_visible(oid)",
        )?,
        AnyConnection::Sqlite(_) => {
            list_names(conn, "SELECT name FROM sqlite_master WHERE type = 'table'")?
        }
    };
    Ok(TABLES
        .iter()
        .filter(|table| !found.iter().any(|found| found == *table))
        .map(ToString::to_string)
        .collect())
}

/// An index that is not there, or does not hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct MissingIndex {
    /// Its name.
    pub name: &'static str,
    /// The statement that makes it.
    pub statement: &'static str,
    /// What could happen meanwhile.
    pub danger: &'static str,
}

/// The indexes that are not there, or do not hold.
///
/// # Errors
/// When the database fails.
pub fn list_missing_indexes(conn: &mut AnyConnection) -> QueryResult<Vec<MissingIndex>> {
    let list = |conn: &mut AnyConnection, is_unique: bool| {
        let query = match conn {
            AnyConnection::Postgres(_) => format!(
                "SELECT relname::text AS name FROM pg_index JOIN pg_class ON pg_class.oid = indexrelid \
                 WHERE pg_table_is_visible(indrelid) AND indisvalid AND (indisunique OR NOT {is_unique})"
            ),
            AnyConnection::Sqlite(_) => format!(
                "SELECT found.name AS name FROM sqlite_master AS tables, pragma_index_list(tables.name) AS found \
                 WHERE tables.type = 'table' AND (found.\"unique\" = 1 OR NOT {is_unique})"
            ),
        };
        list_names(conn, &query)
    };
    let (unique, any) = (list(conn, true)?, list(conn, false)?);
    let is_in = |names: &[String], name: &str| names.iter().any(|found| found == name);
    let mut missing = Vec::new();
    for (name, statement, danger) in UNIQUE_INDEXES {
        if !is_in(&unique, name) {
            missing.push(MissingIndex {
                name,
                statement,
                danger,
            });
        }
    }
    for (name, statement) in INDEXES {
        if !is_in(&any, name) {
            let danger = "what it is for becomes slow";
            missing.push(MissingIndex {
                name,
                statement,
                danger,
            });
        }
    }
    Ok(missing)
}

/// A room's count beside what it holds.
#[derive(Debug, Clone, PartialEq, Eq, QueryableByName)]
pub struct Count {
    /// The room.
    #[diesel(sql_type = Text)]
    pub name: String,
    /// How many changes it has counted.
    #[diesel(sql_type = BigInt)]
    pub last_seq: i64,
    /// The greatest number that it holds.
    #[diesel(sql_type = BigInt)]
    pub greatest: i64,
    /// How many messages must have been lost.
    #[diesel(sql_type = BigInt)]
    pub lost: i64,
    /// How many messages it holds.
    #[diesel(sql_type = BigInt)]
    pub messages: i64,
    /// How many of them have a time that no clock shows.
    #[diesel(sql_type = BigInt)]
    pub timeless: i64,
}

/// Counts the messages of every room, which may take a while.
///
/// # Errors
/// When the database fails.
pub fn count_rooms(conn: &mut AnyConnection) -> QueryResult<Vec<Count>> {
    // A number lies between the `id` and the `seq` of a message, or that message is lost; and so is one that another names
    // as the one before it, and that is not.
    let query = "SELECT rooms.key AS name, rooms.last_seq AS last_seq, \
         COALESCE(MAX(seen.latest), 0) AS greatest, \
         CAST(COALESCE(SUM(CASE WHEN seen.id > seen.covered + 1 THEN seen.id - seen.covered - 1 \
                                WHEN seen.previous > seen.before THEN 1 ELSE 0 END), 0) \
              + CASE WHEN rooms.last_seq > COALESCE(MAX(seen.latest), 0) THEN rooms.last_seq - COALESCE(MAX(seen.latest), 0) \
                     WHEN rooms.last_message_id > COALESCE(MAX(seen.id), 0) THEN 1 ELSE 0 END AS BIGINT) AS lost, \
         COUNT(seen.id) AS messages, \
         COUNT(CASE WHEN seen.created_at BETWEEN '0001-01-01 00:00:00' AND '9999-12-31 23:59:59' \
                    THEN NULL ELSE seen.id END) AS timeless \
         FROM rooms LEFT JOIN ( \
           SELECT room_id, id, previous, created_at, CASE WHEN id > seq THEN id ELSE seq END AS latest, \
             COALESCE(MAX(seq) OVER (PARTITION BY room_id ORDER BY id ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING), 0) \
               AS covered, \
             COALESCE(LAG(id) OVER (PARTITION BY room_id ORDER BY id), 0) AS before \
           FROM messages) AS seen ON seen.room_id = rooms.id \
         GROUP BY rooms.id, rooms.key, rooms.last_seq, rooms.last_message_id ORDER BY rooms.id";
    match conn {
        AnyConnection::Postgres(conn) => sql_query(query).load(conn),
        AnyConnection::Sqlite(conn) => sql_query(query).load(conn),
    }
}

#[cfg(test)]
mod tests {
    use std::{collections::BTreeSet, fs, path::Path};

    use super::{INDEXES, UNIQUE_INDEXES};

    /// Whoever adds an index adds it here too, and the doctor says when it is missing.
    #[test]
    fn every_index_that_a_migration_makes_is_one_that_may_be_missed() {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("migrations");
        let mut made = BTreeSet::new();
        let migrations = fs::read_dir(folder).expect("a folder");
        let mut migrations: Vec<_> = migrations
            .map(|migration| migration.expect("a migration").path())
            .collect();
        migrations.sort();
        for migration in migrations {
            let file = migration.join("up.sql");
            let text = fs::read_to_string(file).expect("a text");
            for statement in text.split(';') {
                let lines = statement.lines().filter(|line| !line.starts_with("--"));
                let statement = lines.collect::<Vec<_>>().join(" ").trim().to_owned();
                if statement.starts_with("CREATE INDEX")
                    || statement.starts_with("CREATE UNIQUE INDEX")
                {
                    made.insert(statement);
                } else if let Some(name) = statement.strip_prefix("DROP INDEX ") {
                    let named = format!("INDEX {name} ON ");
                    made.retain(|statement| !statement.contains(&named));
                }
            }
        }
        let known = UNIQUE_INDEXES
            .map(|(_, statement, _)| statement)
            .into_iter()
            .chain(INDEXES.map(|(_, statement)| statement));
        let known: BTreeSet<String> = known.map(str::to_owned).collect();
        assert!(made.len() > 10, "the migrations are not where they were");
        assert_eq!(made, known);
    }
}
