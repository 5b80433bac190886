//! What people have begun to write: one text for each room and thread, the same on all of a person's devices.

use std::sync::Arc;

use super::{
    Caller,
    access::{Access, Which},
    lanes::Lanes,
    rates::Rates,
    rooms::{self, RoomView},
    threads, unreadable,
};
use crate::{
    crypto::{binding::Place, vault::Vault},
    db::{self, drafts},
    error::{Error, Result},
    gate::Urgency,
    hub::{Hub, frame},
    protocol::{
        body,
        event::{Event, RoomNews},
        kept::Draft,
        names,
        room::{RoomChanged, RoomField},
        time::now,
    },
};

/// Keeps drafts.
pub struct Drafts {
    /// Who may read what.
    pub access: Arc<Access>,
    /// Seals and opens them.
    pub vault: Arc<Vault>,
    /// Tells the other devices.
    pub hub: Hub,
    /// How often one may ask.
    pub rates: Rates,
    /// Most bytes of a text.
    pub content_bytes: usize,
    /// One change of a person after the other, from the moment it is stored until it is told.
    pub lanes: Arc<Lanes>,
}

impl Drafts {
    /// What the caller has begun to write in a room, or in a thread of it.
    ///
    /// # Errors
    /// 401 when the login has ended, 403, 404, 429, 503.
    pub async fn find(&self, caller: &Caller, room: &str, thread: Option<u64>) -> Result<Draft> {
        self.rates.check_read(caller.user_id)?;
        rooms::check_name(room)?;
        let (user_id, vault, number) = (caller.user_id, Arc::clone(&self.vault), number(thread)?);
        let read = move |conn: &mut _, view: &RoomView| {
            let room_id = view.room.id;
            let found = drafts::find(conn, (user_id, room_id, number))?;
            let place = Place::of_draft(user_id, room_id, number);
            let opened = found.map(|(sealed, at)| {
                let opened = vault.open_at(place, sealed.as_str());
                opened.map(|content| (content, db::utc(at.get())))
            });
            let is_unreadable = matches!(opened, Some(Err(_)));
            if is_unreadable {
                let key = &view.room.key;
                unreadable::tell(format!("a draft of user {user_id} in room {key}"));
            }
            Ok((opened.and_then(Result::ok), is_unreadable))
        };
        let which = Which::Named(room.to_owned());
        let found = self.access.in_room(caller, which, Urgency::CanWait, read);
        let (opened, unreadable) = found.await?;
        let (content, updated_at) = opened.unzip();
        Ok(Draft {
            thread,
            content: content.unwrap_or_default(),
            unreadable,
            updated_at,
        })
    }

    /// Keeps what the caller has begun to write, and tells the caller's sockets. What shows nothing is no draft.
    ///
    /// # Errors
    /// 401 when the login has ended, 403, 404, 422, 429, 503.
    pub async fn put(
        &self,
        caller: &Caller,
        room: &str,
        thread: Option<u64>,
        content: String,
    ) -> Result<Draft> {
        self.rates.check_note(caller.user_id)?;
        rooms::check_name(room)?;
        let is_blank = names::is_blank(&content);
        let wrong = body::message_faults(&content, None, self.content_bytes);
        if !is_blank && !wrong.is_empty() {
            return Err(Error::invalid(wrong));
        }
        let content = if is_blank { String::new() } else { content };
        let (user_id, vault, number) = (caller.user_id, Arc::clone(&self.vault), number(thread)?);
        let text = content.clone();
        let keep = move |conn: &mut _, view: &RoomView| {
            let room_id = view.room.id;
            let (spot, at) = ((user_id, room_id, number), now());
            if text.is_empty() {
                let was_there = drafts::delete(conn, spot)?;
                return Ok(Some((room_id, view.room.key.clone(), at, was_there)));
            }
            if number > 0 && !threads::has_first(conn, room_id, number)? {
                return Ok(None);
            }
            let sealed = vault.seal_at(Place::of_draft(user_id, room_id, number), &text);
            drafts::put(conn, spot, &sealed, at)?;
            Ok(Some((room_id, view.room.key.clone(), at, true)))
        };
        let which = Which::Named(room.to_owned());
        let (access, hub, caller) = (Arc::clone(&self.access), self.hub.clone(), caller.clone());
        let lanes = Arc::clone(&self.lanes);
        let keeping = async move {
            let _one_after_the_other = lanes.turn(user_id).await?;
            let kept = access.keep_in_room(&caller, which, keep).await?;
            let (room_id, room, at, is_changed) = kept.ok_or_else(Error::no_such_message)?;
            let draft = Draft {
                thread,
                content,
                unreadable: false,
                updated_at: Some(at),
            };
            if is_changed {
                tell(&hub, user_id, (room_id, room), draft.clone());
            }
            Ok(draft)
        };
        super::to_the_end(keeping).await
    }
}

fn tell(hub: &Hub, user_id: i64, (room_id, room): (i64, String), draft: Draft) {
    let changed = RoomChanged {
        room,
        changed: vec![RoomField::Draft],
        draft: Some(draft),
        ..RoomChanged::default()
    };
    let news = Event::Room(RoomNews::Changed(changed));
    hub.tell_owner(user_id, room_id, frame::event(&news));
}

/// The number of a thread as it is stored; 0: the room itself.
fn number(thread: Option<u64>) -> Result<i64> {
    let number = thread.map(i64::try_from).transpose();
    number
        .map(Option::unwrap_or_default)
        .map_err(|_| Error::no_such_message())
}
