//! Whether rows are such as this program makes. SQLite takes any type in any column, and whoever edits a database or a
//! backup by hand can put anything there; what reads them later counts on numbers that grow and on names that show.

use diesel::{prelude::*, sql_query, sql_types::BigInt};

use super::{AnyConnection, relations::count_names, users::count_costs};

/// The greatest number that JavaScript keeps exact.
pub const GREATEST: i64 = (1 << 53) - 1;

/// Tables, and the least that the numbers in their columns may be.
const NUMBERS: [(&str, &[(&str, i64)]); 18] = [
    ("users", &[("id", 1)]),
    ("user_words", &[("user_id", 1)]),
    ("sessions", &[("id", 1), ("user_id", 1)]),
    (
        "rooms",
        &[
            ("id", 1),
            ("last_seq", 0),
            ("last_message_id", 0),
            ("slow_seconds", 0),
            ("members", 0),
        ],
    ),
    (
        "memberships",
        &[
            ("room_id", 1),
            ("user_id", 1),
            ("read_seq", 0),
            ("shown_seq", 0),
        ],
    ),
    ("known_networks", &[("user_id", 1)]),
    (
        "messages",
        &[("room_id", 1), ("id", 1), ("seq", 1), ("user_id", 1)],
    ),
    (
        "message_versions",
        &[("room_id", 1), ("message_id", 1), ("seq", 1)],
    ),
    (
        "reactions",
        &[
            ("room_id", 1),
            ("message_id", 1),
            ("user_id", 1),
            ("seq", 1),
        ],
    ),
    (
        "threads",
        &[
            ("room_id", 1),
            ("id", 1),
            ("replies", 0),
            ("last_id", 0),
            ("seq", 1),
        ],
    ),
    (
        "thread_people",
        &[
            ("room_id", 1),
            ("thread", 1),
            ("user_id", 1),
            ("replies", 0),
            ("read_seq", 0),
        ],
    ),
    (
        "mentions",
        &[("room_id", 1), ("user_id", 0), ("message_id", 1)],
    ),
    ("drafts", &[("user_id", 1), ("room_id", 1), ("thread", 0)]),
    ("scheduled", &[("id", 1), ("user_id", 1), ("room_id", 1)]),
    (
        "saved",
        &[("user_id", 1), ("room_id", 1), ("message_id", 1)],
    ),
    ("removals", &[("room_id", 1), ("user_id", 1), ("seq", 1)]),
    ("restraints", &[("room_id", 1), ("user_id", 1)]),
    ("account_changes", &[("number", 1), ("user_id", 1)]),
];

#[derive(QueryableByName)]
struct Count {
    #[diesel(sql_type = BigInt)]
    count: i64,
}

/// What no Parlour has stored, a sentence without an end for each kind; hashes of passwords cost at most `max_cost`. The
/// tables are up to date.
///
/// # Errors
/// When the database fails.
pub fn find_faults(conn: &mut AnyConnection, max_cost: u32) -> QueryResult<Vec<String>> {
    let mut faults = Vec::new();
    for (table, columns) in NUMBERS {
        let count = count_wrong(conn, table, columns)?;
        if count > 0 {
            let names: Vec<&str> = columns.iter().map(|(name, _)| *name).collect();
            faults.push(format!(
                "{count} rows of {table} hold something else than a number from 1 to {GREATEST} ({})",
                names.join(", ")
            ));
        }
    }
    let names = count_names(conn)?;
    for (what, count) in [
        ("users", names.users_unshown),
        ("rooms", names.rooms_unshown),
    ] {
        if count > 0 {
            faults.push(format!(
                "{count} names of {what} are empty, too long or hold characters that are not shown"
            ));
        }
    }
    let dear = count_costs(conn)?
        .into_iter()
        .filter(|(cost, _)| *cost > max_cost);
    let dear: u64 = dear.map(|(_, count)| count).sum();
    if dear > 0 {
        faults.push(format!(
            "{dear} hashes of passwords have a cost above {max_cost}, so no one can log in to those accounts"
        ));
    }
    Ok(faults)
}

fn count_wrong(conn: &mut AnyConnection, table: &str, columns: &[(&str, i64)]) -> QueryResult<i64> {
    let is_sqlite = matches!(conn, AnyConnection::Sqlite(_));
    let wrong: Vec<String> = columns
        .iter()
        .map(|(name, least)| {
            let range = format!("\"{name}\" NOT BETWEEN {least} AND {GREATEST}");
            // PostgreSQL has seen to the type.
            if is_sqlite {
                format!("typeof(\"{name}\") <> 'integer' OR {range}")
            } else {
                range
            }
        })
        .collect();
    let query = sql_query(format!(
        "SELECT count(*) AS count FROM \"{table}\" WHERE {}",
        wrong.join(" OR ")
    ));
    let found: Count = match conn {
        AnyConnection::Postgres(conn) => query.get_result(conn)?,
        AnyConnection::Sqlite(conn) => query.get_result(conn)?,
    };
    Ok(found.count)
}
