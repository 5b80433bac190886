//! What people want to have said later.

use serde::{Deserialize, Serialize};
use strum::{EnumString, IntoStaticStr};

use super::{
    code::Code,
    time::{self, Timestamp},
};

/// What is to come.
#[derive(
    Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, IntoStaticStr, EnumString,
)]
#[cfg_attr(feature = "documents", derive(schemars::JsonSchema, utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
#[strum(serialize_all = "snake_case")]
pub enum ScheduledKind {
    /// A message.
    #[default]
    Message,
    /// A reminder: a message, which one has asked for by `/remind`.
    Reminder,
}

impl ScheduledKind {
    /// The word on the wire and in the database.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        self.into()
    }
}

/// Something that you want to have said later, or that could not be said. No one else knows of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "documents", derive(schemars::JsonSchema, utoipa::ToSchema))]
pub struct Scheduled {
    /// Its number.
    pub id: u64,
    /// What is to come.
    #[serde(default)]
    pub kind: ScheduledKind,
    /// The key of the room in which it is to be said.
    pub room: String,
    /// The room's present name, as long as you are in it. A direct room has none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// The text.
    pub content: String,
    /// The text was changed in the database, or the key is missing: it cannot be sent.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub unreadable: bool,
    /// When.
    #[serde(with = "time")]
    #[cfg_attr(
        feature = "documents",
        schemars(with = "chrono::DateTime<chrono::Utc>"),
        schema(value_type = String, format = DateTime, example = "2026-12-24T18:00:00.000000+00:00")
    )]
    pub send_at: Timestamp,
    /// The first message of the thread in which it is to be a reply.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub thread: Option<u64>,
    /// With that: it is to stand in the room itself, too.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub also_to_room: bool,
    /// The message that it answers.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reply_to: Option<u64>,
    /// What the message will be called.
    pub client_id: String,
    /// When it was scheduled.
    #[serde(with = "time")]
    #[cfg_attr(
        feature = "documents",
        schemars(with = "chrono::DateTime<chrono::Utc>"),
        schema(value_type = String, format = DateTime, example = "2026-11-22T14:07:45.123456+00:00")
    )]
    pub created_at: Timestamp,
    /// Why it could not be said. It stays until you delete it, or give it another time.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub failed: Option<NotSent>,
}

/// Why something could not be said.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "documents", derive(schemars::JsonSchema, utoipa::ToSchema))]
pub struct NotSent {
    /// A stable word for programs, as an answer would have had it.
    pub code: Code,
    /// One plain sentence for people.
    pub detail: String,
}

/// `POST /api/scheduled`.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[cfg_attr(feature = "documents", derive(utoipa::ToSchema))]
pub struct NewScheduled {
    /// The key or the name of the room.
    #[cfg_attr(feature = "documents", schema(example = "general"))]
    pub room: String,
    /// The text, within the limits of a message.
    #[cfg_attr(
        feature = "documents",
        schema(
            pattern = "^[^\\x00]*[^\\s\\x00-\\x1f\\x7f-\\x9f\\u00ad\\u034f\\u061c\\u115f\\u1160\\u17b4\\u17b5\\u180b-\\u180f\\u200b-\\u200f\\u202a-\\u202e\\u2060-\\u206f\\u2800\\u3164\\ufe00-\\ufe0f\\ufeff\\uffa0\\ufff0-\\ufffb\u{1bca0}-\u{1bca3}\u{1d173}-\u{1d17a}\u{e0000}-\u{e0fff}][^\\x00]*$",
            example = "Happy new year!"
        )
    )]
    pub content: String,
    /// When: a moment to come, within 366 days.
    #[serde(with = "time")]
    #[cfg_attr(feature = "documents", schema(value_type = String, format = DateTime, example = "2026-12-31T23:00:00+00:00"))]
    pub send_at: Timestamp,
    /// What you call it, so that a retry schedules it once, and what the message will be called.
    #[serde(default)]
    #[cfg_attr(
        feature = "documents",
        schema(pattern = r"^[^\x00-\x1f\x7f-\x9f]+$", example = "7f2c")
    )]
    pub client_id: Option<String>,
    /// The message that it answers.
    #[serde(default)]
    #[cfg_attr(feature = "documents", schema(minimum = 1))]
    pub reply_to: Option<u64>,
    /// The first message of the thread in which it is to be a reply.
    #[serde(default)]
    #[cfg_attr(feature = "documents", schema(minimum = 1))]
    pub thread: Option<u64>,
    /// With that: it is to stand in the room itself, too.
    #[serde(default)]
    pub also_to_room: bool,
}

/// `PATCH /api/scheduled/{id}`. What is absent stays.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "documents", derive(utoipa::ToSchema))]
pub struct ScheduledPatch {
    /// Another text, within the limits of a message.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(
        feature = "documents",
        schema(
            pattern = "^[^\\x00]*[^\\s\\x00-\\x1f\\x7f-\\x9f\\u00ad\\u034f\\u061c\\u115f\\u1160\\u17b4\\u17b5\\u180b-\\u180f\\u200b-\\u200f\\u202a-\\u202e\\u2060-\\u206f\\u2800\\u3164\\ufe00-\\ufe0f\\ufeff\\uffa0\\ufff0-\\ufffb\u{1bca0}-\u{1bca3}\u{1d173}-\u{1d17a}\u{e0000}-\u{e0fff}][^\\x00]*$",
            example = "Happy new year, all!"
        )
    )]
    pub content: Option<String>,
    /// Another time, to come. What could not be said is tried again then.
    #[serde(
        default,
        with = "time::optional",
        skip_serializing_if = "Option::is_none"
    )]
    #[cfg_attr(feature = "documents", schema(value_type = Option<String>, format = DateTime))]
    pub send_at: Option<Timestamp>,
    /// Another time as people say it, such as `tomorrow at 9`, in the time zone of your profile; in place of `send_at`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub when: Option<String>,
}

/// What has become of something that you want to have said later.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "documents", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum ScheduledChange {
    /// It is new.
    Created,
    /// It has another text or time.
    Changed,
    /// It was taken back.
    Cancelled,
    /// It was said: see `message`.
    Sent,
    /// It could not be said: see `failed`.
    Failed,
    /// One that this program does not know (for clients; the server never sends it).
    #[serde(other, skip_serializing)]
    #[cfg_attr(feature = "documents", schemars(skip))]
    Unknown,
}

/// `{"type":"scheduled","change","scheduled":{…},"message"?}`: to your own sockets alone.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "documents", derive(schemars::JsonSchema))]
pub struct ScheduledNews {
    /// What has become of it.
    pub change: ScheduledChange,
    /// As it is now, or was last.
    pub scheduled: Scheduled,
    /// With `sent`: the message's number in its room.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub message: Option<u64>,
}
