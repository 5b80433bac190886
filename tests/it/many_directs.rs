//! Anyone may open a direct room with anyone: however many there are, everyone connects, and finds them all.

use std::{
    collections::BTreeSet,
    hint, thread,
    time::{Duration, Instant},
};

use serde_json::{Value, json};

use crate::{
    send_and_tail::{Tail, client},
    support::{Backend, Server, Socket, User, eventually},
};

on_both![
    however_many_strangers_write_one_connects_and_finds_them_all,
    a_room_that_was_left_out_at_first_is_as_any_other,
    a_room_that_is_asked_for_while_something_happens_in_it_is_there,
    an_old_client_that_learns_to_show_rooms_is_told_of_those_that_changed_meanwhile,
    whoever_follows_hundreds_of_rooms_misses_nothing_and_is_not_refused,
];

/// Direct rooms that the first frame lists.
const FIRST: usize = 200;
/// Numbers of rooms and strangers that the test makes by itself begin here.
const FROM: usize = 1_000;

/// As many direct rooms of this user and a stranger each, in which the stranger has said nothing, later and later.
pub fn open_many(server: &Server, user: &User, count: usize) {
    let numbers = format!(
        "WITH RECURSIVE n(i) AS (SELECT {FROM} UNION ALL SELECT i + 1 FROM n WHERE i < {}) SELECT",
        FROM + count - 1
    );
    let (at, me) = ("'2026-11-22 00:00:00'", user.id);
    server.database.execute(&format!(
        "INSERT INTO users (id, username, username_key, password_hash, created_at, credentials) \
         {numbers} i, 'stranger' || i, 'stranger' || i, '', {at}, 0 FROM n"
    ));
    server.database.execute(&format!(
        "INSERT INTO rooms (id, key, last_seq, created_at, kind, people, last_message_id, created_by, members) \
         {numbers} i, '' || i, 1, {at}, 'direct', 'people ' || i, 1, i, 2 FROM n"
    ));
    for member in ["i", &me.to_string()] {
        server.database.execute(&format!(
            "INSERT INTO memberships (room_id, user_id, created_at) {numbers} i, {member}, {at} FROM n"
        ));
    }
    server.database.execute(&format!(
        "INSERT INTO messages (room_id, id, seq, user_id, content, created_at, kind) \
         {numbers} i, 1, 1, i, '', {at}, 'system' FROM n"
    ));
}

fn key(room: &Value) -> String {
    room["room"].as_str().expect("a key").to_owned()
}

/// All rooms, page by page, and how many pages there were.
fn list(user: &User) -> (Vec<String>, usize) {
    let (mut keys, mut pages) = (Vec::new(), 0);
    let mut path = "/api/rooms".to_owned();
    loop {
        let answer = user.http().get(&path).expect(200);
        let page = answer.json();
        let page = page.as_array().expect("a list");
        assert!(page.len() <= 200, "{}", page.len());
        keys.extend(page.iter().map(key));
        pages += 1;
        let Some(link) = answer.header("link") else {
            return (keys, pages);
        };
        let next = link.strip_prefix('<').and_then(|link| link.split_once('>'));
        next.expect("a link").0.clone_into(&mut path);
    }
}

/// The first frame of a socket: its direct rooms, and how many it leaves out.
fn first(hello: &Value) -> (BTreeSet<String>, u64) {
    let rooms = hello["rooms"].as_array().expect("rooms").iter();
    let direct = rooms.filter(|room| room["kind"] == "direct").map(key);
    (direct.collect(), hello["more_rooms"].as_u64().unwrap_or(0))
}

fn however_many_strangers_write_one_connects_and_finds_them_all(backend: Backend) {
    let server = Server::start(backend);
    let alice = User::register(&server, "alice");
    let bob = User::register(&server, "bob");
    let garden = alice.make_room("garden", "private", &[]);
    let direct = bob.http().post("/api/direct", &json!({"users": ["alice"]}));
    let direct = key(&direct.expect(201).json());
    bob.post_to(&direct, "hello").expect(201);
    let hidden = bob
        .http()
        .post("/api/direct", &json!({"users": ["alice", "bob"]}));
    assert_eq!(key(&hidden.expect(200).json()), direct);
    let (_, more) = first(&alice.connect().connected);
    assert_eq!(more, 0);
    open_many(&server, &alice, 450);
    let mut socket = alice.connect();
    let (told, more) = first(&socket.connected);
    assert_eq!((told.len(), more), (FIRST, 451 - FIRST as u64));
    // What people have said last comes before what strangers have only opened; and rooms with a name are all there.
    assert!(told.contains(&direct));
    assert!(
        socket
            .connected
            .to_string()
            .contains(&format!("\"{garden}\""))
    );
    let (keys, pages) = list(&alice);
    assert_eq!(pages, 3);
    let all: BTreeSet<&String> = keys.iter().collect();
    assert_eq!((all.len(), keys.len()), (453, 453), "each is there once");
    assert!(keys.is_sorted_by_key(|key| key.parse::<u64>().unwrap_or(0)));
    alice
        .http()
        .get("/api/rooms?cursor=x")
        .expect_problem(422, "validation_error");
    // All of them in one frame.
    let cursors: serde_json::Map<_, _> = keys.iter().map(|key| (key.clone(), json!(0))).collect();
    socket.send_json(&json!({"type": "sync", "rooms": cursors}));
    let synced = socket.expect_type("synced");
    assert_eq!(
        synced["rooms"].as_object().map(serde_json::Map::len),
        Some(453)
    );
    assert!(!synced.to_string().contains("gone"), "{synced}");
}

fn a_room_that_was_left_out_at_first_is_as_any_other(backend: Backend) {
    let server = Server::start(backend);
    let home = tempfile::tempdir().expect("a folder");
    let alice = User::register(&server, "alice");
    let people = User::register_all(&server, "friend", 3);
    let directs: Vec<String> = people
        .iter()
        .map(|friend| {
            let asked = friend
                .http()
                .post("/api/direct", &json!({"users": ["alice"]}));
            key(&asked.expect(201).json())
        })
        .collect();
    // Nothing was said in them, so they are hidden, and come last.
    open_many(&server, &alice, 300);
    let mut socket = alice.connect();
    let (told, _) = first(&socket.connected);
    assert!(directs.iter().all(|key| !told.contains(key)), "{told:?}");
    socket.send_json(&json!({"type": "sync", "rooms": {"general": 0}}));
    socket.expect_type("synced");

    // What is said in one brings it in, with all that was in it.
    people[0].post_to(&directs[0], "hello").expect(201);
    let here = socket.expect_type("room");
    assert_eq!(
        (&here["room"], &here["kind"]),
        (&json!(directs[0]), &json!("direct"))
    );
    assert_eq!(here["users"].as_array().map(Vec::len), Some(2), "{here}");
    let message = socket.expect_type("message");
    assert_eq!(
        (&message["content"], &message["room"]),
        (&json!("hello"), &json!(directs[0]))
    );
    assert!(
        message["seq"].as_u64() > here["seq"].as_u64(),
        "{here} {message}"
    );
    people[0].post_to(&directs[0], "again").expect(201);
    assert_eq!(socket.expect_type("message")["content"], "again");

    // Who asks for it is sent it, and all that comes after.
    socket.send_json(&json!({"type": "sync", "rooms": {directs[1].clone(): 0}}));
    let synced = socket.expect_type("synced");
    assert_eq!(synced["rooms"][&directs[1]]["complete"], true, "{synced}");
    people[1].post_to(&directs[1], "hi").expect(201);
    assert_eq!(socket.expect_type("message")["content"], "hi");

    // Who opens it is told of it.
    socket.send_json(&json!({"type": "direct", "users": ["friend2"], "ref": "d"}));
    let here = socket.expect_type("room");
    assert_eq!(here["room"], json!(directs[2]));
    alice.post_to(&directs[2], "you").expect(201);
    assert_eq!(socket.expect_type("message")["content"], "you");

    // Our own clients find it: by its key, and by who is in it.
    // The strangers have spoken meanwhile, so that what friends said lies further back.
    server.database.execute(&format!(
        "UPDATE messages SET created_at = '2099-01-01 00:00:00' WHERE room_id > {} AND room_id < 9000",
        FROM + 10
    ));
    let (told, _) = first(&alice.connect().connected);
    assert!(!told.contains(&directs[1]) && !told.contains(&(FROM + 7).to_string()));
    let quiet = (FROM + 7).to_string();
    let followed = Tail::start(
        &server,
        home.path(),
        &["-n9", "--room", &quiet, "--room", "@friend1"],
    );
    for word in [&quiet, "@friend1"] {
        let text = format!("to {word}");
        let sent = client(&server, home.path(), &["send", "--room", word, &text])
            .output()
            .expect("it ends");
        assert!(sent.status.success(), "{sent:?}");
    }
    let mut lines = String::new();
    while ![&quiet, "@friend1"]
        .iter()
        .all(|word| lines.contains(&format!("to {word}")))
    {
        lines += &followed.line();
    }
    let unknown = client(&server, home.path(), &["send", "--room", "424242", "x"])
        .output()
        .expect("it ends");
    assert_eq!(unknown.status.code(), Some(2), "{unknown:?}");
}

fn whoever_follows_hundreds_of_rooms_misses_nothing_and_is_not_refused(backend: Backend) {
    let mut server = Server::start(backend);
    let home = tempfile::tempdir().expect("a folder");
    let alice = User::register(&server, "alice");
    let bob = User::register(&server, "bob");
    open_many(&server, &alice, 260);
    let shed = bob.make_room("shed", "private", &[&alice]);
    server.set_env("RATE_LIMITS", "on");
    server.restart();
    for (recent, user) in [("-n0", "alice"), ("-n1", "alice")] {
        let before = server.log().matches("GET /ws/chat 101").count();
        let followed = Tail::start(&server, home.path(), &["--all", recent]);
        eventually("the socket is open", || {
            (server.log().matches("GET /ws/chat 101").count() > before).then_some(())
        });
        // The pages of the other rooms are still being asked for.
        let texts: Vec<String> = (0..5).map(|n| format!("{user} {recent} {n}")).collect();
        for text in &texts {
            bob.post_to(&shed, text).expect(201);
        }
        let mut heard = Vec::new();
        while heard.len() < texts.len() {
            let line = followed.line();
            heard.extend(texts.iter().find(|text| line.ends_with(text.as_str())));
        }
        assert!(heard.iter().copied().eq(&texts), "{heard:?}");
    }
}

/// What is known of a room's changes: each once, those of a replay and those that came live.
fn seqs(frames: &[Value], room: &str) -> Vec<u64> {
    let of_room = frames
        .iter()
        .filter(|frame| frame["type"] == "message" && frame["room"] == room);
    of_room
        .map(|frame| frame["seq"].as_u64().expect("a number"))
        .collect()
}

fn a_room_that_is_asked_for_while_something_happens_in_it_is_there(backend: Backend) {
    let server = Server::start(backend);
    let alice = User::register(&server, "alice");
    let bob = User::register(&server, "bob");
    let people = User::register_all(&server, "friend", 40);
    let directs: Vec<String> = people
        .iter()
        .map(|friend| {
            let users = json!({"users": ["alice", friend.name]});
            key(&bob.http().post("/api/direct", &users).expect(201).json())
        })
        .collect();
    open_many(&server, &alice, 300);
    let mut socket = alice.connect();
    let (told, _) = first(&socket.connected);
    for (number, direct) in (0..).zip(&directs) {
        assert!(!told.contains(direct));
        let posted = thread::scope(|scope| {
            let posting = scope.spawn(|| bob.post_to(direct, "hello").expect(201).json());
            let cursors = json!({direct.as_str(): 1});
            // At another moment each time: before it is stored, while it is told, after that.
            let begun = Instant::now();
            while begun.elapsed() < Duration::from_micros(number * 150) {
                hint::spin_loop();
            }
            socket.send_json(&json!({"type": "sync", "rooms": cursors}));
            posting.join().expect("posts")
        });
        let last = posted["seq"].as_u64().expect("a number");
        let (mut frames, mut synced) = (Vec::new(), None);
        while synced.is_none() || seqs(&frames, direct).last() != Some(&last) {
            let frame = socket.next_frame();
            if frame["type"] == "synced" {
                assert!(synced.is_none());
                synced = Some(frame["rooms"][direct].clone());
            }
            frames.push(frame);
        }
        let synced = synced.unwrap_or_default();
        assert_ne!(synced["gone"], true, "{frames:?}");
        // What was told before it was asked for comes again.
        let heard: BTreeSet<u64> = seqs(&frames, direct).into_iter().collect();
        assert!(heard.iter().copied().eq(2..=last), "{frames:?}");
        bob.post_to(direct, "again").expect(201);
        let live = socket.expect_type("message");
        assert_eq!(live["seq"], json!(last + 1));
    }
}

fn an_old_client_that_learns_to_show_rooms_is_told_of_those_that_changed_meanwhile(
    backend: Backend,
) {
    let server = Server::start(backend);
    let alice = User::register(&server, "alice");
    let bob = User::register(&server, "bob");
    let left = bob.make_room("left", "private", &[&alice]);
    let direct = bob.http().post("/api/direct", &json!({"users": ["alice"]}));
    let direct = key(&direct.expect(201).json());
    open_many(&server, &alice, 300);
    let query = format!("?token={}", alice.token);
    let mut socket = Socket::open(server.addr, &query, &[]).expect("opens");
    assert!(!first(&socket.connected).0.contains(&direct));
    let garden = bob.make_room("garden", "private", &[&alice]);
    for room in [&garden, &direct] {
        bob.post_to(room, "one").expect(201);
    }
    bob.in_room("DELETE", &left, "/members/alice", &json!({}))
        .expect(204);
    // It has heard nothing of all that, for it could not show it.
    bob.post_to("general", "hi").expect(201);
    let heard = socket.next_frame();
    assert_eq!(heard["content"], "hi", "{heard}");
    socket.send_json(&json!({"type": "sync", "rooms": {"general": 0}}));
    let mut frames = Vec::new();
    let texts = |frames: &[Value], text: &str| {
        let of_text = frames.iter().filter(|frame| frame["content"] == text);
        of_text.count()
    };
    while texts(&frames, "one") < 2 {
        frames.push(socket.next_frame());
    }
    for room in [&garden, &direct] {
        bob.post_to(room, "two").expect(201);
    }
    while texts(&frames, "two") < 2 {
        frames.push(socket.next_frame());
    }
    let news = |key: &str| {
        let of_room = frames
            .iter()
            .filter(|frame| frame["type"] == "room" && frame["room"] == key);
        of_room.cloned().collect::<Vec<Value>>()
    };
    for room in [&garden, &direct] {
        let here = news(room);
        assert_eq!(here.len(), 1, "{frames:?}");
        let since = here[0]["seq"].as_u64().expect("a number");
        let seqs = seqs(&frames, room);
        let last = seqs.last().copied().unwrap_or_default();
        assert_eq!(seqs, (since + 1..=last).collect::<Vec<u64>>(), "{frames:?}");
        let texts = frames.iter().filter(|frame| frame["room"] == **room);
        let texts: Vec<&Value> = texts.map(|frame| &frame["content"]).collect();
        assert!(texts.contains(&&json!("one")), "{frames:?}");
    }
    assert_eq!(
        news(&left),
        [json!({"type": "room", "room": left, "gone": true})]
    );
}
