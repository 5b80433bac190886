//! The commands that the server carries out: those that the terminal has itself come first.

use parlour_client::{
    effect::Effect,
    store::{Deed, Delivery, Outbox, Store},
};

use super::{
    chat::Place,
    rooms,
    state::{About, State},
};

/// Has the server carry out a line, if it has a command of this word. `None`: it has none.
pub fn send(state: &mut State, word: &str, text: &str) -> Option<Vec<Effect>> {
    let mut known = state.slash.iter();
    known.find(|command| command.name.eq_ignore_ascii_case(word))?;
    let (room, thread) = state.chat.as_ref()?.place();
    match state.client.post(&room, Deed::Command { thread }, text) {
        Ok(effects) => {
            if let Some(chat) = &mut state.chat {
                chat.set_input("");
            }
            state.to_end();
            Some(effects)
        }
        Err(why) => {
            state.hint(About::TooLong, why);
            Some(Vec::new())
        }
    }
}

/// The server has refused what was sent under this `ref`. If it was a command, its line is there again, to be corrected; where
/// something else is written by now, it stays in the conversation, and /edit takes it back.
pub fn refused(state: &mut State, reference: &str) {
    let Some((place, why)) = find_refused(&state.client.store, reference) else {
        return;
    };
    state.hint(About::Typed, why);
    let shown = state.chat.as_mut().filter(|chat| chat.place() == place);
    let pane = shown.or_else(|| state.others.get_mut(&place));
    if let Some(pane) = pane.filter(|pane| pane.input.is_empty())
        && let Some(line) = state.client.store.take_refused(&place.0, place.1)
    {
        pane.set_input(&line.content);
    }
}

/// Where the command was typed that was sent under this `ref`, and why it was refused.
fn find_refused(store: &Store, reference: &str) -> Option<(Place, String)> {
    store.rooms().find_map(|(key, room)| {
        let (thread, why) = refusal(room.outbox(), reference)?;
        Some(((key.to_owned(), thread), why))
    })
}

/// Why the command that was sent under this `ref` was refused, and in which thread it was typed. It is the latest that was
/// refused: nothing is sent before an answer to what was sent last.
fn refusal(outbox: &Outbox, reference: &str) -> Option<(Option<u64>, String)> {
    let refused = outbox.iter().filter_map(|pending| match &pending.delivery {
        Delivery::Refused(why) => Some((pending, why)),
        Delivery::Waiting | Delivery::Sent(_) => None,
    });
    let (last, why) = refused.last()?;
    match last.deed {
        Deed::Command { thread } if last.client_id == reference => Some((thread, why.clone())),
        _ => None,
    }
}

/// What was done, with the command that sets a time zone where the server asks for one: it cannot know what a client has.
fn with_zone(done: &str) -> String {
    let asked = "has no time zone yet: set one";
    done.replacen(asked, &format!("{asked} (/zone Europe/Berlin)"), 1)
}

/// A command was carried out: tells what was done, and goes to the conversation that was asked for.
pub fn carried(state: &mut State, command: &str, room: &str, done: Option<String>) -> Vec<Effect> {
    let mut words = command.split_whitespace();
    let is_to_person = words
        .next()
        .is_some_and(|word| word.eq_ignore_ascii_case("/dm"));
    let effects = if is_to_person && !room.is_empty() {
        rooms::await_key(state, room)
    } else {
        Vec::new()
    };
    if let Some(done) = done {
        state.hint(About::Typed, with_zone(&done));
    }
    effects
}
