//! Whoever wrote a message can give it another text, by both doors; everyone hears of it, and no one overwrites what they
//! have not seen.

use std::thread;

use serde_json::{Value, json};

use crate::support::{Backend, Server, User};

on_both![
    an_edit_reaches_everyone_by_either_door,
    an_edit_is_in_what_is_caught_up_with,
    of_two_edits_of_the_same_text_one_wins,
    a_condition_knows_edits_from_reactions_and_is_checked,
    an_edit_that_is_sent_again_changes_nothing,
    only_the_author_edits,
    what_cannot_be_edited_is_refused_with_its_code,
    a_message_is_edited_so_often_and_no_more,
    a_room_is_written_in_by_its_name,
];

fn two(server: &Server) -> [User; 2] {
    ["alice", "bob"].map(|name| User::register(server, name))
}

fn path(id: &Value) -> String {
    format!("/api/rooms/general/messages/{id}")
}

fn edit(
    user: &User,
    id: &Value,
    if_match: Option<&str>,
    content: &str,
) -> crate::support::Response {
    let headers: Vec<_> = if_match.map(|seq| ("if-match", seq)).into_iter().collect();
    user.ask("PATCH", &path(id), &headers, &json!({"content": content}))
}

fn an_edit_reaches_everyone_by_either_door(backend: Backend) {
    let server = Server::start(backend);
    let [alice, bob] = two(&server);
    let (mut hers, mut his) = (alice.connect(), bob.connect());
    let posted = alice.post("one", Some("c1")).expect(201).json();
    let answer = edit(&alice, &posted["id"], None, "two").expect(200);
    assert_eq!(answer.header("etag"), Some("\"2\""));
    let edited = answer.json();
    assert_eq!(
        (
            &edited["id"],
            &edited["seq"],
            &edited["content"],
            &edited["client_id"]
        ),
        (&json!(1), &json!(2), &json!("two"), &json!("c1"))
    );
    assert_eq!(edited["created_at"], posted["created_at"]);
    assert!(edited["edited_at"].is_string(), "{edited}");
    let heard = his.expect_type("message_changed");
    assert_eq!(
        (&heard["id"], &heard["seq"], &heard["content"], &heard["by"]),
        (&json!(1), &json!(2), &json!("two"), &json!(alice.id))
    );
    assert_eq!(heard["change"], json!({"type": "edited"}));
    assert!(heard.get("client_id").is_none(), "{heard}");
    assert_eq!(hers.expect_type("message_changed")["client_id"], "c1");

    let ack = hers
        .ask(json!({"type": "edit", "room": "general", "id": 1, "content": "three", "if_seq": 2}));
    assert_eq!(
        (
            &ack["type"],
            &ack["room"],
            &ack["id"],
            &ack["seq"],
            &ack["duplicate"]
        ),
        (
            &json!("ack"),
            &json!("general"),
            &json!(1),
            &json!(3),
            &json!(false)
        )
    );
    assert_eq!(his.expect_type("message_changed")["content"], "three");
    let page = bob.page("");
    assert_eq!(
        (page.len(), &page[0]["content"], &page[0]["seq"]),
        (1, &json!("three"), &json!(3))
    );
    // The next message comes after the edits.
    assert_eq!(bob.post("four", None).expect(201).json()["id"], 4);
}

/// What it said before goes in one piece when it is deleted, and everyone waits for that.
fn a_message_is_edited_so_often_and_no_more(backend: Backend) {
    let server = Server::start(backend);
    let [alice, _] = two(&server);
    let posted = alice.post("0", None).expect(201).json();
    for n in 1..=200 {
        edit(&alice, &posted["id"], None, &n.to_string()).expect(200);
    }
    edit(&alice, &posted["id"], None, "201").expect_problem(409, "too_many_edits");
    // What it says already is no edit, and it can still be deleted.
    edit(&alice, &posted["id"], None, "200").expect(200);
    alice
        .ask("DELETE", &path(&posted["id"]), &[], &Value::Null)
        .expect(200);
}

fn an_edit_is_in_what_is_caught_up_with(backend: Backend) {
    let server = Server::start(backend);
    let [alice, bob] = two(&server);
    for content in ["one", "two", "three"] {
        alice.post(content, None).expect(201);
    }
    edit(&alice, &json!(1), None, "one, mended").expect(200);
    let since = bob.page("?since=3");
    assert_eq!(
        (since.len(), &since[0]["id"], &since[0]["content"]),
        (1, &json!(1), &json!("one, mended"))
    );
    let mut his = bob.connect();
    his.send_json(
        &json!({"type": "sync", "rooms": {"general": 2}, "epoch": his.connected["epoch"]}),
    );
    his.expect_message("three");
    let changed = his.expect_type("message_changed");
    assert_eq!(
        (&changed["id"], &changed["content"]),
        (&json!(1), &json!("one, mended"))
    );
    assert_eq!(
        his.expect_type("synced")["rooms"]["general"],
        json!({"seq": 4, "complete": true})
    );
}

fn of_two_edits_of_the_same_text_one_wins(backend: Backend) {
    let server = Server::start(backend);
    let [alice, _] = two(&server);
    alice.post("draft", None).expect(201);
    let statuses = thread::scope(|scope| {
        let edits: Vec<_> = (0..8)
            .map(|n| {
                let alice = &alice;
                scope.spawn(move || {
                    edit(alice, &json!(1), Some("\"1\""), &format!("edit {n}")).status
                })
            })
            .collect();
        let mut statuses: Vec<_> = edits
            .into_iter()
            .map(|edit| edit.join().expect("ends"))
            .collect();
        statuses.sort_unstable();
        statuses
    });
    assert_eq!(statuses, [200, 412, 412, 412, 412, 412, 412, 412]);
    assert_eq!(alice.page("")[0]["seq"], 2);
}

fn a_condition_knows_edits_from_reactions_and_is_checked(backend: Backend) {
    let server = Server::start(backend);
    let [alice, _] = two(&server);
    alice.post("one", None).expect(201);
    edit(&alice, &json!(1), Some("\"1\""), "two").expect(200);
    edit(&alice, &json!(1), Some("\"1\""), "three").expect_problem(412, "changed_since");
    edit(&alice, &json!(1), Some("*"), "three").expect(200);
    for wrong in [
        "1",
        "\"one\"",
        "\"1\" \"3\"",
        "w/\"3\"",
        "\"-1\"",
        "\"\"",
        "\"+3\"",
        "\"99999999999999999999\"",
    ] {
        let answer = edit(&alice, &json!(1), Some(wrong), "four");
        answer.expect_problem(422, "validation_error");
        assert_eq!(
            answer.json()["errors"][0]["loc"],
            json!(["header", "if-match"]),
            "{wrong}"
        );
    }
    let mut socket = alice.connect();
    let frame =
        |seq| json!({"type": "edit", "room": "general", "id": 1, "content": "four", "if_seq": seq});
    assert_eq!(socket.ask(frame(2))["code"], "changed_since");
    // What nobody can have seen is of another history.
    assert_eq!(socket.ask(frame(4))["code"], "changed_since");
    edit(&alice, &json!(1), Some("\"9223372036854775808\""), "four")
        .expect_problem(412, "changed_since");
    assert_eq!(socket.ask(frame(3))["seq"], 4);
    let delete = |seq| json!({"type": "delete", "room": "general", "id": 1, "if_seq": seq});
    assert_eq!(socket.ask(delete(3))["code"], "changed_since");
    assert_eq!(socket.ask(delete(5))["code"], "changed_since");
    // Of several the latest counts, and a proxy that compresses makes tags weak.
    edit(&alice, &json!(1), Some("\"1\", W/\"4\""), "five").expect(200);
    assert_eq!(socket.ask(delete(5))["seq"], 6);
    edit(&alice, &json!(1), Some("\"5\""), "six").expect_problem(412, "changed_since");
    edit(&alice, &json!(1), Some("\"6\""), "six").expect_problem(409, "message_deleted");
}

fn an_edit_that_is_sent_again_changes_nothing(backend: Backend) {
    let server = Server::start(backend);
    let [alice, bob] = two(&server);
    let mut his = bob.connect();
    alice.post("one", None).expect(201);
    let first = edit(&alice, &json!(1), Some("\"1\""), "two")
        .expect(200)
        .json();
    // Its answer was lost: it is sent with the condition that it had.
    let again = edit(&alice, &json!(1), Some("\"1\""), "two")
        .expect(200)
        .json();
    assert_eq!(again, first);
    let ack = alice
        .connect()
        .ask(json!({"type": "edit", "room": "general", "id": 1, "content": "two"}));
    assert_eq!((&ack["seq"], &ack["duplicate"]), (&json!(2), &json!(true)));
    alice.post("three", None).expect(201);
    let heard: Vec<_> = (0..3)
        .map(|_| his.expect(|frame| frame["seq"].is_u64() && frame["type"] != "ack")["seq"].clone())
        .collect();
    assert_eq!(heard, [1, 2, 3]);
}

fn only_the_author_edits(backend: Backend) {
    let mut server = Server::start(backend);
    let [mut alice, bob] = two(&server);
    bob.post("his", None).expect(201);
    // Not the owner of the room, either.
    server.restart();
    alice.log_in();
    edit(&alice, &json!(1), None, "hers").expect_problem(403, "forbidden");
    let mut socket = alice.connect();
    assert_eq!(
        socket.ask(json!({"type": "edit", "room": "general", "id": 1, "content": "hers"}))["code"],
        "forbidden"
    );
    assert_eq!(alice.page("")[0]["content"], "his");
}

fn what_cannot_be_edited_is_refused_with_its_code(backend: Backend) {
    let server = Server::start(backend);
    let [alice, bob] = two(&server);
    alice.post("one", None).expect(201);
    for id in [
        "0",
        "2",
        "-1",
        "9223372036854775808",
        "18446744073709551616",
        "01",
        "+1",
        "1.0",
        "one",
        "%31%00",
    ] {
        let answer = alice.ask(
            "PATCH",
            &format!("/api/rooms/general/messages/{id}"),
            &[],
            &json!({"content": "x"}),
        );
        answer.expect_problem(404, "message_not_found");
        let answer = alice.ask(
            "DELETE",
            &format!("/api/rooms/general/messages/{id}"),
            &[],
            &Value::Null,
        );
        answer.expect_problem(404, "message_not_found");
        // Where nobody may look, a message that is there is like one that is not.
        let answer = bob.ask(
            "PATCH",
            &format!("/api/rooms/7/messages/{id}"),
            &[],
            &json!({"content": "x"}),
        );
        answer.expect_problem(404, "room_not_found");
    }
    for content in ["", " \n", "\u{0}x", &"x".repeat(16 * 1024 + 1)] {
        edit(&alice, &json!(1), None, content).expect_problem(422, "validation_error");
    }
    edit(&alice, &json!(1), None, &"x".repeat(16 * 1024)).expect(200);
    let mut socket = alice.connect();
    for (frame, code) in [
        (
            json!({"type": "edit", "room": "general", "id": 1, "content": ""}),
            "validation_error",
        ),
        (
            json!({"type": "edit", "room": "general", "id": 0, "content": "x"}),
            "message_not_found",
        ),
        (
            json!({"type": "edit", "room": "general", "id": 9_223_372_036_854_775_808_u64, "content": "x"}),
            "message_not_found",
        ),
        (
            json!({"type": "edit", "room": "general", "id": -1, "content": "x"}),
            "invalid_frame",
        ),
        (
            json!({"type": "edit", "room": "general", "id": "1", "content": "x"}),
            "invalid_frame",
        ),
        (
            json!({"type": "edit", "id": 1, "content": "x"}),
            "invalid_frame",
        ),
        (
            json!({"type": "edit", "room": "nowhere", "id": 1, "content": "x"}),
            "room_not_found",
        ),
        (
            json!({"type": "delete", "room": "\u{0}", "id": 1}),
            "room_not_found",
        ),
        (
            json!({"type": "delete", "room": "general", "id": 99}),
            "message_not_found",
        ),
    ] {
        assert_eq!(socket.ask(frame.clone())["code"], code, "{frame}");
    }
    socket.say("undisturbed");
    assert_eq!(alice.page("").len(), 2);
}

fn a_room_is_written_in_by_its_name(backend: Backend) {
    let server = Server::start(backend);
    let [alice, bob] = two(&server);
    server.database.execute(&format!(
        "INSERT INTO rooms (id, key, last_seq, created_at, kind, name, name_key) VALUES (2, '2', 0, '2026-11-22 00:00:00', 'public', 'garden', 'garden'); \
         INSERT INTO memberships (room_id, user_id, created_at) VALUES (2, {}, '2026-11-22 00:00:00')",
        alice.id
    ));
    let mut socket = alice.connect();
    // By name, by key, by name: they keep their order, though names have to be looked up.
    for n in 0..20 {
        let room = if n % 3 == 1 { "2" } else { "Garden" };
        socket.send_json(&json!({"type": "message", "room": room, "content": format!("m{n}"), "ref": format!("r{n}")}));
    }
    for n in 0..20 {
        let ack = socket.expect_type("ack");
        assert_eq!(
            (&ack["ref"], &ack["room"], &ack["id"]),
            (&json!(format!("r{n}")), &json!("2"), &json!(n + 1))
        );
    }
    let page = alice.http().get("/api/rooms/2/messages").expect(200).json();
    for n in 0..20 {
        assert_eq!(page[n]["content"], format!("m{n}"));
    }
    let by_name = alice
        .ask(
            "PATCH",
            "/api/rooms/garden/messages/1",
            &[],
            &json!({"content": "dug"}),
        )
        .expect(200);
    assert_eq!(by_name.json()["room"], "2");
    // Who is not in it is told so, and of what nobody has named, nothing.
    let mut his = bob.connect();
    for (room, code) in [
        ("garden", "join_first"),
        ("2", "join_first"),
        ("cellar", "room_not_found"),
    ] {
        let answer = bob.ask(
            "POST",
            &format!("/api/rooms/{room}/messages"),
            &[],
            &json!({"content": "x"}),
        );
        assert_eq!(answer.json()["code"], code);
        let frame = json!({"type": "edit", "room": room, "id": 1, "content": "x"});
        assert_eq!(his.ask(frame)["code"], code);
    }
}
