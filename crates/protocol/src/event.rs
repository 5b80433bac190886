//! What the server says on the socket.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::{
    code::Code,
    limits::Limits,
    message::{self, Message, MessageChange},
    people::{PresenceNews, Settings, TypingNews, UserNews},
    reading::{Marker, Notify},
    room::{Person, Role, Room, RoomChanged, RoomKind, is_zero},
    scheduled::ScheduledNews,
    time::{self, Timestamp},
};

/// A frame from the server. A client must ignore types and fields that it does not know.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "documents", derive(schemars::JsonSchema))]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum Event {
    /// A notice: the first frame of a socket, or somebody's coming and going.
    System(System),
    /// Somebody wrote something.
    Message(#[serde(serialize_with = "message::in_frame")] Message),
    /// A message has changed: as it now is.
    MessageChanged(MessageChanged),
    /// The change asked for under `ref` is on disk.
    Ack(Ack),
    /// The request was refused; the socket stays open unless a close code follows.
    Error(ErrorFrame),
    /// Everything up to each `seq` has been sent; what follows is live.
    Synced {
        /// Echo of the `sync` frame's `ref`.
        #[serde(default, rename = "ref", skip_serializing_if = "Option::is_none")]
        reference: Option<String>,
        /// Room → how far this socket now is.
        rooms: BTreeMap<String, SyncedRoom>,
    },
    /// You have come into a room, your view of it has changed, or you are in it no more.
    Room(RoomNews),
    /// How far you have read, as one of your devices has said; or how far someone else has, in rooms of up to 64 members.
    Read(Marker),
    /// People who share a room with you are in another state. At most one in 2 seconds.
    Presence(PresenceNews),
    /// Someone is writing in one of your rooms; forget it after 6 seconds, or when their message comes.
    Typing(TypingNews),
    /// Someone who shares a room with you says something else of themselves.
    User(UserNews),
    /// What you have set for yourself is another now; to your own sockets alone.
    Settings(Settings),
    /// What has become of something that you want to have said later.
    Scheduled(ScheduledNews),
    /// You were too slow to be sent everything up to `seq` in this room: fetch from where you are.
    Lag {
        /// The room.
        room: String,
        /// The last change that was not sent.
        seq: u64,
    },
    /// The answer to `ping`.
    Pong {
        /// Echo of the `ping` frame's `ref`.
        #[serde(default, rename = "ref", skip_serializing_if = "Option::is_none")]
        reference: Option<String>,
    },
    /// The server is going away: come back after this time, with `sync`.
    Reconnect {
        /// Milliseconds to wait; differs from socket to socket, so that not all return at once.
        after_ms: u64,
    },
    /// A type that this program does not know (for clients; the server never sends it).
    #[serde(other, skip_serializing)]
    #[cfg_attr(feature = "documents", schemars(skip))]
    Unknown,
}

/// `{"type":"system","message":"…","event":"…"}`: `message` is the text that old clients print.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "documents", derive(schemars::JsonSchema))]
pub struct System {
    /// One sentence for people.
    pub message: String,
    /// What it is about, for programs.
    #[serde(flatten)]
    pub notice: Notice,
}

/// The machine-readable part of a [`System`] frame.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "documents", derive(schemars::JsonSchema))]
#[serde(tag = "event", rename_all = "snake_case")]
pub enum Notice {
    /// Always the first frame of a socket.
    Connected(Box<Connected>),
    /// These users have opened their first socket.
    Joined {
        /// Their names.
        usernames: Vec<String>,
    },
    /// These users have closed their last socket.
    Left {
        /// Their names.
        usernames: Vec<String>,
    },
}

/// What a client needs to know before it can do anything.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "documents", derive(schemars::JsonSchema))]
pub struct Connected {
    /// The caller's id.
    pub user_id: i64,
    /// The caller's name.
    pub username: String,
    /// The login that this socket was opened with.
    pub session: i64,
    /// Names this history; changes only when history was replaced (a restore from a backup).
    pub epoch: String,
    /// A ping comes this often; a client that hears nothing for twice as long may take the line for dead.
    pub heartbeat_ms: u64,
    /// What the server allows.
    pub limits: Limits,
    /// The rooms the caller is a member of; of the direct ones only the 200 in which something happened last.
    pub rooms: Vec<RoomState>,
    /// Direct rooms that are left out of `rooms`; absent: none. `GET /api/rooms` lists them, a `sync` may ask for them, and as
    /// soon as something happens in one, it is told as one that the caller comes into.
    #[serde(default, skip_serializing_if = "is_zero_of_many")]
    pub more_rooms: u64,
    /// What the caller has set for themselves.
    #[serde(default)]
    pub settings: Settings,
    /// Who has a socket open, the caller included; at most 100 of them. Who came or went a moment ago follows as a notice.
    pub online: Vec<String>,
}

#[expect(
    clippy::trivially_copy_pass_by_ref,
    reason = "serde hands over a reference"
)]
fn is_zero_of_many(number: &u64) -> bool {
    *number == 0
}

/// One of the caller's rooms, as the `connected` frame lists it.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "documents", derive(schemars::JsonSchema))]
pub struct RoomState {
    /// The room's key, which never changes.
    pub room: String,
    /// Its present name. A direct room has none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// Who may find it.
    #[serde(default)]
    pub kind: RoomKind,
    /// What it is about.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub topic: Option<String>,
    /// The caller's role in it.
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
        schemars(with = "Option<chrono::DateTime<chrono::Utc>>")
    )]
    pub muted_until: Option<Timestamp>,
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
        schemars(with = "Option<chrono::DateTime<chrono::Utc>>")
    )]
    pub archived_at: Option<Timestamp>,
    /// Of a direct room: all who are in it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub users: Vec<Person>,
    /// Of a direct room: the caller does not want to see it until a message comes.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub hidden: bool,
    /// The last change in the room; what this socket is sent live is above it.
    pub seq: u64,
    /// Up to here the caller has read it.
    #[serde(default)]
    pub read_seq: u64,
    /// Messages above that and up to `seq` of other people, not deleted, in the room's own pages (threads count apart);
    /// stops at 1,000.
    #[serde(default)]
    pub unread: u64,
    /// Those of them that mention the caller; stops at 1,000.
    #[serde(default)]
    pub mentions: u64,
    /// What of it the caller wants to be told.
    #[serde(default)]
    pub notify: Notify,
    /// When the newest message of its own pages was written.
    #[serde(
        default,
        with = "time::optional",
        skip_serializing_if = "Option::is_none"
    )]
    #[cfg_attr(
        feature = "documents",
        schemars(with = "Option<chrono::DateTime<chrono::Utc>>")
    )]
    pub last_at: Option<Timestamp>,
}

impl From<Room> for RoomState {
    fn from(room: Room) -> Self {
        Self {
            room: room.room,
            name: room.name,
            kind: room.kind,
            topic: room.topic,
            role: room.role,
            muted_until: room.muted_until,
            slow_seconds: room.slow_seconds,
            archived_at: room.archived_at,
            users: room.users,
            hidden: room.hidden,
            seq: room.seq,
            read_seq: room.read_seq.unwrap_or_default(),
            unread: room.unread.unwrap_or_default(),
            mentions: room.mentions.unwrap_or_default(),
            notify: room.notify.unwrap_or_else(|| Notify::usual_in(room.kind)),
            last_at: room.last_at,
        }
    }
}

/// `{"type":"room",…}`: the caller has come into a room, the caller's view of it has changed, or the caller is in it no more.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "documents", derive(schemars::JsonSchema))]
#[serde(untagged)]
pub enum RoomNews {
    /// What is named in `changed` is another now.
    Changed(RoomChanged),
    /// What is in it above its `seq` follows.
    Here(RoomState),
    /// Nothing more comes of it.
    Gone(Gone),
}

/// A room that the caller is not in.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "documents", derive(schemars::JsonSchema))]
pub struct Gone {
    /// The room's key.
    pub room: String,
    /// True.
    pub gone: bool,
}

impl RoomNews {
    /// The caller is in this room, and is sent what is in it above `seq`.
    #[must_use]
    pub fn here(state: RoomState, seq: u64) -> Self {
        Self::Here(RoomState { seq, ..state })
    }

    /// The caller is not in this room any more.
    #[must_use]
    pub fn gone(room: String) -> Self {
        Self::Gone(Gone { room, gone: true })
    }
}

/// A message that has changed, by whom, and in what. A client that catches up is told the message alone.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "documents", derive(schemars::JsonSchema))]
pub struct MessageChanged {
    /// The whole message as it now is.
    #[serde(flatten, serialize_with = "message::in_frame")]
    pub message: Message,
    /// Who has changed it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub by: Option<i64>,
    /// In what.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub change: Option<MessageChange>,
}

/// `{"type":"ack","ref","room","id","seq","timestamp","duplicate"}`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "documents", derive(schemars::JsonSchema))]
pub struct Ack {
    /// Echo of the request's `ref`.
    #[serde(rename = "ref")]
    pub reference: String,
    /// The room's name.
    pub room: String,
    /// The message's number.
    pub id: u64,
    /// The change's number.
    pub seq: u64,
    /// When it was stored.
    #[serde(with = "time")]
    #[cfg_attr(
        feature = "documents",
        schemars(with = "chrono::DateTime<chrono::Utc>")
    )]
    pub timestamp: Timestamp,
    /// True when this `client_id` had been stored before: the numbers are those of the first time.
    pub duplicate: bool,
    /// What a slash command has done, in one plain sentence for whoever typed it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub done: Option<String>,
}

/// `{"type":"error","ref"?,"code","detail","retry_after_ms"?}`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "documents", derive(schemars::JsonSchema))]
pub struct ErrorFrame {
    /// Echo of the request's `ref`, when it had one.
    #[serde(default, rename = "ref", skip_serializing_if = "Option::is_none")]
    pub reference: Option<String>,
    /// A stable word for programs.
    pub code: Code,
    /// One plain sentence for people.
    pub detail: String,
    /// When it makes sense to try again.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub retry_after_ms: Option<u64>,
    /// With `room_exists`: the key of the room that is there.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub room: Option<String>,
    /// With `room_exists`: the kind of that room.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub kind: Option<RoomKind>,
}

/// What became of a room in a `sync`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "documents", derive(schemars::JsonSchema))]
#[serde(untagged)]
pub enum SyncedRoom {
    /// It was brought up to date.
    Upto(Upto),
    /// There is no such room, or the caller is not in it.
    Gone {
        /// True.
        gone: bool,
    },
}

/// How far a room has been brought up to date.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "documents", derive(schemars::JsonSchema))]
pub struct Upto {
    /// Everything up to here has been sent.
    pub seq: u64,
    /// False: there is more than one answer holds; read it page by page with `since`.
    pub complete: bool,
}

impl SyncedRoom {
    /// Everything up to `seq` has been sent; `complete` unless there is more.
    #[must_use]
    pub fn upto(seq: u64, complete: bool) -> Self {
        Self::Upto(Upto { seq, complete })
    }

    /// There is no such room for the caller.
    #[must_use]
    pub fn gone() -> Self {
        Self::Gone { gone: true }
    }
}

impl Event {
    /// The frame's text.
    #[must_use]
    pub fn to_json(&self) -> String {
        // Maps with string keys, strings and integers only: serde_json cannot fail on these.
        serde_json::to_string(self).unwrap_or_default()
    }
}

/// The sentence for people who came (`joined`) or went (`left`) within the same moment.
#[must_use]
pub fn crowd_sentence(usernames: &[String], verb: &str) -> String {
    match usernames {
        [one] => format!("{one} {verb} the chat"),
        [one, two] => format!("{one} and {two} {verb} the chat"),
        [one, two, three] => format!("{one}, {two} and {three} {verb} the chat"),
        [one, two, rest @ ..] => format!("{one}, {two} and {} others {verb} the chat", rest.len()),
        [] => String::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_crowd_is_told_in_one_sentence() {
        let names: Vec<String> = (0..39).map(|n| format!("u{n}")).collect();
        assert_eq!(crowd_sentence(&names[..1], "joined"), "u0 joined the chat");
        assert_eq!(
            crowd_sentence(&names[..2], "left"),
            "u0 and u1 left the chat"
        );
        assert_eq!(
            crowd_sentence(&names, "joined"),
            "u0, u1 and 37 others joined the chat"
        );
    }

    #[test]
    fn a_frame_of_an_unknown_type_is_read_as_unknown() {
        let event: Event = serde_json::from_str(r#"{"type":"fireworks","n":1}"#).expect("reads");
        assert_eq!(event, Event::Unknown);
    }

    #[test]
    fn a_joined_notice_reads_back_as_it_was_written() {
        let notice = Notice::Joined {
            usernames: vec!["bob".into()],
        };
        let event = Event::System(System {
            message: "bob joined the chat".into(),
            notice,
        });
        let text = event.to_json();
        assert_eq!(
            text,
            r#"{"type":"system","message":"bob joined the chat","event":"joined","usernames":["bob"]}"#
        );
        assert_eq!(serde_json::from_str::<Event>(&text).expect("reads"), event);
    }
}
