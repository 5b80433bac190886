//! What a room is, and what can be the name of one.

pub use crate::db::rooms::Room;

use crate::error::{Error, Result};

/// Longest name of a room, in bytes.
pub const MAX_NAME: usize = 64;

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
