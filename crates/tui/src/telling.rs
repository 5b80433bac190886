//! Of what the user is told by the terminal's bell, and when not: what a room may tell of, and quiet hours.

use parlour_client::{api::Ask, effect::Effect};

use super::{
    chat::Chat,
    commands::Action,
    rooms::label,
    state::{About, Screen, State},
    text::visible,
};
use crate::protocol::{
    message::Message,
    people::{Profile, ProfilePatch},
    reading::Notify,
};

/// Messages have come: if one of them is to be told and is not seen at once, the bell is to ring.
pub fn come(state: &mut State, messages: &[Message]) {
    let now = (state.clock)();
    let store = &state.client.store;
    let is_told =
        |message: &&Message| store.is_to_be_told(message, now) && !is_seen(state, message);
    state.bells += messages.iter().filter(is_told).count();
}

/// Whether a message that comes now appears before the user's eyes.
fn is_seen(state: &State, message: &Message) -> bool {
    let beside = message.thread.filter(|_| !message.also_to_room);
    let is_there =
        |chat: &Chat| chat.place() == (message.room.clone(), beside) && chat.top.is_none();
    let looks = matches!(state.screen, Screen::Chat) && state.is_watched && !state.is_covered();
    looks && state.chat.as_ref().is_some_and(is_there)
}

/// Sets what is asked for.
///
/// # Errors
/// A sentence, where it cannot be understood.
pub fn set(state: &State, action: Action, rest: &str) -> Result<Vec<Effect>, String> {
    let text = if rest == "-" {
        String::new()
    } else {
        rest.to_owned()
    };
    let patch = match action {
        Action::Notify => {
            let level = rest.to_ascii_lowercase();
            let level: Notify = level.parse().map_err(|_| {
                "Write /notify all, /notify mentions or /notify nothing.".to_owned()
            })?;
            let room = state.chat.as_ref().map(|chat| chat.room.clone());
            let ask = room.map(|room| Effect::Ask(Ask::Notify(room, level)));
            return Ok(ask.into_iter().collect());
        }
        Action::Quiet => ProfilePatch {
            quiet_hours: Some(text),
            ..ProfilePatch::default()
        },
        _ => ProfilePatch {
            time_zone: Some(text),
            ..ProfilePatch::default()
        },
    };
    Ok(vec![Effect::Ask(Ask::Profile(patch))])
}

/// What is set, for who asks with nothing behind the word.
#[must_use]
pub fn told(state: &State, action: Action) -> String {
    if action == Action::Notify {
        let level = state.room().map(|room| room.about().notify);
        let words = words_of(level.unwrap_or_default());
        return format!(
            "You are told of {words} here: /notify all, /notify mentions or /notify nothing sets it."
        );
    }
    let settings = state.client.store.settings();
    let set = sentence(
        settings.quiet_hours.as_deref(),
        settings.time_zone.as_deref(),
    );
    format!("{set} /quiet 22:00-07:00 and /zone Europe/Berlin set it, - none.")
}

fn words_of(level: Notify) -> &'static str {
    match level {
        Notify::All => "every message",
        Notify::Mentions => "what mentions you",
        Notify::Nothing => "nothing",
    }
}

fn sentence(hours: Option<&str>, zone: Option<&str>) -> String {
    let zone = zone.map_or_else(|| "UTC".to_owned(), visible);
    match hours {
        Some(hours) => format!("Nothing disturbs you at {} ({zone}).", visible(hours)),
        None => format!("You have no quiet hours; your time zone is {zone}."),
    }
}

/// It is set.
pub fn is_set(state: &mut State, profile: &Profile) {
    let zone = profile.about.time_zone.as_deref();
    let text = sentence(profile.quiet_hours.as_deref(), zone);
    state.hint(About::Typed, text);
}

/// What a room may tell of is set.
pub fn is_notified(state: &mut State, room: &str, level: Notify) {
    let (words, label) = (words_of(level), visible(&label(state, room)));
    state.hint(About::Typed, format!("You are told of {words} in {label}."));
}
