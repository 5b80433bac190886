//! Accounts.

pub mod changes;
pub mod directory;
pub mod emails;
mod hold;
mod looks;
pub mod people;
pub mod traces;

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use chrono::NaiveDateTime;
use diesel::{
    dsl::{exists, max},
    prelude::*,
    sql_query,
    sql_types::{BigInt, Text},
};
use sha2::{Digest as _, Sha256};

use self::looks::has_alike;
use super::{
    AnyConnection, ids,
    members::{ensure_owner, note_untold_heir},
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
    /// Counts the changes of its password and its state.
    pub credentials: i64,
    /// Since when no one can log in to it.
    pub disabled_at: Option<NaiveDateTime>,
}

/// What a new account is made of.
#[derive(Debug)]
pub struct NewUser<'a> {
    /// The name as its owner writes it.
    pub username: &'a str,
    /// bcrypt.
    pub password_hash: &'a str,
    /// Now.
    pub created_at: Timestamp,
    /// What would stand for the name if it was deleted: see [`hash_of`].
    pub deleted: &'a [String],
}

/// The form of a name by which people are told apart.
#[must_use]
pub fn key_of(username: &str) -> String {
    username.to_ascii_lowercase()
}

/// How the key of a deleted account begins; no name can begin so.
const DELETED: &str = "deleted:";
/// The same where the rest was made with a key.
const DELETED_KEYED: &str = "deleted:keyed:";

/// The unkeyed hash of a name. What is kept of a deleted name is made of it with the server's key.
#[must_use]
pub fn hash_of(username: &str) -> String {
    URL_SAFE_NO_PAD.encode(Sha256::digest(key_of(username).as_bytes()))
}

/// All that can stand for this name: itself; and when it was deleted, what was made of its hash with a key, or, in an
/// older release, without one.
fn keys_of(username: &str, deleted: &[String]) -> Vec<String> {
    let mut keys = vec![key_of(username), format!("{DELETED}{}", hash_of(username))];
    keys.extend(deleted.iter().map(|name| format!("{DELETED_KEYED}{name}")));
    keys
}

/// Makes what an older release has kept of deleted names with a key. Belongs in a transaction.
///
/// # Errors
/// When the database fails.
pub fn key_deleted(
    conn: &mut AnyConnection,
    keyed: impl Fn(&str) -> Option<String>,
) -> QueryResult<usize> {
    let old: Vec<(i64, String)> = users::table
        .filter(users::deleted_at.is_not_null())
        .filter(users::username_key.like(format!("{DELETED}%")))
        .filter(users::username_key.not_like(format!("{DELETED_KEYED}%")))
        .select((users::id, users::username_key))
        .load(conn)?;
    let count = old.len();
    for (id, key) in old {
        if let Some(name) = key.strip_prefix(DELETED).and_then(&keyed) {
            diesel::update(users::table.find(id))
                .set(users::username_key.eq(format!("{DELETED_KEYED}{name}")))
                .execute(conn)?;
        }
    }
    Ok(count)
}

/// What a [`User`] is made of, in its order.
const COLUMNS: (
    users::id,
    users::username,
    users::password_hash,
    users::created_at,
    users::credentials,
    users::disabled_at,
) = (
    users::id,
    users::username,
    users::password_hash,
    users::created_at,
    users::credentials,
    users::disabled_at,
);

/// The account of a name, whatever its case.
///
/// # Errors
/// When the database fails.
pub fn find_by_name(conn: &mut AnyConnection, username: &str) -> QueryResult<Option<User>> {
    users::table
        .filter(users::username_key.eq(key_of(username)))
        .select(COLUMNS)
        .get_result(conn)
        .optional()
}

/// The account of an id; `None` also for one that was deleted.
///
/// # Errors
/// When the database fails.
pub fn find(conn: &mut AnyConnection, id: i64) -> QueryResult<Option<User>> {
    users::table
        .find(id)
        .filter(users::deleted_at.is_null())
        .select(COLUMNS)
        .get_result(conn)
        .optional()
}

/// The accounts of these names, whatever their case, and of these numbers: each by number and name, in the order of the
/// numbers.
///
/// # Errors
/// When the database fails.
pub fn list_named(
    conn: &mut AnyConnection,
    names: &[&str],
    ids: &[i64],
) -> QueryResult<Vec<(i64, String)>> {
    let keys: Vec<String> = names.iter().map(|name| key_of(name)).collect();
    let query = users::table
        .filter(users::deleted_at.is_null())
        .filter(users::username_key.eq_any(keys).or(users::id.eq_any(ids)))
        .order(users::id)
        .select((users::id, users::username));
    match conn {
        AnyConnection::Postgres(conn) => query.load(conn),
        AnyConnection::Sqlite(conn) => query.load(conn),
    }
}

/// Why a name is not to be had.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Rival {
    /// Someone has it, or had it before the account was deleted.
    Same,
    /// Someone has one that looks like it.
    Alike,
}

/// Whether someone has this name, or ever had it before the account was deleted, or has one that looks like it.
///
/// # Errors
/// When the database fails.
pub fn find_rival(
    conn: &mut AnyConnection,
    username: &str,
    deleted: &[String],
) -> QueryResult<Option<Rival>> {
    let taken = users::table
        .filter(users::username_key.eq_any(keys_of(username, deleted)))
        .select(users::id);
    let found: Option<i64> = match conn {
        AnyConnection::Postgres(conn) => taken.first(conn).optional()?,
        AnyConnection::Sqlite(conn) => taken.first(conn).optional()?,
    };
    if found.is_some() {
        return Ok(Some(Rival::Same));
    }
    let is_alike = has_alike(conn, username, 0)?;
    Ok(is_alike.then_some(Rival::Alike))
}

/// What has become of an account since somebody looked at it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Standing {
    /// Its password is the same, and it may be logged in to.
    Same,
    /// Its password is the same, and nobody may log in to it.
    Disabled,
    /// It has another password, or is gone.
    Changed,
}

/// Whether the password and the state of an account are still those that were looked at, and it may be logged in to. They
/// stay so until the transaction ends.
///
/// # Errors
/// When the database fails.
pub fn hold_credentials(conn: &mut AnyConnection, seen: &User) -> QueryResult<Standing> {
    let query = users::table
        .find(seen.id)
        .filter(users::deleted_at.is_null())
        .select((
            users::credentials,
            users::password_hash,
            users::disabled_at.is_not_null(),
        ));
    let found: Option<(i64, String, bool)> = match conn {
        // Whoever changes them waits for us, and ends the login that we are about to store.
        AnyConnection::Postgres(conn) => query.for_no_key_update().first(conn).optional()?,
        // BEGIN IMMEDIATE has made us the only writer.
        AnyConnection::Sqlite(conn) => query.first(conn).optional()?,
    };
    Ok(match found {
        // The hash may be another of the same password as long as nothing was counted.
        Some((count, hash, is_disabled))
            if count == seen.credentials || hash == seen.password_hash =>
        {
            if is_disabled {
                Standing::Disabled
            } else {
                Standing::Same
            }
        }
        _ => Standing::Changed,
    })
}

/// Replaces a password's hash by another of the same password; nothing when it was changed meanwhile.
///
/// # Errors
/// When the database fails.
pub fn update_hash(
    conn: &mut AnyConnection,
    id: i64,
    expected: &str,
    password_hash: &str,
) -> QueryResult<()> {
    diesel::update(
        users::table
            .find(id)
            .filter(users::password_hash.eq(expected)),
    )
    .set(users::password_hash.eq(password_hash))
    .execute(conn)?;
    Ok(())
}

#[derive(QueryableByName)]
struct Cost {
    #[diesel(sql_type = Text)]
    cost: String,
    #[diesel(sql_type = BigInt)]
    users: i64,
}

/// How many accounts have a password that was hashed at which cost.
///
/// # Errors
/// When the database fails.
pub fn count_costs(conn: &mut AnyConnection) -> QueryResult<Vec<(u32, u64)>> {
    // `$2b$12$…`
    let query = sql_query(
        "SELECT substr(password_hash, 5, 2) AS cost, count(*) AS users FROM users GROUP BY 1 ORDER BY 1",
    );
    let rows: Vec<Cost> = match conn {
        AnyConnection::Postgres(conn) => query.load(conn)?,
        AnyConnection::Sqlite(conn) => query.load(conn)?,
    };
    let number = |row: Cost| Some((row.cost.parse().ok()?, row.users.unsigned_abs()));
    Ok(rows.into_iter().filter_map(number).collect())
}

/// Makes an account and its membership of `general`, unless the name is not to be had. Belongs in a transaction.
///
/// # Errors
/// When the database fails.
pub fn insert(conn: &mut AnyConnection, new: &NewUser<'_>) -> QueryResult<Result<i64, Rival>> {
    let created_at = new.created_at.naive_utc();
    let mut tries = 0;
    if let Some(rival) = find_rival(conn, new.username, new.deleted)? {
        return Ok(Err(rival));
    }
    let id = loop {
        match insert_row(conn, new, created_at) {
            Ok(id) => break id,
            Err(error) if super::is_unique_violation(&error) => {
                if let Some(rival) = find_rival(conn, new.username, new.deleted)? {
                    return Ok(Err(rival));
                }
                tries += 1;
                if tries == ids::TRIES {
                    return Err(error);
                }
            }
            Err(error) => return Err(error),
        }
    };
    // Its owner may have been deleted while we waited for the index.
    if is_deleted(conn, new)? {
        return Err(diesel::result::Error::RollbackTransaction);
    }
    let (general, last_seq): (i64, i64) = rooms::table
        .filter(rooms::key.eq(GENERAL))
        .select((rooms::id, rooms::last_seq))
        .first(conn)?;
    diesel::insert_into(memberships::table)
        .values((
            memberships::room_id.eq(general),
            memberships::user_id.eq(id),
            memberships::created_at.eq(created_at),
            // What was said before they came is not unread.
            memberships::read_seq.eq(last_seq),
            memberships::shown_seq.eq(last_seq),
        ))
        .execute(conn)?;
    // With the very first account nothing is inherited.
    if let Some(heir) = ensure_owner(conn, general)?
        && has_others(conn, id)?
    {
        note_untold_heir(conn, general, heir)?;
    }
    directory::set_words(conn, id, new.username, None)?;
    // Last: whoever registers or writes in the room at the same moment waits from here until our commit.
    diesel::update(rooms::table.find(general))
        .set(rooms::members.eq(rooms::members + 1))
        .execute(conn)?;
    // Whoever registered while we waited there may have one that looks like ours.
    if has_alike(conn, new.username, id)? {
        return Err(diesel::result::Error::RollbackTransaction);
    }
    Ok(Ok(id))
}

/// Whether there is another account than this one, or was.
fn has_others(conn: &mut AnyConnection, id: i64) -> QueryResult<bool> {
    diesel::select(exists(users::table.filter(users::id.ne(id)))).get_result(conn)
}

fn is_deleted(conn: &mut AnyConnection, new: &NewUser<'_>) -> QueryResult<bool> {
    let mut keys = keys_of(new.username, new.deleted);
    // That is the row that was just inserted.
    keys.remove(0);
    let found = users::table
        .filter(users::username_key.eq_any(keys))
        .select(users::id);
    let found: Option<i64> = match conn {
        AnyConnection::Postgres(conn) => found.first(conn).optional()?,
        AnyConnection::Sqlite(conn) => found.first(conn).optional()?,
    };
    Ok(found.is_some())
}

fn insert_row(
    conn: &mut AnyConnection,
    new: &NewUser<'_>,
    created_at: NaiveDateTime,
) -> QueryResult<i64> {
    // A savepoint: on PostgreSQL a unique violation would end the whole transaction.
    conn.transaction(|conn| {
        let greatest = users::table.select(max(users::id)).get_result(conn)?;
        let id = ids::generate(greatest);
        diesel::insert_into(users::table)
            .values((
                users::id.eq(id),
                users::username.eq(new.username),
                users::username_key.eq(key_of(new.username)),
                users::password_hash.eq(new.password_hash),
                users::created_at.eq(created_at),
            ))
            .execute(conn)
            .map(|_| id)
    })
}
