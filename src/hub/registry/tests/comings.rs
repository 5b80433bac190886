//! Who has come and who has gone, as all are told it.

use super::*;

#[test]
fn coming_and_going_is_told_once_per_user_and_together_when_many() {
    let mut world = World::new();
    let (alice, bob, second_tab, carol) =
        (Inbox::new(9), Inbox::new(9), Inbox::new(9), Inbox::new(9));
    world.join(1, "alice", &alice);
    world.registry.tell_comings();
    assert!(alice.take().is_empty(), "nobody is told of himself");
    let first = world.join(2, "bob", &bob);
    let second = world.join(2, "bob", &second_tab);
    world.join(3, "carol", &carol);
    world.registry.tell_comings();
    assert_eq!(alice.take(), ["bob and carol joined the chat"]);
    assert_eq!(bob.take(), ["carol joined the chat"]);
    assert_eq!(carol.take(), ["bob joined the chat"]);
    world.registry.disconnect(first, world.start);
    world.registry.tell_comings();
    assert!(alice.take().is_empty(), "bob still has a tab");
    world.registry.disconnect(second, world.start);
    world.registry.tell_comings();
    assert_eq!(alice.take(), ["bob left the chat"]);
}

#[test]
fn a_reload_is_neither_a_leave_nor_a_join() {
    let (mut world, alice, bob) = (World::new(), Inbox::new(9), Inbox::new(9));
    world.join(1, "alice", &alice);
    let before = world.join(2, "bob", &bob);
    world.registry.tell_comings();
    alice.take();
    world.registry.disconnect(before, world.start);
    world.join(2, "bob", &bob);
    world.registry.tell_comings();
    assert!(alice.take().is_empty());
}

#[test]
fn what_a_newcomer_is_told_of_who_is_here_adds_up() {
    let (mut world, bob, carol) = (World::new(), Inbox::new(9), Inbox::new(9));
    let before = world.join(2, "bob", &bob);
    world.registry.tell_comings();
    world.registry.disconnect(before, world.start);
    world.join(3, "carol", &carol);
    assert_eq!(world.registry.names(3), ["bob", "carol"], "told so far");
    world.join(2, "bob", &bob);
    world.registry.tell_comings();
    assert!(carol.take().is_empty(), "he is here, as she was told");
    world.join(4, "dan", &Inbox::new(9));
    assert_eq!(world.registry.names(3), ["bob", "carol"]);
    world.registry.tell_comings();
    assert_eq!(carol.take(), ["dan joined the chat"]);
}

#[test]
fn the_larger_the_crowd_the_less_often_it_is_told_who_comes() {
    let (mut world, mut user) = (World::new(), 10_000);
    for (sockets, longest) in [(2, 30), (20, 50), (1_000, 1_100), (5_000, 2_000)] {
        while world.registry.sockets.len() < sockets - 1 {
            user += 1;
            world.join(user, &format!("user{user}"), &Inbox::new(9));
        }
        world.registry.tell_comings();
        let bob = world.join(2, "bob", &Inbox::new(9));
        let wait = world.registry.tell_at().expect("news") - world.start;
        assert!(
            wait <= Duration::from_millis(longest),
            "{sockets}: {wait:?}"
        );
        // A frame for each: however many there are, they must not cost more a second, as long as none waits too long.
        let a_second = sockets as u128 * 1_000 / wait.as_millis();
        assert!(
            sockets > 2_000 || a_second <= 1_000,
            "{sockets}: {a_second}"
        );
        world.registry.tell_comings();
        world.registry.disconnect(bob, world.start);
    }
}

#[test]
fn whoever_comes_and_goes_crowds_out_no_message() {
    let (mut world, slow) = (World::new(), Inbox::new(256));
    world.join(2, "slow", &slow);
    world.registry.tell_comings();
    for n in 0..300 {
        let guest = world.join(100 + n, &format!("guest{n}"), &Inbox::new(9));
        world.registry.tell_comings();
        world.registry.disconnect(guest, world.start);
        world.registry.tell_comings();
    }
    for seq in 1..=100 {
        world.say(seq, 0);
    }
    let words = slow.take();
    assert_eq!(words[0], "guest0 joined the chat");
    let messages: Vec<_> = words.iter().filter(|word| word.ends_with(":x")).collect();
    assert_eq!(messages.len(), 100, "{words:?}");
}

#[test]
fn a_large_crowd_is_told_in_parts_and_each_of_it_once() {
    let mut world = World::new();
    let crowd: Vec<Inbox> = (0..200).map(|_| Inbox::new(9)).collect();
    for (user, inbox) in (1_000..).zip(&crowd) {
        world.join(user, &format!("user{user}"), inbox);
    }
    world.registry.tell_comings();
    while !world.registry.tell_more_comings() {}
    for inbox in &crowd {
        inbox.take();
    }
    world.join(2, "bob", &Inbox::new(9));
    assert!(!world.registry.tell_comings(), "others have their turn");
    let told = crowd
        .iter()
        .filter(|inbox| !inbox.take().is_empty())
        .count();
    assert!((1..=64).contains(&told), "{told}");
    // Who comes meanwhile knows it from the beginning, and who comes after that is told of in another round.
    let carol = Inbox::new(9);
    world.join(3, "carol", &carol);
    let mut rest = told;
    while !world.registry.tell_more_comings() {}
    for inbox in &crowd {
        let frames = inbox.take();
        assert!(
            frames.is_empty() || frames == ["bob joined the chat"],
            "{frames:?}"
        );
        rest += frames.len();
    }
    assert_eq!(rest, 200);
    assert!(carol.take().is_empty(), "{:?}", carol.take());
    world.registry.tell_comings();
    while !world.registry.tell_more_comings() {}
    let told = crowd
        .iter()
        .filter(|inbox| inbox.take() == ["carol joined the chat"])
        .count();
    assert_eq!(told, 200);
}
