//! Logins.

use std::collections::HashSet;

use chrono::NaiveDateTime;
use diesel::{
    dsl::{count_star, max},
    prelude::*,
};

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
    /// When it was to end before its newest refresh token was given.
    pub previous_expires_at: Option<NaiveDateTime>,
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
            sessions::previous_expires_at,
        ))
        .get_result(conn)
        .optional()
        .or_else(|error| match error {
            diesel::result::Error::DeserializationError(cause) => {
                log::warn!("login {id} counts as ended, since its row cannot be read: {cause}");
                Ok(None)
            }
            other => Err(other),
        })
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
        let greatest = sessions::table.select(max(sessions::id)).get_result(conn)?;
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

/// What a refresh writes.
#[derive(Debug)]
pub struct Refreshed {
    /// Hash of the newest refresh token.
    pub refresh_hash: String,
    /// Hash of the one that was used for it.
    pub previous_hash: String,
    /// When the login ends now.
    pub expires_at: Timestamp,
    /// When it was to end before.
    pub previous_expires_at: Timestamp,
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
    new: &Refreshed,
) -> QueryResult<bool> {
    let updated = diesel::update(
        sessions::table
            .filter(sessions::id.eq(id))
            .filter(sessions::refresh_hash.eq(expected)),
    )
    .set((
        sessions::refresh_hash.eq(&new.refresh_hash),
        sessions::previous_hash.eq(&new.previous_hash),
        sessions::expires_at.eq(new.expires_at.naive_utc()),
        sessions::previous_expires_at.eq(new.previous_expires_at.naive_utc()),
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

/// Ends the logins of a user beyond the `most` that were used last; `newest` stays in any case. Returns those that were
/// ended.
///
/// # Errors
/// When the database fails.
pub fn delete_beyond(
    conn: &mut AnyConnection,
    user_id: i64,
    newest: i64,
    most: i64,
) -> QueryResult<Vec<i64>> {
    let beyond: Vec<i64> = sessions::table
        .filter(sessions::user_id.eq(user_id))
        .filter(sessions::id.ne(newest))
        // Each use moves the end.
        .order((sessions::expires_at.desc(), sessions::id.desc()))
        .limit(i64::MAX)
        .offset((most - 1).max(0))
        .select(sessions::id)
        .load(conn)?;
    for id in &beyond {
        delete(conn, *id)?;
    }
    Ok(beyond)
}

/// Forgets the logins that had expired by `upto`.
///
/// # Errors
/// When the database fails.
pub fn delete_expired(conn: &mut AnyConnection, upto: Timestamp) -> QueryResult<usize> {
    diesel::delete(sessions::table.filter(sessions::expires_at.le(upto.naive_utc()))).execute(conn)
}

/// Lets no login end later than `latest`, where a wrong clock has written so.
///
/// # Errors
/// When the database fails.
pub fn shorten(conn: &mut AnyConnection, latest: Timestamp) -> QueryResult<usize> {
    diesel::update(sessions::table.filter(sessions::expires_at.gt(latest.naive_utc())))
        .set(sessions::expires_at.eq(latest.naive_utc()))
        .execute(conn)
}

/// A login that someone claims, and the moment at which it has to live.
#[derive(Debug, Clone, Copy)]
pub struct Claim {
    /// The login.
    pub id: i64,
    /// Whose it is said to be.
    pub user_id: i64,
    /// By the clock that no one can set.
    pub at: Timestamp,
}

/// A login, if it lives and is that user's.
///
/// # Errors
/// When the database fails.
pub fn find_claimed(conn: &mut AnyConnection, claim: Claim) -> QueryResult<Option<Session>> {
    let found = find(conn, claim.id, claim.at)?;
    Ok(found.filter(|session| session.user_id == claim.user_id))
}

/// Logins, each with whose it is.
pub type Logins = HashSet<(i64, i64)>;

/// Those of these logins that live, and live on until this transaction ends: whoever ends one waits for it.
///
/// # Errors
/// When the database fails.
pub fn list_live(conn: &mut AnyConnection, logins: Logins, at: Timestamp) -> QueryResult<Logins> {
    let live = sessions::expires_at.gt(at.naive_utc());
    match conn {
        AnyConnection::Postgres(conn) => {
            let ids: Vec<i64> = logins.iter().map(|(id, _)| *id).collect();
            let found: Vec<(i64, i64)> = sessions::table
                .filter(sessions::id.eq_any(ids))
                .filter(live)
                .select((sessions::id, sessions::user_id))
                .for_key_share()
                .load(conn)?;
            Ok(found
                .into_iter()
                .filter(|found| logins.contains(found))
                .collect())
        }
        // BEGIN IMMEDIATE has made us the only writer. One by one: that statement is prepared once.
        AnyConnection::Sqlite(conn) => {
            let mut found = Logins::new();
            for (id, user_id) in logins {
                let one = sessions::table
                    .filter(sessions::id.eq(id))
                    .filter(sessions::user_id.eq(user_id))
                    .filter(live);
                let count: i64 = one.count().get_result(conn)?;
                if count == 1 {
                    found.insert((id, user_id));
                }
            }
            Ok(found)
        }
    }
}

/// Most that are asked for in one query.
const CHUNK: usize = 5_000;

/// Those of these logins that have not been ended.
///
/// # Errors
/// When the database fails.
pub fn list_existing(conn: &mut AnyConnection, ids: &[i64]) -> QueryResult<Vec<i64>> {
    let mut found = Vec::new();
    for ids in ids.chunks(CHUNK) {
        let query = sessions::table
            .filter(sessions::id.eq_any(ids))
            .select(sessions::id);
        found.extend(match conn {
            AnyConnection::Postgres(conn) => query.load::<i64>(conn)?,
            AnyConnection::Sqlite(conn) => query.load::<i64>(conn)?,
        });
    }
    Ok(found)
}

/// The logins of a user, the newest first.
///
/// # Errors
/// When the database fails.
pub fn list_of_user(
    conn: &mut AnyConnection,
    user_id: i64,
) -> QueryResult<Vec<(i64, NaiveDateTime, NaiveDateTime)>> {
    sessions::table
        .filter(sessions::user_id.eq(user_id))
        .order(sessions::id.desc())
        .select((sessions::id, sessions::created_at, sessions::expires_at))
        .load(conn)
}

/// How many logins each user has.
///
/// # Errors
/// When the database fails.
pub fn count_by_user(conn: &mut AnyConnection) -> QueryResult<Vec<(i64, i64)>> {
    sessions::table
        .group_by(sessions::user_id)
        .select((sessions::user_id, count_star()))
        .load(conn)
}
