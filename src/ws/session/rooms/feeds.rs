//! The rooms of one socket by their ids. Most sockets are in a few rooms and say nothing, ten thousand of them at once, so it is
//! one sorted list without anything around it: a tree takes its first node for eleven rooms however few there are.

use super::RoomFeed;

/// Rooms by their ids.
#[derive(Default)]
pub(super) struct Feeds(Vec<(i64, RoomFeed)>);

impl Feeds {
    /// None as yet, with room for these.
    pub fn for_some(count: usize) -> Self {
        Self(Vec::with_capacity(count))
    }

    fn place(&self, room_id: i64) -> Result<usize, usize> {
        self.0.binary_search_by_key(&room_id, |(id, _)| *id)
    }

    /// A room.
    pub fn get(&self, room_id: i64) -> Option<&RoomFeed> {
        let place = self.place(room_id).ok()?;
        self.0.get(place).map(|(_, room)| room)
    }

    /// A room, to change it.
    pub fn get_mut(&mut self, room_id: i64) -> Option<&mut RoomFeed> {
        let place = self.place(room_id).ok()?;
        self.0.get_mut(place).map(|(_, room)| room)
    }

    /// Puts a room in, or in the place of the one of this id.
    pub fn insert(&mut self, room_id: i64, room: RoomFeed) {
        match self.place(room_id) {
            Ok(place) => {
                if let Some((_, before)) = self.0.get_mut(place) {
                    *before = room;
                }
            }
            Err(place) => self.0.insert(place, (room_id, room)),
        }
    }

    /// Takes a room out.
    pub fn remove(&mut self, room_id: i64) {
        if let Ok(place) = self.place(room_id) {
            self.0.remove(place);
        }
    }
}
