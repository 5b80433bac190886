//! Who is muted reads all of a room, and changes nothing in it until that is over.

use serde_json::{Value, json};

use crate::{
    support::{Backend, Server, User, eventually},
    users::{done, users},
};

on_both![
    whoever_is_muted_reads_and_does_not_write,
    a_mute_ends_by_itself,
    a_mute_is_not_shaken_off_by_leaving_or_being_taken_out,
    an_heir_who_was_muted_can_speak,
    a_mute_lasts_until_a_time_that_everyone_can_read,
];

const LATER: &str = "2999-01-01T00:00:00+00:00";
const OVER: &str = "2020-01-01T00:00:00+00:00";

fn a_mute_lasts_until_a_time_that_everyone_can_read(backend: Backend) {
    let server = Server::start(backend);
    let [alice, bob] = ["alice", "bob"].map(|name| User::register(&server, name));
    let room = alice.make_room("garden", "private", &[&bob]);
    let mute =
        |until: &str| alice.in_room("PUT", &room, "/members/bob", &json!({"muted_until": until}));
    // The year 10000 in UTC, which no reader of RFC 3339 takes.
    mute("9999-12-31T23:59:59-01:00").expect_problem(422, "validation_error");
    mute("0000-06-01T00:00:00+00:00").expect_problem(422, "validation_error");
    let last = || {
        let page = alice
            .http()
            .get(&format!("/api/rooms/{room}/messages?limit=1"));
        page.expect(200).json()[0].clone()
    };
    // The same again changes nothing, however finely it is written.
    mute("9999-12-31T23:59:59.123456789+00:00").expect(200);
    let said = last();
    assert_eq!(said["event"]["type"], "muted");
    assert_eq!(said["event"]["until"], "9999-12-31T23:59:59.123456+00:00");
    mute("9999-12-31T23:59:59.123456789+00:00").expect(200);
    assert_eq!(last(), said);
    bob.in_room("POST", &room, "/messages", &json!({"content": "hm"}))
        .expect_problem(403, "muted");
}

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

fn a_mute_is_not_shaken_off_by_leaving_or_being_taken_out(backend: Backend) {
    let server = Server::start(backend);
    let [alice, bob, carol] = ["alice", "bob", "carol"].map(|name| User::register(&server, name));
    let room = alice.make_room("garden", "public", &[&bob, &carol]);
    let set = |user: &User, whom: &str, body: Value| {
        user.in_room("PUT", &room, &format!("/members/{whom}"), &body)
    };
    let out = |user: &User| {
        user.in_room("DELETE", &room, "/members/bob", &Value::Null)
            .expect(204)
    };
    set(&alice, "bob", json!({"muted_until": LATER})).expect(200);
    let mut socket = bob.connect();
    let is_muted = |seen: &Value| {
        assert_eq!(seen["muted_until"], "2999-01-01T00:00:00.000000+00:00");
        bob.post_to(&room, "but").expect_problem(403, "muted");
    };
    // By oneself, by oneself again, and brought back after a kick.
    for _ in 0..2 {
        out(&bob);
        is_muted(&set(&bob, "bob", Value::Null).expect(200).json());
        is_muted(&socket.expect(|frame| frame["type"] == "room" && frame["gone"].is_null()));
    }
    out(&alice);
    is_muted(&set(&alice, "bob", json!({})).expect(200).json());
    is_muted(&socket.expect(|frame| frame["type"] == "room" && frame["gone"].is_null()));
    // It ends with who may end it, and stays ended.
    out(&bob);
    let back = set(&alice, "bob", json!({"muted_until": OVER})).expect(200);
    assert!(back.json().get("muted_until").is_none());
    out(&bob);
    let back = set(&bob, "bob", Value::Null).expect(200).json();
    assert!(back.get("muted_until").is_none(), "{back}");
    bob.post_to(&room, "thank you").expect(201);
    // One that was over when they left is not told of.
    set(&alice, "bob", json!({"muted_until": LATER})).expect(200);
    server.database.execute(
        "UPDATE memberships SET muted_until = '2020-01-01 00:00:00' WHERE muted_until IS NOT NULL",
    );
    out(&bob);
    let back = set(&bob, "bob", Value::Null).expect(200).json();
    assert!(back.get("muted_until").is_none(), "{back}");
    // Nothing of a mute is left in a role that an owner gives.
    set(&alice, "bob", json!({"muted_until": LATER})).expect(200);
    out(&bob);
    let back = set(&alice, "bob", json!({"role": "moderator"})).expect(200);
    assert!(back.json().get("muted_until").is_none());
    bob.post_to(&room, "order!").expect(201);
}

fn an_heir_who_was_muted_can_speak(backend: Backend) {
    let server = Server::start(backend);
    let [alice, bob] = ["alice", "bob"].map(|name| User::register(&server, name));
    let room = alice.make_room("garden", "private", &[&bob]);
    let body = json!({"muted_until": LATER});
    alice
        .in_room("PUT", &room, "/members/bob", &body)
        .expect(200);
    done(users(&server, &["disable", "alice"], ""));
    let own = bob
        .in_room("GET", &room, "", &Value::Null)
        .expect(200)
        .json();
    assert_eq!(
        (&own["role"], own.get("muted_until")),
        (&json!("owner"), None)
    );
    bob.post_to(&room, "mine now").expect(201);
}
