//! Threads: replies under a message of a room, one level deep.

use serde::{Deserialize, Serialize};

use super::{
    message::Message,
    room::Person,
    time::{self, Timestamp},
};

/// What is under a message, in short.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "documents", derive(schemars::JsonSchema, utoipa::ToSchema))]
pub struct Replies {
    /// Replies that are not deleted.
    pub count: u64,
    /// The last of them; 0 when all are deleted.
    pub last_id: u64,
    /// The room's change by which it came to be so: of two, the one with the greater number holds.
    pub seq: u64,
    /// Who wrote them; 20 at most, those with the lowest ids.
    pub users: Vec<Person>,
}

/// A thread that the caller follows.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "documents", derive(utoipa::ToSchema))]
pub struct Thread {
    /// Its first message.
    pub message: Message,
    /// When someone replied last.
    #[serde(with = "time")]
    #[cfg_attr(
        feature = "documents",
        schema(value_type = String, format = DateTime)
    )]
    pub last_at: Timestamp,
    /// Up to here the caller has read it.
    pub read_seq: u64,
    /// Replies above `read_seq` that others wrote and nobody has deleted; 1,000 at most.
    pub unread: u64,
    /// Those of them that mention the caller; 1,000 at most.
    pub mentions: u64,
}
