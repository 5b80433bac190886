//! Messages: reading pages of a room's log, and appending to it.

use diesel::{prelude::*, sql_types::Bool};

use super::{
    AnyConnection,
    schema::{messages, users},
    text::StoredText,
    time::StoredTime,
};

pub mod binding;
pub mod gaps;

/// A message and who wrote it.
#[derive(Debug, Clone, Queryable)]
pub struct Message {
    /// Its number in the room.
    pub id: i64,
    /// The number of the latest change to it.
    pub seq: i64,
    /// Who wrote it.
    pub user_id: i64,
    /// Who wrote it, by name; `None` when that account is not there.
    pub username: Option<String>,
    /// What the sender called it.
    pub client_id: Option<String>,
    /// Sealed.
    #[diesel(deserialize_as = StoredText)]
    pub content: String,
    /// When it was stored.
    pub created_at: StoredTime,
    /// `text` or `system`.
    #[diesel(deserialize_as = StoredText)]
    pub kind: String,
    /// What binds the sealed text to its place.
    pub mac: Option<StoredText>,
    /// The message before it in the room, 0 for the first; `None` where every number was a message.
    pub previous: Option<i64>,
    /// When it was edited last.
    pub edited_at: Option<StoredTime>,
    /// Since when it is only a tombstone.
    pub deleted_at: Option<StoredTime>,
    /// Who has pinned it.
    pub pinned_by: Option<i64>,
    /// Since when it is pinned.
    pub pinned_at: Option<StoredTime>,
    /// The message that it answers.
    pub reply_to: Option<i64>,
    /// The first message of the thread in which it is a reply.
    pub thread: Option<i64>,
    /// Whether it stands in that alone.
    pub thread_only: bool,
    /// Whom it mentions, and where.
    pub mentions: Option<StoredText>,
}

/// Where a page begins, and in which direction it goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Cursor {
    /// Messages with a smaller id, the nearest ones.
    Before(i64),
    /// Messages with a greater id, the nearest ones.
    After(i64),
    /// Messages changed after this change, the nearest ones.
    Since(i64),
}

/// How much is wanted from a cursor, at most.
#[derive(Debug, Clone, Copy)]
pub struct PageRequest {
    /// From where, and which way.
    pub cursor: Cursor,
    /// Messages.
    pub limit: i64,
    /// Bytes of their texts, about.
    pub bytes: usize,
    /// Which of them.
    pub only: Only,
}

/// Which messages of a stretch are wanted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Only {
    /// All.
    All,
    /// Those that stand in the room itself.
    Room,
    /// The first message of a thread, by its number, and the replies to it.
    Thread(i64),
    /// Those that are pinned.
    Pinned,
    /// What people wrote and nobody has deleted.
    Written,
}

impl Only {
    /// As the partial indexes have it, word for word: `SQLite` uses them for nothing else.
    const fn condition(self) -> &'static str {
        match self {
            Self::All => "1 = 1",
            Self::Room => "NOT messages.thread_only",
            Self::Thread(_) => "messages.thread IS NOT NULL",
            Self::Pinned => "messages.pinned_by IS NOT NULL",
            Self::Written => {
                "messages.kind <> 'system' AND messages.deleted_at IS NULL AND NOT messages.thread_only"
            }
        }
    }
}

/// Rows that are read at once.
const STEP: i64 = 50;

macro_rules! columns {
    () => {
        (
            messages::id,
            messages::seq,
            messages::user_id,
            users::username.nullable(),
            messages::client_id,
            messages::content,
            messages::created_at,
            messages::kind,
            messages::mac,
            messages::previous,
            messages::edited_at,
            messages::deleted_at,
            messages::pinned_by,
            messages::pinned_at,
            messages::reply_to,
            messages::thread,
            messages::thread_only,
            messages::mentions,
        )
    };
}

/// The message of a number, if there is one.
///
/// # Errors
/// When the database fails.
pub fn find(conn: &mut AnyConnection, room_id: i64, id: i64) -> QueryResult<Option<Message>> {
    messages::table
        .left_join(users::table)
        .filter(messages::room_id.eq(room_id))
        .filter(messages::id.eq(id))
        .select(columns!())
        .get_result(conn)
        .optional()
}

/// Those of these messages that are there, by their numbers.
///
/// # Errors
/// When the database fails.
pub fn list_numbered(
    conn: &mut AnyConnection,
    room_id: i64,
    ids: Vec<i64>,
) -> QueryResult<Vec<Message>> {
    let numbered = messages::table
        .left_join(users::table)
        .filter(messages::room_id.eq(room_id))
        .filter(messages::id.eq_any(ids))
        .order(messages::id)
        .select(columns!());
    on_either!(conn, numbered.load())
}

/// The next messages of a room from a cursor: oldest first, but [`Cursor::Since`] in the order of the changes.
///
/// # Errors
/// When the database fails.
pub fn list(
    conn: &mut AnyConnection,
    room_id: i64,
    cursor: Cursor,
    limit: i64,
) -> QueryResult<Vec<Message>> {
    let log = messages::table
        .left_join(users::table)
        .filter(messages::room_id.eq(room_id))
        .limit(limit)
        .select(columns!());
    match cursor {
        Cursor::Before(id) => {
            let nearest = log.filter(messages::id.lt(id)).order(messages::id.desc());
            let mut found: Vec<Message> = on_either!(conn, nearest.load())?;
            found.reverse();
            Ok(found)
        }
        // In SQLite a number may be a text, which is above all numbers and read as 0: who walks on from there would come
        // to it forever.
        Cursor::After(id) => {
            let nearest = log.filter(messages::id.gt(id)).order(messages::id.asc());
            let mut found: Vec<Message> = on_either!(conn, nearest.load())?;
            found.retain(|message| message.id > id);
            Ok(found)
        }
        Cursor::Since(seq) => {
            let nearest = log.filter(messages::seq.gt(seq)).order(messages::seq.asc());
            let mut found: Vec<Message> = on_either!(conn, nearest.load())?;
            found.retain(|message| message.seq > seq);
            Ok(found)
        }
    }
}

/// The next messages of a thread from a cursor: its first message and the replies to it, oldest first.
fn list_thread(
    conn: &mut AnyConnection,
    room_id: i64,
    first: i64,
    cursor: Cursor,
    limit: i64,
) -> QueryResult<Vec<Message>> {
    let replies = messages::table
        .left_join(users::table)
        .filter(messages::room_id.eq(room_id))
        .filter(messages::thread.eq(first))
        .select(columns!());
    let find_first = |conn: &mut _| find(conn, room_id, first);
    match cursor {
        Cursor::Before(id) => {
            let nearest = replies
                .filter(messages::id.lt(id))
                .order(messages::id.desc())
                .limit(limit);
            let mut found: Vec<Message> = on_either!(conn, nearest.load())?;
            if first < id && i64::try_from(found.len()).is_ok_and(|count| count < limit) {
                found.extend(find_first(conn)?);
            }
            found.reverse();
            Ok(found)
        }
        Cursor::After(id) | Cursor::Since(id) => {
            let mut found: Vec<Message> = Vec::new();
            if id < first {
                found.extend(find_first(conn)?);
            }
            let nearest = replies
                .filter(messages::id.gt(id))
                .order(messages::id.asc())
                .limit(limit - i64::from(!found.is_empty()));
            let more: Vec<Message> = on_either!(conn, nearest.load())?;
            found.extend(more.into_iter().filter(|message| message.id > id));
            Ok(found)
        }
    }
}

/// The next messages of a room from a cursor that are wanted, by their numbers, oldest first.
fn list_only(
    conn: &mut AnyConnection,
    room_id: i64,
    only: Only,
    cursor: Cursor,
    limit: i64,
) -> QueryResult<Vec<Message>> {
    let wanted = messages::table
        .left_join(users::table)
        .filter(messages::room_id.eq(room_id))
        .filter(diesel::dsl::sql::<Bool>(only.condition()))
        .limit(limit)
        .select(columns!());
    match cursor {
        Cursor::Before(id) => {
            let nearest = wanted
                .filter(messages::id.lt(id))
                .order(messages::id.desc());
            let mut found: Vec<Message> = on_either!(conn, nearest.load())?;
            found.reverse();
            Ok(found)
        }
        Cursor::After(id) | Cursor::Since(id) => {
            let nearest = wanted.filter(messages::id.gt(id)).order(messages::id.asc());
            let mut found: Vec<Message> = on_either!(conn, nearest.load())?;
            found.retain(|message| message.id > id);
            Ok(found)
        }
    }
}

/// Messages of one author in a room with a greater id than this, the nearest ones, oldest first.
///
/// # Errors
/// When the database fails.
pub fn list_of_author(
    conn: &mut AnyConnection,
    room_id: i64,
    user_id: i64,
    after: i64,
    limit: i64,
) -> QueryResult<Vec<Message>> {
    let mut found: Vec<Message> = messages::table
        .left_join(users::table)
        .filter(messages::room_id.eq(room_id))
        .filter(messages::user_id.eq(user_id))
        .filter(messages::id.gt(after))
        .order(messages::id.asc())
        .limit(limit)
        .select(columns!())
        .load(conn)?;
    found.retain(|message| message.id > after);
    Ok(found)
}

/// As [`list`], in steps, which end as soon as there are as many bytes as wanted; true when that was before the limit.
///
/// # Errors
/// When the database fails.
pub fn list_within(
    conn: &mut AnyConnection,
    room_id: i64,
    stretch: PageRequest,
) -> QueryResult<(Vec<Message>, bool)> {
    let PageRequest {
        cursor,
        limit,
        bytes,
        only,
    } = stretch;
    // Sealing makes a text longer by a third.
    let most_bytes = bytes / 3 * 4;
    let (mut found, mut at, mut left, mut bytes) = (Vec::new(), cursor, limit, 0);
    loop {
        let wanted = left.min(STEP);
        let mut step = match only {
            Only::All => list(conn, room_id, at, wanted)?,
            Only::Thread(first) => list_thread(conn, room_id, first, at, wanted)?,
            Only::Room | Only::Pinned | Only::Written => {
                list_only(conn, room_id, only, at, wanted)?
            }
        };
        let count = i64::try_from(step.len()).unwrap_or(STEP);
        left -= count;
        bytes += step.iter().map(|row| row.content.len()).sum::<usize>();
        let (Some(first), Some(last)) = (step.first(), step.last()) else {
            return Ok((found, false));
        };
        at = match cursor {
            Cursor::Before(_) => Cursor::Before(first.id),
            Cursor::After(_) => Cursor::After(last.id),
            Cursor::Since(_) => Cursor::Since(last.seq),
        };
        if matches!(cursor, Cursor::Before(_)) {
            std::mem::swap(&mut found, &mut step);
        }
        found.append(&mut step);
        if count < wanted || left == 0 {
            return Ok((found, false));
        }
        if bytes >= most_bytes {
            return Ok((found, true));
        }
    }
}

/// Changes what is stored as a message's text and nothing else: not its number, so that no client hears of it. False
/// when there is no such message.
///
/// # Errors
/// When the database fails.
pub fn update_content(
    conn: &mut AnyConnection,
    room_id: i64,
    id: i64,
    sealed: &str,
) -> QueryResult<bool> {
    let updated = diesel::update(messages::table.find((room_id, id)))
        .set(messages::content.eq(sealed))
        .execute(conn)?;
    Ok(updated == 1)
}
