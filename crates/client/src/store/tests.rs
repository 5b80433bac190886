//! Two rooms on one socket, and what a face is told of them.

mod courses;
mod hidden;
mod listing;
mod own;
mod server;
mod tape;
mod vectors;

use super::*;
use crate::{
    api::{Page, Query},
    effect::Fetch,
    protocol::{
        code::Code,
        command::{Command, Request, Sync},
        event::{RoomNews, RoomState, SyncedRoom},
        message::Kind,
        room::{RoomEvent, RoomKind},
        time,
    },
};

fn these(words: &[&str]) -> Rooms {
    Rooms::These(words.iter().map(|word| (*word).to_owned()).collect())
}

fn store() -> Store {
    Store::new("alice", Past::Pages, these(&["general", "garden"]))
}

fn say(outcome: &Outcome) -> Vec<&Sync> {
    let sync = |effect: &'_ Effect| matches!(effect, Effect::Say(_));
    let said = outcome.effects.iter().filter(|effect| sync(effect));
    said.filter_map(|effect| match effect {
        Effect::Say(Request {
            command: Command::Sync(sync),
            ..
        }) => Some(sync),
        _ => None,
    })
    .collect()
}

fn fetches(outcome: &Outcome) -> Vec<Fetch> {
    let fetches = outcome.effects.iter().filter_map(|effect| match effect {
        Effect::Fetch(fetch) => Some(fetch.clone()),
        _ => None,
    });
    fetches.collect()
}

fn shown(outcome: &Outcome) -> Vec<(String, u64)> {
    let mut seqs = Vec::new();
    for news in &outcome.news {
        if let News::Shown { messages, .. } = news {
            seqs.extend(messages.iter().map(|m| (m.room.clone(), m.seq)));
        }
    }
    seqs
}

fn page(room: &str, seqs: impl IntoIterator<Item = u64>) -> Page {
    let messages = seqs.into_iter().map(|seq| server::message(room, seq));
    Page {
        messages: messages.collect(),
        more: false,
    }
}

/// A store that has seen everything up to these numbers.
fn reader(general: u64, garden: u64) -> Store {
    let mut store = store();
    let outcome = store.frame(
        0,
        server::hello("e", &[("general", general), ("garden", garden)]),
    );
    for fetch in fetches(&outcome) {
        let last = if fetch.room == "general" {
            general
        } else {
            garden
        };
        store.page(0, &fetch, Ok(page(&fetch.room, 1..=last)));
    }
    store
}

fn refusal(reference: Option<&str>, code: Code) -> event::Event {
    event::Event::Error(ErrorFrame {
        reference: reference.map(str::to_owned),
        code,
        detail: "Some sentence.".into(),
        retry_after_ms: None,
        room: None,
        kind: None,
    })
}

fn synced(rooms: &[(&str, u64)]) -> event::Event {
    let room = |(key, seq): &(&str, u64)| {
        let synced = SyncedRoom::upto(*seq, true);
        ((*key).to_owned(), synced)
    };
    event::Event::Synced {
        reference: Some(SYNC.into()),
        rooms: rooms.iter().map(room).collect(),
    }
}

#[test]
fn all_rooms_are_caught_up_with_by_one_sync() {
    let mut store = reader(2, 7);
    store.closed(None);
    let outcome = store.frame(0, server::hello("e", &[("general", 5), ("garden", 7)]));
    let asked = say(&outcome);
    assert_eq!(asked.len(), 1);
    let cursors = BTreeMap::from([("general".into(), 2), ("garden".into(), 7)]);
    assert_eq!(asked[0].rooms, cursors);
    assert_eq!(asked[0].epoch.as_deref(), Some("e"));
    assert!(fetches(&outcome).is_empty());
}

#[test]
fn a_second_sync_waits_for_the_answer_to_the_first() {
    let mut store = reader(2, 2);
    let live = |room, seq| event::Event::Message(server::message(room, seq));
    let outcome = store.frame(0, live("general", 4));
    assert_eq!(
        say(&outcome)[0].rooms,
        BTreeMap::from([("general".into(), 2)])
    );
    let lag = event::Event::Lag {
        room: "garden".into(),
        seq: 6,
    };
    let outcome = store.frame(0, lag);
    assert!(say(&outcome).is_empty(), "the server would refuse it");
    store.frame(0, live("general", 3));
    let outcome = store.frame(0, synced(&[("general", 4)]));
    assert_eq!(
        say(&outcome)[0].rooms,
        BTreeMap::from([("garden".into(), 2)])
    );
}

#[test]
fn what_the_server_says_of_other_rooms_changes_nothing() {
    let mut store = reader(2, 2);
    let elsewhere = event::Event::Lag {
        room: "elsewhere".into(),
        seq: 9,
    };
    assert!(store.frame(0, elsewhere).effects.is_empty());
    let elsewhere = event::Event::Message(server::message("elsewhere", 3));
    assert!(store.frame(0, elsewhere).news.is_empty());
    assert!(
        store
            .frame(0, synced(&[("elsewhere", 9)]))
            .effects
            .is_empty()
    );
}

#[test]
fn a_refused_sync_is_asked_again_after_a_while_for_all_its_rooms() {
    let mut store = reader(2, 2);
    store.frame(0, server::hello("e", &[("general", 5), ("garden", 5)]));
    let outcome = store.frame(0, refusal(Some(SYNC), Code::StoreUnavailable));
    assert!(outcome.effects.is_empty() && outcome.news.is_empty());
    assert!(store.tick(1_999).effects.is_empty());
    assert_eq!(say(&store.tick(2_000))[0].rooms.len(), 2);
    let outcome = store.frame(0, refusal(Some("m1"), Code::RateLimited));
    assert!(matches!(outcome.news[..], [News::Refused(_)]));
}

#[test]
fn a_restored_history_is_forgotten_in_every_room() {
    let mut store = reader(5, 5);
    let outcome = store.frame(0, server::hello("other", &[("general", 9), ("garden", 9)]));
    let forgotten = outcome.news.iter();
    let forgotten = forgotten.filter(|news| matches!(news, News::Forgotten { .. }));
    assert_eq!(forgotten.count(), 2);
    assert_eq!(fetches(&outcome).len(), 2);
    for key in ["general", "garden"] {
        let timeline = store.room(key).expect("a room").timeline();
        assert!(timeline.items().is_empty());
        assert_eq!(timeline.older(), Older::Unknown);
    }
}

#[test]
fn a_room_that_is_not_the_users_is_reported_and_holds_up_no_other() {
    let mut store = reader(2, 2);
    let outcome = store.frame(0, server::hello("e", &[("general", 5)]));
    let garden = News::Gone {
        room: "garden".into(),
    };
    assert!(outcome.news.contains(&garden));
    assert_eq!(
        say(&outcome)[0].rooms,
        BTreeMap::from([("general".into(), 2)])
    );
    let mut store = Store::new("alice", Past::Latest(3), these(&["general", "shed"]));
    let outcome = store.frame(0, server::hello("e", &[("general", 5)]));
    let shed = News::NotMember {
        room: "shed".into(),
    };
    assert!(outcome.news.contains(&shed));
    assert_eq!(fetches(&outcome).len(), 1);
}

#[test]
fn a_room_is_found_by_its_key_and_by_its_name() {
    let mut store = Store::new("alice", Past::Pages, Rooms::All);
    let room = |key: &str, name: &str, kind| RoomState {
        room: key.into(),
        name: Some(name.into()),
        kind,
        ..RoomState::default()
    };
    for state in [
        room("3", "garden", RoomKind::Private),
        room("4", "garden", RoomKind::Public),
        room("5", "3", RoomKind::Private),
        room("6", "shed", RoomKind::Private),
    ] {
        store.frame(0, event::Event::Room(RoomNews::Here(state)));
    }
    for (word, key) in [
        ("3", Some("3")),
        ("Garden", None),
        ("shed", Some("6")),
        ("general", Some("general")),
        ("cellar", None),
    ] {
        assert_eq!(store.resolve(word), key, "{word}: not one of several");
    }
    store.frame(0, event::Event::Room(RoomNews::gone("4".into())));
    assert_eq!(store.resolve("garden"), Some("3"), "the only one by now");
}

#[test]
fn a_room_that_is_not_looked_at_counts_what_is_new_and_is_read_when_it_is_seen() {
    let mut store = Store::new("alice", Past::Pages, Rooms::All);
    let outcome = store.frame(0, server::hello("e", &[("garden", 5), ("general", 0)]));
    assert_eq!(fetches(&outcome).len(), 1, "only general is looked at");
    let unread = |store: &Store| store.room("garden").expect("a room").unread().messages;
    let read_up_to = |store: &mut Store, id| store.saw("garden", None, id);
    read_up_to(&mut store, 5);
    for seq in [6, 7] {
        store.frame(0, event::Event::Message(server::message("garden", seq)));
    }
    assert_eq!(unread(&store), 2);
    let deleted = Message {
        seq: 8,
        deleted_at: Some(time::now()),
        ..server::message("garden", 6)
    };
    let changed = MessageChanged {
        message: deleted,
        by: None,
        change: None,
    };
    store.frame(0, event::Event::MessageChanged(changed));
    let event = RoomEvent::Topic { topic: "x".into() };
    let system = Message {
        kind: Kind::System,
        event: Some(event),
        ..server::message("garden", 9)
    };
    store.frame(0, event::Event::Message(system));
    let own = Message {
        user_id: 1,
        ..server::message("garden", 10)
    };
    store.frame(0, event::Event::Message(own));
    assert_eq!(unread(&store), 1);
    let Some(Effect::Fetch(fetch)) = store.look_at("garden") else {
        panic!("no fetch");
    };
    assert_eq!(unread(&store), 1, "it is not seen yet");
    read_up_to(&mut store, 10);
    assert_eq!(unread(&store), 0);
    assert_eq!(fetch.query, Query::Before(6));
    store.page(0, &fetch, Ok(page("garden", 1..=5)));
    let timeline = store.room("garden").expect("a room").timeline();
    assert_eq!(timeline.items().len(), 9, "8 changed another one");
    assert_eq!(timeline.older(), Older::AllRead);
}

#[test]
fn a_room_of_which_one_is_removed_keeps_what_was_held_and_takes_nothing_more() {
    let mut store = Store::new("alice", Past::Pages, Rooms::All);
    store.frame(0, server::hello("e", &[("garden", 0), ("general", 0)]));
    store.frame(0, event::Event::Message(server::message("garden", 1)));
    store
        .post("garden", outbox::WRITE, "a".into(), "unsent")
        .expect("fits");
    let outcome = store.frame(0, event::Event::Room(RoomNews::gone("garden".into())));
    let gone = News::Gone {
        room: "garden".into(),
    };
    assert_eq!(outcome.news, [gone]);
    store.frame(0, event::Event::Message(server::message("garden", 2)));
    let room = store.room("garden").expect("it is still shown");
    assert!(room.is_gone());
    assert_eq!(room.timeline().last(), Some((1, 0)));
    assert!(store.fetch_older("garden", None).is_none());
    assert!(store.next_messages(0).is_empty());
    assert!(
        store
            .post("garden", outbox::WRITE, "b".into(), "hello")
            .is_err()
    );
    let refused = store
        .take_refused("garden", None)
        .expect("what was not sent");
    assert_eq!(refused.content, "unsent");
    // Invited again: what was missed is asked for.
    let here = RoomState {
        room: "garden".into(),
        seq: 4,
        ..RoomState::default()
    };
    let outcome = store.frame(0, event::Event::Room(RoomNews::Here(here)));
    let rooms = BTreeMap::from([("garden".into(), 1)]);
    assert_eq!(say(&outcome)[0].rooms, rooms);
}

#[test]
fn a_page_for_an_earlier_socket_is_not_used() {
    let mut store = store();
    let hello = || server::hello("e", &[("general", 2), ("garden", 0)]);
    let first = fetches(&store.frame(0, hello()));
    store.closed(None);
    let late = store.page(0, &first[1], Ok(page("general", 1..=3)));
    assert!(
        late.news.is_empty(),
        "it may end after the next socket begins"
    );
    let second = fetches(&store.frame(0, hello()));
    let late = store.page(0, &first[1], Ok(page("general", 1..=1)));
    assert!(late.news.is_empty(), "it may end before this one begins");
    let outcome = store.page(0, &second[1], Ok(page("general", 1..=2)));
    assert_eq!(shown(&outcome).len(), 2);
}

#[test]
fn a_message_goes_to_its_room_and_its_refusal_stays_with_it() {
    let mut store = reader(1, 1);
    for (room, id) in [("general", "a"), ("garden", "b")] {
        store
            .post(room, outbox::WRITE, id.into(), "hello")
            .expect("fits");
    }
    assert_eq!(
        store.next_messages(0).len(),
        2,
        "rooms do not wait for each other"
    );
    let outcome = store.frame(0, refusal(Some("b"), Code::ValidationError));
    assert!(outcome.news.is_empty());
    assert_eq!(store.unsent(), 1);
    assert!(store.take_refused("general", None).is_none());
    assert!(store.take_refused("garden", None).is_some());
    assert!(
        store
            .post("elsewhere", outbox::WRITE, "c".into(), "hello")
            .is_err()
    );
    let limits = *store.limits();
    let long = "x".repeat(limits.content_bytes + 3);
    let why = store
        .post("general", outbox::WRITE, "d".into(), &long)
        .expect_err("too long");
    assert!(why.contains("3 bytes too long"), "{why}");
    let why = store.post(
        "general",
        outbox::WRITE,
        "e".into(),
        &"\u{1}".repeat(limits.content_bytes),
    );
    assert!(
        why.is_err(),
        "it is short enough as a text, and not as JSON"
    );
}

#[test]
fn who_is_online_follows_the_notices() {
    let mut store = reader(1, 1);
    let notice = |notice| {
        event::Event::System(System {
            message: "Someone came or went.".into(),
            notice,
        })
    };
    let usernames = vec!["Bob".to_owned()];
    store.frame(
        0,
        notice(Notice::Joined {
            usernames: usernames.clone(),
        }),
    );
    store.frame(
        0,
        notice(Notice::Joined {
            usernames: vec!["carol".into()],
        }),
    );
    assert_eq!(
        store.online().collect::<Vec<_>>(),
        ["alice", "Bob", "carol"]
    );
    store.frame(0, notice(Notice::Left { usernames }));
    assert_eq!(store.online().collect::<Vec<_>>(), ["alice", "carol"]);
}

#[test]
fn what_is_too_much_to_keep_is_dropped_from_the_start_and_can_be_read_again() {
    let mut store = reader(5_001, 1);
    store.trim("general");
    let timeline = store.room("general").expect("a room").timeline();
    assert_eq!(
        (timeline.items().len(), timeline.first()),
        (4_001, Some((1_001, 0)))
    );
    assert_eq!(timeline.older(), Older::More);
    let Some(Effect::Fetch(fetch)) = store.fetch_older("general", None) else {
        panic!("no fetch");
    };
    assert_eq!(fetch.query, Query::Before(1_001));
    assert!(
        store.fetch_older("general", None).is_none(),
        "it is on its way"
    );
    assert!(
        store.fetch_older("garden", None).is_none(),
        "all is read there"
    );
}
