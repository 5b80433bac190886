//! Histories that are wrong on purpose: each kind of wrong must be seen, and counted as what it is.

use super::{Seen::*, *};

fn text(n: u64) -> String {
    format!("message {n}")
}

fn stored(numbers: &[(u64, u64)]) -> Vec<Stored> {
    let stored = |(seq, n): &(u64, u64)| Stored {
        seq: *seq,
        content: text(*n),
    };
    numbers.iter().map(stored).collect()
}

fn acked(n: u64) -> Sending {
    Sending {
        client_id: format!("c{n}"),
        content: text(n),
        acks: vec![n],
        unknown: false,
        at_once: true,
    }
}

fn message(seq: u64) -> Seen {
    Message(seq, digest(&text(seq)))
}

/// Five messages, acked and stored, and a reader who asked from the start.
fn good() -> Evidence {
    let history = stored(&[(1, 1), (2, 2), (3, 3), (4, 4), (5, 5)]);
    Evidence {
        sent: (1..=5).map(acked).collect(),
        pipelines: vec![vec![0, 2, 4], vec![1, 3]],
        views: vec![vec![
            Connected(3),
            Asked(0),
            message(4),
            message(1),
            message(2),
            message(3),
            message(4),
            Synced(4, true),
            message(5),
        ]],
        pages: vec![vec![(2, digest(&text(2))), (3, digest(&text(3)))]],
        backwards: history.clone(),
        history,
        left_behind: 0,
        rooms: Vec::new(),
    }
}

fn set_history(evidence: &mut Evidence, numbers: &[(u64, u64)]) {
    evidence.history = stored(numbers);
    evidence.backwards = stored(numbers);
}

fn counts(change: impl FnOnce(&mut Evidence)) -> Counts {
    let mut evidence = good();
    change(&mut evidence);
    let verdict = check(&evidence);
    assert_eq!(verdict.counts.is_clean(), verdict.examples.is_empty());
    verdict.counts
}

fn none() -> Counts {
    Counts::default()
}

#[test]
fn what_is_right_is_found_right() {
    assert_eq!(counts(|_| ()), none());
}

#[test]
fn an_acked_message_that_is_gone_is_lost() {
    // The last one, so that there is no hole.
    let found = counts(|evidence| {
        set_history(evidence, &[(1, 1), (2, 2), (3, 3), (4, 4)]);
        evidence.views.clear();
    });
    assert_eq!(found, Counts { lost: 1, ..none() });
}

#[test]
fn an_acked_message_that_was_changed_is_lost_and_a_phantom() {
    let found = counts(|evidence| {
        evidence.history[4].content.push('!');
        evidence.backwards[4].content.push('!');
        evidence.views.clear();
    });
    let expected = Counts {
        lost: 1,
        phantom: 1,
        ..none()
    };
    assert_eq!(found, expected);
}

#[test]
fn a_message_that_is_there_twice_is_doubled() {
    let found = counts(|evidence| {
        set_history(
            evidence,
            &[(1, 1), (2, 2), (3, 3), (4, 4), (5, 5), (6, 2), (7, 2)],
        );
    });
    assert_eq!(
        found,
        Counts {
            doubled: 2,
            ..none()
        }
    );
}

#[test]
fn two_numbers_for_one_message_are_a_double() {
    let found = counts(|evidence| {
        set_history(evidence, &[(1, 1), (2, 2), (3, 3), (4, 4), (5, 5), (6, 2)]);
        evidence.sent[1].acks.push(6);
    });
    // There twice, and acked as both.
    assert_eq!(
        found,
        Counts {
            doubled: 2,
            ..none()
        }
    );
}

#[test]
fn an_ack_with_another_number_than_history_is_reordered() {
    let found = counts(|evidence| evidence.sent[1].acks = vec![4]);
    assert_eq!(
        found,
        Counts {
            reordered: 1,
            ..none()
        }
    );
}

#[test]
fn a_socket_that_was_told_another_order_is_reordered() {
    let found = counts(|evidence| {
        evidence.views = vec![vec![
            Connected(0),
            Message(1, digest(&text(2))),
            Message(2, digest(&text(1))),
        ]];
    });
    assert_eq!(
        found,
        Counts {
            reordered: 2,
            ..none()
        }
    );
}

#[test]
fn a_page_that_tells_another_order_is_reordered() {
    let found = counts(|evidence| evidence.pages[0][0].0 = 5);
    assert_eq!(
        found,
        Counts {
            reordered: 1,
            ..none()
        }
    );
    let found = counts(|evidence| {
        evidence.backwards.swap(1, 2);
    });
    assert_eq!(
        found,
        Counts {
            reordered: 2,
            ..none()
        }
    );
}

#[test]
fn sends_of_one_socket_in_the_wrong_order_are_reordered() {
    let found = counts(|evidence| evidence.pipelines = vec![vec![0, 4, 2]]);
    assert_eq!(
        found,
        Counts {
            reordered: 1,
            ..none()
        }
    );
    // One that was sent again may come later.
    let found = counts(|evidence| {
        evidence.pipelines = vec![vec![0, 4, 2]];
        evidence.sent[4].at_once = false;
    });
    assert_eq!(found, none());
}

#[test]
fn what_nobody_sent_is_a_phantom() {
    let found = counts(|evidence| {
        set_history(evidence, &[(1, 1), (2, 2), (3, 3), (4, 4), (5, 5), (6, 9)]);
    });
    assert_eq!(
        found,
        Counts {
            phantom: 1,
            ..none()
        }
    );
}

#[test]
fn what_was_refused_for_sure_must_not_appear_and_what_is_unknown_may_once() {
    let refuse = |evidence: &mut Evidence, unknown| {
        evidence.sent[1].acks.clear();
        evidence.sent[1].at_once = false;
        evidence.sent[1].unknown = unknown;
    };
    assert_eq!(
        counts(|evidence| refuse(evidence, false)),
        Counts {
            phantom: 1,
            ..none()
        }
    );
    assert_eq!(counts(|evidence| refuse(evidence, true)), none());
    let twice = counts(|evidence| {
        refuse(evidence, true);
        set_history(evidence, &[(1, 1), (2, 2), (3, 3), (4, 4), (5, 5), (6, 2)]);
    });
    assert_eq!(
        twice,
        Counts {
            doubled: 1,
            ..none()
        }
    );
}

#[test]
fn a_message_that_was_told_and_is_not_stored_is_a_phantom() {
    let found = counts(|evidence| {
        evidence.sent[4].acks.clear();
        evidence.sent[4].unknown = true;
        set_history(evidence, &[(1, 1), (2, 2), (3, 3), (4, 4)]);
    });
    assert_eq!(
        found,
        Counts {
            phantom: 1,
            ..none()
        }
    );
}

#[test]
fn a_number_that_history_leaves_out_is_a_hole() {
    let found = counts(|evidence| {
        set_history(evidence, &[(1, 1), (2, 2), (3, 3), (4, 4), (7, 5)]);
        evidence.sent[4].acks = vec![7];
        evidence.views.clear();
    });
    assert_eq!(found, Counts { holes: 2, ..none() });
}

#[test]
fn a_number_sent_again_without_a_question_is_nonmonotonic() {
    for view in [
        vec![Connected(0), message(1), message(2), message(2)],
        vec![Connected(0), message(1), message(2), message(1)],
        // One question allows one step back, not two.
        vec![
            Connected(2),
            Asked(0),
            message(1),
            message(2),
            message(1),
            message(2),
            Synced(2, true),
        ],
        // And it is over once it is answered.
        vec![
            Connected(2),
            Asked(2),
            Synced(2, true),
            message(3),
            message(3),
        ],
        vec![Connected(3), Asked(3), message(4), Synced(3, true)],
    ] {
        let found = counts(|evidence| evidence.views = vec![view.clone()]);
        assert!(found.nonmonotonic > 0, "{view:?}: {found:?}");
        assert_eq!(found.stale, 0, "{view:?}: {found:?}");
    }
}

#[test]
fn a_gap_without_a_word_is_stale() {
    for view in [
        // Live, right after the opening and later.
        vec![Connected(0), message(2)],
        vec![Connected(0), message(1), message(3)],
        // At the seam between what was missed and what is live.
        vec![
            Connected(3),
            Asked(1),
            message(2),
            message(3),
            Synced(3, true),
            message(5),
        ],
        // What was missed is not sent at all, or not from where it was asked for.
        vec![Connected(3), Asked(1), Synced(3, true), message(4)],
        vec![
            Connected(4),
            Asked(1),
            message(3),
            message(4),
            Synced(4, true),
        ],
        // Told to be further than it was sent.
        vec![
            Connected(3),
            Asked(1),
            message(2),
            Synced(3, true),
            message(4),
        ],
        // A lag excuses what it names, and no more.
        vec![Connected(0), message(1), Lag(2), message(4)],
    ] {
        let found = counts(|evidence| evidence.views = vec![view.clone()]);
        assert!(found.stale > 0, "{view:?}: {found:?}");
    }
}

#[test]
fn a_gap_that_was_announced_is_none() {
    for view in [
        vec![Connected(0), message(1), Lag(3), message(4)],
        vec![
            Connected(4),
            Asked(0),
            message(1),
            message(2),
            Synced(2, false),
            message(5),
        ],
        vec![Connected(3), Asked(1), SyncRefused, message(4)],
        vec![Connected(3), Asked(3), Synced(3, true), message(4)],
        vec![
            Connected(2),
            Asked(2),
            message(3),
            message(3),
            message(4),
            Synced(4, true),
        ],
        vec![
            Connected(2),
            Asked(2),
            message(3),
            message(4),
            Synced(4, true),
            message(5),
        ],
    ] {
        let found = counts(|evidence| evidence.views = vec![view.clone()]);
        assert_eq!(found, none(), "{view:?}");
    }
}

#[test]
fn a_reader_left_waiting_is_stale() {
    let found = counts(|evidence| evidence.left_behind = 2);
    assert_eq!(found, Counts { stale: 2, ..none() });
}
