//! Any course of events.

use proptest::prelude::*;

use super::{
    server::{Act, Server, Voice},
    *,
};

pub fn act() -> impl Strategy<Value = Act> {
    let room = || prop_oneof![Just("general"), Just("garden")];
    prop_oneof![
        4 => room().prop_map(Act::Write),
        2 => room().prop_map(Act::WriteUnheard),
        4 => (room(), 0_usize..12, any::<bool>()).prop_map(|(room, back, heard)| Act::Change(room, back, heard)),
        6 => Just(Act::Deliver),
        4 => Just(Act::Answer),
        1 => Just(Act::Fail),
        1 => Just(Act::RefuseSync),
        1 => Just(Act::Cut),
        2 => Just(Act::Wait),
        2 => room().prop_map(Act::Older),
        1 => room().prop_map(Act::Look),
        1 => Just(Act::Kick),
        1 => Just(Act::Invite),
        3 => (room(), voice()).prop_map(|(room, voice)| Act::Say(room, voice)),
        4 => (room(), 0_usize..6, voice(), any::<bool>())
            .prop_map(|(room, back, voice, also)| Act::Reply(room, back, voice, also)),
        2 => (room(), 0_usize..9, any::<bool>()).prop_map(|(room, back, is_back)| Act::Read(room, back, is_back)),
        1 => (room(), 0_usize..9, any::<bool>()).prop_map(|(room, back, is_back)| Act::ReadThread(room, back, is_back)),
        3 => (room(), 0_usize..9).prop_map(|(room, back)| Act::See(room, back)),
        1 => (room(), 0_usize..9).prop_map(|(room, back)| Act::Unsee(room, back)),
        1 => (room(), 0_usize..9).prop_map(|(room, back)| Act::SeeThread(room, back)),
        1 => (room(), 0_usize..9).prop_map(|(room, back)| Act::OpenThread(room, back)),
        1 => room().prop_map(Act::Trim),
        3 => Just(Act::Told),
        1 => (room(), 0_u8..3).prop_map(|(room, n)| Act::Draft(room, n)),
    ]
}

fn voice() -> impl Strategy<Value = Voice> {
    prop_oneof![
        3 => Just(Voice::Other),
        2 => Just(Voice::Mention),
        1 => Just(Voice::Everyone),
        1 => Just(Voice::Here),
        1 => Just(Voice::Mine),
        1 => Just(Voice::Room),
    ]
}

/// All that the server has of a room from what is first shown of it.
fn fetched(server: &Server, room: &str, first: Option<u64>) -> Vec<Message> {
    let all = server.messages(room).values();
    let own_pages = all.filter(|m| !m.is_in_thread_only());
    own_pages.filter(|m| Some(m.id) >= first).cloned().collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(600))]

    /// However live frames, the one `sync` for all rooms, pages, failures, cuts and kicks are interleaved: what is held of
    /// each room is what would be fetched of it now, from its first message to its last, and of a room that one was
    /// removed from it is what was in it then.
    #[test]
    fn what_is_held_and_what_comes_is_what_would_be_fetched(
        acts in proptest::collection::vec(act(), 0..120),
        before in 0_u64..9,
    ) {
        let mut server = Server::new(Past::Pages, Rooms::All, before);
        for act in acts {
            server.act(act);
        }
        server.settle();
        for room in ["general", "garden"] {
            let held = server.held(room);
            let timeline = server.store.room(room).expect("a room").timeline();
            let start = timeline.start().unwrap_or(u64::MAX);
            prop_assert_eq!(&held, &fetched(&server, room, Some(start)), "{}", room);
            prop_assert!(timeline.older() != Older::AllRead || start <= 1);
        }
        prop_assert_eq!(server.most_syncs_at_once, 1.min(server.syncs), "the server takes one at a time");
    }

    /// However people write, mention, reply, edit and delete, and however far the user's devices read, forward and back: what
    /// is unread, in rooms and in threads, is what it is by history; and a draft is the one that was written last.
    #[test]
    fn what_is_unread_is_what_would_be_counted(
        acts in proptest::collection::vec(act(), 0..120),
        before in 0_u64..9,
    ) {
        let mut server = Server::new(Past::Pages, Rooms::All, before);
        server.store.follow_threads();
        for act in acts {
            server.act(act);
        }
        server.settle();
        let rooms = ["general", "garden"].into_iter();
        for key in rooms.filter(|key| !server.is_removed_from(key)) {
            let room = server.store.room(key).expect("a room");
            prop_assert!(room.reading.is_sure(), "{}", key);
            prop_assert_eq!(room.marker(), server.marker(key), "{}", key);
            prop_assert_eq!(room.unread(), server.unread(key, None), "{}", key);
            let followed: Vec<_> = room.threads().followed().map(|(first, _)| first).collect();
            prop_assert_eq!(&followed, &server.followed(key), "{}", key);
            for (first, thread) in room.threads().followed() {
                prop_assert_eq!(thread.marker(), server.thread_marker(key, first), "{}/{}", key, first);
                prop_assert_eq!(thread.unread(), server.unread(key, Some(first)), "{}/{}", key, first);
            }
            for first in server.opened(key) {
                let timeline = room.threads().timeline(first).expect("it was opened");
                // What is under the first message is told apart from it.
                let held = timeline.messages_after(0).cloned();
                let held: Vec<_> = held.map(|message| Message { replies: None, ..message }).collect();
                prop_assert_eq!(&held, &server.thread(key, first, timeline.start()), "{}/{}", key, first);
            }
            let draft = room.draft(None).map(|draft| draft.content.as_str());
            prop_assert_eq!(draft, server.draft(key), "{}", key);
        }
    }

    /// One who keeps nothing is told of each change once, and of all of them.
    #[test]
    fn what_is_told_to_one_who_keeps_nothing_is_what_would_be_fetched(
        acts in proptest::collection::vec(act(), 0..120),
        before in 0_u64..9,
    ) {
        let mut server = Server::new(Past::Latest(5), these(&["general", "garden"]), before);
        for act in acts {
            server.act(act);
        }
        server.settle();
        let rooms = ["general", "garden"].into_iter();
        for room in rooms.filter(|room| !server.is_removed_from(room)) {
            let mut told: BTreeMap<u64, Message> = BTreeMap::new();
            for message in server.shown.iter().filter(|message| message.room == room) {
                let older = told.insert(message.id, message.clone());
                prop_assert!(older.is_none_or(|older| older.seq <= message.seq), "{:?}", message);
            }
            let first = server.first_page.get(room).copied().flatten();
            told.retain(|id, message| Some(*id) >= first && !message.is_in_thread_only());
            let told: Vec<_> = told.into_values().collect();
            prop_assert_eq!(&told, &fetched(&server, room, first), "{}", room);
        }
    }
}
