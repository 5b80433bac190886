//! Who may do what in a room, as far as its rows say.

use diesel::{dsl::exists, prelude::*};

use super::{
    AnyConnection,
    schema::{memberships, rooms, users},
};

/// The role of whoever a room belongs to, as its row has it.
const OWNER: &str = "owner";
/// The role of whoever keeps order in a room.
const MODERATOR: &str = "moderator";

/// Sees to it that a room has an owner: where it has none, the oldest moderator inherits, else the oldest member; those
/// who can log in come first. Direct rooms have no roles.
///
/// # Errors
/// When the database fails.
pub fn ensure_owner(conn: &mut AnyConnection, room_id: i64) -> QueryResult<()> {
    if has_owner(conn, room_id)? {
        return Ok(());
    }
    // Two may find so at the same moment: whoever has counted holds the row, and the other sees the owner then.
    let counted = diesel::update(rooms::table.find(room_id).filter(rooms::kind.ne("direct")))
        .set(rooms::members_version.eq(rooms::members_version + 1))
        .execute(conn)?;
    if counted == 0 || has_owner(conn, room_id)? {
        return Ok(());
    }
    for of_role in [Some(MODERATOR), None] {
        let mut candidates = memberships::table
            .inner_join(users::table)
            .filter(memberships::room_id.eq(room_id))
            .filter(users::deleted_at.is_null())
            .order((
                users::disabled_at.is_not_null(),
                memberships::created_at,
                memberships::user_id,
            ))
            .select(memberships::user_id)
            .into_boxed();
        if let Some(role) = of_role {
            candidates = candidates.filter(memberships::role.eq(role));
        }
        let heir: Option<i64> = candidates.first(conn).optional()?;
        if let Some(user_id) = heir {
            return set_owner(conn, room_id, user_id);
        }
    }
    Ok(())
}

fn has_owner(conn: &mut AnyConnection, room_id: i64) -> QueryResult<bool> {
    let owners = memberships::table
        .filter(memberships::room_id.eq(room_id))
        .filter(memberships::role.eq(OWNER));
    diesel::select(exists(owners)).get_result(conn)
}

fn set_owner(conn: &mut AnyConnection, room_id: i64, user_id: i64) -> QueryResult<()> {
    diesel::update(memberships::table.find((room_id, user_id)))
        .set(memberships::role.eq(OWNER))
        .execute(conn)?;
    log::info!("room {room_id} belongs to user {user_id} now");
    Ok(())
}
