//! Telling members of rooms what is not numbered: their own settings at once, how far others have read after a while.

use std::time::Instant;

use bytes::Bytes;

use super::{Aside, Outbox, Registry, SocketId};
use crate::hub::Deliver;

impl<O: Outbox> Registry<O> {
    /// Tells some members of rooms something. True when the first of what is gathered has come: [`Self::tell_readers`] is due
    /// after a while.
    pub fn tell_aside(&mut self, asides: Vec<Aside>, now: Instant) -> bool {
        let was_empty = self.readers.is_empty();
        for aside in asides {
            match aside.reader {
                // Of several in a short time the last is told.
                Some(reader) => _ = self.readers.insert((aside.room_id, reader), aside),
                None => {
                    for id in self.listeners(&aside) {
                        let (room_id, frame) = (aside.room_id, aside.frame.clone());
                        self.send_own(id, Deliver::Own { room_id, frame }, now);
                    }
                }
            }
        }
        was_empty && !self.readers.is_empty()
    }

    /// Tells how far people have read.
    pub fn tell_readers(&mut self) {
        for (_, aside) in std::mem::take(&mut self.readers) {
            for id in self.listeners(&aside) {
                if let Some(socket) = self.sockets.get(&id) {
                    socket.offer_aside(aside.frame.clone(), &self.limits);
                }
            }
        }
    }

    /// Tells all sockets of a user something.
    pub fn tell_user(&mut self, user_id: i64, frame: &Bytes, now: Instant) {
        let user = self.users.get(&user_id).into_iter();
        let sockets: Vec<_> = user.flat_map(|user| &user.sockets).copied().collect();
        for id in sockets {
            self.send_own(id, Deliver::Aside(frame.clone()), now);
        }
    }

    fn send_own(&mut self, id: SocketId, own: Deliver, now: Instant) {
        if let Some(socket) = self.sockets.get_mut(&id) {
            socket.send_own(own, &self.limits, now);
        }
    }

    /// The sockets of those whom something is for, as far as they hear the room: whoever is not in it any more learns nothing of
    /// it.
    fn listeners(&self, aside: &Aside) -> Vec<SocketId> {
        let users = aside.to.iter();
        let users = users.filter_map(|user_id| self.users.get(user_id));
        let hears = |id: &SocketId| {
            let socket = self.sockets.get(id);
            socket.is_some_and(|socket| socket.newcomer.rooms.contains(&aside.room_id))
        };
        let sockets = users.flat_map(|user| &user.sockets).copied();
        sockets.filter(hears).collect()
    }
}
