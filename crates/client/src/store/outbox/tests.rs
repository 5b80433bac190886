//! What waits to be sent, in which order, and what becomes of it.

use super::*;
use crate::protocol::time;

fn sent(outbox: &mut Outbox, now: Millis) -> Option<(String, String)> {
    let request = outbox.next(now, "general", 1_000)?;
    let Command::Message(message) = request.command else {
        panic!("not a message");
    };
    assert_eq!(request.reference, message.client_id);
    Some((message.client_id?, message.content))
}

fn ack(reference: &str) -> Ack {
    Ack {
        reference: reference.into(),
        room: "general".into(),
        id: 1,
        seq: 1,
        timestamp: time::now(),
        duplicate: false,
        done: None,
    }
}

fn error(reference: &str, retry_after_ms: Option<u64>) -> ErrorFrame {
    ErrorFrame {
        reference: Some(reference.into()),
        code: Code::ValidationError,
        detail: "Some sentence.".into(),
        retry_after_ms,
        room: None,
        kind: None,
    }
}

fn two() -> Outbox {
    let mut outbox = Outbox::default();
    outbox.push(WRITE, "a".into(), "first".into());
    outbox.push(WRITE, "b".into(), "second".into());
    outbox
}

#[test]
fn messages_go_one_by_one_and_again_under_the_same_id_after_a_lost_connection() {
    let mut outbox = two();
    let first = Some(("a".to_owned(), "first".to_owned()));
    assert_eq!(sent(&mut outbox, 0), first);
    assert_eq!(sent(&mut outbox, 0), None);
    outbox.disconnected();
    assert_eq!(sent(&mut outbox, 0), first);
    assert!(outbox.acked(&ack("a")).is_some());
    assert!(outbox.acked(&ack("a")).is_none());
    assert_eq!(sent(&mut outbox, 0).map(|(id, _)| id).as_deref(), Some("b"));
}

#[test]
fn a_message_without_an_answer_is_sent_again() {
    let mut outbox = two();
    sent(&mut outbox, 0);
    assert_eq!(sent(&mut outbox, ANSWER_TIME - 1), None);
    assert_eq!(
        sent(&mut outbox, ANSWER_TIME).map(|(id, _)| id).as_deref(),
        Some("a")
    );
}

#[test]
fn a_wait_that_the_server_asks_for_is_kept_and_so_is_the_order() {
    let mut outbox = two();
    sent(&mut outbox, 0);
    assert_eq!(outbox.refused(0, &error("a", Some(700))), Refused::Kept);
    assert_eq!(sent(&mut outbox, 699), None);
    assert_eq!(
        sent(&mut outbox, 700).map(|(id, _)| id).as_deref(),
        Some("a")
    );
}

#[test]
fn what_is_no_message_does_not_wait_for_slow_mode_and_what_waits_can_be_taken_back() {
    let mut outbox = two();
    sent(&mut outbox, 0);
    outbox.push(Deed::Delete(7), "c".into(), String::new());
    assert_eq!(outbox.next(0, "general", 1_000), None, "one at a time");
    let slow = ErrorFrame {
        code: Code::SlowMode,
        ..error("a", Some(700))
    };
    outbox.refused(0, &slow);
    assert_eq!(outbox.hold(0), Some((700, true)));
    let request = outbox.next(0, "general", 1_000).expect("a frame");
    assert!(matches!(request.command, Command::Delete(_)));
    assert_eq!(outbox.next(0, "general", 1_000), None);
    // Asked to wait for another reason, it waits, and so does all else.
    outbox.refused(0, &error("c", Some(100)));
    assert_eq!(outbox.next(99, "general", 1_000), None);
    assert!(outbox.next(100, "general", 1_000).is_some());
    assert!(outbox.acked(&ack("c")).is_some());
    for text in ["second", "first"] {
        let taken = outbox.take_waiting(None).expect("it waits");
        assert_eq!(taken.content, text);
    }
    assert!(outbox.is_empty());
    // What may have arrived is not taken back.
    let mut outbox = two();
    sent(&mut outbox, 0);
    outbox.disconnected();
    assert!(outbox.take_waiting(None).is_some());
    assert_eq!(outbox.take_waiting(None), None);
}

#[test]
fn an_edit_that_a_slow_room_refuses_stays_to_be_corrected_and_holds_up_nothing() {
    let mut outbox = Outbox::default();
    outbox.push(Deed::Edit(7, 7), "a".into(), "@carol".into());
    outbox.push(Deed::Delete(8), "b".into(), String::new());
    let edit = outbox.next(0, "general", 1_000).expect("a frame");
    assert!(matches!(edit.command, Command::Edit(_)));
    let slow = ErrorFrame {
        code: Code::SlowMode,
        ..error("a", Some(86_400_000))
    };
    assert_eq!(outbox.refused(0, &slow), Refused::Kept);
    assert_eq!(outbox.hold(0), None);
    let next = outbox.next(0, "general", 1_000).expect("what is behind it");
    assert!(matches!(next.command, Command::Delete(_)));
    let kept = outbox.take_refused(None).map(|edit| edit.content);
    assert_eq!(kept.as_deref(), Some("@carol"));
}

#[test]
fn a_refused_message_stays_to_be_corrected_and_holds_up_no_other() {
    let mut outbox = two();
    sent(&mut outbox, 0);
    outbox.refused(0, &error("a", None));
    assert_eq!(sent(&mut outbox, 0).map(|(id, _)| id).as_deref(), Some("b"));
    assert_eq!(outbox.unsent(), 1);
    assert_eq!(
        outbox.take_refused(None).map(|p| p.content).as_deref(),
        Some("first")
    );
    assert_eq!(outbox.refused(0, &error("z", None)), Refused::Unknown);
}

#[test]
fn edits_and_deletions_go_in_order_and_again_after_a_lost_connection() {
    let mut outbox = Outbox::default();
    outbox.push(Deed::Edit(7, 9), "a".into(), "better".into());
    outbox.push(Deed::Delete(7), "b".into(), String::new());
    for _ in 0..2 {
        let request = outbox.next(0, "garden", 1_000).expect("a frame");
        let edit = Edit {
            room: "garden".into(),
            id: 7,
            content: "better".into(),
            if_seq: Some(9),
        };
        assert_eq!(request.command, Command::Edit(edit));
        assert_eq!(outbox.next(0, "garden", 1_000), None);
        outbox.disconnected();
    }
    outbox.refused(0, &error("a", None));
    let request = outbox.next(0, "garden", 1_000).expect("a frame");
    assert!(matches!(
        request.command,
        Command::Delete(Delete { id: 7, .. })
    ));
    assert_eq!(outbox.refused(0, &error("b", None)), Refused::Dropped);
    let refused = outbox.take_refused(None).expect("the edit");
    assert_eq!(
        (refused.deed, &*refused.content),
        (Deed::Edit(7, 9), "better")
    );
    assert!(outbox.is_empty());
}

#[test]
fn a_message_is_measured_as_it_travels_before_it_is_sent() {
    let mut outbox = Outbox::default();
    outbox.push(WRITE, "a".into(), "\u{1}".repeat(200));
    outbox.push(WRITE, "b".into(), "x".repeat(800));
    assert_eq!(sent(&mut outbox, 0).map(|(id, _)| id).as_deref(), Some("b"));
    assert_eq!(outbox.unsent(), 1);
    assert!(outbox.take_refused(None).is_some());
}

#[test]
fn a_message_that_is_too_large_for_a_frame_is_not_sent_again_and_holds_up_no_other() {
    let mut outbox = two();
    sent(&mut outbox, 0);
    outbox.too_large();
    outbox.disconnected();
    assert_eq!(sent(&mut outbox, 0).map(|(id, _)| id).as_deref(), Some("b"));
    assert_eq!(
        outbox.take_refused(None).map(|p| p.content).as_deref(),
        Some("first")
    );
}
