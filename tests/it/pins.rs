//! What matters for long is pinned, for all in the room, and found again.

use serde_json::{Value, json};

use crate::support::{Backend, Response, Server, User};

on_both![
    a_pin_reaches_everyone_by_either_door,
    pinned_messages_are_paged_alone,
];

fn pin(user: &User, id: u64, method: &str) -> Response {
    let path = format!("/api/rooms/general/messages/{id}/pin");
    user.ask(method, &path, &[], &Value::Null)
}

fn a_pin_reaches_everyone_by_either_door(backend: Backend) {
    let server = Server::start(backend);
    let [alice, bob] = ["alice", "bob"].map(|name| User::register(&server, name));
    let mut hers = alice.connect();
    alice
        .post("the door code is on the fridge", None)
        .expect(201);
    // Any member may.
    let pinned = pin(&bob, 1, "PUT").expect(200).json();
    assert_eq!(
        (&pinned["seq"], &pinned["pinned"]["by"]),
        (&json!(2), &json!(bob.id))
    );
    assert!(pinned["pinned"]["at"].is_string(), "{pinned}");
    let heard = hers.expect_type("message_changed");
    assert_eq!(
        (&heard["by"], &heard["change"]),
        (&json!(bob.id), &json!({"type": "pinned", "on": true}))
    );
    assert_eq!(heard["pinned"], pinned["pinned"]);
    assert_eq!(pin(&alice, 1, "PUT").expect(200).json(), {
        let mut same = pinned.clone();
        // It is whoever pinned it first, and its author sees no more of it.
        same["seq"] = json!(2);
        same
    });
    let frame = |on| json!({"type": "pin", "room": "general", "id": 1, "on": on});
    let ack = hers.ask(frame(true));
    assert_eq!((&ack["seq"], &ack["duplicate"]), (&json!(2), &json!(true)));
    assert_eq!(hers.ask(frame(false))["seq"], 3);
    assert!(bob.page("?since=2")[0].get("pinned").is_none());
    assert_eq!(pin(&bob, 1, "DELETE").expect(200).json()["seq"], 3);
    for id in [0, 2] {
        pin(&bob, id, "PUT").expect_problem(404, "message_not_found");
    }
    alice
        .ask("DELETE", "/api/rooms/general/messages/1", &[], &Value::Null)
        .expect(200);
    pin(&bob, 1, "PUT").expect_problem(409, "message_deleted");
}

fn pinned_messages_are_paged_alone(backend: Backend) {
    let server = Server::start(backend);
    let alice = User::register(&server, "alice");
    let mut socket = alice.connect();
    for n in 1..=60 {
        socket.say(&format!("m{n}"));
    }
    for id in (5..=60).step_by(5) {
        pin(&alice, id, "PUT").expect(200);
    }
    // What is unpinned or deleted is not among them.
    pin(&alice, 10, "DELETE").expect(200);
    alice
        .ask(
            "DELETE",
            "/api/rooms/general/messages/20",
            &[],
            &Value::Null,
        )
        .expect(200);
    let ids = |page: &Value| -> Vec<u64> {
        let page = page.as_array().expect("messages").iter();
        page.map(|message| message["id"].as_u64().expect("an id"))
            .collect()
    };
    let mut next = Some("/api/rooms/general/messages?pinned=true&limit=4".to_owned());
    let mut pages = Vec::new();
    while let Some(path) = next {
        let answer = alice.http().get(&path).expect(200);
        next = answer.link("prev");
        pages.push(ids(&answer.json()));
        assert!(pages.len() < 9, "{pages:?}");
    }
    pages.reverse();
    assert_eq!(pages.concat(), [5, 15, 25, 30, 35, 40, 45, 50, 55, 60]);
    for (query, wanted) in [
        ("after=25&limit=2", vec![30, 35]),
        ("before=25", vec![5, 15]),
        ("around=30&limit=4", vec![25, 30, 35, 40]),
    ] {
        let answer = alice
            .http()
            .get(&format!("/api/rooms/general/messages?pinned=true&{query}"));
        assert_eq!(ids(&answer.expect(200).json()), wanted, "{query}");
    }
    assert_eq!(alice.page("?pinned=false&limit=3").len(), 3);
    for query in ["pinned=true&since=1", "pinned=yes", "pinned="] {
        let answer = alice
            .http()
            .get(&format!("/api/rooms/general/messages?{query}"));
        answer.expect_problem(422, "validation_error");
    }
}
