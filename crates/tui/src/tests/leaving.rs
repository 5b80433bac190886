//! Leaving a room.

use parlour_client::api::{Answer, Ask};

use super::*;
use crate::protocol::room::{Member, Role, RoomChanged, RoomField, RoomKind};

const GARDEN: &str = "7";

/// Alice in the garden, which is of this kind, with this role.
fn in_garden(kind: RoomKind, role: Role) -> Stage {
    let mut stage = Stage::in_room(1);
    let about = RoomState {
        room: GARDEN.into(),
        name: Some("garden".into()),
        kind,
        role: Some(role),
        ..RoomState::default()
    };
    stage.frame(event::Event::Room(RoomNews::Here(about)));
    stage.write("/join garden");
    stage.asks();
    stage
}

/// Asks to leave where these are in the room; alice is the first.
fn leave(stage: &mut Stage, roles: &[Role]) {
    stage.write("/leave");
    assert_eq!(stage.asks(), [Ask::Members(GARDEN.into())]);
    let members = roles.iter().zip(1..).map(|(&role, user_id)| Member {
        user_id,
        username: format!("user{user_id}"),
        display_name: None,
        role,
        muted_until: None,
        joined_at: at(1),
    });
    let answer = Answer::Members(members.collect(), false);
    stage.answer_ask(Ask::Members(GARDEN.into()), Ok(answer));
}

fn has_left(stage: &mut Stage) -> bool {
    matches!(&stage.asks()[..], [Ask::RemoveMember { room, user }] if room == GARDEN && user == "1")
}

#[test]
fn whoever_leaves_is_told_what_follows_from_it_and_nothing_else() {
    use Role::{Member, Owner};
    use RoomKind::{Private, Public};
    let last = "You are the last one in";
    let back = "only if somebody invites you";
    let owner = "make someone else an owner first";
    let cases: [(_, &[_], _); 6] = [
        (Private, &[Owner], Some(last)),
        (Public, &[Owner], Some(last)),
        (Private, &[Member, Owner], Some(back)),
        (Private, &[Owner, Member], Some(owner)),
        (Public, &[Owner, Member], Some(owner)),
        (Public, &[Owner, Owner], None),
    ];
    for (kind, roles, told) in cases {
        let mut stage = in_garden(kind, roles[0]);
        leave(&mut stage, roles);
        for sentence in [last, back, owner] {
            let is_told = Some(sentence) == told;
            assert_eq!(stage.shows(sentence), is_told, "{}", stage.screen());
        }
        if told.is_some() {
            assert!(!has_left(&mut stage));
            stage.write("/leave");
        }
        assert!(has_left(&mut stage), "{kind:?} {roles:?}");
    }
    let mut stage = in_garden(Public, Member);
    stage.write("/leave");
    assert!(has_left(&mut stage), "one can come back");
}

#[test]
fn a_room_that_was_left_is_named_with_the_mark_of_its_kind() {
    use RoomKind::{Private, Public};
    for (kind, told) in [(Public, "#garden"), (Private, "*garden")] {
        for was in [Public, Private] {
            let mut stage = in_garden(was, Role::Member);
            let changed = RoomChanged {
                room: GARDEN.into(),
                changed: vec![RoomField::Kind],
                kind: Some(kind),
                ..RoomChanged::default()
            };
            stage.frame(event::Event::Room(RoomNews::Changed(changed)));
            stage.frame(event::Event::Room(RoomNews::gone(GARDEN.into())));
            let told = format!("You are not in {told} any more.");
            assert!(stage.shows(&told), "{}", stage.screen());
        }
    }
}

#[test]
fn whoever_does_something_else_meanwhile_is_asked_again_and_does_not_leave_late() {
    for other in ["/topic", "a message"] {
        let mut stage = in_garden(RoomKind::Private, Role::Member);
        leave(&mut stage, &[Role::Member, Role::Owner]);
        stage.write(other);
        stage.ctrl('u');
        leave(&mut stage, &[Role::Member, Role::Owner]);
        assert!(!has_left(&mut stage));
    }
    for line in ["/join general", "a message"] {
        let mut stage = in_garden(RoomKind::Public, Role::Owner);
        stage.write("/leave");
        stage.asks();
        stage.write(line);
        let answer = Answer::Members(Vec::new(), true);
        stage.answer_ask(Ask::Members(GARDEN.into()), Ok(answer));
        let asks = stage.asks();
        let mut leaves = asks.iter();
        let leaves = leaves.any(|ask| matches!(ask, Ask::RemoveMember { .. }));
        assert!(!leaves, "{line}");
    }
    let mut stage = in_garden(RoomKind::Private, Role::Member);
    stage.write("/leave");
    stage.asks();
    let why = "The server cannot be reached.";
    stage.answer_ask(Ask::Members(GARDEN.into()), Err(why.into()));
    assert!(stage.shows(why));
}

#[test]
fn whoever_takes_themselves_out_is_shown_the_word_for_it() {
    let mut stage = in_garden(RoomKind::Private, Role::Owner);
    for line in ["/kick @Alice", "/kick 1"] {
        stage.write(line);
        assert!(stage.shows("write /leave") && stage.shows(line));
        assert_eq!(stage.asks(), []);
        stage.ctrl('u');
    }
}
