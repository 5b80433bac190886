//! What the hub is told and asked of people: what they have chosen to be, whether their devices are in use, that they write.

use std::{collections::BTreeSet, time::Instant};

use actix::{Context, Handler, Message, MessageResult};
use bytes::Bytes;

use super::{Hub, Registration, registry::SocketId, server::ChatServer};
use crate::{
    error::{Error, Result},
    protocol::people::{Seen, Status},
};

/// Something about people.
#[derive(Debug)]
pub enum PeopleNews {
    /// What all have chosen, as it was stored.
    Statuses(Vec<(i64, String, Status)>),
    /// What one has chosen now, who is in these rooms.
    Status {
        /// Who.
        user_id: i64,
        /// Who, by name.
        username: String,
        /// What; `None`: nothing any more.
        status: Option<Status>,
        /// The rooms in which it is told.
        rooms: BTreeSet<i64>,
    },
    /// Whether the device of a socket is not in use.
    Idle(SocketId, bool),
    /// A socket wants to know who is here.
    Ask(SocketId),
    /// What someone says of themselves is another now.
    Profile {
        /// Who.
        user_id: i64,
        /// The rooms in which it is told.
        rooms: Vec<i64>,
        /// By this frame.
        frame: Bytes,
    },
    /// Somebody is writing in a room.
    Typing {
        /// The room.
        room_id: i64,
        /// Who.
        user_id: i64,
        /// Who has hidden the room, and is not told.
        hiding: Vec<i64>,
        /// The frame.
        frame: Bytes,
    },
    /// Whether `general` is small enough to count as a room that people share.
    GeneralCounts(bool),
    /// Somebody has opened a direct room that another has begun.
    Opened {
        /// Who.
        user_id: i64,
        /// The room.
        room_id: i64,
    },
}

#[derive(Message)]
#[rtype(result = "()")]
struct Tell(PeopleNews);

impl Handler<Tell> for ChatServer {
    type Result = ();

    fn handle(&mut self, Tell(news): Tell, ctx: &mut Context<Self>) {
        let (now, registry) = (Instant::now(), &mut self.registry);
        let had_plan = registry.tell_at().is_some();
        match news {
            PeopleNews::Statuses(all) => registry.load_statuses(all),
            PeopleNews::Status {
                user_id,
                username,
                status,
                rooms,
            } => registry.set_status((user_id, &username), status, rooms, now),
            PeopleNews::Idle(id, is_idle) => registry.set_idle(id, is_idle, now),
            PeopleNews::Ask(id) => registry.ask_presence(id, now),
            PeopleNews::Profile {
                user_id,
                rooms,
                frame,
            } => registry.tell_profile(user_id, &rooms, frame, now),
            PeopleNews::Typing {
                room_id,
                user_id,
                hiding,
                frame,
            } => registry.tell_typing(room_id, user_id, &hiding, &frame),
            PeopleNews::Opened { user_id, room_id } => registry.open(user_id, room_id, now),
            PeopleNews::GeneralCounts(counts) => registry.set_general_counts(counts, now),
        }
        self.finish(ctx, had_plan);
    }
}

#[derive(Message)]
#[rtype(result = "Vec<(Seen, Option<Status>)>")]
struct LookAt(Vec<i64>);

impl Handler<LookAt> for ChatServer {
    type Result = MessageResult<LookAt>;

    fn handle(&mut self, LookAt(users): LookAt, _: &mut Context<Self>) -> Self::Result {
        MessageResult(self.registry.look_at(&users))
    }
}

impl Hub {
    /// Tells the hub something about people.
    pub fn note(&self, news: PeopleNews) {
        self.server.do_send(Tell(news));
    }

    /// How these users see themselves at this moment, and what they have chosen; in their order.
    ///
    /// # Errors
    /// 500 when the hub is gone.
    pub async fn look_at(&self, users: Vec<i64>) -> Result<Vec<(Seen, Option<Status>)>> {
        self.server
            .send(LookAt(users))
            .await
            .map_err(Error::internal)
    }
}

impl Registration {
    /// Notes whether the device is not in use.
    pub fn set_idle(&self, is_idle: bool) {
        self.server
            .do_send(Tell(PeopleNews::Idle(self.id, is_idle)));
    }

    /// Has the socket told who is here.
    pub fn ask_presence(&self) {
        self.server.do_send(Tell(PeopleNews::Ask(self.id)));
    }
}
