//! The end of a socket on its own thread, which its session, its connection and the [office](crate::hub::office) share: what
//! may be sent at once goes past the session.
//!
//! All three live on one thread, so nothing here is locked; and only one of them is at work at a time. What goes past the
//! session is what the session would have sent by itself, in the same place: nothing waits in its mailbox, nothing is
//! being written, and the change is the next one of a room that is live.

use std::{
    cell::{Cell, RefCell},
    io,
    rc::Rc,
    sync::Arc,
    task::Waker,
};

use actix::Recipient;
use bytes::Buf as _;

use super::{
    Dialect,
    outgoing::Outgoing,
    session::rooms::{Passed, Rooms},
};
use crate::{
    chat::authentication::Admitted,
    hub::{Deliver, Gauge, office::LocalSocket},
};

/// A connection, as what is written to it at once goes out.
pub trait Door {
    /// Writes what fits, without waiting.
    ///
    /// # Errors
    /// `WouldBlock` when nothing fits at the moment; any other when the connection has broken.
    fn try_write(&self, bytes: &[u8]) -> io::Result<usize>;

    /// Whether something else is being written.
    fn is_writing(&self) -> bool;
}

/// The end of a socket on its own thread.
pub struct LocalEnd {
    /// What is on its way to the client.
    pub(super) outgoing: Outgoing,
    /// What the hub sees of it.
    pub gauge: Arc<Gauge>,
    /// Where it is in the rooms' logs.
    pub(super) rooms: RefCell<Rooms>,
    /// What the client may be sent.
    pub(super) dialect: Cell<Dialect>,
    /// Whether the first frame has been sent, and nothing has begun that ends the socket.
    pub(super) is_open: Cell<bool>,
    mailbox: RefCell<Option<Recipient<Deliver>>>,
    /// Deliveries that the session has not handled yet.
    in_mailbox: Cell<usize>,
    /// Whether what waits to go out was put there past the session, and is about to be flushed.
    is_collecting: Cell<bool>,
    door: RefCell<Option<(Rc<dyn Door>, Waker)>>,
}

/// As long as this is kept, what is for the client at once is written to its connection.
pub struct OpenDoor(Rc<LocalEnd>);

impl Drop for OpenDoor {
    fn drop(&mut self) {
        self.0.door.take();
    }
}

impl LocalEnd {
    pub(super) fn new(dialect: Dialect, admitted: &Admitted) -> Self {
        Self {
            outgoing: Outgoing::default(),
            gauge: Arc::default(),
            rooms: RefCell::new(Rooms::expected(admitted)),
            dialect: Cell::new(dialect),
            is_open: Cell::new(false),
            mailbox: RefCell::default(),
            in_mailbox: Cell::new(0),
            is_collecting: Cell::new(false),
            door: RefCell::default(),
        }
    }

    /// Lets what may be sent at once go to this connection. `waker` is that of the task that carries the rest.
    #[must_use]
    pub fn open_door(self: &Rc<Self>, door: Rc<dyn Door>, waker: Waker) -> OpenDoor {
        *self.door.borrow_mut() = Some((door, waker));
        OpenDoor(Rc::clone(self))
    }

    /// Where the session hears of what is for it.
    pub(super) fn set_mailbox(&self, mailbox: Recipient<Deliver>) {
        *self.mailbox.borrow_mut() = Some(mailbox);
    }

    /// The session has begun to handle a delivery.
    pub(super) fn note_handled(&self) {
        self.in_mailbox.set(self.in_mailbox.get().saturating_sub(1));
    }

    /// The session has ended.
    pub(super) fn close(&self) {
        self.is_open.set(false);
        self.mailbox.take();
    }

    /// Whether the session has nothing to do before what comes now, and nothing waits to be written.
    fn waits_for_nothing(&self) -> bool {
        let is_idle = || {
            let door = self.door.borrow();
            self.outgoing.is_empty() && door.as_ref().is_some_and(|(door, _)| !door.is_writing())
        };
        self.is_open.get()
            && self.in_mailbox.get() == 0
            && self.gauge.undelivered_close().is_none()
            && (self.is_collecting.get() || is_idle())
    }
}

impl LocalSocket for LocalEnd {
    fn take_in(&self, delivery: &Deliver) -> bool {
        if !self.waits_for_nothing() {
            return false;
        }
        let frame = match delivery {
            Deliver::Notice(frame) => Some(frame),
            Deliver::Own { room_id, .. } if self.rooms.borrow().is_being_read(*room_id) => {
                return false;
            }
            Deliver::Own { frame, .. } | Deliver::Aside(frame) => {
                Some(frame).filter(|_| self.dialect.get() == Dialect::Full)
            }
            Deliver::Change {
                room_id,
                seq,
                frame,
                is_post,
            } => {
                let dialect = self.dialect.get();
                match (self.rooms.borrow_mut()).pass(*room_id, *seq, (dialect, *is_post)) {
                    Passed::Shown => Some(frame),
                    Passed::Unseen => None,
                    Passed::No => return false,
                }
            }
            _ => return false,
        };
        self.gauge.take(delivery.weight());
        if let Some(frame) = frame {
            self.outgoing.write(frame.clone());
            self.is_collecting.set(true);
        }
        true
    }

    fn hand_over(&self, delivery: Deliver) {
        if let Some(mailbox) = &*self.mailbox.borrow() {
            self.in_mailbox.set(self.in_mailbox.get() + 1);
            // It has a bound of its own, which the hub has looked at: what it has given out may not get lost here.
            mailbox.do_send(delivery);
        }
    }

    fn flush(&self) {
        self.is_collecting.set(false);
        if let Some(code) = self
            .gauge
            .undelivered_close()
            .filter(|_| self.is_open.get())
        {
            // The session is asleep, and nothing else will come for it.
            let reason = "this socket was given up";
            let farewell = None;
            self.hand_over(Deliver::Close {
                farewell,
                code,
                reason,
            });
        }
        let door = self.door.borrow();
        let Some((door, waker)) = &*door else { return };
        if door.is_writing() {
            // Its task goes on with what waits.
            return;
        }
        while let Some(mut chunk) = self.outgoing.take() {
            // A connection that has broken is noticed by its own task.
            let written = door.try_write(&chunk).unwrap_or(0);
            if written > 0 {
                self.gauge.progress();
            }
            if written < chunk.len() {
                chunk.advance(written);
                self.outgoing.put_back(chunk);
                return waker.wake_by_ref();
            }
        }
    }
}

#[cfg(test)]
mod tests;
