//! Which rooms there are for whom: one's own, the public ones, who is in them; and nothing of any other.

use std::{
    sync::atomic::{AtomicBool, Ordering},
    thread,
};

use serde_json::{Value, json};

use crate::support::{Backend, Server, User};

on_both![
    each_sees_their_own_rooms_as_they_are,
    the_directory_lists_public_rooms_page_by_page,
    a_room_is_found_by_its_key_and_by_its_name,
    no_one_leads_what_is_sent_to_a_name_into_another_room,
    whoever_wants_to_join_a_public_room_is_not_led_into_a_private_one,
    absent_and_forbidden_are_the_same_answer,
    members_are_listed_to_members,
    nothing_that_came_after_a_membership_is_read,
];

/// Makes a room by hand; a direct one has no name.
pub fn make_room(server: &Server, id: i64, kind: &str, name: Option<&str>, members: &[&User]) {
    let name = name.map_or("NULL".to_owned(), |name| format!("'{name}'"));
    let key = if kind == "public" { &name } else { "NULL" };
    server.database.execute(&format!(
        "INSERT INTO rooms (id, key, last_seq, created_at, kind, name, name_key) VALUES ({id}, '{id}', 0, '2026-11-22 00:00:00', '{kind}', {name}, {key})",
    ));
    for member in members {
        add_member(server, id, member);
    }
}

fn add_member(server: &Server, room: i64, user: &User) {
    server.database.execute(&format!(
        "INSERT INTO memberships (room_id, user_id, created_at) VALUES ({room}, {}, '2026-11-22 00:00:00'); \
         UPDATE rooms SET members = members + 1 WHERE id = {room}",
        user.id
    ));
}

/// As whatever takes a member out does it: all in one transaction.
fn kick(server: &Server, room: i64, user: &User) {
    server.database.execute(&format!(
        "BEGIN; DELETE FROM memberships WHERE room_id = {room} AND user_id = {id}; \
         INSERT INTO removals (room_id, user_id, seq, created_at) VALUES ({room}, {id}, 1, '2026-11-22 00:00:00'); \
         UPDATE rooms SET members_version = members_version + 1, members = members - 1 WHERE id = {room}; COMMIT",
        id = user.id
    ));
}

fn take_back(server: &Server, room: i64, user: &User) {
    server.database.execute(&format!(
        "DELETE FROM removals WHERE room_id = {room} AND user_id = {}",
        user.id
    ));
    add_member(server, room, user);
}

fn get(user: &User, path: &str) -> Value {
    user.http().get(path).expect(200).json()
}

fn keys(rooms: &Value) -> Vec<&str> {
    let rooms = rooms.as_array().expect("rooms").iter();
    rooms
        .map(|room| room["room"].as_str().expect("a key"))
        .collect()
}

fn three(server: &Server) -> [User; 3] {
    ["alice", "bob", "carol"].map(|name| User::register(server, name))
}

fn each_sees_their_own_rooms_as_they_are(backend: Backend) {
    let mut server = Server::start(backend);
    let [alice, bob, carol] = three(&server);
    // Whoever was here first owns `general`, from the next start on at the latest.
    server.restart();
    make_room(&server, 2, "public", Some("garden"), &[&alice]);
    make_room(&server, 3, "private", Some("cellar"), &[&bob, &carol]);
    make_room(&server, 4, "direct", None, &[&alice, &bob]);
    let [mut alice, mut bob] = [alice, bob];
    alice.log_in();
    bob.log_in();
    let hers = get(&alice, "/api/rooms");
    assert_eq!(keys(&hers), ["general", "2", "4"]);
    assert_eq!(
        (
            &hers[0]["name"],
            &hers[0]["kind"],
            &hers[0]["role"],
            &hers[0]["members"]
        ),
        (
            &json!("general"),
            &json!("public"),
            &json!("owner"),
            &json!(3)
        )
    );
    assert_eq!(
        (&hers[1]["name"], &hers[1]["role"]),
        (&json!("garden"), &json!("member"))
    );
    let people = json!([
        {"user_id": alice.id, "username": "alice"},
        {"user_id": bob.id, "username": "bob"},
    ]);
    assert_eq!(
        (&hers[2]["kind"], &hers[2]["users"]),
        (&json!("direct"), &people)
    );
    assert!(
        hers[2].get("name").is_none() && hers[2].get("role").is_none(),
        "{hers}"
    );
    assert_eq!(keys(&get(&bob, "/api/rooms")), ["general", "3", "4"]);
    // The first frame of a socket tells of the same rooms.
    let told = alice.connect().connected["rooms"].clone();
    assert_eq!(keys(&told), ["general", "2", "4"]);
    for (told, listed) in told
        .as_array()
        .expect("rooms")
        .iter()
        .zip(hers.as_array().expect("rooms"))
    {
        for field in ["name", "kind", "role", "topic", "seq"] {
            assert_eq!(told.get(field), listed.get(field), "{field} of {told}");
        }
    }
}

fn the_directory_lists_public_rooms_page_by_page(backend: Backend) {
    let server = Server::start(backend);
    let [alice, bob, _] = three(&server);
    for (id, name) in [(2, "garden"), (3, "gar_age"), (4, "kitchen")] {
        make_room(&server, id, "public", Some(name), &[&bob]);
    }
    make_room(&server, 5, "private", Some("garret"), &[&bob]);
    let mut names = Vec::new();
    let mut path = Some("/api/rooms/directory?q=GAR&limit=1".to_owned());
    while let Some(next) = path {
        let answer = alice.http().get(&next).expect(200);
        let page = answer.json();
        assert_eq!(page.as_array().expect("a page").len(), 1, "{page}");
        assert!(
            page[0].get("role").is_none(),
            "she is in none of them: {page}"
        );
        names.push(page[0]["name"].as_str().expect("a name").to_owned());
        path = answer.link("next");
    }
    names.sort_unstable();
    assert_eq!(names, ["gar_age", "garden"]);
    let all = get(&alice, "/api/rooms/directory");
    assert_eq!(all.as_array().expect("rooms").len(), 4, "{all}");
    // What means something to SQL means itself.
    for (part, found) in [("r_", 1), ("%25", 0), ("'", 0), ("!", 0), ("%00", 0)] {
        let rooms = get(&alice, &format!("/api/rooms/directory?q={part}"));
        assert_eq!(rooms.as_array().expect("rooms").len(), found, "{part}");
    }
    // A cursor of another list.
    let answer = alice.http().get("/api/rooms/directory?limit=1").expect(200);
    let next = answer.link("next").expect("there are more");
    let foreign = next.replace("/directory?", "/directory?q=gar&");
    alice
        .http()
        .get(&foreign)
        .expect_problem(422, "validation_error");
    for wrong in ["cursor=x", "limit=0", "limit=201", "limit=x"] {
        let path = format!("/api/rooms/directory?{wrong}");
        alice
            .http()
            .get(&path)
            .expect_problem(422, "validation_error");
    }
    // Who was taken out of a room does not find it.
    add_member(&server, 2, &alice);
    kick(&server, 2, &alice);
    let rooms = get(&alice, "/api/rooms/directory?q=garden");
    assert_eq!(rooms, json!([]));
}

fn a_room_is_found_by_its_key_and_by_its_name(backend: Backend) {
    let server = Server::start(backend);
    let [alice, bob, carol] = three(&server);
    make_room(&server, 2, "private", Some("garden"), &[&alice]);
    make_room(&server, 3, "private", Some("garden"), &[&bob]);
    let room = |user: &User, name: &str| get(user, &format!("/api/rooms/{name}"))["room"].clone();
    assert_eq!(room(&alice, "general"), "general");
    assert_eq!(
        (room(&alice, "2"), room(&alice, "garden")),
        (json!("2"), json!("2"))
    );
    assert_eq!(
        (room(&bob, "3"), room(&bob, "Garden")),
        (json!("3"), json!("3"))
    );
    make_room(&server, 4, "public", Some("garden"), &[]);
    // No one else leads her words elsewhere by a name, not even by bringing her into a room that is called so.
    assert_eq!(
        (room(&alice, "garden"), room(&carol, "garden")),
        (json!("2"), json!("4"))
    );
    let page = get(&alice, "/api/rooms/2/messages");
    assert_eq!(page, json!([]));
}

/// Whether another's room is older or younger than one's own, is renamed, or is one that people are brought into.
fn no_one_leads_what_is_sent_to_a_name_into_another_room(backend: Backend) {
    let server = Server::start(backend);
    let [alice, bob, _] = three(&server);
    let older = bob.make_room("lair", "private", &[&alice]);
    let hers = alice.make_room("plans", "private", &[]);
    let post = |to: &str| {
        let path = format!("/api/rooms/{to}/messages");
        alice.http().post(&path, &json!({"content": "secret"}))
    };
    post("plans").expect(201);
    let name = json!({"name": "plans"});
    bob.in_room("PATCH", &older, "", &name).expect(200);
    let refused = post("Plans");
    refused.expect_problem(409, "ambiguous_room");
    let detail = refused.json()["detail"].clone();
    let keys = detail.as_str().expect("a sentence");
    assert!(keys.contains(&*hers) && keys.contains(&*older), "{keys}");
    let mut socket = alice.connect();
    for frame in [
        json!({"type": "message", "content": "secret"}),
        json!({"type": "edit", "id": 1, "content": "secret"}),
        json!({"type": "invite", "user": "carol"}),
        json!({"type": "room", "topic": "secret"}),
        json!({"type": "leave"}),
    ] {
        let mut frame = frame;
        (frame["room"], frame["ref"]) = (json!("plans"), json!("r"));
        socket.send_json(&frame);
        let answer = socket.expect(|frame| frame["ref"] == "r");
        assert_eq!(answer["code"], "ambiguous_room", "{frame}");
    }
    let url = "/api/rooms/plans/messages";
    let read = alice.http().get(url);
    read.expect_problem(409, "ambiguous_room");
    post(&hers).expect(201);
    alice
        .in_room("DELETE", &older, "/members/alice", &json!({}))
        .expect(204);
    post("plans").expect(201);
    let theirs = get(&bob, &format!("/api/rooms/{older}/messages"));
    let words = theirs.as_array().expect("messages").iter();
    assert!(words.clone().all(|m| m["content"] != "secret"), "{theirs}");
}

fn whoever_wants_to_join_a_public_room_is_not_led_into_a_private_one(backend: Backend) {
    let server = Server::start(backend);
    let [alice, bob, carol] = three(&server);
    let open = bob.make_room("plans", "public", &[]);
    let trap = carol.make_room("plans", "private", &[&alice]);
    let refused = alice.in_room("PUT", "plans", "/members/alice", &json!({}));
    refused.expect_problem(409, "ambiguous_room");
    let mut socket = alice.connect();
    socket.send_json(&json!({"type": "join", "room": "plans", "ref": "r"}));
    let answer = socket.expect(|frame| frame["ref"] == "r");
    assert_eq!(answer["code"], "ambiguous_room");
    // What others call their public rooms takes no name away from one's own.
    let seen = get(&alice, "/api/rooms/plans");
    assert_eq!(seen["room"], *trap);
    alice
        .in_room("PUT", &open, "/members/alice", &json!({}))
        .expect(200);
    let both = alice.http().get("/api/rooms/plans");
    both.expect_problem(409, "ambiguous_room");
}

/// An answer but for its name.
fn body(user: &User, path: &str) -> Value {
    let mut body = user.http().get(path).json();
    body.as_object_mut()
        .expect("an object")
        .remove("request_id");
    body
}

fn absent_and_forbidden_are_the_same_answer(backend: Backend) {
    let server = Server::start(backend);
    let [alice, bob, carol] = three(&server);
    make_room(&server, 2, "private", Some("cellar"), &[&bob, &carol]);
    make_room(&server, 3, "direct", None, &[&bob, &carol]);
    make_room(&server, 4, "public", Some("garden"), &[&bob, &alice]);
    make_room(&server, 5, "public", Some("kitchen"), &[&bob]);
    kick(&server, 4, &alice);
    for of in [
        "",
        "/members",
        "/messages",
        "/messages?since=0",
        "/messages?around=1",
    ] {
        let absent = body(&alice, &format!("/api/rooms/nowhere{of}"));
        assert_eq!(absent["code"], "room_not_found");
        for room in ["2", "cellar", "3", "4", "garden", "77"] {
            let answer = body(&alice, &format!("/api/rooms/{room}{of}"));
            assert_eq!(answer, absent, "{room}{of}");
        }
    }
    // A public room is no secret, but what is said in it is its members'.
    assert_eq!(get(&alice, "/api/rooms/kitchen")["members"], 1);
    for of in ["members", "messages"] {
        let path = format!("/api/rooms/kitchen/{of}");
        alice.http().get(&path).expect_problem(403, "join_first");
    }
}

fn members_are_listed_to_members(backend: Backend) {
    let server = Server::start(backend);
    let everyone = three(&server);
    let mut names = Vec::new();
    let mut path = Some("/api/rooms/general/members?limit=2".to_owned());
    while let Some(next) = path {
        let answer = everyone[1].http().get(&next).expect(200);
        let page = answer.json();
        for member in page.as_array().expect("members") {
            let fields: Vec<&String> = member.as_object().expect("a member").keys().collect();
            assert_eq!(fields, ["joined_at", "role", "user_id", "username"]);
            names.push(member["username"].as_str().expect("a name").to_owned());
        }
        path = answer.link("next");
    }
    assert_eq!(names, ["alice", "bob", "carol"]);
}

fn nothing_that_came_after_a_membership_is_read(backend: Backend) {
    const ROUNDS: usize = 30;
    let server = Server::start(backend);
    let [alice, bob, _] = three(&server);
    make_room(&server, 2, "private", Some("cellar"), &[&alice, &bob]);
    let say = |content: &str| {
        let said = bob
            .http()
            .post("/api/rooms/2/messages", &json!({"content": content}));
        said.expect(201);
    };
    let is_over = AtomicBool::new(false);
    thread::scope(|scope| {
        let readers: Vec<_> = [
            "/api/rooms/2/messages?limit=5",
            "/api/rooms/cellar/messages?since=0&limit=200",
        ]
        .into_iter()
        .map(|path| {
            let (alice, is_over) = (&alice, &is_over);
            scope.spawn(move || {
                let mut seen = Vec::new();
                while !is_over.load(Ordering::Relaxed) {
                    let answer = alice.http().get(path);
                    match answer.status {
                        200 => seen.push(answer.text()),
                        _ => answer.expect_problem(404, "room_not_found"),
                    }
                }
                seen
            })
        })
        .collect();
        for _ in 0..ROUNDS {
            say("for both");
            kick(&server, 2, &alice);
            say("after her time");
            // Nothing of it is left when she comes back.
            server
                .database
                .execute("DELETE FROM messages WHERE room_id = 2");
            server
                .database
                .execute("UPDATE rooms SET last_seq = 0, last_message_id = 0 WHERE id = 2");
            take_back(&server, 2, &alice);
        }
        is_over.store(true, Ordering::Relaxed);
        let seen: Vec<String> = readers
            .into_iter()
            .flat_map(|reader| reader.join().expect("it reads"))
            .collect();
        assert!(
            seen.iter().any(|page| page.contains("for both")),
            "she did read"
        );
        assert!(seen.iter().all(|page| !page.contains("after her time")));
    });
}
