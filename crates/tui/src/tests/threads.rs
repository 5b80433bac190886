//! Threads, and lists of them.

use super::*;
use crate::protocol::{
    command::SendMessage,
    thread::{Replies, Thread},
};
use parlour_client::api::ThreadsPage;

impl Stage {
    fn alt_key(&mut self, letter: char) {
        self.happen(Event::Key(KeyEvent::new(
            KeyCode::Char(letter),
            KeyModifiers::ALT,
        )));
    }

    /// The server lists the threads that alice follows.
    fn follows(&mut self, threads: Vec<Thread>) {
        let now = self.state.client.now() + 250;
        self.happen(Event::Tick(now));
        let is_threads = |ask: &Ask| matches!(ask, Ask::Threads { .. });
        let at = self.listed.iter().rposition(is_threads);
        let ask = self.listed.remove(at.expect("the threads were asked for"));
        let page = ThreadsPage {
            threads,
            next: None,
        };
        self.answer_ask(ask, Ok(Answer::Threads(page)));
    }
}

fn reply(id: u64, first: u64, username: &str, content: &str) -> Message {
    Message {
        thread: Some(first),
        thread_replies: Some(Replies {
            count: 1,
            last_id: id,
            seq: id,
            users: Vec::new(),
        }),
        ..message(id, username, content)
    }
}

fn followed(first: Message, seq: u64, unread: u64) -> Thread {
    Thread {
        last_at: first.created_at,
        message: Message {
            replies: Some(Replies {
                count: 1,
                last_id: seq,
                seq,
                users: Vec::new(),
            }),
            ..first
        },
        read_seq: 0,
        unread,
        mentions: 0,
    }
}

#[test]
fn a_thread_is_opened_read_and_answered_and_left_again() {
    for (columns, rows) in [(40, 12), (80, 24), (200, 50)] {
        let mut stage = Stage::in_room(3);
        stage.happen(Event::Resize(columns, rows));
        stage.live(reply(4, 2, "bob", "beside"));
        let screen = stage.screen();
        assert!(
            screen.contains("↳ 1 reply") && !screen.contains("beside"),
            "{screen}"
        );
        stage.happen(Event::Key(KeyEvent::new(KeyCode::Up, KeyModifiers::ALT)));
        stage.happen(Event::Key(KeyEvent::new(KeyCode::Up, KeyModifiers::ALT)));
        stage.alt_key('t');
        let thread = Query::Thread {
            first: 2,
            before: None,
        };
        assert_eq!(stage.asked[0].query, thread);
        stage.answer([message(2, "bob", "line 2"), reply(4, 2, "bob", "beside")]);
        let screen = stage.screen();
        assert!(
            screen.contains("line 2") && screen.contains("beside"),
            "{screen}"
        );
        assert!(
            !screen.contains("line 3") && screen.contains("thread"),
            "{screen}"
        );
        stage.write("me too");
        stage.alt_key('a');
        assert!(stage.shows("Also to the"), "{}", stage.screen());
        let said: Vec<_> = stage
            .said
            .drain(..)
            .map(|request| request.command)
            .collect();
        let Some(Command::Message(SendMessage {
            thread: Some(2),
            also_to_room: false,
            ..
        })) = said.last()
        else {
            panic!("{said:?}");
        };
        stage.live(reply(5, 2, "bob", "live"));
        assert!(stage.shows("live"), "{}", stage.screen());
        stage.press(KeyCode::Esc);
        assert!(
            stage.shows("line 3") && !stage.shows("live"),
            "{}",
            stage.screen()
        );
    }
}

#[test]
fn what_is_new_in_a_thread_is_told_and_read_there() {
    let mut stage = Stage::in_room(3);
    stage.come_into("7", "garden", 0);
    stage.live(reply(4, 2, "bob", "beside"));
    stage.follows(vec![followed(message(2, "bob", "line 2"), 4, 1)]);
    assert!(stage.shows("#general ↳1"), "{}", stage.screen());
    stage.live(reply(5, 2, "bob", "another"));
    assert!(
        stage.shows("#general ↳2") && stage.shows("2 new"),
        "{}",
        stage.screen()
    );
    stage.write("/threads");
    let screen = stage.screen();
    assert!(
        screen.contains("#general bob: line 2") && screen.contains("2 new"),
        "{screen}"
    );
    stage.press(KeyCode::Enter);
    let page = [
        message(2, "bob", "line 2"),
        reply(4, 2, "bob", "beside"),
        reply(5, 2, "bob", "another"),
    ];
    stage.answer(page);
    assert!(
        stage.shows("── new ──") && stage.shows("another"),
        "{}",
        stage.screen()
    );
    let now = stage.state.client.now() + 2_000;
    stage.happen(Event::Tick(now));
    let mark = stage.marks.last().expect("a mark");
    assert_eq!((mark.mark.thread, mark.mark.seq), (Some(2), 5));
    assert!(!stage.shows("↳"), "{}", stage.screen());
    // Tab finds what is unread in threads, too.
    stage.press(KeyCode::Esc);
    stage.live(reply(6, 2, "bob", "once more"));
    stage.press(KeyCode::Tab);
    assert!(stage.shows("once more"), "{}", stage.screen());
}

#[test]
fn a_thread_can_be_followed_no_more() {
    let mut stage = Stage::in_room(3);
    stage.write("/threads");
    assert!(stage.shows("You follow no thread"), "{}", stage.screen());
    stage.press(KeyCode::Esc);
    stage.follows(vec![followed(message(2, "bob", "line\u{1b} 2"), 4, 1)]);
    stage.write("/threads");
    assert!(stage.shows("line␛ 2"), "{}", stage.screen());
    stage.press(KeyCode::Delete);
    let unfollow = Ask::Follow {
        room: "general".into(),
        id: 2,
        on: false,
    };
    assert_eq!(stage.asks(), [unfollow]);
}
