//! The limits that a client must keep to, each declared here once: what is checked, what the documents say and what
//! clients do all read it from here. Those that a server sets are told in the first frame of a socket.

use std::ops::RangeInclusive;

use serde::{Deserialize, Serialize};

/// Shortest and longest name of a user, in characters.
pub const NAME: RangeInclusive<usize> = 3..=50;
/// Shortest password, in characters (OWASP ASVS 5.0, 6.2.1).
pub const MIN_PASSWORD_CHARACTERS: usize = 8;
/// Longest password in bytes, composed (NFC): what bcrypt takes before it would cut in silence.
pub const MAX_PASSWORD_BYTES: usize = 72;
/// Longest e-mail address, in bytes (RFC 5321, 4.5.3.1.3, less the brackets).
pub const MAX_EMAIL: usize = 254;
/// Longest `ref`, in characters.
pub const MAX_REF: usize = 64;
/// Longest `client_id`, in characters.
pub const MAX_CLIENT_ID: usize = 64;
/// Most messages of a page.
pub const MAX_PAGE: i64 = 200;
/// Messages of a page unless the caller says how many.
pub const DEFAULT_PAGE: i64 = 50;
/// Most bytes of a page, as JSON; one message is always whole.
pub const PAGE_BYTES: usize = 512 * 1024;
/// Direct rooms that the first frame of a socket lists: those in which something happened last. Anyone may open one with
/// anyone, so there may be any number.
pub const FIRST_DIRECTS: i64 = 200;
/// Longest name of a room, in characters.
pub const MAX_ROOM_NAME: usize = 64;
/// Longest topic of a room, in characters.
pub const MAX_TOPIC: usize = 250;
/// Most users that whoever makes a room can bring in at once.
pub const MAX_FIRST_USERS: usize = 100;
/// Rooms that a client asks for with one `sync`, so that its frame is not too long whatever their keys and numbers are. Whoever is
/// in more (the rooms that one may come into, be brought into and be told of at first are more together) asks several times.
pub const MAX_SYNC: usize = 1_000;
/// Different reactions that a message may have.
pub const MAX_KINDS_OF_REACTIONS: u32 = 50;
/// Different reactions of one person to a message.
pub const MAX_REACTIONS_OF_USER: u32 = 20;
/// How often a message may be edited. All that it said before goes in one transaction when it is deleted, for which everyone waits.
pub const MAX_EDITS: u32 = 200;
/// Longest wait between two messages of a member, in seconds: a day.
pub const MAX_SLOW_SECONDS: u32 = 86_400;

/// Most that someone may have waiting to be said later, what could not be said among it.
pub const MAX_SCHEDULED: u32 = 100;
/// How far ahead something may be scheduled, in days: a year, and the day by which it may be longer.
pub const MAX_SCHEDULED_DAYS: u32 = 366;

/// Longest display name, in characters.
pub const MAX_DISPLAY_NAME: usize = 64;
/// Longest text that people tell of themselves, in characters.
pub const MAX_BIO: usize = 500;
/// Longest pronouns, in characters.
pub const MAX_PRONOUNS: usize = 40;
/// Longest text of a status, in characters.
pub const MAX_STATUS: usize = 100;
/// Most members of `general` with which it counts as a room that people share.
pub const MOST_WHO_SHARE_GENERAL: u64 = 500;
/// Most members of a room in which is told who is typing.
pub const MOST_TO_SEE_TYPING: u64 = 200;

/// What a client may do, as the `connected` frame tells it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "documents", derive(schemars::JsonSchema))]
pub struct Limits {
    /// Longest content of a message, in bytes of UTF-8.
    pub content_bytes: usize,
    /// Longest WebSocket message, in bytes.
    pub frame_bytes: usize,
    /// Messages a second that one user may send, on average.
    pub messages_per_second: u32,
    /// Messages that one user may send at once.
    pub message_burst: u32,
    /// Sockets that one user may have open.
    pub sockets_per_user: usize,
    /// Messages that may wait for their ack on one socket.
    pub unacked_per_socket: usize,
    /// Frames that may wait for a slow reader before it is told `lag`.
    #[serde(default)]
    pub queue_frames: usize,
    /// Bytes that may wait for a slow reader before it is told `lag`.
    #[serde(default)]
    pub queue_bytes: usize,
    /// Milliseconds without a byte taken before a reader is cut off (4008).
    #[serde(default)]
    pub slow_reader_ms: u64,
    /// Milliseconds to answer a ping before a socket is closed (4002).
    #[serde(default)]
    pub ping_timeout_ms: u64,
    /// Rooms that one user may be in by their own doing, and as many again that others have brought them into. Direct ones do
    /// not count.
    #[serde(default)]
    pub rooms_per_user: u32,
    /// Members that a room may have; `general` has everyone.
    #[serde(default)]
    pub members_per_room: u32,
    /// Rooms that one user may make in an hour, beside direct ones.
    #[serde(default)]
    pub rooms_per_hour: u32,
    /// New direct rooms that one user may open in an hour.
    #[serde(default)]
    pub direct_rooms_per_hour: u32,
    /// People that a direct room may have.
    #[serde(default)]
    pub people_per_direct: u32,
    /// Longest name of a room, in characters.
    #[serde(default)]
    pub room_name_characters: usize,
    /// Longest topic of a room, in characters.
    #[serde(default)]
    pub topic_characters: usize,
    /// Different reactions that a message may have.
    #[serde(default)]
    pub reactions_per_message: u32,
    /// Different reactions of one person to a message.
    #[serde(default)]
    pub reactions_per_user: u32,
    /// How often a message may be edited.
    #[serde(default)]
    pub edits_per_message: u32,
    /// Longest wait between two messages of a member that a room may have, in seconds.
    #[serde(default)]
    pub slow_seconds: u32,
    /// Most that one user may have waiting to be said later, what could not be said among it.
    #[serde(default)]
    pub scheduled_per_user: u32,
    /// How far ahead something may be scheduled, in days.
    #[serde(default)]
    pub scheduled_days: u32,
}

impl Limits {
    /// Those of a server whose settings name no others.
    pub const DEFAULT: Self = Self {
        content_bytes: 16 * 1024,
        frame_bytes: 64 * 1024,
        messages_per_second: 10,
        message_burst: 30,
        sockets_per_user: 20,
        unacked_per_socket: 32,
        queue_frames: 256,
        queue_bytes: 256 * 1024,
        slow_reader_ms: 10_000,
        ping_timeout_ms: 10_000,
        rooms_per_user: 500,
        members_per_room: 10_000,
        rooms_per_hour: 20,
        direct_rooms_per_hour: 30,
        people_per_direct: 50,
        room_name_characters: MAX_ROOM_NAME,
        topic_characters: MAX_TOPIC,
        reactions_per_message: MAX_KINDS_OF_REACTIONS,
        reactions_per_user: MAX_REACTIONS_OF_USER,
        edits_per_message: MAX_EDITS,
        slow_seconds: MAX_SLOW_SECONDS,
        scheduled_per_user: MAX_SCHEDULED,
        scheduled_days: MAX_SCHEDULED_DAYS,
    };
}

impl Default for Limits {
    fn default() -> Self {
        Self::DEFAULT
    }
}
