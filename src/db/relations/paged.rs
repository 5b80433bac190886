//! What no query can judge: it is read page by page, for whoever can.

use diesel::prelude::*;

use crate::db::{
    AnyConnection,
    log::rooms::key_of_name,
    schema::{memberships, reactions, rooms, users},
    text::StoredText,
    users::key_of,
};

/// Rows that are read at once.
const PAGE: i64 = 500;

/// A direct room, and who is in it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DirectRoom {
    /// Its number.
    pub id: i64,
    /// What stands for the people that it is for.
    pub people: String,
    /// Who is in it.
    pub members: Vec<i64>,
}

/// The next direct rooms after this one.
///
/// # Errors
/// When the database fails.
pub fn list_direct(conn: &mut AnyConnection, after: i64) -> QueryResult<Vec<DirectRoom>> {
    let found: Vec<(i64, Option<StoredText>)> = rooms::table
        .filter(rooms::kind.eq("direct"))
        .filter(rooms::id.gt(after))
        .order(rooms::id)
        .limit(PAGE)
        .select((rooms::id, rooms::people))
        .load(conn)?;
    let ids: Vec<i64> = found.iter().map(|(id, _)| *id).collect();
    let members = memberships::table
        .filter(memberships::room_id.eq_any(ids))
        .order((memberships::room_id, memberships::user_id))
        .select((memberships::room_id, memberships::user_id));
    let members: Vec<(i64, i64)> = on_either!(conn, members.load())?;
    let found = found.into_iter().filter(|(id, _)| *id > after);
    Ok(found
        .map(|(id, people)| DirectRoom {
            id,
            people: people.map(String::from).unwrap_or_default(),
            members: members
                .iter()
                .filter(|(room_id, _)| *room_id == id)
                .map(|(_, user_id)| *user_id)
                .collect(),
        })
        .collect())
}

/// The emoji that people have reacted with, at most so many.
///
/// # Errors
/// When the database fails.
pub fn list_emoji(conn: &mut AnyConnection, most: i64) -> QueryResult<Vec<StoredText>> {
    reactions::table
        .select(reactions::emoji)
        .distinct()
        .limit(most)
        .load(conn)
}

/// What is wrong with names.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Names {
    /// Names of users that cannot be shown to people.
    pub users_unshown: u64,
    /// Keys and names of rooms that cannot be shown.
    pub rooms_unshown: u64,
    /// Users who are not found by their own names.
    pub users_unfound: u64,
    /// Rooms that hold another name for themselves than their own.
    pub rooms_unfound: u64,
}

/// Looks at all names.
///
/// # Errors
/// When the database fails.
pub fn count_names(conn: &mut AnyConnection) -> QueryResult<Names> {
    let mut names = Names::default();
    let mut last = i64::MIN;
    loop {
        let page = list_users(conn, last)?;
        let Some(end) = page.last() else { break };
        last = end.id;
        for user in page {
            let name = user.username.as_str();
            names.users_unshown += u64::from(!is_shown(name));
            let is_found = user.is_deleted || user.username_key.as_str() == key_of(name);
            names.users_unfound += u64::from(!is_found);
        }
    }
    last = i64::MIN;
    loop {
        let page = list_rooms(conn, last)?;
        let Some(end) = page.last() else { break };
        last = end.id;
        for room in page {
            let name = room.name.as_ref().map(StoredText::as_str);
            let shown = [Some(room.key.as_str()), name];
            let unshown = shown.into_iter().flatten().filter(|name| !is_shown(name));
            names.rooms_unshown += unshown.count() as u64;
            let key = room.name_key.as_ref().map(StoredText::as_str);
            let is_found = key.is_none_or(|key| name.map(key_of_name).as_deref() == Some(key));
            names.rooms_unfound += u64::from(!is_found);
        }
    }
    Ok(names)
}

/// Whether a name can be shown to people. Older rules for names may have let through more than today's.
fn is_shown(name: &str) -> bool {
    (1..=200).contains(&name.chars().count()) && !name.chars().any(char::is_control)
}

#[derive(Queryable)]
struct UserRow {
    id: i64,
    username: StoredText,
    username_key: StoredText,
    is_deleted: bool,
}

/// The next users after this one. In SQLite a number may be a text, which is above all numbers and read as 0.
fn list_users(conn: &mut AnyConnection, after: i64) -> QueryResult<Vec<UserRow>> {
    let mut found: Vec<UserRow> = users::table
        .filter(users::id.gt(after))
        .order(users::id)
        .limit(PAGE)
        .select((
            users::id,
            users::username,
            users::username_key,
            users::deleted_at.is_not_null(),
        ))
        .load(conn)?;
    found.retain(|user| user.id > after);
    Ok(found)
}

#[derive(Queryable)]
struct RoomRow {
    id: i64,
    key: StoredText,
    name: Option<StoredText>,
    name_key: Option<StoredText>,
}

fn list_rooms(conn: &mut AnyConnection, after: i64) -> QueryResult<Vec<RoomRow>> {
    let mut found: Vec<RoomRow> = rooms::table
        .filter(rooms::id.gt(after))
        .order(rooms::id)
        .limit(PAGE)
        .select((rooms::id, rooms::key, rooms::name, rooms::name_key))
        .load(conn)?;
    found.retain(|room| room.id > after);
    Ok(found)
}
