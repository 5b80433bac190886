//! Who may do what in a room, as far as its rows say.

use chrono::NaiveDateTime;
use diesel::{dsl::exists, prelude::*};

use super::{
    AnyConnection,
    schema::{memberships, rooms, users},
};

/// The role of whoever a room belongs to, as its row has it.
const OWNER: &str = "owner";
/// The role of whoever keeps order in a room.
const MODERATOR: &str = "moderator";

/// Sees to it that a room has an owner who can log in: where it has none, the oldest moderator becomes one, else the oldest
/// member. An owner who cannot stays what they are; where no one at all can log in, one of them is enough. Direct rooms have
/// no roles.
///
/// # Errors
/// When the database fails.
pub fn ensure_owner(conn: &mut AnyConnection, room_id: i64) -> QueryResult<()> {
    if has_owner(conn, room_id, true)? {
        return Ok(());
    }
    // Two may find so at the same moment: whoever has counted holds the row, and the other sees the owner then.
    ensure_owner_under_lock(conn, room_id)
}

/// The same for those who change who counts: two who end owners at the same moment must not each see the other's, so the
/// room's row is locked before anything is looked up.
///
/// # Errors
/// When the database fails.
pub fn ensure_owner_under_lock(conn: &mut AnyConnection, room_id: i64) -> QueryResult<()> {
    let counted = diesel::update(rooms::table.find(room_id).filter(rooms::kind.ne("direct")))
        .set(rooms::members_version.eq(rooms::members_version + 1))
        .execute(conn)?;
    if counted == 0 || has_owner(conn, room_id, true)? {
        return Ok(());
    }
    for is_enabled in [true, false] {
        if !is_enabled && has_owner(conn, room_id, false)? {
            return Ok(());
        }
        for of_role in [Some(MODERATOR), None] {
            if let Some(user_id) = find_heir(conn, room_id, of_role, is_enabled)? {
                return set_owner(conn, room_id, user_id);
            }
        }
    }
    Ok(())
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
