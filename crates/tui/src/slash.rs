//! The commands that the server carries out: those that the terminal has itself come first.

use parlour_client::{effect::Effect, store::Deed};

use super::{
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
        state.hint(About::Typed, done);
    }
    effects
}
