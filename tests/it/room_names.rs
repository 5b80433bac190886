//! What rooms may be called, and that no one takes one public room for another.

use serde_json::{Value, json};

use crate::support::{Backend, Response, Server, User};

on_both![
    a_name_is_kept_in_small_letters_and_found_in_any,
    names_that_mislead_are_refused,
    no_two_public_rooms_look_alike,
    the_name_of_a_private_room_does_not_show,
    a_topic_is_one_line_that_says_what_it_holds,
];

fn make(user: &User, body: &Value) -> Response {
    user.http().post("/api/rooms", body)
}

fn a_name_is_kept_in_small_letters_and_found_in_any(backend: Backend) {
    let server = Server::start(backend);
    let alice = User::register(&server, "alice");
    let made = make(&alice, &json!({"name": "#Garden"})).expect(201).json();
    assert_eq!(made["name"], "garden");
    for name in ["garden", "GARDEN"] {
        let found = alice.http().get(&format!("/api/rooms/{name}")).expect(200);
        assert_eq!(found.json()["room"], made["room"]);
    }
}

fn names_that_mislead_are_refused(backend: Backend) {
    let server = Server::start(backend);
    let alice = User::register(&server, "alice");
    let long = "a".repeat(65);
    for name in [
        "",
        " ",
        "7",
        "1-2",
        "a b",
        "gärten",
        "гараж",
        "a\u{0}b",
        "a/b",
        "../x",
        "a\u{202e}b",
        "General",
        "genera1",
        "directory",
        "here",
        "room",
        "r00m",
        "all",
        "a11",
        "everyone",
        "gener4l",
        "d1rectory",
        "H3RE",
        "3very0ne",
        &long,
    ] {
        for kind in ["public", "private"] {
            let answer = make(&alice, &json!({"name": name, "kind": kind}));
            answer.expect_problem(422, "validation_error");
            assert_eq!(answer.json()["errors"][0]["loc"], json!(["body", "name"]));
        }
    }
    make(&alice, &json!({})).expect_problem(422, "validation_error");
    make(&alice, &json!({"name": 7})).expect_problem(422, "validation_error");
    make(&alice, &json!({"name": "tea", "kind": "direct"})).expect_problem(422, "validation_error");
    make(&alice, &json!({"name": "tea", "kind": "secret"})).expect_problem(422, "validation_error");
    make(&alice, &json!({"name": &long[1..]})).expect(201);
    assert_eq!(
        server
            .database
            .query("SELECT CAST(count(*) AS TEXT) AS value FROM rooms"),
        [Some("2".to_owned())]
    );
}

fn no_two_public_rooms_look_alike(backend: Backend) {
    let server = Server::start(backend);
    let (alice, bob) = (
        User::register(&server, "alice"),
        User::register(&server, "bob"),
    );
    for (name, alike) in [
        ("garden", "GARDEN"),
        ("tool", "t00l"),
        ("bill", "bi1l"),
        ("corner", "comer"),
    ] {
        alice.make_room(name, "public", &[]);
        make(&bob, &json!({"name": alike})).expect_problem(409, "room_name_taken");
        // Among private rooms that is no matter.
        bob.make_room(alike, "private", &[]);
    }
}

fn the_name_of_a_private_room_does_not_show(backend: Backend) {
    let server = Server::start(backend);
    let (alice, bob) = (
        User::register(&server, "alice"),
        User::register(&server, "bob"),
    );
    let hers = alice.make_room("cellar", "private", &[]);
    let his = bob.make_room("cellar", "private", &[]);
    let public = bob.http().get("/api/rooms/cellar").expect(200).json();
    assert_eq!(public["room"], *his);
    let carol = User::register(&server, "carol");
    let open = carol.make_room("cellar", "public", &[]);
    assert!(open != hers && open != his);
}

fn a_topic_is_one_line_that_says_what_it_holds(backend: Backend) {
    let server = Server::start(backend);
    let alice = User::register(&server, "alice");
    let topic = format!("  tea \u{202e}& cake{} ", "é".repeat(200));
    let made = make(&alice, &json!({"name": "tea", "topic": topic}));
    let made = made.expect(201).json();
    assert_eq!(made["topic"], format!("tea & cake{}", "é".repeat(200)));
    let blank = make(&alice, &json!({"name": "cake", "topic": " \u{200b}"}));
    assert!(blank.expect(201).json().get("topic").is_none());
    for wrong in [
        "a\nb",
        "a\n",
        "\u{84}",
        "a\u{0}b",
        "a\u{1b}[1mb",
        &"é".repeat(251),
    ] {
        let answer = make(&alice, &json!({"name": "jam", "topic": wrong}));
        answer.expect_problem(422, "validation_error");
        assert_eq!(answer.json()["errors"][0]["loc"], json!(["body", "topic"]));
    }
    let stored = server
        .database
        .query("SELECT topic AS value FROM rooms WHERE topic LIKE '%cake%'");
    assert!(stored.is_empty(), "{stored:?}");
}
