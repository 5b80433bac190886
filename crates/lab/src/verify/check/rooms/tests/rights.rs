//! Who did what, and who is in the room.

use super::*;

#[test]
fn what_is_done_without_a_right_is_a_trespass() {
    // A kicked member writes (8 is by Ann in truth).
    let found = counts(|room| {
        room.deeds[7].user = GUEST;
        forget_views(room);
        rewrite(room, 8, |message| message.user_id = GUEST);
    });
    assert_eq!(found.trespassed, 2, "{found:?}");
    // A member edits, deletes and kicks what is not hers.
    for act in [Act::Edit(10, "mine".into()), Act::Delete(10)] {
        let found = counts(|room| {
            forget_views(room);
            room.deeds.push(acked(ANN, act, 10, 12));
            rewrite(room, 10, |message| message.seq = 12);
            room.last = 12;
        });
        assert_eq!(found.trespassed, 1, "{found:?}");
    }
    let found = counts(|room| room.deeds[5].user = ANN);
    assert_eq!(found.trespassed, 1, "{found:?}");
}

#[test]
fn one_who_was_kicked_comes_back_only_when_invited() {
    let found = counts(|room| {
        forget_views(room);
        room.deeds[8] = acked(GUEST, Act::Join, 9, 9);
        rewrite(room, 9, |message| {
            message.user_id = GUEST;
            message.event = Some(RoomEvent::Joined { user_id: GUEST });
        });
    });
    let expected = Counts {
        trespassed: 1,
        ..none()
    };
    assert_eq!(found, expected);
}

#[test]
fn members_are_who_came_in_and_did_not_go() {
    let found = counts(|room| room.members.retain(|user| *user != GUEST));
    assert_eq!(found, Counts { lost: 1, ..none() });
    let found = counts(|room| room.members.push(9));
    assert_eq!(
        found,
        Counts {
            phantom: 1,
            ..none()
        }
    );
}

#[test]
fn a_message_that_is_there_twice_is_doubled_also_when_one_was_edited() {
    let found = counts(|room| {
        forget_views(room);
        let twice = written(12, 12, ANN, "one");
        room.history.push(twice.clone());
        room.changes.push(twice);
        room.last = 12;
    });
    assert_eq!(
        found,
        Counts {
            doubled: 1,
            ..none()
        }
    );
}

#[test]
fn a_second_copy_of_what_was_sent_again_is_doubled_also_when_it_says_something_else_by_now() {
    let found = counts(|room| {
        forget_views(room);
        for deed in &mut room.deeds {
            deed.is_unknown |= deed.user == ANN && matches!(deed.act, Act::Post(_));
        }
        room.deeds.push(acked(
            ANN,
            Act::Edit(12, "one, as it is now".into()),
            12,
            13,
        ));
        let edited = Message {
            edited_at: Some(at()),
            ..written(12, 13, ANN, "one, as it is now")
        };
        room.changes.push(edited.clone());
        room.history.push(edited);
        room.last = 13;
    });
    assert_eq!(
        found,
        Counts {
            doubled: 1,
            ..none()
        }
    );
}

#[test]
fn who_is_always_in_the_room_may_always_write() {
    let found = counts(|room| {
        room.deeds.push(Deed {
            refusal: Some(Code::Forbidden),
            ..Deed::new(ANN, Act::Post("five".into()))
        });
    });
    assert_eq!(
        found,
        Counts {
            denied: 1,
            ..none()
        }
    );
}
