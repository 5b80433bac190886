//! An archived room is read as before, and not changed until it is brought back.

use serde_json::{Value, json};

use crate::support::{Backend, Server, User};

on_both![an_archived_room_is_read_and_not_changed];

fn an_archived_room_is_read_and_not_changed(backend: Backend) {
    let server = Server::start(backend);
    let [alice, bob, carol] = ["alice", "bob", "carol"].map(|name| User::register(&server, name));
    let room = alice.make_room("garden", "public", &[&bob]);
    bob.post_to(&room, "before").expect(201);
    let mut socket = bob.connect();
    let archive =
        |user: &User, on: bool| user.in_room("PATCH", &room, "", &json!({"archived": on}));
    archive(&bob, true).expect_problem(403, "forbidden");
    let now = archive(&alice, true).expect(200).json();
    assert!(now["archived_at"].is_string(), "{now}");
    archive(&alice, true).expect(200);
    let told = socket.expect_type("room");
    assert_eq!(told["changed"], json!(["archived_at"]));
    assert_eq!(told["archived_at"], now["archived_at"]);
    let refused: [(&User, &str, &str, Value); 6] = [
        (&alice, "PATCH", "", json!({"topic": "seeds"})),
        (&alice, "PATCH", "", json!({"name": "park"})),
        (&alice, "PUT", "/members/carol", json!({})),
        (&alice, "PUT", "/members/bob", json!({"role": "moderator"})),
        (&alice, "DELETE", "/members/bob", Value::Null),
        (&bob, "POST", "/messages", json!({"content": "after"})),
    ];
    for (user, method, path, body) in &refused {
        let answer = user.in_room(method, &room, path, body);
        answer.expect_problem(409, "room_archived");
    }
    socket.send_json(&json!({"type": "message", "room": room, "content": "after", "ref": "r"}));
    socket.expect_error("room_archived");
    carol
        .in_room("PUT", &room, "/members/carol", &Value::Null)
        .expect_problem(409, "room_archived");
    let page = bob
        .in_room("GET", &room, "/messages", &Value::Null)
        .expect(200)
        .json();
    let last = page
        .as_array()
        .and_then(|page| page.last())
        .expect("a message");
    assert_eq!(last["event"], json!({"type": "archived"}));
    // One may still go.
    bob.in_room("DELETE", &room, "/members/bob", &Value::Null)
        .expect(204);
    // And what comes with bringing it back is done.
    let back = json!({"archived": false, "topic": "open again"});
    let now = alice.in_room("PATCH", &room, "", &back).expect(200).json();
    assert_eq!(
        (now.get("archived_at"), &now["topic"]),
        (None, &json!("open again"))
    );
    alice.post_to(&room, "after").expect(201);
}
