//! What a room is, and what can be the name of one.

pub use crate::db::rooms::Room;

use crate::{
    db::rooms::GENERAL_ID,
    error::{Error, Result},
    protocol::{GENERAL, event::RoomState, room::RoomKind},
};

/// Longest name of a room, in bytes.
pub const MAX_NAME: usize = 64;

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

impl Room {
    /// As its member is told of it.
    #[must_use]
    pub fn state(&self) -> RoomState {
        RoomState {
            room: self.key.clone(),
            name: Some(self.key.clone()),
            kind: RoomKind::Public,
            topic: None,
            role: None,
            seq: self.last_seq.unsigned_abs(),
        }
    }
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
    if name.is_empty() || name.len() > MAX_NAME || name.contains('\0') {
        return Err(Error::no_such_room());
    }
    Ok(())
}
