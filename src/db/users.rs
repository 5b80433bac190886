//! Accounts.

use chrono::NaiveDateTime;
use diesel::{dsl::max, prelude::*};

use super::{
    AnyConnection, ids,
    schema::{memberships, rooms, users},
};
use crate::protocol::{GENERAL, time::Timestamp};

/// A row of `users`.
#[derive(Debug, Clone, Queryable)]
pub struct User {
    /// The key.
    pub id: i64,
    /// The name as its owner writes it.
    pub username: String,
    /// bcrypt.
    pub password_hash: String,
    /// When the account was made.
    pub created_at: NaiveDateTime,
}

/// What a new account is made of.
#[derive(Debug)]
pub struct NewUser<'a> {
    /// The name as its owner writes it.
    pub username: &'a str,
    /// bcrypt.
    pub password_hash: &'a str,
    /// Sealed.
    pub email: Option<&'a str>,
    /// Now.
    pub created_at: Timestamp,
}

/// The form of a name by which people are told apart.
#[must_use]
pub fn key_of(username: &str) -> String {
    username.to_ascii_lowercase()
}

/// The account of a name, whatever its case.
///
/// # Errors
/// When the database fails.
pub fn find_by_name(conn: &mut AnyConnection, username: &str) -> QueryResult<Option<User>> {
    users::table
        .filter(users::username_key.eq(key_of(username)))
        .select((
            users::id,
            users::username,
            users::password_hash,
            users::created_at,
        ))
        .first(conn)
        .optional()
}

/// Locks an account until the transaction ends; false when there is none any more.
///
/// # Errors
/// When the database fails.
pub fn lock(conn: &mut AnyConnection, id: i64) -> QueryResult<bool> {
    let query = users::table.find(id).select(users::id);
    let found: Option<i64> = match conn {
        AnyConnection::Postgres(conn) => query.for_no_key_update().first(conn).optional()?,
        // BEGIN IMMEDIATE has made us the only writer.
        AnyConnection::Sqlite(conn) => query.first(conn).optional()?,
    };
    Ok(found.is_some())
}

/// Makes an account and its membership of `general`; `None` when the name is taken. Belongs in a transaction.
///
/// # Errors
/// When the database fails.
pub fn insert(conn: &mut AnyConnection, new: &NewUser<'_>) -> QueryResult<Option<i64>> {
    let created_at = new.created_at.naive_utc();
    let mut tries = 0;
    let id = loop {
        match insert_row(conn, new, created_at) {
            Ok(id) => break id,
            Err(error) if super::is_unique_violation(&error) => {
                if find_by_name(conn, new.username)?.is_some() {
                    return Ok(None);
                }
                tries += 1;
                if tries == ids::TRIES {
                    return Err(error);
                }
            }
            Err(error) => return Err(error),
        }
    };
    let general: i64 = rooms::table
        .filter(rooms::name.eq(GENERAL))
        .select(rooms::id)
        .first(conn)?;
    diesel::insert_into(memberships::table)
        .values((
            memberships::room_id.eq(general),
            memberships::user_id.eq(id),
            memberships::created_at.eq(created_at),
        ))
        .execute(conn)?;
    Ok(Some(id))
}

fn insert_row(
    conn: &mut AnyConnection,
    new: &NewUser<'_>,
    created_at: NaiveDateTime,
) -> QueryResult<i64> {
    // A savepoint: on PostgreSQL a unique violation would end the whole transaction.
    conn.transaction(|conn| {
        let greatest = users::table.select(max(users::id)).first(conn)?;
        let id = ids::generate(greatest);
        diesel::insert_into(users::table)
            .values((
                users::id.eq(id),
                users::username.eq(new.username),
                users::username_key.eq(key_of(new.username)),
                users::password_hash.eq(new.password_hash),
                users::email.eq(new.email),
                users::created_at.eq(created_at),
            ))
            .execute(conn)
            .map(|_| id)
    })
}
