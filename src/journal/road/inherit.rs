//! A room that has lost its last owner says who has inherited it.

use super::{
    Stored,
    membership::find_name,
    pass::{Fail, Pass},
};
use crate::{
    db::{AnyConnection, members::take_untold_heir},
    journal::entry::{Actor, NO_LOGIN},
    protocol::room::{Role, RoomEvent},
};

impl Pass<'_> {
    /// Says that someone has inherited the room, where whoever saw to it could not.
    pub(super) fn inherit(
        &mut self,
        conn: &mut AnyConnection,
        room_id: i64,
        actor: &Actor,
    ) -> Result<Stored, Fail> {
        let is_untold = take_untold_heir(conn, room_id, actor.user_id).map_err(Fail::Database)?;
        let member = self.member(conn, room_id, actor.user_id)?;
        if is_untold && member.is_some_and(|member| member.role == Role::Owner) {
            return self.say_heir(conn, room_id, actor.user_id);
        }
        let seq = self.room(room_id)?.last_seq;
        Ok(Stored::Unchanged { seq })
    }

    /// Says that someone has inherited the room. No one has done it, so the heir stands for it.
    pub(super) fn say_heir(
        &mut self,
        conn: &mut AnyConnection,
        room_id: i64,
        user_id: i64,
    ) -> Result<Stored, Fail> {
        let heir = Actor {
            user_id,
            username: find_name(conn, user_id)?,
            session_id: NO_LOGIN,
        };
        let text = format!("{} is an owner of the room now", heir.username);
        let role = Role::Owner;
        let said = (text, RoomEvent::Role { user_id, role });
        self.said(conn, room_id, &heir, said, None)
    }
}
