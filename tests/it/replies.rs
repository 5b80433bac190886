//! A message may answer another one, and is looked at alone, with what it said before.

use serde_json::{Value, json};

use crate::support::{Backend, Response, Server, User};

on_both![
    an_answer_names_its_message_by_either_door,
    only_what_is_there_in_the_room_is_answered,
    a_retry_of_an_answer_is_safe_whatever_has_come_of_what_it_answers,
    a_message_is_found_by_its_number,
    what_a_message_said_before_is_seen_until_it_is_deleted,
];

fn answer(user: &User, room: &str, id: u64, client_id: &str) -> Response {
    let path = format!("/api/rooms/{room}/messages");
    let body = json!({"content": "an answer", "reply_to": id, "client_id": client_id});
    user.http().post(&path, &body)
}

fn two(server: &Server) -> [User; 2] {
    ["alice", "bob"].map(|name| User::register(server, name))
}

fn delete(user: &User, id: u64) {
    let path = format!("/api/rooms/general/messages/{id}");
    user.ask("DELETE", &path, &[], &Value::Null).expect(200);
}

fn an_answer_names_its_message_by_either_door(backend: Backend) {
    let server = Server::start(backend);
    let [alice, bob] = two(&server);
    let mut hers = alice.connect();
    alice.post("lunch?", None).expect(201);
    assert_eq!(
        answer(&bob, "general", 1, "a").expect(201).json()["reply_to"],
        1
    );
    assert_eq!(hers.expect_message("an answer")["reply_to"], 1);
    let frame = json!({"type": "message", "content": "at noon", "reply_to": 2});
    assert_eq!(hers.ask(frame)["id"], 3);
    let replies = |page: Vec<Value>| -> Vec<Value> {
        page.iter()
            .map(|message| message["reply_to"].clone())
            .collect()
    };
    let wanted = vec![Value::Null, json!(1), json!(2)];
    assert_eq!(replies(bob.page("")), wanted);
    assert_eq!(replies(bob.page("?since=0")), wanted);
    // It stays an answer when what it answers goes.
    delete(&alice, 1);
    assert_eq!(replies(bob.page("")), wanted);
}

fn only_what_is_there_in_the_room_is_answered(backend: Backend) {
    let server = Server::start(backend);
    let [alice, _] = two(&server);
    let garden = alice.make_room("garden", "private", &[]);
    alice.post_to(&garden, "of the garden").expect(201);
    let in_garden = alice.post_to(&garden, "again").expect(201).json()["id"]
        .as_u64()
        .expect("an id");
    alice.post("one", None).expect(201);
    alice.post("two", None).expect(201);
    delete(&alice, 2);
    let mut socket = alice.connect();
    // Nothing, nothing of this room, a tombstone, a number that is a change, too large.
    for id in [0, in_garden + 40, 2, 3, 9_223_372_036_854_775_808, u64::MAX] {
        answer(&alice, "general", id, "a").expect_problem(404, "message_not_found");
        let frame = json!({"type": "message", "content": "x", "reply_to": id});
        assert_eq!(socket.ask(frame)["code"], "message_not_found", "{id}");
    }
    let wrong = json!({"type": "message", "content": "x", "reply_to": -1});
    assert_eq!(socket.ask(wrong)["code"], "invalid_frame");
    let wrong = json!({"content": "x", "reply_to": "1"});
    (alice.http().post("/api/rooms/general/messages", &wrong))
        .expect_problem(422, "validation_error");
    // What was refused leaves no hole, and its name is free.
    assert_eq!(
        answer(&alice, "general", 1, "a").expect(201).json()["id"],
        4
    );
    assert_eq!(
        answer(&alice, "garden", in_garden, "a").expect(201).json()["reply_to"],
        in_garden
    );
}

fn a_retry_of_an_answer_is_safe_whatever_has_come_of_what_it_answers(backend: Backend) {
    let server = Server::start(backend);
    let [alice, bob] = two(&server);
    alice.post("lunch?", None).expect(201);
    let first = answer(&bob, "general", 1, "a").expect(201).json();
    delete(&alice, 1);
    assert_eq!(answer(&bob, "general", 1, "a").expect(200).json(), first);
    let frame = json!({"type": "message", "content": "an answer", "reply_to": 1, "client_id": "a"});
    let ack = bob.connect().ask(frame.clone());
    assert_eq!((&ack["id"], &ack["duplicate"]), (&json!(2), &json!(true)));
    // Neither does it matter that its sender may not write any more, or nobody.
    for change in [
        format!(
            "UPDATE memberships SET muted_until = '2100-01-01 00:00:00' WHERE user_id = {}",
            bob.id
        ),
        "UPDATE rooms SET archived_at = '2026-11-22 00:00:00' WHERE id = 1".to_owned(),
    ] {
        server.database.execute(&format!(
            "{change}; UPDATE rooms SET members_version = members_version + 1 WHERE id = 1"
        ));
        assert_eq!(
            answer(&bob, "general", 1, "a").expect(200).json(),
            first,
            "{change}"
        );
        let ack = bob.connect().ask(frame.clone());
        assert_eq!(
            (&ack["id"], &ack["duplicate"]),
            (&json!(2), &json!(true)),
            "{change}"
        );
        assert_eq!(answer(&bob, "general", 2, "new").status / 100, 4);
    }
}

fn a_message_is_found_by_its_number(backend: Backend) {
    let server = Server::start(backend);
    let [alice, bob] = two(&server);
    alice.post("one", Some("c1")).expect(201);
    alice
        .ask(
            "PUT",
            "/api/rooms/general/messages/1/reactions/%F0%9F%91%8D",
            &[],
            &Value::Null,
        )
        .expect(200);
    let path = "/api/rooms/general/messages/1";
    let found = alice.http().get(path).expect(200);
    assert_eq!(found.header("etag"), Some("\"2\""));
    assert_eq!(found.json(), alice.page("")[0]);
    assert_eq!(bob.http().get(path).expect(200).json(), bob.page("")[0]);
    // Its tag is what an edit can be conditioned on.
    let edit = json!({"content": "two"});
    alice
        .ask("PATCH", path, &[("if-match", "\"2\"")], &edit)
        .expect(200);
    for id in ["0", "2", "-1", "9223372036854775808", "x"] {
        let answer = alice
            .http()
            .get(&format!("/api/rooms/general/messages/{id}"));
        answer.expect_problem(404, "message_not_found");
    }
}

fn what_a_message_said_before_is_seen_until_it_is_deleted(backend: Backend) {
    let server = Server::start(backend);
    let [alice, bob] = two(&server);
    alice.post("v0", None).expect(201);
    let path = "/api/rooms/general/messages/1/versions";
    assert_eq!(bob.http().get(path).expect(200).json(), json!([]));
    let mut since = vec![alice.page("")[0]["created_at"].clone()];
    for n in 1..=5 {
        let edit = json!({"content": format!("v{n}")});
        let edited = alice
            .ask("PATCH", "/api/rooms/general/messages/1", &[], &edit)
            .expect(200)
            .json();
        since.push(edited["edited_at"].clone());
    }
    let wanted: Vec<_> = (0..5)
        .map(|n| json!({"content": format!("v{n}"), "at": since[n]}))
        .collect();
    assert_eq!(bob.http().get(path).expect(200).json(), json!(wanted));
    let (mut all, mut next) = (Vec::new(), Some(format!("{path}?limit=2")));
    while let Some(path) = next {
        let page = bob.http().get(&path).expect(200);
        next = page.link("next");
        all.extend(page.json().as_array().expect("versions").clone());
        assert!(all.len() <= 5, "{all:?}");
    }
    assert_eq!(all, wanted);
    bob.http()
        .get(&format!("{path}?limit=0"))
        .expect_problem(422, "validation_error");
    // One that stands elsewhere is shown as such.
    server.database.execute(
        "UPDATE message_versions SET content = (SELECT content FROM messages WHERE room_id = 1 AND id = 1) WHERE seq = 3",
    );
    let shown = bob.http().get(path).expect(200).json();
    assert_eq!(
        (&shown[1]["unreadable"], &shown[1]["content"]),
        (&json!(true), &json!(""))
    );
    assert_eq!(shown[2], wanted[2]);
    delete(&alice, 1);
    assert_eq!(bob.http().get(path).expect(200).json(), json!([]));
    let left = server
        .database
        .query("SELECT content AS value FROM message_versions");
    assert!(left.is_empty(), "{left:?}");
}
