//! Logins.

use chrono::NaiveDateTime;
use diesel::{dsl::max, prelude::*};

use super::{
    AnyConnection, ids,
    schema::{sessions, users},
};
use crate::protocol::time::Timestamp;

/// A login and whose it is.
#[derive(Debug, Clone, Queryable)]
pub struct Session {
    /// The key.
    pub id: i64,
    /// Whose it is.
    pub user_id: i64,
    /// Whose it is, by name.
    pub username: String,
    /// Hash of the newest refresh token.
    pub refresh_hash: String,
    /// Hash of the one before, as long as the newest has not been used.
    pub previous_hash: Option<String>,
    /// When it ends unless it is used.
    pub expires_at: NaiveDateTime,
}

/// A login that has not ended, with its user.
///
/// # Errors
/// When the database fails.
pub fn find(conn: &mut AnyConnection, id: i64, now: Timestamp) -> QueryResult<Option<Session>> {
    sessions::table
        .inner_join(users::table)
        .filter(sessions::id.eq(id))
        .filter(sessions::expires_at.gt(now.naive_utc()))
        .select((
            sessions::id,
            sessions::user_id,
            users::username,
            sessions::refresh_hash,
            sessions::previous_hash,
            sessions::expires_at,
        ))
        .first(conn)
        .optional()
}

/// Notes a new login and returns its key.
///
/// # Errors
/// When the database fails.
pub fn insert(
    conn: &mut AnyConnection,
    user_id: i64,
    refresh_hash: &str,
    now: Timestamp,
    expires_at: Timestamp,
) -> QueryResult<i64> {
    let mut tries = 0;
    loop {
        let greatest = sessions::table.select(max(sessions::id)).first(conn)?;
        let id = ids::generate(greatest);
        // A savepoint: on PostgreSQL a unique violation would end the whole transaction.
        let inserted = conn.transaction(|conn| {
            diesel::insert_into(sessions::table)
                .values((
                    sessions::id.eq(id),
                    sessions::user_id.eq(user_id),
                    sessions::refresh_hash.eq(refresh_hash),
                    sessions::created_at.eq(now.naive_utc()),
                    sessions::expires_at.eq(expires_at.naive_utc()),
                ))
                .execute(conn)
        });
        tries += 1;
        match inserted {
            Ok(_) => return Ok(id),
            Err(error) if super::is_unique_violation(&error) && tries < ids::TRIES => {}
            Err(error) => return Err(error),
        }
    }
}

/// Replaces the refresh token. `expected` is the hash that was there when the caller looked: false when another
/// request was faster.
///
/// # Errors
/// When the database fails.
pub fn update_refresh(
    conn: &mut AnyConnection,
    id: i64,
    expected: &str,
    refresh_hash: &str,
    previous_hash: &str,
    expires_at: Timestamp,
) -> QueryResult<bool> {
    let updated = diesel::update(
        sessions::table
            .filter(sessions::id.eq(id))
            .filter(sessions::refresh_hash.eq(expected)),
    )
    .set((
        sessions::refresh_hash.eq(refresh_hash),
        sessions::previous_hash.eq(previous_hash),
        sessions::expires_at.eq(expires_at.naive_utc()),
    ))
    .execute(conn)?;
    Ok(updated == 1)
}

/// Ends a login; false when it had ended already.
///
/// # Errors
/// When the database fails.
pub fn delete(conn: &mut AnyConnection, id: i64) -> QueryResult<bool> {
    Ok(diesel::delete(sessions::table.filter(sessions::id.eq(id))).execute(conn)? == 1)
}

/// Forgets the logins of a user whose time is over.
///
/// # Errors
/// When the database fails.
pub fn delete_expired(
    conn: &mut AnyConnection,
    user_id: i64,
    now: Timestamp,
) -> QueryResult<usize> {
    diesel::delete(
        sessions::table
            .filter(sessions::user_id.eq(user_id))
            .filter(sessions::expires_at.le(now.naive_utc())),
    )
    .execute(conn)
}
