//! What is asked about rooms and members, what comes back when it is refused, and what is not lost on leaving.

use super::*;
use crate::protocol::room::{
    Member, MemberPatch, NewDirect, Person, Role, RoomChanged, RoomKind, RoomPatch,
};

fn member(user_id: i64, name: &str, role: Role) -> Member {
    Member {
        user_id,
        username: name.into(),
        display_name: None,
        role,
        muted_until: None,
        joined_at: at(0),
    }
}

fn direct_with(name: &str) -> event::Event {
    let person = |user_id, name: &str| Person {
        user_id,
        username: name.into(),
    };
    event::Event::Room(RoomNews::Here(RoomState {
        room: "9".into(),
        kind: RoomKind::Direct,
        users: vec![person(1, "alice"), person(5, name)],
        ..RoomState::default()
    }))
}

#[test]
fn leaving_with_something_written_asks_once_and_names_the_rooms() {
    for size in [(40, 12), (80, 24)] {
        let mut stage = Stage::in_room(1);
        stage.happen(Event::Resize(size.0, size.1));
        stage.come_into("7", "garden", 0);
        stage.type_text("half a sentence");
        stage.write(""); // sent
        let sent = stage.sent();
        stage.ack(&sent[0].0, 2);
        // With a connection it is kept on the server.
        stage.closed(None);
        stage.type_text("another half");
        stage.ctrl('k');
        stage.type_text("garden");
        stage.press(KeyCode::Enter);
        stage.ctrl('k');
        stage.ctrl('c');
        assert!(!stage.state.is_over);
        let screen = stage.screen();
        let words: Vec<_> = screen.split_whitespace().collect();
        let told = "What you wrote in #general is not sent, and would be lost: do it again to leave anyway.";
        assert!(words.join(" ").contains(told), "{screen}");
        // More is written: that is asked about, too.
        stage.type_text("more");
        assert!(!stage.shows("would be lost"));
        stage.ctrl('c');
        assert!(!stage.state.is_over);
        stage.ctrl('c');
        assert!(stage.state.is_over);
    }
}

#[test]
fn a_refused_line_comes_back_to_be_corrected() {
    let mut stage = Stage::in_room(1);
    for line in [
        "/invite bobb",
        "/create general",
        "/direct nobody",
        "/role bob owner",
        "/rename a b",
    ] {
        stage.write(line);
        assert!(!stage.shows(line), "it is asked");
        let ask = stage.asks().remove(0);
        stage.answer_ask(ask, Err("There is no such thing.".into()));
        assert!(
            stage.shows(line) && stage.shows("There is no such thing."),
            "{}",
            stage.screen()
        );
        stage.ctrl('u');
    }
    // It comes back to the room that it was written in, and over nothing else.
    stage.come_into("7", "garden", 0);
    stage.write("/invite bobb");
    let ask = stage.asks().remove(0);
    stage.write("/join garden");
    stage.type_text("half a");
    stage.answer_ask(ask, Err("There is no such user.".into()));
    assert!(stage.shows("half a") && !stage.shows("/invite"));
    stage.ctrl('u');
    stage.write("/join general");
    assert!(stage.shows("/invite bobb"), "{}", stage.screen());
    stage.ctrl('u');
    // What is done leaves nothing behind.
    stage.write("/invite bob");
    let ask = stage.asks().remove(0);
    stage.answer_ask(ask, Ok(Answer::Done));
    assert!(!stage.shows("/invite") && stage.state.lines.is_empty());
    // What cannot be understood is not even asked.
    for (line, told) in [
        ("/role bob king", "owner, moderator or member"),
        ("/role bob", "owner, moderator or member"),
        ("/mute bob soon", "like 30m, 2h or 7d"),
        ("/slow down", "a number of seconds"),
    ] {
        stage.write(line);
        assert!(stage.shows(line) && stage.shows(told), "{}", stage.screen());
        assert_eq!(stage.asks(), []);
        stage.ctrl('u');
    }
}

#[test]
fn a_refused_reaction_comes_back_to_be_corrected() {
    let mut stage = Stage::in_room(1);
    // What is no emoji is not even asked.
    for wrong in ["/react x", "/react 👍👍", "/react nonsense"] {
        stage.write(wrong);
        assert!(
            stage.shows("Write one emoji behind /react") && stage.said.is_empty(),
            "{}",
            stage.screen()
        );
        stage.ctrl('u');
    }
    stage.write("/react 🎉");
    let request = stage.said.pop().expect("a frame");
    stage.frame(event::Event::Error(ErrorFrame {
        reference: request.reference,
        code: crate::protocol::code::Code::ValidationError,
        detail: "There are too many.".into(),
        retry_after_ms: None,
        room: None,
        kind: None,
    }));
    assert!(
        stage.shows("/react 🎉") && stage.shows("There are too many."),
        "{}",
        stage.screen()
    );
}

#[test]
fn words_ask_for_roles_mutes_names_archives_and_slow_mode() {
    let mut stage = Stage::in_room(1);
    stage.state.clock = || at(100);
    stage.come_into("7", "garden", 0);
    stage.write("/join garden");
    let put = |name: &str, patch| Ask::PutMember {
        room: "7".into(),
        user: name.into(),
        patch,
    };
    let role = MemberPatch {
        role: Some(Role::Moderator),
        ..MemberPatch::default()
    };
    // `at` counts in minutes.
    let muted = |id| MemberPatch {
        muted_until: Some(at(id)),
        ..MemberPatch::default()
    };
    let change = |patch| Ask::Change("7".into(), patch);
    let archived = |archived| {
        change(RoomPatch {
            archived: Some(archived),
            ..RoomPatch::default()
        })
    };
    for (line, ask) in [
        ("/role @bob Moderator", put("bob", role)),
        ("/mute bob 30m", put("bob", muted(130))),
        ("/mute bob", put("bob", muted(160))),
        ("/archive", archived(true)),
        ("/unarchive", archived(false)),
        (
            "/rename #yard",
            change(RoomPatch {
                name: Some("yard".into()),
                ..RoomPatch::default()
            }),
        ),
        (
            "/slow 30",
            change(RoomPatch {
                slow_seconds: Some(30),
                ..RoomPatch::default()
            }),
        ),
    ] {
        stage.write(line);
        assert_eq!(stage.asks(), [ask], "{line}");
    }
    stage.write("/unmute bob");
    let asked = stage.asks();
    let [Ask::PutMember { patch, .. }] = &asked[..] else {
        panic!("{asked:?}");
    };
    assert!(patch.muted_until.is_some_and(|until| until < at(100)));
}

#[test]
fn members_are_listed_with_roles_mutes_and_who_is_online() {
    let mut stage = Stage::in_room(1);
    stage.state.clock = || at(100);
    stage.write("/members");
    let ask = stage.asks().remove(0);
    let mut members = vec![
        member(3, "carol", Role::Member),
        member(4, "dave", Role::Member),
        member(2, "bob", Role::Moderator),
        member(1, "alice", Role::Owner),
    ];
    members[0].muted_until = Some(at(160));
    members[1].muted_until = Some(at(99));
    stage.answer_ask(ask, Ok(Answer::Members(members, false)));
    let until = at(160).format("%H:%M").to_string();
    let screen = stage.screen();
    let listed = [
        "Members of #general: 4".to_owned(),
        "● alice (owner)".into(),
        "● bob (moderator)".into(),
        format!("  carol (muted until {until})"),
        "  dave ".into(),
    ];
    let mut rest = &*screen;
    for text in &listed {
        let at = rest.find(text.as_str());
        let at = at.unwrap_or_else(|| panic!("{text:?} does not follow in\n{screen}"));
        rest = &rest[at..];
    }
    stage.press(KeyCode::Esc);
    assert!(stage.shows("All online: 2"), "{}", stage.screen());
}

#[test]
fn people_who_are_not_online_are_found_and_no_list_pops_up() {
    let mut stage = Stage::in_room(1);
    stage.frame(direct_with("erin"));
    stage.ctrl('k');
    let asks = stage.asks();
    let members = asks.into_iter().find(|ask| matches!(ask, Ask::Members(_)));
    let carol = vec![member(3, "carol", Role::Member)];
    stage.answer_ask(members.expect("asked"), Ok(Answer::Members(carol, false)));
    assert!(!stage.shows("Members of"));
    stage.type_text("eri");
    assert!(
        stage.shows("@erin") && !stage.shows("@erin  (write to)"),
        "{}",
        stage.screen()
    );
    stage.ctrl('u');
    stage.type_text("caro");
    assert!(stage.shows("@carol  (write to)"), "{}", stage.screen());
    stage.asks();
    stage.press(KeyCode::Enter);
    let users = vec!["carol".into()];
    assert_eq!(stage.asks(), [Ask::Direct(NewDirect { users })]);
}

#[test]
fn what_somebody_has_opened_and_written_nothing_in_is_not_announced() {
    let mut stage = Stage::in_room(1);
    let event::Event::Room(RoomNews::Here(mut about)) = direct_with("carol") else {
        panic!("a room");
    };
    about.hidden = true;
    stage.frame(event::Event::Room(RoomNews::Here(about)));
    assert!(!stage.shows("carol"), "{}", stage.screen());
    stage.live(Message {
        room: "9".into(),
        ..message(1, "carol", "hello")
    });
    assert!(stage.shows(" @carol 1"), "{}", stage.screen());
}

#[test]
fn a_hidden_conversation_is_out_of_the_list_until_somebody_writes() {
    let mut stage = Stage::in_room(1);
    stage.frame(direct_with("erin"));
    stage.ctrl('k');
    stage.type_text("erin");
    stage.press(KeyCode::Enter);
    stage.asks();
    stage.write("/hide");
    let ask = stage.asks().remove(0);
    assert_eq!(ask, Ask::Hide("9".into()));
    let hidden = || {
        let hidden = RoomChanged::hidden("9".into(), 0, true);
        event::Event::Room(RoomNews::Changed(hidden))
    };
    stage.frame(hidden());
    stage.answer_ask(ask, Ok(Answer::Done));
    assert!(
        stage.shows(" #general ") && !stage.shows("@erin"),
        "{}",
        stage.screen()
    );
    stage.ctrl('k');
    stage.type_text("erin");
    assert!(stage.shows("@erin  (write to)"), "{}", stage.screen());
    stage.press(KeyCode::Enter);
    stage.asks();
    // What comes between the frame and the answer brings it back, read or not.
    stage.write("/hide");
    let ask = stage.asks().remove(0);
    stage.frame(hidden());
    stage.live(Message {
        room: "9".into(),
        ..message(1, "erin", "hello")
    });
    stage.answer_ask(ask, Ok(Answer::Done));
    assert!(
        stage.shows(" #general ") && stage.shows(" @erin"),
        "{}",
        stage.screen()
    );
}

#[test]
fn the_topic_is_told_to_who_asks_for_it() {
    let mut stage = Stage::in_room(1);
    stage.write("/topic");
    assert!(stage.shows("This room has no topic"));
    stage.ctrl('u');
    let about = RoomState {
        room: "general".into(),
        topic: Some("all about bees".into()),
        seq: 1,
        ..RoomState::default()
    };
    stage.frame(event::Event::Room(RoomNews::Here(about)));
    stage.write("/topic");
    assert!(
        stage.shows("The topic is: all about bees"),
        "{}",
        stage.screen()
    );
    stage.ctrl('u');
    stage.frame(direct_with("erin"));
    stage.press(KeyCode::Esc);
    stage.ctrl('k');
    stage.type_text("erin");
    stage.press(KeyCode::Enter);
    stage.asks();
    for line in ["/topic", "/topic bees"] {
        stage.write(line);
        assert!(
            stage.shows("A direct conversation has no topic"),
            "{}",
            stage.screen()
        );
        assert_eq!(stage.asks(), []);
        stage.ctrl('u');
    }
}
