//! How many are in a room and who may do what in it, as far as its rows say.

use chrono::NaiveDateTime;
use diesel::{dsl::exists, prelude::*};

use super::{
    AnyConnection, facts,
    schema::{facts as facts_table, memberships, rooms, users},
};

/// The role of whoever a room belongs to, as its row has it.
const OWNER: &str = "owner";
/// The role of whoever keeps order in a room.
const MODERATOR: &str = "moderator";
/// The beginning of the names of the facts that tell who has inherited which room without a message in it that says so: the
/// numbers of the room and the user follow. Whoever changes an account has no key to write one with, and no server that is
/// to tell it; the server does both when it notices.
const HEIR: &str = "heir-";

/// How many members a room has; no more than this are counted.
///
/// # Errors
/// When the database fails.
pub fn count_up_to(conn: &mut AnyConnection, room_id: i64, most: u64) -> QueryResult<u64> {
    let some = memberships::table
        .filter(memberships::room_id.eq(room_id))
        // By the index: of a room that most people are in, PostgreSQL would read the whole table until it has so many.
        .order(memberships::user_id)
        .limit(i64::try_from(most).unwrap_or(i64::MAX))
        .select(memberships::user_id);
    let found: Vec<i64> = on_either!(conn, some.load())?;
    Ok(found.len() as u64)
}

/// Sees to it that a room has an owner who can log in: where it has none, the oldest moderator becomes one, else the oldest
/// member. An owner who cannot stays what they are; where no one at all can log in, one of them is enough. Direct rooms have
/// no roles. Returns who has become the owner, if someone has.
///
/// # Errors
/// When the database fails.
pub fn ensure_owner(conn: &mut AnyConnection, room_id: i64) -> QueryResult<Option<i64>> {
    if has_owner(conn, room_id, true)? {
        return Ok(None);
    }
    // Two may find so at the same moment: whoever has counted holds the row, and the other sees the owner then.
    ensure_owner_under_lock(conn, room_id)
}

/// The same for those who change who counts: two who end owners at the same moment must not each see the other's, so the
/// room's row is locked before anything is looked up.
///
/// # Errors
/// When the database fails.
pub fn ensure_owner_under_lock(conn: &mut AnyConnection, room_id: i64) -> QueryResult<Option<i64>> {
    let counted = diesel::update(rooms::table.find(room_id).filter(rooms::kind.ne("direct")))
        .set(rooms::members_version.eq(rooms::members_version + 1))
        .execute(conn)?;
    if counted == 0 || has_owner(conn, room_id, true)? {
        return Ok(None);
    }
    for is_enabled in [true, false] {
        if !is_enabled && has_owner(conn, room_id, false)? {
            return Ok(None);
        }
        for of_role in [Some(MODERATOR), None] {
            if let Some(user_id) = find_heir(conn, room_id, of_role, is_enabled)? {
                set_owner(conn, room_id, user_id)?;
                return Ok(Some(user_id));
            }
        }
    }
    Ok(None)
}

/// The same where the room's log is out of reach: it is noted that the room is still to say so.
///
/// # Errors
/// When the database fails.
pub fn ensure_owner_untold(conn: &mut AnyConnection, room_id: i64) -> QueryResult<()> {
    match ensure_owner_under_lock(conn, room_id)? {
        Some(user_id) => note_untold_heir(conn, room_id, user_id),
        None => Ok(()),
    }
}

/// Notes that a room is still to say that this user has inherited it.
///
/// # Errors
/// When the database fails.
pub fn note_untold_heir(conn: &mut AnyConnection, room_id: i64, user_id: i64) -> QueryResult<()> {
    facts::set(conn, &heir(room_id, user_id), "")
}

/// Nothing is to be said any more of what this user has inherited: the account is no more.
///
/// # Errors
/// When the database fails.
pub fn forget_untold_heir(conn: &mut AnyConnection, user_id: i64) -> QueryResult<()> {
    let of_user = facts_table::name.like(format!("{HEIR}%-{user_id}"));
    diesel::delete(facts_table::table.filter(of_user)).execute(conn)?;
    Ok(())
}

fn heir(room_id: i64, user_id: i64) -> String {
    format!("{HEIR}{room_id}-{user_id}")
}

/// Who has inherited which room without its saying so: the room, the heir and the heir's name.
///
/// # Errors
/// When the database fails.
pub fn list_untold_heirs(conn: &mut AnyConnection) -> QueryResult<Vec<(i64, i64, String)>> {
    let mut heirs = Vec::new();
    for noted in facts::list_names(conn, HEIR)? {
        let numbers = noted.split_once('-');
        let numbers =
            numbers.and_then(|(room, user)| Some((room.parse().ok()?, user.parse().ok()?)));
        let Some((room_id, user_id)) = numbers else {
            continue;
        };
        let name: Option<String> = users::table
            .find::<i64>(user_id)
            .select(users::username)
            .first(conn)
            .optional()?;
        heirs.extend(name.map(|name| (room_id, user_id, name)));
    }
    heirs.sort_unstable();
    Ok(heirs)
}

/// The room says so now, or never will. False when it has done so already.
///
/// # Errors
/// When the database fails.
pub fn take_untold_heir(conn: &mut AnyConnection, room_id: i64, user_id: i64) -> QueryResult<bool> {
    facts::delete(conn, &heir(room_id, user_id))
}

/// The oldest member of a room, or the oldest one in a role.
fn find_heir(
    conn: &mut AnyConnection,
    room_id: i64,
    role: Option<&str>,
    is_enabled: bool,
) -> QueryResult<Option<i64>> {
    let mut candidates = memberships::table
        .inner_join(users::table)
        .filter(memberships::room_id.eq(room_id))
        .filter(users::deleted_at.is_null())
        .order((memberships::created_at, memberships::user_id))
        .select(memberships::user_id)
        .into_boxed();
    if let Some(role) = role {
        candidates = candidates.filter(memberships::role.eq(role));
    }
    if is_enabled {
        candidates = candidates.filter(users::disabled_at.is_null());
    }
    candidates.first(conn).optional()
}

/// Whether a room has an owner; or one who can log in.
fn has_owner(conn: &mut AnyConnection, room_id: i64, is_enabled: bool) -> QueryResult<bool> {
    let owners = memberships::table
        .inner_join(users::table)
        .filter(memberships::room_id.eq(room_id))
        .filter(memberships::role.eq(OWNER));
    if is_enabled {
        let owners = owners.filter(users::disabled_at.is_null());
        diesel::select(exists(owners)).get_result(conn)
    } else {
        diesel::select(exists(owners)).get_result(conn)
    }
}

fn set_owner(conn: &mut AnyConnection, room_id: i64, user_id: i64) -> QueryResult<()> {
    // With another role nothing of a mute is left; and an owner's no one could end.
    diesel::update(memberships::table.find((room_id, user_id)))
        .set((
            memberships::role.eq(OWNER),
            memberships::muted_until.eq(None::<NaiveDateTime>),
        ))
        .execute(conn)?;
    log::info!("room {room_id} belongs to user {user_id} now");
    Ok(())
}
