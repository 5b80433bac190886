//! The e-mail addresses of accounts, which are sealed.

use diesel::prelude::*;

use crate::db::{AnyConnection, schema::users, text::StoredText};

/// Gives an account its e-mail address, sealed.
///
/// # Errors
/// When the database fails.
pub fn set_email(conn: &mut AnyConnection, user_id: i64, sealed: &str) -> QueryResult<()> {
    diesel::update(users::table.find(user_id))
        .set(users::email.eq(sealed))
        .execute(conn)?;
    Ok(())
}

/// Accounts after one number and up to another whose e-mail address has nothing behind it that binds it, with the address,
/// lowest first.
///
/// # Errors
/// When the database fails.
pub fn list_with_bare_email(
    conn: &mut AnyConnection,
    (after, until): (i64, i64),
    behind: char,
    limit: i64,
) -> QueryResult<Vec<(i64, String)>> {
    let found: Vec<(i64, Option<String>)> = users::table
        .filter(users::id.gt(after))
        .filter(users::id.le(until))
        .filter(users::email.is_not_null())
        .filter(users::email.not_like(format!("%{behind}%")))
        .order(users::id)
        .limit(limit)
        .select((users::id, users::email))
        .load(conn)?;
    let found = found.into_iter();
    Ok(found.filter_map(|(id, email)| Some((id, email?))).collect())
}

/// The next accounts after this one that have an e-mail address, with their names and the sealed addresses.
///
/// # Errors
/// When the database fails.
pub fn list_with_email(
    conn: &mut AnyConnection,
    after: i64,
    limit: i64,
) -> QueryResult<Vec<(i64, StoredText, StoredText)>> {
    let found: Vec<(i64, StoredText, Option<StoredText>)> = users::table
        .filter(users::id.gt(after))
        .filter(users::email.is_not_null())
        .order(users::id)
        .limit(limit)
        .select((users::id, users::username, users::email))
        .load(conn)?;
    let found = found.into_iter();
    // In SQLite a number may be a text, which is above all numbers and read as 0.
    Ok(found
        .filter(|(id, ..)| *id > after)
        .filter_map(|(id, name, email)| Some((id, name, email?)))
        .collect())
}
