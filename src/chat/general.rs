//! What people wrote last in `general`: the path of older clients, which know neither tombstones nor what a room says of
//! itself. It gives as many messages as were asked for, whatever stands between them, and however large they are.

use std::sync::Arc;

use super::{
    access::Which,
    authentication::Claimed,
    gaps,
    pages::{self, Encoded, Found, Pages},
    plain::Form,
    rooms::{Room, RoomView},
    sizes::trim,
};
use crate::{
    crypto::vault::Vault,
    db::{
        AnyConnection, QueryError,
        messages::{
            self, Cursor, Only, PageRequest,
            gaps::{Link, list_links},
        },
    },
    error::{Error, Result},
    gate::Urgency,
    protocol::{
        GENERAL,
        limits::{MAX_PAGE, PAGE_BYTES},
        message::{Kind, Message},
    },
};

/// How many of the room's newest rows are looked through for what is missing among what people wrote. A room whose members
/// delete a lot has any number of tombstones, and a page costs no more for it.
const LOOKED_THROUGH: i64 = 1_000;

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
    pub(super) async fn find_latest(
        &self,
        caller: Claimed,
        limit: i64,
        form: Form,
    ) -> Result<Latest> {
        let (reader, vault) = (caller.user_id, Arc::clone(&self.vault));
        let query = move |conn: &mut _, view: &RoomView| {
            if let Some(found) = walk_back(conn, &vault, reader, &view.room, limit)? {
                return Ok(pages::encode(found, form).map(Latest::Whole));
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
    pub async fn next_part(
        &self,
        caller: Claimed,
        (after, last): (u64, u64),
        form: Form,
    ) -> Result<Part> {
        let after = i64::try_from(after).unwrap_or(i64::MAX);
        let last = i64::try_from(last).unwrap_or(i64::MAX);
        let (reader, vault) = (caller.user_id, Arc::clone(&self.vault));
        let stretch = PageRequest {
            cursor: Cursor::After(after),
            limit: last.saturating_sub(after).clamp(1, MAX_PAGE),
            bytes: PAGE_BYTES,
            only: Only::All,
        };
        let query = move |conn: &mut _, view: &RoomView| {
            let rows = messages::list_within(conn, view.room.id, stretch)?;
            let mut found = pages::view(conn, &vault, reader, &view.room, stretch, rows)?;
            let reached = found.messages.last().map(|message| message.id);
            let is_wanted =
                |message: &Message| message.id <= last.unsigned_abs() && is_written(message);
            found.messages.retain(is_wanted);
            found
                .messages
                .iter_mut()
                .for_each(|message| form.show(message));
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
    message.kind == Kind::Text && message.deleted_at.is_none() && !message.is_in_thread_only()
}

/// What people wrote last, as much as was asked for; `None` when that is more than a page holds.
fn walk_back(
    conn: &mut AnyConnection,
    vault: &Vault,
    reader: i64,
    room: &Room,
    limit: i64,
) -> Result<Option<Found>, QueryError> {
    let newest = newest(limit, Only::Written);
    let (rows, is_cut) = messages::list_within(conn, room.id, newest)?;
    if is_cut {
        // Nothing of it will be kept, so nothing is opened.
        return Ok(None);
    }
    let missing = find_missing(conn, room, &gaps::links(&rows), limit)?;
    let count = rows.len();
    let opened = pages::open_within(conn, vault, reader, room, (rows, newest))?;
    if opened.len() < count {
        return Ok(None);
    }
    let mut messages = pages::filled(opened, missing, newest, room);
    if trim(&mut messages, true, PAGE_BYTES) {
        return Ok(None);
    }
    Ok(Some(Found {
        is_full: messages.len() as u64 == limit.unsigned_abs(),
        is_cut: false,
        messages,
    }))
}

/// Which messages those are that were asked for, when a page does not hold them: their texts are not kept.
fn count_back(conn: &mut AnyConnection, room: &Room, limit: i64) -> Result<Span, QueryError> {
    let written = list_links(conn, room.id, Only::Written, 0, limit)?;
    let mut numbers = find_missing(conn, room, &written, limit)?;
    numbers.extend(written.iter().map(|link| link.id));
    numbers.sort_unstable_by_key(|number| std::cmp::Reverse(*number));
    numbers.truncate(usize::try_from(limit).unwrap_or(0));
    Ok(Span {
        first: numbers.last().map_or(0, |number| number.unsigned_abs()),
        last: numbers.first().map_or(0, |number| number.unsigned_abs()),
        is_full: numbers.len() as u64 == limit.unsigned_abs(),
    })
}

/// The numbers that are missing among what people wrote last and above it, as far as the newest rows of the room tell: what
/// stands between is deleted or was said by the room, and may be any number of rows.
fn find_missing(
    conn: &mut AnyConnection,
    room: &Room,
    written: &[Link],
    limit: i64,
) -> Result<Vec<i64>, QueryError> {
    let is_full = written.len() as u64 >= limit.unsigned_abs();
    let first = written.first().filter(|_| is_full);
    let above = first.map_or(0, |first| first.id - 1);
    if is_unbroken(room, written, above) {
        return Ok(Vec::new());
    }
    let all = list_links(conn, room.id, Only::All, above, LOOKED_THROUGH)?;
    let is_cut = is_full || all.len() as u64 >= LOOKED_THROUGH.unsigned_abs();
    gaps::find(conn, room, newest(LOOKED_THROUGH, Only::All), &all, is_cut)
}

/// Whether each message comes right after the one before it, and no other message came since.
fn is_unbroken(room: &Room, written: &[Link], above: i64) -> bool {
    let mut last = above;
    let follows = |link: &Link| {
        let previous = link.previous.unwrap_or(link.id - 1);
        let is_next = previous <= last;
        last = link.id;
        is_next
    };
    written.iter().all(follows) && last >= room.last_message_id
}

/// The newest messages of the room.
fn newest(limit: i64, only: Only) -> PageRequest {
    PageRequest {
        cursor: Cursor::Before(i64::MAX),
        limit,
        bytes: PAGE_BYTES,
        only,
    }
}
