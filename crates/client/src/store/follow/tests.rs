//! Runs of frames and pages of one room, and what the reader is shown of them.

use super::*;
use crate::protocol::{code::Code, time};
use proptest::prelude::*;

fn live(seq: u64) -> Message {
    Message {
        id: seq,
        seq,
        room: "general".into(),
        user_id: 2,
        username: "bob".into(),
        content: format!("message {seq}"),
        created_at: time::now(),
        client_id: None,
        unreadable: false,
        ..Message::default()
    }
}

fn stored(seqs: impl IntoIterator<Item = u64>) -> Vec<Message> {
    seqs.into_iter().map(live).collect()
}

fn shown(steps: &[Step]) -> Vec<u64> {
    let ids = |step: &Step| match step {
        Step::Show(messages) => messages.iter().map(|m| m.seq).collect(),
        _ => Vec::new(),
    };
    steps.iter().flat_map(ids).collect()
}

/// The cursor of the `sync` that is asked for.
fn asked_sync(follower: &Follower, steps: &[Step]) -> Option<u64> {
    steps.contains(&Step::Sync).then(|| follower.cursor())
}

/// A reader that has seen everything up to `seq`.
fn reader(seq: u64) -> Follower {
    let mut follower = Follower::new(Past::Pages);
    assert_eq!(follower.connected(seq, true), [Step::FetchLatest]);
    follower.latest(stored(1..=seq), false);
    follower
}

#[test]
fn what_is_written_while_the_first_page_loads_is_shown_once_and_in_order() {
    let mut follower = Follower::new(Past::Pages);
    follower.connected(2, true);
    assert_eq!(follower.message(live(3)), []);
    assert_eq!(follower.message(live(4)), []);
    // The page was read after 3 was stored, and before 4 was.
    assert_eq!(shown(&follower.latest(stored(1..=3), false)), [1, 2, 3, 4]);
    assert_eq!(shown(&follower.message(live(5))), [5]);
}

#[test]
fn a_return_asks_for_what_was_missed_and_mixes_it_with_what_is_live() {
    let mut follower = reader(2);
    let steps = follower.connected(5, true);
    assert_eq!(asked_sync(&follower, &steps), Some(2));
    assert_eq!(
        shown(&follower.message(live(6))),
        [0; 0],
        "not before what was missed"
    );
    let replay: Vec<u64> = [3, 4, 5]
        .into_iter()
        .flat_map(|seq| shown(&follower.message(live(seq))))
        .collect();
    assert_eq!(replay, [3, 4, 5, 6]);
    assert_eq!(follower.message(live(4)), [], "seen already");
    let synced = Upto {
        seq: 6,
        complete: true,
    };
    assert_eq!(follower.synced(synced), []);
}

#[test]
fn a_long_absence_is_read_page_by_page() {
    let mut follower = reader(2);
    follower.connected(300, true);
    let page = Upto {
        seq: 2,
        complete: false,
    };
    assert_eq!(follower.synced(page), [Step::FetchSince(2)]);
    let steps = follower.page(stored(3..=202), true);
    assert_eq!(steps.last(), Some(&Step::FetchSince(202)));
    follower.message(live(301));
    assert_eq!(
        shown(&follower.page(stored(203..=300), false)).last(),
        Some(&301)
    );
}

#[test]
fn a_hole_and_a_lag_are_filled_by_asking_again() {
    let mut follower = reader(2);
    assert_eq!(follower.message(live(4)), [Step::Sync]);
    assert_eq!(follower.cursor(), 2);
    assert_eq!(shown(&follower.message(live(3))), [3, 4]);
    // Told while the first is still being answered: asked for when the answer does not reach so far.
    assert_eq!(follower.lag(6), []);
    let synced = |seq| Upto {
        seq,
        complete: true,
    };
    assert_eq!(follower.synced(synced(4)), [Step::Sync]);
    assert_eq!(follower.synced(synced(6)), []);
    assert_eq!(follower.lag(6), [], "it has come");
    assert_eq!(follower.lag(7), [Step::Sync]);
}

#[test]
fn a_sync_that_is_refused_is_asked_again_or_given_up_with_its_history() {
    let mut follower = reader(2);
    follower.connected(5, true);
    assert_eq!(follower.refused(Code::StoreUnavailable), [Step::Pause]);
    assert_eq!(follower.again(), [Step::Sync]);
    for code in [Code::CursorAhead, Code::EpochChanged] {
        let steps = follower.refused(code);
        assert_eq!(steps, [Step::Forget, Step::FetchLatest]);
    }
}

#[test]
fn a_restored_history_is_read_afresh() {
    for (is_same_history, seq) in [(false, 9), (true, 1)] {
        let mut follower = reader(5);
        let steps = follower.connected(seq, is_same_history);
        assert_eq!(steps, [Step::Forget, Step::FetchLatest]);
        let steps = follower.latest(stored(1..=seq), false);
        assert_eq!(shown(&steps).len() as u64, seq);
    }
}

#[test]
fn so_many_of_the_latest_as_are_wanted_are_read_in_pages_and_shown_at_once() {
    let mut follower = Follower::new(Past::Latest(5));
    follower.connected(9, true);
    let steps = follower.latest(stored(7..=9), true);
    assert_eq!(steps, [Step::FetchBefore(7)]);
    follower.message(live(10));
    assert_eq!(follower.again(), [Step::FetchBefore(7)], "it failed");
    let steps = follower.latest(stored(4..=6), true);
    assert_eq!(shown(&steps), [5, 6, 7, 8, 9, 10]);

    let mut follower = Follower::new(Past::Latest(5));
    follower.connected(3, true);
    assert_eq!(shown(&follower.latest(stored(1..=3), false)), [1, 2, 3]);

    let mut follower = Follower::new(Past::Latest(0));
    follower.connected(3, true);
    assert_eq!(shown(&follower.latest(stored(1..=3), true)), [0; 0]);
    assert_eq!(shown(&follower.message(live(4))), [4]);
}

#[test]
fn a_failed_fetch_is_asked_again() {
    let mut follower = Follower::new(Past::Pages);
    assert_eq!(follower.again(), []);
    follower.connected(9, true);
    assert_eq!(follower.again(), [Step::FetchLatest]);
}

proptest! {
    /// However a replay and live frames are interleaved and repeated, every message is shown once, in order.
    #[test]
    fn no_order_of_arrival_loses_doubles_or_reorders(
        mut arrivals in proptest::collection::vec(6_u64..=30, 0..120),
        last in 20_u64..=30,
    ) {
        let mut follower = reader(5);
        follower.connected(last, true);
        arrivals.retain(|seq| *seq <= last);
        let mut seen = Vec::new();
        for seq in arrivals {
            seen.extend(shown(&follower.message(live(seq))));
        }
        // The replay as the server sends it.
        for seq in 6..=last {
            seen.extend(shown(&follower.message(live(seq))));
        }
        seen.extend(shown(&follower.synced(Upto { seq: last, complete: true })));
        prop_assert_eq!(seen, (6..=last).collect::<Vec<_>>());
    }
}

#[test]
fn what_is_written_since_the_socket_opened_is_shown_however_late_the_page_comes() {
    for wanted in [0, 2] {
        let mut follower = Follower::new(Past::Latest(wanted));
        let steps = follower.connected(10, true);
        if wanted == 0 {
            assert!(!steps.contains(&Step::FetchLatest), "{steps:?}");
        }
        let mut seen: Vec<u64> = shown(&steps);
        for seq in 11..=40 {
            seen.extend(shown(&follower.message(live(seq))));
        }
        if wanted > 0 {
            // It came as late as that, and does not reach back to what the socket began with.
            let steps = follower.latest(stored(31..=40), true);
            assert_eq!(steps, [Step::FetchBefore(31)]);
            seen.extend(shown(&follower.latest(stored(1..=30), false)));
        }
        seen.extend(shown(&follower.message(live(41))));
        let first = 11 - u64::try_from(wanted).expect("small");
        assert_eq!(seen, (first..=41).collect::<Vec<u64>>(), "{wanted}");
    }
}

#[test]
fn what_changes_while_the_page_loads_is_shown_also_where_the_page_does_not_reach() {
    let mut follower = Follower::new(Past::Latest(1));
    follower.connected(10, true);
    let edited = |id, seq| Message { id, ..live(seq) };
    // An old message is edited, and the latest one; the page knows of both, and holds one of them.
    follower.message(edited(3, 11));
    let steps = follower.latest(vec![edited(10, 12)], true);
    assert_eq!(shown(&steps), [12, 11]);
    assert_eq!(shown(&follower.message(edited(10, 12))), [0; 0]);
    assert_eq!(shown(&follower.message(live(13))), [13]);
}
