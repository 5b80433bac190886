//! Ctrl+K: goes to a room, a public room or a person by a few letters of the name.

use std::collections::BTreeSet;

use crossterm::event::{KeyCode, KeyEvent, KeyModifiers};
use parlour_client::{api::Ask, effect::Effect};

use super::{super::state::State, direct, go_to, label, listed};
use crate::protocol::room::Room;

/// What is shown at most.
const MOST: usize = 50;

/// What was typed, and where the cursor is in the list.
pub struct Switcher {
    /// The letters.
    pub typed: String,
    /// Which of the choices.
    pub at: usize,
    /// The public rooms that the server knows by these letters.
    pub public: Vec<Room>,
}

/// Where one can go.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Choice {
    /// A room that the user is in, and what is unread there.
    Mine(String, String, u64),
    /// A public room that the user is not in, by key and name.
    Public(String, String),
    /// Someone.
    Person(String),
}

impl Switcher {
    /// Opens it, and asks the server for public rooms and for who is in the room on the screen.
    pub fn open(state: &mut State, typed: &str) -> Vec<Effect> {
        let switcher = Self {
            typed: typed.to_owned(),
            at: 0,
            public: Vec::new(),
        };
        let mut effects = vec![switcher.ask()];
        let room = state.chat.as_ref().map(|chat| chat.room.clone());
        effects.extend(room.map(|key| Effect::Ask(Ask::Members(key))));
        state.switcher = Some(switcher);
        effects
    }

    fn ask(&self) -> Effect {
        Effect::Ask(Ask::Directory(self.letters().to_owned()))
    }

    /// The public rooms with these letters have come. What was asked for other ones is late.
    pub fn found(&mut self, letters: &str, rooms: Vec<Room>) {
        if self.letters() == letters {
            self.public = rooms;
        }
    }

    fn letters(&self) -> &str {
        self.typed.trim().trim_start_matches(['#', '*', '@'])
    }
}

/// Where one can go by what is typed, the best first.
#[must_use]
pub fn choices(state: &State, switcher: &Switcher) -> Vec<Choice> {
    let store = &state.client.store;
    let letters = switcher.letters();
    let mine = listed(state).into_iter().map(|(key, room)| {
        let label = label(state, key);
        Choice::Mine(key.to_owned(), label, room.unread().messages)
    });
    let is_mine = |key: &str| store.room(key).is_some_and(|room| !room.is_gone());
    let public = switcher.public.iter().filter(|room| !is_mine(&room.room));
    let public =
        public.filter_map(|room| Some(Choice::Public(room.room.clone(), room.name.clone()?)));
    let people = people(state).into_iter().map(Choice::Person);
    let all = mine.chain(public).chain(people);
    let mut found: Vec<_> = all
        .filter_map(|choice| {
            let rank = rank(choice.name().trim_start_matches(['#', '*', '@']), letters)?;
            Some((rank, choice))
        })
        .collect();
    // Stable: of two that fit as well, the room comes before the person, and before all where something is unread.
    found.sort_by_key(|(rank, choice)| (*rank, !matches!(choice, Choice::Mine(.., 1..))));
    found
        .into_iter()
        .map(|(_, choice)| choice)
        .take(MOST)
        .collect()
}

/// Who is known and has no conversation with the user that is listed: who is online, who shares a room as far as its
/// members were read, and who is in a conversation.
fn people(state: &State) -> Vec<String> {
    let store = &state.client.store;
    let listed = listed(state);
    let alone = listed.iter().filter(|(_, room)| !room.is_gone());
    let alone = alone.filter(|(_, room)| room.about().users.len() == 2);
    let alone = alone.flat_map(|(_, room)| &room.about().users);
    let alone: BTreeSet<_> = alone.map(|user| user.username.as_str()).collect();
    let direct = store.rooms().flat_map(|(_, room)| &room.about().users);
    let direct = direct.map(|user| user.username.as_str());
    let known = state.people.iter().map(String::as_str);
    let all: BTreeSet<_> = store.online().chain(direct).chain(known).collect();
    let others = all
        .into_iter()
        .filter(|name| *name != store.me() && !alone.contains(name));
    let mut others: Vec<_> = others.map(str::to_owned).collect();
    others.sort_by_cached_key(|name| name.to_lowercase());
    others
}

impl Choice {
    fn name(&self) -> &str {
        match self {
            Self::Mine(_, name, _) | Self::Public(_, name) | Self::Person(name) => name,
        }
    }
}

/// How well a name fits the letters: 0 begins with them, 1 has them in it, 2 has them in this order. `None`: not at all.
fn rank(name: &str, letters: &str) -> Option<u8> {
    let (name, letters) = (name.to_lowercase(), letters.to_lowercase());
    if name.starts_with(&letters) {
        return Some(0);
    }
    if name.contains(&letters) {
        return Some(1);
    }
    let mut rest = name.chars();
    letters
        .chars()
        .all(|letter| rest.any(|c| c == letter))
        .then_some(2)
}

/// A key was pressed while it is open.
pub fn press(state: &mut State, key: KeyEvent) -> Vec<Effect> {
    let Some(mut switcher) = state.switcher.take() else {
        return Vec::new();
    };
    let with_control = key.modifiers.contains(KeyModifiers::CONTROL);
    let last = choices(state, &switcher).len().saturating_sub(1);
    let mut effects = Vec::new();
    match key.code {
        KeyCode::Enter => {
            // With nothing that fits it stays open: the next line would be sent to the room that is on the screen.
            if let Some(choice) = choices(state, &switcher).into_iter().nth(switcher.at) {
                return choose(state, choice);
            }
        }
        KeyCode::Up => switcher.at = switcher.at.saturating_sub(1),
        KeyCode::Down | KeyCode::Tab => switcher.at = (switcher.at + 1).min(last),
        KeyCode::Char('k') if with_control => switcher.at = (switcher.at + 1).min(last),
        KeyCode::Char('u') if with_control => switcher.typed.clear(),
        KeyCode::Char(letter) if !with_control => {
            switcher.typed.push(letter);
            switcher.at = 0;
            effects.push(switcher.ask());
        }
        KeyCode::Backspace => {
            switcher.typed.pop();
            switcher.at = 0;
            effects.push(switcher.ask());
        }
        _ => return Vec::new(),
    }
    state.switcher = Some(switcher);
    effects
}

fn choose(state: &mut State, choice: Choice) -> Vec<Effect> {
    match choice {
        Choice::Mine(key, ..) => go_to(state, &key),
        Choice::Public(key, _) => super::join(state, &key),
        Choice::Person(name) => super::set_out(state, direct(&name)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn letters_fit_a_beginning_better_than_the_middle_and_that_better_than_gaps() {
        assert_eq!(rank("garden", "Gar"), Some(0));
        assert_eq!(rank("beergarden", "gar"), Some(1));
        assert_eq!(rank("great-area", "gar"), Some(2));
        assert_eq!(rank("shed", "gar"), None);
        assert_eq!(rank("shed", ""), Some(0));
    }
}
