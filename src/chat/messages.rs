//! Single messages, as one who may read them sees them.

use std::sync::Arc;

use super::{
    Caller,
    access::{Access, Which},
    announce,
    commands::{Became, Done},
    pages,
    rooms::{self, RoomView},
};
use crate::{
    crypto::vault::Vault,
    db::messages,
    error::{Error, Result},
    gate::Urgency,
    protocol::message::Message,
};

/// Shows messages.
pub struct Messages {
    /// Who may read what.
    pub access: Arc<Access>,
    /// Opens them.
    pub vault: Arc<Vault>,
}

impl Messages {
    /// The message that a command has written or changed, as the caller sees it.
    ///
    /// # Errors
    /// When it has to be read: 401 when the login has ended, 403, 404, 503.
    pub async fn show(&self, caller: &Caller, done: Done) -> Result<Message> {
        match done.result {
            Became::Posted {
                content,
                client_id,
                reply_to,
            } => Ok(Message {
                id: done.id,
                seq: done.seq,
                room: rooms::key_of(done.room_id),
                user_id: caller.user_id,
                username: caller.username.clone(),
                content,
                created_at: done.at,
                client_id,
                reply_to,
                ..Message::default()
            }),
            Became::Message(now) => {
                let (room_id, reader) = (done.room_id, caller.user_id);
                Ok(announce::message_for(&self.vault, room_id, &now, reader))
            }
            Became::ChangedSince => self.read(caller, Which::Id(done.room_id), done.id).await,
            Became::Room => Err(Error::internal("no message was changed")),
        }
    }

    async fn read(&self, caller: &Caller, which: Which, id: u64) -> Result<Message> {
        let (reader, vault) = (caller.user_id, Arc::clone(&self.vault));
        let id = i64::try_from(id).unwrap_or(i64::MAX);
        let find = move |conn: &mut _, view: &RoomView| {
            let row = messages::find(conn, view.room.id, id)?;
            let rows = row.into_iter().collect();
            pages::open(conn, &vault, reader, &view.room, rows)
        };
        let found = self.access.in_room(caller, which, Urgency::CanWait, find);
        let found = found.await?.into_iter().next();
        found.ok_or_else(Error::no_such_message)
    }
}
