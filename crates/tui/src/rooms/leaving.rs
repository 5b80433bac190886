//! Leaving a room that one may not come back to: who else is in it decides what is told first.

use parlour_client::{
    api::{Answer, Ask},
    effect::Effect,
};

use super::{is_shown, label, obey};
use crate::{
    commands::Action,
    protocol::{
        GENERAL,
        room::{Member, Role, RoomKind},
    },
    state::{About, State},
};

/// Asks who else is in the room, if the user may not come back to it. `line` is what asked to leave, and the room that it was
/// written in. Whoever was told what follows from it leaves with the same line.
pub fn consider(state: &mut State, line: (String, String)) -> Option<Vec<Effect>> {
    let key = line.0.clone();
    let room = state.client.store.room(&key);
    let about = room.filter(|room| !room.is_gone())?.about();
    let is_final = match about.kind {
        RoomKind::Private => true,
        // A room is never without an owner: the last one in it is one.
        RoomKind::Public => about.role == Some(Role::Owner) && key != GENERAL,
        RoomKind::Direct => false,
    };
    is_final.then(|| {
        state.leaving = Some(line);
        vec![Effect::Ask(Ask::Members(key))]
    })
}

/// Who is in the room is known: the user is told what follows from leaving, or leaves.
pub fn answered(state: &mut State, ask: &Ask, result: &Result<Answer, String>) -> Vec<Effect> {
    let Ask::Members(key) = ask else {
        return Vec::new();
    };
    let Some(line) = state.leaving.take_if(|(room, _)| room == key) else {
        return Vec::new();
    };
    if !is_shown(state, key) {
        return Vec::new();
    }
    let told = match result {
        Ok(Answer::Members(members, more)) => what_follows(state, key, members, *more),
        Ok(_) => None,
        Err(why) => Some(why.clone()),
    };
    match told {
        Some(text) => {
            state.doubted = result.is_ok().then_some(line);
            state.hint(About::Typed, text);
            Vec::new()
        }
        None => obey(state, Action::LeaveRoom, "").unwrap_or_default(),
    }
}

/// What the user is to know before leaving.
fn what_follows(state: &State, key: &str, members: &[Member], more: bool) -> Option<String> {
    let store = &state.client.store;
    let owns = |member: &&Member| member.role == Role::Owner;
    let (mine, others): (Vec<_>, Vec<_>) = members
        .iter()
        .partition(|member| member.user_id == store.user_id());
    let label = label(state, key);
    if others.is_empty() && !more {
        return Some(format!(
            "You are the last one in {label}, and no one sees it again: do it again to leave."
        ));
    }
    if !more && mine.iter().any(owns) && !others.iter().any(owns) {
        return Some(format!(
            "You are the only owner of {label}: make someone else an owner first, with /role NAME owner."
        ));
    }
    let about = store.room(key)?.about();
    (about.kind == RoomKind::Private).then(|| {
        format!("You come back to {label} only if somebody invites you: do it again to leave.")
    })
}
