//! Pages of a room's history. A page is bounded twice: by the number of messages that was asked for, and in bytes; what
//! was read, opened and made ready for one reader is never much more than that.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use super::{
    access::{Access, Which},
    announce,
    authentication::Claimed,
    gaps,
    general::Latest,
    plain::Form,
    rates::Rates,
    rooms::{self, Room, RoomView},
    sizes::{trim, weight},
    unreadable,
};
use crate::{
    crypto::vault::Vault,
    db::{
        AnyConnection, QueryError,
        log::reactions,
        messages::{self, Cursor, Message as Row, Only, PageRequest},
        threads::list_replies,
    },
    error::{Error, Result},
    gate::Urgency,
    journal::Current,
    protocol::{
        limits::{MAX_PAGE, PAGE_BYTES},
        message::Message,
        thread::Replies,
        time::now,
    },
};

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
    /// What of the log it shows: of changes all, and else what stands in the room itself.
    fn shown(self) -> Only {
        match self {
            Self::Since(_) => Only::All,
            _ => Only::Room,
        }
    }

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
                only: self.shown(),
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
    only: Option<Only>,
    form: Form,
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
            only: None,
            form: Form::default(),
        })
    }

    async fn find(
        &self,
        caller: Claimed,
        room: &str,
        (stretches, form): (Vec<PageRequest>, Form),
    ) -> Result<Encoded> {
        let (user_id, vault) = (caller.user_id, Arc::clone(&self.vault));
        let query = move |conn: &mut _, RoomView { room, .. }: &RoomView| {
            let mut whole = Found {
                messages: Vec::new(),
                is_full: false,
                is_cut: false,
            };
            for stretch in stretches {
                if !is_there(conn, room.id, stretch.only)? {
                    return Ok(None);
                }
                let (rows, is_cut) = messages::list_within(conn, room.id, stretch)?;
                // Opened and encoded here and not by a worker, which has sockets to serve.
                let found = view(conn, &vault, user_id, room, stretch, (rows, is_cut))?;
                whole.messages.extend(found.messages);
                whole.is_full |= found.is_full;
                whole.is_cut |= found.is_cut;
            }
            Ok(Some(encode(whole, form)))
        };
        let found = self
            .access
            .in_room(
                caller,
                Which::Named(room.to_owned()),
                Urgency::CanWait,
                query,
            )
            .await?;
        let found = found.ok_or_else(Error::no_such_message)?;
        found.map_err(Error::internal)
    }
}

impl Asked<'_> {
    /// Reads, instead of the page, what people wrote last in `general`.
    ///
    /// # Errors
    /// 401 when the login has ended, 404, 503.
    pub async fn find_latest(self) -> Result<Latest> {
        let Self {
            caller,
            limit,
            form,
            ..
        } = self;
        self.pages.find_latest(caller, limit, form).await
    }

    /// Asks for texts in this form.
    #[must_use]
    pub fn form(self, form: Form) -> Self {
        Self { form, ..self }
    }

    /// Asks only for what is pinned.
    ///
    /// # Errors
    /// 422 for a page of changes.
    pub fn pinned(self) -> Result<Self> {
        self.only("pinned", Only::Pinned)
    }

    /// Asks only for a thread: its first message, which this is, and the replies to it.
    ///
    /// # Errors
    /// 422 for a page of changes, or of what is pinned.
    pub fn thread(self, first: i64) -> Result<Self> {
        self.only("thread", Only::Thread(first))
    }

    fn only(self, name: &str, only: Only) -> Result<Self> {
        if matches!(self.page, Page::Since(_)) {
            let detail = format!("Give `{name}` or `since`, not both.");
            return Err(Error::invalid_query(name, detail));
        }
        if self.only.is_some() {
            let detail = "Give `thread` or `pinned`, not both.";
            return Err(Error::invalid_query(name, detail));
        }
        Ok(Self {
            only: Some(only),
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
            stretch.only = self.only.unwrap_or(stretch.only);
        }
        self.pages
            .find(self.caller, self.room, (stretches, self.form))
            .await
    }
}

/// Ready to be sent, with texts in this form.
pub(super) fn encode(mut found: Found, form: Form) -> serde_json::Result<Encoded> {
    found
        .messages
        .iter_mut()
        .for_each(|message| form.show(message));
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
        Only::Room => gaps::find_beside_threads(conn, room, stretch, &gaps::links(&rows), is_cut)?,
        // What is missing may have stood anywhere: it is shown in the room.
        Only::Thread(_) | Only::Pinned | Only::Written => Vec::new(),
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
        // Whoever is told only what has changed may not be told the first message of a reply's thread.
        let tells_threads = matches!(stretch.cursor, Cursor::Since(_));
        let mut nearest = open(conn, vault, reader, room, (nearest, tells_threads))?;
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

/// Whether there is what is asked for: a thread begins with a message that is no reply itself.
fn is_there(conn: &mut AnyConnection, room_id: i64, only: Only) -> Result<bool, QueryError> {
    let Only::Thread(first) = only else {
        return Ok(true);
    };
    let found = messages::find(conn, room_id, first)?;
    Ok(found.is_some_and(|row| row.thread.is_none()))
}

/// Opens stored messages, as the reader sees them. One that cannot be opened is shown as such, never skipped. First messages
/// of threads are told with what is under them, and replies, if they are to tell of their threads, with the same.
pub(super) fn open(
    conn: &mut AnyConnection,
    vault: &Vault,
    reader: i64,
    room: &Room,
    (rows, tells_threads): (Vec<Row>, bool),
) -> Result<Vec<Message>, QueryError> {
    let thread_of = |row: &Row| match row.thread {
        None => Some(row.id),
        thread => thread.filter(|_| tells_threads),
    };
    let threads: BTreeSet<i64> = rows.iter().filter_map(thread_of).collect();
    let threads = list_replies(conn, room.id, threads.into_iter().collect())?;
    let threads: BTreeMap<i64, Replies> = threads.into_iter().collect();
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
        let replies = thread_of(&row).and_then(|id| threads.get(&id)).cloned();
        let now = Current {
            row,
            reactions,
            replies,
        };
        let message = announce::message_for(vault, room.id, &now, reader);
        if message.unreadable {
            unreadable::tell(format!("message {id} of room {}", room.key));
        }
        message
    });
    Ok(whole.collect())
}
