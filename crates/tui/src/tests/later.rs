//! What is to be said later.

use super::*;
use crate::protocol::{
    code::Code,
    scheduled::{
        NotSent, Scheduled, ScheduledChange, ScheduledKind, ScheduledNews, ScheduledPatch,
    },
};

fn waiting(id: u64, content: &str, kind: ScheduledKind) -> Scheduled {
    Scheduled {
        id,
        kind,
        room: "general".into(),
        name: Some("general".into()),
        content: content.into(),
        unreadable: false,
        send_at: at(id),
        thread: None,
        also_to_room: false,
        reply_to: None,
        client_id: format!("later-{id}"),
        created_at: at(0),
        failed: None,
    }
}

/// What asks for another text or time of the one with the number 9.
fn change(content: Option<&str>, when: Option<&str>) -> Ask {
    let (content, when) = (content.map(str::to_owned), when.map(str::to_owned));
    let send_at = None;
    let patch = ScheduledPatch {
        content,
        send_at,
        when,
    };
    Ask::ChangeScheduled(9, patch)
}

impl Stage {
    /// Alice looks at what she has waiting.
    fn with_list(scheduled: Vec<Scheduled>) -> Self {
        let mut stage = Self::in_room(1);
        stage.state.clock = || at(1);
        stage.write("/scheduled");
        assert_eq!(stage.asks(), [Ask::Scheduled]);
        stage.answer_ask(Ask::Scheduled, Ok(Answer::Scheduled(scheduled, false)));
        stage
    }

    fn told(&mut self, change: ScheduledChange, scheduled: Scheduled) {
        self.frame(event::Event::Scheduled(ScheduledNews {
            change,
            scheduled,
            message: None,
        }));
    }
}

#[test]
fn what_waits_is_listed_and_one_is_taken_back() {
    let oven = waiting(9, "Reminder: oven\u{1b}", ScheduledKind::Reminder);
    let mut late = waiting(3_000, "happy new year", ScheduledKind::Message);
    let failed = NotSent {
        code: Code::Muted,
        detail: "You are muted.".into(),
    };
    late.failed = Some(failed);
    let mut stage = Stage::with_list(vec![oven.clone(), late]);
    let screen = stage.screen();
    for told in [
        "#general Reminder: oven␛",
        "today ",
        "#general happy new year",
        "not sent: You are muted.",
        "Delete takes it back",
    ] {
        assert!(screen.contains(told), "{told}\n{screen}");
    }
    stage.press(KeyCode::Delete);
    assert_eq!(stage.asks(), [Ask::CancelScheduled(9)]);
    assert!(!stage.shows("oven"), "{}", stage.screen());
    stage.press(KeyCode::Esc);
    let mut stage = Stage::with_list(Vec::new());
    assert!(stage.shows("Nothing waits to be said"));
    // A letter closes the list.
    stage.press(KeyCode::Char('a'));
    assert!(!stage.shows("Nothing waits to be said"));
}

#[test]
fn one_gets_another_text_or_time_and_a_refusal_keeps_what_was_written() {
    let oven = waiting(9, "Reminder: oven", ScheduledKind::Reminder);
    let mut stage = Stage::with_list(vec![oven.clone()]);
    stage.press(KeyCode::Enter);
    let screen = stage.screen();
    assert!(screen.contains("For later, today "), "{screen}");
    assert!(screen.contains("Reminder: oven"), "{screen}");
    stage.write(" and cake");
    let ask = change(Some("Reminder: oven and cake"), None);
    assert_eq!(stage.asks(), std::slice::from_ref(&ask));
    assert!(stage.sent().is_empty(), "it is no message");
    stage.answer_ask(ask.clone(), Err("Too many.".into()));
    let screen = stage.screen();
    assert!(
        screen.contains("Too many.") && screen.contains("oven and cake"),
        "{screen}"
    );
    stage.press(KeyCode::Enter);
    assert_eq!(stage.asks(), std::slice::from_ref(&ask));
    let mut now = waiting(9, "Reminder: oven and cake", ScheduledKind::Reminder);
    stage.answer_ask(ask, Ok(Answer::Later(Box::new(now.clone()))));
    stage.told(ScheduledChange::Changed, now.clone());
    let screen = stage.screen();
    assert!(
        screen.contains("Changed: it comes today ") && !screen.contains("For later"),
        "{screen}"
    );
    // Another time, in words that the server reads.
    stage.write("/reschedule tomorrow at 9");
    assert!(
        stage.shows("Choose what is to come at another time first"),
        "{}",
        stage.screen()
    );
    stage.ctrl('u');
    stage.write("/scheduled");
    stage.asks();
    stage.answer_ask(
        Ask::Scheduled,
        Ok(Answer::Scheduled(vec![now.clone()], false)),
    );
    stage.press(KeyCode::Enter);
    stage.ctrl('u');
    stage.write("/reschedule tomorow");
    let wrong = change(None, Some("tomorow"));
    assert_eq!(stage.asks(), std::slice::from_ref(&wrong));
    stage.answer_ask(wrong, Err("Say when, and nothing else.".into()));
    let screen = stage.screen();
    assert!(
        screen.contains("/reschedule tomorow") && screen.contains("For later"),
        "{screen}"
    );
    stage.ctrl('u');
    stage.write("/reschedule tomorrow at 9");
    let ask = change(None, Some("tomorrow at 9"));
    assert_eq!(stage.asks(), std::slice::from_ref(&ask));
    now.send_at = at(1_500);
    stage.answer_ask(ask, Ok(Answer::Later(Box::new(now))));
    let screen = stage.screen();
    assert!(
        screen.contains("Changed: it comes Thu 19 Nov ") && !screen.contains("For later"),
        "{screen}"
    );
}

#[test]
fn when_and_where_it_comes_is_told_whole_where_there_is_room() {
    let oven = waiting(9, "Reminder: oven", ScheduledKind::Reminder);
    let told = |stage: &Stage| stage.shows(" in #general (Esc stops, /reschedule TIME) ─");
    let mut stage = Stage::with_list(vec![oven.clone()]);
    stage.press(KeyCode::Enter);
    assert!(told(&stage), "{}", stage.screen());
    // What stands beside it is told as well.
    let mut stage = Stage::with_list(vec![oven]);
    stage.press(KeyCode::Enter);
    for id in 2..40 {
        stage.live(message(id, "bob", "line"));
    }
    stage.press(KeyCode::PageUp);
    assert!(
        stage.shows("For later, today ") && stage.shows("─ ↓ End: back to the newest ╮"),
        "{}",
        stage.screen()
    );
    stage.happen(Event::Resize(100, 20));
    assert!(
        told(&stage) && stage.shows("↓ End: back to the newest ╮"),
        "{}",
        stage.screen()
    );
}

#[test]
fn a_time_that_is_written_behind_the_text_is_no_part_of_it() {
    let plants = waiting(9, "Reminder: water plants", ScheduledKind::Reminder);
    for (typed, wanted) in [
        ("/reschedule in 3 hours", change(None, Some("in 3 hours"))),
        (" /reschedule  tomorrow ", change(None, Some("tomorrow"))),
        (
            ", all/reschedule at 9",
            change(Some("Reminder: water plants, all"), Some("at 9")),
        ),
        (
            "/rescheduled",
            change(Some("Reminder: water plants/rescheduled"), None),
        ),
    ] {
        let mut stage = Stage::with_list(vec![plants.clone()]);
        stage.press(KeyCode::Enter);
        stage.write(typed);
        assert_eq!(stage.asks(), [wanted], "{typed}");
    }
    // Refused, it stands there to be corrected.
    let mut stage = Stage::with_list(vec![plants]);
    stage.press(KeyCode::Enter);
    stage.write("/reschedule in 3 horses");
    let ask = stage.asks().remove(0);
    stage.answer_ask(ask, Err("Say when, and nothing else.".into()));
    assert!(
        stage.shows("Say when") && stage.shows("plants/reschedule in 3 horses"),
        "{}",
        stage.screen()
    );
    stage.ctrl('u');
    stage.type_text("plants /reschedule");
    stage.press(KeyCode::Enter);
    assert!(
        stage.asks().is_empty() && stage.shows("Write /reschedule TIME."),
        "{}",
        stage.screen()
    );
    // What had the words in it before keeps them.
    let odd = waiting(9, "try /reschedule tomorrow", ScheduledKind::Message);
    let mut stage = Stage::with_list(vec![odd]);
    stage.press(KeyCode::Enter);
    stage.write("!");
    let wanted = change(Some("try /reschedule tomorrow!"), None);
    assert_eq!(stage.asks(), [wanted]);
}

#[test]
fn who_changes_what_is_to_come_is_told_how_to_end_that_and_how_to_give_another_time() {
    let plants = waiting(9, "Reminder: water plants", ScheduledKind::Reminder);
    let mut stage = Stage::with_list(vec![plants.clone()]);
    assert!(stage.shows("T the time"), "{}", stage.screen());
    stage.press(KeyCode::Enter);
    let told = [
        "Enter keeps the text",
        "Esc leaves it",
        "TIME behind it sets another time",
    ];
    for told in told {
        assert!(stage.shows(told), "{told}\n{}", stage.screen());
    }
    stage.press(KeyCode::Esc);
    assert!(!stage.shows("water plants"), "{}", stage.screen());
    // A key of the list asks for nothing but the time.
    for key in ['t', 'T'] {
        let mut stage = Stage::with_list(vec![plants.clone()]);
        stage.press(KeyCode::Char(key));
        assert!(stage.shows("Write when it is to come"));
        stage.write("in 3 hours");
        assert_eq!(stage.asks(), [change(None, Some("in 3 hours"))]);
    }
    // A draft is not overwritten.
    let mut stage = Stage::in_room(1);
    stage.write("/scheduled");
    stage.type_text("half a thought");
    stage.answer_ask(Ask::Scheduled, Ok(Answer::Scheduled(vec![plants], false)));
    stage.press(KeyCode::Char('t'));
    assert!(
        stage.shows("half a thought") && stage.shows("Something is written here"),
        "{}",
        stage.screen()
    );
}

#[test]
fn a_reminder_that_comes_and_what_could_not_be_said_are_told() {
    let oven = waiting(9, "Reminder: oven", ScheduledKind::Reminder);
    let mut stage = Stage::with_list(vec![oven.clone()]);
    stage.press(KeyCode::Enter);
    stage.type_text("!");
    stage.told(ScheduledChange::Sent, oven.clone());
    let screen = stage.screen();
    assert!(
        screen.contains("It cannot be changed any more") && !screen.contains("For later"),
        "{screen}"
    );
    assert!(screen.contains("Reminder: oven!"), "it is kept: {screen}");
    stage.ctrl('u');
    stage.told(ScheduledChange::Sent, oven);
    assert!(stage.shows("Reminder: oven (#general)"));
    // It stays while one goes on typing, until it is taken away.
    stage.happen(Event::Tick(31_000));
    stage.type_text("so");
    assert!(stage.shows("Reminder: oven (#general)"));
    stage.press(KeyCode::Esc);
    assert!(!stage.shows("Reminder: oven"));
    let mut late = waiting(12, "hello", ScheduledKind::Message);
    late.failed = Some(NotSent {
        code: Code::Muted,
        detail: "You are muted.".into(),
    });
    stage.told(ScheduledChange::Failed, late);
    assert!(stage.shows("What was to be said in #general was not: You are muted."));
}
