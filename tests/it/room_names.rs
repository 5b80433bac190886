//! What rooms may be called, and that no one takes one public room for another.

use serde_json::{Value, json};

use crate::support::{Backend, PASSWORD, Response, Server, User};

on_both![
    a_name_is_kept_in_small_letters_and_found_in_any,
    names_that_mislead_are_refused,
    no_public_room_speaks_for_whoever_runs_the_server,
    no_two_public_rooms_look_alike,
    rooms_and_users_from_before_a_rule_keep_their_names,
    no_one_takes_a_username_that_looks_like_another,
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

fn no_public_room_speaks_for_whoever_runs_the_server(backend: Backend) {
    let server = Server::start(backend);
    let alice = User::register(&server, "alice");
    for name in ["admin", "ad-min", "Adm1n", "system", "moderators"] {
        let made = make(&alice, &json!({"name": name, "kind": "public"}));
        made.expect_problem(422, "validation_error");
    }
    // Those who do run it may talk about it among themselves.
    let made = make(&alice, &json!({"name": "admin", "kind": "private"}));
    let made = made.expect(201).json();
    let change = |key: &Value, patch: Value| {
        let path = format!("/api/rooms/{}", key.as_str().expect("a key"));
        alice.ask("PATCH", &path, &[], &patch)
    };
    change(&made["room"], json!({"kind": "public"})).expect_problem(422, "validation_error");
    let other = make(&alice, &json!({"name": "garden"})).expect(201).json();
    change(&other["room"], json!({"name": "admin"})).expect_problem(422, "validation_error");
    // One from before this rule keeps its name, and goes on being changed.
    server
        .database
        .execute("UPDATE rooms SET name = 'root', name_key = 'root' WHERE name = 'garden'");
    let topic = json!({"topic": "all of it"});
    let changed = change(&other["room"], topic).expect(200).json();
    assert_eq!(changed["name"], "root");
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
        "generai",
        "GeneraI",
        "generall",
        "gene-ral",
        "_x",
        "-x",
        "x_",
        "x-",
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
        ("west", "vvest"),
        ("mail", "MaIl"),
    ] {
        alice.make_room(name, "public", &[]);
        make(&bob, &json!({"name": alike})).expect_problem(409, "room_name_taken");
        // Among private rooms that is no matter, as long as they are private, and called so.
        let hidden = bob.make_room(alike, "private", &[]);
        let open = json!({"kind": "public"});
        bob.in_room("PATCH", &hidden, "", &open)
            .expect_problem(409, "room_name_taken");
        let other = bob.make_room(&format!("{name}-too"), "public", &[]);
        bob.in_room("PATCH", &other, "", &json!({"name": alike}))
            .expect_problem(409, "room_name_taken");
    }
    alice.make_room("mall", "public", &[]);
}

fn rooms_and_users_from_before_a_rule_keep_their_names(backend: Backend) {
    let server = Server::start(backend);
    let [alice, mut bob] = ["alice", "bob"].map(|name| User::register(&server, name));
    let (west, other) = (
        alice.make_room("west", "public", &[]),
        alice.make_room("other", "public", &[&bob]),
    );
    // As a release before this rule let them be.
    for sql in [
        format!("UPDATE rooms SET name = '_vvest-', name_key = '_vvest-' WHERE key = '{other}'"),
        format!("UPDATE rooms SET name = '_west-', name_key = '_west-' WHERE key = '{west}'"),
        "UPDATE users SET username = 'a1ice', username_key = 'a1ice' WHERE username = 'bob'".into(),
    ] {
        server.database.execute(&sql);
    }
    bob.name = "a1ice".into();
    bob.log_in();
    for (key, name) in [(&west, "_west-"), (&other, "_vvest-")] {
        let found = bob.http().get(&format!("/api/rooms/{name}")).expect(200);
        assert_eq!(found.json()["room"], **key);
        let patch = json!({"topic": "as before", "slow_seconds": 0, "kind": "public"});
        alice.in_room("PATCH", name, "", &patch).expect(200);
        alice.post_to(name, "as before").expect(201);
    }
    let doctor = crate::doctor::doctor_of(&server, &[]);
    assert!(
        doctor.status.success(),
        "{}{}",
        doctor.stdout,
        doctor.stderr
    );
}

fn no_one_takes_a_username_that_looks_like_another(backend: Backend) {
    let server = Server::start(backend);
    User::register(&server, "alice-w");
    let register = |name: &str| {
        let account = json!({"username": name, "password": PASSWORD});
        server.http().post("/api/auth/register", &account)
    };
    for name in ["a1ice-w", "AIice-w", "aliCe-vv", "alice_w"] {
        let answer = register(name);
        answer.expect_problem(400, "username_taken");
        assert_eq!(
            answer.json()["detail"],
            "This username looks like one that is taken; choose another one.",
            "{name}"
        );
    }
    let same = register("ALICE-W");
    assert_eq!(same.json()["detail"], "Username already registered");
    for name in ["alicew", "alices-w", "Allce-W", "aiice-w"] {
        register(name).expect(201);
    }
    for name in ["adm1n", "De1eted-user-3", "everyone1"] {
        register(name).expect_problem(422, "validation_error");
    }
    // Of many at the same moment only one is left.
    let made: usize = std::thread::scope(|scope| {
        let names = ["milo", "mi1o", "mil0", "rnilo", "miIo", "rni10"].map(|name| {
            let register = &register;
            scope.spawn(move || usize::from(register(name).status == 201))
        });
        names.into_iter().map(|one| one.join().expect("ends")).sum()
    });
    assert_eq!(made, 1);
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
