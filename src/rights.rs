//! Who may do what in a room: a pure function of who asks, what for, and what kind of room it is. The only place that
//! decides; the journal asks it under the room's lock before anything is written, and reading asks it before anything is
//! read.

use strum::VariantArray;

use crate::{
    error::{Code, Error, Kind},
    protocol::room::{Role, RoomKind},
};

/// What can be done in a room.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, VariantArray)]
pub enum Right {
    /// Know that it exists, and read its description.
    See,
    /// Become a member by oneself.
    Join,
    /// Read all of it.
    Read,
    /// Write, and answer.
    Post,
    /// React.
    React,
    /// Pin a message, or unpin it.
    Pin,
    /// Bring others in.
    Invite,
    /// Bring in someone who was taken out.
    BringBack,
    /// Be a member no longer.
    Leave,
    /// Edit one's own messages.
    EditOwn,
    /// Delete one's own messages.
    DeleteOwn,
    /// Delete messages of others.
    DeleteOthers,
    /// Have a member read only.
    Mute,
    /// Have a moderator read only.
    MuteModerator,
    /// Take a member out.
    Kick,
    /// Take a moderator out.
    KickModerator,
    /// Set the topic.
    Topic,
    /// Set how long members wait between two messages.
    SlowMode,
    /// Address everyone in a room of many.
    MentionAll,
    /// Give members other roles.
    SetRole,
    /// Give the room another name.
    Rename,
    /// Make the room public or private.
    SetKind,
    /// Archive the room, or bring it back.
    Archive,
}

/// Who someone is to a room.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Standing {
    /// No member.
    Stranger,
    /// No member any more, and not to come back by themselves.
    Removed,
    /// A member.
    Member {
        /// In this role.
        role: Role,
        /// Reads only, for now.
        is_muted: bool,
    },
}

/// What of a room decides.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RoomFacts {
    /// Its kind.
    pub kind: RoomKind,
    /// Nothing is to be written in it any more.
    pub is_archived: bool,
    /// It is the room that everyone is in.
    pub is_general: bool,
}

/// Why not.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Denied {
    /// To them there is no such room.
    Absent,
    /// Only members may.
    JoinFirst,
    /// Not in their role.
    Forbidden,
    /// Not in their role: what those who keep order have done is undone by them.
    OrderKept,
    /// No one may in a direct room.
    NotInDirect,
    /// No one may in the room that everyone is in.
    NotInGeneral,
    /// Not as long as they are muted.
    Muted,
    /// Not as long as the room is archived.
    Archived,
}

/// Whether someone may do something in a room.
///
/// # Errors
/// [`Denied`], when not.
pub fn allows(standing: Standing, right: Right, room: RoomFacts) -> Result<(), Denied> {
    match standing {
        Standing::Removed => Err(Denied::Absent),
        Standing::Stranger => stranger(right, room),
        Standing::Member { role, is_muted } => {
            // A conversation belongs to all who are in it.
            let is_direct = room.kind == RoomKind::Direct;
            let role = if is_direct { Role::Member } else { role };
            let may = exists_in(right, room) && role >= least_role(right);
            if !may && is_direct {
                Err(Denied::NotInDirect)
            } else if !exists_in(right, room) {
                Err(Denied::NotInGeneral)
            } else if !may && right == Right::BringBack {
                Err(Denied::OrderKept)
            } else if !may {
                Err(Denied::Forbidden)
            } else if room.is_archived && !stays_when_archived(right) {
                Err(Denied::Archived)
            } else if is_muted && !stays_when_muted(right) {
                Err(Denied::Muted)
            } else {
                Ok(())
            }
        }
    }
}

fn stranger(right: Right, room: RoomFacts) -> Result<(), Denied> {
    match right {
        _ if room.kind != RoomKind::Public => Err(Denied::Absent),
        Right::Join if room.is_archived => Err(Denied::Archived),
        Right::See | Right::Join => Ok(()),
        // Everyone is in it, so who is not was taken out by whoever runs the server.
        _ if room.is_general => Err(Denied::Absent),
        _ => Err(Denied::JoinFirst),
    }
}

/// Whether there is such a thing in a room of this kind.
fn exists_in(right: Right, room: RoomFacts) -> bool {
    match right {
        Right::Leave
        | Right::Kick
        | Right::KickModerator
        | Right::Rename
        | Right::SetKind
        | Right::Archive => !room.is_general && room.kind != RoomKind::Direct,
        Right::Invite | Right::BringBack | Right::SetRole | Right::Mute | Right::MuteModerator => {
            room.kind != RoomKind::Direct
        }
        _ => true,
    }
}

fn least_role(right: Right) -> Role {
    match right {
        Right::See
        | Right::Join
        | Right::Read
        | Right::Post
        | Right::React
        | Right::Pin
        | Right::Invite
        | Right::Leave
        | Right::EditOwn
        | Right::DeleteOwn => Role::Member,
        Right::DeleteOthers
        | Right::Mute
        | Right::Kick
        | Right::BringBack
        | Right::Topic
        | Right::SlowMode
        | Right::MentionAll => Role::Moderator,
        Right::MuteModerator
        | Right::KickModerator
        | Right::SetRole
        | Right::Rename
        | Right::SetKind
        | Right::Archive => Role::Owner,
    }
}

fn stays_when_archived(right: Right) -> bool {
    matches!(
        right,
        Right::See | Right::Join | Right::Read | Right::Leave | Right::Archive
    )
}

fn stays_when_muted(right: Right) -> bool {
    matches!(
        right,
        Right::See | Right::Join | Right::Read | Right::Leave | Right::DeleteOwn
    )
}

impl From<Denied> for Error {
    fn from(denied: Denied) -> Self {
        match denied {
            Denied::Absent => Self::no_such_room(),
            Denied::JoinFirst => Self::new(
                Kind::Forbidden,
                Code::JoinFirst,
                "Only members can do this; join the room first.",
            ),
            Denied::Forbidden => Self::new(
                Kind::Forbidden,
                Code::Forbidden,
                "Your role in this room does not allow this.",
            ),
            Denied::OrderKept => Self::new(
                Kind::Forbidden,
                Code::Forbidden,
                "This person was removed from the room: only its moderators and owners can bring them back.",
            ),
            Denied::NotInDirect => Self::new(
                Kind::Forbidden,
                Code::Forbidden,
                "This cannot be done in a direct room: its members are fixed, and all of them are alike.",
            ),
            Denied::NotInGeneral => Self::new(
                Kind::Forbidden,
                Code::Forbidden,
                "This cannot be done in general: everyone is in it, and it stays what it is.",
            ),
            Denied::Muted => Self::new(
                Kind::Forbidden,
                Code::Muted,
                "You are muted in this room: you can read it, and write again when that is over.",
            ),
            Denied::Archived => Self::new(
                Kind::Conflict,
                Code::RoomArchived,
                "This room is archived: it can be read, and not be changed.",
            ),
        }
    }
}

#[cfg(test)]
mod tests;
