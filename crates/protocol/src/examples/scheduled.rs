//! What is told of what was to be said later.

use super::at;
use crate::{
    code::Code,
    event::Event,
    scheduled::{NotSent, Scheduled, ScheduledChange, ScheduledKind, ScheduledNews},
};

pub(super) fn failed() -> Event {
    Event::Scheduled(ScheduledNews {
        change: ScheduledChange::Failed,
        scheduled: Scheduled {
            id: 117_440_512,
            kind: ScheduledKind::Message,
            room: "12".into(),
            name: None,
            content: "Happy new year!".into(),
            unreadable: false,
            send_at: at(),
            thread: None,
            also_to_room: false,
            reply_to: None,
            client_id: "7f2c".into(),
            created_at: at(),
            failed: Some(NotSent {
                code: Code::JoinFirst,
                detail: "Only members can do this; join the room first.".into(),
            }),
        },
        message: None,
    })
}
