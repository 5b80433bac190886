//! Going from room to room, and what can be done about rooms: what the keys and words ask for, and what becomes of it.

pub mod switcher;

use parlour_client::{
    api::{Answer, Ask},
    effect::Effect,
    store::Room,
};

use self::switcher::Switcher;
use super::{
    chat::Chat,
    commands::Action,
    state::{About, Sheet, State},
    text::visible,
};
use crate::protocol::{
    GENERAL,
    room::{Member, MemberPatch, NewDirect, NewRoom, Role, RoomKind, RoomPatch},
};

/// Shows this room. What is written in the one that was on the screen stays there.
pub fn go_to(state: &mut State, key: &str) -> Vec<Effect> {
    let shown = state.chat.as_ref().map(|chat| chat.room.clone());
    if shown.as_deref() != Some(key) {
        let next = state.others.remove(key).unwrap_or_else(|| Chat::new(key));
        if let Some(before) = state.chat.replace(next) {
            state.others.insert(before.room.clone(), before);
        }
    }
    (state.hint, state.awaited, state.way) = (None, None, None);
    state.client.store.look_at(key).into_iter().collect()
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
/// is listed while it is on the screen, or something is written in it.
#[must_use]
pub fn listed(state: &State) -> Vec<(&str, &Room)> {
    let is_kept = |key: &str| {
        let is_shown = state.chat.as_ref().is_some_and(|chat| chat.room == key);
        let draft = state.others.get(key);
        is_shown || draft.is_some_and(|chat| !chat.input.is_empty())
    };
    let store = &state.client.store;
    let rooms = store.rooms();
    let mut rooms: Vec<_> = rooms
        .filter(|(key, room)| !room.is_gone() || !room.outbox().is_empty() || is_kept(key))
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

/// Goes to the next room in which something is unread.
pub fn go_to_unread(state: &mut State) -> Vec<Effect> {
    let rooms = listed(state);
    let at = rooms.iter().position(|(key, _)| is_shown(state, key));
    let after = rooms.iter().skip(at.map_or(0, |at| at + 1));
    let next = after
        .chain(&rooms)
        .find(|(key, room)| room.unread() > 0 && !is_shown(state, key));
    if let Some(key) = next.map(|(key, _)| (*key).to_owned()) {
        return go_to(state, &key);
    }
    state.hint(About::Typed, "Nothing is unread in another room.");
    Vec::new()
}

fn is_shown(state: &State, key: &str) -> bool {
    state.chat.as_ref().is_some_and(|chat| chat.room == key)
}

/// Does what a word about rooms asks for, with what stands behind it.
pub fn obey(state: &mut State, action: Action, rest: &str) -> Vec<Effect> {
    let Some(key) = state.chat.as_ref().map(|chat| chat.room.clone()) else {
        return Vec::new();
    };
    let ask = match action {
        Action::Switch => {
            let (switcher, effect) = Switcher::open(rest);
            state.switcher = Some(switcher);
            return vec![effect];
        }
        Action::Create => Ask::Create(NewRoom {
            name: rest.trim_start_matches(['#', '*']).to_owned(),
            kind: RoomKind::Public,
            topic: None,
            users: Vec::new(),
        }),
        Action::CreatePrivate => Ask::Create(NewRoom {
            name: rest.trim_start_matches(['#', '*']).to_owned(),
            kind: RoomKind::Private,
            topic: None,
            users: Vec::new(),
        }),
        Action::Direct => return set_out(state, direct(rest)),
        Action::Join => return join(state, rest.trim_start_matches(['#', '*'])),
        Action::Members => Ask::Members(key),
        Action::LeaveRoom => Ask::RemoveMember {
            room: key,
            user: state.client.store.user_id().to_string(),
        },
        Action::Topic => {
            let topic = if rest == "-" { "" } else { rest };
            let patch = RoomPatch {
                topic: Some(topic.to_owned()),
                ..RoomPatch::default()
            };
            Ask::Change(key, patch)
        }
        Action::Invite => Ask::PutMember {
            room: key,
            user: rest.trim_start_matches('@').to_owned(),
            patch: MemberPatch::default(),
        },
        Action::Kick => Ask::RemoveMember {
            room: key,
            user: rest.trim_start_matches('@').to_owned(),
        },
        _ => return Vec::new(),
    };
    if matches!(action, Action::Create | Action::CreatePrivate) {
        return set_out(state, ask);
    }
    vec![Effect::Ask(ask)]
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

/// The direct room with these people; with none, for notes to oneself.
pub(super) fn direct(names: &str) -> Ask {
    let names = names.split([' ', ',']).filter(|name| !name.is_empty());
    let users = names.map(|name| name.trim_start_matches('@').to_owned());
    Ask::Direct(NewDirect {
        users: users.collect(),
    })
}

/// What was asked about rooms is answered.
pub fn answered(state: &mut State, ask: Ask, result: Result<Answer, String>) -> Vec<Effect> {
    match (ask, result) {
        // The rooms and people that are known are found all the same.
        (Ask::Directory(_), Err(_)) => {}
        (ask, Err(why)) => {
            if matches!(ask, Ask::Create(_) | Ask::Direct(_) | Ask::PutMember { .. }) {
                (state.way, state.awaited) = (None, None);
            }
            state.hint(About::Typed, why);
        }
        (Ask::Directory(_), Ok(Answer::Rooms(rooms))) => {
            if let Some(switcher) = &mut state.switcher {
                switcher.public = rooms;
            }
        }
        (Ask::Members(key), Ok(Answer::Members(members))) => {
            let room = state.client.store.room(&key);
            let label = room.map_or(key, |room| room.label(state.client.store.user_id()));
            state.sheet = Some(Sheet {
                title: format!("Members of {}", visible(&label)),
                lines: members.iter().map(line_of).collect(),
                row: 0,
            });
        }
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
    Vec::new()
}

fn line_of(member: &Member) -> String {
    let name = visible(&member.username);
    let muted = if member.muted_until.is_some() {
        ", muted"
    } else {
        ""
    };
    match member.role {
        Role::Member => format!("{name}{muted}"),
        role => format!("{name} ({}{muted})", role.as_str()),
    }
}

/// Goes to a room that the user is in, or is about to be: as soon as it is known.
fn await_room(state: &mut State, word: &str) -> Vec<Effect> {
    if let Some(key) = state.client.store.resolve(word).map(str::to_owned) {
        return arrive(state, &key);
    }
    state.awaited = Some(word.to_owned());
    Vec::new()
}

/// The user has come into a room.
pub fn joined(state: &mut State, key: &str) -> Vec<Effect> {
    let awaited = state.awaited.as_deref();
    let is_awaited = awaited.is_some_and(|word| state.client.store.resolve(word) == Some(key));
    if is_awaited && state.way.is_some() {
        return arrive(state, key);
    }
    if let Some(room) = state.client.store.room(key) {
        let label = room.label(state.client.store.user_id());
        state.hint(
            About::Typed,
            format!("You are in {label} now (Ctrl+K goes there)."),
        );
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
    let draft = match state.chat_of(key) {
        Some(chat) => !chat.input.is_empty(),
        None => state
            .others
            .get(key)
            .is_some_and(|chat| !chat.input.is_empty()),
    };
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
        format!("You are not in {label} any more.{kept}"),
    );
}
