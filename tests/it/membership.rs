//! Who is in a room: the server remembers who may write in it, and never for longer than it is true; coming and going act at
//! exactly their number.

use std::{
    cell::Cell,
    sync::atomic::{AtomicBool, Ordering},
    thread,
};

use serde_json::{Value, json};

use crate::{
    support::{Backend, Server, Socket, User},
    users::{done, users},
};

on_both![
    whoever_was_taken_out_of_a_room_is_refused_at_once,
    whoever_comes_back_to_general_hears_it_on_open_sockets,
    people_come_and_go_as_their_rights_have_it,
    a_room_always_has_an_owner,
    whoever_is_alone_in_a_room_can_leave_it_and_its_name_is_free,
    whoever_joins_hears_everything_from_that_number_on,
    an_old_client_stays_in_general_all_the_while,
    a_user_in_three_hundred_rooms_comes_back_in_one_round,
];

fn whoever_was_taken_out_of_a_room_is_refused_at_once(backend: Backend) {
    let server = Server::start(backend);
    let (alice, bob) = (
        User::register(&server, "alice"),
        User::register(&server, "bob"),
    );
    let mut socket = alice.connect();
    socket.say("she is known now");
    bob.post("so is he", None).expect(201);
    // As whatever takes a member out does it: both in one transaction.
    server.database.execute(&format!(
        "BEGIN; DELETE FROM memberships WHERE user_id = {}; UPDATE rooms SET members_version = members_version + 1 WHERE id = 1; COMMIT",
        alice.id
    ));
    socket.send_json(&json!({"type": "message", "content": "still here?", "ref": "r"}));
    let error = socket.expect_type("error");
    assert_eq!(
        (&error["code"], &error["ref"]),
        (&"room_not_found".into(), &"r".into())
    );
    alice
        .post("by the other door", None)
        .expect_problem(404, "room_not_found");
    // What was refused leaves no hole in the numbers.
    let posted = bob.post("he stays", None).expect(201).json();
    assert_eq!(posted["id"], 3);

    server.database.execute(&format!(
        "INSERT INTO memberships (room_id, user_id, created_at) VALUES (1, {}, '2026-11-22 00:00:00')",
        alice.id
    ));
    alice.post("back again", None).expect(201);
}

/// Coming into `general` takes no number, so no change of its log tells of it.
fn whoever_comes_back_to_general_hears_it_on_open_sockets(backend: Backend) {
    let server = Server::start(backend);
    let [alice, bob, carol] = ["alice", "bob", "carol"].map(|name| User::register(&server, name));
    alice.post("before", None).expect(201);
    let mut his_old = bob.connect();
    server.database.execute(&format!(
        "BEGIN; DELETE FROM memberships WHERE user_id IN ({}, {}); UPDATE rooms SET members_version = members_version + 1 WHERE id = 1; COMMIT",
        bob.id, carol.id
    ));
    // The older socket finds it out, the newer one was never in it.
    his_old.send_json(&json!({"type": "sync", "rooms": {"general": 0}, "ref": "s"}));
    his_old.expect(|frame| frame["type"] == "room" && frame["gone"] == true);
    let (mut his_new, mut hers) = (bob.connect(), carol.connect());

    let path = |user: &User| format!("/members/{}", user.name);
    let come = |by: &User, whom: &User| {
        let answer = by.in_room("PUT", "general", &path(whom), &json!({}));
        assert_eq!(answer.status / 100, 2, "{answer:?}");
    };
    come(&bob, &bob);
    come(&alice, &carol);
    for socket in [&mut his_old, &mut his_new, &mut hers] {
        let room = socket.expect(|frame| frame["type"] == "room");
        assert_eq!(
            (&room["room"], &room["seq"]),
            (&json!("general"), &json!(1))
        );
        assert!(room["gone"].is_null(), "{room}");
    }
    alice.post("after", None).expect(201);
    for socket in [&mut his_old, &mut his_new, &mut hers] {
        let message = socket.expect(|frame| frame["type"] == "message");
        assert_eq!(message["content"], "after");
        socket.send_json(&json!({"type": "sync", "rooms": {"general": 0}, "ref": "t"}));
        let synced = socket.expect(|frame| frame["type"] == "synced" && frame["ref"] == "t");
        assert_eq!(synced["rooms"]["general"]["complete"], true, "{synced}");
    }
}

fn members(user: &User, room: &str) -> Vec<(String, String)> {
    let list = user
        .in_room("GET", room, "/members", &Value::Null)
        .expect(200)
        .json();
    let list = list.as_array().expect("members").iter();
    let text = |member: &Value, field: &str| member[field].as_str().expect("text").to_owned();
    list.map(|member| (text(member, "username"), text(member, "role")))
        .collect()
}

fn people_come_and_go_as_their_rights_have_it(backend: Backend) {
    let server = Server::start(backend);
    let [alice, bob, carol, dave, erin] =
        ["alice", "bob", "carol", "dave", "erin"].map(|name| User::register(&server, name));
    let room = alice.make_room("garden", "public", &[&bob]);
    let put = |user: &User, whom: &User, body: Value| {
        user.in_room("PUT", &room, &format!("/members/{}", whom.name), &body)
    };
    let delete = |user: &User, whom: &User| {
        user.in_room(
            "DELETE",
            &room,
            &format!("/members/{}", whom.id),
            &Value::Null,
        )
    };
    // By oneself.
    let joined = put(&carol, &carol, Value::Null).expect(200).json();
    assert_eq!(
        (&joined["user_id"], &joined["role"]),
        (&json!(carol.id), &json!("member"))
    );
    put(&carol, &carol, json!({})).expect(200);
    // A stranger brings no one in, and no one is brought in as more than one may give.
    put(&dave, &bob, json!({})).expect_problem(403, "join_first");
    put(&dave, &dave, json!({"role": "owner"})).expect_problem(403, "join_first");
    put(&bob, &dave, json!({"role": "moderator"})).expect_problem(403, "forbidden");
    put(&bob, &bob, json!({"role": "owner"})).expect_problem(403, "forbidden");
    put(&bob, &dave, json!({})).expect(200);
    put(&alice, &carol, json!({"role": "moderator"})).expect(200);
    put(&alice, &bob, json!({"role": "moderator"})).expect(200);
    // Moderators are the owners' matter.
    delete(&carol, &bob).expect_problem(403, "forbidden");
    delete(&carol, &alice).expect_problem(403, "forbidden");
    delete(&dave, &bob).expect_problem(403, "forbidden");
    delete(&carol, &dave).expect(204);
    let gone = delete(&carol, &dave);
    gone.expect_problem(404, "user_not_found");
    assert_eq!(gone.json()["detail"], "dave is not in this room.");
    delete(&alice, &bob).expect(204);
    // Who was taken out comes back only when somebody asks them in; who has gone comes back by themselves.
    put(&dave, &dave, Value::Null).expect_problem(404, "room_not_found");
    put(&alice, &erin, json!({})).expect(200);
    let refused = put(&erin, &dave, json!({}));
    refused.expect_problem(403, "forbidden");
    assert_eq!(
        refused.json()["detail"],
        "This person was removed from the room: only its moderators and owners can bring them back."
    );
    put(&carol, &dave, json!({})).expect(200);
    delete(&dave, &dave).expect(204);
    // Who has gone by themselves is brought back by anyone.
    put(&erin, &dave, json!({})).expect(200);
    delete(&dave, &dave).expect(204);
    put(&dave, &dave, Value::Null).expect(200);
    put(
        &dave,
        &User {
            name: "nobody-yet".into(),
            ..bob.clone()
        },
        json!({}),
    )
    .expect_problem(404, "user_not_found");
    let expected = [
        ("alice", "owner"),
        ("carol", "moderator"),
        ("dave", "member"),
        ("erin", "member"),
    ];
    let expected = expected.map(|(name, role)| (name.to_owned(), role.to_owned()));
    assert_eq!(members(&dave, &room), expected);
    // Each of it is a message of the room.
    let page = dave
        .in_room("GET", &room, "/messages?limit=200", &Value::Null)
        .expect(200)
        .json();
    let kinds: Vec<&str> = page
        .as_array()
        .expect("messages")
        .iter()
        .map(|one| one["event"]["type"].as_str().expect("an event"))
        .collect();
    let expected = [
        "created", "invited", "joined", "invited", "role", "role", "kicked", "kicked", "invited",
        "invited", "left", "invited", "left", "joined",
    ];
    assert_eq!(kinds, expected);
}

fn a_room_always_has_an_owner(backend: Backend) {
    let server = Server::start(backend);
    let [alice, bob, carol] = ["alice", "bob", "carol"].map(|name| User::register(&server, name));
    let room = alice.make_room("garden", "private", &[&bob, &carol]);
    let put = |user: &User, whom: &str, body: Value| {
        user.in_room("PUT", &room, &format!("/members/{whom}"), &body)
    };
    alice
        .in_room("DELETE", &room, "/members/alice", &Value::Null)
        .expect_problem(409, "last_owner");
    put(&alice, "alice", json!({"role": "member"})).expect_problem(409, "last_owner");
    put(&alice, "bob", json!({"role": "owner"})).expect(200);
    // No owner ousts another, in two steps either.
    for role in ["moderator", "member"] {
        put(&bob, "alice", json!({"role": role})).expect_problem(403, "forbidden");
    }
    bob.in_room("DELETE", &room, "/members/alice", &Value::Null)
        .expect_problem(403, "forbidden");
    // Two go at the same moment: one has to stay.
    let answers: Vec<u16> = thread::scope(|scope| {
        let going = [&alice, &bob].map(|user| {
            let path = format!("/members/{}", user.id);
            let room = &room;
            scope.spawn(move || user.in_room("DELETE", room, &path, &Value::Null).status)
        });
        going
            .into_iter()
            .map(|one| one.join().expect("asks"))
            .collect()
    });
    let mut sorted = answers;
    sorted.sort_unstable();
    assert_eq!(sorted, [204, 409]);
    let owners = members(&carol, &room)
        .into_iter()
        .filter(|(_, role)| role == "owner");
    assert_eq!(owners.count(), 1);
}

fn whoever_is_alone_in_a_room_can_leave_it_and_its_name_is_free(backend: Backend) {
    let server = Server::start(backend);
    let [alice, bob, carol] = ["alice", "bob", "carol"].map(|name| User::register(&server, name));
    let leave = |user: &User, room: &str| {
        let path = format!("/members/{}", user.name);
        user.in_room("DELETE", room, &path, &Value::Null)
    };
    for kind in ["public", "private"] {
        let room = alice.make_room("gardne", kind, &[]);
        leave(&alice, &room).expect(204);
        for user in [&alice, &bob] {
            user.in_room("GET", &room, "", &Value::Null)
                .expect_problem(404, "room_not_found");
            let path = format!("/members/{}", user.name);
            user.in_room("PUT", &room, &path, &Value::Null)
                .expect_problem(404, "room_not_found");
        }
        let listed = bob.http().get("/api/rooms/directory?q=gardne").expect(200);
        assert_eq!(listed.json(), json!([]));
    }
    // The name is for whoever wants it, and leads to one room only.
    let again = bob.make_room("gardne", "public", &[]);
    let found = alice.in_room("GET", "gardne", "", &Value::Null).expect(200);
    assert_eq!(found.json()["room"], again);

    // Who is there but cannot log in keeps no one, and keeps the room.
    let shed = alice.make_room("shed", "public", &[&bob]);
    done(users(&server, &["disable", "bob"], ""));
    leave(&alice, &shed).expect(204);
    let path = format!("/members/{}", carol.name);
    carol.in_room("PUT", &shed, &path, &Value::Null).expect(200);
    let owner = |name: &str| (name.to_owned(), "owner".to_owned());
    assert_eq!(members(&carol, &shed), [owner("bob"), owner("carol")]);
}

fn whoever_joins_hears_everything_from_that_number_on(backend: Backend) {
    const ROUNDS: usize = 10;
    let server = Server::start(backend);
    let [alice, bob] = ["alice", "bob"].map(|name| User::register(&server, name));
    let room = alice.make_room("garden", "public", &[]);
    let is_over = AtomicBool::new(false);
    thread::scope(|scope| {
        let (alice, room, is_over) = (&alice, &room, &is_over);
        let posting = scope.spawn(move || {
            while !is_over.load(Ordering::Relaxed) {
                alice.post_to(room, "said").expect(201);
            }
        });
        let mut socket = bob.connect();
        for _ in 0..ROUNDS {
            bob.in_room("PUT", room, "/members/bob", &Value::Null)
                .expect(200);
            let here = socket.expect(|frame| frame["type"] == "room" && frame["room"] == **room);
            let before = here["seq"].as_u64().expect("a number");
            let first = socket.expect_type("message");
            assert_eq!(first["event"]["type"], "joined");
            assert_eq!(first["seq"], before + 1);
            for number in 2..20 {
                assert_eq!(socket.expect_type("message")["seq"], before + number);
            }
            bob.in_room("DELETE", room, "/members/bob", &Value::Null)
                .expect(204);
            let last = socket.expect(|frame| frame["event"]["type"] == "left");
            let after = socket.next_frame();
            assert_eq!(
                (&after["gone"], &after["room"]),
                (&json!(true), &json!(room)),
                "{last} was not the last"
            );
        }
        is_over.store(true, Ordering::Relaxed);
        posting.join().expect("it posts");
    });
}

fn an_old_client_stays_in_general_all_the_while(backend: Backend) {
    let server = Server::start(backend);
    let [alice, bob] = ["alice", "bob"].map(|name| User::register(&server, name));
    let query = format!("?token={}", bob.token);
    let mut old = Socket::open(server.addr, &query, &[]).expect("opens");
    let room = alice.make_room("garden", "private", &[&bob]);
    alice
        .in_room("PATCH", &room, "", &json!({"topic": "seeds"}))
        .expect(200);
    alice
        .in_room("PATCH", "general", "", &json!({"topic": "hello"}))
        .expect(200);
    let direct = alice
        .http()
        .post("/api/direct", &json!({"users": ["bob"]}))
        .expect(201)
        .json();
    alice
        .post_to(direct["room"].as_str().expect("a key"), "for bob alone")
        .expect(201);
    alice
        .in_room("DELETE", &room, "/members/bob", &Value::Null)
        .expect(204);
    alice.post("for all", None).expect(201);
    let heard = old.expect(|frame| {
        let kind = frame["type"].as_str().unwrap_or_default();
        assert!(matches!(kind, "system" | "message"), "{frame}");
        kind == "message"
    });
    assert_eq!(heard["content"], "for all");
    old.send_json(&json!({"type": "message", "content": "old as I am"}));
    assert_eq!(old.expect_type("message")["content"], "old as I am");
}

fn a_user_in_three_hundred_rooms_comes_back_in_one_round(backend: Backend) {
    const ROOMS: usize = 300;
    let server = Server::start(backend);
    let [alice, bob] = ["alice", "bob"].map(|name| User::register(&server, name));
    let rooms: Vec<String> = (0..ROOMS)
        .map(|number| alice.make_room(&format!("room-{number}"), "private", &[&bob]))
        .collect();
    let mut socket = bob.connect();
    let listed = socket.connected["rooms"].as_array().expect("rooms").clone();
    assert_eq!(listed.len(), ROOMS + 1);
    let mut since = json!({});
    for room in &rooms {
        since[room] = 2.into();
    }
    // In three of them he has missed something.
    for room in rooms.iter().step_by(100) {
        alice.post_to(room, "missed").expect(201);
        socket.expect_message("missed");
        since[room] = 1.into();
    }
    socket.send_json(&json!({"type": "sync", "rooms": since, "ref": "s"}));
    let brought = Cell::new(0);
    let synced = socket.expect(|frame| {
        brought.set(brought.get() + usize::from(frame["type"] == "message"));
        frame["ref"] == "s"
    });
    assert_eq!((&synced["type"], brought.get()), (&json!("synced"), 3 * 2));
    let synced = synced["rooms"].as_object().expect("rooms");
    assert_eq!(synced.len(), ROOMS);
    assert!(synced.values().all(|room| room["complete"] == true));
}
