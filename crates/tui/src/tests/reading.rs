//! What counts as read is what was on the screen.

use super::*;
use crate::protocol::code::Code;
use crate::protocol::{
    mention::Mention,
    reading::Notify,
    room::{Person, RoomKind},
};

fn in_garden(id: u64, content: &str) -> Message {
    Message {
        room: "7".into(),
        ..message(id, "bob", content)
    }
}

fn for_alice(message: Message) -> Message {
    let mention = Mention {
        user_id: Some(1),
        ..Mention::default()
    };
    Message {
        mentions: vec![mention],
        ..message
    }
}

impl Stage {
    /// How far each room was last said to be read.
    fn marked(&mut self) -> Vec<(String, u64, bool)> {
        let marks = std::mem::take(&mut self.marks).into_iter();
        marks
            .map(|read| (read.room, read.mark.seq, read.mark.unread))
            .collect()
    }

    fn unread(&self, room: &str) -> u64 {
        let room = self.state.client.store.room(room).expect("a room");
        room.unread().messages
    }

    fn later(&mut self, millis: u64) {
        let now = self.state.client.now() + millis;
        self.happen(Event::Tick(now));
    }
}

/// Alice is in general, and in the garden bob has written 60 lines that she has not seen.
fn beside_the_garden() -> Stage {
    let mut stage = Stage::in_room(1);
    stage.come_into("7", "garden", 0);
    for id in 1..=60 {
        stage.live(in_garden(id, &format!("bed {id}.")));
    }
    stage
}

#[test]
fn a_room_opens_at_the_first_unread_message_and_is_read_as_far_as_it_was_seen() {
    let mut stage = beside_the_garden();
    assert!(stage.shows("#garden 60"), "{}", stage.screen());
    stage.press(KeyCode::Tab);
    let screen = stage.screen();
    assert!(
        screen.contains("── new ──") && screen.contains("bed 1."),
        "{screen}"
    );
    assert!(!screen.contains("bed 60."), "{screen}");
    stage.later(250);
    let seen = stage.marked();
    let [(room, first, false)] = &seen[..] else {
        panic!("{seen:?}");
    };
    assert!(room == "7" && (5..20).contains(first), "{seen:?}");
    assert!(!screen.contains(&format!("bed {}.", first + 1)), "{screen}");
    assert_eq!(stage.unread("7"), 60 - first);
    // Not with each row, but in the end as far as it was seen.
    for _ in 0..3 {
        stage.press(KeyCode::PageDown);
        stage.later(100);
    }
    assert_eq!(stage.marked(), []);
    stage.later(1_000);
    let [(_, second, false)] = stage.marked()[..] else {
        panic!("one mark");
    };
    assert!(second > first + 20, "{first} {second}");
    stage.press(KeyCode::End);
    stage.later(1_000);
    assert_eq!(stage.marked(), [("7".to_owned(), 60, false)]);
    assert_eq!(stage.unread("7"), 0);
    assert!(!stage.shows("#garden 60"), "{}", stage.screen());
}

#[test]
fn what_comes_is_not_read_before_it_was_on_the_screen() {
    let mut stage = Stage::in_room(60);
    stage.press(KeyCode::PageUp);
    stage.live(message(61, "bob", "below"));
    stage.later(2_000);
    assert_eq!((stage.marked(), stage.unread("general")), (vec![], 1));
    stage.press(KeyCode::End);
    stage.later(2_000);
    assert_eq!(stage.marked(), [("general".to_owned(), 61, false)]);
    // Nor while the window is not looked at, or is covered.
    stage.happen(Event::Focus(false));
    stage.live(message(62, "bob", "elsewhere"));
    stage.later(2_000);
    assert_eq!((stage.marked(), stage.unread("general")), (vec![], 1));
    stage.write("/help");
    stage.happen(Event::Focus(true));
    stage.later(2_000);
    assert_eq!(stage.marked(), []);
    stage.press(KeyCode::Esc);
    stage.later(2_000);
    assert_eq!(stage.marked(), [("general".to_owned(), 62, false)]);
}

#[test]
fn the_first_unread_message_is_looked_for_in_older_pages() {
    let mut stage = Stage::new();
    stage.arrive(effect::Event::LoggedIn("alice".into()));
    stage.hello_with(RoomState {
        room: "general".into(),
        seq: 250,
        read_seq: 40,
        unread: 210,
        ..RoomState::default()
    });
    let page = |from: u64| (from..from + 100).map(|id| message(id, "bob", &format!("line {id}.")));
    stage.answer(page(151));
    stage.later(2_000);
    assert_eq!(stage.marked(), [], "it is on its way to the first one");
    stage.answer(page(51));
    stage.answer((1..=50).map(|id| message(id, "bob", &format!("line {id}."))));
    let screen = stage.screen();
    assert!(
        screen.contains("── new ──") && screen.contains("line 41."),
        "{screen}"
    );
    assert!(!screen.contains("line 40."), "{screen}");
    stage.press(KeyCode::End);
    assert!(stage.shows("line 250."));
    stage.later(2_000);
    assert_eq!(stage.unread("general"), 0);
    // And found again, as long as one stays.
    stage.happen(Event::Key(KeyEvent::new(
        KeyCode::Char('n'),
        KeyModifiers::ALT,
    )));
    assert!(stage.shows("line 41."), "{}", stage.screen());
}

#[test]
fn what_is_marked_as_unread_stays_so_until_one_comes_back() {
    let mut stage = Stage::in_room(5);
    stage.come_into("7", "garden", 0);
    stage.happen(Event::Key(KeyEvent::new(KeyCode::Up, KeyModifiers::ALT)));
    stage.happen(Event::Key(KeyEvent::new(KeyCode::Up, KeyModifiers::ALT)));
    stage.write("/unread");
    assert!(stage.shows("Unread from there on"), "{}", stage.screen());
    stage.later(2_000);
    assert_eq!(stage.marked(), [("general".to_owned(), 4, true)]);
    assert_eq!(stage.unread("general"), 2);
    stage.ctrl('k');
    stage.type_text("garden");
    stage.press(KeyCode::Enter);
    assert!(stage.shows(" #general 2"), "{}", stage.screen());
    stage.press(KeyCode::Tab);
    assert!(stage.shows("── new ──"), "{}", stage.screen());
    stage.later(2_000);
    assert_eq!(stage.unread("general"), 0);
}

#[test]
fn who_is_mentioned_sees_that_in_the_list_and_in_the_bar() {
    for (columns, rows) in [(40, 12), (80, 24), (200, 50)] {
        let mut stage = Stage::in_room(1);
        stage.happen(Event::Resize(columns, rows));
        stage.come_into("7", "garden", 0);
        stage.live(in_garden(1, "to nobody"));
        stage.live(for_alice(in_garden(2, "@alice look")));
        if columns >= 70 {
            assert!(stage.shows("#garden @1 2"), "{}", stage.screen());
        }
        assert!(stage.shows("@1 "), "{}", stage.screen());
        let edited = Message {
            seq: 3,
            edited_at: Some(at(9)),
            ..in_garden(2, "look")
        };
        stage.frame(event::Event::MessageChanged(event::MessageChanged {
            message: edited,
            by: Some(2),
            change: None,
        }));
        assert!(!stage.shows("@1 "), "{}", stage.screen());
    }
}

#[test]
fn a_room_of_which_nothing_is_to_be_told_is_still_counted() {
    let mut stage = Stage::in_room(1);
    stage.come_into("7", "garden", 0);
    stage.frame(event::Event::Room(RoomNews::Changed(
        crate::protocol::room::RoomChanged {
            room: "7".into(),
            changed: vec![crate::protocol::room::RoomField::Notify],
            notify: Some(Notify::Nothing),
            ..crate::protocol::room::RoomChanged::default()
        },
    )));
    stage.live(in_garden(1, "to nobody"));
    assert!(stage.shows("#garden 1"), "{}", stage.screen());
}

#[test]
fn end_shows_the_newest_message_whatever_stands_below_it() {
    let mut stage = Stage::in_room(30);
    for _ in 0..8 {
        stage.write("may I");
        let reference = stage.sent().remove(0).0;
        stage.frame(event::Event::Error(ErrorFrame {
            reference: Some(reference),
            code: Code::Muted,
            detail: "You are muted.".into(),
            retry_after_ms: None,
            room: None,
            kind: None,
        }));
    }
    stage.live(message(31, "carol", "the newest"));
    assert!(!stage.shows("the newest"), "{}", stage.screen());
    stage.press(KeyCode::End);
    assert!(stage.shows("the newest"), "{}", stage.screen());
    stage.press(KeyCode::Home);
    stage.press(KeyCode::End);
    assert!(stage.shows("the newest"), "{}", stage.screen());
    // What was not sent is further down.
    stage.press(KeyCode::PageDown);
    stage.press(KeyCode::PageDown);
    assert!(stage.shows("You are muted."), "{}", stage.screen());
}

/// Where one is alone nothing is of others; what came there by itself would leave no trace.
#[test]
fn a_reminder_that_came_while_no_client_was_open_is_unread_until_it_is_shown() {
    let mut stage = Stage::in_room(1);
    let alice = Person {
        user_id: 1,
        username: "alice".into(),
    };
    let notes = RoomState {
        room: "9".into(),
        kind: RoomKind::Direct,
        users: vec![alice],
        seq: 3,
        read_seq: 3,
        ..RoomState::default()
    };
    stage.frame(event::Event::Room(RoomNews::Here(notes)));
    assert_eq!(stage.unread("9"), 0);
    stage.live(Message {
        room: "9".into(),
        ..message(4, "alice", "Reminder: pot")
    });
    assert_eq!(stage.unread("9"), 1);
    stage.press(KeyCode::Tab);
    stage.later(1_000);
    assert!(stage.shows("Reminder: pot"), "{}", stage.screen());
    assert_eq!(stage.marked(), [("9".to_owned(), 4, false)]);
    assert_eq!(stage.unread("9"), 0);
}
