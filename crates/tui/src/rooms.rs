//! Going from room to room, and what can be done about rooms: what the keys and words ask for, and what becomes of it.

pub mod leaving;
pub mod list;
mod members;
mod orders;
pub mod switcher;

use parlour_client::{
    api::{Answer, Ask},
    effect::Effect,
    store::Room,
};

use self::{orders::direct, switcher::Switcher};
use super::{
    chat::{Chat, Place},
    commands::Action,
    drafts, later, people, profile, reading,
    state::{About, Line, State},
    telling,
};
use crate::protocol::{
    GENERAL,
    room::{MemberPatch, RoomKind},
};

/// Shows this room. What is written in the one that was on the screen stays there.
pub fn go_to(state: &mut State, key: &str) -> Vec<Effect> {
    go_to_place(state, &(key.to_owned(), None))
}

/// Shows this room or thread.
pub fn go_to_place(state: &mut State, place: &Place) -> Vec<Effect> {
    let (key, thread) = place.clone();
    let mut effects = drafts::keep(state, true);
    if state.chat.as_ref().map(Chat::place).as_ref() != Some(place) {
        let next = state.others.remove(place);
        let mut next = next.unwrap_or_else(|| Chat::new(&key, thread));
        next.reopen();
        if let Some(before) = state.chat.replace(next) {
            state.others.insert(before.place(), before);
        }
    }
    state.hint = None;
    state.news.retain(|(room, _)| *room != key);
    (state.awaited, state.way) = (None, None);
    let store = &mut state.client.store;
    let effect = match thread {
        None => store.look_at(&key),
        Some(first) => store.open_thread(&key, first),
    };
    effects.extend(effect);
    effects.extend(drafts::ask(state));
    effects.extend(reading::seek(state));
    effects
}

/// Whether something is written in one of the panes of this room that are not on the screen.
fn has_draft(state: &State, key: &str) -> bool {
    let mut others = state.others.iter();
    others.any(|((room, _), chat)| room == key && !chat.input.is_empty())
}

/// Asks for what leads to another room. Until it is open nothing is sent: it would go to the room that is on the screen.
fn set_out(state: &mut State, ask: Ask) -> Vec<Effect> {
    let chat = state.chat.as_ref();
    state.way = Some(chat.is_some_and(|chat| !chat.input.is_empty()));
    vec![Effect::Ask(ask)]
}

/// Shows the room that the user was on the way to. What was written since is for that one.
fn arrive(state: &mut State, key: &str) -> Vec<Effect> {
    let had_draft = state.way.unwrap_or(true);
    let is_elsewhere = !is_shown(state, key);
    let typed = state.chat.as_mut().filter(|_| !had_draft && is_elsewhere);
    let text = typed.map(|chat| {
        let text = chat.input.lines().join("\n");
        chat.set_input("");
        text
    });
    let effects = go_to(state, key);
    if let (Some(chat), Some(text)) = (&mut state.chat, text)
        && chat.input.is_empty()
    {
        chat.set_input(&text);
    }
    effects
}

/// The user's rooms as they are listed: general, then by name, then the direct ones. One that the user is not in any more
/// or has hidden is listed while it is on the screen, or something is written in it.
#[must_use]
pub fn listed(state: &State) -> Vec<(&str, &Room)> {
    let is_kept = |key: &str| {
        let is_shown = state.chat.as_ref().is_some_and(|chat| chat.room == key);
        is_shown || has_draft(state, key)
    };
    let store = &state.client.store;
    let rooms = store.rooms();
    let mut rooms: Vec<_> = rooms
        .filter(|(key, room)| {
            let is_there = !room.is_gone() && (!room.about().hidden || room.unread().messages > 0);
            is_there || !room.outbox().is_empty() || is_kept(key)
        })
        .collect();
    let me = store.user_id();
    rooms.sort_by_cached_key(|(key, room)| {
        let is_direct = room.about().kind == RoomKind::Direct;
        (
            *key != GENERAL,
            is_direct,
            room.label(me),
            (*key).to_owned(),
        )
    });
    rooms
}

/// What a room is called on the screen. Where the user has two of the same name, the key tells them apart.
#[must_use]
pub fn label(state: &State, key: &str) -> String {
    let store = &state.client.store;
    let Some(room) = store.room(key) else {
        return key.to_owned();
    };
    let name = |room: &Room| {
        room.about()
            .name
            .clone()
            .map(|name| (name, room.about().kind))
    };
    let own = name(room);
    let mut others = store.rooms().filter(|(other, _)| *other != key);
    let is_told_apart = own.is_none() || others.all(|(_, other)| name(other) != own);
    let label = room.label(store.user_id());
    if is_told_apart {
        label
    } else {
        format!("{label} ({key})")
    }
}

/// Goes to the next room or thread in which something is unread.
pub fn go_to_unread(state: &mut State) -> Vec<Effect> {
    let here = state.chat.as_ref().map(Chat::place);
    let mut places: Vec<(Place, bool)> = Vec::new();
    for (key, room) in listed(state) {
        places.push(((key.to_owned(), None), room.unread().messages > 0));
        for (first, thread) in room.threads().followed() {
            let is_unread = !room.is_gone() && thread.unread().messages > 0;
            places.push(((key.to_owned(), Some(first)), is_unread));
        }
    }
    let at = places
        .iter()
        .position(|(place, _)| Some(place) == here.as_ref());
    let after = places.iter().skip(at.map_or(0, |at| at + 1));
    let mut next = after.chain(&places);
    let next = next.find(|(place, is_unread)| *is_unread && Some(place) != here.as_ref());
    if let Some(place) = next.map(|(place, _)| place.clone()) {
        return go_to_place(state, &place);
    }
    state.hint(About::Typed, "Nothing is unread in another room.");
    Vec::new()
}

fn is_shown(state: &State, key: &str) -> bool {
    state.chat.as_ref().is_some_and(|chat| chat.room == key)
}

/// Does what a word about rooms asks for, with what stands behind it.
///
/// # Errors
/// A sentence, where what stands behind it cannot be understood.
pub fn obey(state: &mut State, action: Action, rest: &str) -> Result<Vec<Effect>, String> {
    let Some(key) = state.chat.as_ref().map(|chat| chat.room.clone()) else {
        return Ok(Vec::new());
    };
    let ask = match action {
        Action::Switch => return Ok(Switcher::open(state, rest)),
        Action::Rooms => return Ok(list::open(state)),
        Action::Direct => return Ok(set_out(state, direct(rest))),
        Action::Join => return Ok(join(state, &orders::name_of_room(rest))),
        Action::Create | Action::CreatePrivate if let Some(key) = named(state, rest) => {
            let effects = go_to(state, &key);
            let text = format!(
                "You are in {} already: its key is {key}.",
                label(state, &key)
            );
            state.hint(About::Typed, text);
            return Ok(effects);
        }
        Action::Members => {
            state.sheet_of = Some(key.clone());
            Ask::Members(key)
        }
        Action::Kick if is_me(state, rest) => {
            return Err("To go out of a room yourself, write /leave.".into());
        }
        Action::LeaveRoom => Ask::RemoveMember {
            room: key,
            user: state.client.store.user_id().to_string(),
        },
        _ => match orders::ask(action, key, rest, (state.clock)())? {
            Some(ask) => ask,
            None => return Ok(Vec::new()),
        },
    };
    if matches!(ask, Ask::Create(_)) {
        return Ok(set_out(state, ask));
    }
    Ok(vec![Effect::Ask(ask)])
}

/// Whether this names the user.
fn is_me(state: &State, written: &str) -> bool {
    let (store, name) = (&state.client.store, orders::name_of(written));
    name.eq_ignore_ascii_case(store.me()) || name == store.user_id().to_string()
}

/// The one of the user's rooms that has this name.
fn named(state: &State, written: &str) -> Option<String> {
    let store = &state.client.store;
    let name = orders::name_of_room(written);
    let key = store.resolve(&name)?;
    let known = store.room(key)?.about().name.as_deref()?;
    known.eq_ignore_ascii_case(&name).then(|| key.to_owned())
}

/// What was asked with a line is refused: the line is there again, to be corrected, unless something else is written by now.
pub fn give_back(state: &mut State, ask: Option<&Ask>) {
    let asked = |line: &Line| line.ask.as_ref() == ask;
    let Some(at) = state.lines.iter().position(asked) else {
        return;
    };
    let line = state.lines.remove(at);
    let shown = state.chat.as_mut();
    let shown = shown.filter(|chat| chat.place() == line.place);
    let pane = shown.or_else(|| state.others.get_mut(&line.place));
    if let Some(pane) = pane.filter(|pane| pane.input.is_empty()) {
        pane.set_input(&line.text);
    }
}

/// Goes to a room: one that the user is in, or a public one, which the user comes into.
fn join(state: &mut State, word: &str) -> Vec<Effect> {
    if let Some(key) = state.client.store.resolve(word).map(str::to_owned) {
        return go_to(state, &key);
    }
    state.awaited = Some(word.to_owned());
    let ask = Ask::PutMember {
        room: word.to_owned(),
        user: state.client.store.user_id().to_string(),
        patch: MemberPatch::default(),
    };
    set_out(state, ask)
}

/// What was asked about rooms is answered.
pub fn answered(state: &mut State, ask: Ask, result: Result<Answer, String>) -> Vec<Effect> {
    if result.is_err() {
        give_back(state, Some(&ask));
    }
    state.lines.retain(|line| line.ask.as_ref() != Some(&ask));
    let is_silent = matches!(
        ask,
        Ask::Directory(_)
            | Ask::Own { .. }
            | Ask::Commands
            | Ask::Unread { .. }
            | Ask::Threads { .. }
            | Ask::Draft { .. }
            | Ask::PutDraft { .. }
    );
    let is_look = matches!(
        ask,
        Ask::Public { .. }
            | Ask::Members(_)
            | Ask::Person(_)
            | Ask::Saved
            | Ask::Save { .. }
            | Ask::Scheduled
    );
    let is_act = !is_silent && !is_look;
    if is_act && result.is_ok() {
        // What went wrong before is over.
        state.settled(About::Typed);
    }
    let leaving = leaving::answered(state, &ask, &result);
    match (ask, result) {
        // The rooms and people that are known are found all the same.
        (Ask::PutDraft { room, thread, .. }, result) => {
            return drafts::answered(state, &(room, thread), result.is_ok());
        }
        (_, Err(_)) if is_silent => {}
        (Ask::Public { tag, .. }, Err(why)) => return list::told(state, tag, Err(why)),
        (Ask::Members(key), Err(_)) if state.sheet_of.as_deref() != Some(&key) => {}
        (ask, Err(why)) => {
            if matches!(ask, Ask::Create(_) | Ask::Direct(_) | Ask::PutMember { .. }) {
                (state.way, state.awaited) = (None, None);
            }
            state.hint(About::Typed, why);
        }
        (Ask::Directory(letters), Ok(Answer::Rooms(rooms, _))) => {
            if let Some(switcher) = &mut state.switcher {
                switcher.found(&letters, rooms);
            }
        }
        (Ask::Public { tag, .. }, Ok(Answer::Page(page))) => {
            return list::told(state, tag, Ok(page));
        }
        (Ask::Members(key), Ok(Answer::Members(members, more))) => {
            let names = members.iter().map(|member| member.username.clone());
            state.people.extend(names);
            state.client.store.learn_members(&members);
            state.members_asked.insert(key.clone());
            state.members.insert(key.clone(), members.clone());
            if state.sheet_of.take_if(|wanted| *wanted == key).is_some() {
                state.picker = None;
                state.sheet = Some(members::sheet(state, &key, members, more));
                state.public = None;
            }
        }
        (Ask::Person(_) | Ask::Saved | Ask::Save { .. } | Ask::Follow { .. }, Ok(answer)) => {
            people::answered(state, answer);
        }
        (Ask::Profile(patch), Ok(Answer::Person(now))) => profile::is_set(state, &patch, &now),
        (Ask::Notify(room, level), Ok(_)) => telling::is_notified(state, &room, level),
        (Ask::Scheduled, Ok(Answer::Scheduled(scheduled, _))) => later::listed(state, scheduled),
        (Ask::ChangeScheduled(id, _), Ok(Answer::Later(changed))) => {
            later::changed(state, id, &changed);
        }
        (Ask::Commands, Ok(Answer::Commands(commands))) => state.slash = commands,
        // That it is hidden a frame says, and a message that came since has brought it back.
        (Ask::Hide(key), Ok(_)) if is_shown(state, &key) => return go_to(state, GENERAL),
        (Ask::RemoveMember { room, user }, Ok(_)) => {
            let is_me = user == state.client.store.user_id().to_string();
            if is_me && is_shown(state, &room) {
                return go_to(state, GENERAL);
            }
        }
        // Whoever has gone elsewhere meanwhile stays there.
        (Ask::Create(_) | Ask::Direct(_) | Ask::PutMember { .. }, Ok(Answer::Room(room)))
            if state.way.is_some() =>
        {
            return await_room(state, &room.room);
        }
        _ => {}
    }
    leaving
}

/// Goes to a room that the user is in, or is about to be: as soon as it is known.
fn await_room(state: &mut State, word: &str) -> Vec<Effect> {
    if let Some(key) = state.client.store.resolve(word).map(str::to_owned) {
        return arrive(state, &key);
    }
    state.awaited = Some(word.to_owned());
    Vec::new()
}

/// Goes to a room by its key, as soon as it is known.
pub fn await_key(state: &mut State, key: &str) -> Vec<Effect> {
    if state.client.store.room(key).is_some() {
        return go_to(state, key);
    }
    state.way = Some(true);
    await_room(state, key)
}

/// The user has come into a room.
pub fn joined(state: &mut State, key: &str) -> Vec<Effect> {
    let awaited = state.awaited.as_deref();
    let is_awaited = awaited.is_some_and(|word| state.client.store.resolve(word) == Some(key));
    if is_awaited && state.way.is_some() {
        return arrive(state, key);
    }
    let room = state.client.store.room(key);
    // What somebody has opened and written nothing in shows itself with the first message.
    if let Some(room) = room.filter(|room| !room.about().hidden) {
        let label = room.label(state.client.store.user_id());
        let text = if room.about().kind == RoomKind::Direct {
            let names = label.trim_start_matches('@');
            format!("You have a conversation with {names} now: Ctrl+K goes there.")
        } else {
            format!("You are a member of {label} now: Ctrl+K goes there.")
        };
        state.tell(key, text);
    }
    Vec::new()
}

/// The user is not in a room any more.
pub fn gone(state: &mut State, key: &str) {
    let store = &state.client.store;
    let Some(room) = store.room(key) else {
        return;
    };
    let label = room.label(store.user_id());
    let shown = state.chat.as_ref().filter(|chat| chat.room == key);
    let draft = shown.is_some_and(|chat| !chat.input.is_empty()) || has_draft(state, key);
    let kept = if draft
        || state
            .client
            .store
            .room(key)
            .is_some_and(|room| !room.outbox().is_empty())
    {
        " What you wrote there was not sent and is kept."
    } else {
        ""
    };
    state.hint(
        About::Typed,
        format!("You are not in {label} any more.{kept} Ctrl+K goes to another room."),
    );
}
