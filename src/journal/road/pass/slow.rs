//! Rooms where members wait between two messages: who may write now, and who has just written.

use super::{Fail, Pass};
use crate::{
    db::{
        self, AnyConnection, QueryError,
        log::{
            members::{find_spoke_at, set_spoke_at},
            posts::DraftRow,
        },
    },
    error::Error,
    protocol::room::Role,
};

impl Pass<'_> {
    /// Lets someone call others in a room where one waits between two messages, as one more of them.
    pub(in crate::journal::road) fn wait_if_slow(
        &mut self,
        conn: &mut AnyConnection,
        room_id: i64,
        user_id: i64,
    ) -> Result<(), Fail> {
        if !self.is_slow(room_id) {
            return Ok(());
        }
        (self.learn_when_spoke(conn, room_id, user_id)).map_err(Fail::Database)?;
        let room = self.rooms.get(&room_id);
        let room = room.ok_or_else(Error::no_such_room)?;
        let role = (self.members.find(room, user_id)).map_or(Role::Member, |member| member.role);
        self.slow.check(room, user_id, role, self.at.clock)?;
        let at = self.at.clock.naive_utc();
        set_spoke_at(conn, room_id, user_id, at).map_err(Fail::Database)
    }

    pub(super) fn is_slow(&self, room_id: i64) -> bool {
        let room = self.rooms.get(&room_id);
        room.is_some_and(|room| room.slow_seconds > 0)
    }

    /// Looks up when those last wrote who have to wait between two messages, as far as that is not remembered.
    pub(super) fn learn_who_spoke(
        &self,
        conn: &mut AnyConnection,
        drafts: &[DraftRow<'_>],
    ) -> Result<(), QueryError> {
        for draft in drafts {
            self.learn_when_spoke(conn, draft.room_id, draft.user_id)?;
        }
        Ok(())
    }

    fn learn_when_spoke(
        &self,
        conn: &mut AnyConnection,
        room_id: i64,
        user_id: i64,
    ) -> Result<(), QueryError> {
        if self.is_slow(room_id)
            && !self.slow.knows(room_id, user_id)
            && let Some(at) = find_spoke_at(conn, room_id, user_id)?
        {
            let now = self.at.clock;
            self.slow.learn(room_id, user_id, db::utc(at.get()), now);
        }
        Ok(())
    }
}
