//! Rooms and who is in them.

pub use crate::db::rooms::Room;

use super::Caller;
use crate::{
    app::App,
    db::rooms,
    error::{Error, Result},
};

/// Longest name of a room, in bytes.
pub const MAX_NAME: usize = 64;

/// The caller's rooms, each with the number of its latest change.
///
/// # Errors
/// 503 when the store does not answer.
pub async fn list(app: &App, caller: &Caller) -> Result<Vec<Room>> {
    let user_id = caller.user_id;
    app.db
        .read(move |conn| rooms::list_of_member(conn, user_id))
        .await
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
