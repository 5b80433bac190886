//! The rooms as a list to be read: the user's own with what tells them apart, and the public ones to come into.

use parlour_client::{
    api::{Ask, RoomsPage},
    effect::Effect,
};

use super::{label, listed};
use crate::{
    protocol::room::{Role, Room, RoomKind},
    state::{Sheet, State},
    text::visible,
};

/// So many public rooms are listed.
const MOST: usize = 200;

/// The public rooms that the user is not in, while they are asked for page by page.
pub struct PublicRooms {
    rooms: Vec<Room>,
    tag: u64,
}

/// Shows the user's rooms, and asks for the public ones.
pub fn open(state: &mut State) -> Vec<Effect> {
    state.last_list += 1;
    let tag = state.last_list;
    state.public = Some(PublicRooms {
        rooms: Vec::new(),
        tag,
    });
    state.sheet_of = None;
    let mut lines = own(state);
    lines.push(String::new());
    lines.push("Asking for the public rooms…".to_owned());
    show(state, lines);
    vec![Effect::Ask(Ask::Public { cursor: None, tag })]
}

/// A page of the public rooms has come, or cannot be had. As long as there are few that the user is not in, the next one is
/// asked for. Whoever has closed the list meanwhile does not get it again.
pub fn told(state: &mut State, tag: u64, page: Result<RoomsPage, String>) -> Vec<Effect> {
    let Some(mut public) = state.public.take_if(|public| public.tag == tag) else {
        return Vec::new();
    };
    let mut lines = own(state);
    lines.push(String::new());
    match page {
        Ok(RoomsPage { rooms, next }) => {
            let store = &state.client.store;
            let is_mine = |key: &str| store.room(key).is_some_and(|room| !room.is_gone());
            let others = rooms.into_iter();
            let others =
                others.filter(|room| !is_mine(&room.room) && room.kind == RoomKind::Public);
            public.rooms.extend(others);
            if next.is_some() && public.rooms.len() < MOST {
                state.public = Some(public);
                return vec![Effect::Ask(Ask::Public { cursor: next, tag })];
            }
            lines.extend(others_of(public.rooms, next.is_some()));
        }
        Err(why) => lines.push(visible(&format!("The public rooms are not known: {why}"))),
    }
    show(state, lines);
    Vec::new()
}

fn show(state: &mut State, lines: Vec<String>) {
    state.sheet = Some(Sheet {
        title: "Rooms".to_owned(),
        lines,
        row: 0,
    });
}

/// The rooms that the user is in.
fn own(state: &State) -> Vec<String> {
    let mut lines = vec!["Your rooms:".to_owned()];
    let rooms = listed(state).into_iter();
    lines.extend(
        rooms
            .filter(|(_, room)| !room.is_gone())
            .map(|(key, room)| {
                let about = room.about();
                let mut notes = vec![about.kind.as_str().to_owned()];
                let role = about.role.filter(|role| *role != Role::Member);
                notes.extend(role.map(|role| role.as_str().to_owned()));
                if about.archived_at.is_some() {
                    notes.push("archived".to_owned());
                }
                let unread = room.unread();
                if unread.messages > 0 {
                    notes.push(format!("{} unread", unread.messages));
                }
                if unread.mentions > 0 {
                    notes.push(format!("{} for you", unread.mentions));
                }
                notes.push(format!("key {key}"));
                visible(&format!("{}  {}", label(state, key), notes.join(", ")))
            }),
    );
    lines
}

/// The public rooms that the user is not in.
fn others_of(rooms: Vec<Room>, more: bool) -> Vec<String> {
    let mut lines: Vec<_> = rooms
        .into_iter()
        .map(|room| {
            let members = match room.members {
                1 => "1 member".to_owned(),
                count => format!("{count} members"),
            };
            let name = room.name.unwrap_or_default();
            let topic = room.topic.filter(|topic| !topic.is_empty());
            let topic = topic.map_or_else(String::new, |topic| format!(": {topic}"));
            visible(&format!("#{name}  {members}, key {}{topic}", room.room))
        })
        .collect();
    if lines.is_empty() && !more {
        return vec!["There is no other public room.".to_owned()];
    }
    lines.insert(0, "Public rooms, to come into with /join NAME:".to_owned());
    if more {
        lines.push("… and more: Ctrl+K finds them by a few letters.".to_owned());
    }
    lines
}
