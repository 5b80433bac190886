//! Who is writing at the moment. Nothing of it is kept: it is told to those who are connected, and forgotten.

use std::sync::Arc;

use super::{
    Caller,
    access::{Access, Which},
    rates::Rates,
    rooms::{self, RoomView, key_of},
    threads,
};
use crate::{
    db::{self, log::hidden, members},
    error::{Error, Result},
    gate::Urgency,
    hub::{Hub, frame, people::PeopleNews},
    protocol::{
        event::Event,
        limits::MOST_TO_SEE_TYPING,
        people::{Typing as Said, TypingNews},
        room::RoomKind,
        time::now,
    },
    rights::{self, Right, RoomFacts, Standing},
};

/// Tells who is writing.
pub struct Typing {
    /// Who may write where.
    pub access: Arc<Access>,
    /// Tells it.
    pub hub: Hub,
    /// How often one may say so.
    pub rates: Rates,
}

impl Typing {
    /// Tells the others in a room that the caller is writing, who could write there. In a room of many no one is told.
    ///
    /// # Errors
    /// 401 when the login has ended, 403, 404, 409 as for a message; 429, 503.
    pub async fn tell(&self, caller: &Caller, said: Said) -> Result<()> {
        self.rates.check_typing(caller.user_id)?;
        rooms::check_name(&said.room)?;
        let look = move |conn: &mut _, view: &RoomView| {
            if let Err(denied) = allows(view) {
                return Ok(Err(Error::from(denied)));
            }
            if let Some(thread) = said.thread {
                let id = i64::try_from(thread).unwrap_or(i64::MAX);
                if !threads::has_first(conn, view.room.id, id)? {
                    return Ok(Err(Error::no_such_message()));
                }
            }
            let count = members::count_up_to(conn, view.room.id, MOST_TO_SEE_TYPING + 1)?;
            // What is hidden makes no sound before something is written.
            let hiding = match rooms::kind(view) {
                RoomKind::Direct => hidden::list_hiding(conn, view.room.id)?,
                RoomKind::Public | RoomKind::Private => Vec::new(),
            };
            let is_small = count <= MOST_TO_SEE_TYPING;
            Ok(Ok((view.room.id, is_small, hiding)))
        };
        let which = Which::Named(said.room);
        let found = self.access.in_room(caller, which, Urgency::CanWait, look);
        let (room_id, is_small, hiding) = found.await??;
        if is_small {
            let news = TypingNews {
                room: key_of(room_id),
                user_id: caller.user_id,
                username: caller.username.clone(),
                thread: said.thread,
            };
            self.hub.note(PeopleNews::Typing {
                room_id,
                user_id: caller.user_id,
                hiding,
                frame: frame::event(&Event::Typing(news)),
            });
        }
        Ok(())
    }
}

/// Whether a message would be taken.
fn allows(view: &RoomView) -> Result<(), rights::Denied> {
    let Some((role, muted_until)) = &view.membership else {
        return Err(rights::Denied::Absent);
    };
    let muted_until = muted_until.map(|at| db::utc(at.get()));
    let standing = Standing::Member {
        role: role.as_str().parse().unwrap_or_default(),
        is_muted: muted_until.is_some_and(|until| until > now()),
    };
    let facts = RoomFacts {
        kind: rooms::kind(view),
        is_archived: view.archived_at.is_some(),
        is_general: view.room.id == db::rooms::GENERAL_ID,
    };
    rights::allows(standing, Right::Post, facts)
}
