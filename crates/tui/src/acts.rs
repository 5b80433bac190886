//! What is done with a message that is there: choosing, editing, deleting, answering, reacting, pinning.

use parlour_client::{
    effect::Effect,
    store::{Deed, Delivery, Key, Pending},
};

use super::{
    chat::{Chat, Task},
    commands::Action,
    state::{About, State},
};
use crate::protocol::message::{Kind, Message};

/// Chooses the message before the chosen one, or the one after it; the last one first. Returns where it is.
pub fn pick(state: &mut State, is_up: bool) -> Option<Key> {
    let next = next(state, is_up);
    state.chat.as_mut()?.picked = next;
    Some((next?, 0))
}

fn next(state: &State, is_up: bool) -> Option<u64> {
    let timeline = state.timeline()?;
    let picked = state.chat.as_ref()?.picked;
    let mut there = timeline.latest().filter(|message| is_there(message));
    let next = match (picked, is_up) {
        (None, true) => there.next(),
        (None, false) => None,
        (Some(id), true) => there
            .find(|message| message.id < id)
            .or(timeline.message(id)),
        (Some(id), false) => there.take_while(|message| message.id > id).last(),
    };
    next.map(|message| message.id)
}

/// Whether something can be done with a message: people wrote it, and it is not deleted.
#[must_use]
pub fn is_there(message: &Message) -> bool {
    message.kind == Kind::Text && message.deleted_at.is_none()
}

/// The chosen message, else the last one of the user's own, or the last one of another.
#[must_use]
pub fn chosen(state: &State, own: bool) -> Option<&Message> {
    let timeline = state.timeline()?;
    if let Some(id) = state.chat.as_ref()?.picked {
        return timeline.message(id);
    }
    let me = state.client.store.user_id();
    let mut there = timeline.latest().filter(|message| is_there(message));
    there.find(|message| (message.user_id == me) == own)
}

/// Whether what the user wrote last is not stored yet, and no other message is chosen: then "your last one" is none that
/// could be edited or deleted.
fn waits(state: &State) -> bool {
    let thread = state.chat.as_ref().and_then(|chat| chat.thread);
    let is_picked = state
        .chat
        .as_ref()
        .is_some_and(|chat| chat.picked.is_some());
    let mut pending = state
        .room()
        .into_iter()
        .flat_map(|room| room.outbox().iter());
    !is_picked
        && pending.any(|pending| {
            let is_refused = matches!(pending.delivery, Delivery::Refused(_));
            !is_refused && pending.deed.post() == Some(thread)
        })
}

/// Whether no message is chosen, and the last of what the user has written here and is not stored was refused: it stands
/// where one would look for what one wrote last.
fn was_refused(state: &State) -> bool {
    let Some(chat) = state.chat.as_ref().filter(|chat| chat.picked.is_none()) else {
        return false;
    };
    let pending = state.room().into_iter();
    let pending = pending.flat_map(|room| room.outbox().iter());
    let is_refused = |pending: &Pending| matches!(pending.delivery, Delivery::Refused(_));
    let is_written = |pending: &&Pending| match pending.deed.post() {
        Some(thread) => thread == chat.thread,
        None => is_refused(pending),
    };
    pending.filter(is_written).last().is_some_and(is_refused)
}

/// The message that would be deleted without having been chosen: the last one of the user's own.
pub fn deleted_next(state: &State) -> Option<Key> {
    let is_picked = state.chat.as_ref()?.picked.is_some();
    if is_picked || was_refused(state) || waits(state) {
        return None;
    }
    chosen(state, true).map(|message| (message.id, 0))
}

/// What was said of a message that is not stored yet goes when it is.
pub fn settle(state: &mut State) {
    if !waits(state) {
        state.settled(About::Unstored);
    }
}

/// Whether the message that would be edited is the user's own.
pub fn has_own(state: &State) -> bool {
    let me = state.client.store.user_id();
    chosen(state, true).is_some_and(|message| message.user_id == me)
}

/// Does what is asked for with the chosen message; `rest` is what stands behind the word.
pub fn obey(state: &mut State, action: Action, rest: &str) -> Vec<Effect> {
    let Some((room, thread)) = state.chat.as_ref().map(Chat::place) else {
        return Vec::new();
    };
    if action == Action::Edit
        && let Some(refused) = state.client.store.take_refused(&room, thread)
    {
        correct(state, &refused);
        return Vec::new();
    }
    if action == Action::Delete
        && was_refused(state)
        && let Some(refused) = state.client.store.take_refused(&room, thread)
    {
        taken_back(state, &refused);
        return Vec::new();
    }
    let is_own = matches!(action, Action::Edit | Action::Delete);
    if is_own && waits(state) {
        if let Some(waiting) = state.client.store.take_waiting(&room, thread) {
            if action == Action::Edit {
                correct(state, &waiting);
            } else {
                taken_back(state, &waiting);
            }
            return Vec::new();
        }
        let text = "What you wrote last is not stored yet: wait for it, or choose another message with Alt+Up.";
        state.hint(About::Unstored, text);
        return Vec::new();
    }
    let Some(message) = chosen(state, is_own) else {
        let text = "There is no such message here: choose one with Alt+Up.";
        state.hint(About::Typed, text);
        return Vec::new();
    };
    let (id, seq, content) = (message.id, message.seq, message.content.clone());
    let emoji = emoji_of(rest);
    let (reacts, is_pinned) = (
        has_reacted(state, message, &emoji),
        message.pinned.is_some(),
    );
    match action {
        Action::Edit if !has_own(state) => {
            state.hint(About::Typed, "Only who wrote a message can edit it.");
        }
        Action::Edit => begin(state, Task::Edit(id, seq), &content),
        Action::Reply => begin(state, Task::Answer(id), ""),
        Action::Delete => return perform(state, &room, Deed::Delete(id), ""),
        Action::React if !is_emoji(&emoji) => {
            let text =
                format!("Write one emoji behind /react, like 👍 or :thumbsup:. “{rest}” is none.");
            state.hint(About::Typed, text);
        }
        Action::React => return perform(state, &room, Deed::React(id, !reacts), &emoji),
        Action::Pin => return perform(state, &room, Deed::Pin(id, !is_pinned), ""),
        _ => {}
    }
    Vec::new()
}

/// An emoji by its name (`:thumbsup:` or `thumbsup`), or what was written. A letter alone is more likely a slip than a name.
fn emoji_of(written: &str) -> String {
    let name = written.trim_matches(':');
    if name == written && written.len() == 1 {
        return written.to_owned();
    }
    emojis::get_by_shortcode(name).map_or_else(|| written.to_owned(), ToString::to_string)
}

/// Whether it is one emoji: the server takes nothing else.
fn is_emoji(written: &str) -> bool {
    emojis::get(written).is_some()
}

/// Whether the user has reacted so: as far as it is told, which is for the first who did.
fn has_reacted(state: &State, message: &Message, emoji: &str) -> bool {
    let me = state.client.store.user_id();
    let alike = message.reactions.iter().find(|one| one.emoji == emoji);
    alike.is_some_and(|one| one.users.iter().any(|person| person.user_id == me))
}

fn taken_back(state: &mut State, pending: &Pending) {
    let text = format!("Taken back, and not sent: “{}”", pending.content);
    state.hint(About::Typed, text);
}

/// What was not stored, to be written otherwise. If it is an edit, its author has the message before their eyes as it now is.
fn correct(state: &mut State, pending: &Pending) {
    let now = |id| state.timeline()?.message(id);
    let task = match pending.deed {
        Deed::Post { reply_to, .. } => reply_to.map_or(Task::Write, Task::Answer),
        Deed::Edit(id, seq) => Task::Edit(id, now(id).map_or(seq, |message| message.seq)),
        Deed::Command { .. } | Deed::Delete(_) | Deed::React(..) | Deed::Pin(..) => Task::Write,
    };
    begin(state, task, &pending.content);
}

fn begin(state: &mut State, task: Task, text: &str) {
    if let Some(chat) = &mut state.chat {
        chat.begin(task, text);
        chat.picked = None;
    }
}

fn perform(state: &mut State, room: &str, deed: Deed, content: &str) -> Vec<Effect> {
    match state.client.post(room, deed, content) {
        Ok(effects) => {
            if let Some(chat) = &mut state.chat {
                chat.picked = None;
            }
            effects
        }
        Err(why) => {
            state.hint(About::Typed, why);
            Vec::new()
        }
    }
}
