//! Pages of a room's history. A page is bounded twice: by the number of messages that was asked for, and in bytes; what
//! was read, opened and made ready for one reader is never much more than that.

use std::sync::Arc;

use super::{
    access::{Access, Which},
    announce,
    authentication::Claimed,
    gaps,
    general::Latest,
    rates::Rates,
    rooms::{self, Room, RoomView},
};
use crate::{
    crypto::vault::Vault,
    db::{
        AnyConnection, QueryError,
        log::reactions,
        messages::{self, Cursor, Message as Row, Only, PageRequest},
    },
    error::{Error, Result},
    gate::Urgency,
    journal::Current,
    protocol::{
        limits::{MAX_PAGE, PAGE_BYTES},
        message::{Message, Reaction},
        time::now,
    },
};

/// What a message has around its content, as JSON, about.
const AROUND_CONTENT: usize = 400;

/// What an emoji among its reactions has around the names, about.
const AROUND_REACTION: usize = 80;

/// What one who has reacted has around the name, about.
const AROUND_NAME: usize = 40;

/// Messages that are opened at once: with all reactions that a message can have, they are about a page.
const OPENED_AT_ONCE: usize = 25;

/// Reads history.
pub struct Pages {
    /// Who may read what.
    pub access: Arc<Access>,
    /// Opens messages.
    pub vault: Arc<Vault>,
    /// How often one may read.
    pub rates: Rates,
}

/// The part of a room's log that is wanted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Page {
    /// The newest messages.
    Latest,
    /// Messages with a smaller id, the nearest ones.
    Before(i64),
    /// Messages with a greater id, the nearest ones.
    After(i64),
    /// Half of the page up to this id, half after it.
    Around(i64),
    /// Messages changed after this change, in the order of their changes.
    Since(i64),
}

/// A message that a page ends with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Edge {
    /// Its number.
    pub id: u64,
    /// The number of its last change.
    pub seq: u64,
}

impl Edge {
    fn of(message: &Message) -> Self {
        Self {
            id: message.id,
            seq: message.seq,
        }
    }
}

/// A page, ready to be sent.
#[derive(Debug)]
pub struct Encoded {
    /// The messages, as a JSON array.
    pub json: Vec<u8>,
    /// The first and the last of them; `None` when there are none.
    pub edges: Option<(Edge, Edge)>,
    /// Whether the page ends where a limit, of messages or of bytes, has ended it: there may be more.
    pub is_full: bool,
    /// Whether fewer messages than were asked for have filled it.
    pub is_cut: bool,
}

/// A stretch of a page as it is found.
#[derive(Debug)]
pub struct Found {
    /// The messages.
    pub messages: Vec<Message>,
    /// Whether the page ends where a limit, of messages or of bytes, has ended it: there may be more.
    pub is_full: bool,
    /// Whether fewer messages than were asked for have filled it.
    pub is_cut: bool,
}

impl Page {
    /// What is read for it: in one direction, or in both.
    fn stretches(self, limit: i64) -> Vec<PageRequest> {
        let walks = match self {
            Self::Latest => vec![(Cursor::Before(i64::MAX), limit)],
            Self::Before(id) => vec![(Cursor::Before(id), limit)],
            Self::After(id) => vec![(Cursor::After(id), limit)],
            Self::Since(seq) => vec![(Cursor::Since(seq), limit)],
            Self::Around(id) => vec![
                (Cursor::Before(id.saturating_add(1)), limit - limit / 2),
                (Cursor::After(id), limit / 2),
            ],
        };
        let bytes = PAGE_BYTES / walks.len();
        walks
            .into_iter()
            .map(|(cursor, limit)| PageRequest {
                cursor,
                limit,
                bytes,
                only: Only::All,
            })
            .collect()
    }
}

/// A page that may be asked for: what is wrong with a request, or too much, is found before anything waits for it.
pub struct Asked<'a> {
    pages: &'a Pages,
    caller: Claimed,
    room: &'a str,
    page: Page,
    limit: i64,
    only: Only,
}

impl Pages {
    /// Asks for a page of a room's log.
    ///
    /// # Errors
    /// 404 for what can be no room, 422, 429.
    pub fn ask<'a>(
        &'a self,
        caller: Claimed,
        room: &'a str,
        page: Page,
        limit: i64,
    ) -> Result<Asked<'a>> {
        if !(1..=MAX_PAGE).contains(&limit) {
            return Err(Error::invalid_query(
                "limit",
                format!("`limit` must be between 1 and {MAX_PAGE}."),
            ));
        }
        self.rates.check_read(caller.user_id)?;
        rooms::check_name(room)?;
        Ok(Asked {
            pages: self,
            caller,
            room,
            page,
            limit,
            only: Only::All,
        })
    }

    async fn find(
        &self,
        caller: Claimed,
        room: &str,
        stretches: Vec<PageRequest>,
        urgency: Urgency,
    ) -> Result<Encoded> {
        let (user_id, vault) = (caller.user_id, Arc::clone(&self.vault));
        let query = move |conn: &mut _, RoomView { room, .. }: &RoomView| {
            let mut whole = Found {
                messages: Vec::new(),
                is_full: false,
                is_cut: false,
            };
            for stretch in stretches {
                let (rows, is_cut) = messages::list_within(conn, room.id, stretch)?;
                // Opened and encoded here and not by a worker, which has sockets to serve.
                let found = view(conn, &vault, user_id, room, stretch, (rows, is_cut))?;
                whole.messages.extend(found.messages);
                whole.is_full |= found.is_full;
                whole.is_cut |= found.is_cut;
            }
            Ok(encode(&whole))
        };
        let found = self
            .access
            .in_room(caller, Which::Named(room.to_owned()), urgency, query)
            .await?;
        found.map_err(Error::internal)
    }
}

impl Asked<'_> {
    /// Reads, instead of the page, what people wrote last in `general`.
    ///
    /// # Errors
    /// 401 when the login has ended, 404, 503.
    pub async fn find_latest(self) -> Result<Latest> {
        self.pages.find_latest(self.caller, self.limit).await
    }

    /// Asks only for what is pinned.
    ///
    /// # Errors
    /// 422 for a page of changes.
    pub fn pinned(self) -> Result<Self> {
        if matches!(self.page, Page::Since(_)) {
            let detail = "Give `pinned` or `since`, not both.";
            return Err(Error::invalid_query("pinned", detail));
        }
        Ok(Self {
            only: Only::Pinned,
            ..self
        })
    }

    /// Reads the page.
    ///
    /// # Errors
    /// 401 when the login has ended, 404, 503.
    pub async fn find(self) -> Result<Encoded> {
        let mut stretches = self.page.stretches(self.limit);
        for stretch in &mut stretches {
            stretch.only = self.only;
        }
        self.pages
            .find(self.caller, self.room, stretches, Urgency::CanWait)
            .await
    }
}

pub(super) fn encode(found: &Found) -> serde_json::Result<Encoded> {
    let edges = found.messages.first().zip(found.messages.last());
    Ok(Encoded {
        json: serde_json::to_vec(&found.messages)?,
        edges: edges.map(|(first, last)| (Edge::of(first), Edge::of(last))),
        is_full: found.is_full,
        is_cut: found.is_cut,
    })
}

/// Opens the rows of a stretch, shows what is missing, and leaves out what does not fit. `is_cut`: there are more rows.
pub(super) fn view(
    conn: &mut AnyConnection,
    vault: &Vault,
    reader: i64,
    room: &Room,
    stretch: PageRequest,
    (rows, mut is_cut): (Vec<Row>, bool),
) -> Result<Found, QueryError> {
    let is_backwards = matches!(stretch.cursor, Cursor::Before(_));
    let missing = match stretch.only {
        Only::All => gaps::find(conn, room, stretch, &gaps::links(&rows), is_cut)?,
        Only::Pinned | Only::Written => Vec::new(),
    };
    let opened = open_within(conn, vault, reader, room, (rows, stretch))?;
    let mut messages = filled(opened, missing, stretch, room);
    is_cut |= trim(&mut messages, is_backwards, stretch.bytes);
    Ok(Found {
        is_full: is_cut || messages.len() as u64 == stretch.limit.unsigned_abs(),
        is_cut,
        messages,
    })
}

/// Opens the rows of a stretch from where the reader looks, until they are more than it holds: what has reactions is much
/// larger than its text.
pub(super) fn open_within(
    conn: &mut AnyConnection,
    vault: &Vault,
    reader: i64,
    room: &Room,
    (mut rows, stretch): (Vec<Row>, PageRequest),
) -> Result<Vec<Message>, QueryError> {
    let is_backwards = matches!(stretch.cursor, Cursor::Before(_));
    let (mut opened, mut bytes) = (Vec::new(), 0);
    while !rows.is_empty() && bytes <= stretch.bytes {
        let count = rows.len().min(OPENED_AT_ONCE);
        let nearest = if is_backwards {
            rows.split_off(rows.len() - count)
        } else {
            rows.drain(..count).collect()
        };
        let mut nearest = open(conn, vault, reader, room, nearest)?;
        bytes += nearest.iter().map(weight).sum::<usize>();
        if is_backwards {
            std::mem::swap(&mut opened, &mut nearest);
        }
        opened.append(&mut nearest);
    }
    Ok(opened)
}

/// The messages with what is missing among them; as many as are wanted, those nearest to where the reader looks.
pub(super) fn filled(
    found: Vec<Message>,
    missing: Vec<i64>,
    stretch: PageRequest,
    room: &Room,
) -> Vec<Message> {
    if missing.is_empty() {
        return found;
    }
    let number = |message: &Message| match stretch.cursor {
        Cursor::Before(_) | Cursor::After(_) => message.id,
        Cursor::Since(_) => message.seq,
    };
    let (mut all, mut missing) = (Vec::new(), missing.into_iter().peekable());
    // The nearest time that is known, so that it stands where it belongs.
    let mut at = found.first().map_or_else(now, |message| message.created_at);
    for message in found {
        while let Some(lost) = missing.next_if(|lost| lost.unsigned_abs() < number(&message)) {
            all.push(gaps::missing(lost, at, &room.key));
        }
        at = message.created_at;
        all.push(message);
    }
    all.extend(missing.map(|lost| gaps::missing(lost, at, &room.key)));
    let limit = usize::try_from(stretch.limit).unwrap_or(0);
    let over = all.len().saturating_sub(limit);
    if matches!(stretch.cursor, Cursor::Before(_)) {
        all.drain(..over);
    } else {
        all.truncate(limit);
    }
    all
}

/// Opens stored messages, as the reader sees them. One that cannot be opened is shown as such, never skipped.
pub(super) fn open(
    conn: &mut AnyConnection,
    vault: &Vault,
    reader: i64,
    room: &Room,
    rows: Vec<Row>,
) -> Result<Vec<Message>, QueryError> {
    // A reaction takes a number: what was never changed has none.
    let changed = rows.iter().filter(|row| row.seq > row.id);
    let changed: Vec<i64> = changed.map(|row| row.id).collect();
    let mut reacted = if changed.is_empty() {
        Vec::new()
    } else {
        reactions::list(conn, room.id, &changed, reader)?
    };
    let whole = rows.into_iter().map(|row| {
        let id = row.id;
        let reactions = reacted.extract_if(.., |one| one.message_id == id).collect();
        let now = Current { row, reactions };
        let message = announce::message_for(vault, room.id, &now, reader);
        if message.unreadable {
            log::error!(
                "message {id} of room {} cannot be read: its text was changed or belongs elsewhere, or the key is missing",
                room.key
            );
        }
        message
    });
    Ok(whole.collect())
}

/// Leaves out what lies farthest from where the reader looks, so that the rest fits; tells whether there was any.
pub(super) fn trim(messages: &mut Vec<Message>, is_backwards: bool, most_bytes: usize) -> bool {
    let mut bytes = 0;
    let fits = |message: &&Message| {
        bytes += weight(message);
        bytes <= most_bytes
    };
    let count = if is_backwards {
        messages.iter().rev().take_while(fits).count()
    } else {
        messages.iter().take_while(fits).count()
    };
    let over = messages.len().saturating_sub(count.max(1));
    if is_backwards {
        messages.drain(..over);
    } else {
        messages.truncate(count.max(1));
    }
    over > 0
}

/// Bytes of a message as JSON, about.
fn weight(message: &Message) -> usize {
    let named = |reaction: &Reaction| {
        let names = reaction.users.iter().map(|user| user.username.len());
        AROUND_REACTION + names.map(|name| AROUND_NAME + name).sum::<usize>()
    };
    let reactions: usize = message.reactions.iter().map(named).sum();
    AROUND_CONTENT + json_length(&message.content) + reactions
}

/// Bytes of a text as JSON, without its quotes.
fn json_length(text: &str) -> usize {
    let length = |byte: u8| match byte {
        b'"' | b'\\' | b'\n' | b'\r' | b'\t' | 0x08 | 0x0C => 2,
        0..0x20 => 6,
        _ => 1,
    };
    text.bytes().map(length).sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_length_of_a_text_is_that_of_its_json() {
        for text in [
            "plain",
            "\u{1}\u{1f}\u{7f}\u{80}",
            "\"\\\n\r\t\u{8}\u{c}/é😀",
        ] {
            let json = serde_json::to_string(text).expect("JSON");
            assert_eq!(json_length(text), json.len() - 2, "{text:?}");
        }
    }
}
