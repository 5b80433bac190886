//! Direct rooms that their members have hidden, or that someone else has begun with them.

use super::pass::Pass;
use crate::db::{AnyConnection, QueryError, log::hidden};

impl Pass<'_> {
    /// Whoever has written in a direct room that they had hidden, or that someone else has begun with them, sees it from now on.
    pub(super) fn show_to_author(
        &mut self,
        conn: &mut AnyConnection,
        room_id: i64,
        user_id: i64,
    ) -> Result<(), QueryError> {
        let Some(room) = self.rooms.get_mut(&room_id) else {
            return Ok(());
        };
        let member = self.members.find(room, user_id);
        if member.is_some_and(|member| member.has_hidden) {
            hidden::open(conn, room_id, user_id)?;
            // What is remembered of its members is looked up again.
            room.members_version += 1;
        }
        Ok(())
    }
}
