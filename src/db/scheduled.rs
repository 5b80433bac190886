//! What is to be said later.

use diesel::prelude::*;

use super::{AnyConnection, schema::scheduled, text::StoredText};

/// A sealed text, and where it belongs.
#[derive(Debug, Queryable)]
pub struct Sealed {
    /// Its number.
    pub id: i64,
    /// Whose it is.
    pub user_id: i64,
    /// Where it is to be said.
    pub room_id: i64,
    /// Sealed.
    pub content: StoredText,
}

/// The texts after this one, by their numbers.
///
/// # Errors
/// When the database fails.
pub fn list_sealed(conn: &mut AnyConnection, after: i64, limit: i64) -> QueryResult<Vec<Sealed>> {
    let mut found: Vec<Sealed> = scheduled::table
        .filter(scheduled::id.gt(after))
        .order(scheduled::id)
        .limit(limit)
        .select((
            scheduled::id,
            scheduled::user_id,
            scheduled::room_id,
            scheduled::content,
        ))
        .load(conn)?;
    // In SQLite a number may be a text, which is above all numbers and read as 0.
    found.retain(|row| row.id > after);
    Ok(found)
}
