//! What is being written is kept on the server, and other devices have it.

use super::*;
use crate::protocol::{
    kept::Draft,
    room::{RoomChanged, RoomField},
};

impl Stage {
    /// What was asked to be kept, which is not answered yet.
    fn kept(&mut self) -> Vec<(Option<u64>, String)> {
        let asks = self.drafts.iter();
        let puts = asks.filter_map(|ask| match ask {
            Ask::PutDraft {
                thread, content, ..
            } => Some((*thread, content.clone())),
            _ => None,
        });
        puts.collect()
    }

    fn answer_drafts(&mut self, second: i64) {
        for ask in std::mem::take(&mut self.drafts) {
            if let Ask::PutDraft {
                thread, content, ..
            } = &ask
            {
                let draft = draft(*thread, content, second);
                self.answer_ask(ask, Ok(Answer::Draft(draft)));
            }
        }
    }

    fn fail_drafts(&mut self) {
        for ask in std::mem::take(&mut self.drafts) {
            self.answer_ask(ask, Err("It failed.".into()));
        }
    }

    /// One of alice's devices has written this.
    fn told_draft(&mut self, content: &str, second: i64) {
        let changed = RoomChanged {
            room: "general".into(),
            changed: vec![RoomField::Draft],
            draft: Some(draft(None, content, second)),
            ..RoomChanged::default()
        };
        self.frame(event::Event::Room(RoomNews::Changed(changed)));
    }

    fn pass(&mut self, millis: u64) {
        let now = self.state.client.now() + millis;
        self.happen(Event::Tick(now));
    }
}

fn draft(thread: Option<u64>, content: &str, second: i64) -> Draft {
    Draft {
        thread,
        content: content.into(),
        unreadable: false,
        updated_at: chrono::DateTime::from_timestamp(second, 0),
    }
}

#[test]
fn what_is_written_is_kept_after_a_pause_and_gone_when_it_is_sent() {
    let mut stage = Stage::in_room(1);
    stage.type_text("I th");
    stage.pass(900);
    stage.type_text("ink");
    stage.pass(900);
    assert_eq!(stage.kept(), [], "it goes on");
    stage.pass(1_100);
    assert_eq!(stage.kept(), [(None, "I think".into())]);
    stage.answer_drafts(1);
    stage.pass(5_000);
    assert_eq!(stage.kept(), []);
    stage.press(KeyCode::Enter);
    assert_eq!(stage.kept(), [(None, String::new())], "at once");
}

#[test]
fn what_is_sent_while_it_is_being_kept_is_no_draft_as_soon_as_it_is() {
    for line in ["I think", "/topic bees"] {
        let mut stage = Stage::in_room(1);
        stage.type_text(line);
        stage.pass(100);
        stage.pass(1_100);
        assert_eq!(stage.kept(), [(None, line.into())]);
        stage.press(KeyCode::Enter);
        stage.answer_drafts(1);
        assert_eq!(stage.kept(), [(None, String::new())], "{line}");
        // Where that cannot be told it is not tried all the time.
        stage.fail_drafts();
        stage.pass(1_100);
        assert_eq!(stage.kept(), [], "{line}");
        stage.pass(5_000);
        assert_eq!(stage.kept(), [(None, String::new())], "{line}");
    }
}

#[test]
fn what_was_sent_just_before_the_window_was_closed_is_not_there_to_be_sent_again() {
    // The draft comes first, or what was said.
    for is_draft_first in [true, false] {
        let mut stage = Stage::new();
        stage.arrive(effect::Event::LoggedIn("alice".into()));
        stage.hello("epoch", 3);
        let page = [
            message(1, "bob", "line 1"),
            message(2, "alice", "/half a sentence"),
            message(3, "bob", "yes"),
        ];
        if is_draft_first {
            stage.told_draft("//half a sentence ", at(1).timestamp());
            stage.answer(page);
        } else {
            stage.answer(page);
            stage.told_draft("//half a sentence ", at(1).timestamp());
        }
        assert_eq!(crate::keys::written(&stage.state), "");
        stage.pass(250);
        assert_eq!(stage.kept(), [(None, String::new())]);
    }
}

#[test]
fn what_was_begun_after_the_same_was_said_stays_a_draft() {
    let mut stage = Stage::in_room(1);
    stage.live(message(2, "alice", "ok"));
    stage.told_draft("ok", at(3).timestamp());
    stage.pass(250);
    stage.pass(1_100);
    assert_eq!(crate::keys::written(&stage.state), "ok");
    assert_eq!(stage.kept(), []);
    // What others have said is not what one has sent oneself.
    let mut stage = Stage::in_room(1);
    stage.live(message(2, "bob", "ok"));
    stage.told_draft("ok", at(1).timestamp());
    stage.pass(250);
    assert_eq!(crate::keys::written(&stage.state), "ok");
    // And what was begun here is left to whoever writes it.
    stage.live(message(3, "alice", "ok"));
    stage.pass(250);
    assert_eq!(crate::keys::written(&stage.state), "ok");
}

#[test]
fn what_could_not_be_kept_is_tried_again() {
    let mut stage = Stage::in_room(1);
    stage.type_text("hm");
    stage.pass(100);
    stage.pass(1_100);
    stage.fail_drafts();
    stage.pass(1_100);
    assert_eq!(stage.kept(), []);
    stage.pass(5_000);
    assert_eq!(stage.kept(), [(None, "hm".into())]);
}

#[test]
fn another_device_goes_on_with_a_draft_unless_it_is_written_on_here() {
    let mut stage = Stage::in_room(1);
    stage.told_draft("from my phone", 1);
    assert!(stage.shows("from my phone"), "{}", stage.screen());
    stage.type_text("!");
    stage.told_draft("from my phone, again", 2);
    assert!(stage.shows("from my phone! "), "{}", stage.screen());
    stage.pass(100);
    stage.pass(1_100);
    assert_eq!(stage.kept(), [(None, "from my phone!".into())]);
    // What is told while that is under way is older than it.
    stage.told_draft("from my phone, again", 3);
    assert!(stage.shows("from my phone! "));
    stage.answer_drafts(4);
    assert!(stage.shows("from my phone! "));
    stage.told_draft("", 5);
    assert!(!stage.shows("from my phone"), "{}", stage.screen());
}

#[test]
fn each_thread_has_its_own_draft_and_one_that_is_left_is_kept_at_once() {
    let mut stage = Stage::in_room(3);
    stage.type_text("to all");
    stage.happen(Event::Key(KeyEvent::new(
        KeyCode::Char('t'),
        KeyModifiers::ALT,
    )));
    assert_eq!(stage.kept(), [(None, "to all".into())]);
    stage.answer_drafts(1);
    assert!(!stage.shows("to all"), "{}", stage.screen());
    stage.type_text("to few");
    stage.press(KeyCode::Esc);
    assert_eq!(stage.kept(), [(Some(3), "to few".into())]);
    assert!(stage.shows("to all") && !stage.shows("to few"));
}

#[test]
fn one_leaves_without_a_question_where_what_is_written_is_kept() {
    let mut stage = Stage::in_room(1);
    stage.type_text("half a sentence");
    stage.ctrl('c');
    assert_eq!(stage.kept(), [(None, "half a sentence".into())]);
    assert!(stage.state.is_over);
    // A new text of a message that is there is no draft.
    let mut stage = Stage::in_room(1);
    stage.live(message(2, "alice", "mine"));
    stage.press(KeyCode::Up);
    stage.type_text("!");
    stage.ctrl('c');
    assert!(!stage.state.is_over && stage.shows("would be lost"));
}
