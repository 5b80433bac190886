//! What is told of people.

use super::at;
use crate::{
    GENERAL,
    event::Event,
    people::{About, Presence, PresenceNews, Seen, Settings, TypingNews, UserNews},
};

pub(super) fn someone_writes() -> Event {
    Event::Typing(TypingNews {
        room: GENERAL.into(),
        user_id: 8,
        username: "bob".into(),
        thread: None,
    })
}

pub(super) fn profile() -> Event {
    Event::User(UserNews {
        user_id: 8,
        username: "bob".into(),
        about: About {
            display_name: Some("Bob Gardener".into()),
            ..About::default()
        },
    })
}

pub(super) fn settings() -> Settings {
    Settings {
        receipts: true,
        quiet_hours: Some("22:00-07:00".into()),
        time_zone: Some("Europe/Berlin".into()),
    }
}

pub(super) fn presence() -> Event {
    Event::Presence(PresenceNews {
        users: vec![Seen {
            user_id: 8,
            username: "bob".into(),
            state: Presence::Dnd,
            text: Some("at lunch".into()),
            emoji: Some("🍜".into()),
            until: Some(at()),
        }],
        all: false,
    })
}
