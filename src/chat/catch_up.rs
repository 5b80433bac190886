//! What a socket has missed in a room: the changes after a number, as frames.

use std::sync::Arc;

use bytes::Bytes;

use super::{
    Caller, feed,
    pages::{self, Pages},
    rooms::Room,
};
use crate::{
    db::messages::{self, Cursor, PageRequest},
    error::Result,
    gate::Urgency,
    hub::frame,
    protocol::{event::Event, limits::MAX_PAGE},
};

/// Most bytes of frames that one `sync` sends at once for a room.
const CATCH_UP_BYTES: usize = 192 * 1024;

impl Pages {
    /// What changed in a room after `since`, as frames: as much as one answer holds.
    ///
    /// # Errors
    /// 401 when the login has ended, 404, 503.
    pub async fn changes_since(
        &self,
        caller: &Caller,
        room: &Room,
        since: u64,
    ) -> Result<feed::Page<Bytes>> {
        let (user_id, vault) = (caller.user_id, Arc::clone(&self.vault));
        let stretch = PageRequest {
            cursor: Cursor::Since(i64::try_from(since).unwrap_or(i64::MAX)),
            limit: MAX_PAGE,
            bytes: CATCH_UP_BYTES,
        };
        let query = move |conn: &mut _, room: &Room| {
            // The room's number was read first: every change up to it is seen by this query.
            let (rows, is_cut) = messages::list_within(conn, room.id, stretch)?;
            let found = pages::view(conn, &vault, user_id, room, stretch, (rows, is_cut))?;
            Ok((room.last_seq, found))
        };
        let (last_seq, found) = self
            .access
            .in_room(caller, &room.key, Urgency::Urgent, query)
            .await?;
        let (mut changes, mut bytes, count) = (Vec::new(), 0, found.messages.len());
        for message in found.messages {
            let seq = message.seq;
            let frame = frame::event(&Event::Message(message));
            bytes += frame.len();
            if bytes > CATCH_UP_BYTES && !changes.is_empty() {
                break;
            }
            changes.push((seq, frame));
        }
        let complete = changes.len() == count && !found.is_full;
        Ok(feed::Page {
            since,
            changes,
            last_seq: last_seq.unsigned_abs(),
            complete,
        })
    }
}
