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

/// A room, looked up through the caller's membership.
///
/// # Errors
/// 404 when there is none of this name or the caller is not a member: the two look the same.
pub async fn find(app: &App, caller: &Caller, name: &str) -> Result<Room> {
    check_name(name)?;
    let (name, user_id) = (name.to_owned(), caller.user_id);
    app.db
        .read(move |conn| rooms::find_of_member(conn, &name, user_id))
        .await?
        .ok_or_else(Error::no_such_room)
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
