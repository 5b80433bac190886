//! Rooms that were inherited where no one could say so: `parlour users` has taken their last owner away, which has neither the
//! keys to write in a room's log nor the sockets of those who are to hear of it. The server does both when it notices.

use std::time::Instant;

use crate::{
    db::{Db, members},
    error::Result,
    journal::{Actor, Change, Entry, Journal, NO_LOGIN, receipt},
};

/// Says in rooms that they were inherited.
pub struct Heirs {
    /// Where it is noted.
    pub db: Db,
    /// Where it is said.
    pub journal: Journal,
}

impl Heirs {
    /// Has every room say so that was inherited and has not said so. One that cannot keeps no other from it.
    ///
    /// # Errors
    /// 503: what was not said is noted still.
    pub async fn tell(&self) -> Result<()> {
        let mut all = Ok(());
        for (room, user_id, username) in self.db.read(members::list_untold_heirs).await? {
            let entry = Entry {
                room,
                actor: Actor {
                    user_id,
                    username,
                    session_id: NO_LOGIN,
                },
                change: Change::Inherit,
            };
            let said = match self.journal.append(entry) {
                Ok(pending) => receipt(pending, Instant::now()).await.map(drop),
                Err(error) => Err(error),
            };
            all = all.and(said);
        }
        all
    }
}
