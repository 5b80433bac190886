//! What names a room: its key, which is made of its number and never changes, and what may be a name.

use crate::{
    db::rooms::GENERAL_ID,
    error::{Error, Result},
    protocol::{GENERAL, limits::MAX_ROOM_NAME},
};

/// The room of a key. (Whether there is one is found out by whoever looks for it.)
///
/// # Errors
/// 404 for what can be no key.
pub fn id_of(key: &str) -> Result<i64> {
    if key == GENERAL {
        return Ok(GENERAL_ID);
    }
    let is_plain = key.bytes().all(|byte| byte.is_ascii_digit()) && !key.starts_with('0');
    let id = key.parse().ok().filter(|id| is_plain && *id != GENERAL_ID);
    id.ok_or_else(Error::no_such_room)
}

/// Whether it is the room that everyone is in.
#[must_use]
pub fn is_general(id: i64) -> bool {
    id == GENERAL_ID
}

/// The key of a room.
#[must_use]
pub fn key_of(id: i64) -> String {
    if id == GENERAL_ID {
        GENERAL.to_owned()
    } else {
        id.to_string()
    }
}

/// Refuses what cannot be the name of a room, before it reaches the database.
///
/// # Errors
/// 404.
pub fn check_name(name: &str) -> Result<()> {
    if name.is_empty() || name.len() > MAX_ROOM_NAME || name.contains('\0') {
        return Err(Error::no_such_room());
    }
    Ok(())
}
