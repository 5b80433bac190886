//! What is done with messages that are there.

use super::*;
use crate::protocol::{
    code::Code,
    command::{Delete, Edit, Pin, React, SendMessage},
    event,
    message::{Pinned, Reaction},
    room::Person,
};

impl Stage {
    fn alt(&mut self, code: KeyCode) {
        self.happen(Event::Key(KeyEvent::new(code, KeyModifiers::ALT)));
    }

    /// The last frame that was sent, which is acknowledged.
    fn last_deed(&mut self) -> Command {
        let request = self.said.pop().expect("a frame");
        self.ack(&request.reference.expect("a ref"), 90);
        request.command
    }

    /// The last frame that was sent, which is refused.
    fn refuse(&mut self, code: Code, detail: &str) -> Command {
        let request = self.said.pop().expect("a frame");
        self.frame(event::Event::Error(ErrorFrame {
            reference: request.reference,
            code,
            detail: detail.into(),
            retry_after_ms: None,
            room: None,
            kind: None,
        }));
        request.command
    }

    fn changed(&mut self, message: Message) {
        self.frame(event::Event::MessageChanged(event::MessageChanged {
            message,
            by: Some(1),
            change: None,
        }));
    }
}

/// The edit of a message that was last changed under its own number.
fn edit(id: u64, content: &str) -> Command {
    Command::Edit(Edit {
        room: "general".into(),
        id,
        content: content.into(),
        if_seq: Some(id),
    })
}

#[test]
fn the_up_arrow_edits_what_one_wrote_last() {
    let mut stage = Stage::in_room(3);
    stage.live(message(4, "alice", "helo"));
    stage.live(message(5, "bob", "hm"));
    stage.press(KeyCode::Up);
    assert!(stage.shows("Editing (Esc stops)"));
    stage.press(KeyCode::Esc);
    assert!(!stage.shows("Editing"));
    stage.press(KeyCode::Up);
    stage.press(KeyCode::Backspace);
    stage.write("lo");
    assert_eq!(stage.last_deed(), edit(4, "hello"));
    assert!(!stage.shows("Editing"));
    stage.write("and on");
    assert!(matches!(stage.last_deed(), Command::Message(_)));
}

#[test]
fn any_message_can_be_chosen_and_answered_or_deleted() {
    let mut stage = Stage::in_room(30);
    for _ in 0..25 {
        stage.alt(KeyCode::Up);
    }
    assert!(stage.shows("▌ line 6 "), "{}", stage.screen());
    stage.alt(KeyCode::Down);
    assert!(stage.shows("▌ line 7 ") && !stage.shows("▌ line 6 "));
    stage.write("/reply");
    assert!(stage.shows("Replying to bob"));
    stage.write("an answer");
    let Command::Message(SendMessage { reply_to, .. }) = stage.last_deed() else {
        panic!("no message");
    };
    assert_eq!(reply_to, Some(7));
    stage.alt(KeyCode::Up);
    stage.alt(KeyCode::Up);
    stage.write("/delete");
    assert!(matches!(
        stage.last_deed(),
        Command::Delete(Delete { id: 30, .. })
    ));
    stage.write("/edit");
    stage.ctrl('u');
    stage.press(KeyCode::Esc);
    stage.alt(KeyCode::Up);
    stage.alt(KeyCode::Up);
    stage.write("/edit");
    assert!(stage.shows("Only who wrote a message can edit it."));
}

#[test]
fn an_older_message_is_not_taken_for_one_that_is_not_stored_yet() {
    let mut stage = Stage::in_room(3);
    stage.live(message(4, "alice", "keep me"));
    stage.write("oops");
    let sent = stage.said.len();
    for word in ["/delete", "/edit"] {
        stage.write(word);
        assert_eq!(stage.said.len(), sent, "nothing is done");
        assert!(stage.shows("What you wrote last is not stored yet"));
    }
    stage.alt(KeyCode::Up);
    stage.write("/delete");
    let room = stage.state.client.store.room("general").expect("a room");
    assert_eq!(room.outbox().len(), 2, "that one was chosen");
}

#[test]
fn what_waits_to_be_sent_can_be_taken_back() {
    let mut stage = Stage::in_room(3);
    stage.live(message(4, "alice", "keep me"));
    stage.write("too soon");
    let reference = stage.said.pop().expect("a frame").reference;
    stage.frame(event::Event::Error(ErrorFrame {
        reference,
        code: Code::SlowMode,
        detail: "This room is in slow mode.".into(),
        retry_after_ms: Some(1_200_000),
        room: None,
        kind: None,
    }));
    stage.write("and more");
    // What is done with a message that is there does not wait for them.
    stage.alt(KeyCode::Up);
    stage.write("/delete");
    assert!(matches!(
        stage.last_deed(),
        Command::Delete(Delete { id: 4, .. })
    ));
    stage.write("/delete");
    assert!(
        stage.shows("Taken back, and not sent: “and more”"),
        "{}",
        stage.screen()
    );
    stage.write("/edit");
    assert!(stage.shows("too soon") && stage.said.is_empty());
    let room = stage.state.client.store.room("general").expect("a room");
    assert!(room.outbox().is_empty());
}

#[test]
fn one_reacts_and_pins_and_takes_it_back() {
    let mut stage = Stage::in_room(3);
    let reacted = |emoji: &str, on| {
        Command::React(React {
            room: "general".into(),
            id: 3,
            emoji: emoji.into(),
            on,
        })
    };
    stage.write("/react");
    assert!(stage.shows("Write /react EMOJI."), "{}", stage.screen());
    stage.ctrl('u');
    stage.write("/react :thumbsup:");
    assert_eq!(stage.last_deed(), reacted("👍", true));
    let mut now = message(3, "bob", "line 3");
    now.seq = 4;
    now.reactions = vec![Reaction {
        emoji: "👍".into(),
        count: 1,
        users: vec![Person {
            user_id: stage.state.client.store.user_id(),
            username: "alice".into(),
        }],
        mine: None,
    }];
    now.pinned = Some(Pinned {
        by: 2,
        at: now.created_at,
    });
    stage.frame(event::Event::MessageChanged(event::MessageChanged {
        message: now,
        by: Some(2),
        change: None,
    }));
    stage.write("/react 👍");
    assert_eq!(stage.last_deed(), reacted("👍", false));
    stage.write("/react 🎉");
    assert_eq!(stage.last_deed(), reacted("🎉", true));
    stage.write("/pin");
    let unpin = Pin {
        room: "general".into(),
        id: 3,
        on: false,
    };
    assert_eq!(stage.last_deed(), Command::Pin(unpin));
}

#[test]
fn a_refused_edit_keeps_its_text_and_a_refused_deletion_is_told() {
    let mut stage = Stage::in_room(1);
    stage.live(message(2, "alice", "mine"));
    let refuse = |stage: &mut Stage| stage.refuse(Code::Forbidden, "You may not do this.");
    stage.press(KeyCode::Up);
    stage.write("!");
    assert_eq!(refuse(&mut stage), edit(2, "mine!"));
    assert!(stage.shows("(edit)") && stage.shows("not sent: You may not do this."));
    stage.write("/edit");
    assert!(stage.shows("Editing"));
    stage.press(KeyCode::Enter);
    assert_eq!(stage.last_deed(), edit(2, "mine!"));
    stage.write("/delete");
    refuse(&mut stage);
    assert!(stage.shows("You may not do this.") && !stage.shows("(deletion)"));
}

#[test]
fn what_was_refused_is_taken_back_before_anything_that_is_stored_is_deleted() {
    for (code, why) in [
        (Code::Muted, "You are muted."),
        (Code::RoomArchived, "This room is archived."),
    ] {
        let mut stage = Stage::in_room(3);
        stage.live(message(4, "alice", "stored"));
        for text in ["first", "second"] {
            stage.write(text);
            stage.refuse(code, why);
        }
        for text in ["second", "first"] {
            stage.write("/delete");
            let told = format!("Taken back, and not sent: “{text}”");
            assert!(stage.shows(&told), "{}", stage.screen());
            assert!(stage.said.is_empty(), "nothing is deleted");
        }
        assert!(stage.shows("stored") && !stage.shows("✗ not sent"));
        // A message that was chosen is meant, whatever was refused.
        stage.write("third");
        stage.refuse(code, why);
        stage.alt(KeyCode::Up);
        stage.write("/delete");
        let deleted = stage.last_deed();
        assert!(matches!(deleted, Command::Delete(Delete { id: 4, .. })));
    }
}

#[test]
fn one_s_last_message_is_seen_before_it_is_deleted() {
    let mut stage = Stage::in_room(3);
    stage.live(message(4, "alice", "long ago"));
    for id in 5..40 {
        stage.live(message(id, "bob", &format!("line {id}")));
    }
    assert!(!stage.shows("long ago"));
    stage.write("/delete");
    assert!(stage.said.is_empty(), "nothing is deleted unseen");
    assert!(stage.shows("▌ long ago") && stage.shows("/delete again deletes it"));
    stage.press(KeyCode::Esc);
    assert!(!stage.shows("long ago"));
    for _ in 0..2 {
        stage.write("/delete");
    }
    let deleted = stage.last_deed();
    assert!(matches!(deleted, Command::Delete(Delete { id: 4, .. })));
    // What is on the screen is seen already.
    stage.press(KeyCode::Esc);
    stage.live(message(40, "alice", "just now"));
    stage.write("/delete");
    let deleted = stage.last_deed();
    assert!(matches!(deleted, Command::Delete(Delete { id: 40, .. })));
}

#[test]
fn an_edit_made_elsewhere_meanwhile_is_not_overwritten_unseen() {
    let mut stage = Stage::in_room(3);
    stage.live(message(4, "alice", "helo"));
    stage.press(KeyCode::Up);
    let mut elsewhere = message(4, "alice", "hello from the phone");
    (elsewhere.seq, elsewhere.edited_at) = (5, Some(elsewhere.created_at));
    stage.changed(elsewhere);
    stage.write("!");
    let why = "This message was edited or deleted in the meantime; look at it again first.";
    assert_eq!(stage.refuse(Code::ChangedSince, why), edit(4, "helo!"));
    stage.state.size = (120, 20);
    assert!(stage.shows("hello from the phone") && stage.shows("helo!"));
    assert!(
        stage.shows(&format!("not sent: {why}")),
        "{}",
        stage.screen()
    );
    // Whoever has looked at it sends it all the same.
    stage.write("/edit");
    stage.press(KeyCode::Enter);
    let Command::Edit(again) = stage.last_deed() else {
        panic!("no edit");
    };
    assert_eq!((again.if_seq, &*again.content), (Some(5), "helo!"));
}

#[test]
fn edits_of_one_s_own_that_follow_each_other_are_not_taken_for_someone_else_s() {
    let mut stage = Stage::in_room(3);
    stage.live(message(4, "alice", "a"));
    for _ in 0..2 {
        stage.press(KeyCode::Up);
        stage.write("b");
    }
    let first = stage.said.remove(0);
    assert_eq!(first.command, edit(4, "ab"));
    assert!(stage.said.is_empty(), "one at a time");
    stage.frame(event::Event::Ack(Ack {
        reference: first.reference.expect("a ref"),
        room: "general".into(),
        id: 4,
        seq: 9,
        timestamp: at(9),
        duplicate: false,
        done: None,
    }));
    let Command::Edit(second) = stage.last_deed() else {
        panic!("no edit");
    };
    assert_eq!(second.if_seq, Some(9));
}

#[test]
fn what_is_said_of_a_message_that_is_not_stored_yet_goes_when_it_is() {
    let mut stage = Stage::in_room(3);
    stage.write("on its way");
    stage.write("/delete");
    assert!(stage.shows("What you wrote last is not stored yet: wait for it"));
    stage.last_deed();
    assert!(!stage.shows("not stored yet"), "{}", stage.screen());
}

#[test]
fn a_message_that_was_refused_for_good_is_not_said_to_be_stored_later() {
    let mut stage = Stage::in_room(3);
    stage.write("refused");
    stage.refuse(Code::Muted, "You are muted.");
    assert!(stage.shows("alice  not sent") && !stage.shows("not stored yet"));
    stage.write("on its way");
    let screen = stage.screen();
    let place = |text: &str| screen.find(text).unwrap_or(usize::MAX);
    assert!(place("alice  not sent") < place("refused"), "{screen}");
    assert!(
        place("alice  not stored yet") < place("on its way"),
        "{screen}"
    );
    assert!(
        place("refused") < place("alice  not stored yet"),
        "{screen}"
    );
}
