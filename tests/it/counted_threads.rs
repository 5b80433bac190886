//! What threads count is what they hold: also after someone has edited messages or counts by hand, `doctor` says where it is
//! not so, and the next start puts it right.

use serde_json::{Value, json};

use crate::{
    doctor::doctor_of,
    support::{Backend, Server, User},
};

on_both![
    replies_that_came_or_went_by_hand_are_counted_at_the_next_start,
    whose_replies_they_are_is_counted_again_too,
    a_thread_is_of_no_change_that_has_not_come,
    a_thread_without_a_first_message_keeps_no_server_from_starting,
];

fn reply(user: &User, thread: u64, text: &str) -> u64 {
    let body = json!({"content": text, "thread": thread});
    let answer = user.http().post("/api/rooms/general/messages", &body);
    answer.expect(201).json()["id"].as_u64().expect("an id")
}

/// What is told under a message: how many replies, the last of them, and whose they are.
fn under(user: &User, id: u64) -> (u64, u64, Vec<String>) {
    let path = format!("/api/rooms/general/messages/{id}");
    let replies = user.http().get(&path).expect(200).json()["replies"].clone();
    let number = |name: &str| replies[name].as_u64().unwrap_or_default();
    let users = replies["users"].as_array().cloned().unwrap_or_default();
    let users = users.iter().map(|user| user["username"].as_str());
    (
        number("count"),
        number("last_id"),
        users.flatten().map(str::to_owned).collect(),
    )
}

/// Alice's 1, 2 and 3 in general, and 4 to 7: replies to 1 by alice and bob, in turn.
fn stage(backend: Backend) -> (Server, User, User) {
    let server = Server::start(backend);
    let [alice, bob] = ["alice", "bob"].map(|name| User::register(&server, name));
    for text in ["one", "two", "three"] {
        alice.post(text, None).expect(201);
    }
    for user in [&alice, &bob, &alice, &bob] {
        reply(user, 1, "a reply");
    }
    (server, alice, bob)
}

#[track_caller]
fn expect_told(server: &Server, words: &[&str]) {
    let ended = doctor_of(server, &[]);
    assert_eq!(ended.status.code(), Some(1), "{ended:?}");
    for words in words {
        assert!(ended.stdout.contains(words), "{words}: {}", ended.stdout);
    }
    let told = ended.stdout.matches("Thread ").count();
    assert_eq!(told, words.len(), "{}", ended.stdout);
}

#[track_caller]
fn expect_right(server: &Server) {
    let ended = doctor_of(server, &[]);
    assert_eq!(ended.status.code(), Some(0), "{ended:?}");
}

/// Of two that tell of a thread the later one holds: whoever had seen that one would never believe another.
fn a_thread_is_of_no_change_that_has_not_come(backend: Backend) {
    let (mut server, mut alice, _) = stage(backend);
    server.kill9();
    (server.database).execute("UPDATE threads SET seq = 999999");
    expect_told(&server, &["Thread 1 of room general"]);
    server.start_again();
    alice.addr = server.addr;
    let first = alice
        .http()
        .get("/api/rooms/general/messages/1")
        .expect(200);
    assert_eq!(first.json()["replies"]["seq"], 7);
    expect_right(&server);
}

fn replies_that_came_or_went_by_hand_are_counted_at_the_next_start(backend: Backend) {
    let (mut server, mut alice, bob) = stage(backend);
    reply(&bob, 2, "another");
    let names = |names: &[&str]| names.iter().map(ToString::to_string).collect::<Vec<_>>();
    assert_eq!(under(&alice, 1), (4, 7, names(&["alice", "bob"])));
    assert_eq!(under(&alice, 2), (1, 8, names(&["bob"])));
    expect_right(&server);
    server.kill9();
    // Bob's replies to 1 are taken out, the summary of 2 is lowered, and 7 becomes one under 3, which has no thread.
    server.database.execute(
        "UPDATE messages SET thread = NULL, thread_only = FALSE WHERE id = 5; \
         UPDATE messages SET thread = 3 WHERE id = 7; \
         UPDATE threads SET replies = 0, last_id = 0 WHERE id = 2",
    );
    expect_told(
        &server,
        &[
            "Thread 1 of room general has counted 4 replies, the last of them 7, and has 2, the last of them 6",
            "Thread 2 of room general has counted 0 replies, the last of them 0, and has 1, the last of them 8",
            "Thread 3 of room general has counted 0 replies, the last of them 0, and has 1, the last of them 7",
        ],
    );
    server.start_again();
    alice.log_in();
    assert_eq!(under(&alice, 1), (2, 6, names(&["alice"])));
    assert_eq!(under(&alice, 2), (1, 8, names(&["bob"])));
    assert_eq!(under(&alice, 3), (1, 7, names(&["bob"])));
    expect_right(&server);
    // It goes on from there.
    assert_eq!(reply(&alice, 3, "it goes on"), 9);
    assert_eq!(under(&alice, 3), (2, 9, names(&["alice", "bob"])));
    let path = "/api/rooms/general/messages/9";
    alice.ask("DELETE", path, &[], &Value::Null).expect(200);
    assert_eq!(under(&alice, 3), (1, 7, names(&["bob"])));
    expect_right(&server);
}

fn whose_replies_they_are_is_counted_again_too(backend: Backend) {
    let (mut server, mut alice, bob) = stage(backend);
    let whose = |server: &Server| {
        server.database.query(
            "SELECT CAST(replies AS TEXT) AS value FROM thread_people WHERE thread = 1 ORDER BY user_id",
        )
    };
    let two = || Some("2".to_owned());
    server.kill9();
    for edit in [
        format!(
            "UPDATE thread_people SET replies = 9 WHERE user_id = {}",
            bob.id
        ),
        "UPDATE thread_people SET replies = replies + 1".to_owned(),
        format!("DELETE FROM thread_people WHERE user_id = {}", alice.id),
    ] {
        server.database.execute(&edit);
        expect_told(
            &server,
            &[
                "Thread 1 of room general has counted the replies of each person in it, and they are others",
            ],
        );
        server.start_again();
        alice.log_in();
        assert_eq!(whose(&server), [two(), two()], "{edit}");
        assert_eq!(under(&alice, 1).2, ["alice", "bob"]);
        expect_right(&server);
        server.kill9();
    }
}

fn a_thread_without_a_first_message_keeps_no_server_from_starting(backend: Backend) {
    let (mut server, mut alice, _) = stage(backend);
    server.kill9();
    server
        .database
        .execute("UPDATE messages SET thread = 777 WHERE id = 7");
    expect_told(
        &server,
        &[
            "Thread 1 of room general has counted 4 replies, the last of them 7, and has 3, the last of them 6",
        ],
    );
    server.start_again();
    alice.log_in();
    assert_eq!(under(&alice, 1).0, 3);
    let ended = doctor_of(&server, &[]);
    assert_eq!(ended.status.code(), Some(1), "{ended:?}");
    let named = "1 rows of messages name a message that is not there (thread)";
    assert!(ended.stdout.contains(named), "{}", ended.stdout);
}
