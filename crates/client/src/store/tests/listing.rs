//! Rooms that the first frame of a socket has left out.

use super::*;
use crate::{
    api::{Answer, Ask, RoomsPage},
    protocol::room,
};

/// A first frame that lists these rooms, and says that there are more.
fn hello_and_more(rooms: &[(&str, u64)]) -> event::Event {
    match server::hello("e", rooms) {
        event::Event::System(System {
            message,
            notice: Notice::Connected(mut hello),
        }) => {
            hello.more_rooms = 1;
            let notice = Notice::Connected(hello);
            event::Event::System(System { message, notice })
        }
        other => other,
    }
}

fn asked(outcome: &Outcome) -> Vec<Ask> {
    let asks = outcome.effects.iter().filter_map(|effect| match effect {
        Effect::Ask(ask) => Some(ask.clone()),
        _ => None,
    });
    asks.collect()
}

pub(super) fn listed(key: &str, seq: u64) -> room::Room {
    let about = serde_json::json!({"room": key, "kind": "direct", "seq": seq, "created_at": "2026-11-27T00:00:00Z"});
    serde_json::from_value(about).expect("a room")
}

fn own_page(keys: &[(&str, u64)], next: Option<&str>) -> Answer {
    let rooms = keys.iter().map(|(key, seq)| listed(key, *seq));
    Answer::Page(RoomsPage {
        rooms: rooms.collect(),
        next: next.map(str::to_owned),
    })
}

fn gone(outcome: &Outcome) -> Vec<&str> {
    let gone = outcome.news.iter().filter_map(|news| match news {
        News::Gone { room } => Some(room.as_str()),
        _ => None,
    });
    gone.collect()
}

/// Connected, and asked for the rest of the rooms.
fn asking(store: &mut Store, rooms: &[(&str, u64)]) -> Ask {
    let outcome = store.frame(0, hello_and_more(rooms));
    assert!(gone(&outcome).is_empty(), "it is not known yet");
    let asks = asked(&outcome);
    assert_eq!(asks.len(), 1, "{asks:?}");
    asks.into_iter().next().expect("one")
}

#[test]
fn a_room_that_is_left_out_is_caught_up_with_when_it_is_found_and_gone_when_it_is_not() {
    for is_there in [true, false] {
        let mut store = reader(2, 7);
        store.closed(None);
        let ask = asking(&mut store, &[("general", 2)]);
        let outcome = store.answered(0, &ask, &Ok(own_page(&[("general", 2)], Some("on"))));
        let asks = asked(&outcome);
        assert!(
            matches!(&asks[..], [Ask::Own { cursor: Some(on), .. }] if on == "on"),
            "{asks:?}"
        );
        store.frame(0, synced(&[("general", 2)]));
        let rooms: &[(&str, u64)] = if is_there { &[("garden", 9)] } else { &[] };
        let outcome = store.answered(0, &asks[0], &Ok(own_page(rooms, None)));
        if is_there {
            let cursors = BTreeMap::from([("garden".into(), 7)]);
            assert_eq!(say(&outcome)[0].rooms, cursors);
        } else {
            assert_eq!(gone(&outcome), ["garden"]);
        }
        assert!(asked(&outcome).is_empty());
    }
}

#[test]
fn a_list_that_cannot_be_had_is_asked_for_again_and_one_of_before_does_not_count() {
    let mut store = reader(2, 7);
    store.closed(None);
    let before = asking(&mut store, &[("general", 2)]);
    store.closed(None);
    let now = asking(&mut store, &[("general", 2)]);
    let late = store.answered(0, &before, &Ok(own_page(&[], None)));
    assert!(gone(&late).is_empty() && asked(&late).is_empty());
    store.answered(0, &now, &Err("Too many requests.".into()));
    assert!(asked(&store.tick(1)).is_empty());
    assert_eq!(asked(&store.tick(60_000)), [now]);
}

#[test]
fn what_is_wanted_by_its_key_is_found_among_those_that_were_left_out() {
    let mut store = Store::new("alice", Past::Pages, these(&["71", "72"]));
    let ask = asking(&mut store, &[("general", 2)]);
    let outcome = store.answered(0, &ask, &Ok(own_page(&[("70", 1), ("71", 1)], None)));
    assert!(store.room("71").is_some() && store.room("70").is_none());
    let missing = |news: &News| matches!(news, News::NotMember { room } if room == "72");
    assert!(outcome.news.iter().any(missing), "{:?}", outcome.news);
}

#[test]
fn a_room_in_which_something_happens_meanwhile_is_caught_up_with_once() {
    let mut store = reader(2, 7);
    store.closed(None);
    let ask = asking(&mut store, &[("general", 2)]);
    store.frame(0, synced(&[("general", 2)]));
    let here = RoomState {
        room: "garden".into(),
        seq: 9,
        ..RoomState::default()
    };
    let outcome = store.frame(0, event::Event::Room(RoomNews::Here(here)));
    let cursors = BTreeMap::from([("garden".into(), 7)]);
    assert_eq!(say(&outcome)[0].rooms, cursors);
    // The list is of before.
    let outcome = store.answered(0, &ask, &Ok(own_page(&[("garden", 8)], None)));
    assert!(say(&outcome).is_empty() && gone(&outcome).is_empty());
    assert!(outcome.news.is_empty(), "{:?}", outcome.news);
}

#[test]
fn more_rooms_than_one_frame_holds_are_caught_up_with_one_part_after_the_other() {
    let keys: Vec<String> = (0..2_500)
        .map(|n| format!("{}", 100_000_000_000_000_u64 + n))
        .collect();
    let rooms: Vec<(&str, u64)> = keys.iter().map(|key| (key.as_str(), 1)).collect();
    let mut store = Store::new("alice", Past::Later, Rooms::All);
    store.frame(0, server::hello("e", &rooms));
    store.closed(None);
    let mut outcome = store.frame(0, server::hello("e", &rooms));
    let mut asked = BTreeSet::new();
    for most in [1_000, 1_000, 500] {
        let syncs = say(&outcome);
        assert_eq!(syncs.len(), 1, "one at a time");
        let part: Vec<String> = syncs[0].rooms.keys().cloned().collect();
        assert_eq!(part.len(), most);
        let frame = serde_json::to_string(&syncs[0].rooms).expect("JSON");
        assert!(frame.len() < 60_000, "{}", frame.len());
        asked.extend(part.iter().cloned());
        let answer: Vec<(&str, u64)> = part.iter().map(|key| (key.as_str(), 1)).collect();
        outcome = store.frame(0, synced(&answer));
    }
    assert_eq!(asked.len(), 2_500);
    assert!(say(&outcome).is_empty());
}

#[test]
fn a_message_that_came_while_the_list_was_read_is_unread() {
    let mut store = Store::new("alice", Past::Pages, Rooms::All);
    let ask = asking(&mut store, &[("general", 5)]);
    // The list knows message 501 already; the socket tells of the room as it was before, and then of the message.
    store.answered(0, &ask, &Ok(own_page(&[("77", 501)], None)));
    let about = RoomState {
        room: "77".into(),
        seq: 500,
        ..RoomState::default()
    };
    store.frame(0, event::Event::Room(RoomNews::Here(about)));
    store.frame(0, event::Event::Message(server::message("77", 501)));
    assert_eq!(store.room("77").expect("a room").unread().messages, 1);
}

#[test]
fn a_room_with_a_name_is_not_taken_for_one_that_was_left_out() {
    // Two are called so, so that the word means neither.
    let mut store = Store::new("alice", Past::Later, Rooms::These(vec!["garden".into()]));
    let ask = asking(&mut store, &[("general", 5)]);
    let mut named = listed("7", 3);
    named.name = Some("garden".into());
    let page = Answer::Page(RoomsPage {
        rooms: vec![named],
        next: None,
    });
    let outcome = store.answered(0, &ask, &Ok(page));
    assert!(store.room("7").is_none());
    assert!(matches!(&outcome.news[..], [News::NotMember { room }] if room == "garden"));
}

#[test]
fn a_part_is_no_longer_than_the_server_takes() {
    let keys: Vec<String> = (0..100)
        .map(|n| format!("{}", 9_000_000_000_000_000_u64 + n))
        .collect();
    let rooms: Vec<(&str, u64)> = keys
        .iter()
        .map(|key| (key.as_str(), u64::MAX >> 12))
        .collect();
    let mut store = Store::new("alice", Past::Later, Rooms::All);
    let mut hello = server::hello("an epoch, as long as one can be expected", &rooms);
    if let event::Event::System(System {
        notice: Notice::Connected(hello),
        ..
    }) = &mut hello
    {
        hello.limits.frame_bytes = 1_024;
    }
    store.frame(0, hello.clone());
    store.closed(None);
    let mut outcome = store.frame(0, hello);
    let mut asked = BTreeSet::new();
    while let Some(Effect::Say(request)) = outcome.effects.first() {
        let frame = serde_json::to_string(request).expect("JSON");
        assert!(frame.len() <= 1_024, "{}", frame.len());
        let part: Vec<String> = say(&outcome)[0].rooms.keys().cloned().collect();
        asked.extend(part.iter().cloned());
        let answer: Vec<(&str, u64)> = part
            .iter()
            .map(|key| (key.as_str(), u64::MAX >> 12))
            .collect();
        outcome = store.frame(0, synced(&answer));
    }
    assert_eq!(asked.len(), 100);
}
