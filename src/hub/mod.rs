//! Who is connected where. A plain, tested [`registry`] knows the sockets; the [`ChatServer`](server::ChatServer)
//! actor feeds it on a thread of its own. What it decides goes to an [`office`] on each worker thread, which writes to those
//! sockets that wait for nothing. None of them knows the database or the rules.

pub mod frame;
pub mod office;
pub mod people;
mod places;
pub mod presence;
pub mod registry;
mod server;

use std::{
    collections::{BTreeSet, HashMap},
    sync::atomic::{AtomicU16, AtomicU64, AtomicUsize, Ordering},
    time::Duration,
};

use actix::{Actor as _, Addr, Arbiter, Message};
use bytes::Bytes;
use tokio::sync::oneshot;

use crate::{
    config::SocketLimits,
    error::{Error, Result},
};
use office::Address;
pub use places::Place;
use registry::{NewSocket, SocketId};
use server::{
    ChatServer, CloseAll, Connect, Disconnect, Drain, EndSession, ListSessions, Publish,
    RoomUpdate, SetRooms, TellOwner, TellUser, TellView,
};

/// Something for one socket. Frames are encoded already and shared.
#[derive(Debug, Clone, Message)]
#[rtype(result = "()")]
pub enum Deliver {
    /// A change of a room.
    Change {
        /// The room.
        room_id: i64,
        /// The change's number.
        seq: u64,
        /// The frame.
        frame: Bytes,
        /// Whether it is a message that somebody has written just now.
        is_post: bool,
    },
    /// The changes of a room up to this one were not sent: too much was waiting.
    Missed {
        /// The room.
        room_id: i64,
        /// The last change that was not sent.
        seq: u64,
    },
    /// The room has come this far; whoever has not been sent all of it should look.
    Reached {
        /// The room.
        room_id: i64,
        /// Its latest change.
        seq: u64,
    },
    /// The user has become a member of a room by this change, which is the first that this socket is sent.
    /// A socket that knows of the room already has overtaken it by reading.
    Joined {
        /// The room.
        room_id: i64,
        /// The change.
        seq: u64,
    },
    /// The user is no member of a room any more by this change, which is the last that this socket is sent.
    Left {
        /// The room.
        room_id: i64,
        /// The change.
        seq: u64,
    },
    /// The user's own view of a room has changed, by nothing that is numbered.
    View {
        /// The room.
        room_id: i64,
        /// The frame.
        frame: Bytes,
    },
    /// What the user has set in a room on another device, or how far they have read it: by nothing that is numbered either.
    Own {
        /// The room.
        room_id: i64,
        /// The frame.
        frame: Bytes,
    },
    /// Anything that is not numbered, and that every client knows.
    Notice(Bytes),
    /// Anything else that is not numbered: not for the oldest clients.
    Aside(Bytes),
    /// Ask for a sign of life.
    Ping,
    /// Say this, if anything, then close.
    Close {
        /// What to send before.
        farewell: Option<Bytes>,
        /// The close code.
        code: u16,
        /// One short sentence.
        reason: &'static str,
    },
}

impl Deliver {
    /// The room that it is about, if something has happened in it.
    #[must_use]
    pub fn room(&self) -> Option<i64> {
        match self {
            Self::Change { room_id, .. }
            | Self::Missed { room_id, .. }
            | Self::Reached { room_id, .. }
            | Self::Joined { room_id, .. }
            | Self::Left { room_id, .. }
            | Self::View { room_id, .. } => Some(*room_id),
            Self::Own { .. }
            | Self::Notice(_)
            | Self::Aside(_)
            | Self::Ping
            | Self::Close { .. } => None,
        }
    }

    /// Bytes that wait with it.
    #[must_use]
    pub fn weight(&self) -> usize {
        match self {
            Self::Change { frame, .. }
            | Self::View { frame, .. }
            | Self::Own { frame, .. }
            | Self::Notice(frame)
            | Self::Aside(frame) => frame.len(),
            _ => 0,
        }
    }
}

/// What a socket and the hub tell each other without a message: a socket whose client stops reading is frozen, and
/// answers nothing.
#[derive(Debug, Default)]
pub struct Gauge {
    heard: AtomicU64,
    taken: AtomicU64,
    pings: AtomicU64,
    /// Deliveries that wait, and their weight.
    waiting: AtomicUsize,
    waiting_bytes: AtomicUsize,
    undelivered_close: AtomicU16,
    close_code: AtomicU16,
}

impl Gauge {
    /// The client has sent something.
    pub fn hear(&self) {
        // A count, not a time: a ping may be answered within the same millisecond in which the client spoke before it.
        self.heard.fetch_add(1, Ordering::Relaxed);
    }

    /// A delivery of this weight waits no more: the session has taken it out of its mailbox, or it was written.
    pub fn take(&self, weight: usize) {
        self.waiting.fetch_sub(1, Ordering::AcqRel);
        self.waiting_bytes.fetch_sub(weight, Ordering::Relaxed);
    }

    /// A delivery of this weight is about to be handed over. Returns the frames and the bytes that then wait.
    fn put(&self, weight: usize) -> (usize, usize) {
        // Whoever takes something after this has found the queue full sees what was noted before: see `undelivered_close`.
        let frames = self.waiting.fetch_add(1, Ordering::AcqRel) + 1;
        let bytes = self.waiting_bytes.fetch_add(weight, Ordering::Relaxed) + weight;
        (frames, bytes)
    }

    /// The session has written a ping.
    pub fn ping(&self) {
        self.pings.fetch_add(1, Ordering::Relaxed);
    }

    /// The connection has taken something.
    pub fn progress(&self) {
        self.taken.fetch_add(1, Ordering::Relaxed);
    }

    /// The hub has told the socket to close, and knows it no more.
    fn close(&self, code: u16) {
        self.close_code.store(code, Ordering::Relaxed);
    }

    /// With which code the hub has told the socket to close, if it has. One whose client does not read cannot hear of it
    /// in any other way.
    #[must_use]
    pub fn close_code(&self) -> Option<u16> {
        Some(self.close_code.load(Ordering::Relaxed)).filter(|code| *code != 0)
    }

    /// The close code that the hub could not deliver, because the queue was full.
    #[must_use]
    pub fn undelivered_close(&self) -> Option<u16> {
        Some(self.undelivered_close.load(Ordering::Relaxed)).filter(|code| *code != 0)
    }
}

/// Changes of rooms that were committed, to be sent in this order.
#[derive(Debug)]
pub struct Broadcast {
    /// The room.
    pub room_id: i64,
    /// The change's number.
    pub seq: u64,
    /// For everyone.
    pub frame: Bytes,
    /// For the sockets of this user instead: they see the `client_id`.
    pub own: Option<(i64, Bytes)>,
    /// Whether it is a message that somebody has written: all that the oldest clients can show.
    pub is_post: bool,
    /// Who has written it, if it is one, in a thread or not.
    pub written_by: Option<i64>,
    /// Who has become a member by it, and hears it first of all, or is none any more, and hears it last of all.
    pub members: Vec<(i64, Membership)>,
}

/// Something about a room that is not numbered, for some of its members.
#[derive(Debug, Clone)]
pub struct Aside {
    /// The room: only who hears it is told.
    pub room_id: i64,
    /// Who.
    pub to: Vec<i64>,
    /// The frame.
    pub frame: Bytes,
    /// It is about how far this user has read: told after a while, and of several only the last.
    pub reader: Option<i64>,
    /// This user has read something in it.
    pub opened_by: Option<i64>,
}

/// What becomes of a user's membership by a change.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Membership {
    /// The user is a member from this change on.
    Joined,
    /// The user is a member from this change on, of a direct room that someone else has begun: they are seen by nobody for being
    /// in it before they have read or written something there.
    BroughtIn,
    /// The user is a member up to this change.
    Left,
}

/// The handle by which everyone else speaks to the hub.
#[derive(Clone, Debug)]
pub struct Hub {
    server: Addr<ChatServer>,
}

impl Hub {
    /// Starts the hub on a thread of its own.
    #[must_use]
    pub fn start(limits: SocketLimits, sockets_per_user: usize) -> Self {
        let arbiter = Arbiter::new();
        let server = ChatServer::start_in_arbiter(&arbiter.handle(), move |_| {
            ChatServer::new(limits, sockets_per_user)
        });
        Self { server }
    }

    /// Registers a socket in its place; it is sent everything from now on. Answers with the names of those who are here.
    ///
    /// # Errors
    /// 503 when the server is going down.
    pub async fn connect(
        &self,
        place: Place,
        newcomer: NewSocket,
        address: Address,
    ) -> Result<(Registration, Vec<String>)> {
        let connect = Connect {
            place,
            newcomer,
            address,
        };
        self.server.send(connect).await.map_err(Error::internal)?
    }

    /// Waits a moment for a place for one more socket of a user.
    ///
    /// # Errors
    /// 429 when there is none, 503 when the server is going down, 500 when the hub is gone.
    pub async fn await_place(&self, user_id: i64) -> Result<Place> {
        places::await_place(&self.server, user_id).await
    }

    /// The way for one of the journal's writers to have committed changes sent out.
    #[must_use]
    pub fn publisher(&self) -> Publisher {
        Publisher {
            server: self.server.clone(),
            last: None,
        }
    }

    /// The logins that have a socket open, and whose they are.
    ///
    /// # Errors
    /// 500 when the hub is gone.
    pub async fn sessions(&self) -> Result<HashMap<i64, i64>> {
        self.server
            .send(ListSessions)
            .await
            .map_err(Error::internal)
    }

    /// Tells the sockets of a user that hear this room something that is for that user alone.
    pub fn tell_owner(&self, user_id: i64, room_id: i64, frame: Bytes) {
        self.server.do_send(TellOwner {
            user_id,
            room_id,
            frame,
        });
    }

    /// Tells all sockets of a user something that is for that user alone, whichever rooms they hear.
    pub fn tell_user(&self, user_id: i64, frame: Bytes) {
        self.server.do_send(TellUser { user_id, frame });
    }

    /// Tells all sockets of a user what has become of their view of a room.
    pub fn tell_view(&self, user_id: i64, room_id: i64, frame: Bytes) {
        self.server.do_send(TellView {
            user_id,
            room_id,
            frame,
        });
    }

    /// Closes every socket of a login.
    pub fn end_session(&self, session_id: i64, code: u16, reason: &'static str) {
        self.server.do_send(EndSession {
            session_id,
            code,
            reason,
        });
    }

    /// Closes every socket, and has them come back within seconds.
    pub fn close_all(&self, code: u16, reason: &'static str) {
        self.server.do_send(CloseAll { code, reason });
    }

    /// Tells every socket to come back later and closes it; new ones are refused. Answers when all have been told.
    pub async fn drain(&self, within: Duration) {
        if self.server.send(Drain(within)).await.is_err() {
            log::error!("the hub is gone");
        }
    }
}

/// A socket's place in the hub. Dropping it takes the socket out, whatever became of its session.
#[derive(Debug)]
pub struct Registration {
    id: SocketId,
    server: Addr<ChatServer>,
}

impl Registration {
    /// Sets which rooms this socket hears. What is read after this has answered, and says the same, misses nothing.
    ///
    /// # Errors
    /// 500 when the hub is gone.
    pub async fn set_rooms(&self, rooms: BTreeSet<i64>) -> Result<()> {
        let change = SetRooms { id: self.id, rooms };
        self.server.send(change).await.map_err(Error::internal)
    }
}

impl Drop for Registration {
    fn drop(&mut self) {
        // Never too many: one for each socket that was registered.
        self.server.do_send(Disconnect(self.id));
    }
}

/// Has committed changes sent out, in order, one batch ahead of the hub at most.
#[derive(Debug)]
pub struct Publisher {
    server: Addr<ChatServer>,
    last: Option<oneshot::Receiver<()>>,
}

impl Publisher {
    /// Sends these changes to the members of their rooms. Blocks while the batch before is still being sent: a slow
    /// hub slows the writer down instead of piling up a queue. For threads that may block.
    pub fn publish(&mut self, changes: Vec<Broadcast>) {
        if !changes.is_empty() {
            self.send(RoomUpdate::Changes(changes));
        }
    }

    /// Tells the members of a room how far it has come, where changes may have been stored and never been announced.
    pub fn reached(&mut self, room_id: i64, seq: u64) {
        self.send(RoomUpdate::Reached { room_id, seq });
    }

    /// Tells members of rooms what is not numbered.
    pub fn tell(&mut self, asides: Vec<Aside>) {
        self.send(RoomUpdate::Asides(asides));
    }

    /// Has these users hear a room, of which they are members: no change has told them so.
    pub fn came_in(&mut self, room_id: i64, seq: u64, users: Vec<i64>) {
        self.send(RoomUpdate::CameIn {
            room_id,
            seq,
            users,
        });
    }

    fn send(&mut self, news: RoomUpdate) {
        if let Some(last) = self.last.take()
            && last.blocking_recv().is_err()
        {
            log::error!("the hub is gone");
        }
        let (done, last) = oneshot::channel();
        self.server.do_send(Publish { news, done });
        self.last = Some(last);
    }
}
