//! The server remembers who may write in a room, and never for longer than it is true.

use serde_json::json;

use crate::support::{Backend, Server, User};

on_both![whoever_was_taken_out_of_a_room_is_refused_at_once];

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
