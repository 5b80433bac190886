//! What a row says: its sealed text opened, if it lies where it was put.

use crate::{
    crypto::{
        binding::{Place, Purpose},
        vault::{Bound, CannotOpen, Vault},
    },
    db::{messages::Message as Row, text::StoredText},
    journal::SystemText,
};

/// Opens the text of a message. A tombstone has none: one with a text was edited by hand.
///
/// # Errors
/// [`CannotOpen`], also when the text belongs to another place.
pub fn open(vault: &Vault, room_id: i64, row: &Row) -> Result<String, CannotOpen> {
    if row.deleted_at.is_some() {
        return if row.content.is_empty() {
            Ok(String::new())
        } else {
            Err(CannotOpen)
        };
    }
    vault.open_bound(Bound {
        place: Place {
            room_id,
            id: row.id,
            author: row.user_id,
            purpose: Purpose::of_kind(&row.kind),
        },
        sealed: &row.content,
        mac: row.mac.as_ref().map(StoredText::as_str),
    })
}

/// What happened to a room, by the opened text of a message; `None` for what a person has written.
#[must_use]
pub fn read_event(row: &Row, opened: &str) -> Option<SystemText> {
    (row.kind == "system")
        .then(|| serde_json::from_str(opened).ok())
        .flatten()
}
