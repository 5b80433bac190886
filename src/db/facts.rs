//! Facts about the database as a whole.

use diesel::prelude::*;

use super::{AnyConnection, schema::facts};

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

/// Changes a fact.
///
/// # Errors
/// When the database fails.
pub fn update(conn: &mut AnyConnection, name: &str, value: &str) -> QueryResult<()> {
    diesel::update(facts::table.find(name))
        .set(facts::value.eq(value))
        .execute(conn)?;
    Ok(())
}
