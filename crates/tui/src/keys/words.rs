//! What a line that starts with a slash does. The words stand in `commands`.

use parlour_client::{api::Ask, effect::Effect};

use super::act;
use crate::{
    acts,
    chat::Chat,
    commands::{self, Action},
    later, people, profile,
    protocol::room::RoomKind,
    rooms, slash,
    state::{About, Line, State},
    telling,
};

/// Does what the line asks for.
pub(super) fn obey(state: &mut State, text: &str) -> Vec<Effect> {
    state.lines.retain(|line| line.ask.is_some());
    let command = text.trim_start_matches('/');
    let (word, rest) = command
        .split_once(char::is_whitespace)
        .unwrap_or((command, ""));
    let rest = rest.trim();
    if let Some(effects) = is_doubtful(state, text, word, rest) {
        clear(state);
        return effects;
    }
    let wrong = match commands::of_word(word) {
        Some((_, None)) if !rest.is_empty() => {
            format!("/{word} takes nothing behind it. To send a line that starts with /, write //.")
        }
        Some((Action::Topic, _)) if rest.is_empty() || is_direct(state) => topic(state),
        Some((action @ (Action::Notify | Action::Quiet | Action::Zone), _)) if rest.is_empty() => {
            telling::told(state, action)
        }
        Some((_, Some(behind))) if rest.is_empty() => format!("Write /{word} {behind}."),
        Some((action, None)) => {
            clear(state);
            return act(state, action);
        }
        Some((action, Some(_))) => match ask_for(state, action, rest) {
            Ok(effects) => {
                remember(state, action, text, &effects);
                return effects;
            }
            Err(why) => why,
        },
        None if let Some(effects) = slash::send(state, word, text) => return effects,
        None => format!(
            "There is no command /{word}: /help lists them. To send a line that starts with /, write //."
        ),
    };
    // What was written stays where it can be changed: it may be a message that happens to start with a slash.
    state.hint(About::Written, wrong);
    Vec::new()
}

/// Does what a word and what stands behind it ask for. The line is cleared, unless it has to be corrected.
fn ask_for(state: &mut State, action: Action, rest: &str) -> Result<Vec<Effect>, String> {
    let chat = state.chat.as_ref();
    let written = chat.map(|chat| (chat.room.clone(), chat.input.clone()));
    clear(state);
    let done = if action == Action::WhoIs {
        Ok(people::ask_about(state, rest))
    } else if action == Action::Reschedule {
        later::set_time(state, rest)
    } else if matches!(action, Action::Notify | Action::Quiet | Action::Zone) {
        telling::set(state, action, rest)
    } else if matches!(action, Action::Name | Action::Pronouns | Action::Bio) {
        Ok(profile::set(action, rest))
    } else if action == Action::React {
        let effects = acts::obey(state, action, rest);
        match state.hint.take() {
            Some(hint) => Err(hint.text),
            None => Ok(effects),
        }
    } else {
        rooms::obey(state, action, rest)
    };
    if let (Err(_), Some((room, input))) = (&done, written)
        && let Some(chat) = state.chat_of(&room)
    {
        chat.input = input;
    }
    done
}

fn clear(state: &mut State) {
    if let Some(chat) = &mut state.chat {
        chat.set_input("");
    }
}

/// Keeps a line until what it asks is answered: it comes back if that is refused.
fn remember(state: &mut State, action: Action, text: &str, effects: &[Effect]) {
    let Some(place) = state.chat.as_ref().map(Chat::place) else {
        return;
    };
    let line = |ask| Line {
        ask,
        place: place.clone(),
        text: text.to_owned(),
    };
    let asks = effects.iter().filter_map(|effect| match effect {
        // What a room is shown with is no order.
        Effect::Ask(Ask::Draft { .. } | Ask::PutDraft { .. }) => None,
        Effect::Ask(ask) => Some(line(Some(ask.clone()))),
        _ => None,
    });
    state.lines.extend(asks);
    if action == Action::React {
        state.lines.push(line(None));
    }
}

fn is_direct(state: &State) -> bool {
    let room = state.room();
    room.is_some_and(|room| room.about().kind == RoomKind::Direct)
}

/// What a line asks first that would take the user out of a room for good, if that was not told just before.
fn is_doubtful(state: &mut State, text: &str, word: &str, rest: &str) -> Option<Vec<Effect>> {
    let told = state.doubted.take();
    state.leaving = None;
    let (action, _) = commands::of_word(word)?;
    let line = (state.chat.as_ref()?.room.clone(), text.to_owned());
    let is_told = told.as_ref() == Some(&line);
    if action != Action::LeaveRoom || !rest.is_empty() || is_told {
        return None;
    }
    rooms::leaving::consider(state, line)
}

/// What the room is about, for who asks with nothing behind the word.
fn topic(state: &State) -> String {
    if is_direct(state) {
        let key = state.chat.as_ref().map_or("", |chat| &chat.room);
        return format!(
            "A direct conversation has no topic, and cannot have one. Its key is {key}."
        );
    }
    let topic = state.room().and_then(|room| room.about().topic.clone());
    let told = match topic.filter(|topic| !topic.is_empty()) {
        Some(topic) => format!("The topic is: {topic} (/topic TEXT sets another, /topic - none)."),
        None => "This room has no topic: write /topic TEXT to set one.".to_owned(),
    };
    let key = state.chat.as_ref().map_or("", |chat| &chat.room);
    format!("{told} The room’s key is {key}.")
}
