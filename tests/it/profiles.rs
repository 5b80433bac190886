//! What people say of themselves, and how others find them.

use serde_json::{Value, json};

use crate::{
    support::{Backend, PASSWORD, Response, Server, User, eventually},
    users::{done, users},
};

on_both![
    what_someone_says_of_themselves_is_seen_by_all_and_told_to_who_shares_a_room,
    a_display_name_stays_in_its_place,
    people_are_found_by_the_beginnings_of_their_names,
    what_someone_sets_for_themselves_is_told_to_no_one_else,
    what_someone_sets_for_themselves_is_on_all_their_devices,
    what_someone_says_is_sealed_shown_to_the_operator_and_gone_with_the_account,
];

#[track_caller]
fn change(user: &User, patch: Value) -> Response {
    user.ask("PATCH", "/api/users/me", &[], &patch)
}

fn found(user: &User, q: &str) -> Vec<String> {
    let path = format!("/api/users?q={q}");
    let page = user.http().get(&path).expect(200).json();
    let names = page.as_array().unwrap().iter();
    names
        .map(|one| one["username"].as_str().unwrap().to_owned())
        .collect()
}

fn what_someone_says_of_themselves_is_seen_by_all_and_told_to_who_shares_a_room(backend: Backend) {
    let server = Server::start(backend);
    let [alice, bob] = ["alice", "bob"].map(|name| User::register(&server, name));
    let room = alice.make_room("garden", "private", &[&bob]);
    let mut hers = alice.connect();
    let patch = json!({"display_name": "Bob Gardener", "bio": "Grows beans.\nAnd peas.", "pronouns": "he/him", "time_zone": "Europe/Berlin"});
    let own = change(&bob, patch.clone()).expect(200).json();
    assert_eq!(own["status"], json!({"state": "online"}));
    let told = hers.expect_type("user");
    let seen = alice.http().get("/api/users/bob").expect(200).json();
    for (field, value) in patch.as_object().unwrap() {
        assert_eq!(
            (&own[field], &told[field], &seen[field]),
            (value, value, value),
            "{field}"
        );
    }
    assert_eq!(
        (&told["user_id"], &seen["id"]),
        (&json!(bob.id), &json!(bob.id))
    );
    assert!(seen.get("email").is_none());
    assert_eq!(
        seen,
        alice
            .http()
            .get(&format!("/api/users/{}", bob.id))
            .expect(200)
            .json()
    );
    let members = alice
        .in_room("GET", &room, "/members", &Value::Null)
        .expect(200)
        .json();
    let names: Vec<_> = members
        .as_array()
        .unwrap()
        .iter()
        .map(|one| one["display_name"].clone())
        .collect();
    assert_eq!(names, [Value::Null, json!("Bob Gardener")]);
    // What is absent stays, what is empty goes.
    let own = change(&bob, json!({"pronouns": "", "time_zone": ""}))
        .expect(200)
        .json();
    assert_eq!(
        (&own["pronouns"], &own["bio"]),
        (&Value::Null, &patch["bio"])
    );
    let told = hers.expect_type("user");
    assert_eq!(
        (&told["pronouns"], &told["display_name"]),
        (&Value::Null, &json!("Bob Gardener"))
    );
    for wrong in [
        json!({"time_zone": "Mars/Olympus"}),
        json!({"display_name": "x".repeat(65)}),
        json!({"bio": "x".repeat(501)}),
        json!({"bio": "a\u{0}b"}),
        json!({"pronouns": 7}),
    ] {
        change(&bob, wrong).expect_problem(422, "validation_error");
    }
    alice
        .http()
        .get("/api/users/nobody")
        .expect_problem(404, "user_not_found");
    server
        .http()
        .get("/api/users/bob")
        .expect_problem(401, "not_authenticated");
}

fn a_display_name_stays_in_its_place(backend: Backend) {
    let server = Server::start(backend);
    let alice = User::register(&server, "alice");
    let heap = format!("Z{}algo", "\u{334}".repeat(50));
    for (given, kept) in [
        (" Anna \n\t Maria ", json!("Anna Maria")),
        ("\u{202e}kcatta\u{202c}\u{200b}", json!("kcatta")),
        ("\u{1b}[31mred\u{7}", json!("[31mred")),
        ("\u{200b}\u{2060}", Value::Null),
        // It is shown beside the username, which no one else can have.
        ("аdmin", json!("аdmin")),
    ] {
        let own = change(&alice, json!({"display_name": given}))
            .expect(200)
            .json();
        assert_eq!(own["display_name"], kept, "{given:?}");
        assert_eq!(own["username"], "alice");
    }
    let own = change(&alice, json!({"display_name": heap}))
        .expect(200)
        .json();
    assert!(
        own["display_name"].as_str().unwrap().chars().count() < 12,
        "{own}"
    );
}

fn people_are_found_by_the_beginnings_of_their_names(backend: Backend) {
    let mut server = Server::start(backend);
    let [alice, bob, zoe] =
        ["alice-b", "Bob_the_2nd", "zoe"].map(|name| User::register(&server, name));
    change(&bob, json!({"display_name": "Robert Al-Amin"})).expect(200);
    change(&zoe, json!({"display_name": "Zoë Müller 100%"})).expect(200);
    let all = |user: &User| {
        for (q, names) in [
            ("al", vec!["alice-b", "Bob_the_2nd"]),
            ("AL", vec!["alice-b", "Bob_the_2nd"]),
            ("alice-b", vec!["alice-b"]),
            ("%40alice", vec!["alice-b"]),
            ("bob_the", vec!["Bob_the_2nd"]),
            ("rob+am", vec!["Bob_the_2nd"]),
            ("rob+zo", vec![]),
            ("mull", vec!["zoe"]),
            ("M%C3%BCl", vec!["zoe"]),
            ("lice", vec![]),
            ("%25", vec![]),
            ("_", vec![]),
            ("'", vec![]),
            ("", vec!["alice-b", "Bob_the_2nd", "zoe"]),
        ] {
            let mut found = found(user, q);
            found.sort_by_key(|name| name.to_lowercase());
            assert_eq!(found, names, "{q}");
        }
    };
    all(&alice);
    // Page by page, each once.
    let mut path = "/api/users?limit=1".to_owned();
    let mut names = Vec::new();
    loop {
        let page = alice.http().get(&path).expect(200);
        names.push(page.json()[0]["username"].as_str().unwrap().to_owned());
        let Some(link) = page.header("link") else {
            break;
        };
        let next = link.trim_start_matches('<').split('>').next();
        next.unwrap().clone_into(&mut path);
    }
    assert_eq!(names.len(), 3, "{names:?}");
    let cursor = path.split("cursor=").nth(1).unwrap();
    let other = format!("/api/users?q=al&cursor={cursor}");
    alice
        .http()
        .get(&other)
        .expect_problem(422, "validation_error");
    let long = format!("/api/users?q={}", "x".repeat(101));
    alice
        .http()
        .get(&long)
        .expect_problem(422, "validation_error");
    // Those who came before there were such words are found, too.
    server.database.execute("DELETE FROM user_words");
    server.restart();
    eventually("everyone is found again", || {
        (found(&alice, "").len() == 3).then_some(())
    });
    all(&alice);
}

fn what_someone_sets_for_themselves_is_told_to_no_one_else(backend: Backend) {
    let mut server = Server::start(backend);
    let [alice, bob] = ["alice", "bob"].map(|name| User::register(&server, name));
    let own = bob.http().get("/api/users/me").expect(200).json();
    assert_eq!(
        (&own["receipts"], &own["quiet_hours"]),
        (&json!(true), &Value::Null)
    );
    let patch = json!({"receipts": false, "quiet_hours": "22:00-07:30"});
    change(&bob, patch.clone()).expect(200);
    server.restart();
    let own = bob.http().get("/api/users/me").expect(200).json();
    for (field, value) in patch.as_object().unwrap() {
        assert_eq!(own[field], *value, "{field}");
    }
    let mut hers = alice.connect();
    // What is absent stays, what is empty goes.
    let own = change(&bob, json!({"quiet_hours": ""})).expect(200).json();
    assert_eq!(
        (&own["receipts"], &own["quiet_hours"]),
        (&json!(false), &Value::Null)
    );
    change(&bob, patch).expect(200);
    let seen = alice.http().get("/api/users/bob").expect(200).json();
    assert_eq!(
        (seen.get("receipts"), seen.get("quiet_hours")),
        (None, None)
    );
    // Nor do they hear that something was set: this is the first that they are told.
    change(&bob, json!({"pronouns": "he"})).expect(200);
    let told = hers.expect_type("user");
    assert_eq!(told["pronouns"], "he", "{told}");
    let shown = done(users(&server, &["show", "bob"], ""));
    assert!(shown.contains("22:00-07:30"), "{shown}");
    for wrong in ["7-8", "22:00-22:00", "24:00-01:00", "at night"] {
        change(&bob, json!({"quiet_hours": wrong})).expect_problem(422, "validation_error");
    }
    change(&bob, json!({"receipts": "no"})).expect_problem(422, "validation_error");
}

fn what_someone_sets_for_themselves_is_on_all_their_devices(backend: Backend) {
    let mut server = Server::start(backend);
    let [alice, bob] = ["alice", "bob"].map(|name| User::register(&server, name));
    let (mut first, mut second, mut hers) = (bob.connect(), bob.connect(), alice.connect());
    assert_eq!(first.connected["settings"], json!({"receipts": true}));
    let mut set = json!({"receipts": true});
    for (field, value) in [
        ("quiet_hours", json!("22:00-07:00")),
        ("time_zone", json!("Asia/Kolkata")),
        ("receipts", json!(false)),
        ("quiet_hours", json!("23:30-06:00")),
    ] {
        change(&bob, json!({field: value})).expect(200);
        set[field] = value;
        for socket in [&mut first, &mut second] {
            let mut told = socket.expect_type("settings");
            told.as_object_mut().expect("an object").remove("type");
            assert_eq!(told, set);
        }
    }
    // What is set otherwise is the last of many changes at once.
    let many: Vec<_> = (0..12).map(|hour| format!("{hour:02}:00-23:00")).collect();
    std::thread::scope(|scope| {
        for hours in &many {
            let bob = &bob;
            scope.spawn(move || change(bob, json!({"quiet_hours": hours})).expect(200));
        }
    });
    let own = bob.http().get("/api/users/me").expect(200).json();
    let last = many.iter().map(|_| second.expect_type("settings")).last();
    assert_eq!(last.expect("twelve")["quiet_hours"], own["quiet_hours"]);
    set["quiet_hours"] = own["quiet_hours"].clone();
    // A profile that others see is no such setting, and what is empty goes.
    change(&bob, json!({"pronouns": "he"})).expect(200);
    change(&bob, json!({"quiet_hours": ""})).expect(200);
    let told = second.expect_type("settings");
    assert_eq!(told.get("quiet_hours"), None, "{told}");
    set.as_object_mut()
        .expect("an object")
        .remove("quiet_hours");
    // She has heard what he says of himself, and nothing else.
    let heard = hers.drain();
    assert!(
        !heard.iter().any(|frame| frame["type"] == "settings"),
        "{heard:?}"
    );
    server.restart();
    assert_eq!(bob.connect().connected["settings"], set);
    assert_eq!(
        alice.connect().connected["settings"],
        json!({"receipts": true})
    );
}

fn what_someone_says_is_sealed_shown_to_the_operator_and_gone_with_the_account(backend: Backend) {
    let server = Server::start(backend);
    let [alice, bob] = ["alice", "bob"].map(|name| User::register(&server, name));
    let next_year = (chrono::Utc::now() + chrono::TimeDelta::days(300)).date_naive();
    let until = format!("{next_year}T00:00:00.000000+00:00");
    let patch = json!({"display_name": "Bob Gardener", "bio": "planted-bio", "pronouns": "planted-pronouns", "time_zone": "Asia/Tokyo"});
    change(&bob, patch).expect(200);
    let status = |status: Value| {
        bob.ask("PUT", "/api/users/me/status", &[], &status)
            .expect(200);
    };
    status(json!({"state": "invisible"}));
    status(json!({"state": "dnd", "text": "planted-status", "emoji": "🍜", "until": until}));
    let stored = |column: &str| {
        let sql = format!(
            "SELECT CAST({column} AS TEXT) AS value FROM users WHERE id = {}",
            bob.id
        );
        server.database.query(&sql).remove(0)
    };
    for column in ["status_state", "status_until", "status_then"] {
        assert!(stored(column).is_some(), "{column}");
    }
    for column in ["bio", "pronouns", "status_text", "status_emoji"] {
        let text = stored(column).expect("a text");
        assert!(
            !text.contains("planted") && !text.contains('🍜'),
            "{column}: {text}"
        );
    }
    let shown = done(users(&server, &["show", "bob"], ""));
    for word in [
        "Bob Gardener",
        "planted-bio",
        "planted-pronouns",
        "Asia/Tokyo",
        "dnd",
        until.as_str(),
        "invisible",
        "planted-status",
        "🍜",
    ] {
        assert!(shown.contains(word), "{word} in {shown}");
    }
    // What was moved to someone else does not open there.
    server.database.execute(&format!(
        "UPDATE users SET bio = (SELECT bio FROM users WHERE id = {}) WHERE id = {}",
        bob.id, alice.id
    ));
    assert_eq!(
        alice.http().get("/api/users/me").expect(200).json()["bio"],
        Value::Null
    );
    done(users(&server, &["delete", "bob", "--yes"], ""));
    for column in [
        "display_name",
        "bio",
        "pronouns",
        "time_zone",
        "status_state",
        "status_text",
        "status_emoji",
        "status_until",
        "status_then",
    ] {
        assert_eq!(stored(column), None, "{column}");
    }
    assert!(found(&alice, "bob").is_empty() && found(&alice, "gard").is_empty());
    alice
        .http()
        .get("/api/users/bob")
        .expect_problem(404, "user_not_found");
    alice
        .http()
        .get(&format!("/api/users/{}", bob.id))
        .expect_problem(404, "user_not_found");
    let login = json!({"username": "bob", "password": PASSWORD});
    server
        .http()
        .post("/api/auth/login", &login)
        .expect_problem(401, "wrong_credentials");
}
