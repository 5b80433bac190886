//! Whether the sealed texts of a backup open with the key: one that was damaged in the database would otherwise get into
//! each backup unseen, until the last one that still had it is thrown away.

use std::collections::HashMap;

use serde_json::Value;

use super::format::Head;
use crate::crypto::vault::Vault;

/// What does not open.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Unreadable {
    /// How many texts.
    pub count: u64,
    /// The first of them, like `message 12 of room general`.
    pub first: String,
}

/// Where a table has what is needed here, by the places of its columns.
enum Layout {
    Rooms { id: usize, name: usize },
    Messages { room: usize, id: usize, text: usize },
    Users { name: usize, email: usize },
    Other,
}

/// Tries the texts, row by row. A room comes before its messages.
pub(super) struct Texts<'a> {
    vault: &'a Vault,
    layouts: Vec<Layout>,
    rooms: HashMap<i64, String>,
    pub(super) unreadable: Unreadable,
}

impl<'a> Texts<'a> {
    pub(super) fn new(vault: &'a Vault, head: &Head) -> Self {
        let layouts = head.tables.iter().map(|table| {
            let at = |name: &str| table.columns.iter().position(|column| column == name);
            layout(&table.name, at).unwrap_or(Layout::Other)
        });
        Self {
            vault,
            layouts: layouts.collect(),
            rooms: HashMap::new(),
            unreadable: Unreadable::default(),
        }
    }

    /// Looks at a row of the table of this number.
    pub(super) fn see(&mut self, table: usize, row: &str) {
        let Some(layout) = self.layouts.get(table) else {
            return;
        };
        if matches!(layout, Layout::Other) {
            return;
        }
        let values: Vec<Value> = serde_json::from_str(row).unwrap_or_default();
        let number = |at: usize| values.get(at).and_then(Value::as_i64).unwrap_or_default();
        let text = |at: usize| values.get(at).and_then(Value::as_str);
        let (sealed, named) = match *layout {
            Layout::Rooms { id, name } => {
                let name = text(name).unwrap_or_default().to_owned();
                self.rooms.insert(number(id), name);
                return;
            }
            Layout::Messages { room, id, text: at } => {
                let room = self.rooms.get(&number(room)).map_or("?", String::as_str);
                // A text that is missing is one that does not open.
                let sealed = Some(text(at).unwrap_or_default());
                (sealed, format!("message {} of room {room}", number(id)))
            }
            Layout::Users { name, email } => {
                let name = text(name).unwrap_or_default();
                (text(email), format!("the e-mail address of {name}"))
            }
            Layout::Other => return,
        };
        if sealed.is_some_and(|sealed| self.vault.open(sealed).is_err()) {
            if self.unreadable.count == 0 {
                self.unreadable.first = named;
            }
            self.unreadable.count += 1;
        }
    }
}

fn layout(table: &str, at: impl Fn(&str) -> Option<usize>) -> Option<Layout> {
    Some(match table {
        "rooms" => Layout::Rooms {
            id: at("id")?,
            name: at("name")?,
        },
        "messages" => Layout::Messages {
            room: at("room_id")?,
            id: at("id")?,
            text: at("content")?,
        },
        "users" => Layout::Users {
            name: at("username")?,
            email: at("email")?,
        },
        _ => return None,
    })
}
