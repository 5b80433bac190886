//! Who is in a room, as a list to be read.

use std::cmp::Reverse;

use crate::{
    people,
    protocol::room::{Member, Role},
    state::{Sheet, State},
    text::visible,
};

/// The members of a room: who may do more stands before who may less.
pub fn sheet(state: &State, key: &str, mut members: Vec<Member>, more: bool) -> Sheet {
    let store = &state.client.store;
    let room = store.room(key);
    let label = room.map_or_else(|| key.to_owned(), |room| room.label(store.user_id()));
    members.sort_by_cached_key(|member| (Reverse(member.role), member.username.to_lowercase()));
    let count = members.len();
    let mut lines: Vec<_> = members.iter().map(|member| line(state, member)).collect();
    if more {
        lines.push(format!("… and more: these are the first {count}."));
    }
    lines.push(String::new());
    lines.push("● is online, ◐ away, ⊖ not to be disturbed".to_owned());
    let count = if more {
        String::new()
    } else {
        format!(": {count}")
    };
    Sheet {
        title: format!("Members of {}{count}", visible(&label)),
        lines,
        row: 0,
    }
}

fn line(state: &State, member: &Member) -> String {
    let mark = people::mark(state, &member.username);
    let mut notes = Vec::new();
    if member.role != Role::Member {
        notes.push(member.role.as_str().to_owned());
    }
    let now = (state.clock)();
    if let Some(until) = member.muted_until.filter(|until| *until > now) {
        let (until, today) = ((state.local_time)(until), (state.local_time)(now));
        let form = if until.date() == today.date() {
            "%H:%M"
        } else {
            "%H:%M on %-d %B %Y"
        };
        notes.push(format!("muted until {}", until.format(form)));
    }
    let store = &state.client.store;
    let seen = store.people().seen(member.user_id);
    notes.extend(seen.and_then(people::words).map(|words| visible(&words)));
    let shown = store.people().display_name(member.user_id);
    let name = match shown.filter(|shown| *shown != member.username) {
        Some(shown) => format!("{}, {}", visible(&member.username), visible(shown)),
        None => visible(&member.username),
    };
    if notes.is_empty() {
        format!("{mark} {name}")
    } else {
        format!("{mark} {name} ({})", notes.join(", "))
    }
}
