//! Threads: going into one and out of it.

use parlour_client::effect::Effect;

use super::{
    chat::Chat,
    rooms::{go_to, go_to_place},
    state::{About, State},
};
use crate::protocol::message::{Kind, Message};

/// Opens the thread under the chosen message, or the last one that has replies or could have; in a thread, goes back to its
/// room.
pub fn open_or_leave(state: &mut State) -> Vec<Effect> {
    let Some((room, thread)) = state.chat.as_ref().map(Chat::place) else {
        return Vec::new();
    };
    if thread.is_some() {
        return leave(state);
    }
    let Some(first) = to_open(state) else {
        let text = "There is no message here that could have a thread: choose one with Alt+Up.";
        state.hint(About::Typed, text);
        return Vec::new();
    };
    if let Some(chat) = &mut state.chat {
        chat.picked = None;
    }
    go_to_place(state, &(room, Some(first)))
}

/// The first message of the thread that is meant: of a reply, that of its own thread.
fn to_open(state: &State) -> Option<u64> {
    let timeline = state.timeline()?;
    let message = match state.chat.as_ref()?.picked {
        Some(id) => timeline.message(id)?,
        None => timeline.latest().find(|message| has_place(message))?,
    };
    let first = message.thread.unwrap_or(message.id);
    (message.thread.is_some() || has_place(message)).then_some(first)
}

/// Whether a thread can be under a message, or it is in one.
fn has_place(message: &Message) -> bool {
    let is_left = message.deleted_at.is_some() && message.replies.is_none();
    message.kind == Kind::Text && !is_left
}

/// Goes from a thread back to its room.
pub fn leave(state: &mut State) -> Vec<Effect> {
    let Some(room) = state.chat.as_ref().map(|chat| chat.room.clone()) else {
        return Vec::new();
    };
    go_to(state, &room)
}

/// What is written next in a thread is to stand in the room itself, too; or not.
pub fn also_to_room(state: &mut State) {
    match &mut state.chat {
        Some(chat) if chat.thread.is_some() => chat.is_also_to_room = !chat.is_also_to_room,
        _ => state.hint(About::Typed, "You are in no thread: Alt+T opens one."),
    }
}
