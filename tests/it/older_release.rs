//! A database of the release before is brought up to date: every message, number and cursor is as it was.

use std::fs;

use serde_json::{Value, json};

use crate::{
    doctor::doctor_of,
    support::{Backend, Server, User, root},
    users::users,
};

on_both![
    a_database_of_the_release_before_reads_as_before,
    a_text_without_a_seal_of_its_place_is_believed_only_where_the_release_before_left_it,
    what_says_again_that_texts_are_unbound_is_not_believed,
    an_address_of_the_release_before_is_bound_to_its_owner,
];

const KEY: &str = "ZmVybmV0LWtleS1vZi10aGUtZml4dHVyZS0wMDAwMDA=";
const SECRET: &str = "a-secret-of-the-fixture-0123456789abcdef-0123456789abcdef";
const MESSAGES: usize = 120;

fn fixture(name: &str, backend: Backend, end: &str) -> String {
    let kind = match backend {
        Backend::Sqlite => "sqlite",
        Backend::Postgres => "postgres",
    };
    let file = root()
        .join("tests/fixtures/before_the_road")
        .join(format!("{name}{kind}.{end}"));
    fs::read_to_string(&file).unwrap_or_else(|error| panic!("{}: {error}", file.display()))
}

/// A server that has not yet started again on a database that the binary of the release before has made.
fn stopped_on_the_old(backend: Backend) -> Server {
    let mut server = Server::with(backend)
        .env("ENCRYPTION_KEY", KEY)
        .env("SECRET_KEY", SECRET)
        .start();
    server.terminate();
    match backend {
        Backend::Sqlite => fs::remove_file(server.database.file()).expect("it is one file"),
        Backend::Postgres => server
            .database
            .execute("DROP SCHEMA public CASCADE; CREATE SCHEMA public"),
    }
    server.database.execute(&fixture("", backend, "sql"));
    let history = server.data_dir().join("history");
    fs::write(history, fixture("history-", backend, "json")).expect("writes");
    server
}

fn without_client_ids(mut messages: Vec<Value>) -> Vec<Value> {
    for message in &mut messages {
        message
            .as_object_mut()
            .expect("an object")
            .remove("client_id");
    }
    messages
}

fn a_database_of_the_release_before_reads_as_before(backend: Backend) {
    let mut server = stopped_on_the_old(backend);
    let told: Vec<Value> =
        serde_json::from_str(&fixture("messages-", backend, "json")).expect("JSON");
    let known: Value = serde_json::from_str(&fixture("history-", backend, "json")).expect("JSON");
    assert_eq!(told.len(), MESSAGES);
    server.start_again();
    let alice = User::returning(&server, "alice", 0);
    assert_eq!(without_client_ids(alice.history()), told);
    assert_eq!(without_client_ids(alice.page("?limit=50")), told[70..]);
    let page = alice.page("?before=51&limit=50");
    assert_eq!(without_client_ids(page), told[..50]);
    let mut socket = alice.connect();
    assert_eq!(socket.connected["epoch"], known["epoch"], "cursors hold");
    socket.send_json(&json!({
        "type": "sync", "rooms": {"general": 100}, "epoch": known["epoch"], "ref": "r"
    }));
    for message in &told[100..] {
        let frame = socket.expect_type("message");
        for field in ["id", "seq", "content", "username"] {
            assert_eq!(frame[field], message[field]);
        }
    }
    // A retry of then is one; and what is new goes on from there.
    let bob = User::returning(&server, "bob", 0);
    let retried = bob.post(told[0]["content"].as_str().expect("text"), Some("c1"));
    assert_eq!(retried.expect(200).json()["id"], 1);
    let next = bob.post("in the new release", None).expect(201).json();
    assert_eq!(next["id"], MESSAGES + 1);

    server.await_log(&format!("bound {MESSAGES} messages of room 1"));
    let count = |what: &str| {
        let sql = format!("SELECT CAST(count(*) AS TEXT) AS value FROM {what}");
        server.database.query(&sql).remove(0).expect("a count")
    };
    assert_eq!(count("messages WHERE mac IS NULL"), "0");
    assert_eq!(count("facts WHERE name LIKE 'unbound-until-%'"), "0");
    assert_eq!(
        count("memberships WHERE role = 'owner'"),
        "1",
        "general has an owner: its oldest account"
    );
    server.restart();
    let history = alice.history();
    assert_eq!(without_client_ids(history)[..MESSAGES], told);
}

fn a_text_without_a_seal_of_its_place_is_believed_only_where_the_release_before_left_it(
    backend: Backend,
) {
    let mut server = stopped_on_the_old(backend);
    server.start_again();
    let alice = User::returning(&server, "alice", 0);
    server.await_log(&format!("bound {MESSAGES} messages of room 1"));
    server
        .database
        .execute("UPDATE messages SET mac = NULL WHERE id = 7");
    let shown = alice.history();
    assert_eq!(shown[6]["unreadable"], true, "{}", shown[6]);
    assert_eq!(shown[5]["unreadable"], Value::Null);
    server.restart();
    assert_eq!(alice.history()[6]["unreadable"], true);
}

/// Whoever writes to the database would otherwise have the server bind what they have copied elsewhere.
fn what_says_again_that_texts_are_unbound_is_not_believed(backend: Backend) {
    let mut server = stopped_on_the_old(backend);
    server.start_again();
    let alice = User::returning(&server, "alice", 0);
    server.await_log(&format!("bound {MESSAGES} messages of room 1"));
    server.restart();
    server.database.execute(
        "UPDATE messages SET mac = NULL, content = (SELECT m.content FROM messages m WHERE m.id = 8) WHERE id = 7",
    );
    server
        .database
        .execute("INSERT INTO facts (name, value) VALUES ('unbound-until-1', '120')");
    server.restart();
    server.await_log("someone has written that, and it is ignored");
    assert_eq!(alice.history()[6]["unreadable"], true);
    server.restart();
    assert_eq!(alice.history()[6]["unreadable"], true);
    let ended = doctor_of(&server, &[("ENCRYPTION_KEY", KEY), ("SECRET_KEY", SECRET)]);
    let words = "1 of the messages cannot be opened, the first is message 7 of room general";
    assert!(ended.stdout.contains(words), "{}", ended.stdout);
}

fn an_address_of_the_release_before_is_bound_to_its_owner(backend: Backend) {
    let mut server = stopped_on_the_old(backend);
    // That release sealed an address as it did a message.
    let words = "(SELECT content FROM messages WHERE id = 1)";
    server.database.execute(&format!(
        "UPDATE users SET email = {words} WHERE username_key = 'alice'"
    ));
    server.start_again();
    server.await_log("bound 1 e-mail addresses to their places: that is all of them");
    fs::write(server.data_dir().join("encryption_key"), KEY).expect("writes");
    let email = |name: &str| {
        let shown = users(&server, &["show", name, "--json"], "");
        let account = shown.stdout.lines().next().unwrap_or_default();
        let account: Value = serde_json::from_str(account).expect("an object");
        account["email"].clone()
    };
    let told: Vec<Value> =
        serde_json::from_str(&fixture("messages-", backend, "json")).expect("JSON");
    assert_eq!(email("alice"), told[0]["content"]);
    let paste = |what: &str| {
        let sql = format!("UPDATE users SET email = {what} WHERE username_key = 'bob'");
        server.database.execute(&sql);
    };
    for what in [
        words,
        "(SELECT email FROM users WHERE username_key = 'alice')",
    ] {
        paste(what);
        assert_eq!(email("bob"), json!({"unreadable": true}), "{what}");
    }
}

/// SQLite takes a text for a number, and holds it above all numbers.
#[test]
fn a_number_that_is_a_text_makes_no_old_message_unreadable() {
    let mut server = stopped_on_the_old(Backend::Sqlite);
    server
        .database
        .execute("UPDATE messages SET id = 'x' WHERE id = 60");
    server.start_again();
    let alice = User::returning(&server, "alice", 0);
    let check = || {
        let shown = alice.history();
        let unreadable = shown.iter().filter(|message| message["unreadable"] == true);
        assert_eq!(unreadable.count(), 1, "the one that was edited");
        assert_eq!(shown.len(), MESSAGES);
    };
    check();
    server.await_log(&format!("bound {} messages of room 1", MESSAGES - 1));
    check();
}
