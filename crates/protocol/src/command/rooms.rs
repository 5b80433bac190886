//! What a client may say about rooms and who is in them.

use serde::{Deserialize, Serialize};

use crate::room::{MemberPatch, RoomPatch};

/// `{"type":"join","room":"garden"}`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "documents", derive(schemars::JsonSchema))]
pub struct InRoom {
    /// The room's key or name.
    pub room: String,
}

/// `{"type":"invite","room":"garden","user":"bob"}`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "documents", derive(schemars::JsonSchema))]
pub struct OfUser {
    /// The room's key or name.
    pub room: String,
    /// Whom: a name, or in digits an id.
    pub user: String,
}

/// `{"type":"member","room":"garden","user":"bob","role":"moderator"}`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "documents", derive(schemars::JsonSchema))]
pub struct SetMember {
    /// The room's key or name.
    pub room: String,
    /// Whom: a name, or in digits an id.
    pub user: String,
    /// What is to be so; what is absent stays.
    #[serde(flatten)]
    pub patch: MemberPatch,
}

/// `{"type":"room","room":"garden","topic":"seeds"}`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "documents", derive(schemars::JsonSchema))]
pub struct SetRoom {
    /// The room's key or name.
    pub room: String,
    /// What is to be so; what is absent stays.
    #[serde(flatten)]
    pub patch: RoomPatch,
}
