//! Who someone is to a room, as it was looked up.

use super::rooms::{self, RoomView};
use crate::{
    db::{rooms::GENERAL_ID, utc},
    protocol::time::Timestamp,
    rights::{RoomFacts, Standing},
};

/// Who the viewer will be to the room at this moment, by all that is known now.
#[must_use]
pub fn of(view: &RoomView, at: Timestamp) -> Standing {
    match (&view.membership, view.removed) {
        (Some((role, muted_until)), _) => Standing::Member {
            role: role.as_str().parse().unwrap_or_default(),
            is_muted: muted_until.is_some_and(|until| utc(until.get()) > at),
        },
        (None, Some(_)) => Standing::Removed,
        (None, None) => Standing::Stranger,
    }
}

/// What of the room decides.
#[must_use]
pub fn facts(view: &RoomView) -> RoomFacts {
    RoomFacts {
        kind: rooms::kind(view),
        is_archived: view.archived_at.is_some(),
        is_general: view.room.id == GENERAL_ID,
    }
}
