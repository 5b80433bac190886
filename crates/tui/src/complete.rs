//! Completing what is being written: after `@` the name of someone, at the start of a line a command.

use std::collections::BTreeSet;

use parlour_client::{api::Ask, effect::Effect};
use ratatui_textarea::{CursorMove, DataCursor};

use super::{chat::Chat, commands, state::State};
use crate::protocol::room::Role;

/// In rooms of more only moderators and owners address all.
const FEW: usize = 20;
/// What is offered at most.
const MOST: usize = 50;

/// What can stand in the place of what is before the cursor.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Offer {
    /// Where it begins in its line, in characters: at the `@` or the slash.
    pub from: usize,
    /// What it can be, the best first.
    pub words: Vec<String>,
}

/// Completions that were taken one after the other.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Turn {
    offer: Offer,
    at: usize,
    /// The cursor behind what was taken.
    cursor: (usize, usize),
}

/// The line before the cursor.
fn before(chat: &Chat) -> (usize, String) {
    let DataCursor(row, column) = chat.input.cursor();
    let line = chat.input.lines().get(row).map_or("", String::as_str);
    (row, line.chars().take(column).collect())
}

/// The word that begins with `@` and ends at the cursor: where it begins, and its letters.
fn name_before(line: &str) -> Option<(usize, &str)> {
    let at = line.rfind('@')?;
    let (head, letters) = (&line[..at], &line[at + 1..]);
    let is_name = |c: char| c.is_alphanumeric() || matches!(c, '_' | '-');
    let is_free = !head.ends_with(|c: char| is_name(c) || c == '@' || c == '\\');
    (is_free && letters.chars().all(is_name)).then(|| (head.chars().count(), letters))
}

/// What is offered for what stands before the cursor.
#[must_use]
pub fn offer(state: &State) -> Option<Offer> {
    let chat = state.chat.as_ref()?;
    if let Some(turn) = &chat.turn
        && turn.cursor == position(chat)
    {
        return Some(turn.offer.clone());
    }
    let (row, line) = before(chat);
    let (from, words) = match line.strip_prefix('/') {
        Some(letters) if row == 0 && letters.chars().all(char::is_alphanumeric) => {
            (0, words(state, letters))
        }
        _ => {
            let (from, letters) = name_before(&line)?;
            (from, names(state, chat, letters))
        }
    };
    (!words.is_empty()).then_some(Offer { from, words })
}

/// Which of the words offered was taken last.
#[must_use]
pub fn taken(chat: &Chat) -> Option<usize> {
    let turn = chat.turn.as_ref()?;
    (turn.cursor == position(chat)).then_some(turn.at)
}

fn position(chat: &Chat) -> (usize, usize) {
    let DataCursor(row, column) = chat.input.cursor();
    (row, column)
}

fn words(state: &State, letters: &str) -> Vec<String> {
    let own = commands::words().map(str::to_owned);
    let others = state.slash.iter().map(|command| command.name.clone());
    let all: BTreeSet<String> = own.chain(others).collect();
    let letters = letters.to_ascii_lowercase();
    let fit = all
        .into_iter()
        .filter(|word| word.starts_with(&letters) && !letters.is_empty());
    fit.map(|word| format!("/{word}")).take(MOST).collect()
}

fn names(state: &State, chat: &Chat, letters: &str) -> Vec<String> {
    let store = &state.client.store;
    let letters = letters.to_lowercase();
    let begins = |name: &str| name.to_lowercase().starts_with(&letters);
    let room = store.room(&chat.room);
    let mut found = BTreeSet::new();
    let members = state.members.get(&chat.room);
    for member in members.into_iter().flatten() {
        let shown = store.people().display_name(member.user_id);
        let mut words = shown.into_iter().flat_map(str::split_whitespace);
        if begins(&member.username) || words.any(begins) {
            found.insert(member.username.clone());
        }
    }
    let users = room.map(|room| room.about().users.as_slice());
    for user in users
        .into_iter()
        .flatten()
        .filter(|user| begins(&user.username))
    {
        found.insert(user.username.clone());
    }
    found.remove(store.me());
    let mut found: Vec<String> = found.into_iter().collect();
    found.sort_by_cached_key(|name| (!begins(name), name.to_lowercase()));
    let role = room.and_then(|room| room.about().role);
    let is_small = members.is_some_and(|members| members.len() <= FEW);
    if is_small || role.is_some_and(|role| role >= Role::Moderator) {
        let all = ["here", "room"].into_iter().filter(|word| begins(word));
        found.extend(all.map(str::to_owned));
    }
    found
        .iter()
        .map(|name| format!("@{name}"))
        .take(MOST)
        .collect()
}

/// Puts the next of the words offered before the cursor. False when nothing is offered.
pub fn complete(state: &mut State) -> bool {
    let Some(offer) = offer(state) else {
        return false;
    };
    let Some(chat) = &mut state.chat else {
        return false;
    };
    let at = taken(chat).map_or(0, |at| (at + 1) % offer.words.len());
    let (_, column) = position(chat);
    for _ in offer.from..column {
        chat.input.move_cursor(CursorMove::Back);
    }
    chat.input.delete_str(column - offer.from);
    chat.input.insert_str(format!("{} ", offer.words[at]));
    let cursor = position(chat);
    chat.turn = Some(Turn { offer, at, cursor });
    true
}

/// Something was typed: asks for who is in the room, if a name is begun and that is not known.
pub fn ask(state: &mut State) -> Option<Effect> {
    let chat = state.chat.as_ref()?;
    let (_, line) = before(chat);
    name_before(&line)?;
    let key = chat.room.clone();
    let is_command = chat
        .input
        .lines()
        .first()
        .is_some_and(|line| line.starts_with('/'));
    if is_command || !state.client.link().is_connected() || !state.members_asked.insert(key.clone())
    {
        return None;
    }
    Some(Effect::Ask(Ask::Members(key)))
}
