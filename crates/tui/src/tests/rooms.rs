//! Going from room to room.

use proptest::prelude::*;
use unicode_segmentation::UnicodeSegmentation as _;

use super::*;
use crate::protocol::{
    message::{Kind, Pinned, Reaction},
    reading::Notify,
    room::{MemberPatch, NewDirect, NewRoom, Person, Room, RoomKind, RoomPatch},
};

fn in_garden(id: u64, username: &str, content: &str) -> Message {
    Message {
        room: "7".into(),
        ..message(id, username, content)
    }
}

fn room(key: &str, name: &str) -> Room {
    Room {
        room: key.into(),
        name: Some(name.into()),
        kind: RoomKind::Public,
        topic: None,
        role: None,
        muted_until: None,
        seq: 1,
        read_seq: Some(1),
        unread: Some(0),
        mentions: Some(0),
        notify: Some(Notify::Mentions),
        last_at: None,
        members: 1,
        slow_seconds: 0,
        archived_at: None,
        created_at: at(0),
        users: Vec::new(),
        hidden: false,
    }
}

#[test]
fn a_room_that_was_made_is_gone_to_as_soon_as_it_is_known() {
    let mut stage = Stage::in_room(1);
    stage.write("/create garden");
    let ask = stage.asks().remove(0);
    let new = NewRoom {
        name: "garden".into(),
        kind: RoomKind::Public,
        topic: None,
        users: Vec::new(),
    };
    assert_eq!(ask, Ask::Create(new));
    stage.answer_ask(ask, Ok(Answer::Room(Box::new(room("7", "garden")))));
    assert!(stage.shows(" #general "), "it is not known yet");
    stage.come_into("7", "garden", 1);
    assert!(stage.shows(" #garden  alice@"), "{}", stage.screen());
    assert!(stage.shows("Rooms"), "there are two to list");
    stage.write("/create shed");
    let ask = stage.asks().remove(0);
    stage.answer_ask(ask, Err("Another room is called so.".into()));
    assert!(stage.shows("Another room is called so."));
    stage.ctrl('u');
    // One that is there already is gone to.
    stage.write("/join general");
    stage.write("/create #Garden");
    assert_eq!(stage.asks(), []);
    assert!(
        stage.shows(" #garden  alice@") && stage.shows("You are in #garden already: its key is 7."),
        "{}",
        stage.screen()
    );
    stage.write("/direct bob, carol");
    let users = vec!["bob".into(), "carol".into()];
    assert_eq!(stage.asks(), [Ask::Direct(NewDirect { users })]);
    stage.write("/create");
    assert!(stage.shows("Write /create NAME."));
}

#[test]
fn what_is_written_on_the_way_to_a_room_is_not_said_in_another() {
    let mut stage = Stage::in_room(1);
    stage.write("/create garden");
    let ask = stage.asks().remove(0);
    stage.write("for the garden");
    assert!(stage.said.is_empty(), "it is sent nowhere yet");
    assert!(stage.shows("Another room is being opened"));
    stage.answer_ask(ask, Ok(Answer::Room(Box::new(room("7", "garden")))));
    stage.come_into("7", "garden", 1);
    assert!(stage.shows(" #garden ") && stage.shows("for the garden"));
    stage.press(KeyCode::Enter);
    let request = stage.said.pop().expect("a frame");
    assert!(
        matches!(&request.command, Command::Message(sent) if sent.room.as_deref() == Some("7"))
    );

    // Refused, it stays where it is, to be looked at before it is sent.
    stage.write("/create yard");
    let ask = stage.asks().remove(0);
    stage.write("what now");
    stage.answer_ask(ask, Err("Another room is called so.".into()));
    assert!(stage.said.is_empty() && stage.shows("what now"));
    stage.ctrl('u');

    // Who has gone elsewhere meanwhile stays there.
    stage.write("/create shed");
    let ask = stage.asks().remove(0);
    stage.ctrl('k');
    stage.type_text("gen");
    stage.press(KeyCode::Enter);
    stage.type_text("half a");
    stage.answer_ask(ask, Ok(Answer::Room(Box::new(room("8", "shed")))));
    stage.come_into("8", "shed", 1);
    assert!(stage.shows(" #general ") && stage.shows("half a"));
    stage.ctrl('u');

    // A list with nothing in it takes no one away from it.
    stage.ctrl('k');
    stage.type_text("zzz");
    stage.press(KeyCode::Enter);
    stage.type_text("zz");
    assert!(stage.shows("Go to"), "{}", stage.screen());
}

#[test]
fn what_is_written_and_read_in_each_room_stays_there() {
    let mut stage = Stage::in_room(1);
    stage.come_into("7", "garden", 0);
    stage.live(in_garden(1, "bob", "in the garden"));
    stage.live(in_garden(2, "bob", "are you there?"));
    let listed =
        |stage: &Stage, text: &str| stage.screen().lines().any(|row| row.starts_with(text));
    assert!(listed(&stage, " #garden 2"), "{}", stage.screen());
    assert!(!stage.shows("in the garden"));
    stage.type_text("half a");
    stage.ctrl('k');
    stage.type_text("garden");
    stage.press(KeyCode::Enter);
    assert!(stage.shows("are you there?") && !stage.shows("half a"));
    assert!(!listed(&stage, " #garden 2"));
    stage.write("yes");
    let request = stage.said.pop().expect("a frame");
    let Command::Message(sent) = request.command else {
        panic!("{request:?}");
    };
    assert_eq!(sent.room.as_deref(), Some("7"));
    stage.ctrl('k');
    stage.type_text("gen");
    stage.press(KeyCode::Enter);
    assert!(
        stage.shows("half a") && stage.shows("line 1"),
        "{}",
        stage.screen()
    );
    stage.ctrl('u');
    stage.press(KeyCode::Tab);
    assert!(stage.shows("Nothing is unread in another room."));
}

#[test]
fn the_switcher_finds_rooms_public_rooms_and_people() {
    let mut stage = Stage::in_room(1);
    stage.come_into("7", "garden", 0);
    stage.ctrl('k');
    let ask = stage.asks().remove(0);
    let rooms = vec![room("7", "garden"), room("8", "beergarden")];
    stage.answer_ask(ask, Ok(Answer::Rooms(rooms, false)));
    assert!(stage.shows("Go to") && stage.shows("@bob  (write to)"));
    stage.type_text("garden");
    assert!(stage.shows("#beergarden  (join)") && !stage.shows("@bob  (write"));
    assert!(!stage.shows("#garden  (join)"), "that is one's own");
    stage.ctrl('u');
    stage.type_text("zzz");
    assert!(stage.shows("nothing fits"));
    stage.press(KeyCode::Enter);
    stage.ctrl('u');
    stage.type_text("bob");
    stage.asks();
    stage.press(KeyCode::Enter);
    let users = vec!["bob".into()];
    assert_eq!(stage.asks(), [Ask::Direct(NewDirect { users })]);
    stage.ctrl('k');
    stage.press(KeyCode::Esc);
    assert!(!stage.shows("Go to"));
}

#[test]
fn one_who_is_removed_while_looking_is_told_and_loses_nothing_that_was_written() {
    let mut stage = Stage::in_room(1);
    stage.come_into("7", "garden", 0);
    stage.live(in_garden(1, "bob", "in the garden"));
    stage.press(KeyCode::Tab);
    stage.type_text("half a sentence");
    stage.frame(event::Event::Room(RoomNews::gone("7".into())));
    for text in [
        "#garden (gone)",
        "in the garden",
        "half a sentence",
        "You are not in #garden any more.",
    ] {
        assert!(stage.shows(text), "{text:?} is not in\n{}", stage.screen());
    }
    stage.press(KeyCode::Enter);
    assert!(stage.shows("nothing can be sent to it") && stage.shows("half a sentence"));
    stage.ctrl('k');
    stage.type_text("general");
    stage.press(KeyCode::Enter);
    assert!(
        stage.shows("line 1") && stage.shows("#garden (gone)"),
        "a draft is kept there"
    );
}

#[test]
fn a_narrow_window_says_in_the_bar_that_something_is_unread_elsewhere() {
    let mut stage = Stage::in_room(1);
    stage.happen(Event::Resize(60, 12));
    stage.come_into("7", "garden", 0);
    stage.live(in_garden(1, "bob", "hi"));
    assert!(
        stage.shows(" #general 1 room unread ") && !stage.shows("Rooms"),
        "{}",
        stage.screen()
    );
}

#[test]
fn what_has_changed_about_a_message_is_shown_in_plain_form() {
    let mut stage = Stage::in_room(3);
    let changed = |message: Message| {
        event::Event::MessageChanged(event::MessageChanged {
            message,
            by: Some(2),
            change: None,
        })
    };
    let person = Person {
        user_id: 2,
        username: "bob".into(),
    };
    stage.frame(changed(Message {
        seq: 4,
        edited_at: Some(at(4)),
        pinned: Some(Pinned { by: 2, at: at(4) }),
        reactions: vec![Reaction {
            emoji: "❤".into(),
            count: 2,
            users: vec![person],
            mine: None,
        }],
        ..message(1, "bob", "another line")
    }));
    stage.frame(changed(Message {
        seq: 5,
        deleted_at: Some(at(5)),
        ..message(2, "bob", "")
    }));
    stage.live(Message {
        kind: Kind::System,
        ..message(6, "bob", "bob has set the topic to bees.")
    });
    stage.live(Message {
        reply_to: Some(1),
        ..message(7, "carol", "an answer")
    });
    let screen = stage.screen();
    for text in [
        "another line",
        "(edited) (pinned) [❤ 2]",
        "(deleted)",
        "· bob has set the topic",
        "> bob: another line",
    ] {
        assert!(screen.contains(text), "{text:?} is not in\n{screen}");
    }
    assert!(
        !screen.contains("line 1") && !screen.contains("line 2"),
        "{screen}"
    );
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    /// Whatever rooms are called and whatever is said of them, the terminal gets nothing to obey and nothing hidden.
    #[test]
    fn names_topics_and_emoji_break_no_screen(name in nasty(), emoji in nasty(), typed in nasty(), columns in 1_u16..120) {
        let mut stage = Stage::in_room(1);
        stage.happen(Event::Resize(columns, 20));
        stage.come_into("7", &name, 0);
        stage.live(Message {
            reactions: vec![Reaction { emoji, count: 1, users: Vec::new(), mine: None }],
            reply_to: Some(9),
            ..in_garden(1, &name, &name)
        });
        stage.press(KeyCode::Tab);
        stage.live(Message { kind: Kind::System, ..in_garden(2, &name, &name) });
        let harmless = |screen: &str| {
            let mut cells = screen.lines().flat_map(|line| line.graphemes(true));
            cells.all(is_fit_for_a_cell)
        };
        prop_assert!(harmless(&stage.screen()));
        stage.ctrl('k');
        let ask = stage.asks().remove(0);
        stage.answer_ask(ask, Ok(Answer::Rooms(vec![room("8", &name)], false)));
        prop_assert!(harmless(&stage.screen()));
        stage.happen(Event::Paste(typed));
        prop_assert!(harmless(&stage.screen()));
        stage.frame(event::Event::Room(RoomNews::gone("7".into())));
        prop_assert!(harmless(&stage.screen()));
    }
}

#[test]
fn words_join_leave_invite_remove_and_set_the_topic() {
    let mut stage = Stage::in_room(1);
    stage.write("/join #garden");
    let ask = stage.asks().remove(0);
    let join = Ask::PutMember {
        room: "garden".into(),
        user: "1".into(),
        patch: MemberPatch::default(),
    };
    assert_eq!(ask, join);
    stage.answer_ask(ask, Ok(Answer::Done));
    stage.come_into("7", "garden", 4);
    assert!(stage.shows(" #garden  alice@"), "{}", stage.screen());
    stage.write("/invite @bob");
    stage.write("/kick bob");
    stage.write("/topic all about bees");
    stage.write("/topic -");
    let topic = |text: &str| {
        let patch = RoomPatch {
            topic: Some(text.into()),
            ..RoomPatch::default()
        };
        Ask::Change("7".into(), patch)
    };
    let (room, user) = ("7".to_owned(), "bob".to_owned());
    let invite = Ask::PutMember {
        room: room.clone(),
        user: user.clone(),
        patch: MemberPatch::default(),
    };
    let kick = Ask::RemoveMember { room, user };
    let asked = [invite, kick, topic("all about bees"), topic("")];
    assert_eq!(stage.asks(), asked);
    stage.write("/leave");
    let ask = stage.asks().remove(0);
    stage.answer_ask(ask, Ok(Answer::Done));
    stage.frame(event::Event::Room(RoomNews::gone("7".into())));
    assert!(
        stage.shows(" #general  alice@") && !stage.shows("Rooms"),
        "{}",
        stage.screen()
    );
}

/// The sizes at which the bar is read.
const SIZES: [(u16, u16); 3] = [(40, 12), (80, 24), (200, 50)];

fn with_topic(key: &str, name: &str, kind: RoomKind, topic: &str) -> event::Event {
    event::Event::Room(RoomNews::Here(RoomState {
        room: key.into(),
        name: Some(name.into()),
        kind,
        topic: Some(topic.into()),
        ..RoomState::default()
    }))
}

#[test]
fn the_room_its_topic_and_how_many_rooms_are_unread_are_seen_at_any_size() {
    for (columns, rows) in SIZES {
        let mut stage = Stage::in_room(1);
        stage.happen(Event::Resize(columns, rows));
        stage.frame(with_topic(
            "7",
            "garden",
            RoomKind::Private,
            "all about bees",
        ));
        stage.come_into("8", "shed", 0);
        stage.live(in_garden(1, "bob", "hi"));
        let row = |stage: &Stage, n: usize| stage.screen().lines().nth(n).map(str::to_owned);
        let bar = |stage: &Stage| row(stage, 0).expect("a bar");
        assert!(
            bar(&stage).contains(" #general 1 room unread "),
            "{}",
            stage.screen()
        );
        stage.press(KeyCode::Tab);
        assert!(bar(&stage).contains(" *garden ") && !bar(&stage).contains("unread"));
        assert!(
            row(&stage, 1).expect("a row").contains(" all about bees"),
            "{}",
            stage.screen()
        );
        stage.live(message(2, "bob", "and here"));
        stage.live(Message {
            room: "8".into(),
            ..message(1, "bob", "and here")
        });
        assert!(
            bar(&stage).contains(" *garden 2 rooms unread "),
            "{}",
            stage.screen()
        );
        assert!(bar(&stage).contains("● connected"), "{}", stage.screen());
        let long = "a-room-with-a-name-that-is-as-long-as-any";
        stage.come_into("9", long, 0);
        stage.write(&format!("/join {long}"));
        let bar = bar(&stage);
        assert!(
            bar.contains(" #a-room-with-a") && bar.contains('2'),
            "{bar}"
        );
    }
}

#[test]
fn unread_rooms_beyond_the_ends_of_the_list_are_told_of() {
    let mut stage = Stage::in_room(1);
    for n in 10..40 {
        stage.come_into(&n.to_string(), &format!("room-{n}"), 0);
    }
    let hear = |stage: &mut Stage, key: &str| {
        stage.live(Message {
            room: key.into(),
            ..message(1, "bob", "hi")
        });
    };
    assert!(!stage.shows("▼"));
    hear(&mut stage, "30");
    hear(&mut stage, "38");
    hear(&mut stage, "39");
    assert!(stage.shows(" ▼ 3 unread below"), "{}", stage.screen());
    stage.press(KeyCode::Tab);
    assert!(stage.shows(" #room-30 "), "{}", stage.screen());
    stage.press(KeyCode::Tab);
    stage.press(KeyCode::Tab);
    hear(&mut stage, "10");
    assert!(
        stage.shows(" ▲ 1 unread above") && !stage.shows("▼"),
        "{}",
        stage.screen()
    );
    // What is listed first when Ctrl+K opens is what is unread.
    stage.ctrl('k');
    let screen = stage.screen();
    let rows = screen.lines().skip_while(|row| !row.contains("Go to"));
    assert!(
        rows.take(3)
            .last()
            .is_some_and(|row| row.contains("#room-10 1")),
        "{screen}"
    );
}
