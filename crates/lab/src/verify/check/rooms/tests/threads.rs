//! What is counted beside the messages: replies, mentions, and what is unread.

use super::*;
use crate::protocol::{mention::Mention, thread::Replies};

fn person(user_id: User) -> Person {
    let username = String::new();
    Person { user_id, username }
}

/// A reply under 8, the only one of the room's messages that may have a thread.
fn reply(id: u64, user_id: User, content: &str) -> Message {
    Message {
        thread: Some(8),
        ..written(id, id, user_id, content)
    }
}

/// The room, and four replies under 8: 12 by the guest, 13 by the owner, who mentions Ann in it, 14 by Ann, which is deleted by
/// 15, and 16 by the guest, which stands in the room, too.
fn threaded() -> RoomEvidence {
    let mut room = good();
    room.views.clear();
    let [owner, ann, guest] = [OWNER, ANN, GUEST];
    let mut mentioning = reply(13, owner, "thirteen @ann");
    mentioning.mentions = vec![Mention {
        user_id: Some(ann),
        from: 9,
        to: 13,
        ..Mention::default()
    }];
    let mut deleted = tombstone(14, 15, ann);
    deleted.thread = Some(8);
    let in_room = Message {
        also_to_room: true,
        ..reply(16, guest, "sixteen")
    };
    let first = room.history.iter_mut().find(|it| it.id == 8);
    first.expect("is there").replies = Some(Replies {
        count: 3,
        last_id: 16,
        seq: 16,
        users: vec![person(owner), person(guest)],
    });
    let replies = [reply(12, guest, "twelve"), mentioning, deleted, in_room];
    room.history.extend(replies);
    room.changes.clone_from(&room.history);
    room.changes.sort_by_key(|message| message.seq);
    let acts = [
        (guest, "twelve", 12, false),
        (owner, "thirteen @ann", 13, false),
        (ann, "fourteen", 14, false),
        (guest, "sixteen", 16, true),
    ];
    let acts =
        acts.map(|(user, text, id, also)| acked(user, Act::Reply(8, also, text.into()), id, id));
    room.deeds.extend(acts);
    room.deeds.push(acked(ann, Act::Delete(14), 14, 15));
    room.last = 16;
    room.names = vec![("ann".into(), ann)];
    room.under = [
        (12, 1, 12),
        (13, 2, 13),
        (14, 3, 14),
        (15, 2, 13),
        (16, 3, 16),
    ]
    .map(|(seq, count, last_id)| Under {
        thread: 8,
        seq,
        count,
        last_id,
    })
    .into();
    let unread = |thread, read_seq, messages, mentions| Unread {
        user: ann,
        thread,
        read_seq,
        messages,
        mentions,
    };
    room.unread = vec![
        unread(None, 5, 2, 0),
        unread(None, 10, 1, 0),
        unread(Some(8), 0, 3, 1),
        unread(Some(8), 13, 1, 0),
    ];
    room
}

fn found(change: impl FnOnce(&mut RoomEvidence)) -> Counts {
    let mut room = threaded();
    change(&mut room);
    let mut verdict = Verdict::default();
    check(&room, &mut verdict);
    assert_eq!(verdict.counts.is_clean(), verdict.examples.is_empty());
    verdict.counts
}

fn one(change: impl FnOnce(&mut Counts)) -> Counts {
    let mut counts = none();
    change(&mut counts);
    counts
}

#[test]
fn what_is_counted_right_is_found_right() {
    assert_eq!(found(|_| ()), none());
}

#[test]
fn a_summary_that_is_not_what_the_thread_holds_is_seen() {
    let with = |change: fn(&mut Replies)| {
        found(|room| {
            rewrite(room, 8, |message| {
                if let Some(replies) = &mut message.replies {
                    change(replies);
                }
            });
        })
    };
    assert_eq!(
        with(|replies| replies.count = 2),
        one(|counts| counts.lost = 1)
    );
    let phantom = one(|counts| counts.phantom = 1);
    assert_eq!(with(|replies| replies.count = 4), phantom);
    assert_eq!(with(|replies| replies.last_id = 13), phantom);
    assert_eq!(with(|replies| replies.seq = 15), phantom);
    assert_eq!(with(|replies| replies.users.truncate(1)), phantom);
    let gone = found(|room| rewrite(room, 8, |message| message.replies = None));
    assert_eq!(gone, one(|counts| counts.lost = 1));
    let none_there = found(|room| {
        rewrite(room, 10, |message| {
            message.replies = Some(Replies::default());
        });
    });
    assert_eq!(none_there, phantom);
}

#[test]
fn a_summary_that_was_told_meanwhile_must_have_been_so() {
    let told = |seq, count, last_id| {
        found(|room| {
            room.under.push(Under {
                thread: 8,
                seq,
                count,
                last_id,
            });
        })
    };
    let reordered = one(|counts| counts.reordered = 1);
    assert_eq!(told(15, 2, 13), none());
    // As if the deletion had not been counted, or had taken the wrong one.
    assert_eq!(told(15, 3, 14), reordered);
    assert_eq!(told(15, 2, 12), reordered);
    // By a change that is none of the thread's.
    assert_eq!(told(11, 0, 0), reordered);
}

#[test]
fn a_reply_that_stands_elsewhere_is_lost() {
    for change in [
        (|message| message.thread = None) as fn(&mut Message),
        |message| message.also_to_room = false,
    ] {
        let found = found(|room| {
            room.under.clear();
            room.unread.clear();
            rewrite(room, 16, change);
            rewrite(room, 8, |message| message.replies = None);
        });
        assert!(found.lost > 0, "{found:?}");
    }
    let elsewhere = found(|room| rewrite(room, 16, |message| message.also_to_room = false));
    // It is in no page of the room, and one less is unread there.
    assert_eq!(
        elsewhere,
        one(|counts| (counts.lost, counts.phantom) = (1, 2))
    );
}

#[test]
fn a_mention_that_is_not_in_the_text_or_lacks_is_seen() {
    let lacks = found(|room| {
        room.unread.clear();
        rewrite(room, 13, |message| message.mentions.clear());
    });
    assert_eq!(lacks, one(|counts| counts.lost = 1));
    let more = found(|room| {
        let mention = Mention {
            room: true,
            ..Mention::default()
        };
        rewrite(room, 3, |message| message.mentions.push(mention.clone()));
        room.unread.clear();
    });
    assert_eq!(more, one(|counts| counts.phantom = 1));
}

#[test]
fn a_count_of_what_is_unread_that_is_not_the_truth_is_seen() {
    for at in 0..4 {
        let fewer = found(|room| {
            let one = &mut room.unread[at];
            one.messages -= 1;
        });
        assert_eq!(fewer, one(|counts| counts.lost = 1), "{at}");
        let more = found(|room| room.unread[at].messages += 1);
        assert_eq!(more, one(|counts| counts.phantom = 1), "{at}");
    }
    let mentions = found(|room| room.unread[2].mentions = 0);
    assert_eq!(mentions, one(|counts| counts.lost = 1));
}

#[test]
fn what_someone_reads_who_is_certainly_outside_is_a_leak() {
    let with = |page: Vec<Shown>| {
        found(|room| {
            let heard = vec![
                Connected(None),
                Outside("reads in a page of a thread", page),
            ];
            room.views.push(view(GUEST, heard));
        })
    };
    assert_eq!(with(Vec::new()), none());
    // An old message, which the guest has seen while there.
    let seen = with(vec![Shown::of(&log()[&5])]);
    assert_eq!(seen, one(|counts| counts.leaked = 1));
}

#[test]
fn what_a_list_tells_is_a_leak_when_its_reader_never_came_back() {
    let with = |change: fn(&mut RoomEvidence)| {
        let mut room = good();
        let heard = vec![
            Connected(None),
            Part(
                "reads among what was saved",
                50,
                vec![Shown::of(&log()[&8])],
            ),
        ];
        room.views = vec![view(GUEST, heard)];
        change(&mut room);
        let mut verdict = Verdict::default();
        check(&room, &mut verdict);
        verdict.counts.leaked
    };
    // The guest was out when 8 was written, and came back by 9.
    assert_eq!(with(|_| ()), 0);
    let stays_out = with(|room| {
        room.deeds[8] = acked(OWNER, Act::Invite(9), 9, 9);
        for message in room.history.iter_mut().chain(&mut room.changes) {
            if message.id == 9 {
                message.event = Some(RoomEvent::Invited { user_id: 9 });
            }
        }
        room.members = vec![OWNER, ANN, 9];
    });
    assert_eq!(stays_out, 1);
}
