//! Who is muted reads all of a room, and changes nothing in it until that is over.

use serde_json::{Value, json};

use crate::support::{Backend, Server, User, eventually};

on_both![
    whoever_is_muted_reads_and_does_not_write,
    a_mute_ends_by_itself
];

const LATER: &str = "2999-01-01T00:00:00+00:00";
const OVER: &str = "2020-01-01T00:00:00+00:00";

fn whoever_is_muted_reads_and_does_not_write(backend: Backend) {
    let server = Server::start(backend);
    let [alice, bob, carol] = ["alice", "bob", "carol"].map(|name| User::register(&server, name));
    let room = alice.make_room("garden", "private", &[&bob, &carol]);
    let set = |user: &User, whom: &str, body: Value| {
        user.in_room("PUT", &room, &format!("/members/{whom}"), &body)
    };
    set(&alice, "carol", json!({"role": "moderator"})).expect(200);
    let (mut his, mut hers) = (bob.connect(), carol.connect());
    set(&bob, "carol", json!({"muted_until": LATER})).expect_problem(403, "forbidden");
    set(&carol, "alice", json!({"muted_until": LATER})).expect_problem(403, "forbidden");
    let muted = set(&carol, "bob", json!({"muted_until": LATER}))
        .expect(200)
        .json();
    assert_eq!(muted["muted_until"], "2999-01-01T00:00:00.000000+00:00");
    // All are told of it, and his own view has changed.
    let told = his.expect_type("room");
    assert_eq!(told["changed"], json!(["muted_until"]));
    assert_eq!(told["muted_until"], muted["muted_until"]);
    let said = hers.expect(|frame| frame["event"]["type"] == "muted");
    assert_eq!(said["event"]["user_id"], json!(bob.id));
    assert!(hers.drain().iter().all(|frame| frame["type"] != "room"));

    bob.post_to(&room, "but").expect_problem(403, "muted");
    his.send_json(&json!({"type": "message", "room": room, "content": "but", "ref": "r"}));
    his.expect_error("muted");
    set(&bob, "dave", json!({})).expect_problem(404, "user_not_found");
    bob.in_room("GET", &room, "/messages", &Value::Null)
        .expect(200);
    alice.post_to(&room, "peace").expect(201);
    his.expect_message("peace");
    // A restart does not end it.
    let own = bob
        .http()
        .get(&format!("/api/rooms/{room}"))
        .expect(200)
        .json();
    assert_eq!(own["muted_until"], muted["muted_until"]);
    let free = set(&carol, "bob", json!({"muted_until": OVER}))
        .expect(200)
        .json();
    assert!(free.get("muted_until").is_none(), "{free}");
    let told = his.expect_type("room");
    assert_eq!(
        (told["changed"].clone(), told.get("muted_until")),
        (json!(["muted_until"]), None)
    );
    bob.post_to(&room, "thank you").expect(201);
    set(&carol, "bob", json!({"muted_until": "tomorrow"})).expect_problem(422, "validation_error");
}

fn a_mute_ends_by_itself(backend: Backend) {
    let server = Server::start(backend);
    let [alice, bob] = ["alice", "bob"].map(|name| User::register(&server, name));
    let room = alice.make_room("garden", "private", &[&bob]);
    let soon = chrono::Utc::now() + chrono::TimeDelta::seconds(2);
    let body = json!({"muted_until": soon.to_rfc3339()});
    alice
        .in_room("PUT", &room, "/members/bob", &body)
        .expect(200);
    bob.post_to(&room, "early").expect_problem(403, "muted");
    eventually("the mute is over", || {
        (bob.post_to(&room, "late").status == 201).then_some(())
    });
}
