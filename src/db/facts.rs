//! Facts about the database as a whole.

use diesel::prelude::*;

use super::{AnyConnection, schema::facts};

/// The beginning of the names of the facts that tell whether the keys are the right ones: for each key that has sealed
/// something here, these words sealed by it.
pub const KEY_CHECK: &str = "key-check-";

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

/// Forgets a fact.
///
/// # Errors
/// When the database fails.
pub fn delete(conn: &mut AnyConnection, name: &str) -> QueryResult<()> {
    diesel::delete(facts::table.find(name)).execute(conn)?;
    Ok(())
}
