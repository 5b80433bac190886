//! The `ChatServer` actor: synchronous handlers over the registry, on a thread of its own. No database, no await.

use std::{
    collections::{BTreeSet, HashMap},
    time::{Duration, Instant},
};

use actix::{Actor, AsyncContext as _, Context, Handler, Message, MessageResult};
use bytes::Bytes;
use tokio::sync::oneshot;

use super::{
    Aside, Broadcast, Registration,
    office::{Address, Mailroom, Slot},
    places::{Place, Places},
    registry::{NewSocket, Registry, SocketId},
};
use crate::{
    config::SocketLimits,
    error::{Error, Result},
    protocol::time::now,
};

/// So that they do not all come back at the same moment.
const COME_BACK_WITHIN: Duration = Duration::from_secs(2);

/// How long it is gathered how far people have read, before others are told.
const GATHER_READERS: Duration = Duration::from_millis(500);
/// The pause between two parts of what people are told of each other.
const BETWEEN_PARTS: Duration = Duration::from_millis(2);

/// Knows every socket of this process.
pub struct ChatServer {
    pub(super) registry: Registry<Slot>,
    pub(super) mailroom: Mailroom,
    pub(super) places: Places,
    pub(super) sockets_per_user: usize,
    pub(super) draining: bool,
    /// Whether a timer will have people told of each other.
    tells_presence: bool,
}

impl ChatServer {
    pub fn new(limits: SocketLimits, sockets_per_user: usize) -> Self {
        Self {
            registry: Registry::new(limits),
            mailroom: Mailroom::default(),
            places: Places::default(),
            sockets_per_user,
            draining: false,
            tells_presence: false,
        }
    }

    /// Sends out what was decided, and has comings and goings told when their moment has come.
    pub(super) fn finish(&mut self, ctx: &mut Context<Self>, had_plan: bool) {
        self.mailroom.send_out();
        self.serve_places(&ctx.address());
        if let (false, Some(at)) = (had_plan, self.registry.tell_at()) {
            let wait = at.saturating_duration_since(Instant::now());
            ctx.run_later(wait, |server, ctx| {
                let is_all = server.registry.tell_comings();
                server.tell_more_comings(ctx, is_all);
            });
        }
        self.plan_presence(ctx);
    }

    /// Sends out a part of who came and went, and lets others have their turn before the next.
    fn tell_more_comings(&mut self, ctx: &mut Context<Self>, is_all: bool) {
        self.mailroom.send_out();
        if !is_all {
            ctx.run_later(BETWEEN_PARTS, |server, ctx| {
                let is_all = server.registry.tell_more_comings();
                server.tell_more_comings(ctx, is_all);
            });
        }
    }

    /// Has people told of each other when their moment has come.
    pub(super) fn plan_presence(&mut self, ctx: &mut Context<Self>) {
        if let (false, Some(at)) = (self.tells_presence, self.registry.presence_due()) {
            self.tells_presence = true;
            let wait = at.saturating_duration_since(Instant::now());
            ctx.run_later(wait, Self::tell_presence);
        }
    }

    /// Tells a part, and lets others have their turn before the next.
    fn tell_presence(&mut self, ctx: &mut Context<Self>) {
        let is_all = self.registry.tell_presence(Instant::now());
        self.mailroom.send_out();
        if is_all {
            self.tells_presence = false;
            self.plan_presence(ctx);
        } else {
            ctx.run_later(BETWEEN_PARTS, Self::tell_presence);
        }
    }
}

impl Actor for ChatServer {
    type Context = Context<Self>;

    fn started(&mut self, ctx: &mut Context<Self>) {
        ctx.run_interval(Duration::from_secs(1), |server, ctx| {
            let had_plan = server.registry.tell_at().is_some();
            server.registry.tick(Instant::now());
            server.registry.end_statuses(now(), Instant::now());
            server.finish(ctx, had_plan);
        });
    }
}

#[derive(Message)]
#[rtype(result = "Result<(Registration, Vec<String>)>")]
pub struct Connect {
    pub place: Place,
    pub newcomer: NewSocket,
    pub address: Address,
}

impl Handler<Connect> for ChatServer {
    type Result = Result<(Registration, Vec<String>)>;

    fn handle(
        &mut self,
        Connect {
            place,
            newcomer,
            address,
        }: Connect,
        ctx: &mut Context<Self>,
    ) -> Self::Result {
        if self.draining {
            return Err(Error::shutting_down());
        }
        place.take(&mut self.places);
        let (had_plan, user_id) = (self.registry.tell_at().is_some(), newcomer.user_id);
        let slot = self.mailroom.slot(address);
        let id = self.registry.connect(newcomer, slot, Instant::now());
        self.finish(ctx, had_plan);
        Ok((
            Registration {
                id,
                server: ctx.address(),
            },
            self.registry.names(user_id),
        ))
    }
}

#[derive(Message)]
#[rtype(result = "()")]
pub struct Disconnect(pub SocketId);

impl Handler<Disconnect> for ChatServer {
    type Result = ();

    fn handle(&mut self, Disconnect(id): Disconnect, ctx: &mut Context<Self>) {
        let had_plan = self.registry.tell_at().is_some();
        self.registry.disconnect(id, Instant::now());
        self.finish(ctx, had_plan);
    }
}

#[derive(Message)]
#[rtype(result = "()")]
pub struct SetRooms {
    pub id: SocketId,
    pub rooms: BTreeSet<i64>,
}

impl Handler<SetRooms> for ChatServer {
    type Result = ();

    fn handle(&mut self, SetRooms { id, rooms }: SetRooms, ctx: &mut Context<Self>) {
        self.registry.set_rooms(id, rooms, Instant::now());
        self.plan_presence(ctx);
    }
}

#[derive(Message)]
#[rtype(result = "HashMap<i64, i64>")]
pub struct ListSessions;

impl Handler<ListSessions> for ChatServer {
    type Result = MessageResult<ListSessions>;

    fn handle(&mut self, _: ListSessions, _: &mut Context<Self>) -> Self::Result {
        MessageResult(self.registry.sessions())
    }
}

/// What a writer of the journal has committed.
pub enum RoomUpdate {
    /// These were committed, in this order.
    Changes(Vec<Broadcast>),
    /// Some members of rooms are to be told this.
    Asides(Vec<Aside>),
    /// The room has come this far.
    Reached { room_id: i64, seq: u64 },
    /// The room has come this far, and these users are members of it.
    CameIn {
        room_id: i64,
        seq: u64,
        users: Vec<i64>,
    },
}

#[derive(Message)]
#[rtype(result = "()")]
pub struct TellView {
    pub user_id: i64,
    pub room_id: i64,
    pub frame: Bytes,
}

impl Handler<TellView> for ChatServer {
    type Result = ();

    fn handle(&mut self, view: TellView, _: &mut Context<Self>) {
        let TellView {
            user_id,
            room_id,
            frame,
        } = view;
        self.registry
            .tell_view(user_id, room_id, &frame, Instant::now());
        self.mailroom.send_out();
    }
}

#[derive(Message)]
#[rtype(result = "()")]
pub struct Publish {
    pub news: RoomUpdate,
    pub done: oneshot::Sender<()>,
}

impl Handler<Publish> for ChatServer {
    type Result = ();

    fn handle(&mut self, Publish { news, done }: Publish, ctx: &mut Context<Self>) {
        let now = Instant::now();
        match news {
            RoomUpdate::Changes(changes) => self.registry.publish(&changes, now),
            RoomUpdate::Asides(asides) => {
                for aside in &asides {
                    if let Some(user_id) = aside.opened_by {
                        self.registry.open(user_id, aside.room_id, now);
                    }
                }
                if self.registry.tell_aside(asides, now) {
                    ctx.run_later(GATHER_READERS, |server, _| {
                        server.registry.tell_readers();
                        server.mailroom.send_out();
                    });
                }
            }
            RoomUpdate::Reached { room_id, seq } => self.registry.tell_reached(room_id, seq, now),
            RoomUpdate::CameIn {
                room_id,
                seq,
                users,
            } => self.registry.let_in(room_id, seq, &users, now),
        }
        self.mailroom.send_out();
        let _writer_is_gone = done.send(());
        self.plan_presence(ctx);
    }
}

#[derive(Message)]
#[rtype(result = "()")]
pub struct TellOwner {
    pub user_id: i64,
    pub room_id: i64,
    pub frame: Bytes,
}

impl Handler<TellOwner> for ChatServer {
    type Result = ();

    fn handle(&mut self, message: TellOwner, _: &mut Context<Self>) {
        let TellOwner {
            user_id,
            room_id,
            frame,
        } = message;
        let aside = Aside {
            room_id,
            to: vec![user_id],
            frame,
            reader: None,
            opened_by: None,
        };
        self.registry.tell_aside(vec![aside], Instant::now());
        self.mailroom.send_out();
    }
}

#[derive(Message)]
#[rtype(result = "()")]
pub struct TellUser {
    pub user_id: i64,
    pub frame: Bytes,
}

impl Handler<TellUser> for ChatServer {
    type Result = ();

    fn handle(&mut self, TellUser { user_id, frame }: TellUser, _: &mut Context<Self>) {
        self.registry.tell_user(user_id, &frame, Instant::now());
        self.mailroom.send_out();
    }
}

#[derive(Message)]
#[rtype(result = "()")]
pub struct EndSession {
    pub session_id: i64,
    pub code: u16,
    pub reason: &'static str,
}

impl Handler<EndSession> for ChatServer {
    type Result = ();

    fn handle(&mut self, message: EndSession, ctx: &mut Context<Self>) {
        let had_plan = self.registry.tell_at().is_some();
        self.registry.end_session(
            message.session_id,
            message.code,
            message.reason,
            Instant::now(),
        );
        self.finish(ctx, had_plan);
    }
}

#[derive(Message)]
#[rtype(result = "()")]
pub struct CloseAll {
    pub code: u16,
    pub reason: &'static str,
}

impl Handler<CloseAll> for ChatServer {
    type Result = ();

    fn handle(&mut self, CloseAll { code, reason }: CloseAll, ctx: &mut Context<Self>) {
        let had_plan = self.registry.tell_at().is_some();
        self.registry
            .close_all(COME_BACK_WITHIN, code, reason, Instant::now());
        self.finish(ctx, had_plan);
    }
}

#[derive(Message)]
#[rtype(result = "()")]
pub struct Drain(pub Duration);

impl Handler<Drain> for ChatServer {
    type Result = MessageResult<Drain>;

    fn handle(&mut self, Drain(within): Drain, _: &mut Context<Self>) -> Self::Result {
        self.draining = true;
        log::info!(
            "telling {} sockets to come back later",
            self.registry.count()
        );
        self.registry.drain(within, Instant::now());
        self.mailroom.send_out();
        MessageResult(())
    }
}
