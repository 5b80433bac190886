//! The numbers of a room's log, given without touching the database: 1, 2, 3 … with no hole, and one forever to each
//! `client_id` of a sender.

use std::collections::HashMap;

use chrono::NaiveDateTime;

pub use crate::db::log::posts::Known;
use crate::{
    crypto::binding::{Place, Purpose},
    db::log::posts::{DraftRow, NewMessage},
    error::Error,
    protocol::time::Timestamp,
};

/// Where a message comes to stand.
#[derive(Debug, Clone, Copy)]
pub struct Position {
    /// The room's latest change before.
    pub last_seq: i64,
    /// Its newest message before.
    pub last_id: i64,
}

/// What became of a [`DraftRow`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Stored {
    /// It is the room's change and message number `id`.
    New {
        /// The message's number.
        id: i64,
    },
    /// The same sender had stored a message of this `client_id` before.
    Before {
        /// The number of that one.
        id: i64,
        /// The number of the latest change to it.
        seq: i64,
        /// Its content, sealed; `None` when it has another since.
        content: Option<String>,
        /// When it was stored.
        created_at: NaiveDateTime,
    },
    /// It may not be.
    Refused(Error),
}

/// What is to be written, and what its senders are answered.
pub struct Placed<'a> {
    pub rows: Vec<NewMessage<'a>>,
    pub outcomes: Vec<Stored>,
    /// Room → the number of its newest message, which is its latest change.
    pub last_ids: HashMap<i64, i64>,
}

/// Gives every draft that is `allowed` in a room (and of which that is told whether it is a repeat) its number, without
/// touching the database. `known` holds those that were stored before; without it, all drafts are taken for new. With it,
/// twins among the drafts are found, too.
pub fn place<'a>(
    drafts: &[DraftRow<'a>],
    known: Option<&Known<'_>>,
    now: Timestamp,
    bind: &dyn Fn(Place, &str) -> String,
    allowed: impl Fn(&DraftRow<'_>, bool) -> Result<Position, Error>,
) -> Placed<'a> {
    let mut placed = Placed {
        rows: Vec::with_capacity(drafts.len()),
        outcomes: Vec::new(),
        last_ids: HashMap::new(),
    };
    let mut twins: HashMap<(i64, i64, &str), (i64, &str)> = HashMap::new();
    for draft in drafts {
        let room_id = draft.room_id;
        let name = draft
            .client_id
            .map(|client_id| (room_id, draft.user_id, client_id));
        let before = name.and_then(|name| known?.get(&name).cloned());
        let twin = name.and_then(|name| twins.get(&name));
        let twin = twin.map(|(id, content)| {
            let content = Some((*content).to_owned());
            (*id, *id, content, now.naive_utc())
        });
        let before = before.or(twin);
        let position = match allowed(draft, before.is_some()) {
            Ok(position) => position,
            Err(error) => {
                placed.outcomes.push(Stored::Refused(error));
                continue;
            }
        };
        if let Some((id, seq, content, created_at)) = before {
            placed.outcomes.push(Stored::Before {
                id,
                seq,
                content,
                created_at,
            });
            continue;
        }
        let last = placed.last_ids.get(&room_id).copied();
        let previous = last.unwrap_or(position.last_id.min(position.last_seq));
        let id = last.unwrap_or(position.last_seq) + 1;
        placed.last_ids.insert(room_id, id);
        if let (Some(_), Some(name)) = (known, name) {
            twins.insert(name, (id, draft.content));
        }
        placed.outcomes.push(Stored::New { id });
        let place = Place {
            room_id,
            id,
            author: draft.user_id,
            purpose: Purpose::Text,
        };
        placed.rows.push(NewMessage {
            room_id,
            id,
            seq: id,
            user_id: draft.user_id,
            session_id: draft.session_id,
            client_id: draft.client_id,
            content: draft.content,
            created_at: now.naive_utc(),
            mac: bind(place, draft.content),
            previous,
            kind: "text",
            reply_to: draft.reply_to,
            username: draft.username,
            thread: draft.thread,
            thread_only: draft.thread_only,
            mentions: None,
            candidates: draft.candidates,
            later: draft.later,
        });
    }
    placed
}

#[cfg(test)]
pub mod table;
#[cfg(test)]
mod tests;
