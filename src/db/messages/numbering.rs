//! The numbers of a room's log, given without touching the database: 1, 2, 3 … with no hole, and one forever to each
//! `client_id` of a sender.

use std::collections::HashMap;

use chrono::NaiveDateTime;
use diesel::prelude::*;

use super::{Appended, DraftRow, lock::Locked, messages};
use crate::protocol::time::Timestamp;

/// A row of `messages` to be.
#[derive(Insertable)]
#[diesel(table_name = messages)]
pub struct NewMessage<'a> {
    pub room_id: i64,
    pub id: i64,
    pub seq: i64,
    pub user_id: i64,
    /// No column: without this login, living, the row is not inserted.
    #[diesel(skip_insertion)]
    pub session_id: i64,
    pub client_id: Option<&'a str>,
    pub content: &'a str,
    pub created_at: NaiveDateTime,
    pub mac: String,
    pub previous: i64,
}

/// What binds a sealed text to its room, its number and its author, in this order.
pub type Bind = dyn Fn(i64, i64, i64, &str) -> String + Send;

/// Room, sender and `client_id` → number, latest change, sealed content and time of what was stored under it.
pub type Known<'a> = HashMap<(i64, i64, &'a str), (i64, i64, String, NaiveDateTime)>;

/// What is to be written, and what its senders are answered.
pub struct Placed<'a> {
    pub rows: Vec<NewMessage<'a>>,
    pub outcomes: Vec<Appended>,
    /// Room → the number of its newest message, which is its latest change.
    pub last_ids: HashMap<i64, i64>,
}

/// Gives every draft that is `allowed` in a room its number, without touching the database. `known` holds those that were stored before; without
/// it, all drafts are taken for new. With it, twins among the drafts are found, too.
pub fn place<'a>(
    drafts: &[DraftRow<'a>],
    known: Option<&Known<'_>>,
    now: Timestamp,
    bind: &Bind,
    allowed: impl Fn(&DraftRow<'_>) -> Result<Locked, Appended>,
) -> Placed<'a> {
    let mut placed = Placed {
        rows: Vec::with_capacity(drafts.len()),
        outcomes: Vec::new(),
        last_ids: HashMap::new(),
    };
    let mut twins: HashMap<(i64, i64, &str), (i64, &str)> = HashMap::new();
    for draft in drafts {
        let room = match allowed(draft) {
            Ok(room) => room,
            Err(refused) => {
                placed.outcomes.push(refused);
                continue;
            }
        };
        let room_id = room.id;
        let name = draft
            .client_id
            .map(|client_id| (room_id, draft.user_id, client_id));
        if let Some((id, seq, content, created_at)) = name.and_then(|name| known?.get(&name)) {
            let (id, seq, content, created_at) = (*id, *seq, content.clone(), *created_at);
            placed.outcomes.push(Appended::Before {
                id,
                seq,
                content,
                created_at,
            });
            continue;
        }
        if let Some((id, content)) = name.and_then(|name| twins.get(&name)) {
            let (content, created_at) = ((*content).to_owned(), now.naive_utc());
            placed.outcomes.push(Appended::Before {
                id: *id,
                seq: *id,
                content,
                created_at,
            });
            continue;
        }
        let last = placed.last_ids.get(&room_id).copied();
        let previous = last.unwrap_or(room.last_id.min(room.last_seq));
        let id = last.unwrap_or(room.last_seq) + 1;
        placed.last_ids.insert(room_id, id);
        if let (Some(_), Some(name)) = (known, name) {
            twins.insert(name, (id, draft.content));
        }
        placed.outcomes.push(Appended::Stored { room_id, id });
        placed.rows.push(NewMessage {
            room_id,
            id,
            seq: id,
            user_id: draft.user_id,
            session_id: draft.session_id,
            client_id: draft.client_id,
            content: draft.content,
            created_at: now.naive_utc(),
            mac: bind(room_id, id, draft.user_id, draft.content),
            previous,
        });
    }
    placed
}

#[cfg(test)]
pub mod table;
#[cfg(test)]
mod tests;
