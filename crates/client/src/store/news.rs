//! What comes out of the store: what to ask of the server, and what is new for a face.

use super::Key;
use crate::{
    effect::Effect,
    protocol::{event::ErrorFrame, message::Message, scheduled::ScheduledNews},
};

/// What an event comes to.
#[derive(Debug, Default)]
pub struct Outcome {
    /// What to do.
    pub effects: Vec<Effect>,
    /// What is new for a face, in order.
    pub news: Vec<News>,
}

/// Something that a face may want to act on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum News {
    /// These messages are next in this room, or have changed.
    Shown {
        /// In which room.
        room: String,
        /// In order.
        messages: Vec<Message>,
    },
    /// A page of the past has come.
    Older {
        /// In which room.
        room: String,
        /// What was the first item before.
        before: Option<Key>,
    },
    /// A page of a thread has come.
    Thread {
        /// In which room.
        room: String,
        /// Its first message.
        first: u64,
        /// What was the first item before.
        before: Option<Key>,
    },
    /// What the user has begun to write is kept otherwise than it was, perhaps by another device.
    Draft {
        /// In which room.
        room: String,
        /// In this thread of it.
        thread: Option<u64>,
    },
    /// Something has become of what the user wants to have said later.
    Scheduled(Box<ScheduledNews>),
    /// The room's history was replaced: nothing that was shown counts any more.
    Forgotten {
        /// Which room.
        room: String,
    },
    /// The user is in no room of this name or key.
    NotMember {
        /// Which was asked for.
        room: String,
    },
    /// The user has come into this room.
    Joined {
        /// Which room.
        room: String,
    },
    /// The user is not in this room any more. What was held of it stays.
    Gone {
        /// Which room.
        room: String,
    },
    /// Something else is known of people: how they are seen, who is writing, what they say of themselves.
    People,
    /// The server has carried out a slash command.
    Carried {
        /// As it was typed.
        command: String,
        /// The key of the room in which something was said or changed; empty: in none.
        room: String,
        /// What was done, in a sentence.
        done: Option<String>,
    },
    /// The server has refused something, and not one of the messages in an outbox: those keep their refusal.
    Refused(ErrorFrame),
    /// Messages could not be fetched, for this reason. It is tried again.
    FetchFailed(String),
    /// Fetching works.
    Fetched,
    /// The socket is gone.
    Disconnected,
    /// The login is over, for this reason.
    LoginEnded(String),
    /// The server has ended the login, for this reason.
    LoginRevoked(String),
}

impl Outcome {
    /// This, and then the other.
    pub(crate) fn and(mut self, other: Self) -> Self {
        self.effects.extend(other.effects);
        self.news.extend(other.news);
        self
    }
}

impl From<News> for Outcome {
    fn from(news: News) -> Self {
        Self {
            effects: Vec::new(),
            news: vec![news],
        }
    }
}
