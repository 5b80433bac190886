//! Texts without the marks of Markdown, for those who ask for them; what is stored and told stays as it was written.

use serde_json::{Value, json};

use crate::support::{Backend, Server, User};

on_both![
    whoever_wants_no_marks_gets_none_wherever_messages_are_fetched,
    links_to_other_pages_keep_the_form,
    only_forms_that_there_are_can_be_asked_for,
];

const WRITTEN: &str = "**Hi** *@bob*, see [this](https://example.org)\n\n```\nlet x = *y;\n```";
const SHOWN: &str = "Hi @bob, see this (https://example.org)\n\nlet x = *y;";

fn get(user: &User, path: &str) -> Value {
    user.http().get(path).expect(200).json()
}

fn whoever_wants_no_marks_gets_none_wherever_messages_are_fetched(backend: Backend) {
    let server = Server::start(backend);
    let [alice, bob] = ["alice", "bob"].map(|name| User::register(&server, name));
    let mut his = bob.connect();
    alice.post(WRITTEN, None).expect(201);
    assert_eq!(
        his.expect_message(WRITTEN)["content"],
        WRITTEN,
        "frames are as it was written"
    );
    let edit = json!({"content": format!("{WRITTEN} ")});
    alice
        .in_room("PATCH", "general", "/messages/1", &edit)
        .expect(200);
    let reply = json!({"content": "_yes_", "thread": 1});
    bob.in_room("POST", "general", "/messages", &reply)
        .expect(201);
    alice
        .ask("PUT", "/api/saved/general/1", &[], &json!({}))
        .expect(204);
    let room = "/api/rooms/general/messages";
    let message = get(&alice, &format!("{room}/1?format=plain"));
    assert_eq!(message["content"], SHOWN);
    let mention = json!([{"user_id": bob.id, "from": 3, "to": 7}]);
    assert_eq!(message["mentions"], mention, "where it stands in that text");
    let fetched = [
        (format!("{room}?format=plain"), "/0/content"),
        (format!("{room}?since=0&format=plain"), "/0/content"),
        (format!("{room}?thread=1&format=plain"), "/0/content"),
        (format!("{room}/1/versions?format=plain"), "/0/content"),
        ("/api/chat/messages?format=plain".to_owned(), "/0/content"),
        ("/api/saved?format=plain".to_owned(), "/0/message/content"),
        ("/api/threads?format=plain".to_owned(), "/0/message/content"),
    ];
    for (path, place) in fetched {
        let plain = get(&alice, &path);
        assert_eq!(plain.pointer(place), Some(&json!(SHOWN)), "{path}");
        let whole = get(&alice, &path.replace("format=plain", "format=markdown"));
        let text = whole.pointer(place).and_then(Value::as_str);
        assert_eq!(text.map(str::trim_end), Some(WRITTEN), "{path}");
    }
    let replies = get(&alice, &format!("{room}?thread=1&format=plain"));
    assert_eq!(replies[1]["content"], "yes");
}

fn links_to_other_pages_keep_the_form(backend: Backend) {
    let server = Server::start(backend);
    let alice = User::register(&server, "alice");
    for number in 1..=3 {
        alice.post(&format!("*{number}*"), None).expect(201);
        let path = format!("/api/saved/general/{number}");
        alice.ask("PUT", &path, &[], &json!({})).expect(204);
    }
    // More than a page holds, which is sent part by part.
    for _ in 0..70 {
        alice
            .post(&format!("*{}*", "x".repeat(16_000)), None)
            .expect(201);
    }
    for path in ["/api/chat/messages", "/api/rooms/general/messages"] {
        let mut next = format!("{path}?format=plain&limit=60");
        let mut texts = Vec::new();
        loop {
            let answer = alice.http().get(&next).expect(200);
            let page = answer.json();
            let page = page.as_array().expect("messages").iter();
            let mut page: Vec<String> = page
                .map(|message| message["content"].as_str().expect("a text").to_owned())
                .collect();
            page.append(&mut texts);
            texts = page;
            match answer.link("prev") {
                Some(link) => next = link,
                None => break,
            }
        }
        assert_eq!(texts.len(), 73, "{path}");
        assert_eq!(texts[..3], ["1", "2", "3"], "{path}");
        assert!(texts.iter().all(|text| !text.contains('*')), "{path}");
    }
    let saved = alice
        .http()
        .get("/api/saved?format=plain&limit=2")
        .expect(200);
    let next = saved.link("next").expect("it goes on");
    assert_eq!(get(&alice, &next)[0]["message"]["content"], "1");
}

fn only_forms_that_there_are_can_be_asked_for(backend: Backend) {
    let server = Server::start(backend);
    let alice = User::register(&server, "alice");
    alice.post("*hi*", None).expect(201);
    for path in [
        "/api/rooms/general/messages",
        "/api/rooms/general/messages/1",
        "/api/rooms/general/messages/1/versions",
        "/api/chat/messages",
        "/api/saved",
        "/api/threads",
    ] {
        let refused = alice.http().get(&format!("{path}?format=html"));
        refused.expect_problem(422, "validation_error");
    }
}
