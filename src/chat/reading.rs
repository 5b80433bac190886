//! How far people have read rooms and threads, who sees that, and what they want to be told.

use std::{sync::Arc, time::Instant};

use super::{
    Caller,
    access::{Access, Which},
    rates::Rates,
    rooms,
};
use crate::{
    db::reading,
    error::{Code, Error, Kind, Result},
    gate::Urgency,
    journal::{self, Journal, Mark, Set, Setting, Settled},
    protocol::reading::{MOST_WHO_SHOW, MarkRead, Marker, Receipt, SetNotify},
};

/// Keeps how far people have read.
pub struct Reading {
    /// Who may read what.
    pub access: Arc<Access>,
    /// Where it becomes durable.
    pub journal: Journal,
    /// How often one may.
    pub rates: Rates,
}

impl Reading {
    /// Sets how far the caller has read a room or a thread. When this comes back it is on the disk, and the caller's devices
    /// were told.
    ///
    /// # Errors
    /// 401 when the login has ended, 403, 404, 422 for a number that the room has not come to, 429, 503.
    pub async fn mark(&self, caller: &Caller, room: &str, mark: MarkRead) -> Result<Marker> {
        let number = |number: u64| i64::try_from(number).unwrap_or(i64::MAX);
        let what = Set::Read(Mark {
            thread: mark.thread.map(number),
            seq: number(mark.seq),
            is_back: mark.unread,
        });
        let (room_id, settled) = self.set(caller, room, what).await?;
        let Settled::Read { seq, counts } = settled else {
            return Err(Error::internal("a marker was not kept as one"));
        };
        Ok(Marker {
            room: rooms::key_of(room_id),
            user_id: caller.user_id,
            seq,
            thread: mark.thread,
            counts,
        })
    }

    /// Sets what the caller wants to be told of a room.
    ///
    /// # Errors
    /// As [`Self::mark`].
    pub async fn set_notify(&self, caller: &Caller, room: &str, set: SetNotify) -> Result<()> {
        let kept = self.set(caller, room, Set::Notify(set.level)).await;
        kept.map(|_| ())
    }

    /// How far the members of a room have read who show it; for who shows it. (Everyone else is told of themselves.) Of the
    /// others it never goes back, and while they are invisible it stays where it was.
    ///
    /// # Errors
    /// 401 when the login has ended, 403, 404, 409 for a room with too many members, 429, 503.
    pub async fn list_reads(&self, caller: &Caller, room: &str) -> Result<Vec<Receipt>> {
        self.rates.check_read(caller.user_id)?;
        rooms::check_name(room)?;
        let read = |conn: &mut _, view: &rooms::RoomView| reading::list_readers(conn, view.room.id);
        let which = Which::Named(room.to_owned());
        let found = self.access.in_room(caller, which, Urgency::CanWait, read);
        let readers = found.await?.ok_or_else(|| {
            let detail =
                format!("Who has read how far is shown in rooms of up to {MOST_WHO_SHOW} members.");
            Error::conflict(Code::TooManyMembers, detail)
        })?;
        let is_own = |reader: &reading::Reader| reader.user_id == caller.user_id;
        let shows = (readers.iter()).any(|reader| is_own(reader) && reader.shows);
        let seen = readers.iter();
        let seen = seen.filter(|reader| is_own(reader) || shows && reader.shows);
        let seen = seen.map(|reader| Receipt {
            user_id: reader.user_id,
            seq: if is_own(reader) {
                reader.read_seq.unsigned_abs()
            } else {
                reader.shown_seq.unsigned_abs()
            },
        });
        Ok(seen.collect())
    }

    async fn set(&self, caller: &Caller, room: &str, what: Set) -> Result<(i64, Settled)> {
        self.rates.check_read(caller.user_id)?;
        rooms::check_name(room)?;
        let room_id = match rooms::id_of(room) {
            Ok(room_id) => room_id,
            Err(_) => self.find(caller, room).await?,
        };
        let since = Instant::now();
        let pending = self.journal.set(Setting {
            room: room_id,
            actor: caller.actor(),
            what,
        })?;
        match journal::receipt(pending, since).await {
            Ok(settled) => Ok((room_id, settled)),
            Err(error) if error.kind == Kind::NotFound && error.code == Code::RoomNotFound => {
                // Why that is, the road does not say.
                self.find(caller, &rooms::key_of(room_id)).await?;
                // The caller has come into it just now.
                Err(Error::store_unavailable())
            }
            Err(error) => Err(error),
        }
    }

    async fn find(&self, caller: &Caller, room: &str) -> Result<i64> {
        let find = |_: &mut _, view: &rooms::RoomView| Ok(view.room.id);
        let which = Which::Named(room.to_owned());
        let found = self.access.in_room(caller, which, Urgency::CanWait, find);
        found.await
    }
}
