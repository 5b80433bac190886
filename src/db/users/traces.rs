//! What an account has left in rooms, beside its messages.

use diesel::{dsl::count_star, prelude::*};

use crate::db::{
    AnyConnection,
    schema::{memberships, messages, reactions, removals, restraints, rooms},
    text::StoredText,
    time::StoredTime,
};

/// A room that someone is in.
#[derive(Debug, Queryable)]
pub struct Membership {
    /// What names it on the wire.
    pub room: String,
    /// What people call it.
    pub name: Option<StoredText>,
    /// Since when.
    pub since: StoredTime,
    /// In which role.
    pub role: StoredText,
    /// Until when they only read.
    pub muted_until: Option<StoredTime>,
    /// The room is hidden as long as it has no message after this one.
    pub hidden_seq: Option<i64>,
    /// When they last wrote in slow mode.
    pub spoke_at: Option<StoredTime>,
    /// Who has brought them in.
    pub invited_by: Option<i64>,
}

/// What an account has left in rooms. Rooms are named by their keys.
#[derive(Debug)]
pub struct Traces {
    /// The rooms that they are in.
    pub memberships: Vec<Membership>,
    /// How many members of a room they have brought in.
    pub invitations: Vec<(String, i64)>,
    /// Rooms that they have made, with their names, and when.
    pub made: Vec<(String, Option<StoredText>, StoredTime)>,
    /// Rooms that they were taken out of, by which change, and when.
    pub removals: Vec<(String, i64, StoredTime)>,
    /// Rooms that they have left, until when they are muted there, and when they last wrote in slow mode.
    pub restraints: Vec<(String, Option<StoredTime>, Option<StoredTime>)>,
    /// How often they have reacted in a room with an emoji.
    pub reactions: Vec<(String, StoredText, i64)>,
    /// Messages that they have pinned, and when.
    pub pins: Vec<(String, i64, Option<StoredTime>)>,
}

/// What an account has left in rooms.
///
/// # Errors
/// When the database fails.
pub fn find(conn: &mut AnyConnection, user_id: i64) -> QueryResult<Traces> {
    let invitations = memberships::table
        .inner_join(rooms::table)
        .filter(memberships::invited_by.eq(user_id))
        .group_by(rooms::key)
        .order(rooms::key)
        .select((rooms::key, count_star()));
    let reacted = reactions::table
        .inner_join(rooms::table.on(rooms::id.eq(reactions::room_id)))
        .filter(reactions::user_id.eq(user_id))
        .group_by((rooms::key, reactions::emoji))
        .order((rooms::key, reactions::emoji))
        .select((rooms::key, reactions::emoji, count_star()));
    Ok(Traces {
        memberships: memberships::table
            .inner_join(rooms::table)
            .filter(memberships::user_id.eq(user_id))
            .order(rooms::id)
            .select((
                rooms::key,
                rooms::name,
                memberships::created_at,
                memberships::role,
                memberships::muted_until,
                memberships::hidden_seq,
                memberships::spoke_at,
                memberships::invited_by,
            ))
            .load(conn)?,
        invitations: on_either!(conn, invitations.load())?,
        made: rooms::table
            .filter(rooms::created_by.eq(user_id))
            .order(rooms::id)
            .select((rooms::key, rooms::name, rooms::created_at))
            .load(conn)?,
        removals: removals::table
            .inner_join(rooms::table.on(rooms::id.eq(removals::room_id)))
            .filter(removals::user_id.eq(user_id))
            .order(rooms::id)
            .select((rooms::key, removals::seq, removals::created_at))
            .load(conn)?,
        restraints: restraints::table
            .inner_join(rooms::table.on(rooms::id.eq(restraints::room_id)))
            .filter(restraints::user_id.eq(user_id))
            .order(rooms::id)
            .select((rooms::key, restraints::muted_until, restraints::spoke_at))
            .load(conn)?,
        reactions: on_either!(conn, reacted.load())?,
        pins: messages::table
            .inner_join(rooms::table)
            .filter(messages::pinned_by.eq(user_id))
            .order((rooms::id, messages::id))
            .select((rooms::key, messages::id, messages::pinned_at))
            .load(conn)?,
    })
}
