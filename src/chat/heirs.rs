//! Rooms that were inherited where no one could say so: `parlour users` has taken their last owner away, which has neither the
//! keys to write in a room's log nor the sockets of those who are to hear of it. The server does both when it notices.

use std::{
    sync::atomic::{AtomicBool, Ordering},
    time::Instant,
};

use crate::{
    db::{Db, members},
    error::{Error, Kind, Result},
    journal::{Actor, Change, Entry, Journal, NO_LOGIN, receipt},
};

/// Says in rooms that they were inherited.
pub struct Heirs {
    /// Where it is noted.
    pub db: Db,
    /// Where it is said.
    pub journal: Journal,
    /// There may be one of which that was not looked up yet.
    pub may_have: AtomicBool,
}

impl Heirs {
    /// There may be a room now that was inherited and has not said so.
    pub fn notice(&self) {
        self.may_have.store(true, Ordering::Relaxed);
    }

    /// Whether there may be one, which is then looked up.
    pub fn take_notice(&self) -> bool {
        self.may_have.swap(false, Ordering::Relaxed)
    }

    /// Has every room say so that was inherited and has not said so. One that cannot keeps no other from it; one that never
    /// will is asked once.
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
            match said {
                Err(error) if is_for_good(&error) => {
                    log::warn!(
                        "room {room} cannot say that user {user_id} has inherited it: {}",
                        error.code
                    );
                    let forget = move |conn: &mut _| members::take_untold_heir(conn, room, user_id);
                    all = all.and(self.db.write(forget).await.map(drop));
                }
                said => all = all.and(said),
            }
        }
        all
    }
}

/// Whether the answer will be the same whenever that is tried.
fn is_for_good(error: &Error) -> bool {
    !matches!(
        error.kind,
        Kind::Unavailable | Kind::Internal | Kind::TooMany
    )
}
