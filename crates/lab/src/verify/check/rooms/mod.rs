//! The judge of rooms in which everything is done that can be done: messages are written, edited, deleted, reacted to and
//! pinned, while people come and go. Pure, as the one of messages is.
//!
//! A room is a log of numbered changes. A number that was acked, or told of to anyone, is a change of one message, and all
//! who are told of that number are told the same. What a message is in the end follows from the acts that were acked, and
//! who may be told of which number from the messages of kind `system`, which are part of the same log.

mod acts;
mod cells;
mod members;
mod truth;
mod views;

use std::{
    fmt,
    hash::{DefaultHasher, Hash as _, Hasher as _},
};

use super::{Verdict, digest};
use crate::protocol::{code::Code, message::Message};

use self::{acts::Words, members::Members, truth::Truth};

/// A user's number.
pub type User = i64;
/// A moment: what is greater was later.
pub type Tick = u64;

/// Something that someone wants done in a room.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Act {
    /// Write this. Unlike anything that is written or edited elsewhere.
    Post(String),
    /// Give a message this text, unlike any other.
    Edit(u64, String),
    /// Delete a message.
    Delete(u64),
    /// React so to a message, or take that back.
    React(u64, String, bool),
    /// Pin a message, or unpin it.
    Pin(u64, bool),
    /// Come in.
    Join,
    /// Go.
    Leave,
    /// Bring someone in.
    Invite(User),
    /// Take someone out.
    Kick(User),
}

impl fmt::Display for Act {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Post(_) => write!(f, "a message"),
            Self::Edit(id, _) => write!(f, "an edit of {id}"),
            Self::Delete(id) => write!(f, "a deletion of {id}"),
            Self::React(id, emoji, true) => write!(f, "a {emoji} to {id}"),
            Self::React(id, emoji, false) => write!(f, "a {emoji} to {id} taken back"),
            Self::Pin(id, true) => write!(f, "a pin of {id}"),
            Self::Pin(id, false) => write!(f, "an end of the pin of {id}"),
            Self::Join => write!(f, "a coming in"),
            Self::Leave => write!(f, "a going"),
            Self::Invite(user) => write!(f, "an invitation of user {user}"),
            Self::Kick(user) => write!(f, "a kick of user {user}"),
        }
    }
}

/// An act, and what came of it. What one person does to one thing is done one after the other: the next begins when it is
/// known what became of the last.
#[derive(Debug, Clone)]
pub struct Deed {
    /// Who.
    pub user: User,
    /// What.
    pub act: Act,
    /// Its ack.
    pub ack: Option<Answer>,
    /// Some attempt ended without anyone knowing how.
    pub is_unknown: bool,
    /// The last word was no.
    pub refusal: Option<Code>,
}

/// An ack.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Answer {
    /// The message.
    pub id: u64,
    /// The change.
    pub seq: u64,
    /// All was so already.
    pub is_repeat: bool,
    /// When it came.
    pub at: Tick,
}

impl Deed {
    /// One of which nothing is known.
    #[must_use]
    pub fn new(user: User, act: Act) -> Self {
        Self {
            user,
            act,
            ack: None,
            is_unknown: false,
            refusal: None,
        }
    }

    /// The ack that says that something changed by it.
    fn applied(&self) -> Option<Answer> {
        self.ack.filter(|ack| !ack.is_repeat)
    }

    /// It is certain that nothing came of it.
    fn is_without_effect(&self) -> bool {
        self.ack.is_none() && !self.is_unknown
    }
}

/// A message as someone was told of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Shown {
    /// The message.
    pub id: u64,
    /// The latest change to it.
    pub seq: u64,
    /// Stands for its text, if it is one that somebody wrote.
    pub words: Option<u64>,
    /// Stands for all that is told of it to everyone alike.
    pub state: u64,
}

impl Shown {
    /// What there is to remember of a message.
    #[must_use]
    pub fn of(message: &Message) -> Self {
        let is_written = message.event.is_none() && !message.content.is_empty();
        let reactions: Vec<_> = message
            .reactions
            .iter()
            .map(|reaction| (&reaction.emoji, reaction.count, people(reaction)))
            .collect();
        let mut hasher = DefaultHasher::new();
        (message.user_id, &message.username, &message.content).hash(&mut hasher);
        (message.created_at, message.edited_at, message.deleted_at).hash(&mut hasher);
        (message.unreadable, message.reply_to, reactions).hash(&mut hasher);
        format!("{:?} {:?}", message.event, message.pinned).hash(&mut hasher);
        Self {
            id: message.id,
            seq: message.seq,
            words: is_written.then(|| digest(&message.content)),
            state: hasher.finish(),
        }
    }
}

fn people(reaction: &crate::protocol::message::Reaction) -> Vec<User> {
    reaction.users.iter().map(|user| user.user_id).collect()
}

/// What one socket was told of one room, and what its owner read of it meanwhile, in the order in which it came.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Heard {
    /// The socket opened. In the room, what comes live is above this number; outside, nothing comes.
    Connected(Option<u64>),
    /// The user has come in; what comes is above this number.
    Here(u64),
    /// The user is in it no more.
    Gone,
    /// We asked for everything after this number, at this moment.
    Asked(u64, Tick),
    /// A new message, or one that has changed.
    Told(Shown),
    /// The answer is complete up to this number, or (`false`) has to be read page by page.
    Synced(u64, bool),
    /// The answer says that the user is not in the room.
    SyncedGone,
    /// The question was refused.
    SyncRefused,
    /// Not everything up to this number was sent.
    Lag(u64),
    /// A page that was asked for at this moment.
    Page(Tick, Vec<Shown>),
}

/// What one socket was told of one room.
#[derive(Debug, Clone)]
pub struct View {
    /// Whose it is.
    pub user: User,
    /// In its order.
    pub heard: Vec<Heard>,
}

/// All that is known of a room.
#[derive(Debug, Clone, Default)]
pub struct RoomEvidence {
    /// What it is called.
    pub name: String,
    /// Whoever wants may come in.
    pub is_public: bool,
    /// Who may take others out.
    pub owner: Option<User>,
    /// Who was in it from its first number on.
    pub founders: Vec<User>,
    /// All that was tried, in the order in which it was begun.
    pub deeds: Vec<Deed>,
    /// What each socket heard.
    pub views: Vec<View>,
    /// All messages in the end, by their numbers.
    pub history: Vec<Message>,
    /// The same in the order of the latest changes, as a client catches up with them.
    pub changes: Vec<Message>,
    /// The number of the room's last change in the end.
    pub last: u64,
    /// Who is in it in the end.
    pub members: Vec<User>,
    /// Who was let read it in the end, though not in it.
    pub let_in: Vec<User>,
}

/// Judges a room.
pub fn check(room: &RoomEvidence, verdict: &mut Verdict) {
    let mut room_verdict = Verdict::default();
    let truth = Truth::new(room, &mut room_verdict);
    let members = Members::new(room, &mut room_verdict);
    let words = Words::new(room);
    acts::check(room, &truth, &members, &words, &mut room_verdict);
    cells::check(room, &truth, &mut room_verdict);
    for view in &room.views {
        views::check(view, (&truth, &members, &words), &mut room_verdict);
    }
    let examples = room_verdict.examples.into_iter();
    verdict.counts.add(room_verdict.counts);
    for example in examples {
        verdict.example(|| format!("{}: {example}", room.name));
    }
}

#[cfg(test)]
mod tests;
