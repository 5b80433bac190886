//! Threads that someone follows.

use std::{
    collections::{BTreeMap, HashMap},
    sync::Arc,
};

use chrono::NaiveDateTime;

use super::{
    Caller,
    access::{Access, Which},
    cursors::{self, List, Listed, Wanted},
    pages,
    plain::Form,
    rates::Rates,
    rooms::{self, Room, RoomView},
};
use crate::{
    crypto::vault::Vault,
    db::{
        self, AnyConnection, QueryError, messages,
        rooms::views,
        threads::{self, Followed},
    },
    error::{Error, Result},
    gate::Urgency,
    protocol::{limits::PAGE_BYTES, message::Message, thread::Thread},
};

/// Later than any reply.
const END_OF_TIME: i64 = 253_000_000_000_000_000;

/// Tells of threads, and lets people follow them.
pub struct Threads {
    /// Who may read what.
    pub access: Arc<Access>,
    /// Opens messages.
    pub vault: Arc<Vault>,
    /// How often one may read.
    pub rates: Rates,
}

/// Where a list of threads goes on: after the reply of this time, in this room and thread.
type Place = (NaiveDateTime, i64, i64);

impl Threads {
    /// The threads that the caller follows in rooms that the caller may read now, the one with the latest reply first.
    ///
    /// # Errors
    /// 401 when the login has ended, 422, 429, 503.
    pub async fn list(
        &self,
        caller: &Caller,
        wanted: &Wanted,
        form: Form,
    ) -> Result<Listed<Thread>> {
        let list = List::new("threads", "");
        let after = cursors::begin(&self.rates, caller, &list, wanted)?;
        let after = read_place(after.as_deref());
        let (user_id, limit, vault) = (caller.user_id, wanted.limit, Arc::clone(&self.vault));
        let read = move |conn: &mut _| {
            let mut found = threads::list_followed(conn, user_id, after, limit + 1)?;
            let has_more = i64::try_from(found.len()).is_ok_and(|count| count > limit);
            found.truncate(usize::try_from(limit).unwrap_or(0));
            let rooms = views::list_of_member(conn, user_id)?;
            let rooms = rooms.into_iter().map(|view| (view.room.id, view.room));
            let rooms: HashMap<i64, Room> = rooms.collect();
            let mut firsts = open_firsts(conn, &vault, user_id, &rooms, &found)?;
            let (mut told, mut bytes) = (Vec::new(), 0);
            for one in found {
                let Some(mut message) = firsts.remove(&(one.room_id, one.thread)) else {
                    continue;
                };
                form.show(&mut message);
                bytes += message.content.len();
                if bytes > PAGE_BYTES && !told.is_empty() {
                    return Ok((told, true));
                }
                told.push((place_of(&one), thread(message, &one)));
            }
            Ok((told, has_more))
        };
        let found = self.access.for_caller(caller, Urgency::CanWait, read);
        let (told, has_more) = found.await?;
        let end = told.last().filter(|_| has_more);
        Ok(Listed {
            next: end.map(|(place, _)| list.after(place)),
            items: told.into_iter().map(|(_, thread)| thread).collect(),
        })
    }

    /// Has the caller follow the thread under a message, also one that has no replies yet; or follow it no more.
    ///
    /// # Errors
    /// 401 when the login has ended, 403, 404, 409 for a message that can have no thread, 429, 503.
    pub async fn follow(
        &self,
        caller: &Caller,
        (room, id): (&str, u64),
        follows: bool,
    ) -> Result<()> {
        self.rates.check_note(caller.user_id)?;
        rooms::check_name(room)?;
        let id = i64::try_from(id).unwrap_or(i64::MAX);
        let user_id = caller.user_id;
        let keep = move |conn: &mut _, view: &RoomView| {
            let (room_id, last_seq) = (view.room.id, view.room.last_seq);
            let Some(first) = messages::find(conn, room_id, id)? else {
                return Ok(Err(Error::no_such_message()));
            };
            if !may_begin(&first) {
                return Ok(Err(Error::not_a_thread()));
            }
            threads::set_follows(conn, (room_id, id), user_id, (follows, last_seq)).map(Ok)
        };
        let which = Which::Named(room.to_owned());
        self.access.keep_in_room(caller, which, keep).await?
    }
}

/// Whether a thread may begin with a message: with one that somebody has written, and that is no reply itself.
fn may_begin(message: &messages::Message) -> bool {
    message.thread.is_none() && message.kind == "text"
}

/// Whether a room has a message of this number with which a thread may begin.
pub(super) fn has_first(
    conn: &mut AnyConnection,
    room_id: i64,
    id: i64,
) -> std::result::Result<bool, QueryError> {
    let first = messages::find(conn, room_id, id)?;
    Ok(first.is_some_and(|message| may_begin(&message)))
}

/// The first messages of these threads, as the reader sees them.
fn open_firsts(
    conn: &mut AnyConnection,
    vault: &Vault,
    reader: i64,
    rooms: &HashMap<i64, Room>,
    found: &[Followed],
) -> std::result::Result<HashMap<(i64, i64), Message>, QueryError> {
    let mut by_room = BTreeMap::<i64, Vec<i64>>::new();
    for one in found {
        by_room.entry(one.room_id).or_default().push(one.thread);
    }
    let mut firsts = HashMap::new();
    for (room_id, ids) in by_room {
        let Some(room) = rooms.get(&room_id) else {
            continue;
        };
        let rows = messages::list_numbered(conn, room_id, ids.clone())?;
        let opened = pages::open(conn, vault, reader, room, (rows, false))?;
        let key = |message: &Message| (room_id, i64::try_from(message.id).unwrap_or(i64::MAX));
        firsts.extend(opened.into_iter().map(|message| (key(&message), message)));
    }
    Ok(firsts)
}

fn thread(message: Message, followed: &Followed) -> Thread {
    Thread {
        message,
        last_at: db::utc(followed.last_at.get()),
        read_seq: followed.read_seq.unsigned_abs(),
        unread: followed.unread.messages.unsigned_abs(),
        mentions: followed.unread.mentions.unsigned_abs(),
    }
}

fn place_of(followed: &Followed) -> String {
    let micros = followed.last_at.get().and_utc().timestamp_micros();
    format!("{micros} {} {}", followed.room_id, followed.thread)
}

/// Where to go on; without a place, at the beginning.
fn read_place(place: Option<&str>) -> Place {
    let numbers: Vec<i64> = place
        .unwrap_or_default()
        .split(' ')
        .filter_map(|number| number.parse().ok())
        .collect();
    let (micros, room_id, thread) = match numbers[..] {
        [micros, room_id, thread] => (micros, room_id, thread),
        _ => (END_OF_TIME, i64::MAX, i64::MAX),
    };
    let at = chrono::DateTime::from_timestamp_micros(micros).unwrap_or_default();
    (at.naive_utc(), room_id, thread)
}
