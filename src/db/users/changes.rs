//! What is done to accounts: each change ends what it must, is numbered and kept, all in one transaction, so that a server
//! that runs beside whoever made it notices.

use chrono::NaiveDateTime;
use diesel::{
    connection::SimpleConnection as _,
    dsl::{exists, not},
    prelude::*,
};

use super::{DELETED_KEYED, User, hold::hold_with_rooms, people, traces::delete_private};
use crate::{
    db::{
        AnyConnection, is_unique_violation,
        members::{ensure_owner_untold, forget_untold_heir},
        schema::{
            account_changes, known_networks, memberships, restraints, rooms, sessions, users,
        },
    },
    protocol::{names::DELETED, time::Timestamp},
};

/// How often a number that was taken is replaced by the next.
const TRIES: usize = 20;

/// What was done to an account.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Act {
    /// It was made.
    Added,
    /// Its password was changed.
    Password,
    /// No one can log in to it any more.
    Disabled,
    /// It can be logged in to again.
    Enabled,
    /// It stands only for whoever wrote its messages.
    Deleted,
    /// Its logins were ended.
    SignedOut,
}

impl Act {
    const fn word(self) -> &'static str {
        match self {
            Self::Added => "added",
            Self::Password => "password",
            Self::Disabled => "disabled",
            Self::Enabled => "enabled",
            Self::Deleted => "deleted",
            Self::SignedOut => "signed-out",
        }
    }
}

/// Who did it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Actor {
    /// Whoever runs the server.
    Operator,
    /// Whose account it is.
    Owner,
}

impl Actor {
    const fn word(self) -> &'static str {
        match self {
            Self::Operator => "operator",
            Self::Owner => "self",
        }
    }
}

/// A change that was committed.
#[derive(Debug, Clone, Queryable)]
pub struct Change {
    /// 1, 2, 3 … without a hole.
    pub number: i64,
    /// Whose account.
    pub user_id: i64,
    /// Its name now.
    pub username: String,
    /// What.
    pub act: String,
    /// By whom.
    pub actor: String,
}

/// An account as the operator sees it.
#[derive(Debug, Clone, Queryable)]
pub struct Listed {
    /// The key.
    pub id: i64,
    /// The name; of a deleted account one that tells nothing.
    pub username: String,
    /// When it was made.
    pub created_at: NaiveDateTime,
    /// Since when no one can log in to it.
    pub disabled_at: Option<NaiveDateTime>,
    /// Since when it stands only for whoever wrote its messages.
    pub deleted_at: Option<NaiveDateTime>,
}

/// All accounts, by name.
///
/// # Errors
/// When the database fails.
pub fn list(conn: &mut AnyConnection) -> QueryResult<Vec<Listed>> {
    users::table
        .order((users::username_key, users::id))
        .select((
            users::id,
            users::username,
            users::created_at,
            users::disabled_at,
            users::deleted_at,
        ))
        .load(conn)
}

/// The number of the latest change; 0 when there is none.
///
/// # Errors
/// When the database fails.
pub fn find_latest(conn: &mut AnyConnection) -> QueryResult<i64> {
    let latest: Option<i64> = account_changes::table
        .select(account_changes::number)
        .order(account_changes::number.desc())
        .first(conn)
        .optional()?;
    Ok(latest.unwrap_or(0))
}

/// The changes after this one, oldest first.
///
/// # Errors
/// When the database fails.
pub fn list_after(conn: &mut AnyConnection, number: i64) -> QueryResult<Vec<Change>> {
    account_changes::table
        .inner_join(users::table)
        .filter(account_changes::number.gt(number))
        .order(account_changes::number)
        .select((
            account_changes::number,
            account_changes::user_id,
            users::username,
            account_changes::act,
            account_changes::actor,
        ))
        .load(conn)
}

/// What is kept of an account beside its name, its logins, its messages, and what it has left in rooms.
#[derive(Debug)]
pub struct Stored {
    /// Sealed.
    pub email: Option<String>,
    /// What they say of themselves.
    pub person: Option<people::PersonRow>,
    /// What they have chosen to be.
    pub status: Option<people::StatusRow>,
    /// When someone has logged in from each of the networks that are known by a keyed hash.
    pub networks: Vec<NaiveDateTime>,
    /// What was done to it, by whom and when.
    pub changes: Vec<(String, String, NaiveDateTime)>,
}

/// What is kept of an account.
///
/// # Errors
/// When the database fails.
pub fn find_stored(conn: &mut AnyConnection, user_id: i64) -> QueryResult<Stored> {
    Ok(Stored {
        email: users::table
            .find(user_id)
            .select(users::email)
            .first(conn)?,
        person: people::list(conn, &[user_id])?.pop(),
        status: people::find_status(conn, user_id)?,
        networks: known_networks::table
            .filter(known_networks::user_id.eq(user_id))
            .order(known_networks::seen_at)
            .select(known_networks::seen_at)
            .load(conn)?,
        changes: account_changes::table
            .filter(account_changes::user_id.eq(user_id))
            .order(account_changes::number)
            .select((
                account_changes::act,
                account_changes::actor,
                account_changes::created_at,
            ))
            .load(conn)?,
    })
}

/// Notes a change. The last thing in its transaction: others wait for the number.
///
/// # Errors
/// When the database fails.
pub fn record(
    conn: &mut AnyConnection,
    act: Act,
    user_id: i64,
    actor: Actor,
    now: Timestamp,
) -> QueryResult<()> {
    let mut tries = 0;
    loop {
        // Whoever takes the same number at the same time waits for us, and then takes the next: so the numbers are in the
        // order of the commits. A savepoint, since on PostgreSQL a unique violation would end the whole transaction.
        let number = find_latest(conn)? + 1;
        let inserted = conn.transaction(|conn| {
            diesel::insert_into(account_changes::table)
                .values((
                    account_changes::number.eq(number),
                    account_changes::user_id.eq(user_id),
                    account_changes::act.eq(act.word()),
                    account_changes::actor.eq(actor.word()),
                    account_changes::created_at.eq(now.naive_utc()),
                ))
                .execute(conn)
        });
        tries += 1;
        match inserted {
            Ok(_) => return Ok(()),
            Err(error) if is_unique_violation(&error) && tries < TRIES => {}
            Err(error) => return Err(error),
        }
    }
}

/// A count above this was not counted but written by hand.
const MOST_CREDENTIALS: i64 = 1 << 53;

/// What the changes of an account count up to with the next one. SQLite would make a count that does not fit, or a text, a
/// number that is equal to none.
fn next_credentials(conn: &mut AnyConnection, user_id: i64) -> QueryResult<i64> {
    let last: Option<i64> = users::table
        .find(user_id)
        .select(users::credentials)
        .first(conn)
        .optional()?;
    let counted = last.filter(|last| (0..MOST_CREDENTIALS).contains(last));
    Ok(counted.unwrap_or(0) + 1)
}

/// Gives an account another password and ends its logins, but for `kept`; tells which ended. `None` when its password or
/// its state are no longer those that were looked at.
///
/// # Errors
/// When the database fails.
pub fn set_password(
    conn: &mut AnyConnection,
    user: &User,
    password_hash: &str,
    kept: Option<i64>,
) -> QueryResult<Option<Vec<i64>>> {
    let next = next_credentials(conn, user.id)?;
    // The hash may be another of the same password as long as nothing was counted.
    let is_same = users::credentials
        .eq(user.credentials)
        .or(users::password_hash.eq(&user.password_hash));
    let updated = diesel::update(
        users::table
            .find(user.id)
            .filter(is_same)
            .filter(users::deleted_at.is_null()),
    )
    .set((
        users::password_hash.eq(password_hash),
        users::credentials.eq(next),
    ))
    .execute(conn)?;
    if updated == 0 {
        return Ok(None);
    }
    end_sessions(conn, user.id, kept).map(Some)
}

/// Ends the logins of a user, but for `kept`; tells which.
///
/// # Errors
/// When the database fails.
pub fn end_sessions(
    conn: &mut AnyConnection,
    user_id: i64,
    kept: Option<i64>,
) -> QueryResult<Vec<i64>> {
    let ids: Vec<i64> = sessions::table
        .filter(sessions::user_id.eq(user_id))
        .filter(sessions::id.ne(kept.unwrap_or(-1)))
        .select(sessions::id)
        .load(conn)?;
    diesel::delete(
        sessions::table
            .filter(sessions::user_id.eq(user_id))
            .filter(sessions::id.ne(kept.unwrap_or(-1))),
    )
    .execute(conn)?;
    Ok(ids)
}

/// Lets no one log in to an account any more, and ends its logins; false when it was so already.
///
/// # Errors
/// When the database fails.
pub fn disable(conn: &mut AnyConnection, user_id: i64, now: Timestamp) -> QueryResult<bool> {
    hold_with_rooms(conn, user_id, true)?;
    let next = next_credentials(conn, user_id)?;
    let updated = diesel::update(
        users::table
            .find(user_id)
            .filter(users::disabled_at.is_null()),
    )
    .set((
        users::disabled_at.eq(now.naive_utc()),
        users::credentials.eq(next),
    ))
    .execute(conn)?;
    // A room that is theirs gets another owner beside them.
    let owned: Vec<i64> = memberships::table
        .filter(memberships::user_id.eq(user_id))
        .filter(memberships::role.eq("owner"))
        .order(memberships::room_id)
        .select(memberships::room_id)
        .load(conn)?;
    for id in owned {
        ensure_owner_untold(conn, id)?;
    }
    Ok(updated == 1)
}

/// Lets people log in to an account again; false when it was so already.
///
/// # Errors
/// When the database fails.
pub fn enable(conn: &mut AnyConnection, user_id: i64) -> QueryResult<bool> {
    let room_ids = hold_with_rooms(conn, user_id, false)?;
    let next = next_credentials(conn, user_id)?;
    let updated = diesel::update(
        users::table
            .find(user_id)
            .filter(users::disabled_at.is_not_null()),
    )
    .set((
        users::disabled_at.eq(None::<NaiveDateTime>),
        users::credentials.eq(next),
    ))
    .execute(conn)?;
    // Meanwhile no one may have been left who could own a room that they are in.
    for id in room_ids {
        ensure_owner_untold(conn, id)?;
    }
    Ok(updated == 1)
}

/// Makes what is freed by a deletion be overwritten, so that a hash or an address does not lie on in the file.
///
/// # Errors
/// When the database fails.
pub fn overwrite_what_is_deleted(conn: &mut AnyConnection) -> QueryResult<()> {
    match conn {
        AnyConnection::Sqlite(conn) => conn.batch_execute("PRAGMA secure_delete = ON"),
        // It keeps old rows until it vacuums.
        AnyConnection::Postgres(_) => Ok(()),
    }
}

/// Makes an account stand only for whoever wrote its messages: its name, password, e-mail address, logins and memberships
/// are gone. The name stays taken: `name` stands for it.
///
/// # Errors
/// When the database fails.
pub fn delete(
    conn: &mut AnyConnection,
    user: &User,
    name: &str,
    now: Timestamp,
) -> QueryResult<()> {
    let room_ids = hold_with_rooms(conn, user.id, true)?;
    let own = memberships::table.filter(memberships::user_id.eq(user.id));
    diesel::update(rooms::table.filter(rooms::id.eq_any(own.select(memberships::room_id))))
        .set(rooms::members_version.eq(rooms::members_version + 1))
        .execute(conn)?;
    let in_others = rooms::table
        .filter(rooms::id.eq_any(own.select(memberships::room_id)))
        .filter(rooms::kind.ne("direct"));
    diesel::update(in_others)
        .set(rooms::members.eq(rooms::members - 1))
        .execute(conn)?;
    // A direct room goes on telling whom it was with, or one of three would look like another room of two.
    let direct = rooms::table
        .filter(rooms::kind.eq("direct"))
        .select(rooms::id);
    diesel::delete(own.filter(memberships::room_id.ne_all(direct))).execute(conn)?;
    diesel::delete(restraints::table.filter(restraints::user_id.eq(user.id))).execute(conn)?;
    delete_private(conn, user.id)?;
    for id in room_ids {
        ensure_owner_untold(conn, id)?;
        // No one can join it nor bring it back, so its name is for others.
        let is_empty = not(exists(
            memberships::table.filter(memberships::room_id.eq(id)),
        ));
        let row = rooms::table.find(id).filter(rooms::kind.eq("public"));
        diesel::update(
            row.filter(rooms::archived_at.is_not_null())
                .filter(is_empty),
        )
        .set((
            rooms::kind.eq("private"),
            rooms::name_key.eq(None::<String>),
        ))
        .execute(conn)?;
    }
    forget_untold_heir(conn, user.id)?;
    let next = next_credentials(conn, user.id)?;
    diesel::update(users::table.find(user.id))
        .set((
            users::username.eq(format!("{DELETED}{}", user.id)),
            users::username_key.eq(format!("{DELETED_KEYED}{name}")),
            users::password_hash.eq(""),
            users::email.eq(None::<String>),
            users::credentials.eq(next),
            users::deleted_at.eq(now.naive_utc()),
        ))
        .execute(conn)?;
    people::forget(conn, user.id)?;
    diesel::delete(known_networks::table.filter(known_networks::user_id.eq(user.id)))
        .execute(conn)?;
    Ok(())
}

/// Empties the log of the embedded database, where what was deleted may still lie; as far as no one reads it.
///
/// # Errors
/// When the database fails.
pub fn empty_log(conn: &mut AnyConnection) -> QueryResult<()> {
    match conn {
        AnyConnection::Sqlite(conn) => conn.batch_execute("PRAGMA wal_checkpoint(TRUNCATE)"),
        AnyConnection::Postgres(_) => Ok(()),
    }
}
