//! What a room says of itself, for whoever reads it.

use crate::{
    protocol::{message::Message, room::RoomEvent},
    view::LocalTime,
};

/// The sentence, with its times by the reader's clock: the server has them in UTC.
pub fn said_by_room(message: &Message, local_time: LocalTime) -> String {
    let Some(RoomEvent::Muted {
        until: Some(until), ..
    }) = message.event
    else {
        return message.content.clone();
    };
    let told = until.format("%Y-%m-%d %H:%M UTC").to_string();
    let here = local_time(until).format("%Y-%m-%d %H:%M").to_string();
    message.content.replace(&told, &here)
}
