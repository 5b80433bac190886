//! What is of the user alone.

use super::*;
use crate::protocol::{
    command::Command,
    kept::Draft,
    reading::{Counts, Marker},
    room::{RoomChanged, RoomField},
};

fn marks(effects: &[Effect]) -> Vec<(String, u64)> {
    let marks = effects.iter().filter_map(|effect| match effect {
        Effect::Say(Request {
            command: Command::Read(read),
            ..
        }) => Some((read.room.clone(), read.mark.seq)),
        _ => None,
    });
    marks.collect()
}

#[test]
fn what_was_seen_is_told_and_told_again_after_a_cut() {
    let mut store = reader(3, 3);
    store.saw("general", None, 2);
    let mark = [("general".to_owned(), 2)];
    assert_eq!(marks(&store.next_messages(0)), mark);
    assert!(store.next_messages(500).is_empty());
    store.closed(None);
    assert!(store.next_messages(5_000).is_empty(), "to no one");
    store.frame(5_000, server::hello("e", &[("general", 3), ("garden", 3)]));
    assert_eq!(marks(&store.next_messages(5_000)), mark);
    let refused = refusal(Some("mark-77"), Code::RoomNotFound);
    assert!(store.frame(5_000, refused).news.is_empty());
}

#[test]
fn what_another_device_has_read_is_read_and_what_others_have_is_not() {
    let mut store = reader(3, 3);
    let unread = |store: &Store| store.room("general").expect("a room").unread().messages;
    assert_eq!(unread(&store), 3);
    let marker = |user_id, counts| Marker {
        room: "general".into(),
        user_id,
        seq: 2,
        thread: None,
        counts,
    };
    store.frame(0, event::Event::Read(marker(2, None)));
    assert_eq!(unread(&store), 3);
    let counts = Counts {
        unread: 1,
        mentions: 0,
        at: 3,
    };
    store.frame(0, event::Event::Read(marker(1, Some(counts))));
    assert_eq!(unread(&store), 1);
    let room = store.room("general").expect("a room");
    assert_eq!(room.marker(), 2);
}

#[test]
fn a_draft_of_another_device_is_told_once_and_an_older_one_never() {
    let mut store = reader(1, 1);
    let mut tell = |content: &str, at| {
        let changed = RoomChanged {
            room: "garden".into(),
            changed: vec![RoomField::Draft],
            draft: Some(Draft {
                thread: Some(1),
                content: content.into(),
                unreadable: false,
                updated_at: chrono::DateTime::from_timestamp(at, 0),
            }),
            ..RoomChanged::default()
        };
        let outcome = store.frame(0, event::Event::Room(RoomNews::Changed(changed)));
        let room = store.room("garden").expect("a room");
        let draft = room.draft(Some(1)).expect("a draft").content.clone();
        (outcome.news.len(), draft)
    };
    assert_eq!(tell("I think", 5), (1, "I think".into()));
    assert_eq!(tell("I think", 6), (0, "I think".into()));
    assert_eq!(tell("I", 4), (0, "I think".into()));
    assert_eq!(tell("", 7), (1, String::new()));
}

#[test]
fn nobody_is_told_that_their_writing_could_not_be_told() {
    let mut store = reader(2, 2);
    store.frame(0, server::hello("e", &[("general", 5), ("garden", 5)]));
    let Some(Effect::Say(said)) = store.write_in(0, "garden", None) else {
        panic!("it is to be told");
    };
    let answer = refusal(said.reference.as_deref(), Code::RoomNotFound);
    assert!(store.frame(0, answer).news.is_empty());
}
