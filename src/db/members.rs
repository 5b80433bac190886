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
    let of_room = memberships::table.filter(memberships::room_id.eq(room_id));
    let has_owner: bool =
        diesel::select(exists(of_room.filter(memberships::role.eq(OWNER)))).get_result(conn)?;
    let is_direct = rooms::table
        .find(room_id)
        .filter(rooms::kind.eq("direct"))
        .select(rooms::id)
        .first::<i64>(conn)
        .optional()?
        .is_some();
    if has_owner || is_direct {
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

fn set_owner(conn: &mut AnyConnection, room_id: i64, user_id: i64) -> QueryResult<()> {
    diesel::update(rooms::table.find(room_id))
        .set(rooms::members_version.eq(rooms::members_version + 1))
        .execute(conn)?;
    diesel::update(memberships::table.find((room_id, user_id)))
        .set(memberships::role.eq(OWNER))
        .execute(conn)?;
    log::info!("room {room_id} belongs to user {user_id} now");
    Ok(())
}
