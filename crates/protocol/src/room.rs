//! Rooms, who is in them, and what happens to them.

use serde::{Deserialize, Serialize};
use strum::{EnumString, IntoStaticStr, VariantArray};

use super::{
    reading::Notify,
    time::{self, Timestamp},
};

mod changed;

pub use changed::{RoomChanged, RoomField};

/// Who may find a room, and how people come into it.
#[derive(
    Debug,
    Clone,
    Copy,
    PartialEq,
    Eq,
    Hash,
    Default,
    Serialize,
    Deserialize,
    IntoStaticStr,
    EnumString,
    VariantArray,
)]
#[cfg_attr(feature = "documents", derive(schemars::JsonSchema, utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
#[strum(serialize_all = "snake_case")]
pub enum RoomKind {
    /// Everyone may find and join it.
    #[default]
    Public,
    /// Only its members know of it; they invite others.
    Private,
    /// A conversation of these people and no one else, for ever. It has no name.
    Direct,
}

impl RoomKind {
    /// The word on the wire and in the database.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        self.into()
    }
}

/// What a member may do beside reading and writing.
#[derive(
    Debug,
    Clone,
    Copy,
    PartialEq,
    Eq,
    PartialOrd,
    Ord,
    Hash,
    Default,
    Serialize,
    Deserialize,
    IntoStaticStr,
    EnumString,
    VariantArray,
)]
#[cfg_attr(feature = "documents", derive(schemars::JsonSchema, utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
#[strum(serialize_all = "snake_case")]
pub enum Role {
    /// Reads, writes and invites.
    #[default]
    Member,
    /// Keeps order: deletes messages of others, mutes and removes members, sets the topic.
    Moderator,
    /// May do everything.
    Owner,
}

impl Role {
    /// The word on the wire and in the database.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        self.into()
    }
}

/// What happened to a room, for programs: the `event` of a message of kind `system`, whose `content` says it for people.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "documents", derive(schemars::JsonSchema, utoipa::ToSchema))]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum RoomEvent {
    /// The room was made.
    Created,
    /// Somebody came in by themselves.
    Joined {
        /// Who.
        user_id: i64,
    },
    /// The author of the message brought somebody in.
    Invited {
        /// Whom.
        user_id: i64,
    },
    /// Somebody went.
    Left {
        /// Who.
        user_id: i64,
    },
    /// The author of the message took somebody out.
    Kicked {
        /// Whom.
        user_id: i64,
    },
    /// Somebody has another role now.
    Role {
        /// Who.
        user_id: i64,
        /// Which.
        role: Role,
    },
    /// Somebody may read only, or write again.
    Muted {
        /// Who.
        user_id: i64,
        /// Until when; absent: no longer.
        #[serde(
            default,
            with = "time::optional",
            skip_serializing_if = "Option::is_none"
        )]
        #[cfg_attr(
            feature = "documents",
            schemars(with = "Option<chrono::DateTime<chrono::Utc>>"),
            schema(value_type = Option<String>, format = DateTime)
        )]
        until: Option<Timestamp>,
    },
    /// The room has another name.
    Renamed {
        /// Which.
        name: String,
    },
    /// The room has another topic, or none.
    Topic {
        /// Which; empty: none.
        topic: String,
    },
    /// The room has become public or private.
    Kind {
        /// Which.
        kind: RoomKind,
    },
    /// Nothing can be written any more.
    Archived,
    /// It can be written in again.
    Unarchived,
    /// Members wait this long between two messages.
    SlowMode {
        /// Seconds; 0: not at all.
        seconds: u32,
    },
    /// One that this program does not know (for clients; the server never sends it).
    #[serde(other, skip_serializing)]
    #[cfg_attr(feature = "documents", schemars(skip))]
    Unknown,
}

/// A user, as rooms and reactions name one.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "documents", derive(schemars::JsonSchema, utoipa::ToSchema))]
pub struct Person {
    /// The user's id.
    pub user_id: i64,
    /// The user's name.
    pub username: String,
}

/// A room as one who may see it sees it. Its key, `room`, never changes: `general`, for all others the id in digits.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "documents", derive(schemars::JsonSchema, utoipa::ToSchema))]
pub struct Room {
    /// The key, which never changes.
    pub room: String,
    /// The present name. A direct room has none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// Who may find it.
    #[serde(default)]
    pub kind: RoomKind,
    /// What it is about.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub topic: Option<String>,
    /// The caller's role; absent for one who is not a member.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub role: Option<Role>,
    /// Until when the caller may only read.
    #[serde(
        default,
        with = "time::optional",
        skip_serializing_if = "Option::is_none"
    )]
    #[cfg_attr(
        feature = "documents",
        schemars(with = "Option<chrono::DateTime<chrono::Utc>>"),
        schema(value_type = Option<String>, format = DateTime)
    )]
    pub muted_until: Option<Timestamp>,
    /// The number of its latest change.
    pub seq: u64,
    /// Up to here the caller has read it. (This and the next four are for members.)
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub read_seq: Option<u64>,
    /// Messages above that of other people, not deleted, in the room's own pages (threads count apart); stops at 1,000.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unread: Option<u64>,
    /// Those of them that mention the caller; stops at 1,000.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mentions: Option<u64>,
    /// What of it the caller wants to be told.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub notify: Option<Notify>,
    /// When the newest message of its own pages was written.
    #[serde(
        default,
        with = "time::optional",
        skip_serializing_if = "Option::is_none"
    )]
    #[cfg_attr(
        feature = "documents",
        schemars(with = "Option<chrono::DateTime<chrono::Utc>>"),
        schema(value_type = Option<String>, format = DateTime)
    )]
    pub last_at: Option<Timestamp>,
    /// How many members it has.
    #[serde(default)]
    pub members: u64,
    /// Seconds that a member waits between two messages; 0: none.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub slow_seconds: u32,
    /// Since when nothing can be written in it.
    #[serde(
        default,
        with = "time::optional",
        skip_serializing_if = "Option::is_none"
    )]
    #[cfg_attr(
        feature = "documents",
        schemars(with = "Option<chrono::DateTime<chrono::Utc>>"),
        schema(value_type = Option<String>, format = DateTime)
    )]
    pub archived_at: Option<Timestamp>,
    /// When it was made.
    #[serde(with = "time")]
    #[cfg_attr(
        feature = "documents",
        schemars(with = "chrono::DateTime<chrono::Utc>"),
        schema(value_type = String, format = DateTime)
    )]
    pub created_at: Timestamp,
    /// Of a direct room: all who are in it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub users: Vec<Person>,
    /// Of a direct room: the caller does not want to see it until a message comes.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub hidden: bool,
}

#[expect(
    clippy::trivially_copy_pass_by_ref,
    reason = "serde hands over a reference"
)]
pub(super) fn is_zero(number: &u32) -> bool {
    *number == 0
}

#[expect(
    clippy::trivially_copy_pass_by_ref,
    reason = "serde hands over a reference"
)]
pub(super) fn takes_none(seq: &u64) -> bool {
    *seq == 0
}

/// A member of a room.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "documents", derive(schemars::JsonSchema, utoipa::ToSchema))]
pub struct Member {
    /// The user's id.
    pub user_id: i64,
    /// The user's name.
    pub username: String,
    /// What people call them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub display_name: Option<String>,
    /// What the member may do.
    pub role: Role,
    /// Until when the member may only read.
    #[serde(
        default,
        with = "time::optional",
        skip_serializing_if = "Option::is_none"
    )]
    #[cfg_attr(
        feature = "documents",
        schemars(with = "Option<chrono::DateTime<chrono::Utc>>"),
        schema(value_type = Option<String>, format = DateTime)
    )]
    pub muted_until: Option<Timestamp>,
    /// Since when.
    #[serde(with = "time")]
    #[cfg_attr(
        feature = "documents",
        schemars(with = "chrono::DateTime<chrono::Utc>"),
        schema(value_type = String, format = DateTime)
    )]
    pub joined_at: Timestamp,
}

/// `POST /api/rooms`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "documents", derive(schemars::JsonSchema, utoipa::ToSchema))]
pub struct NewRoom {
    /// 1–64 of `a-z 0-9 _ -`, with at least one letter; kept in small letters.
    #[cfg_attr(
        feature = "documents",
        schema(pattern = r"^[A-Za-z0-9_-]*[A-Za-z][A-Za-z0-9_-]*$")
    )]
    pub name: String,
    /// `public` or `private`.
    #[serde(default)]
    #[cfg_attr(feature = "documents", schema(value_type = String, pattern = "^(public|private)$"))]
    pub kind: RoomKind,
    /// What it is about, in one line.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(
        feature = "documents",
        schema(pattern = r"^[^\x00-\x1f\x7f-\x9f\u2028\u2029]*$")
    )]
    pub topic: Option<String>,
    /// Who is in it from the start, beside the caller: names or ids, 100 at most.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[cfg_attr(feature = "documents", schema(max_items = 100))]
    pub users: Vec<String>,
}

/// `POST /api/direct`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "documents", derive(schemars::JsonSchema, utoipa::ToSchema))]
pub struct NewDirect {
    /// The others: names or ids, 49 at most. None: notes to oneself.
    #[cfg_attr(feature = "documents", schema(max_items = 49))]
    pub users: Vec<String>,
}

/// `PATCH /api/rooms/{room}`: what is absent stays.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "documents", derive(schemars::JsonSchema, utoipa::ToSchema))]
pub struct RoomPatch {
    /// Another name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(
        feature = "documents",
        schema(pattern = r"^[A-Za-z0-9_-]*[A-Za-z][A-Za-z0-9_-]*$")
    )]
    pub name: Option<String>,
    /// Another topic; empty: none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(
        feature = "documents",
        schema(pattern = r"^[^\x00-\x1f\x7f-\x9f\u2028\u2029]*$")
    )]
    pub topic: Option<String>,
    /// `public` or `private`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "documents", schema(value_type = Option<String>, pattern = "^(public|private)$"))]
    pub kind: Option<RoomKind>,
    /// Whether nothing can be written in it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub archived: Option<bool>,
    /// Seconds that a member waits between two messages, a day at most; 0: none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "documents", schema(maximum = 86400))]
    pub slow_seconds: Option<u32>,
}

/// `PUT /api/rooms/{room}/members/{user}`: join, invite, or change a member. What is absent stays.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "documents", derive(schemars::JsonSchema, utoipa::ToSchema))]
pub struct MemberPatch {
    /// Another role.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub role: Option<Role>,
    /// Until when the member may only read; a time that is over: no longer.
    #[serde(
        default,
        with = "time::optional",
        skip_serializing_if = "Option::is_none"
    )]
    #[cfg_attr(
        feature = "documents",
        schemars(with = "Option<chrono::DateTime<chrono::Utc>>"),
        schema(value_type = Option<String>, format = DateTime)
    )]
    pub muted_until: Option<Timestamp>,
}
