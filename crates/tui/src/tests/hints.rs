//! What is said below the conversation is said as long as it is true, and what one has to know is said.

use parlour_client::api::RoomsPage;

use super::*;
use crate::protocol::{
    code::Code,
    room::{Role, Room, RoomKind},
};

const TOLD: &str = "There is no such user.";

/// Alice in a room, after something was refused.
fn refused() -> Stage {
    let mut stage = Stage::in_room(1);
    stage.write("/invite bobb");
    let ask = stage.asks().remove(0);
    stage.answer_ask(ask, Err(TOLD.into()));
    assert!(stage.shows(TOLD), "{}", stage.screen());
    stage
}

#[test]
fn what_went_wrong_is_told_until_it_was_read() {
    let mut stage = refused();
    stage.happen(Event::Tick(4_000));
    stage.type_text("y");
    assert!(stage.shows(TOLD), "there was no time to read it");
    stage.happen(Event::Tick(6_000));
    assert!(stage.shows(TOLD), "nothing was typed since");
    stage.type_text("z");
    assert!(!stage.shows(TOLD), "{}", stage.screen());

    let mut stage = refused();
    stage.happen(Event::Tick(31_000));
    assert!(!stage.shows(TOLD), "{}", stage.screen());
}

#[test]
fn what_went_wrong_is_over_when_the_next_thing_works() {
    let mut stage = refused();
    stage.ctrl('u');
    stage.write("/invite bob");
    stage.write("/kick bobb");
    let [invite, kick] = stage.asks().try_into().expect("two");
    stage.answer_ask(kick, Err(TOLD.into()));
    assert!(stage.shows(TOLD));
    stage.answer_ask(invite, Ok(Answer::Done));
    assert!(!stage.shows(TOLD), "{}", stage.screen());
}

#[test]
fn what_could_not_be_reached_is_not_told_once_the_connection_is_back() {
    let told = "The server cannot be reached.";
    let mut stage = Stage::in_room(1);
    stage.closed(None);
    stage.write("/invite bob");
    let ask = stage.asks().remove(0);
    stage.answer_ask(ask, Err(told.into()));
    assert!(stage.shows(told));
    stage.ctrl('u');
    stage.write("/reconnect");
    stage.write("/invite bob");
    let ask = stage.asks().remove(0);
    stage.answer_ask(ask, Err(told.into()));
    assert!(stage.shows(told));
    stage.hello("epoch", 1);
    assert!(
        stage.shows("connected") && !stage.shows(told),
        "{}",
        stage.screen()
    );
}

#[test]
fn what_happens_by_itself_waits_until_an_answer_was_read() {
    let mut stage = refused();
    stage.come_into("7", "garden", 0);
    stage.come_into("8", "kitchen", 0);
    let [garden, kitchen] =
        ["garden", "kitchen"].map(|name| format!("You are a member of #{name} now"));
    assert!(
        stage.shows(TOLD) && !stage.shows(&garden),
        "{}",
        stage.screen()
    );
    stage.happen(Event::Tick(6_000));
    stage.type_text("y");
    assert!(stage.shows(&garden), "{}", stage.screen());
    stage.happen(Event::Tick(12_000));
    stage.type_text("es");
    assert!(stage.shows(&kitchen), "one after the other");
}

#[test]
fn slow_mode_says_how_long_it_lasts() {
    let mut stage = Stage::in_room(1);
    stage.happen(Event::Tick(1_000));
    stage.write("too soon");
    let reference = stage.sent().remove(0).0;
    stage.frame(event::Event::Error(ErrorFrame {
        reference: Some(reference),
        code: Code::SlowMode,
        detail: "This room is in slow mode: you can write again in 23 seconds.".into(),
        retry_after_ms: Some(22_900),
        room: None,
        kind: None,
    }));
    let told = "is sent in 23 s: this room is in slow mode";
    assert!(stage.shows(told), "{}", stage.screen());
    stage.write("and another");
    stage.happen(Event::Tick(11_000));
    let told = "is sent in 13 s: this room is in slow mode";
    assert!(stage.shows(told), "{}", stage.screen());
    assert_eq!(stage.screen().matches("slow mode").count(), 1);
    assert!(stage.shows("… waits to be sent"), "behind the other");
    stage.happen(Event::Tick(24_000));
    assert_eq!(stage.sent()[0].1, "too soon");
}

#[test]
fn the_rooms_are_listed_with_their_keys_and_the_public_ones_to_come_into() {
    let mut stage = Stage::in_room(1);
    stage.come_into("7", "garden", 0);
    stage.write("/rooms");
    assert!(stage.shows("#garden  public, key 7"), "{}", stage.screen());
    let ask = stage.asks().remove(0);
    assert!(matches!(ask, Ask::Public { cursor: None, .. }), "{ask:?}");
    let public = |key: &str, name: &str, topic: &str| Room {
        room: key.into(),
        name: Some(name.into()),
        topic: Some(topic.into()),
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
    };
    let rooms = vec![
        public("7", "garden", ""),
        public("9", "tea", "tea\u{1b} only"),
    ];
    let next = Some("more".to_owned());
    stage.answer_ask(ask, Ok(Answer::Page(RoomsPage { rooms, next })));
    // Those are few: the next page is asked for.
    let ask = stage.asks().remove(0);
    let many = |n: u64| public(&n.to_string(), &format!("z-{n}"), "");
    let rooms = (100..300).map(many).collect();
    let next = Some("more".to_owned());
    stage.answer_ask(ask, Ok(Answer::Page(RoomsPage { rooms, next })));
    assert_eq!(stage.asks(), [], "those are enough");
    stage.happen(Event::Resize(80, 230));
    let screen = stage.screen();
    for told in [
        "Your rooms:",
        "#general  public, key general",
        "#garden  public, key 7",
        "Public rooms, to come into with /join NAME:",
        "#tea  4 members, key 9: tea␛ only",
        "… and more: Ctrl+K finds them by a few letters.",
    ] {
        assert!(screen.contains(told), "{told}\n{screen}");
    }
    assert!(!screen.contains("#garden  4 members"), "{screen}");
    stage.happen(Event::Resize(80, 20));
    stage.press(KeyCode::Esc);
    // A list that was closed does not come again, and one that cannot be had says so.
    stage.write("/rooms");
    stage.press(KeyCode::Esc);
    let ask = stage.asks().remove(0);
    let none = RoomsPage {
        rooms: Vec::new(),
        next: None,
    };
    stage.answer_ask(ask, Ok(Answer::Page(none)));
    assert!(!stage.shows("Your rooms:"));
    stage.write("/rooms");
    let ask = stage.asks().remove(0);
    stage.answer_ask(ask, Err("The server cannot be reached.".into()));
    assert!(
        stage.shows("The public rooms are not known: The server cannot be reached."),
        "{}",
        stage.screen()
    );
}

#[test]
fn rooms_of_one_name_are_told_apart_by_their_keys() {
    let mut stage = Stage::in_room(1);
    for key in ["7", "12"] {
        let about = RoomState {
            room: key.into(),
            name: Some("plans".into()),
            kind: RoomKind::Private,
            role: Some(Role::Owner),
            ..RoomState::default()
        };
        stage.frame(event::Event::Room(RoomNews::Here(about)));
    }
    stage.come_into("8", "garden", 0);
    let screen = stage.screen();
    for told in ["*plans (7)", "*plans (12)", "#garden "] {
        assert!(screen.contains(told), "{told}\n{screen}");
    }
    stage.ctrl('k');
    stage.type_text("plans");
    stage.press(KeyCode::Down);
    stage.press(KeyCode::Enter);
    assert!(stage.shows(" *plans (7) "), "{}", stage.screen());
    stage.write("/topic");
    assert!(stage.shows("The room’s key is 7."), "{}", stage.screen());
}
