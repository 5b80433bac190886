//! What travels the road: an entry is one change that someone wants to make in a room, and an outcome is what became of it.

use std::{fmt, sync::Arc};

use serde::{Deserialize, Serialize};

pub use crate::db::{log::later::Later, mentions::Candidate};
use crate::{
    db::{log::reactions::Reacted, messages::Message},
    protocol::{
        mention::Mention,
        room::{Role, RoomEvent, RoomKind},
        thread::Replies,
        time::Timestamp,
    },
};

/// A room, inside. (On the wire it has a key.)
pub type RoomId = i64;
/// A user.
pub type UserId = i64;

/// The login of what a room does by itself.
pub const NO_LOGIN: i64 = 0;

/// Who makes a change.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Actor {
    /// Who.
    pub user_id: UserId,
    /// Who, by name.
    pub username: String,
    /// Through which login. It has to live when the change is stored.
    pub session_id: i64,
}

/// A text as it was written, and as it is stored.
#[derive(Clone, PartialEq, Eq)]
pub struct Body {
    /// For those who are told of it now.
    pub text: String,
    /// For the disk.
    pub sealed: String,
}

impl fmt::Debug for Body {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Body({} bytes)", self.text.len())
    }
}

/// A change that someone wants to make in a room.
#[derive(Debug)]
pub struct Entry {
    /// The room.
    pub room: RoomId,
    /// Who.
    pub actor: Actor,
    /// What.
    pub change: Change,
}

/// What can be changed in a room.
#[derive(Debug)]
pub enum Change {
    /// Write something.
    Post(Post),
    /// Give one's own message another text.
    Edit {
        /// The message.
        id: u64,
        /// Only when it was neither edited nor deleted after this change.
        if_seq: Option<u64>,
        /// The text.
        body: Body,
        /// Where in it perhaps someone is mentioned.
        candidates: Vec<Candidate>,
    },
    /// Leave no more than a tombstone of a message.
    Delete {
        /// The message.
        id: u64,
        /// Only when it was not edited after this change.
        if_seq: Option<u64>,
    },
    /// React, or take that back.
    React {
        /// The message.
        id: u64,
        /// How, in the form in which alike emoji are one.
        emoji: String,
        /// Or take it back.
        on: bool,
    },
    /// Pin a message, or unpin it.
    Pin {
        /// The message.
        id: u64,
        /// Or unpin it.
        on: bool,
    },
    /// Become a member, or with another user bring someone in.
    Join {
        /// Who comes in.
        user: UserId,
        /// As what.
        role: Role,
    },
    /// Be a member no longer, or with another user take someone out.
    Leave {
        /// Who goes.
        user: UserId,
    },
    /// Bring someone in who is no member, or make a member something else.
    Member {
        /// Whom.
        user: UserId,
        /// Another role.
        role: Option<Role>,
        /// Until when they read only; a time that is over: no longer.
        until: Option<Timestamp>,
    },
    /// Say that whoever makes this has inherited the room: no other owner was left. It is part of no login.
    Inherit,
    /// Change what the room is.
    Room(RoomPatch),
    /// Begin the room: the entry has the number that it is to get.
    Begin(NewRoom),
}

impl Change {
    /// Whether it is said without a login: by a room itself, or because it was scheduled.
    #[must_use]
    pub fn needs_no_login(&self) -> bool {
        match self {
            Self::Inherit => true,
            Self::Post(post) => post.later.is_some(),
            _ => false,
        }
    }

    /// Whether by it this user, who makes it, wants to become a member.
    #[must_use]
    pub fn brings_in(&self, user_id: UserId) -> bool {
        match self {
            Self::Join { user, .. } | Self::Member { user, .. } => *user == user_id,
            _ => false,
        }
    }

    /// Whether a name that was free may be taken by it. (A room that becomes public takes the name that it has.)
    #[must_use]
    pub fn takes_a_name(&self) -> bool {
        match self {
            Self::Begin(_) => true,
            Self::Room(patch) => patch.name.is_some() || patch.kind.is_some(),
            _ => false,
        }
    }

    /// Who may become a member by it, when this user makes it.
    #[must_use]
    pub fn newcomers(&self, maker: UserId) -> Vec<UserId> {
        match self {
            Self::Join { user, .. } | Self::Member { user, .. } => vec![*user],
            Self::Begin(new) => new.users.iter().copied().chain([maker]).collect(),
            _ => Vec::new(),
        }
    }
}

/// A room that is to be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewRoom {
    /// Its kind.
    pub kind: RoomKind,
    /// What people call it; a direct room has no name.
    pub name: Option<String>,
    /// What it is about.
    pub topic: Option<String>,
    /// Who is in it from the start, beside whoever makes it.
    pub users: Vec<UserId>,
    /// How many rooms its maker may make in an hour, direct ones or others, if that is limited.
    pub most_an_hour: Option<u32>,
}

/// Something to be written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Post {
    /// The text.
    pub body: Body,
    /// What its sender calls it.
    pub client_id: Option<String>,
    /// The message that it answers.
    pub reply_to: Option<u64>,
    /// The first message of the thread in which it is a reply.
    pub thread: Option<u64>,
    /// With that: it stands in the room itself, too.
    pub also_to_room: bool,
    /// Where in it perhaps someone is mentioned.
    pub candidates: Vec<Candidate>,
    /// What was scheduled that it is: then it needs no login.
    pub later: Option<Later>,
}

/// What there is to be told of a new message beside what was written, and is known when it is stored.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Added {
    /// What is under the first message of its thread by then.
    pub thread_replies: Option<Replies>,
    /// Whom it mentions.
    pub mentions: Vec<Mention>,
}

/// What is to be changed of a room; what is absent stays.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct RoomPatch {
    /// Another name.
    pub name: Option<String>,
    /// Another topic; empty: none.
    pub topic: Option<String>,
    /// Public or private.
    pub kind: Option<RoomKind>,
    /// Whether it is archived.
    pub archived: Option<bool>,
    /// Seconds that members wait between two messages; 0: none.
    pub slow_seconds: Option<u32>,
}

/// What became of an entry that was not refused.
#[derive(Debug, Clone)]
pub enum Outcome {
    /// It is stored.
    Applied {
        /// The message that was written or changed.
        id: u64,
        /// The change's number. (Of several, the last.)
        seq: u64,
        /// When.
        at: Timestamp,
        /// The message as it is now, if it is one that was there before.
        now: Option<Arc<Current>>,
        /// What there is to be told of it beside what was written, if it is new.
        added: Added,
    },
    /// All was so already, or it is a change that takes no number.
    Unchanged {
        /// The latest change of the message, or of the room.
        seq: u64,
        /// The message, if it is about one.
        now: Option<Arc<Current>>,
    },
    /// The room that was to begin is there.
    Exists {
        /// Which it is. The one that the entry names: its number is taken, and another has to be tried.
        room: RoomId,
        /// Its latest change.
        seq: u64,
    },
    /// The same sender had stored a message of this `client_id` before.
    Repeat {
        /// The message's number.
        id: u64,
        /// The number of the latest change to it.
        seq: u64,
        /// When it was stored.
        at: Timestamp,
        /// What was stored then, sealed: the caller compares. `None` when it was edited or deleted since.
        content: Option<String>,
    },
}

/// What a message of kind `system` holds, sealed: nothing of it lies in clear.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SystemText {
    /// For people.
    pub text: String,
    /// For programs.
    pub event: RoomEvent,
}

/// Whether a change begins a membership or ends it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Membership {
    /// From this change on.
    Joined,
    /// From this change on, of a direct room that someone else has begun.
    BroughtIn,
    /// Up to this change.
    Left,
}

/// A change that is on the disk, with all that those who hear of it are told.
#[derive(Debug)]
pub struct Committed {
    /// The room.
    pub room_id: RoomId,
    /// The message that was written or changed.
    pub id: u64,
    /// The change's number.
    pub seq: u64,
    /// When it was stored.
    pub at: Timestamp,
    /// Who made it.
    pub actor: Actor,
    /// What it was.
    pub news: Told,
}

/// What there is to be told of a change.
#[derive(Debug)]
pub enum Told {
    /// Someone wrote something.
    Posted(Post, Added),
    /// A message has changed.
    Changed {
        /// The message as it is now.
        now: Arc<Current>,
        /// In what.
        how: How,
    },
    /// The room has changed, or who is in it: a message of kind `system`.
    System {
        /// For people.
        text: String,
        /// For programs.
        event: RoomEvent,
        /// In whose name it is stored: what a room says by itself is of someone else than the change that it comes with.
        author: Actor,
        /// Who becomes a member by it, or is none any more.
        members: Vec<(UserId, Membership)>,
    },
}

/// A message as it is after a change.
#[derive(Debug, Clone)]
pub struct Current {
    /// Its row.
    pub row: Message,
    /// The reactions to it.
    pub reactions: Vec<Reacted>,
    /// What is under it, or for a reply under the first message of its thread.
    pub replies: Option<Replies>,
}

/// In what a message has changed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum How {
    /// It has another text.
    Edited,
    /// Only a tombstone is left.
    Deleted,
    /// Someone has reacted, or taken that back.
    Reacted {
        /// How.
        emoji: String,
        /// Or taken back.
        on: bool,
    },
    /// It was pinned, or unpinned.
    Pinned {
        /// Or unpinned.
        on: bool,
    },
}
