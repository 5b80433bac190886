//! What a change of a room does to the views that its members have of it.

use serde::{Deserialize, Serialize};
use strum::VariantArray;

use super::{Role, RoomEvent, RoomKind, takes_none};
use crate::{
    event::RoomState,
    kept::Draft,
    reading::Notify,
    time::{self, Timestamp},
};

/// What has changed in the caller's view of a room. Each field that `changed` names is now as it is here; one that is
/// named and absent is none any more. What is not named is as it was.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "documents", derive(schemars::JsonSchema))]
pub struct RoomChanged {
    /// The room's key.
    pub room: String,
    /// The change after which it is so; absent for what takes no number.
    #[serde(default, skip_serializing_if = "takes_none")]
    pub seq: u64,
    /// Which fields are another.
    pub changed: Vec<RoomField>,
    /// The present name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// Who may find it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub kind: Option<RoomKind>,
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
    /// Seconds that a member waits between two messages.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub slow_seconds: Option<u32>,
    /// What of it the caller wants to be told.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub notify: Option<Notify>,
    /// What the caller has begun to write in it, or in the thread that it names.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub draft: Option<Draft>,
    /// Of a direct room: the caller does not want to see it until a message comes that is newer than `seq`. Absent: it is to be
    /// seen.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub hidden: bool,
}

/// A field of [`RoomChanged`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, VariantArray)]
#[cfg_attr(feature = "documents", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum RoomField {
    /// The present name.
    Name,
    /// Who may find it.
    Kind,
    /// What it is about.
    Topic,
    /// The caller's role in it.
    Role,
    /// Until when the caller may only read.
    MutedUntil,
    /// Since when nothing can be written in it.
    ArchivedAt,
    /// Seconds that a member waits between two messages.
    SlowSeconds,
    /// What of it the caller wants to be told.
    Notify,
    /// What the caller has begun to write in it: no part of what the lists of rooms tell.
    Draft,
    /// Whether the caller does not want to see it for now.
    Hidden,
    /// One that this program does not know (for clients; the server never sends it).
    #[serde(other, skip_serializing)]
    #[cfg_attr(feature = "documents", schemars(skip))]
    Unknown,
}

impl RoomChanged {
    /// Makes what a client knows of the room what it is now.
    pub fn apply_to(self, state: &mut RoomState) {
        state.seq = state.seq.max(self.seq);
        for field in self.changed {
            match field {
                RoomField::Name => state.name.clone_from(&self.name),
                RoomField::Kind => state.kind = self.kind.unwrap_or(state.kind),
                RoomField::Topic => state.topic.clone_from(&self.topic),
                RoomField::Role => state.role = self.role,
                RoomField::MutedUntil => state.muted_until = self.muted_until,
                RoomField::ArchivedAt => state.archived_at = self.archived_at,
                RoomField::SlowSeconds => {
                    state.slow_seconds = self.slow_seconds.unwrap_or_default();
                }
                RoomField::Notify => state.notify = self.notify.unwrap_or(state.notify),
                RoomField::Hidden => state.hidden = self.hidden,
                RoomField::Draft | RoomField::Unknown => {}
            }
        }
    }

    /// All of a view.
    #[must_use]
    pub fn whole(state: RoomState) -> Self {
        let RoomState {
            room,
            name,
            kind,
            topic,
            role,
            muted_until,
            slow_seconds,
            archived_at,
            users: _,
            hidden,
            seq,
            // What is unread is counted as of another change than this.
            read_seq: _,
            unread: _,
            mentions: _,
            notify,
            last_at: _,
        } = state;
        let fields = RoomField::VARIANTS.iter().copied();
        Self {
            room,
            seq,
            changed: fields
                .filter(|field| !matches!(field, RoomField::Draft | RoomField::Unknown))
                .collect(),
            name,
            kind: Some(kind),
            topic,
            role,
            muted_until,
            archived_at,
            slow_seconds: Some(slow_seconds),
            notify: Some(notify),
            draft: None,
            hidden,
        }
    }

    /// The caller has hidden a direct room, of which this is the newest message, or shows it again.
    #[must_use]
    pub fn hidden(room: String, seq: u64, hidden: bool) -> Self {
        Self {
            room,
            seq,
            changed: vec![RoomField::Hidden],
            hidden,
            ..Self::default()
        }
    }

    /// What a change of this room, made at that moment, does to the view of its members; and of whom alone, if it concerns
    /// only one of them. `None` when it does nothing to it.
    #[must_use]
    pub fn by(
        event: &RoomEvent,
        (room, seq, at): (&str, u64, Timestamp),
    ) -> Option<(Option<i64>, Self)> {
        let mut new = Self {
            room: room.to_owned(),
            seq,
            ..Self::default()
        };
        let mut only = None;
        match event {
            RoomEvent::Renamed { name } => {
                new.changed.push(RoomField::Name);
                new.name = Some(name.clone());
            }
            RoomEvent::Topic { topic } => {
                new.changed.push(RoomField::Topic);
                new.topic = Some(topic.clone()).filter(|topic| !topic.is_empty());
            }
            RoomEvent::Kind { kind } => {
                new.changed.push(RoomField::Kind);
                new.kind = Some(*kind);
            }
            RoomEvent::Archived | RoomEvent::Unarchived => {
                new.changed.push(RoomField::ArchivedAt);
                new.archived_at = (*event == RoomEvent::Archived).then_some(at);
            }
            RoomEvent::SlowMode { seconds } => {
                new.changed.push(RoomField::SlowSeconds);
                new.slow_seconds = Some(*seconds);
            }
            RoomEvent::Role { user_id, role } => {
                // With another role nothing of a mute is left.
                new.changed.extend([RoomField::Role, RoomField::MutedUntil]);
                new.role = Some(*role);
                only = Some(*user_id);
            }
            RoomEvent::Muted { user_id, until } => {
                new.changed.push(RoomField::MutedUntil);
                new.muted_until = *until;
                only = Some(*user_id);
            }
            RoomEvent::Created
            | RoomEvent::Joined { .. }
            | RoomEvent::Invited { .. }
            | RoomEvent::Left { .. }
            | RoomEvent::Kicked { .. }
            | RoomEvent::Unknown => return None,
        }
        Some((only, new))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(second: i64) -> Timestamp {
        Timestamp::from_timestamp(1_700_000_000 + second, 0).expect("a time")
    }

    #[test]
    fn a_view_follows_what_happens_to_the_room() {
        let mut state = RoomState {
            room: "12".into(),
            name: Some("tea".into()),
            role: Some(Role::Member),
            ..RoomState::default()
        };
        let events = [
            RoomEvent::Renamed {
                name: "coffee".into(),
            },
            RoomEvent::Topic {
                topic: "beans".into(),
            },
            RoomEvent::Kind {
                kind: RoomKind::Private,
            },
            RoomEvent::SlowMode { seconds: 5 },
            RoomEvent::Muted {
                user_id: 7,
                until: Some(at(9)),
            },
            RoomEvent::Archived,
        ];
        for (seq, event) in (1..).zip(&events) {
            let (_, changed) = RoomChanged::by(event, ("12", seq, at(0))).expect("a change");
            changed.apply_to(&mut state);
        }
        let all = RoomState {
            room: "12".into(),
            name: Some("coffee".into()),
            kind: RoomKind::Private,
            topic: Some("beans".into()),
            role: Some(Role::Member),
            muted_until: Some(at(9)),
            slow_seconds: 5,
            archived_at: Some(at(0)),
            users: Vec::new(),
            hidden: false,
            seq: 6,
            ..RoomState::default()
        };
        assert_eq!(state, all);
        let mut fresh = RoomState {
            room: "12".into(),
            ..RoomState::default()
        };
        RoomChanged::whole(all).apply_to(&mut fresh);
        assert_eq!(fresh, state);
        let undone = [
            RoomEvent::Topic {
                topic: String::new(),
            },
            RoomEvent::SlowMode { seconds: 0 },
            RoomEvent::Role {
                user_id: 7,
                role: Role::Owner,
            },
            RoomEvent::Unarchived,
        ];
        for event in &undone {
            let (only, changed) = RoomChanged::by(event, ("12", 7, at(0))).expect("a change");
            assert_eq!(only, matches!(event, RoomEvent::Role { .. }).then_some(7));
            let json = serde_json::to_string(&changed).expect("JSON");
            let read: RoomChanged = serde_json::from_str(&json).expect("reads");
            read.apply_to(&mut state);
        }
        for hidden in [true, false] {
            let changed = RoomChanged::hidden("12".into(), 7, hidden);
            let json = serde_json::to_string(&changed).expect("JSON");
            let read: RoomChanged = serde_json::from_str(&json).expect("reads");
            read.apply_to(&mut state);
            assert_eq!(state.hidden, hidden);
        }
        assert_eq!(
            (state.topic, state.muted_until, state.archived_at),
            (None, None, None)
        );
        assert_eq!((state.slow_seconds, state.role), (0, Some(Role::Owner)));
        assert!(RoomChanged::by(&RoomEvent::Created, ("12", 1, at(0))).is_none());
    }
}
