//! Runs of frames and pages, and what the reader is shown of them.

use super::*;
use crate::protocol::{code::Code, event::RoomState, limits::Limits, time};
use proptest::prelude::*;

fn hello(epoch: &str, seq: u64) -> Connected {
    Connected {
        user_id: 1,
        username: "alice".into(),
        session: 1,
        epoch: epoch.into(),
        heartbeat_ms: 25_000,
        limits: Limits::default(),
        rooms: vec![RoomState {
            name: "general".into(),
            seq,
        }],
        online: Vec::new(),
    }
}

fn live(seq: u64) -> event::Message {
    event::Message {
        room: "general".into(),
        id: seq,
        seq,
        user_id: 2,
        username: "bob".into(),
        content: format!("message {seq}"),
        timestamp: time::now(),
        client_id: None,
        unreadable: false,
    }
}

fn stored(seqs: impl IntoIterator<Item = u64>) -> Vec<Message> {
    seqs.into_iter().map(|seq| into_view(live(seq))).collect()
}

fn shown(steps: &[Step]) -> Vec<u64> {
    let ids = |step: &Step| match step {
        Step::Show(messages) => messages.iter().map(|m| m.seq).collect(),
        _ => Vec::new(),
    };
    steps.iter().flat_map(ids).collect()
}

fn asked_sync(steps: &[Step]) -> Option<&Sync> {
    steps.iter().find_map(|step| match step {
        Step::Say(Request {
            command: Command::Sync(sync),
            ..
        }) => Some(sync),
        _ => None,
    })
}

/// A reader that has seen everything up to `seq`.
fn reader(seq: u64) -> Follower {
    let mut follower = Follower::new("general");
    assert_eq!(follower.connected(&hello("e", seq)), [Step::FetchLatest]);
    follower.latest(stored(1..=seq));
    follower
}

#[test]
fn what_is_written_while_the_first_page_loads_is_shown_once_and_in_order() {
    let mut follower = Follower::new("general");
    follower.connected(&hello("e", 2));
    assert_eq!(follower.message(live(3)), []);
    assert_eq!(follower.message(live(4)), []);
    // The page was read after 3 was stored, and before 4 was.
    assert_eq!(shown(&follower.latest(stored(1..=3))), [1, 2, 3, 4]);
    assert_eq!(shown(&follower.message(live(5))), [5]);
}

#[test]
fn a_return_asks_for_what_was_missed_and_mixes_it_with_what_is_live() {
    let mut follower = reader(2);
    let steps = follower.connected(&hello("e", 5));
    let sync = asked_sync(&steps).expect("a sync");
    assert_eq!(
        (sync.rooms["general"], sync.epoch.as_deref()),
        (2, Some("e"))
    );
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
    let synced = SyncedRoom {
        seq: 6,
        complete: true,
    };
    assert_eq!(follower.synced(synced), []);
}

#[test]
fn a_long_absence_is_read_page_by_page() {
    let mut follower = reader(2);
    follower.connected(&hello("e", 300));
    let page = SyncedRoom {
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
    assert!(asked_sync(&follower.message(live(4))).is_some());
    assert_eq!(shown(&follower.message(live(3))), [3, 4]);
    // Told while the first is still being answered: asked for when the answer does not reach so far.
    assert_eq!(follower.lag("general", 6), []);
    assert_eq!(follower.lag("elsewhere", 9), []);
    let synced = |seq| SyncedRoom {
        seq,
        complete: true,
    };
    assert!(asked_sync(&follower.synced(synced(4))).is_some());
    assert_eq!(follower.synced(synced(6)), []);
    assert_eq!(follower.lag("general", 6), [], "it has come");
    assert!(asked_sync(&follower.lag("general", 7)).is_some());
}

#[test]
fn a_sync_that_is_refused_is_asked_again_or_given_up_with_its_history() {
    let refusal = |code: Code| ErrorFrame {
        reference: Some(SYNC.into()),
        code,
        detail: "Some sentence.".into(),
        retry_after_ms: None,
    };
    let mut follower = reader(2);
    follower.connected(&hello("e", 5));
    assert_eq!(
        follower.refused(&refusal(Code::StoreUnavailable)),
        Some(vec![Step::Pause])
    );
    assert!(asked_sync(&follower.again()).is_some());
    assert_eq!(
        follower.refused(&refusal(Code::CursorAhead)),
        Some(vec![Step::Forget, Step::FetchLatest])
    );
    let mut of_a_message = refusal(Code::RateLimited);
    of_a_message.reference = Some("m1".into());
    assert_eq!(follower.refused(&of_a_message), None);
}

#[test]
fn a_restored_history_is_read_afresh() {
    for (epoch, seq) in [("other", 9), ("e", 1)] {
        let mut follower = reader(5);
        let steps = follower.connected(&hello(epoch, seq));
        assert_eq!(steps, [Step::Forget, Step::FetchLatest]);
        assert_eq!(shown(&follower.latest(stored(1..=seq))).len() as u64, seq);
    }
}

#[test]
fn a_failed_fetch_is_asked_again() {
    let mut follower = Follower::new("general");
    assert_eq!(follower.again(), []);
    follower.connected(&hello("e", 9));
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
        follower.connected(&hello("e", last));
        arrivals.retain(|seq| *seq <= last);
        let mut seen = Vec::new();
        for seq in arrivals {
            seen.extend(shown(&follower.message(live(seq))));
        }
        // The replay as the server sends it.
        for seq in 6..=last {
            seen.extend(shown(&follower.message(live(seq))));
        }
        seen.extend(shown(&follower.synced(SyncedRoom { seq: last, complete: true })));
        prop_assert_eq!(seen, (6..=last).collect::<Vec<_>>());
    }
}
