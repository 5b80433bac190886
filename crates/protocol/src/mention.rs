//! Who is mentioned in a text, and where.

use serde::{Deserialize, Serialize};

/// A place in a message's text where someone is mentioned: a user, all in the room, or those of them who are there.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "documents", derive(schemars::JsonSchema, utoipa::ToSchema))]
pub struct Mention {
    /// The user.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub user_id: Option<i64>,
    /// True: all in the room.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub room: bool,
    /// True: those in the room who are there at that moment. They are not counted as mentioned.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub here: bool,
    /// Where it begins in the text, in code points: at the `@`.
    pub from: u32,
    /// Where it ends: at the first code point behind it.
    pub to: u32,
}
