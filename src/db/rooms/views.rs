//! Rooms as one user sees them, and who is in them.

use diesel::{
    dsl::sql,
    prelude::*,
    sql_types::{BigInt, Bool, Text},
};

use super::{COLUMNS, Room};
use crate::db::{
    AnyConnection,
    log::rooms::key_of_name,
    schema::{memberships, messages, removals, rooms, users},
    text::StoredText,
    time::StoredTime,
};

/// A room as one user sees it.
#[derive(Debug, Clone, Queryable)]
pub struct RoomView {
    /// The room.
    pub room: Room,
    /// `public`, `private` or `direct`.
    #[diesel(deserialize_as = StoredText)]
    pub kind: String,
    /// What people call it; a direct room has no name.
    pub name: Option<StoredText>,
    /// Sealed.
    pub topic: Option<StoredText>,
    /// Since when nothing can be written in it.
    pub archived_at: Option<StoredTime>,
    /// Seconds between two messages of a member.
    pub slow_seconds: i64,
    /// When it was made.
    pub created_at: StoredTime,
    /// How many members it has.
    pub members: i64,
    /// The user's role, and until when the user may only read; `None` when the user is not a member.
    pub membership: Option<(StoredText, Option<StoredTime>)>,
    /// Up to this message the user has hidden it.
    pub hidden_seq: Option<i64>,
    /// Up to here the user has read it.
    pub read_seq: Option<i64>,
    /// What the user wants to be told of it, if not what is usual.
    pub notify: Option<StoredText>,
    /// The change by which the user was taken out of it, if that still holds.
    pub removed: Option<i64>,
}

/// A member of a room.
#[derive(Debug, Clone, Queryable)]
pub struct MemberRow {
    /// Who.
    pub user_id: i64,
    /// Who, by name.
    pub username: String,
    /// What people call them.
    pub display_name: Option<StoredText>,
    /// `member`, `moderator` or `owner`.
    #[diesel(deserialize_as = StoredText)]
    pub role: String,
    /// Until when the member may only read.
    pub muted_until: Option<StoredTime>,
    /// Since when.
    pub created_at: StoredTime,
}

/// All rooms as this user sees them.
macro_rules! seen_by {
    ($user_id:expr) => {
        rooms::table
            .left_join(
                memberships::table.on(memberships::room_id
                    .eq(rooms::id)
                    .and(memberships::user_id.eq($user_id))),
            )
            .left_join(
                removals::table.on(removals::room_id
                    .eq(rooms::id)
                    .and(removals::user_id.eq($user_id))),
            )
            .select((
                COLUMNS,
                rooms::kind,
                rooms::name,
                rooms::topic,
                rooms::archived_at,
                rooms::slow_seconds,
                rooms::created_at,
                rooms::members,
                (memberships::role, memberships::muted_until).nullable(),
                memberships::hidden_seq.nullable(),
                memberships::read_seq.nullable(),
                memberships::notify.nullable(),
                removals::seq.nullable(),
            ))
    };
}

/// Which rooms a user is a member of, and whether each is a direct one that others have begun and in which the user has
/// written nothing yet, and has let nobody see that it was read. (By the first change all came in; and whoever opens one or
/// writes in it has hidden it no more.)
///
/// # Errors
/// When the database fails.
pub fn list_ids_of_member(conn: &mut AnyConnection, user_id: i64) -> QueryResult<Vec<(i64, bool)>> {
    let is_unopened = memberships::hidden_seq
        .is_not_null()
        .and(memberships::invited_by.is_not_null())
        .and(memberships::shown_seq.le(1));
    memberships::table
        .filter(memberships::user_id.eq(user_id))
        .select((memberships::room_id, is_unopened))
        .load(conn)
}

/// Which rooms a user is a member of, without those: in them they are not to be seen.
///
/// # Errors
/// When the database fails.
pub fn list_ids_seen_in(conn: &mut AnyConnection, user_id: i64) -> QueryResult<Vec<i64>> {
    let has_opened = memberships::hidden_seq
        .is_null()
        .or(memberships::invited_by.is_null())
        .or(memberships::shown_seq.gt(1));
    memberships::table
        .filter(memberships::user_id.eq(user_id))
        .filter(has_opened)
        .select(memberships::room_id)
        .load(conn)
}

/// The rooms that a user is a member of, oldest first.
///
/// # Errors
/// When the database fails.
pub fn list_of_member(conn: &mut AnyConnection, user_id: i64) -> QueryResult<Vec<RoomView>> {
    seen_by!(user_id)
        .filter(memberships::user_id.nullable().eq(user_id))
        .order(rooms::id)
        .load(conn)
}

/// The same, those after this one.
///
/// # Errors
/// When the database fails.
pub fn list_page_of_member(
    conn: &mut AnyConnection,
    user_id: i64,
    after: i64,
    limit: i64,
) -> QueryResult<Vec<RoomView>> {
    let page = seen_by!(user_id)
        .filter(memberships::user_id.nullable().eq(user_id))
        .filter(memberships::room_id.nullable().gt(after))
        .order(memberships::room_id)
        .limit(limit);
    on_either!(conn, page.load())
}

/// The direct rooms of a user in which something happened last, before those that the user has hidden.
///
/// # Errors
/// When the database fails.
pub fn list_latest_directs(
    conn: &mut AnyConnection,
    user_id: i64,
    most: i64,
) -> QueryResult<Vec<i64>> {
    let is_hidden = memberships::hidden_seq.is_not_null().and(
        memberships::hidden_seq
            .assume_not_null()
            .ge(rooms::last_message_id),
    );
    let query = memberships::table
        .inner_join(rooms::table)
        .left_join(
            messages::table.on(messages::room_id
                .eq(rooms::id)
                .and(messages::id.eq(rooms::last_message_id))),
        )
        .filter(memberships::user_id.eq(user_id))
        .filter(rooms::kind.eq("direct"))
        .order((
            is_hidden,
            messages::created_at.nullable().desc(),
            rooms::id.desc(),
        ))
        .limit(most)
        .select(rooms::id);
    on_either!(conn, query.load())
}

/// The rooms of a name that the user is in, and the public one, oldest first; without one that the user was taken out of.
///
/// # Errors
/// When the database fails.
pub fn list_named(
    conn: &mut AnyConnection,
    name: &str,
    user_id: i64,
) -> QueryResult<Vec<RoomView>> {
    let is_own = memberships::user_id.nullable().is_not_null();
    let is_open = rooms::kind
        .eq("public")
        .and(removals::seq.nullable().is_null());
    // Only a public room holds its name for itself. A private one of this name is not even touched unless it is one's own, so
    // that time does not tell of it.
    let is_called_so =
        sql::<Bool>("rooms.id IN (SELECT called.id FROM rooms AS called WHERE called.name_key = ")
            .bind::<Text, _>(key_of_name(name))
            .sql(
                " UNION ALL SELECT own.room_id FROM memberships AS own \
         JOIN rooms AS called ON called.id = own.room_id WHERE own.user_id = ",
            )
            .bind::<BigInt, _>(user_id)
            .sql(" AND called.name = ")
            .bind::<Text, _>(name)
            .sql(")");
    seen_by!(user_id)
        .filter(is_called_so)
        .filter(rooms::name.eq(name))
        .filter(is_open.or(is_own))
        .order(rooms::id)
        .load(conn)
}

/// Public rooms by name, those after this one, whose names have `part` in them; without those that the user was taken
/// out of.
///
/// # Errors
/// When the database fails.
pub fn list_public(
    conn: &mut AnyConnection,
    user_id: i64,
    part: &str,
    after: &str,
    limit: i64,
) -> QueryResult<Vec<RoomView>> {
    let part = part
        .replace('!', "!!")
        .replace('%', "!%")
        .replace('_', "!_");
    let public = seen_by!(user_id)
        .filter(rooms::kind.eq("public"))
        .filter(removals::seq.nullable().is_null())
        .filter(rooms::name.like(format!("%{part}%")).escape('!'))
        .filter(rooms::name.gt(after))
        .order(rooms::name)
        .limit(limit);
    on_either!(conn, public.load())
}

/// Who is in these rooms, as (room, user, name).
///
/// # Errors
/// When the database fails.
pub fn list_people(conn: &mut AnyConnection, ids: &[i64]) -> QueryResult<Vec<(i64, i64, String)>> {
    let query = memberships::table
        .inner_join(users::table)
        .filter(memberships::room_id.eq_any(ids))
        .order((memberships::room_id, memberships::user_id))
        .select((memberships::room_id, users::id, users::username));
    match conn {
        AnyConnection::Postgres(conn) => query.load(conn),
        AnyConnection::Sqlite(conn) => query.load(conn),
    }
}

/// Members of a room after this user, by id.
///
/// # Errors
/// When the database fails.
pub fn list_members(
    conn: &mut AnyConnection,
    room_id: i64,
    after: i64,
    limit: i64,
) -> QueryResult<Vec<MemberRow>> {
    let members = memberships::table
        .inner_join(users::table)
        .filter(memberships::room_id.eq(room_id))
        .filter(memberships::user_id.gt(after))
        .order(memberships::user_id)
        .limit(limit)
        .select((
            users::id,
            users::username,
            users::display_name,
            memberships::role,
            memberships::muted_until,
            memberships::created_at,
        ));
    on_either!(conn, members.load())
}
