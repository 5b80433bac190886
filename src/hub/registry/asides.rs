//! Telling members of rooms what is not numbered: their own settings at once, how far others have read after a while.

use bytes::Bytes;

use super::{Aside, Outbox, Registry};

impl<O: Outbox> Registry<O> {
    /// Tells some members of rooms something. True when the first of what is gathered has come: [`Self::tell_readers`] is due
    /// after a while.
    pub fn tell_aside(&mut self, asides: Vec<Aside>) -> bool {
        let was_empty = self.readers.is_empty();
        for aside in asides {
            match aside.reader {
                // Of several in a short time the last is told.
                Some(reader) => _ = self.readers.insert((aside.room_id, reader), aside),
                None => self.send_aside(&aside),
            }
        }
        was_empty && !self.readers.is_empty()
    }

    /// Tells how far people have read.
    pub fn tell_readers(&mut self) {
        for (_, aside) in std::mem::take(&mut self.readers) {
            self.send_aside(&aside);
        }
    }

    /// Tells all sockets of a user something.
    pub fn tell_user(&self, user_id: i64, frame: &Bytes) {
        let user = self.users.get(&user_id).into_iter();
        let sockets = user.flat_map(|user| &user.sockets);
        for socket in sockets.filter_map(|id| self.sockets.get(id)) {
            socket.offer_aside(frame.clone(), &self.limits, false);
        }
    }

    /// Tells those who hear the room: whoever is not in it any more learns nothing of it.
    fn send_aside(&self, aside: &Aside) {
        let users = aside
            .to
            .iter()
            .filter_map(|user_id| self.users.get(user_id));
        for id in users.flat_map(|user| &user.sockets) {
            let socket = self.sockets.get(id);
            let Some(socket) =
                socket.filter(|socket| socket.newcomer.rooms.contains(&aside.room_id))
            else {
                continue;
            };
            socket.offer_aside(aside.frame.clone(), &self.limits, aside.reader.is_some());
        }
    }
}
