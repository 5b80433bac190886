//! What people are told of each other.

use super::*;
use crate::{
    hub::presence::EVERY,
    protocol::people::{State, Status},
};

impl World {
    fn enter(&mut self, user_id: i64, rooms: &[i64], inbox: &Inbox) -> SocketId {
        let newcomer = NewSocket {
            user_id,
            username: format!("user{user_id}"),
            session_id: user_id * 10,
            rooms: rooms.iter().copied().collect(),
            unopened: BTreeSet::new(),
            gauge: Arc::clone(&inbox.gauge),
        };
        self.registry.connect(newcomer, inbox.clone(), self.start)
    }

    /// Has people told of each other, as often as there is something to tell; and of who came and went.
    fn tell_people(&mut self) {
        self.registry.tell_comings();
        for _ in 0..20 {
            let Some(due) = self.registry.presence_due() else {
                return;
            };
            self.start = due;
            while !self.registry.tell_presence(self.start) {}
        }
        panic!("there is no end of it");
    }

    fn choose(&mut self, user_id: i64, state: State) {
        let status = Some(Status {
            state: Some(state),
            ..Status::default()
        });
        let name = format!("user{user_id}");
        self.registry
            .set_status((user_id, &name), status, BTreeSet::new(), self.start);
    }
}

/// `7 online` for each of the people who are told, behind `all` where all are.
fn told(inbox: &Inbox) -> Vec<String> {
    let frames = inbox.take();
    let frames = frames.iter().filter_map(|text| text.strip_prefix("aside "));
    let words = frames.flat_map(|text| {
        let frame: serde_json::Value = serde_json::from_str(text).expect("JSON");
        let all = (frame["all"] == true).then(|| "all".to_owned());
        let users = frame["users"].as_array().cloned().unwrap_or_default();
        let users = users.into_iter().map(|user| {
            format!(
                "{} {}",
                user["user_id"],
                user["state"].as_str().expect("a state")
            )
        });
        all.into_iter().chain(users).collect::<Vec<_>>()
    });
    words.collect()
}

#[test]
fn people_are_told_of_those_who_share_a_room_and_of_no_one_else() {
    let mut world = World::new();
    let [alice, bob, carol] = [Inbox::new(99), Inbox::new(99), Inbox::new(99)];
    world.enter(1, &[1, 12], &alice);
    world.enter(2, &[1, 12, 13], &bob);
    world.enter(3, &[1, 14], &carol);
    world.tell_people();
    assert_eq!(told(&alice), ["1 online", "2 online"]);
    assert_eq!(told(&carol), ["3 online"]);
    told(&bob);
    world.choose(2, State::Dnd);
    world.tell_people();
    assert_eq!(told(&alice), ["2 dnd"]);
    assert_eq!(told(&bob), ["2 dnd"], "their own devices, too");
    assert!(told(&carol).is_empty());
    // As long as it is small, general counts.
    world.registry.set_general_counts(true, world.start);
    world.choose(2, State::Away);
    world.tell_people();
    assert_eq!(told(&carol), ["2 away"]);
}

#[test]
fn who_is_in_general_alone_where_it_does_not_count_costs_nothing() {
    let mut world = World::new();
    let inbox = Inbox::new(99);
    let ids: Vec<SocketId> = (1..=100)
        .map(|user| world.enter(user, &[1], &inbox))
        .collect();
    for id in ids {
        world.registry.disconnect(id, world.start);
    }
    assert_eq!(world.registry.presence_due(), None);
}

#[test]
fn a_socket_is_told_once_in_a_round_however_much_there_is() {
    let mut world = World::new();
    let alice = Inbox::new(999);
    world.enter(1, &[12, 13], &alice);
    world.tell_people();
    told(&alice);
    let mut last = None;
    for _ in 0..5 {
        for user in 2..50 {
            world.enter(user, &[12, 13], &Inbox::new(99));
            world.choose(user, State::Dnd);
            world.choose(user, State::Away);
        }
        let due = world.registry.presence_due().expect("news");
        assert!(last.is_none_or(|last| due >= last + EVERY));
        world.start = due;
        while !world.registry.tell_presence(world.start) {}
        last = Some(world.start);
        let frames = alice.take();
        assert!(
            frames
                .iter()
                .filter(|text| text.contains("presence"))
                .count()
                <= 1
        );
    }
}

#[test]
fn who_asks_is_told_all_who_are_here_and_what_follows_adds_up() {
    let mut world = World::new();
    let (alice, crowd) = (Inbox::new(99), Inbox::new(9_999));
    for user in 2..=1_201 {
        world.enter(user, &[12], &crowd);
    }
    world.choose(5, State::Invisible);
    world.tell_people();
    world.registry.limits.queue_bytes = 1_000_000;
    let id = world.enter(1, &[12], &alice);
    world.registry.ask_presence(id, world.start);
    let due = world.registry.presence_due().expect("a round");
    world.registry.tell_presence(due);
    let first = told(&alice);
    assert_eq!((first[0].as_str(), first.len()), ("all", 501));
    world.tell_people();
    let rest = told(&alice);
    let all: BTreeSet<String> = first[1..].iter().chain(&rest).cloned().collect();
    assert_eq!(
        all.len(),
        1_200,
        "all but the one who is not seen, and alice"
    );
    assert!(!all.contains("5 online") && !all.contains("5 invisible") && all.contains("1 online"));
}

#[test]
fn who_could_not_be_told_is_told_all_as_soon_as_there_is_room() {
    let mut world = World::new();
    let (alice, bob) = (Inbox::new(99), Inbox::new(99));
    let id = world.enter(1, &[12], &alice);
    world.enter(2, &[12], &bob);
    world.registry.ask_presence(id, world.start);
    world.tell_people();
    told(&alice);
    world.say(1, 0);
    let stopped = Broadcast {
        room_id: 12,
        ..change(1, 600)
    };
    world.registry.publish(&[stopped], world.start);
    world.choose(2, State::Dnd);
    let due = world.registry.presence_due().expect("news");
    world.registry.tell_presence(due);
    assert!(!alice.take().iter().any(|text| text.contains("presence")));
    world.start = due;
    world.tell_people();
    assert_eq!(told(&alice), ["all", "1 online", "2 dnd"]);
}

#[test]
fn who_is_invisible_neither_comes_nor_goes_nor_writes() {
    let mut world = World::new();
    let (alice, bob) = (Inbox::new(99), Inbox::new(99));
    world.enter(1, &[12], &alice);
    world.choose(2, State::Invisible);
    let id = world.enter(2, &[12], &bob);
    let typing = frame::text("{}");
    world.registry.tell_typing(12, 2, &[], &typing);
    world.tell_people();
    assert_eq!(
        alice.take(),
        [
            r#"aside {"type":"presence","users":[{"user_id":1,"username":"user1","state":"online"}]}"#
        ]
    );
    assert_eq!(told(&bob), ["1 online", "2 invisible"]);
    assert_eq!(world.registry.names(1), ["user1"]);
    world
        .registry
        .set_status((2, "user2"), None, BTreeSet::new(), world.start);
    world.tell_people();
    assert_eq!(
        alice.take(),
        [
            "user2 joined the chat",
            r#"aside {"type":"presence","users":[{"user_id":2,"username":"user2","state":"online"}]}"#
        ]
    );
    world.registry.tell_typing(12, 2, &[], &typing);
    assert_eq!(
        (alice.take().len(), told(&bob).len()),
        (1, 1),
        "to others, not to oneself"
    );
    world.choose(2, State::Invisible);
    world.tell_people();
    let left = alice.take();
    assert_eq!(left[0], "user2 left the chat");
    world.registry.disconnect(id, world.start);
    world.tell_people();
    assert!(alice.take().is_empty());
}

#[test]
fn whoever_comes_into_a_room_is_told_there_and_learns_who_is_there() {
    let mut world = World::new();
    let (alice, bob) = (Inbox::new(99), Inbox::new(99));
    world.enter(1, &[12], &alice);
    let id = world.enter(2, &[13], &bob);
    world.registry.ask_presence(id, world.start);
    world.tell_people();
    assert_eq!(
        (told(&alice), told(&bob)),
        (
            vec!["1 online".into()],
            vec!["all".into(), "2 online".into()]
        )
    );
    let joined = Broadcast {
        room_id: 12,
        members: vec![(2, Membership::Joined)],
        ..change(1, 1)
    };
    world.registry.publish(&[joined], world.start);
    world.tell_people();
    assert_eq!(told(&alice), ["2 online"]);
    assert_eq!(told(&bob), ["all", "1 online", "2 online"]);
}

#[test]
fn who_was_written_to_is_not_seen_before_they_have_read_or_written_something() {
    for has_read in [true, false] {
        let mut world = World::new();
        let (alice, bob) = (Inbox::new(99), Inbox::new(99));
        let hers = world.enter(1, &[], &alice);
        let his = world.enter(2, &[], &bob);
        world.registry.ask_presence(hers, world.start);
        world.registry.ask_presence(his, world.start);
        world.tell_people();
        told(&alice);
        told(&bob);
        // Alice begins a direct room with bob.
        let begun = Broadcast {
            room_id: 12,
            members: vec![(1, Membership::Joined), (2, Membership::BroughtIn)],
            ..change(1, 1)
        };
        world.registry.publish(&[begun], world.start);
        let written = Broadcast {
            room_id: 12,
            written_by: Some(1),
            ..change(2, 1)
        };
        world.registry.publish(&[written], world.start);
        world.choose(2, State::Dnd);
        world.tell_people();
        let heard = told(&alice);
        assert!(!heard.iter().any(|one| one.starts_with('2')), "{heard:?}");
        world.registry.ask_presence(hers, world.start);
        world.tell_people();
        assert_eq!(told(&alice), ["all", "1 online"]);
        // He sees her, who has come to him; also on a socket that he opens later, which knows of it from the database.
        assert!(told(&bob).contains(&"1 online".to_owned()));
        if has_read {
            world.registry.open(2, 12, world.start);
        } else {
            let answer = Broadcast {
                room_id: 12,
                written_by: Some(2),
                ..change(3, 1)
            };
            world.registry.publish(&[answer], world.start);
        }
        world.tell_people();
        assert!(told(&alice).contains(&"2 dnd".to_owned()));
        world.choose(2, State::Away);
        world.tell_people();
        assert_eq!(told(&alice), ["2 away"]);
    }
}

#[test]
fn who_comes_later_is_not_seen_for_a_room_that_they_have_not_opened() {
    let mut world = World::new();
    let (alice, bob) = (Inbox::new(99), Inbox::new(99));
    let hers = world.enter(1, &[12], &alice);
    world.registry.ask_presence(hers, world.start);
    world.tell_people();
    told(&alice);
    let newcomer = NewSocket {
        user_id: 2,
        username: "user2".into(),
        session_id: 20,
        rooms: [12].into(),
        unopened: [12].into(),
        gauge: Arc::clone(&bob.gauge),
    };
    let his = world.registry.connect(newcomer, bob.clone(), world.start);
    world.tell_people();
    assert_eq!(told(&alice), Vec::<String>::new());
    world.registry.disconnect(his, world.start);
    world.tell_people();
    assert_eq!(told(&alice), Vec::<String>::new());
}
