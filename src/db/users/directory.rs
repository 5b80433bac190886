//! By which beginnings people are found.

use std::fmt::Write as _;

use diesel::{
    dsl::{exists, not},
    prelude::*,
    sql_query,
    sql_types::{BigInt, Text},
};

use crate::{
    db::{
        AnyConnection,
        schema::{user_words, users},
    },
    protocol::display,
};

/// Most words of a search that are looked at.
const MOST_SOUGHT: usize = 5;
/// Users that are given their words in one transaction.
const BATCH: i64 = 500;

/// In hexadecimal digits, which every collation puts into the same order.
fn hex(word: &str) -> String {
    word.bytes().fold(String::new(), |mut hex, byte| {
        let _cannot_fail = write!(hex, "{byte:02x}");
        hex
    })
}

/// Sets by which beginnings someone is found. Belongs in a transaction.
///
/// # Errors
/// When the database fails.
pub fn set_words(
    conn: &mut AnyConnection,
    user_id: i64,
    username: &str,
    display_name: Option<&str>,
) -> QueryResult<()> {
    diesel::delete(user_words::table.filter(user_words::user_id.eq(user_id))).execute(conn)?;
    let mut words = display::words(username);
    words.push(username.to_ascii_lowercase());
    words.extend(display::words(display_name.unwrap_or_default()));
    words.sort_unstable();
    words.dedup();
    for word in words {
        diesel::insert_into(user_words::table)
            .values((
                user_words::word.eq(hex(&word)),
                user_words::user_id.eq(user_id),
            ))
            .execute(conn)?;
    }
    Ok(())
}

/// Gives some of those their words who have none: accounts of an older release. False when there are no more.
///
/// # Errors
/// When the database fails.
pub fn set_missing_words(conn: &mut AnyConnection) -> QueryResult<bool> {
    let has_some = exists(user_words::table.filter(user_words::user_id.eq(users::id)));
    let missing: Vec<(i64, String, Option<String>)> = users::table
        .filter(users::deleted_at.is_null())
        .filter(not(has_some))
        .limit(BATCH)
        .select((users::id, users::username, users::display_name))
        .load(conn)?;
    for (user_id, username, display_name) in &missing {
        set_words(conn, *user_id, username, display_name.as_deref())?;
    }
    Ok(!missing.is_empty())
}

/// Where a search goes on: after this word and user.
pub type Place = (String, i64);

#[derive(QueryableByName)]
struct Found {
    #[diesel(sql_type = Text)]
    word: String,
    #[diesel(sql_type = BigInt)]
    user_id: i64,
}

/// People of whose names each of these words begins a word, by the first of their words that the first of these begins; no
/// words: everyone.
///
/// # Errors
/// When the database fails.
pub fn search(
    conn: &mut AnyConnection,
    sought: &[String],
    after: Option<&Place>,
    limit: i64,
) -> QueryResult<Vec<Place>> {
    let mut sought: Vec<String> = sought.iter().map(|word| hex(word)).collect();
    // The longest finds the fewest.
    sought.sort_by_key(|word| std::cmp::Reverse(word.len()));
    sought.truncate(MOST_SOUGHT);
    let begins = |of: &str, word: &str| format!("{of}.word >= '{word}' AND {of}.word < '{word}g'");
    let first = sought.first().map_or("", String::as_str);
    // Nothing but hexadecimal digits and numbers stands in it.
    let mut text = format!(
        "SELECT w.word, w.user_id FROM user_words w WHERE {} AND NOT EXISTS \
         (SELECT 1 FROM user_words e WHERE e.user_id = w.user_id AND e.word >= '{first}' AND e.word < w.word)",
        begins("w", first)
    );
    for other in sought.iter().skip(1) {
        let _cannot_fail = write!(
            text,
            " AND EXISTS (SELECT 1 FROM user_words o WHERE o.user_id = w.user_id AND {})",
            begins("o", other)
        );
    }
    if let Some((word, user_id)) = after {
        let word: String = word.chars().filter(char::is_ascii_hexdigit).collect();
        let _cannot_fail = write!(text, " AND (w.word, w.user_id) > ('{word}', {user_id})");
    }
    let _cannot_fail = write!(text, " ORDER BY w.word, w.user_id LIMIT {limit}");
    let query = sql_query(text);
    let found: Vec<Found> = match conn {
        AnyConnection::Postgres(conn) => query.load(conn)?,
        AnyConnection::Sqlite(conn) => query.load(conn)?,
    };
    Ok(found
        .into_iter()
        .map(|found| (found.word, found.user_id))
        .collect())
}
