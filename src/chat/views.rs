//! Telling the sockets of a user that they have hidden a direct room, or see it again: that takes no number, so nothing in it
//! says which of two such frames is the later one. Whatever was done, and by whichever way, the database is asked afterwards
//! what is so, and one after the other: the last that is told is what is so.

use std::time::Duration;

use tokio::sync::mpsc;

use super::rooms::hidden_frame;
use crate::{
    db::{Db, log::hidden},
    hub::{Hub, people::PeopleNews},
    journal::{RoomId, UserId},
};

/// How soon the database is asked again when it did not answer.
const ASK_AGAIN: Duration = Duration::from_secs(1);

/// Has it told.
#[derive(Debug, Clone)]
pub struct Views(mpsc::UnboundedSender<(RoomId, UserId)>);

impl Views {
    /// Begins. Must run inside a runtime; ends with it, or when no one is left who could have something told.
    #[must_use]
    pub fn start(db: Db, hub: Hub) -> Self {
        let (sender, mut changed) = mpsc::unbounded_channel();
        tokio::spawn(async move {
            while let Some((room_id, user_id)) = changed.recv().await {
                tell(&db, &hub, room_id, user_id).await;
            }
        });
        Self(sender)
    }

    /// A user has hidden a room, or sees it again: that is in the database now, if it ever will be.
    pub fn tell(&self, room_id: RoomId, user_id: UserId) {
        if self.0.send((room_id, user_id)).is_err() {
            log::error!("no one tells of views any more");
        }
    }
}

async fn tell(db: &Db, hub: &Hub, room_id: RoomId, user_id: UserId) {
    loop {
        let find = move |conn: &mut _| hidden::find_hidden(conn, room_id, user_id);
        match db.read(find).await {
            Ok(Some((hidden, newest))) => {
                let frame = hidden_frame(room_id, newest.unsigned_abs(), hidden);
                hub.tell_view(user_id, room_id, frame);
                if !hidden {
                    hub.note(PeopleNews::Opened { user_id, room_id });
                }
                return;
            }
            Ok(None) => return,
            Err(error) => {
                log::debug!("cannot ask who has hidden what: {}", error.code);
                tokio::time::sleep(ASK_AGAIN).await;
            }
        }
    }
}
