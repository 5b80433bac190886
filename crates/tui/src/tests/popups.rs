//! Lists that cover the screen: what is typed over them, and which answer belongs to which.

use parlour_client::api::RoomsPage;

use super::*;
use crate::protocol::room::{Member, Role, Room, RoomKind};

fn public(key: u64) -> Room {
    Room {
        room: key.to_string(),
        name: Some(format!("room-{key}")),
        topic: None,
        kind: RoomKind::Public,
        members: 4,
        role: None,
        muted_until: None,
        seq: 0,
        read_seq: None,
        unread: None,
        mentions: None,
        notify: None,
        last_at: None,
        slow_seconds: 0,
        archived_at: None,
        created_at: at(0),
        users: Vec::new(),
        hidden: false,
    }
}

fn page(keys: impl Iterator<Item = u64>, next: Option<&str>) -> Answer {
    Answer::Page(RoomsPage {
        rooms: keys.map(public).collect(),
        next: next.map(str::to_owned),
    })
}

fn members(name: &str) -> Answer {
    let member = Member {
        user_id: 2,
        username: name.into(),
        display_name: None,
        role: Role::Member,
        muted_until: None,
        joined_at: at(0),
    };
    Answer::Members(vec![member], false)
}

#[test]
fn what_is_typed_over_a_list_closes_it_and_is_written_whole() {
    let mut stage = Stage::in_room(1);
    for open in ["/help", "/rooms", "/members"] {
        stage.write(open);
        for ask in stage.asks() {
            if ask == Ask::Members("general".into()) {
                stage.answer_ask(ask, Ok(members("zoe")));
            }
        }
        assert!(stage.shows("Esc closes"), "{}", stage.screen());
        stage.write("/kick zoe");
        assert_eq!(stage.sent(), [], "it is said to no one");
        assert!(!stage.shows("Esc closes"));
        let user = "zoe".to_owned();
        let room = "general".to_owned();
        assert_eq!(stage.asks(), [Ask::RemoveMember { room, user }]);
    }
    // What only closes it does nothing else.
    stage.type_text("half a");
    stage.write(""); // sent
    stage.sent();
    stage.write("/help");
    stage.press(KeyCode::Enter);
    assert!(!stage.shows("Esc closes") && stage.sent().is_empty());
    stage.write("/help");
    stage.happen(Event::Paste("a text".into()));
    assert!(!stage.shows("Esc closes") && stage.shows("a text"));
}

#[test]
fn a_late_answer_is_taken_by_no_other_list() {
    let mut stage = Stage::in_room(1);
    stage.write("/rooms");
    let rooms = stage.asks().remove(0);
    stage.press(KeyCode::Esc);
    stage.write("/members");
    let ask = stage.asks().remove(0);
    stage.answer_ask(ask, Ok(members("zoe")));
    stage.answer_ask(rooms, Ok(page(9..10, None)));
    assert!(
        stage.shows("Members of #general") && !stage.shows("Your rooms:"),
        "{}",
        stage.screen()
    );
    stage.press(KeyCode::Esc);

    stage.write("/rooms");
    let rooms = stage.asks().remove(0);
    stage.ctrl('k');
    let letters = stage.asks().remove(0);
    stage.answer_ask(rooms, Ok(page(9..10, None)));
    assert!(stage.shows("Go to") && !stage.shows("#room-9"));
    stage.type_text("x");
    stage.answer_ask(letters, Ok(Answer::Rooms(vec![public(8)], false)));
    stage.press(KeyCode::Backspace);
    assert!(!stage.shows("#room-8"), "that is for other letters");
}

#[test]
fn the_list_of_public_rooms_is_read_until_there_are_some_to_come_into() {
    let mut stage = Stage::in_room(1);
    for key in 10..13 {
        stage.come_into(&key.to_string(), &format!("room-{key}"), 0);
    }
    stage.write("/rooms");
    let first = stage.asks().remove(0);
    stage.answer_ask(first.clone(), Ok(page(10..12, Some("more"))));
    let second = stage.asks().remove(0);
    let (Ask::Public { tag, .. }, Ask::Public { cursor, tag: same }) = (&first, &second) else {
        panic!("{second:?}");
    };
    assert_eq!((cursor.as_deref(), same), (Some("more"), tag));
    stage.answer_ask(second, Ok(page(12..14, None)));
    assert!(stage.shows("#room-13  4 members"), "{}", stage.screen());
    assert!(!stage.shows("#room-12  4 members"));
    stage.press(KeyCode::Esc);
    stage.write("/rooms");
    for (keys, next) in [(10..12, Some("more")), (12..13, None)] {
        let ask = stage.asks().remove(0);
        stage.answer_ask(ask, Ok(page(keys, next)));
    }
    assert!(
        stage.shows("There is no other public room."),
        "{}",
        stage.screen()
    );
}
