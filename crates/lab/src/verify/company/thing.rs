//! The things that people set for themselves.

use super::Shared;
use crate::verify::check::rooms::User;

/// One thing that someone sets.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Thing {
    /// How far they have read a room, or a thread in it.
    Marker(usize, Option<u64>),
    /// What they have begun to write there.
    Draft(usize, Option<u64>),
    /// Whether a message is saved.
    Saved(usize, u64),
    /// Whether they follow a thread.
    Follows(usize, u64),
    /// What they say of themselves.
    Status,
}

impl Thing {
    /// What it is, in words.
    pub fn describe(self, shared: &Shared, user: User) -> String {
        let place = |room: usize, thread: Option<u64>| {
            let name = shared.book.rooms.get(room).map_or("", |room| room.name);
            thread.map_or_else(
                || name.to_owned(),
                |thread| format!("thread {thread} of {name}"),
            )
        };
        match self {
            Self::Marker(room, thread) => {
                format!("how far user {user} has read {}", place(room, thread))
            }
            Self::Draft(room, thread) => {
                format!("the draft of user {user} in {}", place(room, thread))
            }
            Self::Saved(room, id) => {
                format!(
                    "whether user {user} has saved {id} of {}",
                    place(room, None)
                )
            }
            Self::Follows(room, thread) => {
                format!("whether user {user} follows {}", place(room, Some(thread)))
            }
            Self::Status => format!("the status of user {user}"),
        }
    }
}
