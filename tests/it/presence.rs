//! How people see each other: online, away, not to be disturbed, with a few words; and not at all, where they share no room
//! or do not want to be seen.

use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::support::{Backend, Incoming, Server, Socket, User, eventually};

on_both![
    who_shares_a_room_is_told_what_someone_is_and_no_one_else,
    who_was_written_to_is_not_seen_before_they_have_read_or_answered,
    someone_is_away_when_all_of_their_devices_say_so,
    whoever_is_invisible_leaves_no_trace,
    a_snapshot_and_the_frames_after_it_are_what_is_so,
    people_in_many_rooms_are_told_once_in_two_seconds_and_of_no_strangers,
];

/// The next that is told of this user.
#[track_caller]
fn told_of(socket: &mut Socket, user: &User) -> Value {
    let is_of = |seen: &&Value| seen["user_id"] == user.id;
    let users = |frame: &Value| frame["users"].as_array().cloned().unwrap_or_default();
    let frame = socket.expect(|frame| {
        frame["type"] == "presence" && users(frame).iter().any(|seen| is_of(&seen))
    });
    users(&frame).into_iter().find(|seen| is_of(&seen)).unwrap()
}

#[track_caller]
pub fn expect_state(socket: &mut Socket, user: &User, state: &str) -> Value {
    let end = Instant::now() + Duration::from_secs(30);
    loop {
        let seen = told_of(socket, user);
        if seen["state"] == state {
            return seen;
        }
        assert!(Instant::now() < end, "{seen} and never {state}");
    }
}

/// All that is known of people who are here, by what a socket has asked.
#[track_caller]
pub fn ask(socket: &mut Socket) -> Value {
    socket.send_json(&json!({"type": "presence"}));
    socket.expect(|frame| frame["type"] == "presence" && frame["all"] == true)
}

pub fn set(user: &User, status: Value) -> Value {
    user.ask("PUT", "/api/users/me/status", &[], &status)
        .expect(200)
        .json()
}

pub fn profile(asker: &User, of: &User) -> Value {
    asker
        .http()
        .get(&format!("/api/users/{}", of.name))
        .expect(200)
        .json()
}

/// So many accounts that `general` does not count as a room that people share.
fn crowd(server: &Server) {
    server.database.execute(
        "INSERT INTO users (id, username, username_key, password_hash, created_at) \
         WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 501) \
         SELECT 900000 + i, 'crowd' || i, 'crowd' || i, '', '2026-01-01 00:00:00' FROM n; \
         INSERT INTO memberships (room_id, user_id, created_at) \
         SELECT 1, id, created_at FROM users WHERE id > 900000 AND id <= 900501 AND username LIKE 'crowd%';",
    );
}

fn who_shares_a_room_is_told_what_someone_is_and_no_one_else(backend: Backend) {
    let server = Server::start(backend);
    let [alice, bob, eve] = ["alice", "bob", "eve"].map(|name| User::register(&server, name));
    crowd(&server);
    // The server has noticed that general is too large as soon as someone else registers.
    User::register(&server, "last");
    let room = alice.make_room("garden", "private", &[&bob]);
    let (mut hers, mut his) = (alice.connect(), bob.connect());
    let mut strangers = eve.connect();
    expect_state(&mut hers, &bob, "online");
    let words = json!({"state": "dnd", "text": "at \u{202e}lunch", "emoji": "🍜"});
    assert_eq!(
        set(&bob, words),
        json!({"state": "dnd", "text": "at lunch", "emoji": "🍜"})
    );
    let seen = expect_state(&mut hers, &bob, "dnd");
    assert_eq!(
        (&seen["text"], &seen["emoji"]),
        (&json!("at lunch"), &json!("🍜"))
    );
    assert_eq!(seen["username"], "bob");
    // His other devices are told, too.
    expect_state(&mut his, &bob, "dnd");
    assert_eq!(profile(&alice, &bob)["presence"], "dnd");
    assert_eq!(
        profile(&alice, &bob)["status"],
        json!({"text": "at lunch", "emoji": "🍜"})
    );
    let seen = profile(&eve, &bob);
    assert_eq!(
        (&seen["presence"], &seen["status"]),
        (&Value::Null, &Value::Null)
    );
    assert_eq!(profile(&bob, &eve)["presence"], Value::Null);
    // Whoever comes in learns who is there, and whoever is taken out is told nothing more.
    let all = ask(&mut strangers);
    assert!(!all.to_string().contains("bob"), "{all}");
    alice
        .in_room("PUT", &room, "/members/eve", &Value::Null)
        .expect(200);
    expect_state(&mut strangers, &bob, "dnd");
    alice
        .in_room("DELETE", &room, "/members/eve", &Value::Null)
        .expect(204);
    set(&bob, json!({"state": "away"}));
    expect_state(&mut hers, &bob, "away");
    his.close();
    expect_state(&mut hers, &bob, "offline");
    let heard = strangers.drain_any();
    let of_bob = heard.iter().filter(|frame| {
        let users = frame["users"].as_array().cloned().unwrap_or_default();
        frame["type"] == "presence"
            && users
                .iter()
                .any(|seen| seen["user_id"] == bob.id && seen["state"] != "dnd")
    });
    assert_eq!(of_bob.count(), 0, "{heard:?}");
    // Nor does asking help.
    let all = ask(&mut strangers);
    assert!(!all.to_string().contains("bob"), "{all}");
}

fn who_was_written_to_is_not_seen_before_they_have_read_or_answered(backend: Backend) {
    let mut server = Server::start(backend);
    crowd(&server);
    let names = ["alice", "bob", "carol", "dave"];
    let [alice, bob, carol, dave] = names.map(|name| User::register(&server, name));
    let others = [&bob, &carol, &dave];
    let mut sockets = others.map(User::connect);
    let mut hers = alice.connect();
    let rooms = others.map(|other| {
        let made = alice.ask("POST", "/api/direct", &[], &json!({"users": [other.name]}));
        let room = made.expect(201).json()["room"].clone();
        let room = room.as_str().expect("a key").to_owned();
        alice.post_to(&room, "are you there?").expect(201);
        room
    });
    for (other, socket) in others.iter().zip(&mut sockets) {
        socket.expect_message("are you there?");
        set(other, json!({"state": "dnd", "text": "at lunch"}));
        eventually("whoever writes to someone is seen by them", || {
            ask(socket).to_string().contains("alice").then_some(())
        });
    }
    let seen = |alice: &User| others.map(|other| profile(alice, other).get("presence").cloned());
    let list_seen = |socket: &mut Socket| {
        let all = ask(socket)["users"].clone();
        let users = all.as_array().expect("a list").iter();
        let mut ids: Vec<_> = users.filter_map(|seen| seen["user_id"].as_u64()).collect();
        ids.retain(|id| *id != alice.id);
        ids
    };
    assert_eq!(list_seen(&mut hers), Vec::<u64>::new());
    assert_eq!(seen(&alice), [None, None, None]);
    // One reads it, one answers without having read.
    let read = bob.in_room("PUT", &rooms[0], "/read", &json!({"seq": 2}));
    read.expect(200);
    assert_eq!(expect_state(&mut hers, &bob, "dnd")["text"], "at lunch");
    carol.post_to(&rooms[1], "yes").expect(201);
    expect_state(&mut hers, &carol, "dnd");
    let dnd = || Some(json!("dnd"));
    assert_eq!(seen(&alice), [dnd(), dnd(), None]);
    drop(sockets);
    server.restart();
    let mut hers = alice.connect();
    let _sockets = others.map(User::connect);
    eventually("those are seen who were before", || {
        (list_seen(&mut hers).len() >= 2).then_some(())
    });
    assert_eq!(seen(&alice), [dnd(), dnd(), None]);
    assert_eq!(list_seen(&mut hers), [bob.id, carol.id]);
}

fn someone_is_away_when_all_of_their_devices_say_so(backend: Backend) {
    let server = Server::start(backend);
    let [alice, bob] = ["alice", "bob"].map(|name| User::register(&server, name));
    let mut hers = alice.connect();
    let (mut phone, mut desk) = (bob.connect(), bob.connect());
    expect_state(&mut hers, &bob, "online");
    let say = |socket: &mut Socket, status: Value| {
        let mut frame = status;
        frame["type"] = "status".into();
        assert_eq!(socket.ask(frame)["type"], "ack");
    };
    say(&mut phone, json!({"idle": true}));
    // Told in order: when the second has said so, the first has been taken in.
    say(&mut desk, json!({"state": "away"}));
    assert_eq!(told_of(&mut hers, &bob)["state"], "away");
    say(&mut phone, json!({"idle": false}));
    assert_eq!(told_of(&mut hers, &bob)["state"], "online");
    say(&mut phone, json!({"idle": true}));
    expect_state(&mut hers, &bob, "away");
    // A device that is used again does not end what its user has chosen.
    say(&mut phone, json!({"state": "dnd"}));
    expect_state(&mut hers, &bob, "dnd");
    say(&mut desk, json!({"idle": false}));
    say(&mut phone, json!({"text": "busy"}));
    let seen = told_of(&mut hers, &bob);
    assert_eq!(
        (&seen["state"], &seen["text"]),
        (&json!("dnd"), &json!("busy"))
    );
    // The one that is idle goes; the other one is in use.
    say(&mut desk, json!({"state": "online"}));
    phone.close();
    let seen = expect_state(&mut hers, &bob, "online");
    assert_eq!(seen["text"], "busy");
    let refused = desk.ask(json!({"type": "status", "emoji": "lunch"}));
    assert_eq!(refused["code"], "validation_error");
    // An end that is over ends it all at once.
    say(&mut desk, json!({"until": "2020-01-01T00:00:00+00:00"}));
    assert_eq!(profile(&bob, &bob)["status"], json!({"state": "online"}));
    let refused = desk.ask(json!({"type": "status", "state": "asleep"}));
    assert_eq!(refused["code"], "invalid_frame");
}

fn whoever_is_invisible_leaves_no_trace(backend: Backend) {
    let server = Server::start(backend);
    let [alice, bob] = ["alice", "bob"].map(|name| User::register(&server, name));
    let mut hers = alice.connect();
    set(&bob, json!({"state": "invisible"}));
    let mut his = bob.connect();
    let first = &his.connected;
    assert!(
        first["online"].as_array().unwrap().contains(&json!("bob")),
        "oneself"
    );
    let other = alice.connect();
    assert_eq!(other.connected["online"], json!(["alice"]));
    let typing = json!({"type": "typing", "room": "general"});
    assert_eq!(his.ask(typing)["type"], "ack");
    his.say("still here");
    let heard = hers.expect(|frame| frame["type"] == "typing" || frame["type"] == "message");
    assert_eq!(heard["content"], "still here");
    let all = ask(&mut hers);
    assert!(!all.to_string().contains("bob"), "{all}");
    assert_eq!(profile(&alice, &bob)["presence"], "offline");
    assert_eq!(profile(&bob, &bob)["presence"], "invisible");
    assert_eq!(profile(&bob, &bob)["status"], json!({"state": "invisible"}));
    let own = ask(&mut his);
    let state = |all: &Value| {
        let users = all["users"].as_array().unwrap().clone();
        users
            .into_iter()
            .find(|seen| seen["user_id"] == bob.id)
            .map(|seen| seen["state"].clone())
    };
    assert_eq!(state(&own), Some(json!("invisible")));
    // Showing himself is coming, hiding is going.
    set(&bob, json!({"state": "online"}));
    hers.expect(|frame| frame["event"] == "joined" && frame["usernames"] == json!(["bob"]));
    set(&bob, json!({"state": "invisible"}));
    hers.expect(|frame| frame["event"] == "left" && frame["usernames"] == json!(["bob"]));
    assert!(!ask(&mut hers).to_string().contains("bob"));
    his.close();
    // Whatever came of that would have come before this.
    let carol = User::register(&server, "carol");
    let _here = carol.connect();
    let mut before = Vec::new();
    loop {
        let frame = hers.any_frame();
        if frame["event"] == "joined" {
            break;
        }
        before.push(frame);
    }
    assert!(!json!(before).to_string().contains("bob"), "{before:?}");
}

fn a_snapshot_and_the_frames_after_it_are_what_is_so(backend: Backend) {
    let server = Server::start(backend);
    let alice = User::register(&server, "alice");
    let crowd = User::register_all(&server, "user", 6);
    let mut sockets: Vec<_> = crowd.iter().map(User::connect).collect();
    let mut hers = alice.connect();
    hers.send_json(&json!({"type": "presence"}));
    let mut states = std::collections::BTreeMap::new();
    for round in 0..4_usize {
        for (at, user) in crowd.iter().enumerate() {
            let state = ["dnd", "online", "invisible", "away"][(at + round) % 4];
            set(user, json!({"state": state}));
        }
        sockets.swap_remove(round % sockets.len()).close();
    }
    let truth = |user: &User| {
        let state = profile(&alice, user)["presence"].clone();
        state.as_str().unwrap().to_owned()
    };
    let mut was_asked = false;
    eventually("what alice was told is what is so", || {
        while let Incoming::Frame(frame) = hers.next(Duration::from_millis(200)) {
            if frame["type"] != "presence" {
                continue;
            }
            if frame["all"] == true {
                states.clear();
                was_asked = true;
            }
            for seen in frame["users"].as_array().unwrap() {
                let name = seen["username"].as_str().unwrap().to_owned();
                states.insert(name, seen["state"].as_str().unwrap().to_owned());
            }
        }
        let told = |user: &User| states.get(&user.name).map_or("offline", String::as_str);
        crowd
            .iter()
            .all(|user| told(user) == truth(user))
            .then_some(())
    });
    assert!(was_asked);
}

fn people_in_many_rooms_are_told_once_in_two_seconds_and_of_no_strangers(backend: Backend) {
    let server = Server::start(backend);
    let people = User::register_all(&server, "user", 12);
    crowd(&server);
    User::register(&server, "last");
    // In threes, each three in a room of their own.
    for (at, three) in people.chunks(3).enumerate() {
        three[0].make_room(&format!("room{at}"), "private", &[&three[1], &three[2]]);
    }
    let mut watchers: Vec<Socket> = people.chunks(3).map(|three| three[0].connect()).collect();
    let begun = Instant::now();
    let mut frames = vec![Vec::new(); watchers.len()];
    // The others come, go, and change what they are.
    while begun.elapsed() < Duration::from_secs(9) {
        for three in people.chunks(3) {
            let here = three[1].connect();
            set(
                &three[2],
                json!({"state": "dnd", "text": format!("{:?}", begun.elapsed())}),
            );
            here.close();
        }
        for (watcher, frames) in watchers.iter_mut().zip(&mut frames) {
            frames.extend(
                watcher
                    .drain_any()
                    .into_iter()
                    .filter(|frame| frame["type"] == "presence"),
            );
        }
    }
    let most = begun.elapsed().as_secs() / 2 + 2;
    for (at, frames) in frames.iter().enumerate() {
        assert!(
            (1..=most).contains(&(frames.len() as u64)),
            "{} frames in {:?}",
            frames.len(),
            begun.elapsed()
        );
        let own: Vec<u64> = people[3 * at..3 * at + 3]
            .iter()
            .map(|user| user.id)
            .collect();
        for seen in frames
            .iter()
            .flat_map(|frame| frame["users"].as_array().unwrap())
        {
            assert!(
                own.contains(&seen["user_id"].as_u64().unwrap()),
                "{seen} is a stranger"
            );
        }
    }
}
