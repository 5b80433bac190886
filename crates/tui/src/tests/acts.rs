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
}

fn edit(id: u64, content: &str) -> Command {
    Command::Edit(Edit {
        room: "general".into(),
        id,
        content: content.into(),
        if_seq: None,
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
    let refuse = |stage: &mut Stage| {
        let request = stage.said.pop().expect("a frame");
        stage.frame(event::Event::Error(ErrorFrame {
            reference: request.reference,
            code: Code::Forbidden,
            detail: "You may not do this.".into(),
            retry_after_ms: None,
            room: None,
            kind: None,
        }));
        request.command
    };
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
