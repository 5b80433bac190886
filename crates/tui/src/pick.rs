//! A list from which something is chosen: the threads that one follows, the messages that one has saved, what is to be said later.

use crossterm::event::KeyCode;
use parlour_client::{api::Ask, effect::Effect};

use super::{
    chat::Place,
    later,
    rooms::{go_to_place, label},
    state::{About, State},
    text::{visible, visible_lines},
    view::{Anchor, Part},
};
use crate::protocol::{kept::Saved, message::Message};

/// A list to choose from.
pub struct Picker {
    /// What is listed.
    pub title: &'static str,
    /// What is said when there is nothing.
    pub nothing: &'static str,
    /// What can be chosen, made visible.
    pub choices: Vec<Choice>,
    /// What the keys do with one.
    pub keys: &'static str,
    /// The chosen one.
    pub at: usize,
}

impl Picker {
    /// The chosen one, if it is to be said later.
    fn later(&self) -> Option<u64> {
        match self.choices.get(self.at)?.goal {
            Goal::Later(id) => Some(id),
            Goal::Message(..) => None,
        }
    }
}

/// Something that can be chosen.
pub struct Choice {
    /// Where it is and how it begins.
    pub text: String,
    /// What there is to know of it, in few words.
    pub note: String,
    /// Where it leads.
    pub goal: Goal,
    /// What takes it off the list.
    pub drop: Ask,
}

/// Where something leads that was chosen.
pub enum Goal {
    /// To this message, in a room or thread.
    Message(Place, u64),
    /// To a new text of this message that is to be said later.
    Later(u64),
}

/// What the keys do with a message in a list.
const GOING: &str = " Enter goes there · Delete · Esc ";

/// How a message begins, in one line.
fn beginning(message: &Message) -> String {
    let text = if message.deleted_at.is_some() {
        "(deleted)"
    } else {
        &message.content
    };
    let first = visible_lines(text).find(|line| !line.trim().is_empty());
    format!(
        "{}: {}",
        visible(&message.username),
        first.unwrap_or_default()
    )
}

/// Lists the threads that the user follows, the one with the latest reply first.
pub fn threads(state: &mut State) {
    let rooms = state.client.store.rooms();
    let there = rooms.filter(|(_, room)| !room.is_gone());
    let mut found: Vec<_> = there
        .flat_map(|(key, room)| {
            let followed = room.threads().followed();
            followed.map(move |(first, thread)| (key, first, thread))
        })
        .collect();
    found.sort_by_key(|(.., thread)| std::cmp::Reverse(thread.last_at()));
    let choices = found.into_iter().map(|(key, first, thread)| {
        let unread = thread.unread();
        let note = match (unread.messages, unread.mentions) {
            (0, _) => String::new(),
            (count, 0) => format!("{count} new"),
            (count, mentions) => format!("{count} new, @{mentions}"),
        };
        Choice {
            text: format!(
                "{} {}",
                visible(&label(state, key)),
                beginning(thread.first())
            ),
            note,
            goal: Goal::Message((key.to_owned(), Some(first)), first),
            drop: Ask::Follow {
                room: key.to_owned(),
                id: first,
                on: false,
            },
        }
    });
    let choices = choices.collect();
    state.picker = Some(Picker {
        title: "Threads you follow",
        nothing: "You follow no thread with replies: Alt+T opens one, and who replies follows it.",
        choices,
        keys: GOING,
        at: 0,
    });
}

/// Lists what the user has saved.
pub fn saved(state: &mut State, saved: &[Saved]) {
    let choices = saved.iter().map(|one| {
        let message = &one.message;
        let is_known = state.client.store.room(&message.room).is_some();
        let room = match &one.name {
            Some(name) if !is_known => format!("#{name}"),
            _ => label(state, &message.room),
        };
        let beside = message.thread.filter(|_| !message.also_to_room);
        let at = (state.local_time)(message.created_at);
        Choice {
            text: format!("{} {}", visible(&room), beginning(message)),
            note: at.format("%-d %b").to_string(),
            goal: Goal::Message((message.room.clone(), beside), message.id),
            drop: Ask::Save {
                room: message.room.clone(),
                id: message.id,
                on: false,
            },
        }
    });
    let choices = choices.collect();
    state.picker = Some(Picker {
        title: "Saved messages",
        nothing: "You have saved no message: choose one with Alt+Up, and write /save.",
        choices,
        keys: GOING,
        at: 0,
    });
}

/// A key was pressed while the list is open.
pub fn press(state: &mut State, key: KeyCode) -> Vec<Effect> {
    let Some(picker) = &mut state.picker else {
        return Vec::new();
    };
    let last = picker.choices.len().saturating_sub(1);
    match key {
        KeyCode::Up => picker.at = picker.at.saturating_sub(1),
        KeyCode::Down | KeyCode::Tab => picker.at = (picker.at + 1).min(last),
        KeyCode::Home => picker.at = 0,
        KeyCode::End => picker.at = last,
        KeyCode::Delete if !picker.choices.is_empty() => {
            let choice = picker.choices.remove(picker.at);
            picker.at = picker.at.min(last.saturating_sub(1));
            return vec![Effect::Ask(choice.drop)];
        }
        KeyCode::Char('t' | 'T') if let Some(id) = picker.later() => {
            state.picker = None;
            later::begin_time(state, id);
        }
        KeyCode::Enter => {
            let picker = state.picker.take();
            let chosen = picker.and_then(|picker| picker.choices.into_iter().nth(picker.at));
            match chosen.map(|chosen| chosen.goal) {
                Some(Goal::Message(place, message)) => {
                    let mut effects = go_to_place(state, &place);
                    effects.extend(show(state, message));
                    return effects;
                }
                Some(Goal::Later(id)) => later::begin(state, id),
                None => {}
            }
        }
        _ => state.picker = None,
    }
    Vec::new()
}

/// Chooses a message of the room or thread on the screen, and shows it, if it is at hand.
fn show(state: &mut State, id: u64) -> Option<Effect> {
    let is_first = state
        .chat
        .as_ref()
        .is_some_and(|chat| chat.thread == Some(id));
    if is_first {
        return None;
    }
    let is_there = state
        .timeline()
        .is_some_and(|timeline| timeline.message(id).is_some());
    let place = state.chat.as_ref()?.place();
    if !is_there {
        let text = "That message is further up: PageUp reads on.";
        state.hint(About::Typed, text);
        return state.client.store.fetch_older(&place.0, place.1);
    }
    let chat = state.chat.as_mut()?;
    let part = Part::Item((id, 0));
    (chat.picked, chat.is_seeking) = (Some(id), false);
    chat.top = Some(Anchor { part, row: 0 });
    None
}
