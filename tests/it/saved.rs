//! Saved messages: found again as they are now, latest first, as long as one may read them.

use serde_json::{Value, json};

use crate::support::{Backend, Server, User};

on_both![
    what_was_saved_is_found_again_as_it_is_now,
    what_one_may_not_read_any_more_is_not_shown,
    a_long_list_is_read_page_by_page,
];

#[track_caller]
fn save(user: &User, method: &str, room: &str, id: u64) {
    let path = format!("/api/saved/{room}/{id}");
    user.ask(method, &path, &[], &Value::Null).expect(204);
}

#[track_caller]
fn saved(user: &User) -> Vec<Value> {
    let answer = user.http().get("/api/saved").expect(200).json();
    answer.as_array().expect("an array").clone()
}

#[track_caller]
fn post(user: &User, room: &str, content: &str) -> u64 {
    let answer = user.post_to(room, content).expect(201).json();
    answer["id"].as_u64().expect("an id")
}

fn contents(saved: &[Value]) -> Vec<&str> {
    let texts = saved.iter().map(|one| one["message"]["content"].as_str());
    texts.map(|text| text.expect("a text")).collect()
}

fn what_was_saved_is_found_again_as_it_is_now(backend: Backend) {
    let server = Server::start(backend);
    let (alice, bob) = (
        User::register(&server, "alice"),
        User::register(&server, "bob"),
    );
    let one = post(&bob, "general", "one");
    let two = post(&bob, "general", "two");
    let direct = alice.http().post("/api/direct", &json!({"users": ["bob"]}));
    let direct = direct.expect(201).json()["room"].clone();
    let direct = direct.as_str().expect("a key");
    let three = post(&bob, direct, "three");
    for (room, id) in [("general", one), (direct, three), ("general", two)] {
        save(&alice, "PUT", room, id);
    }
    // Again is no news, and changes no place in the list.
    save(&alice, "PUT", "general", one);
    let found = saved(&alice);
    assert_eq!(contents(&found), ["two", "three", "one"]);
    assert_eq!(found[0]["name"], "general");
    assert_eq!(found[0]["message"]["room"], "general");
    assert!(found[0]["saved_at"].is_string());
    assert!(found[1].get("name").is_none(), "{}", found[1]);
    assert!(saved(&bob).is_empty(), "they are of whoever saved them");

    let path = format!("/messages/{one}");
    let body = json!({"content": "one, again"});
    bob.in_room("PATCH", "general", &path, &body).expect(200);
    let path = format!("/messages/{two}");
    bob.in_room("DELETE", "general", &path, &Value::Null)
        .expect(200);
    save(&alice, "DELETE", direct, three);
    let found = saved(&alice);
    assert_eq!(contents(&found), ["", "one, again"]);
    assert!(found[0]["message"]["deleted_at"].is_string());
    save(&alice, "DELETE", "general", two);
    save(&alice, "DELETE", "general", two);
    assert_eq!(contents(&saved(&alice)), ["one, again"]);
    let answer = alice.ask("PUT", "/api/saved/general/999", &[], &Value::Null);
    answer.expect_problem(404, "message_not_found");
}

fn what_one_may_not_read_any_more_is_not_shown(backend: Backend) {
    let server = Server::start(backend);
    let (alice, bob) = (
        User::register(&server, "alice"),
        User::register(&server, "bob"),
    );
    let room = alice.make_room("den", "private", &[&bob]);
    let secret = post(&alice, &room, "a secret");
    let plain = post(&alice, "general", "plain");
    save(&bob, "PUT", &room, secret);
    save(&bob, "PUT", "general", plain);
    assert_eq!(contents(&saved(&bob)), ["plain", "a secret"]);
    alice
        .in_room("DELETE", &room, "/members/bob", &Value::Null)
        .expect(204);
    assert_eq!(contents(&saved(&bob)), ["plain"]);
    for method in ["PUT", "DELETE"] {
        let path = format!("/api/saved/{room}/{secret}");
        let answer = bob.ask(method, &path, &[], &Value::Null);
        answer.expect_problem(404, "room_not_found");
    }
    // Whoever is brought back finds it where it was.
    alice
        .in_room("PUT", &room, "/members/bob", &Value::Null)
        .expect(200);
    assert_eq!(contents(&saved(&bob)), ["plain", "a secret"]);
}

fn a_long_list_is_read_page_by_page(backend: Backend) {
    let server = Server::start(backend);
    let alice = User::register(&server, "alice");
    let room = alice.make_room("den", "private", &[]);
    let mut expected = Vec::new();
    for number in 0..7 {
        let text = format!("message {number}");
        let id = post(&alice, &room, &text);
        save(&alice, "PUT", &room, id);
        expected.insert(0, text);
    }
    // Saved at the same moment, they still have one order.
    server
        .database
        .execute("UPDATE saved SET created_at = '2026-01-01 00:00:00'");
    let (mut found, mut next) = (Vec::new(), Some("/api/saved?limit=3".to_owned()));
    while let Some(path) = next {
        let page = alice.http().get(&path).expect(200);
        let items = page.json().as_array().expect("an array").clone();
        assert!((1..=3).contains(&items.len()), "{items:?}");
        found.extend(contents(&items).into_iter().map(str::to_owned));
        next = page.header("link").map(|link| {
            let (path, _) = link[1..].split_once('>').expect("a link");
            path.to_owned()
        });
    }
    assert_eq!(found, expected);
    for wrong in ["limit=0", "limit=201", "cursor=x"] {
        let answer = alice.http().get(&format!("/api/saved?{wrong}"));
        answer.expect_problem(422, "validation_error");
    }
}
