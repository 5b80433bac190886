//! Who came into a room by a change that no one has told.

use std::collections::BTreeSet;

use super::*;

#[test]
fn whoever_came_in_without_a_word_is_told_on_all_sockets_and_hears_what_follows() {
    let mut world = World::new();
    let [alice, first, second] = [Inbox::new(9), Inbox::new(9), Inbox::new(9)];
    world.join(1, "alice", &alice);
    for inbox in [&first, &second] {
        let id = world.join(2, "bob", inbox);
        world
            .registry
            .set_rooms(id, BTreeSet::new(), Instant::now());
    }
    world.say(1, 0);
    world.registry.let_in(1, 1, &[2], world.start);
    world.say(2, 0);
    assert_eq!(first.take(), ["reached 1", "2:x"]);
    assert_eq!(second.take(), ["reached 1", "2:x"]);
    assert_eq!(alice.take(), ["1:own", "2:own"]);
}
