//! What happens on the stage.

use proptest::prelude::*;
use unicode_segmentation::UnicodeSegmentation as _;

use crate::protocol::code::Code;

use super::*;

#[test]
fn a_password_is_never_on_the_screen() {
    let mut stage = Stage::new();
    assert!(stage.shows("Log in") && stage.shows("Register"));
    stage.write("alice");
    stage.type_text("hunter2hunter2");
    assert!(stage.shows("alice") && stage.shows("••••"));
    assert!(!stage.shows("hunter2"));
    stage.ctrl('r');
    stage.press(KeyCode::Enter);
    assert!(matches!(
        &stage.done[..],
        [Effect::LogIn { register: true, username, .. }] if username == "alice"
    ));
    assert!(!format!("{:?}", stage.done).contains("hunter2"));
    assert!(stage.shows("One moment"));
    stage.arrive(effect::Event::LoginFailed(
        "Username already registered".into(),
    ));
    assert!(stage.shows("Username already registered"));
    assert!(!stage.shows("••••"), "the password is gone from the form");
}

#[test]
fn the_conversation_says_who_when_and_who_is_here() {
    let mut stage = Stage::in_room(2);
    stage.live(message(3, "carol", "hello\nworld"));
    stage.frame(event::Event::System(System {
        message: "dave joined the chat".into(),
        notice: Notice::Joined {
            usernames: vec!["dave".into()],
        },
    }));
    let screen = stage.screen();
    for text in [
        "#general",
        "alice@chat.example.org",
        "● connected",
        "This is where #general begins.",
        "bob  ",
        "  line 1",
        "carol  ",
        "  hello ",
        "  world ",
        "· dave is here",
        "All online: 3",
        "● dave",
    ] {
        assert!(screen.contains(text), "{text:?} is not in\n{screen}");
    }
    stage.frame(event::Event::System(System {
        message: "dave left the chat".into(),
        notice: Notice::Left {
            usernames: vec!["dave".into()],
        },
    }));
    assert!(stage.shows("All online: 2") && !stage.shows("● dave"));
    assert!(stage.shows("· dave is offline") && !stage.shows("the chat"));
}

#[test]
fn who_comes_back_with_the_connection_is_no_news() {
    let mut stage = Stage::in_room(1);
    let come = |stage: &mut Stage, names: &[&str]| {
        let usernames = names.iter().map(|name| (*name).to_owned()).collect();
        stage.frame(event::Event::System(System {
            message: "somebody joined the chat".into(),
            notice: Notice::Joined { usernames },
        }));
    };
    stage.happen(Event::Tick(1_000));
    come(&mut stage, &["carol", "dave"]);
    assert!(stage.shows("carol and dave are here"), "{}", stage.screen());
    stage.closed(None);
    stage.happen(Event::Tick(61_000));
    stage.hello("epoch", 1);
    stage.synced(1);
    come(&mut stage, &["erin"]);
    stage.happen(Event::Tick(70_000));
    come(&mut stage, &["frank"]);
    let screen = stage.screen();
    assert!(
        !screen.contains("is here") && screen.contains("● erin") && screen.contains("● frank"),
        "{screen}"
    );
    assert!(!screen.contains("· \n"), "no empty row: {screen}");
    stage.happen(Event::Tick(90_000));
    come(&mut stage, &["grace"]);
    assert!(stage.shows("grace is here"), "{}", stage.screen());
    // Scrolling goes past what takes no row.
    stage.press(KeyCode::Home);
    stage.press(KeyCode::End);
    assert!(stage.shows("grace is here"), "{}", stage.screen());
}

#[test]
fn a_message_of_ours_is_shown_as_pending_until_it_is_stored() {
    let mut stage = Stage::in_room(1);
    stage.write("hi there");
    assert!(stage.shows("hi there") && stage.shows("on its way"));
    let sent = stage.sent();
    assert_eq!(sent.len(), 1);
    stage.ack(&sent[0].0, 2);
    assert!(stage.shows("hi there") && !stage.shows("on its way"));
    // Our own broadcast, after the ack: the same message, not another one.
    stage.live(Message {
        client_id: Some(sent[0].0.clone()),
        ..message(2, "alice", "hi there")
    });
    assert_eq!(stage.screen().matches("hi there").count(), 1);
}

#[test]
fn a_lost_connection_loses_and_doubles_none_of_ours() {
    let mut stage = Stage::in_room(1);
    stage.write("first");
    stage.write("second");
    let before = stage.sent();
    assert_eq!(before.len(), 1, "one at a time keeps the order");
    stage.closed(None);
    stage.write("third");
    assert!(stage.shows("reconnecting in") && stage.shows("3 waiting to be sent"));
    assert_eq!(stage.sent(), []);
    stage.happen(Event::Tick(60_000));
    // The first had been stored, and its ack was lost.
    stage.hello("epoch", 2);
    stage.live(Message {
        client_id: Some(before[0].0.clone()),
        ..message(2, "alice", "first")
    });
    stage.synced(2);
    let again = stage.sent();
    assert_eq!(again[0], before[0], "sent again under the same id");
    let mut id = 2;
    let mut left = again[1..].to_vec();
    while let Some((reference, _)) = left.pop() {
        id += 1;
        stage.ack(&reference, id);
        left.extend(stage.sent());
    }
    let screen = stage.screen();
    for text in ["first", "second", "third"] {
        assert_eq!(screen.matches(text).count(), 1, "{text} in\n{screen}");
    }
    assert!(!screen.contains("on its way") && !screen.contains("waits"));
}

#[test]
fn a_return_shows_what_was_missed_in_its_place() {
    let mut stage = Stage::in_room(3);
    stage.closed(Some(close::SHUTTING_DOWN));
    assert!(stage.shows("reconnecting in"));
    stage.happen(Event::Tick(60_000));
    assert!(stage.shows("connecting…"));
    stage.hello("epoch", 5);
    let sync = stage
        .said
        .iter()
        .find_map(|request| match &request.command {
            Command::Sync(sync) => Some(sync.clone()),
            _ => None,
        });
    assert_eq!(sync.expect("a sync").rooms["general"], 3);
    stage.live(message(6, "bob", "line 6"));
    stage.live(message(4, "bob", "line 4"));
    stage.live(message(5, "bob", "line 5"));
    stage.synced(6);
    stage.live(message(5, "bob", "line 5"));
    let screen = stage.screen();
    let places: Vec<_> = (1..=6)
        .map(|n| screen.find(&format!("line {n}")).expect("is shown"))
        .collect();
    assert!(places.is_sorted(), "{screen}");
    assert_eq!(screen.matches("line 5").count(), 1);
}

#[test]
fn scrolling_up_reads_older_pages_and_stays_where_it_is() {
    let mut stage = Stage::in_room(250);
    assert!(stage.shows("line 250"));
    while stage.asked.is_empty() {
        stage.press(KeyCode::PageUp);
    }
    let before = stage.screen();
    assert_eq!(stage.asked[0].query, Query::Before(151));
    stage.answer((51..=150).map(|id| message(id, "bob", &format!("line {id}"))));
    assert_eq!(stage.screen(), before, "the rows above it are not seen yet");
    for _ in 0..100 {
        stage.press(KeyCode::PageUp);
        if !stage.asked.is_empty() {
            stage.answer((1..=50).map(|id| message(id, "bob", &format!("line {id}"))));
        }
    }
    assert!(stage.shows("This is where #general begins.") && stage.shows("line 1 "));
    for _ in 0..100 {
        stage.press(KeyCode::PageDown);
    }
    assert!(stage.shows("line 250"));
    assert!(stage.state.chat.as_ref().expect("a chat").top.is_none());
}

#[test]
fn an_older_page_does_not_move_a_reader_who_waits_for_it_at_the_top() {
    let mut stage = Stage::in_room(250);
    stage.press(KeyCode::Home);
    assert!(stage.shows("Loading older messages") && stage.shows("line 151"));
    stage.answer((51..=150).map(|id| message(id, "bob", &format!("line {id}"))));
    assert!(stage.shows("line 151") && !stage.shows("line 51 "));
}

#[test]
fn a_reader_of_old_messages_is_told_of_new_ones_and_left_in_peace() {
    let mut stage = Stage::in_room(60);
    stage.press(KeyCode::PageUp);
    let talk = |stage: &Stage| {
        let screen = stage.screen();
        screen
            .lines()
            .take(15)
            .map(str::to_owned)
            .collect::<Vec<_>>()
    };
    let before = talk(&stage);
    stage.live(message(61, "bob", "line 61"));
    stage.live(message(62, "bob", "line 62"));
    assert_eq!(talk(&stage), before);
    assert!(stage.shows("2 new messages below"));
    stage.press(KeyCode::End);
    assert!(stage.shows("line 62") && !stage.shows("new messages below"));
}

#[test]
fn a_message_can_have_many_lines_and_too_long_a_one_is_kept_to_be_shortened() {
    let mut stage = Stage::in_room(1);
    stage.type_text("one");
    stage.happen(Event::Key(KeyEvent::new(KeyCode::Enter, KeyModifiers::ALT)));
    stage.type_text("two");
    stage.ctrl('j');
    stage.type_text("three");
    stage.press(KeyCode::Enter);
    assert_eq!(stage.sent()[0].1, "one\ntwo\nthree");
    stage.happen(Event::Paste("x".repeat(16 * 1024 + 3)));
    stage.press(KeyCode::Enter);
    assert!(stage.shows("3 bytes too long"));
    assert_eq!(stage.sent(), []);
}

#[test]
fn a_refused_message_says_why_and_can_be_taken_back() {
    let mut stage = Stage::in_room(1);
    stage.write("bad words");
    let reference = stage.sent()[0].0.clone();
    stage.frame(event::Event::Error(ErrorFrame {
        reference: Some(reference),
        code: Code::ValidationError,
        detail: "This is not allowed.".into(),
        retry_after_ms: None,
        room: None,
        kind: None,
    }));
    assert!(stage.shows("not sent: This is not allowed."));
    stage.write("/edit");
    assert!(!stage.shows("not sent"));
    stage.press(KeyCode::Enter);
    assert_eq!(stage.sent()[0].1, "bad words");
}

#[test]
fn commands_are_obeyed_and_never_sent() {
    let mut stage = Stage::in_room(1);
    stage.write("/help");
    assert!(stage.shows("Alt+Enter"));
    stage.press(KeyCode::End);
    assert!(stage.shows("/logout"));
    stage.press(KeyCode::Esc);
    stage.write("/dance to this");
    assert!(stage.shows("There is no command /dance:"));
    assert_eq!(stage.sent(), []);
    assert!(stage.shows("/dance to this"), "it stays in the input");
    stage.ctrl('u');
    stage.write("//etc/passwd");
    let sent = stage.sent();
    assert_eq!(sent[0].1, "/etc/passwd");
    stage.ack(&sent[0].0, 2);
    stage.write("/logout");
    assert!(matches!(stage.done[..], [.., Effect::Drop, Effect::LogOut]));
    assert!(stage.shows("You are logged out."));
    stage.ctrl('c');
    assert!(stage.state.is_over);
}

#[test]
fn leaving_with_messages_on_their_way_warns_once() {
    let mut stage = Stage::in_room(1);
    stage.closed(None);
    stage.write("important");
    stage.write("/quit");
    assert!(!stage.state.is_over);
    assert!(stage.shows("1 message is not stored"));
    stage.ctrl('c');
    assert!(stage.state.is_over);
}

#[test]
fn a_warning_goes_when_it_is_no_longer_true() {
    let mut stage = Stage::in_room(1);
    stage.write("important");
    stage.write("/quit");
    assert!(stage.shows("1 message is not stored"));
    let sent = stage.sent();
    stage.ack(&sent[0].0, 2);
    assert!(!stage.shows("is not stored"));

    let mut stage = Stage::in_room(250);
    stage.press(KeyCode::Home);
    let fetch = stage.asked.remove(0);
    let result = Err("The message store cannot be reached.".to_owned());
    stage.arrive(effect::Event::Page { fetch, result });
    assert!(stage.shows("store cannot be reached"));
    stage.press(KeyCode::Home);
    stage.answer((51..=150).map(|id| message(id, "bob", &format!("line {id}"))));
    assert!(!stage.shows("store cannot be reached"));
}

#[test]
fn an_ended_login_asks_again_and_keeps_what_was_not_sent() {
    let mut stage = Stage::in_room(1);
    stage.write("unsent");
    stage.closed(Some(close::REVOKED));
    assert!(stage.shows("Your login was ended") && stage.shows("alice"));
    stage.happen(Event::Tick(600_000));
    assert!(stage.shows("Log in"), "no return by itself");
    stage.arrive(effect::Event::LoggedIn("alice".into()));
    stage.hello("epoch", 1);
    assert_eq!(stage.sent()[0].1, "unsent");
}

#[test]
fn a_restored_history_replaces_what_was_shown() {
    let mut stage = Stage::in_room(3);
    stage.closed(None);
    stage.happen(Event::Tick(60_000));
    stage.hello("another", 1);
    stage.answer([message(1, "bob", "the only line")]);
    assert!(stage.shows("the only line") && !stage.shows("line 3"));
}

#[test]
fn a_page_that_could_not_be_read_is_asked_for_again() {
    let mut stage = Stage::new();
    stage.arrive(effect::Event::LoggedIn("alice".into()));
    stage.hello("epoch", 1);
    let fetch = stage.asked.remove(0);
    let result = Err("The message store cannot be reached.".to_owned());
    stage.arrive(effect::Event::Page { fetch, result });
    assert!(stage.shows("store cannot be reached"));
    stage.happen(Event::Tick(2_000));
    stage.answer([message(1, "bob", "line 1")]);
    assert!(stage.shows("line 1"));
}

#[test]
fn what_an_earlier_socket_says_is_not_heard() {
    let mut stage = Stage::in_room(1);
    let old = stage.attempt;
    stage.closed(None);
    stage.happen(Event::Tick(60_000));
    stage.hello("epoch", 1);
    stage.arrive(effect::Event::Closed {
        attempt: old,
        code: Some(close::REVOKED),
        why: "late news".into(),
        after: None,
    });
    assert!(stage.shows("● connected"));
}

#[test]
fn any_terminal_is_big_enough_not_to_break() {
    for (columns, rows) in [
        (1, 1),
        (2, 9),
        (10, 3),
        (20, 5),
        (63, 12),
        (64, 12),
        (300, 90),
    ] {
        for mut stage in [Stage::new(), Stage::in_room(40)] {
            stage.happen(Event::Resize(columns, rows));
            stage.type_text("some text");
            stage.press(KeyCode::PageUp);
            stage.write("/help");
            stage.screen();
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    /// Whatever others write, and wherever it is shown, the terminal gets nothing to obey and nothing hidden.
    #[test]
    fn terminal_escapes_are_shown_and_never_obeyed(
        content in nasty(),
        name in nasty(),
        sentence in nasty(),
        typed in nasty(),
    ) {
        let mut stage = Stage::in_room(1);
        stage.live(Message { username: name.clone(), ..message(2, "bob", &content) });
        stage.frame(event::Event::System(System {
            message: sentence.clone(),
            notice: Notice::Joined { usernames: vec![name.clone()] },
        }));
        stage.frame(event::Event::Error(ErrorFrame {
            reference: None,
            code: Code::ValidationError,
            detail: sentence.clone(),
            retry_after_ms: None,
            room: None,
            kind: None,
        }));
        stage.happen(Event::Paste(typed));
        let harmless = |screen: &str| {
            let cells = screen.lines().flat_map(|line| line.graphemes(true));
            cells.into_iter().all(is_fit_for_a_cell)
        };
        prop_assert!(harmless(&stage.screen()));
        stage.arrive(effect::Event::Closed {
            attempt: stage.attempt,
            code: None,
            why: sentence.clone(),
            after: None,
        });
        prop_assert!(harmless(&stage.screen()));
        stage.arrive(effect::Event::LoginEnded(sentence));
        prop_assert!(harmless(&stage.screen()));
    }
}
