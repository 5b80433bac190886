//! What people wrote last in `general`: the path of older clients, which know neither tombstones nor what a room says of
//! itself. It gives as many messages as were asked for, whatever stands between them, and however large they are.

use std::sync::Arc;

use super::{
    access::Which,
    authentication::Claimed,
    gaps,
    pages::{self, Encoded, Found, Pages},
    rooms::{Room, RoomView},
};
use crate::{
    crypto::vault::Vault,
    db::{
        AnyConnection, QueryError,
        messages::{self, Cursor, Message as Row, PageRequest},
    },
    error::{Error, Result},
    gate::Urgency,
    protocol::{
        GENERAL,
        limits::{MAX_PAGE, PAGE_BYTES},
        message::{Kind, Message},
    },
};

/// The messages that were asked for.
#[derive(Debug)]
pub enum Latest {
    /// All of them.
    Whole(Encoded),
    /// They are more than a page holds, and are read part by part.
    Long(Span),
}

/// Messages from one to another.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Span {
    /// The first.
    pub first: u64,
    /// The last.
    pub last: u64,
    /// Whether they are as many as were asked for: there may be older ones.
    pub is_full: bool,
}

/// A part of a [`Span`].
#[derive(Debug)]
pub struct Part {
    /// Its messages, as the inside of a JSON array. May be empty.
    pub json: Vec<u8>,
    /// How far it goes.
    pub reached: u64,
}

impl Pages {
    /// The newest messages of `general` that people wrote and nobody has deleted. `limit` was granted.
    ///
    /// # Errors
    /// 401 when the login has ended, 404, 503.
    pub(super) async fn find_latest(&self, caller: Claimed, limit: i64) -> Result<Latest> {
        let (reader, vault) = (caller.user_id, Arc::clone(&self.vault));
        let query = move |conn: &mut _, view: &RoomView| {
            if let Some(found) = walk_back(conn, &vault, reader, &view.room, limit)? {
                return Ok(pages::encode(&found).map(Latest::Whole));
            }
            // It is read part by part, as it is taken.
            Ok(Ok(Latest::Long(count_back(conn, &view.room, limit)?)))
        };
        let which = Which::Named(GENERAL.to_owned());
        let found = self.access.in_room(caller, which, Urgency::CanWait, query);
        found.await?.map_err(Error::internal)
    }

    /// What a span has after a message, as much as a page holds.
    ///
    /// # Errors
    /// 401 when the login has ended, 404, 503.
    pub async fn next_part(&self, caller: Claimed, after: u64, last: u64) -> Result<Part> {
        let after = i64::try_from(after).unwrap_or(i64::MAX);
        let last = i64::try_from(last).unwrap_or(i64::MAX);
        let (reader, vault) = (caller.user_id, Arc::clone(&self.vault));
        let stretch = PageRequest {
            cursor: Cursor::After(after),
            limit: last.saturating_sub(after).clamp(1, MAX_PAGE),
            bytes: PAGE_BYTES,
            is_pinned: false,
        };
        let query = move |conn: &mut _, view: &RoomView| {
            let rows = messages::list_within(conn, view.room.id, stretch)?;
            let mut found = pages::view(conn, &vault, reader, &view.room, stretch, rows)?;
            let reached = found.messages.last().map(|message| message.id);
            let is_wanted =
                |message: &Message| message.id <= last.unsigned_abs() && is_written(message);
            found.messages.retain(is_wanted);
            Ok(serde_json::to_vec(&found.messages).map(|json| (json, reached)))
        };
        let which = Which::Named(GENERAL.to_owned());
        let found = self.access.in_room(caller, which, Urgency::Urgent, query);
        let (mut json, reached) = found.await?.map_err(Error::internal)?;
        json.pop();
        json.drain(..1);
        // They were there a moment ago.
        let reached = reached.ok_or_else(Error::store_unavailable)?;
        Ok(Part { json, reached })
    }
}

/// Whether it is what somebody wrote. What is missing is shown, too: perhaps somebody did.
fn is_written(message: &Message) -> bool {
    message.kind == Kind::Text && message.deleted_at.is_none()
}

/// What people wrote last, as much as was asked for; `None` when that is more than a page holds.
fn walk_back(
    conn: &mut AnyConnection,
    vault: &Vault,
    reader: i64,
    room: &Room,
    limit: i64,
) -> Result<Option<Found>, QueryError> {
    let most = usize::try_from(limit).unwrap_or(0);
    let mut written: Vec<Message> = Vec::new();
    let mut stretch = back_from(i64::MAX, limit, PAGE_BYTES);
    loop {
        let (rows, is_cut) = messages::list_within(conn, room.id, stretch)?;
        if is_cut {
            // Nothing of it will be kept, so nothing is opened.
            return Ok(None);
        }
        let mut found = pages::view(conn, vault, reader, room, stretch, (rows, false))?;
        let lowest = found.messages.first().map(|message| message.id);
        found.messages.retain(is_written);
        found.messages.append(&mut written);
        written = found.messages;
        written.drain(..written.len().saturating_sub(most));
        let is_full = written.len() == most;
        let is_done = is_full || found.is_cut || !found.is_full;
        let Some(lowest) = lowest.filter(|_| !is_done) else {
            let is_cut = found.is_cut && !is_full;
            return Ok((!is_cut).then_some(Found {
                is_full,
                is_cut,
                messages: written,
            }));
        };
        let bytes = written.iter().map(pages::weight).sum();
        let lowest = i64::try_from(lowest).unwrap_or(0);
        stretch = back_from(lowest, MAX_PAGE, PAGE_BYTES.saturating_sub(bytes));
    }
}

/// Which messages those are that were asked for, when a page does not hold them: their texts are not kept.
fn count_back(conn: &mut AnyConnection, room: &Room, limit: i64) -> Result<Span, QueryError> {
    let (mut first, mut last, mut left) = (i64::MAX, 0, limit);
    let mut before = i64::MAX;
    loop {
        let stretch = back_from(before, MAX_PAGE, PAGE_BYTES);
        let (rows, is_cut) = messages::list_within(conn, room.id, stretch)?;
        let missing = gaps::find(conn, room, stretch, &rows, is_cut)?;
        let is_written = |row: &Row| row.kind != "system" && row.deleted_at.is_none();
        let mut numbers: Vec<(i64, bool)> =
            rows.iter().map(|row| (row.id, is_written(row))).collect();
        numbers.extend(missing.into_iter().map(|number| (number, true)));
        numbers.sort_unstable_by_key(|(number, _)| std::cmp::Reverse(*number));
        numbers.truncate(usize::try_from(stretch.limit).unwrap_or(0));
        let has_more = is_cut || i64::try_from(numbers.len()) == Ok(stretch.limit);
        before = numbers.last().map_or(0, |(number, _)| *number);
        let written = numbers.into_iter().filter(|(_, is_written)| *is_written);
        for (number, _) in written.take(usize::try_from(left).unwrap_or(0)) {
            (first, last, left) = (first.min(number), last.max(number), left - 1);
        }
        if left == 0 || !has_more {
            return Ok(Span {
                first: first.unsigned_abs(),
                last: last.unsigned_abs(),
                is_full: left == 0,
            });
        }
    }
}

fn back_from(before: i64, limit: i64, bytes: usize) -> PageRequest {
    PageRequest {
        cursor: Cursor::Before(before),
        limit,
        bytes,
        is_pinned: false,
    }
}
