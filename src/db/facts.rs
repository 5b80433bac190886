//! Facts about the database as a whole.

use std::collections::BTreeMap;

use diesel::prelude::*;

use super::{AnyConnection, row_checks::GREATEST, schema::facts};

/// The beginning of the names of the facts that tell whether the keys are the right ones: for each key that has sealed
/// something here, these words sealed by it.
pub const KEY_CHECK: &str = "key-check-";

/// The beginning of the names of the facts that tell, for each room, up to which message those are believed that nothing
/// binds to their place: they are of a release that did not know of that.
pub const UNBOUND_UNTIL: &str = "unbound-until-";

/// Room → up to which message those are believed that nothing binds to their place.
///
/// # Errors
/// When the database fails.
pub fn list_unbound(conn: &mut AnyConnection) -> QueryResult<BTreeMap<i64, i64>> {
    let found: Vec<(String, String)> = facts::table
        .filter(facts::name.like(format!("{UNBOUND_UNTIL}%")))
        .select((facts::name, facts::value))
        .load(conn)?;
    let parse = |(name, value): (String, String)| {
        let room_id = name.strip_prefix(UNBOUND_UNTIL)?.parse().ok()?;
        Some((room_id, parse_until(&value)))
    };
    Ok(found.into_iter().filter_map(parse).collect())
}

/// Up to which message, as the value of such a fact tells. One that is no number was made of a row that was edited by hand:
/// then it is all that the room holds.
#[must_use]
pub fn parse_until(value: &str) -> i64 {
    value.parse().unwrap_or(GREATEST)
}

/// The value of a fact, if it is known.
///
/// # Errors
/// When the database fails.
pub fn find(conn: &mut AnyConnection, name: &str) -> QueryResult<Option<String>> {
    facts::table
        .find(name)
        .select(facts::value)
        .first(conn)
        .optional()
}

/// The values of all facts whose names begin like this.
///
/// # Errors
/// When the database fails.
pub fn list(conn: &mut AnyConnection, beginning: &str) -> QueryResult<Vec<String>> {
    facts::table
        .filter(facts::name.like(format!("{beginning}%")))
        .select(facts::value)
        .load(conn)
}

/// Notes a fact for the first time.
///
/// # Errors
/// When the database fails.
pub fn insert(conn: &mut AnyConnection, name: &str, value: &str) -> QueryResult<()> {
    diesel::insert_into(facts::table)
        .values((facts::name.eq(name), facts::value.eq(value)))
        .execute(conn)?;
    Ok(())
}

/// Notes a fact, or changes it.
///
/// # Errors
/// When the database fails.
pub fn set(conn: &mut AnyConnection, name: &str, value: &str) -> QueryResult<()> {
    let changed = diesel::update(facts::table.find(name))
        .set(facts::value.eq(value))
        .execute(conn)?;
    if changed == 0 {
        insert(conn, name, value)?;
    }
    Ok(())
}

/// The names of all facts whose names begin like this, without that beginning.
///
/// # Errors
/// When the database fails.
pub fn list_names(conn: &mut AnyConnection, beginning: &str) -> QueryResult<Vec<String>> {
    let names: Vec<String> = facts::table
        .filter(facts::name.like(format!("{beginning}%")))
        .select(facts::name)
        .load(conn)?;
    let rest = |name: String| name.strip_prefix(beginning).map(str::to_owned);
    Ok(names.into_iter().filter_map(rest).collect())
}

/// Forgets a fact. False when it was not known.
///
/// # Errors
/// When the database fails.
pub fn delete(conn: &mut AnyConnection, name: &str) -> QueryResult<bool> {
    let deleted = diesel::delete(facts::table.find(name)).execute(conn)?;
    Ok(deleted > 0)
}
