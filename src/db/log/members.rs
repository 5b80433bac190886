//! Who is a member of a room, in which role, and who may not come back by themselves.

use std::collections::HashSet;

use chrono::NaiveDateTime;
use diesel::{dsl::exists, prelude::*};

use crate::{
    db::{
        AnyConnection,
        schema::{memberships, removals, restraints, rooms, users},
        text::StoredText,
        time::StoredTime,
    },
    protocol::{room::Role, time::Timestamp},
};

/// A membership as it is stored.
#[derive(Debug, Clone, Queryable)]
pub struct Member {
    /// The room.
    pub room_id: i64,
    /// Who.
    pub user_id: i64,
    /// In which role.
    #[diesel(deserialize_as = StoredText)]
    pub role: String,
    /// Until when they only read.
    pub muted_until: Option<StoredTime>,
    /// Up to this message they have hidden it.
    pub hidden_seq: Option<i64>,
}

/// Those of these users who are members of these rooms.
///
/// # Errors
/// When the database fails.
pub fn list(
    conn: &mut AnyConnection,
    room_ids: Vec<i64>,
    user_ids: Vec<i64>,
) -> QueryResult<Vec<Member>> {
    let query = memberships::table
        .filter(memberships::room_id.eq_any(room_ids))
        .filter(memberships::user_id.eq_any(user_ids))
        .select((
            memberships::room_id,
            memberships::user_id,
            memberships::role,
            memberships::muted_until,
            memberships::hidden_seq,
        ));
    match conn {
        AnyConnection::Postgres(conn) => query.load(conn),
        AnyConnection::Sqlite(conn) => query.load(conn),
    }
}

/// Whether someone was taken out of a room and not brought back.
///
/// # Errors
/// When the database fails.
pub fn is_removed(conn: &mut AnyConnection, room_id: i64, user_id: i64) -> QueryResult<bool> {
    let found: Option<i64> = removals::table
        .find((room_id, user_id))
        .select(removals::seq)
        .get_result(conn)
        .optional()?;
    Ok(found.is_some())
}

/// Those of these, each a room and a user, who were taken out and not brought back.
///
/// # Errors
/// When the database fails.
pub fn list_removed(
    conn: &mut AnyConnection,
    wanted: &[(i64, i64)],
) -> QueryResult<HashSet<(i64, i64)>> {
    if wanted.is_empty() {
        return Ok(HashSet::new());
    }
    let (room_ids, user_ids): (HashSet<i64>, HashSet<i64>) = wanted.iter().copied().unzip();
    let query = removals::table
        .filter(removals::room_id.eq_any(room_ids.into_iter().collect::<Vec<_>>()))
        .filter(removals::user_id.eq_any(user_ids.into_iter().collect::<Vec<_>>()))
        .select((removals::room_id, removals::user_id));
    let found: Vec<(i64, i64)> = match conn {
        AnyConnection::Postgres(conn) => query.load(conn)?,
        AnyConnection::Sqlite(conn) => query.load(conn)?,
    };
    Ok(found
        .into_iter()
        .filter(|one| wanted.contains(one))
        .collect())
}

/// The name of someone who has an account, and whether no one can log in to it.
///
/// # Errors
/// When the database fails.
pub fn find_person(conn: &mut AnyConnection, user_id: i64) -> QueryResult<Option<(String, bool)>> {
    users::table
        .find(user_id)
        .filter(users::deleted_at.is_null())
        .select((users::username, users::disabled_at.is_not_null()))
        .get_result(conn)
        .optional()
}

/// The same, for whoever is about to refer to the account: until the transaction ends no one deletes it, nor keeps its owner from
/// logging in; and whoever is about to is waited for.
///
/// # Errors
/// When the database fails.
pub fn hold_person(conn: &mut AnyConnection, user_id: i64) -> QueryResult<Option<(String, bool)>> {
    let query = users::table
        .find(user_id)
        .filter(users::deleted_at.is_null())
        .select((users::username, users::disabled_at.is_not_null()));
    match conn {
        AnyConnection::Postgres(conn) => query.for_key_share().get_result(conn).optional(),
        // BEGIN IMMEDIATE has made us the only writer.
        AnyConnection::Sqlite(conn) => query.get_result(conn).optional(),
    }
}

/// Of these users, those who have an account: the number, the name, and whether no one can log in to it. They are held as by
/// [`hold_person`].
///
/// # Errors
/// When the database fails.
pub fn list_people(
    conn: &mut AnyConnection,
    user_ids: &[i64],
) -> QueryResult<Vec<(i64, String, bool)>> {
    let query = users::table
        .filter(users::id.eq_any(user_ids))
        .filter(users::deleted_at.is_null())
        .order(users::id)
        .select((users::id, users::username, users::disabled_at.is_not_null()));
    match conn {
        AnyConnection::Postgres(conn) => query.for_key_share().load(conn),
        AnyConnection::Sqlite(conn) => query.load(conn),
    }
}

/// How many rooms others have brought each of these users into, direct ones left out; so are users with none.
///
/// # Errors
/// When the database fails.
pub fn count_brought_in(
    conn: &mut AnyConnection,
    user_ids: &[i64],
) -> QueryResult<Vec<(i64, i64)>> {
    let query = memberships::table
        .inner_join(rooms::table)
        .filter(rooms::kind.ne("direct"))
        .filter(memberships::user_id.eq_any(user_ids))
        .filter(memberships::invited_by.is_not_null())
        .group_by(memberships::user_id)
        .select((memberships::user_id, diesel::dsl::count_star()));
    match conn {
        AnyConnection::Postgres(conn) => query.load(conn),
        AnyConnection::Sqlite(conn) => query.load(conn),
    }
}

/// Makes these users members of a room that is new, each in a role; all but its maker were brought in. The others do not see
/// a direct one before there is a message after this.
///
/// # Errors
/// When the database fails.
pub fn insert_first(
    conn: &mut AnyConnection,
    room_id: i64,
    first: &[(i64, &str)],
    (maker, hidden_seq, at): (i64, Option<i64>, NaiveDateTime),
) -> QueryResult<()> {
    let rows: Vec<_> = first
        .iter()
        .map(|(user_id, role)| {
            let is_maker = *user_id == maker;
            (
                memberships::room_id.eq(room_id),
                memberships::user_id.eq(user_id),
                memberships::role.eq(role),
                memberships::created_at.eq(at),
                memberships::invited_by.eq((!is_maker).then_some(maker)),
                memberships::hidden_seq.eq(hidden_seq.filter(|_| !is_maker)),
                // By the very first change all of them come in.
                memberships::read_seq.eq(1),
                memberships::shown_seq.eq(1),
            )
        })
        .collect();
    match conn {
        AnyConnection::Postgres(conn) => diesel::insert_into(memberships::table)
            .values(rows)
            .execute(conn)?,
        AnyConnection::Sqlite(conn) => diesel::insert_into(memberships::table)
            .values(rows)
            .execute(conn)?,
    };
    Ok(())
}

/// How many members a room has.
///
/// # Errors
/// When the database fails.
pub fn count(conn: &mut AnyConnection, room_id: i64) -> QueryResult<i64> {
    memberships::table
        .filter(memberships::room_id.eq(room_id))
        .count()
        .get_result(conn)
}

/// Whether a room has an owner beside this user who can log in.
///
/// # Errors
/// When the database fails.
pub fn has_other_owner(conn: &mut AnyConnection, room_id: i64, user_id: i64) -> QueryResult<bool> {
    let others = memberships::table
        .inner_join(users::table)
        .filter(memberships::room_id.eq(room_id))
        .filter(memberships::user_id.ne(user_id))
        .filter(memberships::role.eq("owner"))
        .filter(users::disabled_at.is_null())
        .filter(users::deleted_at.is_null());
    diesel::select(exists(others)).get_result(conn)
}

/// Whether there is anyone in a room beside this user who can log in.
///
/// # Errors
/// When the database fails.
pub fn has_others(conn: &mut AnyConnection, room_id: i64, user_id: i64) -> QueryResult<bool> {
    let others = memberships::table
        .inner_join(users::table)
        .filter(memberships::room_id.eq(room_id))
        .filter(memberships::user_id.ne(user_id))
        .filter(users::disabled_at.is_null());
    diesel::select(exists(others)).get_result(conn)
}

/// How many rooms a user has come into or made by themselves, direct ones left out.
///
/// # Errors
/// When the database fails.
pub fn count_chosen(conn: &mut AnyConnection, user_id: i64) -> QueryResult<i64> {
    memberships::table
        .inner_join(rooms::table)
        .filter(rooms::kind.ne("direct"))
        .filter(memberships::user_id.eq(user_id))
        .filter(memberships::invited_by.is_null())
        .count()
        .get_result(conn)
}

/// Makes someone a member, who is then no longer one who was taken out. What held when they were one before holds again;
/// but nothing of a mute in a role above that of a member, and how far they had read. `read_seq` is the change that brings
/// them in: what comes after it is unread.
///
/// # Errors
/// When the database fails.
pub fn insert(
    conn: &mut AnyConnection,
    room_id: i64,
    user_id: i64,
    (role, invited_by): (Role, Option<i64>),
    (read_seq, at): (i64, NaiveDateTime),
) -> QueryResult<()> {
    diesel::delete(removals::table.find((room_id, user_id))).execute(conn)?;
    let row = restraints::table.find((room_id, user_id));
    let kept: Option<(Option<StoredTime>, Option<StoredTime>)> = row
        .select((restraints::muted_until, restraints::spoke_at))
        .get_result(conn)
        .optional()?;
    if kept.is_some() {
        diesel::delete(row).execute(conn)?;
    }
    let (muted_until, spoke_at) = kept.unwrap_or_default();
    let muted_until = muted_until.filter(|_| role == Role::Member);
    diesel::insert_into(memberships::table)
        .values((
            memberships::room_id.eq(room_id),
            memberships::user_id.eq(user_id),
            memberships::role.eq(role.as_str()),
            memberships::created_at.eq(at),
            memberships::muted_until.eq(muted_until.map(StoredTime::get)),
            memberships::spoke_at.eq(spoke_at.map(StoredTime::get)),
            memberships::invited_by.eq(invited_by),
            memberships::read_seq.eq(read_seq),
            memberships::shown_seq.eq(read_seq),
        ))
        .execute(conn)?;
    Ok(())
}

/// Ends a membership. A mute that is not over now, and when they last wrote in slow mode, are kept for when they come back.
///
/// # Errors
/// When the database fails.
pub fn delete(
    conn: &mut AnyConnection,
    room_id: i64,
    user_id: i64,
    now: Timestamp,
) -> QueryResult<()> {
    let row = memberships::table.find((room_id, user_id));
    let before: Option<(Option<StoredTime>, Option<StoredTime>)> = row
        .select((memberships::muted_until, memberships::spoke_at))
        .get_result(conn)
        .optional()?;
    let (muted_until, spoke_at) = before.unwrap_or_default();
    let muted_until = muted_until.map(StoredTime::get);
    let muted_until = muted_until.filter(|until| *until > now.naive_utc());
    if muted_until.is_some() || spoke_at.is_some() {
        diesel::delete(restraints::table.find((room_id, user_id))).execute(conn)?;
        diesel::insert_into(restraints::table)
            .values((
                restraints::room_id.eq(room_id),
                restraints::user_id.eq(user_id),
                restraints::muted_until.eq(muted_until),
                restraints::spoke_at.eq(spoke_at.map(StoredTime::get)),
            ))
            .execute(conn)?;
    }
    diesel::delete(row).execute(conn)?;
    Ok(())
}

/// Notes that someone was taken out by this change.
///
/// # Errors
/// When the database fails.
pub fn insert_removal(
    conn: &mut AnyConnection,
    room_id: i64,
    user_id: i64,
    seq: i64,
    at: NaiveDateTime,
) -> QueryResult<()> {
    diesel::delete(removals::table.find((room_id, user_id))).execute(conn)?;
    diesel::insert_into(removals::table)
        .values((
            removals::room_id.eq(room_id),
            removals::user_id.eq(user_id),
            removals::seq.eq(seq),
            removals::created_at.eq(at),
        ))
        .execute(conn)?;
    Ok(())
}

/// Gives a member another role, in which nothing of a mute is left.
///
/// # Errors
/// When the database fails.
pub fn set_role(
    conn: &mut AnyConnection,
    room_id: i64,
    user_id: i64,
    role: &str,
) -> QueryResult<()> {
    diesel::update(memberships::table.find((room_id, user_id)))
        .set((
            memberships::role.eq(role),
            memberships::muted_until.eq(None::<NaiveDateTime>),
        ))
        .execute(conn)?;
    Ok(())
}

/// When a member last wrote in a room where members wait between two messages.
///
/// # Errors
/// When the database fails.
pub fn find_spoke_at(
    conn: &mut AnyConnection,
    room_id: i64,
    user_id: i64,
) -> QueryResult<Option<StoredTime>> {
    let found: Option<Option<StoredTime>> = memberships::table
        .find((room_id, user_id))
        .select(memberships::spoke_at)
        .get_result(conn)
        .optional()?;
    Ok(found.flatten())
}

/// Notes when a member last wrote.
///
/// # Errors
/// When the database fails.
pub fn set_spoke_at(
    conn: &mut AnyConnection,
    room_id: i64,
    user_id: i64,
    at: NaiveDateTime,
) -> QueryResult<()> {
    diesel::update(memberships::table.find((room_id, user_id)))
        .set(memberships::spoke_at.eq(at))
        .execute(conn)?;
    Ok(())
}

/// Has a member read only until then, or write again.
///
/// # Errors
/// When the database fails.
pub fn set_muted(
    conn: &mut AnyConnection,
    room_id: i64,
    user_id: i64,
    until: Option<NaiveDateTime>,
) -> QueryResult<()> {
    diesel::update(memberships::table.find((room_id, user_id)))
        .set(memberships::muted_until.eq(until))
        .execute(conn)?;
    Ok(())
}
