//! Slash commands: what is typed with a slash before it does what the frames and requests of the same name do, and is said
//! by nobody; and what is sent as a message is one, whatever it begins with.

use serde_json::{Value, json};

use crate::support::{Backend, Server, User};

on_both![
    the_commands_are_listed_with_what_they_do_and_where,
    what_somebody_does_is_a_message_that_any_client_shows,
    a_command_changes_the_room_as_its_request_does,
    people_are_written_to_from_any_room,
    what_one_is_is_said_shown_and_taken_back,
    a_reminder_comes_at_its_time_where_it_was_asked_for,
    a_command_that_is_sent_again_is_carried_out_once,
    what_is_no_command_says_what_is_near_and_does_nothing,
    a_message_that_looks_like_a_command_is_a_message,
    what_is_typed_in_a_socket_is_done_in_its_order,
    commands_are_charged_as_messages_are,
];

fn three(server: &Server) -> [User; 3] {
    ["alice", "bob", "carol"].map(|name| User::register(server, name))
}

/// Types something in a room.
#[track_caller]
fn run(user: &User, room: &str, text: &str) -> Value {
    let body = json!({"text": text});
    let answer = user.in_room("POST", room, "/commands", &body).expect(200);
    answer.json()
}

#[track_caller]
fn refused(user: &User, room: &str, text: &str, status: u16, code: &str) -> String {
    let body = json!({"text": text});
    let answer = user.in_room("POST", room, "/commands", &body);
    answer.expect_problem(status, code);
    answer.json()["detail"]
        .as_str()
        .expect("a sentence")
        .to_owned()
}

fn names_in(user: &User, room: &str) -> Vec<String> {
    let members = user.in_room("GET", room, "/members", &Value::Null);
    let members = members.expect(200).json();
    let members = members.as_array().expect("members").iter();
    let name = |member: &Value| member["username"].as_str().expect("a name").to_owned();
    members.map(name).collect()
}

/// What people have written in a room, the latest last.
fn written(user: &User, room: &str) -> Vec<String> {
    let page = user.in_room("GET", room, "/messages", &Value::Null);
    let page = page.expect(200).json();
    let page = page.as_array().expect("messages").iter();
    page.filter(|message| message["kind"].is_null())
        .map(|message| message["content"].as_str().expect("a text").to_owned())
        .collect()
}

fn the_commands_are_listed_with_what_they_do_and_where(backend: Backend) {
    let server = Server::start(backend);
    server
        .http()
        .get("/api/commands")
        .expect_problem(401, "not_authenticated");
    let alice = User::register(&server, "alice");
    let listed = alice.http().get("/api/commands").expect(200).json();
    let listed = listed.as_array().expect("commands");
    let names: Vec<_> = listed
        .iter()
        .map(|one| one["name"].as_str().expect("a name"))
        .collect();
    let wanted = [
        "me", "shrug", "topic", "invite", "kick", "leave", "dm", "remind", "status",
    ];
    assert!(wanted.iter().all(|name| names.contains(name)), "{names:?}");
    let page = std::fs::read_to_string(crate::support::root().join("docs/API.md")).expect("reads");
    for command in listed {
        let text = |field: &str| command[field].as_str().expect("a text");
        for field in ["usage", "example"] {
            let begins = text(field).split(' ').next();
            assert_eq!(begins, Some(format!("/{}", text("name")).as_str()));
        }
        assert!(text("about").ends_with('.'), "{command}");
        assert!(!command["rooms"].as_array().expect("kinds").is_empty());
        let row = format!("| `{}` |", text("usage").replace('|', "\\|"));
        assert!(page.contains(&row), "docs/API.md does not tell of {row}");
    }
    // Where one cannot be used, it is not said to be.
    // Whom the examples name is not in it.
    let [_, carol] = ["bob", "carol"].map(|name| User::register(&server, name));
    let direct = alice
        .http()
        .post("/api/direct", &json!({"users": ["carol"]}));
    let direct = direct.expect(201).json()["room"]
        .as_str()
        .expect("a key")
        .to_owned();
    for command in listed {
        let is_for_direct = command["rooms"]
            .as_array()
            .expect("kinds")
            .contains(&json!("direct"));
        let name = command["name"].as_str().expect("a name");
        let text = match name {
            "invite" | "kick" => format!("/{name} @bob"),
            "leave" => "/leave".to_owned(),
            "topic" => "/topic tea".to_owned(),
            _ => command["example"].as_str().expect("a text").to_owned(),
        };
        let answer = carol.in_room("POST", &direct, "/commands", &json!({"text": text}));
        assert_eq!(answer.status == 200, is_for_direct, "{text}: {answer:?}");
    }
}

fn what_somebody_does_is_a_message_that_any_client_shows(backend: Backend) {
    let server = Server::start(backend);
    let [alice, bob, _] = three(&server);
    let mut his = bob.connect();
    let done = run(&alice, "general", "/me waves at @bob");
    assert_eq!(
        (&done["command"], &done["done"]),
        (&json!("me"), &json!("Said."))
    );
    assert_eq!(done["room"], "general");
    assert_eq!(done["message"]["content"], "*waves at @bob*");
    let heard = his.expect_message("*waves at @bob*");
    assert_eq!(heard["username"], "alice");
    assert_eq!(
        heard["mentions"],
        json!([{"user_id": bob.id, "from": 10, "to": 14}])
    );
    // It is edited and answered as any other.
    let id = done["message"]["id"].as_u64().expect("an id");
    let thread = json!({"text": "/shrug who knows", "thread": id});
    let said = bob
        .in_room("POST", "general", "/commands", &thread)
        .expect(200)
        .json();
    assert_eq!(said["message"]["content"], r"who knows ¯\\\_(ツ)\_/¯");
    assert_eq!(said["message"]["thread"], id);
    run(&bob, "general", "/shrug");
    assert_eq!(
        written(&alice, "general"),
        ["*waves at @bob*", r"¯\\\_(ツ)\_/¯"]
    );
}

fn a_command_changes_the_room_as_its_request_does(backend: Backend) {
    let server = Server::start(backend);
    let [alice, bob, carol] = three(&server);
    let garden = alice.make_room("garden", "private", &[]);
    let mut hers = carol.connect();
    let done = run(&alice, &garden, "/invite @bob");
    assert_eq!(
        (&done["done"], &done["room"]),
        (&json!("bob is in the room now."), &json!(garden))
    );
    assert!(done["message"].is_null(), "it says nothing: {done}");
    // From another room, by name and by key.
    run(&bob, "general", "/invite carol #garden");
    assert_eq!(hers.expect_type("room")["room"], *garden);
    assert_eq!(names_in(&alice, &garden).len(), 3);
    assert_eq!(run(&alice, "garden", "/invite @carol")["duplicate"], true);
    run(&alice, "general", &format!("/kick @carol #{garden}"));
    assert_eq!(names_in(&alice, &garden).len(), 2);
    run(&alice, &garden, "/topic seeds 🌱");
    assert_eq!(room(&alice, &garden)["topic"], "seeds 🌱");
    run(&alice, &garden, "/topic -");
    assert!(room(&alice, &garden)["topic"].is_null());
    run(&bob, "general", "/leave #garden");
    assert_eq!(names_in(&alice, &garden), ["alice"]);
    // Who may not, may not by a command.
    run(&alice, &garden, "/invite bob");
    refused(&bob, &garden, "/topic mine", 403, "forbidden");
    refused(&bob, &garden, "/kick @alice", 403, "forbidden");
    refused(&carol, &garden, "/me waves", 404, "room_not_found");
    refused(
        &carol,
        "general",
        &format!("/kick @bob #{garden}"),
        404,
        "room_not_found",
    );
    refused(
        &alice,
        &garden,
        "/invite @nobody-here",
        404,
        "user_not_found",
    );
    refused(&alice, &garden, "/leave", 409, "last_owner");
    refused(&bob, "general", "/leave", 403, "forbidden");
    refused(
        &alice,
        &garden,
        &format!("/topic {}", "x".repeat(251)),
        422,
        "validation_error",
    );
    assert_eq!(
        written(&alice, &garden),
        Vec::<String>::new(),
        "nothing of it was said"
    );
    assert_eq!(written(&alice, "general"), Vec::<String>::new());
}

fn room(user: &User, key: &str) -> Value {
    user.in_room("GET", key, "", &Value::Null)
        .expect(200)
        .json()
}

fn people_are_written_to_from_any_room(backend: Backend) {
    let server = Server::start(backend);
    let [alice, bob, carol] = three(&server);
    let mut his = bob.connect();
    let told = run(&alice, "general", "/dm @bob are you there?");
    assert_eq!(told["done"], "Sent to bob.");
    let direct = told["room"].as_str().expect("a key").to_owned();
    assert_ne!(direct, "general");
    assert_eq!(his.expect_message("are you there?")["room"], *direct);
    // What is said is said to who is named before it, whoever is named in it.
    let told = run(&alice, "general", "/dm @bob @carol is late");
    assert_eq!(told["room"], *direct);
    assert_eq!(written(&bob, &direct), ["are you there?", "@carol is late"]);
    let three = run(&alice, "general", "/dm @bob,@carol");
    assert_eq!(three["done"], "The conversation is open.");
    let of_three = three["room"].as_str().expect("a key").to_owned();
    run(&bob, &direct, "/dm carol,alice all of us");
    assert_eq!(written(&carol, &of_three), ["all of us"]);
    assert_eq!(written(&alice, "general"), Vec::<String>::new());
    // What cannot be said opens nothing.
    let count = |user: &User| {
        user.http()
            .get("/api/rooms")
            .expect(200)
            .json()
            .as_array()
            .expect("rooms")
            .len()
    };
    let before = count(&bob);
    let long = format!("/dm @carol {}", "x".repeat(17_000));
    refused(&bob, "general", &long, 422, "validation_error");
    refused(
        &bob,
        "general",
        "/dm @nobody-here hi",
        404,
        "user_not_found",
    );
    assert_eq!(count(&bob), before);
}

fn what_one_is_is_said_shown_and_taken_back(backend: Backend) {
    let server = Server::start(backend);
    let [alice, bob, _] = three(&server);
    let own = |user: &User| user.http().get("/api/users/me").expect(200).json()["status"].clone();
    let done = run(&alice, "general", "/status dnd: 🍜 at lunch for 30 minutes");
    assert_eq!(
        done["done"],
        "You are not to be disturbed: 🍜 at lunch (for 30 minutes, and online then)"
    );
    let status = own(&alice);
    assert_eq!(status, done["status"]);
    assert_eq!(
        (&status["state"], &status["emoji"]),
        (&json!("dnd"), &json!("🍜"))
    );
    assert!(status["until"].is_string(), "{status}");
    assert_eq!(
        run(&alice, "general", "/status")["status"],
        status,
        "it is only shown"
    );
    let seen = bob.http().get("/api/users/alice").expect(200).json();
    assert_eq!(seen["status"]["text"], "at lunch");
    let cleared = run(&alice, "general", "/status clear");
    assert_eq!(cleared["status"], json!({"state": "online"}));
    // Also for all devices, where a bare frame would be of this one alone.
    let mut hers = alice.connect();
    let answer = hers.ask(json!({"type": "command", "room": "general", "text": "/status away"}));
    assert_eq!(
        (&answer["type"], &answer["done"]),
        (&json!("ack"), &json!("You are away."))
    );
    assert_eq!(own(&alice)["state"], "away");
    let long = format!("/status {}", "x".repeat(101));
    refused(&alice, "general", &long, 422, "validation_error");
    refused(&alice, "nowhere", "/status away", 404, "room_not_found");
}

fn a_reminder_comes_at_its_time_where_it_was_asked_for(backend: Backend) {
    let server = Server::start(backend);
    let [alice, bob, _] = three(&server);
    let garden = alice.make_room("garden", "public", &[&bob]);
    let mut hers = alice.connect();
    let mut his = bob.connect();
    let told = run(
        &alice,
        &garden,
        "/remind me in 2 seconds to look at the oven",
    );
    assert!(
        told["done"].as_str().is_some_and(
            |done| done.starts_with("The reminder comes on ") && done.ends_with("(UTC). Your profile has no time zone yet: set one, and times are read by your own clock.")
        ),
        "{told}"
    );
    let notes = told["scheduled"]["room"]
        .as_str()
        .expect("a room")
        .to_owned();
    assert_ne!(notes, garden);
    let reminds = |room: &str, text: &str| {
        let (room, text) = (room.to_owned(), text.to_owned());
        move |frame: &Value| {
            frame["type"] == "message" && frame["room"] == room && frame["content"] == text
        }
    };
    hers.expect(reminds(&notes, "Reminder: look at the oven"));
    // A frame does it as well, for a room in which others hear it.
    let text = "/remind #garden in 2 seconds tea is ready";
    hers.send_json(&json!({"type": "command", "room": "general", "text": text, "ref": "r"}));
    let ack = hers.expect(|frame| frame["ref"] == "r");
    assert_eq!(ack["type"], "ack", "{ack}");
    his.expect(reminds(&garden, "Reminder: tea is ready"));
    for text in [
        "/remind me whenever to look",
        "/remind me yesterday tea",
        "/remind bob in 5 minutes tea",
    ] {
        refused(&alice, &garden, text, 422, "validation_error");
    }
}

fn a_command_that_is_sent_again_is_carried_out_once(backend: Backend) {
    let server = Server::start(backend);
    let [alice, bob, _] = three(&server);
    let again = |text: &str, client_id: &str| {
        let body = json!({"text": text, "client_id": client_id});
        let first = alice
            .in_room("POST", "general", "/commands", &body)
            .expect(200)
            .json();
        let second = alice
            .in_room("POST", "general", "/commands", &body)
            .expect(200)
            .json();
        assert_eq!(
            (&first["duplicate"], &second["duplicate"]),
            (&Value::Null, &json!(true))
        );
        assert_eq!(first["message"]["id"], second["message"]["id"]);
        assert_eq!(first["room"], second["room"]);
        first["room"].as_str().expect("a key").to_owned()
    };
    again("/me waves", "c1");
    again("/shrug", "c2");
    let direct = again("/dm @bob hi", "c3");
    again("/topic tea", "c4");
    assert_eq!(written(&bob, "general").len(), 2);
    assert_eq!(written(&bob, &direct), ["hi"]);
    // Of another message it is refused, as there.
    let body = json!({"text": "/me sleeps", "client_id": "c1"});
    let refused = alice.in_room("POST", "general", "/commands", &body);
    refused.expect_problem(409, "client_id_reused");
    let body = json!({"text": "/me sleeps", "client_id": ""});
    let refused = alice.in_room("POST", "general", "/commands", &body);
    refused.expect_problem(422, "validation_error");
}

fn what_is_no_command_says_what_is_near_and_does_nothing(backend: Backend) {
    let server = Server::start(backend);
    let alice = User::register(&server, "alice");
    let said = refused(&alice, "general", "/tpoic tea", 422, "unknown_command");
    assert_eq!(said, "There is no command `/tpoic`; near it are `/topic`.");
    let said = refused(&alice, "general", "/dance", 422, "unknown_command");
    assert!(
        said.starts_with("There is no command `/dance`; there are `/me`, "),
        "{said}"
    );
    let said = refused(&alice, "general", "/invite", 422, "validation_error");
    assert_eq!(said, "It is written so: `/invite @user [#room]`.");
    refused(&alice, "general", "hello", 422, "validation_error");
    refused(&alice, "general", "//me waves", 422, "unknown_command");
    let mut hers = alice.connect();
    let answer = hers.ask(json!({"type": "command", "room": "general", "text": "/tpoic tea"}));
    assert_eq!(
        (&answer["type"], &answer["code"]),
        (&json!("error"), &json!("unknown_command"))
    );
    assert_eq!(
        answer["detail"],
        "There is no command `/tpoic`; near it are `/topic`."
    );
    assert!(room(&alice, "general")["topic"].is_null());
    assert_eq!(written(&alice, "general"), Vec::<String>::new());
}

fn a_message_that_looks_like_a_command_is_a_message(backend: Backend) {
    let server = Server::start(backend);
    let alice = User::register(&server, "alice");
    let mut hers = alice.connect();
    let texts = [
        "/topic tea",
        "/me waves",
        "//me",
        "/kick @alice",
        "/",
        "/dance",
    ];
    for text in texts {
        alice.post(text, None).expect(201);
        hers.say(text);
    }
    let twice: Vec<&str> = texts.iter().flat_map(|text| [*text, *text]).collect();
    assert_eq!(written(&alice, "general"), twice);
    assert!(room(&alice, "general")["topic"].is_null());
}

fn what_is_typed_in_a_socket_is_done_in_its_order(backend: Backend) {
    let server = Server::start(backend);
    let [alice, bob, _] = three(&server);
    let mut his = bob.connect();
    let mut hers = alice.connect();
    let frames = [
        json!({"type": "message", "content": "one"}),
        json!({"type": "command", "room": "general", "text": "/me is two", "client_id": "c"}),
        json!({"type": "command", "room": "general", "text": "/dm bob three"}),
        json!({"type": "message", "content": "four"}),
        json!({"type": "command", "room": "general", "text": "/topic five"}),
    ];
    for (number, frame) in frames.into_iter().enumerate() {
        let mut frame = frame;
        frame["ref"] = json!(number.to_string());
        hers.send_json(&frame);
    }
    let acks: Vec<Value> = (0..5).map(|_| hers.expect_type("ack")).collect();
    let refs: Vec<_> = acks
        .iter()
        .map(|ack| ack["ref"].as_str().expect("a ref"))
        .collect();
    assert_eq!(refs, ["0", "1", "2", "3", "4"]);
    let done: Vec<_> = acks.iter().map(|ack| ack["done"].as_str()).collect();
    let wanted = [
        None,
        Some("Said."),
        Some("Sent to bob."),
        None,
        Some("The topic is set."),
    ];
    assert_eq!(done, wanted);
    assert_ne!(acks[2]["room"], "general");
    // What is said in another room may come sooner or later than what is said here.
    let mut heard: Vec<String> = (0..6)
        .map(|_| {
            his.expect_type("message")["content"]
                .as_str()
                .expect("a text")
                .to_owned()
        })
        .collect();
    let apart = ["alice began this conversation", "three"];
    assert!(
        apart.iter().all(|text| heard.iter().any(|one| one == text)),
        "{heard:?}"
    );
    heard.retain(|text| !apart.contains(&text.as_str()));
    assert_eq!(
        heard,
        ["one", "*is two*", "four", "alice set the topic to: five"]
    );
}

fn commands_are_charged_as_messages_are(backend: Backend) {
    let server = Server::with(backend)
        .env("RATE_LIMITS", "on")
        .env("MESSAGE_BURST", 3)
        .env("MESSAGES_PER_SECOND", 1)
        .start();
    let [alice, ..] = three(&server);
    for text in ["/me waves", "/status away", "/topic tea"] {
        let body = json!({"text": text});
        let mut answers = (0..100).map(|_| alice.in_room("POST", "general", "/commands", &body));
        let limited = answers.find(|answer| answer.status != 200);
        limited
            .expect("too many of them")
            .expect_problem(429, "rate_limited");
    }
}
