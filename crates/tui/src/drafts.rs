//! What is being written is kept on the server, so that it is there again after a restart and on other devices. Of a text
//! that was changed here since it was kept, this device is the one that counts; any other is what the server has. What is sent is
//! no draft from that moment on: whoever finds it there again would send it twice.

use parlour_client::{api::Ask, effect::Effect, link::Millis, store::Older};

use super::{
    chat::{Chat, Place, Task},
    state::State,
};
use crate::protocol::{
    message::{Kind, Message},
    time::Timestamp,
};

/// So long nothing is typed before what is written is kept.
const PAUSE: Millis = 1_000;
/// How long to wait after it could not be kept.
const AGAIN: Millis = 5_000;

/// What is known of a pane's draft.
#[derive(Debug, Default)]
pub struct Draft {
    /// What the server has, as far as it is known.
    kept: String,
    /// Whether it was asked for on this socket.
    is_asked: bool,
    /// It is on its way to the server.
    is_under_way: bool,
    /// It could not be kept: what the server has is not known.
    is_in_doubt: bool,
    /// What was written when it was looked at last, and since when.
    seen: String,
    since: Millis,
    /// What is written is as the server has told it, and was changed there then: it may have been sent since.
    given: Option<Timestamp>,
}

/// What of a pane would be a draft. A new text of a message that is there, or is to be said later, is none.
fn text_of(chat: &Chat) -> Option<String> {
    let text = chat.input.lines().join("\n");
    let text = if text.trim().is_empty() {
        String::new()
    } else {
        text
    };
    (!matches!(chat.task, Task::Edit(..) | Task::Later(_))).then_some(text)
}

/// Whether all that is written in a pane is kept on the server, or about to be.
#[must_use]
pub fn is_kept(chat: &Chat) -> bool {
    !chat.draft.is_in_doubt && text_of(chat).is_some_and(|text| text == chat.draft.kept)
}

/// Time has passed, or the user goes elsewhere (`at_once`): what has not changed for a while is kept. Where nothing is written
/// any more, that is told at once.
pub fn keep(state: &mut State, at_once: bool) -> Vec<Effect> {
    if !state.client.link().is_connected() {
        return Vec::new();
    }
    let now = state.client.now();
    let store = &state.client.store;
    let panes = state.chat.iter_mut().chain(state.others.values_mut());
    let mut effects = Vec::new();
    for chat in panes {
        let Some(text) = text_of(chat) else {
            continue;
        };
        let is_there = store.room(&chat.room).is_some_and(|room| !room.is_gone());
        let draft = &mut chat.draft;
        if draft.seen != text {
            (draft.seen, draft.since) = (text.clone(), now);
        }
        let is_emptied = text.is_empty() && !draft.is_in_doubt;
        let is_due = at_once || is_emptied || now >= draft.since + PAUSE;
        let is_fit = is_there && store.check(&chat.room, &text).is_ok();
        let is_kept = text == draft.kept && !draft.is_in_doubt;
        if is_kept || !is_due || !is_fit || draft.is_under_way {
            continue;
        }
        (draft.is_under_way, draft.is_in_doubt) = (true, false);
        draft.kept.clone_from(&text);
        effects.push(Effect::Ask(Ask::PutDraft {
            room: chat.room.clone(),
            thread: chat.thread,
            content: text,
        }));
    }
    effects
}

/// Asks for what was begun to be written in the pane on the screen, if that is not known.
pub fn ask(state: &mut State) -> Option<Effect> {
    let is_connected = state.client.link().is_connected();
    let chat = state.chat.as_mut().filter(|_| is_connected)?;
    if std::mem::replace(&mut chat.draft.is_asked, true) {
        return None;
    }
    let (room, thread) = chat.place();
    Some(Effect::Ask(Ask::Draft { room, thread }))
}

/// The socket is gone: what other devices write is not heard any more, and what was under way may not have arrived.
pub fn disconnected(state: &mut State) {
    let panes = state.chat.iter_mut().chain(state.others.values_mut());
    for chat in panes {
        chat.draft.is_asked = false;
    }
}

fn pane<'a>(state: &'a mut State, place: &Place) -> Option<&'a mut Chat> {
    let shown = state.chat.as_mut().filter(|chat| chat.place() == *place);
    shown.or_else(|| state.others.get_mut(place))
}

/// The server has told what is kept.
pub fn told(state: &mut State, place: &Place) {
    let room = state.client.store.room(&place.0);
    let known = room.and_then(|room| room.draft(place.1));
    // Of what cannot be decrypted nothing is known: what is written here stays.
    let known = known.filter(|draft| !draft.unreadable);
    let Some((content, changed_at)) = known.map(|draft| (draft.content.clone(), draft.updated_at))
    else {
        return;
    };
    let Some(chat) = pane(state, place) else {
        return;
    };
    if chat.draft.is_under_way {
        return;
    }
    let text = text_of(chat);
    if text.as_ref() == Some(&chat.draft.kept) && text.as_ref() != Some(&content) {
        chat.set_input(&content);
        chat.draft.seen.clone_from(&content);
        chat.draft.given = changed_at;
    }
    chat.draft.kept = content;
}

/// What the server had kept in the pane on the screen was sent after that: the program has ended in between. It is not there
/// to be sent again.
pub fn drop_sent(state: &mut State) {
    let given = state.chat.as_ref().and_then(|chat| chat.draft.given);
    let timeline = state.timeline();
    // Before the first page has come nothing is known of it.
    let timeline = timeline.filter(|timeline| timeline.older() != Older::Unknown);
    let Some((given, timeline)) = given.zip(timeline) else {
        return;
    };
    let me = state.client.store.user_id();
    let is_mine = |message: &&Message| message.user_id == me && message.kind == Kind::Text;
    let mine = timeline.latest().find(is_mine);
    let said = mine.map(|message| (message.content.clone(), message.created_at));
    let Some(chat) = &mut state.chat else {
        return;
    };
    chat.draft.given = None;
    let text = text_of(chat).filter(|text| *text == chat.draft.kept);
    let is_sent = text
        .zip(said)
        .is_some_and(|(text, (content, at))| at >= given && said_as(&text) == content);
    if is_sent {
        chat.set_input("");
    }
}

/// What is sent of a text.
fn said_as(text: &str) -> &str {
    let text = text.trim_end();
    let escaped = text.strip_prefix('/').filter(|rest| rest.starts_with('/'));
    escaped.unwrap_or(text)
}

/// What was to be kept is, or could not be. What is written since goes on to be kept.
pub fn answered(state: &mut State, place: &Place, is_kept: bool) -> Vec<Effect> {
    let now = state.client.now();
    let Some(chat) = pane(state, place) else {
        return Vec::new();
    };
    chat.draft.is_under_way = false;
    if is_kept {
        told(state, place);
    } else {
        chat.draft.is_in_doubt = true;
        chat.draft.since = now + AGAIN - PAUSE;
    }
    keep(state, false)
}
