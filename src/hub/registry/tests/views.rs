//! What is remembered of rooms, and views that change by nothing that is numbered.

use super::*;

#[test]
fn what_was_announced_is_remembered_only_of_rooms_that_someone_hears() {
    let mut world = World::new();
    for room_id in 2..100 {
        let change = Broadcast {
            room_id,
            ..change(7, 1)
        };
        world.registry.publish(&[change], world.start);
        world.registry.tell_reached(room_id, 8, world.start);
    }
    assert!(world.registry.announced.is_empty());
    let (alice, bob) = (Inbox::new(9), Inbox::new(9));
    let first = world.join(1, "alice", &alice);
    let second = world.join(2, "bob", &bob);
    world.say(1, 0);
    world.registry.disconnect(first, world.start);
    assert_eq!(world.registry.announced, HashMap::from([(1, 1)]));
    world.move_member(2, 2, Membership::Left);
    assert!(world.registry.announced.is_empty());
    world.registry.disconnect(second, world.start);
    // Whoever hears it again misses nothing: it is told to look.
    world.join(1, "alice", &alice);
    alice.take();
    world.say(4, 0);
    assert_eq!(alice.take(), ["reached 3", "4:own"]);
}

#[test]
fn a_view_that_did_not_fit_is_told_when_there_is_room_and_as_it_was_last() {
    let mut world = World::new();
    let (full, stranger) = (Inbox::new(1), Inbox::new(9));
    world.join(1, "alice", &full);
    world.join(2, "bob", &stranger);
    world.say(1, 0);
    for view in ["hidden", "shown"] {
        let frame = frame::text(view);
        world.registry.tell_view(1, 1, &frame, world.start);
    }
    assert_eq!(full.take(), ["1:own"]);
    world.registry.tick(world.start);
    assert_eq!(full.take(), ["view shown"]);
    let frame = frame::text("of another room");
    world.registry.tell_view(1, 2, &frame, world.start);
    assert!(full.take().is_empty());
    assert_eq!(stranger.take(), ["1:x"]);
}

/// Nothing else would tell of it.
#[test]
fn what_a_user_has_set_on_another_device_is_told_when_there_is_room_and_behind_what_was_missed() {
    let mut world = World::new();
    let full = Inbox::new(1);
    world.join(1, "alice", &full);
    world.say(1, 0);
    world.say(2, 0);
    let own = |text| Aside {
        room_id: 1,
        to: vec![1],
        frame: frame::text(text),
        reader: None,
        opened_by: None,
    };
    let asides = ["read up to 1", "read up to 2"].map(own).into();
    world.registry.tell_aside(asides, world.start);
    let settings = frame::text("settings");
    world.registry.tell_user(1, &settings, world.start);
    let mut told = Vec::new();
    for _ in 0..5 {
        told.extend(full.take());
        world.registry.tick(world.start);
    }
    let all = [
        "1:own",
        "missed 2",
        "aside read up to 1",
        "aside read up to 2",
        "aside settings",
    ];
    assert_eq!(told, all);
}

#[test]
fn nothing_that_was_set_in_a_room_is_told_behind_its_end() {
    let mut world = World::new();
    let full = Inbox::new(1);
    world.join(1, "alice", &full);
    world.say(1, 0);
    let own = Aside {
        room_id: 1,
        to: vec![1],
        frame: frame::text("read"),
        reader: None,
        opened_by: None,
    };
    world.registry.tell_aside(vec![own], world.start);
    let settings = frame::text("settings");
    world.registry.tell_user(1, &settings, world.start);
    world.move_member(2, 1, Membership::Left);
    let mut told = Vec::new();
    for _ in 0..4 {
        told.extend(full.take());
        world.registry.tick(world.start);
    }
    assert_eq!(told, ["1:own", "left 2", "aside settings"]);
}

#[test]
fn who_cannot_be_told_of_all_that_was_set_on_another_device_has_to_begin_anew() {
    let mut world = World::new();
    let full = Inbox::new(1);
    world.join(1, "alice", &full);
    world.say(1, 0);
    let settings = frame::text("settings");
    for _ in 0..64 {
        world.registry.tell_user(1, &settings, world.start);
    }
    world.registry.tick(world.start);
    assert_eq!(world.registry.count(), 1, "they are kept");
    world.registry.tell_user(1, &settings, world.start);
    world.registry.tick(world.start);
    assert_eq!(world.registry.count(), 0);
}
