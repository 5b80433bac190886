//! What counts as read: what was on the screen. And the way to the first message that was not.

use parlour_client::{
    effect::Effect,
    store::{Older, Room},
};

use super::{
    acts,
    chat::Chat,
    draw,
    state::{About, Screen, State},
    view::{Anchor, Part},
};
use crate::protocol::message::Message;

/// So many messages are fetched to find the first unread one; what lies before them is read by scrolling.
const MOST_SOUGHT: usize = 1_500;

/// Where the marker of a room or a thread is, and how much is unread above it.
fn unread_in(room: &Room, thread: Option<u64>) -> (u64, u64) {
    match thread {
        None => (room.marker(), room.unread().messages),
        Some(first) => {
            let followed = room.threads().followed_at(first);
            followed.map_or((first, 0), |thread| {
                (thread.marker().max(first), thread.unread().messages)
            })
        }
    }
}

/// The screen was drawn: what is on it was seen, if the user looks at it and nothing covers it.
pub fn drawn(state: &mut State) {
    if !matches!(state.screen, Screen::Chat) || !state.is_watched || state.is_covered() {
        return;
    }
    let Some(chat) = &state.chat else {
        return;
    };
    if chat.is_held || chat.is_seeking {
        return;
    }
    let place = chat.place();
    // Each key draws the screen: where nothing is unread, there is nothing to look for.
    let unread = state.room().map_or(0, |room| unread_in(room, place.1).1);
    if unread == 0 {
        return;
    }
    if let Some(seen) = draw::view(state).and_then(|view| view.seen()) {
        state.client.store.saw(&place.0, place.1, seen);
    }
}

/// Goes on to where a pane that was just opened is to be: at the first message that is unread, or at its end.
pub fn seek(state: &mut State) -> Vec<Effect> {
    let Some(chat) = state.chat.as_ref().filter(|chat| chat.is_seeking) else {
        return Vec::new();
    };
    let (key, thread) = chat.place();
    let Some(room) = state.room().filter(|room| room.is_known()) else {
        return Vec::new();
    };
    let (marker, unread) = unread_in(room, thread);
    let timeline = state.timeline();
    let is_there = timeline
        .is_some_and(|timeline| timeline.reaches(marker) || timeline.items().len() > MOST_SOUGHT);
    let is_to_come =
        timeline.is_none_or(|timeline| matches!(timeline.older(), Older::Unknown | Older::Loading));
    let Some(chat) = &mut state.chat else {
        return Vec::new();
    };
    if unread == 0 {
        chat.is_seeking = false;
        return Vec::new();
    }
    chat.new_after.get_or_insert(marker);
    if is_there {
        chat.is_seeking = false;
        show_after(state, marker);
    } else if !is_to_come {
        let older = state.client.store.fetch_older(&key, thread);
        return older.into_iter().collect();
    }
    Vec::new()
}

/// Shows the first message after this one that others wrote.
fn show_after(state: &mut State, marker: u64) {
    let me = state.client.store.user_id();
    let is_meant = |message: &&Message| acts::is_there(message) && message.user_id != me;
    let first = state
        .timeline()
        .and_then(|timeline| timeline.messages_after(marker).find(is_meant));
    let Some(part) = first.map(|message| Part::Item((message.id, 0))) else {
        return;
    };
    if draw::view(state).is_some_and(|view| !view.shows(part))
        && let Some(chat) = &mut state.chat
    {
        chat.top = Some(Anchor { part, row: 0 });
    }
}

/// Goes to the first message of the room or thread on the screen that is unread, or was when it was opened.
pub fn to_first(state: &mut State) -> Vec<Effect> {
    let Some((room, chat)) = state.room().zip(state.chat.as_ref()) else {
        return Vec::new();
    };
    let (_, unread) = unread_in(room, chat.thread);
    match (unread, chat.new_after) {
        (0, None) => {
            state.hint(About::Typed, "Nothing is unread here.");
            Vec::new()
        }
        (0, Some(marker)) => {
            show_after(state, marker);
            Vec::new()
        }
        _ => {
            if let Some(chat) = &mut state.chat {
                chat.reopen();
                chat.top = None;
            }
            seek(state)
        }
    }
}

/// Marks the chosen message, or the last one of another, and what follows it, as unread.
pub fn mark_unread(state: &mut State) {
    let Some(id) = acts::chosen(state, false).map(|message| message.id) else {
        let text = "There is no such message here: choose one with Alt+Up.";
        state.hint(About::Typed, text);
        return;
    };
    let Some((key, thread)) = state.chat.as_ref().map(Chat::place) else {
        return;
    };
    state.client.store.unread_from(&key, thread, id);
    if let Some(chat) = &mut state.chat {
        (chat.picked, chat.is_held) = (None, true);
        chat.new_after = Some(id.saturating_sub(1));
    }
    let text = "Unread from there on, until you come back to it or press End.";
    state.hint(About::Typed, text);
}
