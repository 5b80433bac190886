//! Whether the sealed texts of a backup open with the key, and lie where they were put: one that was damaged in the database
//! would otherwise get into each backup unseen, until the last one that still had it is thrown away.

use std::collections::{BTreeMap, HashMap};

use serde_json::Value;

use super::format::Head;
use crate::{
    crypto::{
        binding::{Place, Purpose},
        vault::{Bound, CannotOpen, Vault},
    },
    db::facts::{UNBOUND_UNTIL, parse_until},
};

/// The migration from which on an e-mail address is bound to its user, or the facts tell that it is not yet.
const BOUND_EMAILS: &str = "20261127000012";

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
    Facts {
        name: usize,
        value: usize,
    },
    Rooms {
        id: usize,
        key: usize,
        topic: Option<usize>,
    },
    Messages(Columns),
    Versions(VersionColumns),
    Users(People),
    Drafts(Kept),
    Scheduled(Kept),
    Other,
}

/// The columns of earlier versions of messages.
#[derive(Clone, Copy)]
struct VersionColumns {
    room: usize,
    message: usize,
    seq: usize,
    text: usize,
    mac: usize,
}

/// The columns of users.
#[derive(Clone, Copy)]
struct People {
    id: usize,
    name: usize,
    email: usize,
    /// What else is sealed: older releases have none of it.
    said: [Option<usize>; 4],
}

/// The columns of what someone has not said yet, with the thread or the number that its place has.
#[derive(Clone, Copy)]
struct Kept {
    user: usize,
    room: usize,
    number: usize,
    text: usize,
}
/// What people say of themselves that is sealed: its column, its purpose, and what it is called.
pub const SAID: [(&str, Purpose, &str); 4] = [
    ("bio", Purpose::Bio, "what is told of"),
    ("pronouns", Purpose::Pronouns, "the pronouns of"),
    ("status_text", Purpose::StatusText, "the status of"),
    (
        "status_emoji",
        Purpose::StatusEmoji,
        "the emoji of the status of",
    ),
];

/// The columns of messages.
#[derive(Clone, Copy)]
struct Columns {
    room: usize,
    id: usize,
    author: usize,
    text: usize,
    kind: Option<usize>,
    /// Older releases have neither.
    newer: Option<(usize, usize)>,
    edited: Option<usize>,
}

/// Tries the texts, row by row. Facts and a room come before the room's messages, and these before their earlier versions.
pub(super) struct Texts<'a> {
    vault: &'a Vault,
    layouts: Vec<Layout>,
    rooms: HashMap<i64, String>,
    is_of_before: bool,
    unbound: BTreeMap<i64, i64>,
    /// Who wrote each message that was edited, by room and number: its earlier versions, which come later, do not tell.
    authors: BTreeMap<(i64, i64), i64>,
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
            is_of_before: !head
                .migrations
                .iter()
                .any(|one| one.as_str() >= BOUND_EMAILS),
            unbound: BTreeMap::new(),
            authors: BTreeMap::new(),
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
        match *layout {
            Layout::Facts { name, value } => {
                let room =
                    text(name).and_then(|name| name.strip_prefix(UNBOUND_UNTIL)?.parse().ok());
                let until = text(value).map(parse_until);
                if let Some((room, until)) = room.zip(until) {
                    self.unbound.insert(room, until);
                    self.vault.believe(self.unbound.clone());
                }
            }
            Layout::Rooms { id, key, topic } => {
                let key = text(key).unwrap_or_default().to_owned();
                let place = Place::of_topic(number(id));
                let topic = topic.and_then(text);
                if topic.is_some_and(|topic| self.vault.open_at(place, topic).is_err()) {
                    self.note(format!("the topic of room {key}"));
                }
                self.rooms.insert(number(id), key);
            }
            Layout::Messages(columns) => self.see_message(columns, &values),
            Layout::Versions(columns) => self.see_version(columns, &values),
            Layout::Users(People {
                id,
                name,
                email,
                said,
            }) => {
                let place = Place::of_email(number(id));
                // A backup of before holds addresses that nothing binds.
                let opens = |email: &str| {
                    if self.is_of_before {
                        self.vault.open(email).is_ok()
                    } else {
                        self.vault.open_at(place, email).is_ok()
                    }
                };
                if text(email).is_some_and(|email| !opens(email)) {
                    let name = text(name).unwrap_or_default();
                    self.note(format!("the e-mail address of {name}"));
                }
                for ((_, purpose, what), at) in SAID.iter().zip(said) {
                    let place = Place::of_user(number(id), *purpose);
                    let stored = at.and_then(text);
                    if stored.is_some_and(|stored| self.vault.open_at(place, stored).is_err()) {
                        let name = text(name).unwrap_or_default();
                        self.note(format!("{what} {name}"));
                    }
                }
            }
            Layout::Drafts(columns) => self.see_kept(columns, &values, Place::of_draft),
            Layout::Scheduled(columns) => self.see_kept(columns, &values, Place::of_scheduled),
            Layout::Other => {}
        }
    }

    fn see_kept(
        &mut self,
        columns: Kept,
        values: &[Value],
        place: impl Fn(i64, i64, i64) -> Place,
    ) {
        let number = |at: usize| values.get(at).and_then(Value::as_i64).unwrap_or_default();
        let (user, room) = (number(columns.user), number(columns.room));
        let sealed = values.get(columns.text).and_then(Value::as_str);
        let place = place(user, room, number(columns.number));
        let sealed = sealed.unwrap_or_default();
        if self.vault.open_at(place, sealed).is_err() {
            let room = self.rooms.get(&room).map_or("?", String::as_str);
            self.note(format!("what user {user} has not said yet in room {room}"));
        }
    }

    fn see_message(&mut self, columns: Columns, values: &[Value]) {
        let number = |at: usize| values.get(at).and_then(Value::as_i64).unwrap_or_default();
        let text = |at: usize| values.get(at).and_then(Value::as_str);
        let place = Place {
            room_id: number(columns.room),
            id: number(columns.id),
            author: number(columns.author),
            purpose: columns
                .kind
                .and_then(text)
                .map_or(Purpose::Text, Purpose::of_kind),
        };
        if columns.edited.and_then(text).is_some() {
            self.authors.insert((place.room_id, place.id), place.author);
        }
        // A text that is missing is one that does not open.
        let sealed = text(columns.text).unwrap_or_default();
        let opened = match columns.newer {
            Some((_, deleted)) if text(deleted).is_some() && sealed.is_empty() => return,
            Some((_, deleted)) if text(deleted).is_some() => Err(CannotOpen),
            Some((mac, _)) => self.vault.open_bound(Bound {
                place,
                sealed,
                mac: text(mac),
            }),
            None => self.vault.open(sealed),
        };
        if opened.is_err() {
            let room = self.rooms.get(&place.room_id).map_or("?", String::as_str);
            self.note(format!("message {} of room {room}", place.id));
        }
    }

    fn see_version(&mut self, columns: VersionColumns, values: &[Value]) {
        let number = |at: usize| values.get(at).and_then(Value::as_i64).unwrap_or_default();
        let text = |at: usize| values.get(at).and_then(Value::as_str);
        let (room_id, id) = (number(columns.room), number(columns.message));
        let place = Place {
            room_id,
            id,
            author: self
                .authors
                .get(&(room_id, id))
                .copied()
                .unwrap_or_default(),
            purpose: Purpose::Text,
        };
        let opened = self.vault.open_bound(Bound {
            place,
            sealed: text(columns.text).unwrap_or_default(),
            mac: text(columns.mac),
        });
        if opened.is_err() {
            let room = self.rooms.get(&room_id).map_or("?", String::as_str);
            let seq = number(columns.seq);
            self.note(format!(
                "what message {id} of room {room} said before change {seq}"
            ));
        }
    }

    fn note(&mut self, named: String) {
        if self.unreadable.count == 0 {
            self.unreadable.first = named;
        }
        self.unreadable.count += 1;
    }
}

fn layout(table: &str, at: impl Fn(&str) -> Option<usize>) -> Option<Layout> {
    Some(match table {
        "facts" => Layout::Facts {
            name: at("name")?,
            value: at("value")?,
        },
        "rooms" => Layout::Rooms {
            id: at("id")?,
            key: at("key").or_else(|| at("name"))?,
            topic: at("topic"),
        },
        "messages" => Layout::Messages(Columns {
            room: at("room_id")?,
            id: at("id")?,
            author: at("user_id")?,
            text: at("content")?,
            kind: at("kind"),
            newer: at("mac").zip(at("deleted_at")),
            edited: at("edited_at"),
        }),
        "message_versions" => Layout::Versions(VersionColumns {
            room: at("room_id")?,
            message: at("message_id")?,
            seq: at("seq")?,
            text: at("content")?,
            mac: at("mac")?,
        }),
        "drafts" => Layout::Drafts(Kept {
            user: at("user_id")?,
            room: at("room_id")?,
            number: at("thread")?,
            text: at("content")?,
        }),
        "scheduled" => Layout::Scheduled(Kept {
            user: at("user_id")?,
            room: at("room_id")?,
            number: at("id")?,
            text: at("content")?,
        }),
        "users" => Layout::Users(People {
            id: at("id")?,
            name: at("username")?,
            email: at("email")?,
            said: SAID.map(|(column, ..)| at(column)),
        }),
        _ => return None,
    })
}
