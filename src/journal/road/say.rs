//! What a room says by itself: messages of kind `system`.

use super::{
    Stored, check_numbers,
    pass::{Fail, Pass},
};
use crate::{
    crypto::binding::{Place, Purpose},
    db::{
        AnyConnection,
        log::posts::{self, NewMessage},
    },
    error::Error,
    journal::entry::{Actor, Membership, SystemText, Told},
    protocol::room::RoomEvent,
};

impl Pass<'_> {
    /// Stores a message of kind `system`, which is all of a change.
    pub(super) fn said(
        &mut self,
        conn: &mut AnyConnection,
        room_id: i64,
        actor: &Actor,
        said: (String, RoomEvent),
        member: Option<(i64, Membership)>,
    ) -> Result<Stored, Fail> {
        let members = member.into_iter().collect();
        let (id, told) = self.say(conn, room_id, actor, said, members)?;
        Ok(Stored::Changed {
            id,
            told: vec![(id, id, told)],
        })
    }

    /// Stores a message of kind `system`: its number, and what is told of it.
    pub(super) fn say(
        &mut self,
        conn: &mut AnyConnection,
        room_id: i64,
        actor: &Actor,
        (text, event): (String, RoomEvent),
        members: Vec<(i64, Membership)>,
    ) -> Result<(i64, Told), Fail> {
        let said = SystemText {
            text: text.clone(),
            event: event.clone(),
        };
        let json = serde_json::to_string(&said).map_err(Error::internal)?;
        let sealed = self.vault.seal(&json);
        let (vault, at) = (self.vault, self.at.stored.naive_utc());
        let room = self.room(room_id)?;
        check_numbers(room)?;
        let (previous, id) = (room.last_id.min(room.last_seq), room.last_seq + 1);
        (room.last_seq, room.last_id) = (id, id);
        let place = Place {
            room_id,
            id,
            author: actor.user_id,
            purpose: Purpose::System,
        };
        let row = NewMessage {
            room_id,
            id,
            seq: id,
            user_id: actor.user_id,
            session_id: actor.session_id,
            client_id: None,
            mac: vault.bind(place, &sealed),
            content: &sealed,
            created_at: at,
            previous,
            kind: "system",
            reply_to: None,
            username: &actor.username,
            thread: None,
            thread_only: false,
            mentions: None,
            candidates: &[],
            later: None,
        };
        posts::insert_one(conn, &row).map_err(Fail::Database)?;
        Ok((
            id,
            Told::System {
                text,
                event,
                author: actor.clone(),
                members,
            },
        ))
    }
}
