//! People: how they are seen, what they say of themselves, and what of this user they are told: that the device is in use,
//! and that something is being written. And the messages that the user saves.

use parlour_client::{
    api::{Answer, Ask},
    effect::Effect,
    link::Millis,
};

use super::{
    acts,
    chat::Task,
    commands::Action,
    complete,
    keys::written,
    pick,
    state::{About, Sheet, State, Wanted},
    text::{visible, visible_lines},
};
use crate::protocol::people::{Presence, Profile, Seen};

/// After so long without a key the device counts as not in use.
const IDLE: Millis = 300_000;

/// The mark of someone who is seen so.
#[must_use]
pub fn mark_of(presence: Presence) -> char {
    match presence {
        Presence::Online => '●',
        Presence::Away => '◐',
        Presence::Dnd => '⊖',
        Presence::Invisible => '◌',
        Presence::Offline | Presence::Unknown => ' ',
    }
}

/// How someone is seen, by name: as was told, or as who has a socket open.
#[must_use]
pub fn presence(state: &State, name: &str) -> Presence {
    let store = &state.client.store;
    if !state.client.link().is_connected() {
        return Presence::Offline;
    }
    let mut known = store.people().all();
    let told = known.find(|seen| seen.username == name);
    let is_here = || store.online().any(|online| online == name);
    match told.map(|seen| seen.state) {
        Some(told) if told != Presence::Offline => told,
        _ if is_here() => Presence::Online,
        _ => Presence::Offline,
    }
}

/// The mark of someone, by name.
#[must_use]
pub fn mark(state: &State, name: &str) -> char {
    mark_of(presence(state, name))
}

/// What someone says of how they are, in a few words.
#[must_use]
pub fn words(seen: &Seen) -> Option<String> {
    let parts = [seen.emoji.as_deref(), seen.text.as_deref()];
    let parts: Vec<_> = parts.into_iter().flatten().collect();
    (!parts.is_empty()).then(|| parts.join(" "))
}

/// A key was pressed: the device is in use.
pub fn in_use(state: &mut State) -> Option<Effect> {
    state.used_at = state.client.now();
    state.client.store.set_idle(false)
}

/// Time has passed.
pub fn not_in_use(state: &mut State) -> Option<Effect> {
    let is_idle = state.client.now() >= state.used_at + IDLE;
    is_idle.then(|| state.client.store.set_idle(true)).flatten()
}

/// Something may have been typed: says so to those who see it, and asks for names if one is begun.
pub fn typed(state: &mut State, before: &str) -> Vec<Effect> {
    let now = written(state);
    if now == before {
        return Vec::new();
    }
    let mut effects = Vec::from_iter(complete::ask(state));
    let Some(chat) = &state.chat else {
        return effects;
    };
    let is_said = !now.trim().is_empty() && !now.starts_with('/');
    if is_said && !matches!(chat.task, Task::Edit(..) | Task::Later(_)) {
        let (room, thread) = chat.place();
        let at = state.client.now();
        effects.extend(state.client.store.write_in(at, &room, thread));
    }
    effects
}

/// Who is writing where the user looks, in a sentence.
#[must_use]
pub fn writing(state: &State) -> Option<String> {
    let chat = state.chat.as_ref()?;
    let people = state.client.store.people();
    let mut names = people.writing(&chat.room, chat.thread, state.client.now());
    names.retain(|name| *name != state.client.store.me());
    match names[..] {
        [] => None,
        [one] => Some(format!("{} is writing…", visible(one))),
        [one, two] => Some(format!(
            "{} and {} are writing…",
            visible(one),
            visible(two)
        )),
        _ => Some("several people are writing…".to_owned()),
    }
}

/// Does what is asked about people and saved messages.
pub fn act(state: &mut State, action: Action) -> Vec<Effect> {
    if action == Action::Saved {
        state.wanted = Some(Wanted::Saved);
        return vec![Effect::Ask(Ask::Saved)];
    }
    let Some(message) = acts::chosen(state, false) else {
        let text = "There is no such message here: choose one with Alt+Up.";
        state.hint(About::Typed, text);
        return Vec::new();
    };
    if action == Action::WhoIs {
        let name = message.username.clone();
        return ask_about(state, &name);
    }
    let (room, id) = (message.room.clone(), message.id);
    let on = !state.client.store.is_saved(&room, id);
    if let Some(chat) = &mut state.chat {
        chat.picked = None;
    }
    let text = if on {
        "Saved: /saved lists what you have saved."
    } else {
        "Not saved any longer."
    };
    state.hint(About::Typed, text);
    vec![Effect::Ask(Ask::Save { room, id, on })]
}

/// Asks what someone says of themselves.
pub fn ask_about(state: &mut State, name: &str) -> Vec<Effect> {
    let name = name.trim_start_matches('@').to_owned();
    state.wanted = Some(Wanted::Card);
    vec![Effect::Ask(Ask::Person(name))]
}

/// What was asked is answered.
pub fn answered(state: &mut State, answer: Answer) {
    let mut is_wanted = |wanted| state.wanted.take_if(|now| *now == wanted).is_some();
    match answer {
        Answer::Person(profile) if is_wanted(Wanted::Card) => {
            let store = &mut state.client.store;
            store.learn_about(profile.id, profile.about.clone());
            state.picker = None;
            state.sheet = Some(card(state, &profile));
        }
        Answer::Saved(saved, _) if is_wanted(Wanted::Saved) => {
            pick::saved(state, &saved);
        }
        _ => {}
    }
}

/// What someone says of themselves.
fn card(state: &State, profile: &Profile) -> Sheet {
    let about = &profile.about;
    let mut lines = vec![format!("Username: {}", visible(&profile.username))];
    let mut line = |what: &str, text: Option<&String>| {
        lines.extend(text.map(|text| format!("{what}: {}", visible(text))));
    };
    line("Name", about.display_name.as_ref());
    line("Pronouns", about.pronouns.as_ref());
    line("Time zone", about.time_zone.as_ref());
    if let Some(presence) = profile.presence {
        let word = match presence {
            Presence::Online => "● online",
            Presence::Away => "◐ away",
            Presence::Dnd => "⊖ not to be disturbed",
            Presence::Invisible => "◌ invisible to others",
            Presence::Offline | Presence::Unknown => "not online",
        };
        lines.push(word.to_owned());
    }
    if let Some(status) = &profile.status {
        let parts = [status.emoji.as_deref(), status.text.as_deref()];
        let parts: Vec<_> = parts.into_iter().flatten().map(visible).collect();
        let until = status.until.map(|until| {
            let until = (state.local_time)(until);
            format!(" (until {})", until.format("%H:%M on %-d %B"))
        });
        if !parts.is_empty() {
            lines.push(parts.join(" ") + &until.unwrap_or_default());
        }
    }
    if let Some(bio) = &about.bio {
        lines.push(String::new());
        lines.extend(visible_lines(bio));
    }
    let since = (state.local_time)(profile.created_at);
    lines.push(String::new());
    lines.push(format!("Here since {}", since.format("%-d %B %Y")));
    Sheet {
        title: format!("@{}", visible(&profile.username)),
        lines,
        row: 0,
    }
}
