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
