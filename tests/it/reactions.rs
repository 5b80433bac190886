//! People react to messages with emoji, by both doors; everyone sees the same ones, counted right.

use std::thread;

use serde_json::{Value, json};

use crate::support::{Backend, Response, Server, User};

on_both![
    a_reaction_reaches_everyone_by_either_door,
    reactions_are_in_what_is_caught_up_with,
    many_who_react_at_once_are_counted_right_and_listed,
    an_emoji_is_one_however_it_is_written,
    what_is_no_emoji_or_too_much_is_refused,
    a_reaction_is_no_edit_and_goes_with_the_message,
    the_muted_and_strangers_do_not_react,
];

const THUMB: &str = "👍";

fn encoded(emoji: &str) -> String {
    use std::fmt::Write as _;
    emoji.bytes().fold(String::new(), |mut all, byte| {
        let _ = write!(all, "%{byte:02X}");
        all
    })
}

fn path(id: u64, emoji: &str) -> String {
    format!(
        "/api/rooms/general/messages/{id}/reactions/{}",
        encoded(emoji)
    )
}

fn react(user: &User, id: u64, emoji: &str) -> Response {
    user.ask("PUT", &path(id, emoji), &[], &Value::Null)
}

fn take_back(user: &User, id: u64, emoji: &str) -> Response {
    user.ask("DELETE", &path(id, emoji), &[], &Value::Null)
}

fn two(server: &Server) -> [User; 2] {
    ["alice", "bob"].map(|name| User::register(server, name))
}

fn a_reaction_reaches_everyone_by_either_door(backend: Backend) {
    let server = Server::start(backend);
    let [alice, bob] = two(&server);
    let (mut hers, mut his) = (alice.connect(), bob.connect());
    alice.post("cake in the kitchen", None).expect(201);
    let answer = react(&bob, 1, THUMB).expect(200);
    assert_eq!(answer.header("etag"), Some("\"2\""));
    let person = |user: &User| json!({"user_id": user.id, "username": user.name});
    let seen = answer.json()["reactions"].clone();
    assert_eq!(
        seen,
        json!([{"emoji": THUMB, "count": 1, "users": [person(&bob)], "mine": true}])
    );
    let heard = hers.expect_type("message_changed");
    assert_eq!(
        (&heard["id"], &heard["seq"], &heard["by"]),
        (&json!(1), &json!(2), &json!(bob.id))
    );
    assert_eq!(
        heard["change"],
        json!({"type": "reacted", "emoji": THUMB, "on": true})
    );
    // The same frame goes to all, so it says of nobody that it is theirs.
    assert_eq!(
        heard["reactions"],
        json!([{"emoji": THUMB, "count": 1, "users": [person(&bob)]}])
    );
    assert_eq!(alice.page("")[0]["reactions"][0]["mine"], false);
    assert_eq!(bob.page("")[0]["reactions"][0]["mine"], true);

    let frame = |on| json!({"type": "react", "room": "general", "id": 1, "emoji": THUMB, "on": on});
    let ack = hers.ask(frame(true));
    assert_eq!(
        (&ack["id"], &ack["seq"], &ack["duplicate"]),
        (&json!(1), &json!(3), &json!(false))
    );
    // Once more changes nothing.
    let ack = hers.ask(frame(true));
    assert_eq!((&ack["seq"], &ack["duplicate"]), (&json!(3), &json!(true)));
    assert_eq!(react(&alice, 1, THUMB).expect(200).json()["seq"], 3);
    his.expect(|frame| frame["seq"] == 3);
    assert_eq!(hers.ask(frame(false))["seq"], 4);
    let heard = his.expect_type("message_changed");
    assert_eq!(
        heard["change"],
        json!({"type": "reacted", "emoji": THUMB, "on": false})
    );
    assert_eq!(take_back(&bob, 1, THUMB).expect(200).json()["seq"], 5);
    assert_eq!(take_back(&bob, 1, THUMB).expect(200).json()["seq"], 5);
    assert!(alice.page("")[0].get("reactions").is_none());
}

fn reactions_are_in_what_is_caught_up_with(backend: Backend) {
    let server = Server::start(backend);
    let [alice, bob] = two(&server);
    for content in ["one", "two", "three"] {
        alice.post(content, None).expect(201);
    }
    react(&bob, 1, THUMB).expect(200);
    react(&bob, 3, "🎉").expect(200);
    let since = bob.page("?since=3");
    let told: Vec<_> = since
        .iter()
        .map(|message| (&message["id"], &message["reactions"][0]["emoji"]))
        .collect();
    assert_eq!(
        told,
        [(&json!(1), &json!(THUMB)), (&json!(3), &json!("🎉"))]
    );
    let mut hers = alice.connect();
    hers.send_json(
        &json!({"type": "sync", "rooms": {"general": 3}, "epoch": hers.connected["epoch"]}),
    );
    let one = hers.expect_type("message_changed");
    assert_eq!(
        (&one["id"], &one["reactions"][0]["count"]),
        (&json!(1), &json!(1))
    );
    assert!(one["reactions"][0].get("mine").is_none(), "{one}");
    assert_eq!(hers.expect_type("message_changed")["id"], 3);
    assert_eq!(hers.expect_type("synced")["rooms"]["general"]["seq"], 5);
}

fn many_who_react_at_once_are_counted_right_and_listed(backend: Backend) {
    let server = Server::start(backend);
    let people = User::register_all(&server, "person", 23);
    people[0].post("who comes?", None).expect(201);
    thread::scope(|scope| {
        for person in &people {
            scope.spawn(|| react(person, 1, THUMB).expect(200));
        }
    });
    let reaction = people[22].page("")[0]["reactions"][0].clone();
    assert_eq!(
        (&reaction["count"], &reaction["mine"]),
        (&json!(23), &json!(true))
    );
    assert_eq!(reaction["users"].as_array().expect("users").len(), 20);
    // Who is not named sees it all the same.
    for person in &people {
        assert_eq!(person.page("")[0]["reactions"][0]["mine"], true);
    }
    let (mut all, mut next) = (Vec::new(), Some(format!("{}?limit=9", path(1, THUMB))));
    while let Some(path) = next {
        let answer = people[0].http().get(&path).expect(200);
        next = answer.link("next");
        all.extend(answer.json().as_array().expect("people").clone());
        assert!(all.len() <= 23, "{all:?}");
    }
    let first: Vec<_> = reaction["users"].as_array().expect("users").clone();
    assert_eq!(all[..20], first, "in the order in which they did");
    let mut ids: Vec<_> = all
        .iter()
        .map(|person| person["user_id"].as_u64().expect("an id"))
        .collect();
    ids.sort_unstable();
    assert_eq!(
        ids,
        people.iter().map(|person| person.id).collect::<Vec<_>>()
    );
    // A cursor holds for its own list.
    let answer = people[0].http().get(&format!("{}?limit=9", path(1, THUMB)));
    let cursor = answer.link("next").expect("there is more");
    let cursor = cursor.split("cursor=").nth(1).expect("a cursor");
    let other = people[0]
        .http()
        .get(&format!("{}?cursor={cursor}", path(1, "🎉")));
    other.expect_problem(422, "validation_error");
    assert_eq!(
        people[0].http().get(&path(1, "🎉")).expect(200).json(),
        json!([])
    );
}

fn an_emoji_is_one_however_it_is_written(backend: Backend) {
    let server = Server::start(backend);
    let [alice, bob] = two(&server);
    alice.post("love", None).expect(201);
    react(&alice, 1, "\u{2764}").expect(200);
    let seen = react(&bob, 1, "\u{2764}\u{fe0f}").expect(200).json();
    assert_eq!(
        (
            &seen["reactions"].as_array().expect("reactions").len(),
            &seen["reactions"][0]["emoji"],
            &seen["reactions"][0]["count"]
        ),
        (&1, &json!("\u{2764}\u{fe0f}"), &json!(2))
    );
    take_back(&alice, 1, "\u{2764}\u{fe0f}").expect(200);
    for emoji in ["1\u{20e3}", "🇩🇪", "👍🏽", "👨‍👩‍👧‍👦", "🏴󠁧󠁢󠁳󠁣󠁴󠁿"]
    {
        react(&alice, 1, emoji).expect(200);
    }
    let kinds: Vec<_> = alice.page("")[0]["reactions"]
        .as_array()
        .expect("reactions")
        .iter()
        .map(|one| one["emoji"].clone())
        .collect();
    assert_eq!(
        kinds,
        [
            "\u{2764}\u{fe0f}",
            "1\u{fe0f}\u{20e3}",
            "🇩🇪",
            "👍🏽",
            "👨‍👩‍👧‍👦",
            "🏴󠁧󠁢󠁳󠁣󠁴󠁿"
        ]
    );
}

fn what_is_no_emoji_or_too_much_is_refused(backend: Backend) {
    let server = Server::start(backend);
    let people = User::register_all(&server, "person", 3);
    people[0].post("go on", None).expect(201);
    let mut socket = people[0].connect();
    let large = THUMB.repeat(2_500);
    for emoji in ["a", "1", "👍👍", " ", "👍\u{0}", ":+1:", "\u{200d}", &large] {
        let frame =
            json!({"type": "react", "room": "general", "id": 1, "emoji": emoji, "on": true});
        assert_eq!(socket.ask(frame)["code"], "validation_error", "{emoji}");
        if emoji.len() < 100 {
            let answer = react(&people[0], 1, emoji);
            answer.expect_problem(422, "validation_error");
            assert_eq!(answer.json()["errors"][0]["loc"], json!(["path", "emoji"]));
            people[0]
                .http()
                .get(&path(1, emoji))
                .expect_problem(422, "validation_error");
        }
    }
    for id in [0, 2, 9_223_372_036_854_775_808] {
        react(&people[0], id, THUMB).expect_problem(404, "message_not_found");
        people[0]
            .http()
            .get(&path(id, THUMB))
            .expect_problem(404, "message_not_found");
    }
    let emoji: Vec<String> = ('\u{1f400}'..='\u{1f43e}').map(String::from).collect();
    for emoji in &emoji[..20] {
        react(&people[0], 1, emoji).expect(200);
        react(&people[1], 1, emoji).expect(200);
    }
    react(&people[0], 1, &emoji[20]).expect_problem(409, "too_many_reactions");
    assert_eq!(
        react(&people[0], 1, &emoji[0]).expect(200).json()["seq"],
        41,
        "it was there"
    );
    take_back(&people[1], 1, &emoji[0]).expect(200);
    for emoji in &emoji[20..40] {
        react(&people[2], 1, emoji).expect(200);
    }
    for kind in 0..10 {
        take_back(&people[1], 1, &emoji[kind]).expect(200);
        react(&people[1], 1, &emoji[40 + kind]).expect(200);
    }
    take_back(&people[1], 1, &emoji[15]).expect(200);
    react(&people[1], 1, &emoji[50]).expect_problem(409, "too_many_reactions");
    react(&people[1], 1, &emoji[30]).expect(200);
    assert_eq!(
        people[0].page("")[0]["reactions"]
            .as_array()
            .expect("reactions")
            .len(),
        50
    );
}

fn a_reaction_is_no_edit_and_goes_with_the_message(backend: Backend) {
    let server = Server::start(backend);
    let [alice, bob] = two(&server);
    alice.post("one", None).expect(201);
    react(&bob, 1, THUMB).expect(200);
    let message = "/api/rooms/general/messages/1";
    let edit = json!({"content": "two"});
    let edited = alice
        .ask("PATCH", message, &[("if-match", "\"1\"")], &edit)
        .expect(200)
        .json();
    assert_eq!(edited["reactions"][0]["mine"], false);
    alice.ask("DELETE", message, &[], &Value::Null).expect(200);
    assert!(bob.page("")[0].get("reactions").is_none());
    react(&bob, 1, THUMB).expect_problem(409, "message_deleted");
    let left = server
        .database
        .query("SELECT emoji AS value FROM reactions");
    assert!(left.is_empty(), "{left:?}");
}

fn the_muted_and_strangers_do_not_react(backend: Backend) {
    let server = Server::start(backend);
    let [alice, bob] = two(&server);
    alice.post("one", None).expect(201);
    server.database.execute(&format!(
        "UPDATE memberships SET muted_until = '2100-01-01 00:00:00' WHERE user_id = {}; UPDATE rooms SET members_version = members_version + 1 WHERE id = 1",
        bob.id
    ));
    react(&bob, 1, THUMB).expect_problem(403, "muted");
    bob.ask(
        "PUT",
        "/api/rooms/general/messages/1/pin",
        &[],
        &Value::Null,
    )
    .expect_problem(403, "muted");
    let frame = json!({"type": "react", "room": "general", "id": 1, "emoji": THUMB, "on": true});
    assert_eq!(bob.connect().ask(frame)["code"], "muted");
    for (kind, name, code) in [
        ("public", "garden", "join_first"),
        ("private", "cellar", "room_not_found"),
    ] {
        let room = alice.make_room(name, kind, &[]);
        alice.post_to(&room, "ours").expect(201);
        let first = server.database.query(&format!(
            "SELECT CAST(MAX(id) AS TEXT) AS value FROM messages WHERE room_id = {room}"
        ));
        let id = first[0].clone().expect("a message");
        let of = format!("/api/rooms/{room}/messages/{id}");
        for (method, rest) in [
            ("PUT", "reactions/%F0%9F%91%8D"),
            ("DELETE", "reactions/%F0%9F%91%8D"),
            ("GET", "reactions/%F0%9F%91%8D"),
            ("PUT", "pin"),
            ("DELETE", "pin"),
            ("GET", "versions"),
        ] {
            let answer = bob.ask(method, &format!("{of}/{rest}"), &[], &Value::Null);
            assert_eq!(answer.json()["code"], code, "{method} {rest}");
        }
        assert_eq!(bob.http().get(&of).json()["code"], code);
    }
}
