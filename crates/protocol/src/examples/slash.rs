//! Slash commands.

use super::at;
use crate::{
    GENERAL,
    command::Command,
    event::{Ack, Event},
    slash::{NewCommand, SendCommand, TABLE},
};

/// The first of the table.
pub(super) fn first() -> Command {
    let text = TABLE.first().map_or("", |entry| entry.example);
    Command::Command(SendCommand {
        room: GENERAL.into(),
        command: NewCommand {
            text: text.into(),
            client_id: Some(super::CLIENT_ID.into()),
            thread: None,
        },
    })
}

pub(super) fn carried_out() -> Event {
    Event::Ack(Ack {
        reference: "14".into(),
        room: GENERAL.into(),
        id: 415,
        seq: 415,
        timestamp: at(),
        duplicate: false,
        done: Some("Said.".into()),
    })
}
