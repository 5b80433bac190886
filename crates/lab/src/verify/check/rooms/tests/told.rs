//! What sockets and pages told.

use super::*;

#[test]
fn a_change_that_a_socket_was_not_sent_is_a_silent_gap() {
    for missing in [2, 5, 8, 11] {
        let found = counts(|room| {
            room.views[0].heard.remove(missing);
        });
        let is_last = missing == 11;
        let is_changed_again = missing == 2;
        let expected = u64::from(!is_last && !is_changed_again);
        assert_eq!(found.stale, expected, "{missing}: {found:?}");
    }
}

#[test]
fn what_is_left_out_of_an_answer_is_a_silent_gap_unless_it_was_changed_again() {
    let answer = |numbers: &[u64]| {
        let mut heard = vec![Connected(Some(11)), Asked(0, 50)];
        heard.extend(numbers.iter().map(|seq| told(*seq)));
        heard.push(Synced(11, true));
        heard
    };
    let with = |numbers: &[u64]| counts(|room| room.views[0].heard = answer(numbers));
    assert_eq!(with(&[1, 5, 6, 7, 8, 9, 11]), none());
    for missing in [1, 5, 6, 7, 8, 9, 11] {
        let mut numbers = vec![1, 5, 6, 7, 8, 9, 11];
        numbers.retain(|number| *number != missing);
        let found = with(&numbers);
        assert_eq!(found, Counts { stale: 1, ..none() }, "{missing}");
    }
}

#[test]
fn a_number_again_without_a_question_is_seen() {
    let found = counts(|room| room.views[0].heard.push(told(11)));
    let expected = Counts {
        nonmonotonic: 1,
        ..none()
    };
    assert_eq!(found, expected);
}

#[test]
fn a_frame_after_a_kick_is_a_leak() {
    // Told that he is out, and told more.
    let found = counts(|room| room.views[1].heard.insert(11, told(8)));
    assert_eq!(
        found,
        Counts {
            leaked: 1,
            ..none()
        }
    );
    // Not told that he is out.
    let found = counts(|room| {
        room.views[1].heard.truncate(10);
        room.views[1].heard.push(told(8));
    });
    assert_eq!(
        found,
        Counts {
            leaked: 1,
            ..none()
        }
    );
}

#[test]
fn a_page_after_a_kick_or_before_a_join_is_a_leak() {
    let outside = vec![Connected(None), page(1, &[7, 8])];
    let found = counts(|room| room.views[1].heard = outside);
    assert_eq!(
        found,
        Counts {
            leaked: 1,
            ..none()
        }
    );
    let found = counts(|room| room.views[1] = view(9, vec![Connected(None), told(8)]));
    assert_eq!(
        found,
        Counts {
            leaked: 1,
            ..none()
        }
    );
    // Who has come back reads everything.
    let back = vec![Connected(None), page(1, &[5, 6, 7, 8, 9])];
    assert_eq!(counts(|room| room.views[1].heard = back), none());
    let found = counts(|room| room.let_in.push(9));
    assert_eq!(
        found,
        Counts {
            leaked: 1,
            ..none()
        }
    );
}
