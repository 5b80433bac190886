//! How far people have read, what is unread, and what they want to be told of.

use serde::{Deserialize, Serialize};
use strum::{EnumString, IntoStaticStr, VariantArray};

use crate::room::RoomKind;

/// Where counts of what is unread stop.
pub const MOST_COUNTED: u64 = 1_000;
/// Most rows of a room that are looked at for its counts: what the caller has written, too.
pub const MOST_LOOKED_AT: u64 = 3_000;
/// Most members of a room in which people see how far others have read.
pub const MOST_WHO_SHOW: u64 = 64;

/// What of a room its member wants to be told.
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
pub enum Notify {
    /// Every message.
    All,
    /// What mentions them.
    #[default]
    Mentions,
    /// Nothing.
    Nothing,
}

impl Notify {
    /// What holds in a room of this kind as long as nothing else is wanted.
    #[must_use]
    pub fn usual_in(kind: RoomKind) -> Self {
        match kind {
            RoomKind::Direct => Self::All,
            RoomKind::Public | RoomKind::Private => Self::Mentions,
        }
    }

    /// The word on the wire and in the database.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        self.into()
    }
}

/// `PUT /api/rooms/{room}/notify`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "documents", derive(utoipa::ToSchema))]
pub struct SetNotify {
    /// What to tell.
    pub level: Notify,
}

/// `PUT /api/rooms/{room}/read`: how far the caller has read. A marker moves forward only, unless `unread` is set.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "documents", derive(schemars::JsonSchema, utoipa::ToSchema))]
pub struct MarkRead {
    /// Everything up to this number; with `unread`, nothing from this message on.
    pub seq: u64,
    /// In this thread (the id of its first message), and not in the room's own pages.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub thread: Option<u64>,
    /// Unread from `seq` on, on purpose: the marker is set to the number before it, also backwards.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub unread: bool,
}

/// `{"type":"read","room":"general","seq":413}`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "documents", derive(schemars::JsonSchema))]
pub struct ReadUpTo {
    /// The room's key or name.
    pub room: String,
    /// How far.
    #[serde(flatten)]
    pub mark: MarkRead,
}

/// How far someone has read. Of the caller's own marker also what is unread above it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "documents", derive(schemars::JsonSchema, utoipa::ToSchema))]
pub struct Marker {
    /// The room's key.
    pub room: String,
    /// Who.
    pub user_id: i64,
    /// Everything up to here.
    pub seq: u64,
    /// In this thread, by its first message.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub thread: Option<u64>,
    /// Of the caller's own: what is unread.
    #[serde(flatten)]
    pub counts: Option<Counts>,
}

/// What is unread above a marker, as of a change of the room. Each number stops at 1,000.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "documents", derive(schemars::JsonSchema, utoipa::ToSchema))]
pub struct Counts {
    /// Messages of other people that are not deleted.
    pub unread: u64,
    /// Those of them that mention the caller.
    pub mentions: u64,
    /// The room's latest change when this was counted: what comes after it is not in it.
    pub at: u64,
}

/// How far a member has read, as `GET /api/rooms/{room}/reads` lists it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "documents", derive(utoipa::ToSchema))]
pub struct Receipt {
    /// Who.
    pub user_id: i64,
    /// Everything up to here.
    pub seq: u64,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_marker_of_someone_else_has_no_counts_and_ones_own_has() {
        let other = Marker {
            room: "12".into(),
            user_id: 8,
            seq: 4,
            thread: None,
            counts: None,
        };
        let json = serde_json::to_string(&other).expect("JSON");
        assert_eq!(json, r#"{"room":"12","user_id":8,"seq":4}"#);
        assert_eq!(serde_json::from_str::<Marker>(&json).expect("reads"), other);
        let own = Marker {
            thread: Some(3),
            counts: Some(Counts {
                unread: 2,
                mentions: 1,
                at: 9,
            }),
            ..other
        };
        let json = serde_json::to_string(&own).expect("JSON");
        assert_eq!(
            json,
            r#"{"room":"12","user_id":8,"seq":4,"thread":3,"unread":2,"mentions":1,"at":9}"#
        );
        assert_eq!(serde_json::from_str::<Marker>(&json).expect("reads"), own);
    }
}
