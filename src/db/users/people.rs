//! What people say of themselves, and what they have chosen to be.

use chrono::NaiveDateTime;
use diesel::{prelude::*, sql_query, sql_types::BigInt};

use super::directory;
use crate::{
    db::{
        AnyConnection, members,
        rooms::GENERAL_ID,
        schema::{user_words, users},
        text::StoredText,
        time::StoredTime,
    },
    protocol::{limits::MOST_WHO_SHARE_GENERAL, time::Timestamp},
};

/// What someone says of themselves.
#[derive(Debug, Clone, Queryable)]
pub struct PersonRow {
    /// Who.
    pub id: i64,
    /// Who, by name.
    pub username: String,
    /// When the account was made.
    pub created_at: StoredTime,
    /// What people call them.
    pub display_name: Option<StoredText>,
    /// Sealed.
    pub bio: Option<StoredText>,
    /// Sealed.
    pub pronouns: Option<StoredText>,
    /// A name of the IANA time zone database.
    pub time_zone: Option<StoredText>,
    /// Whether others see how far they have read, and they how far others have.
    pub receipts: bool,
    /// When nothing is to disturb them, as `22:00-07:00`.
    pub quiet_hours: Option<StoredText>,
}

/// What someone has chosen to be.
#[derive(Debug, Clone, Queryable)]
pub struct StatusRow {
    /// Who.
    pub user_id: i64,
    /// Who, by name.
    pub username: String,
    /// `away`, `dnd` or `invisible`.
    pub state: Option<StoredText>,
    /// Sealed.
    pub text: Option<StoredText>,
    /// Sealed.
    pub emoji: Option<StoredText>,
    /// When it ends.
    pub until: Option<StoredTime>,
    /// The state that comes back then.
    pub then: Option<StoredText>,
}

/// What of what someone says of themselves is sealed.
#[derive(Debug, Clone, Queryable)]
pub struct Said {
    /// Who.
    pub id: i64,
    /// Who, by name.
    pub username: String,
    /// What they tell of themselves.
    pub bio: Option<StoredText>,
    /// How to speak of them.
    pub pronouns: Option<StoredText>,
    /// The text of their status.
    pub status_text: Option<StoredText>,
    /// The emoji of their status.
    pub status_emoji: Option<StoredText>,
}

/// What is to be stored of what someone has chosen to be.
#[derive(Debug, Clone, Default)]
pub struct NewStatus {
    /// `away`, `dnd` or `invisible`.
    pub state: Option<&'static str>,
    /// Sealed.
    pub text: Option<String>,
    /// Sealed.
    pub emoji: Option<String>,
    /// When it ends.
    pub until: Option<Timestamp>,
    /// The state that comes back then.
    pub then: Option<&'static str>,
}

/// What is to be stored of what someone says of themselves: what is absent stays, what is `None` goes.
#[derive(Debug, Clone, Default)]
pub struct NewProfile {
    /// What people are to call them.
    pub display_name: Option<Option<String>>,
    /// Sealed.
    pub bio: Option<Option<String>>,
    /// Sealed.
    pub pronouns: Option<Option<String>>,
    /// A name of the IANA time zone database.
    pub time_zone: Option<Option<String>>,
    /// Whether others see how far they have read, and they how far others have.
    pub receipts: Option<bool>,
    /// When nothing is to disturb them, as `22:00-07:00`.
    pub quiet_hours: Option<Option<String>>,
}

macro_rules! columns {
    () => {
        (
            users::id,
            users::username,
            users::created_at,
            users::display_name,
            users::bio,
            users::pronouns,
            users::time_zone,
            users::receipts,
            users::quiet_hours,
        )
    };
}

/// What these users say of themselves, in the order of their numbers; without those whose account was deleted.
///
/// # Errors
/// When the database fails.
pub fn list(conn: &mut AnyConnection, ids: &[i64]) -> QueryResult<Vec<PersonRow>> {
    let query = users::table
        .filter(users::id.eq_any(ids))
        .filter(users::deleted_at.is_null())
        .order(users::id)
        .select(columns!());
    match conn {
        AnyConnection::Postgres(conn) => query.load(conn),
        AnyConnection::Sqlite(conn) => query.load(conn),
    }
}

/// What is stored of someone's status, sealed; `None` when there is nothing.
///
/// # Errors
/// When the database fails.
pub fn find_status(conn: &mut AnyConnection, user_id: i64) -> QueryResult<Option<StatusRow>> {
    Ok(list_statuses_of(conn, Some(user_id))?.pop())
}

/// What all have chosen to be who have chosen something.
///
/// # Errors
/// When the database fails.
pub fn list_statuses(conn: &mut AnyConnection) -> QueryResult<Vec<StatusRow>> {
    list_statuses_of(conn, None)
}

fn list_statuses_of(conn: &mut AnyConnection, user_id: Option<i64>) -> QueryResult<Vec<StatusRow>> {
    let is_set = users::status_state
        .is_not_null()
        .or(users::status_then.is_not_null())
        .or(users::status_text.is_not_null())
        .or(users::status_emoji.is_not_null());
    let mut query = users::table
        .filter(is_set)
        .select((
            users::id,
            users::username,
            users::status_state,
            users::status_text,
            users::status_emoji,
            users::status_until,
            users::status_then,
        ))
        .into_boxed();
    if let Some(user_id) = user_id {
        query = query.filter(users::id.eq(user_id));
    }
    query.load(conn)
}

/// What of what people say of themselves is sealed, of those after this user, by their numbers.
///
/// # Errors
/// When the database fails.
pub fn list_said(conn: &mut AnyConnection, after: i64, limit: i64) -> QueryResult<Vec<Said>> {
    users::table
        .filter(users::id.gt(after))
        .order(users::id)
        .limit(limit)
        .select((
            users::id,
            users::username,
            users::bio,
            users::pronouns,
            users::status_text,
            users::status_emoji,
        ))
        .load(conn)
}

/// Sets what someone has chosen to be; nothing of a deleted account.
///
/// # Errors
/// When the database fails.
pub fn set_status(conn: &mut AnyConnection, user_id: i64, new: &NewStatus) -> QueryResult<()> {
    diesel::update(
        users::table
            .find(user_id)
            .filter(users::deleted_at.is_null()),
    )
    .set((
        users::status_state.eq(new.state),
        users::status_text.eq(&new.text),
        users::status_emoji.eq(&new.emoji),
        users::status_until.eq(new.until.map(|at| at.naive_utc())),
        users::status_then.eq(new.then),
    ))
    .execute(conn)?;
    Ok(())
}

/// Takes back what has ended by now, and gives back what comes then.
///
/// # Errors
/// When the database fails.
pub fn clear_ended(conn: &mut AnyConnection, now: Timestamp) -> QueryResult<usize> {
    diesel::update(users::table.filter(users::status_until.le(now.naive_utc())))
        .set((
            users::status_state.eq(users::status_then),
            users::status_text.eq(None::<String>),
            users::status_emoji.eq(None::<String>),
            users::status_until.eq(None::<NaiveDateTime>),
            users::status_then.eq(None::<String>),
        ))
        .execute(conn)
}

/// Changes what someone says of themselves.
///
/// # Errors
/// When the database fails.
pub fn set_profile(conn: &mut AnyConnection, user_id: i64, new: &NewProfile) -> QueryResult<()> {
    let row = || {
        users::table
            .find(user_id)
            .filter(users::deleted_at.is_null())
    };
    if let Some(bio) = &new.bio {
        diesel::update(row())
            .set(users::bio.eq(bio))
            .execute(conn)?;
    }
    if let Some(pronouns) = &new.pronouns {
        diesel::update(row())
            .set(users::pronouns.eq(pronouns))
            .execute(conn)?;
    }
    if let Some(zone) = &new.time_zone {
        diesel::update(row())
            .set(users::time_zone.eq(zone))
            .execute(conn)?;
    }
    if let Some(receipts) = new.receipts {
        diesel::update(row())
            .set(users::receipts.eq(receipts))
            .execute(conn)?;
    }
    if let Some(hours) = &new.quiet_hours {
        diesel::update(row())
            .set(users::quiet_hours.eq(hours))
            .execute(conn)?;
    }
    if let Some(name) = &new.display_name {
        diesel::update(row())
            .set(users::display_name.eq(name))
            .execute(conn)?;
        let username: Option<String> = row().select(users::username).first(conn).optional()?;
        if let Some(username) = username {
            directory::set_words(conn, user_id, &username, name.as_deref())?;
        }
    }
    Ok(())
}

/// Forgets what someone says of themselves and has chosen to be.
///
/// # Errors
/// When the database fails.
pub fn forget(conn: &mut AnyConnection, user_id: i64) -> QueryResult<()> {
    diesel::update(users::table.find(user_id))
        .set((
            users::display_name.eq(None::<String>),
            users::bio.eq(None::<String>),
            users::pronouns.eq(None::<String>),
            users::time_zone.eq(None::<String>),
            users::receipts.eq(true),
            users::quiet_hours.eq(None::<String>),
            users::status_state.eq(None::<String>),
            users::status_text.eq(None::<String>),
            users::status_emoji.eq(None::<String>),
            users::status_until.eq(None::<NaiveDateTime>),
            users::status_then.eq(None::<String>),
        ))
        .execute(conn)?;
    diesel::delete(user_words::table.filter(user_words::user_id.eq(user_id))).execute(conn)?;
    Ok(())
}

#[derive(QueryableByName)]
struct Id {
    #[diesel(sql_type = BigInt)]
    user_id: i64,
}

/// Whether `general` is small enough to count as a room that people share.
///
/// # Errors
/// When the database fails.
pub fn does_general_count(conn: &mut AnyConnection) -> QueryResult<bool> {
    let most = MOST_WHO_SHARE_GENERAL;
    Ok(members::count_up_to(conn, GENERAL_ID, most + 1)? <= most)
}

/// Those of these users whom someone may see for sharing a room with them. Whoever was brought into a direct room, and has neither
/// read nor written anything in it, is not to be seen for it.
///
/// # Errors
/// When the database fails.
pub fn list_sharing(conn: &mut AnyConnection, user_id: i64, ids: &[i64]) -> QueryResult<Vec<i64>> {
    if ids.is_empty() {
        return Ok(Vec::new());
    }
    let least = if does_general_count(conn)? {
        0
    } else {
        GENERAL_ID
    };
    let ids: Vec<String> = ids.iter().map(ToString::to_string).collect();
    // Nothing but numbers stands in it. The rooms of the one are few, and each is asked for the others.
    let query = sql_query(format!(
        "SELECT DISTINCT theirs.user_id FROM memberships own JOIN memberships theirs ON theirs.room_id = own.room_id \
         WHERE own.user_id = {user_id} AND own.room_id > {least} AND theirs.user_id IN ({}) \
         AND (theirs.hidden_seq IS NULL OR theirs.invited_by IS NULL OR theirs.shown_seq > 1)",
        ids.join(", ")
    ));
    let found: Vec<Id> = match conn {
        AnyConnection::Postgres(conn) => query.load(conn)?,
        AnyConnection::Sqlite(conn) => query.load(conn)?,
    };
    Ok(found.into_iter().map(|found| found.user_id).collect())
}
