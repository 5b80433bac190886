//! Completing what is being written: after `@` the name of someone, at the start of a line a command. Who asks for it with the
//! key gets a name without its `@` completed as well, at the end of the text.

use std::collections::BTreeSet;

use parlour_client::{api::Ask, effect::Effect};
use ratatui_textarea::{CursorMove, DataCursor};

use super::{
    chat::Chat,
    commands,
    state::{About, State},
};
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

fn is_name(c: char) -> bool {
    c.is_alphanumeric() || matches!(c, '_' | '-')
}

/// The word that begins with `@` and ends at the cursor: where it begins, and its letters.
fn name_before(line: &str) -> Option<(usize, &str)> {
    let at = line.rfind('@')?;
    let (head, letters) = (&line[..at], &line[at + 1..]);
    let is_free = !head.ends_with(|c: char| is_name(c) || c == '@' || c == '\\');
    (is_free && letters.chars().all(is_name)).then(|| (head.chars().count(), letters))
}

/// The word at the end of the text, behind which the cursor is, if it can be the beginning of a name.
fn bare_name(chat: &Chat) -> Option<(usize, String)> {
    let (row, line) = before(chat);
    let is_last = chat.input.lines().len() == row + 1;
    let is_at_end = is_last && chat.input.lines().last() == Some(&line);
    let letters = line.rsplit(char::is_whitespace).next()?;
    let is_begun = !letters.is_empty() && letters.chars().all(is_name);
    let from = line.chars().count() - letters.chars().count();
    (is_at_end && is_begun).then(|| (from, letters.to_owned()))
}

/// What a name without its `@` can be: somebody, and never all.
fn bare_offer(state: &State) -> Option<Offer> {
    let chat = state.chat.as_ref()?;
    let (from, letters) = bare_name(chat)?;
    let mut words = names(state, chat, &letters);
    words.retain(|word| !matches!(word.as_str(), "@here" | "@room"));
    (!words.is_empty()).then_some(Offer { from, words })
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

/// Puts the next of the words offered before the cursor, or says that there is none.
pub fn complete(state: &mut State) -> Vec<Effect> {
    let Some(offer) = offer(state).or_else(|| bare_offer(state)) else {
        return fail(state);
    };
    let Some(chat) = &mut state.chat else {
        return Vec::new();
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
    Vec::new()
}

/// Nothing can be completed, or it is not known yet who is in the room.
fn fail(state: &mut State) -> Vec<Effect> {
    let is_name = state.chat.as_ref().and_then(bare_name).is_some();
    let ask = is_name.then(|| ask_for_members(state)).flatten();
    let text = match ask {
        Some(_) => "It is being asked who is in this room: press Tab again.",
        None => "There is nothing to complete.",
    };
    state.hint(About::Written, text);
    ask.into_iter().collect()
}

/// Something was typed: asks for who is in the room, if a name is begun and that is not known.
pub fn ask(state: &mut State) -> Option<Effect> {
    let chat = state.chat.as_ref()?;
    let (_, line) = before(chat);
    name_before(&line)?;
    let is_command = chat
        .input
        .lines()
        .first()
        .is_some_and(|line| line.starts_with('/'));
    if is_command {
        return None;
    }
    ask_for_members(state)
}

fn ask_for_members(state: &mut State) -> Option<Effect> {
    let key = state.chat.as_ref()?.room.clone();
    let is_due = state.client.link().is_connected() && state.members_asked.insert(key.clone());
    is_due.then_some(Effect::Ask(Ask::Members(key)))
}
