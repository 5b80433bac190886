//! What people keep for themselves: what they have begun to write, and messages that they want to find again.

use serde::{Deserialize, Serialize};

use super::{
    message::Message,
    time::{self, Timestamp},
};

/// What the caller has begun to write in a room, or in a thread of it.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "documents", derive(schemars::JsonSchema, utoipa::ToSchema))]
pub struct Draft {
    /// The thread, by its first message; absent: the room itself.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub thread: Option<u64>,
    /// The text; empty when there is none, or when it is `unreadable`.
    pub content: String,
    /// Present and true when what is stored could not be decrypted. There is a draft all the same.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub unreadable: bool,
    /// When it was changed last. Of two, the later one counts.
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
    pub updated_at: Option<Timestamp>,
}

/// `PUT /api/rooms/{room}/draft`.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[cfg_attr(feature = "documents", derive(utoipa::ToSchema))]
pub struct NewDraft {
    /// The text, within the limits of a message. One that shows nothing deletes the draft.
    #[cfg_attr(
        feature = "documents",
        schema(pattern = r"^[^\x00]*$", example = "I think that")
    )]
    pub content: String,
}

/// A message that the caller wants to find again.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "documents", derive(utoipa::ToSchema))]
pub struct Saved {
    /// The message as it is now.
    pub message: Message,
    /// The present name of its room. A direct room has none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// Since when it is saved.
    #[serde(with = "time")]
    #[cfg_attr(feature = "documents", schema(value_type = String, format = DateTime, example = "2026-11-22T14:07:45.123456+00:00"))]
    pub saved_at: Timestamp,
}
