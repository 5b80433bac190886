//! Any course of events.

use proptest::prelude::*;

use super::{
    server::{Act, Server},
    *,
};

fn act() -> impl Strategy<Value = Act> {
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
    ]
}

/// All that the server has of a room from what is first shown of it.
fn fetched(server: &Server, room: &str, first: Option<u64>) -> Vec<Message> {
    let all = server.messages(room).values();
    all.filter(|m| Some(m.id) >= first).cloned().collect()
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
            told.retain(|id, _| Some(*id) >= first);
            let told: Vec<_> = told.into_values().collect();
            prop_assert_eq!(&told, &fetched(&server, room, first), "{}", room);
        }
    }
}
