//! Histories of a room that are wrong on purpose: each kind of wrong must be seen, and counted as what it is.

mod rights;
mod told;

use std::collections::BTreeMap;

use super::{Heard::*, *};
use crate::{
    protocol::{
        message::{Pinned, Reaction},
        room::{Person, RoomEvent},
        time::Timestamp,
    },
    verify::check::Counts,
};

const OWNER: User = 1;
const ANN: User = 2;
const GUEST: User = 3;

fn at() -> Timestamp {
    Timestamp::default()
}

fn written(id: u64, seq: u64, user_id: User, content: &str) -> Message {
    Message {
        id,
        seq,
        user_id,
        content: content.into(),
        ..Message::default()
    }
}

fn system(id: u64, user_id: User, event: RoomEvent) -> Message {
    Message {
        event: Some(event),
        ..written(id, id, user_id, "something happened")
    }
}

fn tombstone(id: u64, seq: u64, user_id: User) -> Message {
    Message {
        deleted_at: Some(at()),
        ..written(id, seq, user_id, "")
    }
}

fn thumb(user_id: User) -> Reaction {
    let username = String::new();
    Reaction {
        emoji: "+".into(),
        count: 1,
        users: vec![Person { user_id, username }],
        mine: None,
    }
}

fn acked(user: User, act: Act, id: u64, seq: u64) -> Deed {
    let ack = Answer {
        id,
        seq,
        is_repeat: false,
        at: seq,
    };
    Deed {
        ack: Some(ack),
        ..Deed::new(user, act)
    }
}

/// What was at each number.
fn log() -> BTreeMap<u64, Message> {
    let mut log = BTreeMap::from([
        (1, system(1, OWNER, RoomEvent::Created)),
        (2, written(2, 2, ANN, "one")),
        (3, written(3, 3, GUEST, "two")),
        (4, written(2, 4, ANN, "one, better")),
        (5, written(3, 5, GUEST, "two")),
        (6, tombstone(2, 6, ANN)),
        (7, system(7, OWNER, RoomEvent::Kicked { user_id: GUEST })),
        (8, written(8, 8, ANN, "three")),
        (9, system(9, OWNER, RoomEvent::Invited { user_id: GUEST })),
        (10, written(10, 10, GUEST, "four")),
        (11, written(10, 11, GUEST, "four")),
    ]);
    for (number, message) in &mut log {
        if *number == 5 {
            message.reactions.push(thumb(ANN));
        }
        if *number == 11 {
            let (by, at) = (GUEST, at());
            message.pinned = Some(Pinned { by, at });
        }
    }
    log
}

fn told(seq: u64) -> Heard {
    Told(Shown::of(&log()[&seq]))
}

fn page(asked: Tick, numbers: &[u64]) -> Heard {
    Page(
        asked,
        numbers.iter().map(|seq| Shown::of(&log()[seq])).collect(),
    )
}

fn deeds() -> Vec<Deed> {
    vec![
        acked(ANN, Act::Post("one".into()), 2, 2),
        acked(GUEST, Act::Post("two".into()), 3, 3),
        acked(ANN, Act::Edit(2, "one, better".into()), 2, 4),
        acked(ANN, Act::React(3, "+".into(), true), 3, 5),
        acked(ANN, Act::Delete(2), 2, 6),
        acked(OWNER, Act::Kick(GUEST), 7, 7),
        Deed {
            refusal: Some(Code::RoomNotFound),
            ..Deed::new(GUEST, Act::Post("let me in".into()))
        },
        acked(ANN, Act::Post("three".into()), 8, 8),
        acked(OWNER, Act::Invite(GUEST), 9, 9),
        acked(GUEST, Act::Post("four".into()), 10, 10),
        acked(GUEST, Act::Pin(10, true), 10, 11),
    ]
}

fn view(user: User, heard: Vec<Heard>) -> View {
    View { user, heard }
}

/// A room in which all is as it should be.
fn good() -> RoomEvidence {
    let log = log();
    let history: Vec<Message> = [1, 6, 5, 7, 8, 9, 11].map(|seq| log[&seq].clone()).into();
    let mut changes = history.clone();
    changes.sort_by_key(|message| message.seq);
    let stays = view(ANN, (1..=11).map(told).collect());
    let goes = view(
        GUEST,
        [
            vec![Connected(Some(0)), Asked(0, 1), Synced(0, true)],
            (1..=7).map(told).collect(),
            vec![Gone, Here(8)],
            (9..=10).map(told).collect(),
            vec![Asked(3, 50), told(11)],
            vec![told(5), told(6), told(7), told(8), told(9), told(11)],
            vec![Synced(11, true)],
        ]
        .concat(),
    );
    let mut room = RoomEvidence {
        name: "garden".into(),
        is_public: true,
        owner: Some(OWNER),
        founders: vec![OWNER, ANN, GUEST],
        deeds: deeds(),
        views: vec![stays, goes],
        history,
        changes,
        last: 11,
        members: vec![OWNER, ANN, GUEST],
        let_in: vec![],
    };
    room.views[0].heard.insert(0, Connected(Some(0)));
    room
}

fn counts(change: impl FnOnce(&mut RoomEvidence)) -> Counts {
    let mut room = good();
    change(&mut room);
    let mut verdict = Verdict::default();
    check(&room, &mut verdict);
    assert_eq!(verdict.counts.is_clean(), verdict.examples.is_empty());
    verdict.counts
}

fn none() -> Counts {
    Counts::default()
}

/// Makes a change in history, read either way.
fn rewrite(room: &mut RoomEvidence, id: u64, change: impl Fn(&mut Message)) {
    for message in room.history.iter_mut().chain(&mut room.changes) {
        if message.id == id {
            change(message);
        }
    }
}

fn forget_views(room: &mut RoomEvidence) {
    room.views.clear();
}

#[test]
fn what_is_right_is_found_right() {
    assert_eq!(counts(|_| ()), none());
}

#[test]
fn an_acked_edit_that_is_gone_is_lost() {
    let found = counts(|room| {
        forget_views(room);
        room.deeds
            .push(acked(ANN, Act::Edit(8, "three, better".into()), 8, 12));
        room.last = 12;
    });
    assert_eq!(found.lost, 2, "{found:?}");
    // The number is there, and not the words.
    let found = counts(|room| {
        forget_views(room);
        room.deeds
            .push(acked(ANN, Act::Edit(8, "three, better".into()), 8, 12));
        rewrite(room, 8, |message| message.seq = 12);
        room.changes.sort_by_key(|message| message.seq);
        room.last = 12;
    });
    assert_eq!(found, Counts { lost: 1, ..none() });
}

#[test]
fn an_edit_of_unknown_outcome_may_be_there_or_not() {
    let edit = |content: &str| Deed {
        is_unknown: true,
        ..Deed::new(ANN, Act::Edit(8, content.into()))
    };
    assert_eq!(counts(|room| room.deeds.push(edit("three!"))), none());
    let found = counts(|room| {
        forget_views(room);
        room.deeds.push(edit("three!"));
        rewrite(room, 8, |message| {
            (message.seq, message.content) = (12, "three!".into());
        });
        room.changes.sort_by_key(|message| message.seq);
        room.last = 12;
    });
    assert_eq!(found, none());
}

#[test]
fn a_refused_edit_that_is_there_is_a_phantom() {
    let found = counts(|room| {
        forget_views(room);
        room.deeds.push(Deed {
            refusal: Some(Code::MessageDeleted),
            ..Deed::new(ANN, Act::Edit(8, "three!".into()))
        });
        rewrite(room, 8, |message| {
            (message.seq, message.content) = (12, "three!".into());
        });
        room.changes.sort_by_key(|message| message.seq);
        room.last = 12;
    });
    let expected = Counts {
        phantom: 1,
        lost: 1,
        ..none()
    };
    assert_eq!(found, expected);
}

#[test]
fn a_deletion_that_does_not_last_is_lost() {
    let found = counts(|room| {
        forget_views(room);
        rewrite(room, 2, |message| {
            message.deleted_at = None;
            message.content = "one, better".into();
        });
    });
    // It is there, and it is told after its deletion was acked.
    assert_eq!(found.lost, 1, "{found:?}");
}

#[test]
fn more_than_a_tombstone_is_a_leak() {
    let found = counts(|room| {
        forget_views(room);
        rewrite(room, 2, |message| message.reactions.push(thumb(ANN)));
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
fn the_words_of_a_deleted_message_in_a_later_answer_are_a_leak() {
    // Before the ack came (its moment is 6), and after.
    assert_eq!(
        counts(|room| room.views[0].heard.push(page(5, &[4]))),
        none()
    );
    let found = counts(|room| room.views[0].heard.push(page(7, &[4])));
    assert_eq!(
        found,
        Counts {
            leaked: 1,
            ..none()
        }
    );
    let found = counts(|room| {
        let answer = [Asked(1, 60), told(2), told(4)];
        room.views[0].heard.extend(answer);
    });
    // The first could have been on its way.
    assert!(found.leaked > 0, "{found:?}");
}

#[test]
fn a_reaction_or_a_pin_that_is_gone_is_lost() {
    for id in [3, 10] {
        let found = counts(|room| {
            forget_views(room);
            rewrite(room, id, |message| {
                message.reactions.clear();
                message.pinned = None;
            });
        });
        assert_eq!(found, Counts { lost: 1, ..none() });
    }
}

#[test]
fn a_reaction_that_nobody_gave_is_a_phantom() {
    let found = counts(|room| {
        forget_views(room);
        rewrite(room, 8, |message| message.reactions.push(thumb(OWNER)));
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
fn two_truths_about_one_change_are_reordered() {
    let found = counts(|room| {
        let mut other = Shown::of(&log()[&5]);
        other.state += 1;
        room.views[0].heard.push(Page(1, vec![other]));
    });
    assert_eq!(
        found,
        Counts {
            reordered: 1,
            ..none()
        }
    );
    // Acked as the change of another message.
    let found = counts(|room| room.deeds[3] = acked(ANN, Act::React(3, "+".into(), true), 3, 6));
    assert!(found.reordered > 0, "{found:?}");
}

#[test]
fn a_number_that_nobody_knows_is_a_hole() {
    let found = counts(|room| room.last = 12);
    assert_eq!(found, Counts { holes: 1, ..none() });
    // Perhaps it is the one that was never answered.
    let found = counts(|room| {
        room.last = 12;
        room.deeds[4].is_unknown = true;
    });
    assert_eq!(found, none());
}
