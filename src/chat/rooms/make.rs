//! Making rooms.

use std::time::Instant;

use super::{Rooms, key_of};
use crate::{
    chat::{Caller, people},
    db::rooms::new_id,
    error::{Error, Result},
    journal::{self, Change, Entry, Outcome},
    protocol::{
        limits::{Limits, MAX_FIRST_USERS},
        room::{self, NewDirect, RoomKind},
        room_names,
        views::FieldError,
    },
};

/// How often a number that was taken is replaced by another.
const TRIES: usize = 5;

/// A room that there is now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Made {
    /// Its key.
    pub room: String,
    /// Its latest change.
    pub seq: u64,
    /// Whether there was none before.
    pub is_new: bool,
}

impl Rooms {
    /// Makes a room, with its maker as its owner and the others as its members.
    ///
    /// # Errors
    /// 401, 404 when one of the others does not exist, 409 when the name is taken or someone is in too many rooms, 422, 429, 503.
    pub async fn make(&self, caller: &Caller, new: room::NewRoom) -> Result<Made> {
        let mut wrong = Vec::new();
        let mut fault = |field, msg: String| {
            wrong.push(FieldError::body(field, msg));
        };
        let name = room_names::read(&new.name);
        let topic = room_names::read_topic(&new.topic.unwrap_or_default());
        if let Err(msg) = &name {
            fault("name", msg.clone());
        }
        if let Err(msg) = &topic {
            fault("topic", msg.clone());
        }
        if new.kind == RoomKind::Direct {
            let msg = "A room is made public or private; direct ones are made at /api/direct.";
            fault("kind", msg.into());
        }
        if new.users.len() > MAX_FIRST_USERS {
            let msg = format!(
                "At most {MAX_FIRST_USERS} users can be brought in at once; invite the others afterwards."
            );
            fault("users", msg);
        }
        let (Ok(name), Ok(topic), true) = (name, topic, wrong.is_empty()) else {
            return Err(Error::invalid(wrong));
        };
        self.rates.check_message(caller.user_id)?;
        let mut users = people::find(&self.access, caller, new.users).await?;
        users.remove(&caller.user_id);
        let new = journal::NewRoom {
            kind: new.kind,
            name: Some(name),
            topic: Some(topic).filter(|topic| !topic.is_empty()),
            users: users.into_iter().collect(),
            most_an_hour: self.rates.most_rooms_an_hour(),
        };
        self.begin_room(caller, new).await
    }

    /// The one direct room of the caller and these people. No one: notes to oneself.
    ///
    /// # Errors
    /// 401, 404 when one of them does not exist, 409 when someone is in too many rooms, 422, 429, 503.
    pub async fn open_direct(&self, caller: &Caller, new: NewDirect) -> Result<Made> {
        let most = Limits::DEFAULT.people_per_direct as usize;
        if new.users.len() >= most {
            let msg = format!("A direct room has at most {most} people, you included.");
            return Err(Error::invalid_field("users", msg));
        }
        self.rates.check_message(caller.user_id)?;
        let mut users = people::find(&self.access, caller, new.users).await?;
        users.remove(&caller.user_id);
        let new = journal::NewRoom {
            kind: RoomKind::Direct,
            name: None,
            topic: None,
            users: users.into_iter().collect(),
            most_an_hour: self.rates.most_rooms_an_hour(),
        };
        self.begin_room(caller, new).await
    }

    async fn begin_room(&self, caller: &Caller, new: journal::NewRoom) -> Result<Made> {
        for _ in 0..TRIES {
            let (room, since) = (new_id(), Instant::now());
            let pending = self.journal.append(Entry {
                room,
                actor: caller.actor(),
                change: Change::Begin(new.clone()),
            })?;
            let (room, seq, is_new) = match journal::receipt(pending, since).await? {
                Outcome::Exists { room: taken, .. } if taken == room => continue,
                Outcome::Exists { room, seq } => (room, seq, false),
                Outcome::Applied { seq, .. } => (room, seq, true),
                Outcome::Unchanged { .. } | Outcome::Repeat { .. } => {
                    return Err(Error::internal("a room that was neither made nor found"));
                }
            };
            return Ok(Made {
                room: key_of(room),
                seq,
                is_new,
            });
        }
        Err(Error::store_unavailable())
    }
}
