//! What a user sets on one device is what the others show, whatever else they are being told at that moment.

use serde_json::json;

use crate::support::{Backend, Server, User, eventually};

/// A client that was away is told of the room as it was when it was read. What was set after that must not be undone by it.
#[test]
fn what_is_set_while_a_room_is_being_read_holds() {
    let server = Server::start(Backend::Postgres);
    let alice = User::register(&server, "alice");
    let room = alice.make_room("kitchen", "public", &[]);
    alice.post_to(&room, "first").expect(201);
    // So that the whole of the room is told to whoever missed it.
    let topic = json!({"topic": "what for"});
    alice.in_room("PATCH", &room, "", &topic).expect(200);
    // Who has reacted is read after the room itself.
    let thumb = "/messages/2/reactions/%F0%9F%91%8D";
    alice.in_room("PUT", &room, thumb, &json!(null)).expect(200);
    let mut device = alice.connect();

    // The room has been read, and what was said in it has not.
    let lock = (server.database).hold("LOCK TABLE reactions IN ACCESS EXCLUSIVE MODE");
    device.send_json(&json!({"type": "sync", "rooms": {room.as_str(): 0}, "ref": "s"}));
    eventually("it is being read", || {
        let waiting = "SELECT '' AS value FROM pg_locks WHERE NOT granted AND relation = 'reactions'::regclass \
                       AND database = (SELECT oid FROM pg_database WHERE datname = current_database())";
        server.database.query(waiting).pop()
    });
    let level = json!({"level": "all"});
    alice.in_room("PUT", &room, "/notify", &level).expect(204);
    let mark = json!({"seq": 2});
    alice.in_room("PUT", &room, "/read", &mark).expect(200);
    drop(lock);

    let (mut notify, mut read_seq, mut is_whole) = (json!(null), json!(null), false);
    while notify != "all" || read_seq != 2 || !is_whole {
        let frame = device.next_frame();
        if frame["room"] != *room {
            continue;
        }
        is_whole |= frame["type"] == "room" && frame["topic"] == "what for";
        if frame["type"] == "read" {
            read_seq = frame["seq"].clone();
        }
        for (field, shown) in [("notify", &mut notify), ("read_seq", &mut read_seq)] {
            if frame["type"] == "room" && !frame[field].is_null() {
                *shown = frame[field].clone();
            }
        }
    }
}
