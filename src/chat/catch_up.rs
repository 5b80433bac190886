//! What a socket has missed in a room: the changes after a number, as frames.

use std::{slice, sync::Arc};

use bytes::Bytes;

use super::{
    Caller,
    access::Which,
    feed,
    pages::{self, Pages},
    rooms::{self, RoomView},
};
use crate::{
    db::{
        AnyConnection, QueryError,
        messages::{self, Cursor, Only, PageRequest},
        reading::{self, Stretch},
    },
    error::Result,
    gate::Urgency,
    hub::frame,
    protocol::{
        event::{Event, MessageChanged, RoomState},
        limits::MAX_PAGE,
        message::{Kind, Message},
        room::RoomChanged,
    },
};

/// Most bytes of frames that one `sync` sends at once, in all rooms together.
pub const CATCH_UP_BYTES: usize = 192 * 1024;

/// A change of a room, ready for the socket.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Change {
    /// The frame.
    pub frame: Bytes,
    /// Whether it is a message that somebody has written just now.
    pub is_post: bool,
}

/// What a socket has missed in a room.
#[derive(Debug)]
pub struct Missed {
    /// The changes.
    pub page: feed::Page<Change>,
    /// The room at the time of reading.
    pub state: RoomState,
    /// Whether the caller's view of it has perhaps changed since.
    pub has_changed: bool,
}

impl Pages {
    /// What changed in a room after `since`, as frames: as much as fits into so many bytes, at least one change. With the view
    /// of the room goes what is unread up to there, if the client is to be told of it for the first time.
    ///
    /// # Errors
    /// 401 when the login has ended, 404, 503.
    pub async fn changes_since(
        &self,
        caller: &Caller,
        room_id: i64,
        (since, is_new): (u64, bool),
        most_bytes: usize,
    ) -> Result<Missed> {
        let (user_id, vault) = (caller.user_id, Arc::clone(&self.vault));
        let stretch = PageRequest {
            cursor: Cursor::Since(i64::try_from(since).unwrap_or(i64::MAX)),
            // Where nothing fits any more it is only seen whether there is something.
            limit: if most_bytes == 0 { 1 } else { MAX_PAGE },
            bytes: most_bytes,
            only: Only::All,
        };
        let query = move |conn: &mut _, view: &RoomView| {
            let room = &view.room;
            // The room's number was read first: every change up to it is seen by this query.
            let (rows, is_cut) = messages::list_within(conn, room.id, stretch)?;
            let found = pages::view(conn, &vault, user_id, room, stretch, (rows, is_cut))?;
            let state = rooms::state(&vault, view);
            let state = if is_new {
                unread_upto(conn, state, (room.id, user_id, since))?
            } else {
                state
            };
            // Who is in a direct room is told to whoever comes into it.
            let mut people = rooms::people_of(conn, slice::from_ref(view))?;
            let users = people.remove(&room.id).unwrap_or_default();
            Ok((room.last_seq, RoomState { users, ..state }, found))
        };
        let (last_seq, state, found) = self
            .access
            .in_room(caller, Which::Id(room_id), Urgency::Urgent, query)
            .await?;
        let (mut changes, mut bytes, count) = (Vec::new(), 0, found.messages.len());
        let changes_view = |message: &Message| {
            let place = (message.room.as_str(), message.seq, message.created_at);
            let event = message.event.as_ref();
            event.is_some_and(|event| RoomChanged::by(event, place).is_some())
        };
        let has_changed = found.messages.iter().any(changes_view);
        for mut message in found.messages {
            let seq = message.seq;
            // A frame says the same to all.
            for reaction in &mut message.reactions {
                reaction.mine = None;
            }
            // What the client has seen before is a change to it, and all else is new.
            let is_new = message.id > since;
            let is_in_room = message.kind == Kind::Text && !message.is_in_thread_only();
            let frame = frame::event(&if is_new {
                Event::Message(message)
            } else {
                Event::MessageChanged(MessageChanged {
                    message,
                    by: None,
                    change: None,
                })
            });
            bytes += frame.len();
            if bytes > most_bytes && !changes.is_empty() {
                break;
            }
            let is_post = is_new && is_in_room;
            changes.push((seq, Change { frame, is_post }));
        }
        let page = feed::Page {
            since,
            complete: changes.len() == count && !found.is_full,
            changes,
            last_seq: last_seq.unsigned_abs(),
        };
        Ok(Missed {
            has_changed: has_changed || !page.complete,
            page,
            state,
        })
    }
}

/// A view of a room with what was unread in it up to a change: what follows that is sent, and counted by whoever hears it.
fn unread_upto(
    conn: &mut AnyConnection,
    state: RoomState,
    (room_id, user_id, upto): (i64, i64, u64),
) -> Result<RoomState, QueryError> {
    let news = reading::find_news(conn, room_id, user_id)?;
    let state = rooms::with_news(state, news.as_ref());
    let above = i64::try_from(state.read_seq).unwrap_or(i64::MAX);
    let upto = i64::try_from(upto).unwrap_or(i64::MAX);
    if above >= upto {
        return Ok(RoomState {
            unread: 0,
            mentions: 0,
            ..state
        });
    }
    let counted = reading::count(
        conn,
        Stretch {
            room_id,
            thread: None,
            user_id,
            above,
            upto,
        },
    )?;
    Ok(RoomState {
        unread: counted.messages.unsigned_abs(),
        mentions: counted.mentions.unsigned_abs(),
        ..state
    })
}
