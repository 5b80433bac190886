//! Deleting an account: its messages stay, everything else that is stored about the person goes, and no one gets the name
//! again.

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use serde_json::json;
use sha2::{Digest as _, Sha256};

use crate::{
    support::{Backend, PASSWORD, Server, User},
    users::{done, listed, log_in, refused, users},
};

on_both![
    how_far_somebody_had_read_goes_with_them,
    a_deleted_account_leaves_its_messages_and_nothing_else,
    nobody_without_a_key_can_guess_a_deleted_name,
];

fn a_deleted_account_leaves_its_messages_and_nothing_else(backend: Backend) {
    let mut server = Server::start(backend);
    let mut bob = User::register(&server, "bob");
    let body = json!({"username": "Alice", "password": PASSWORD, "email": "alice@example.org"});
    server.http().post("/api/auth/register", &body).expect(201);
    let mut alice = User {
        name: "Alice".into(),
        ..bob.clone()
    };
    alice.log_in();
    alice.post("what alice said", None).expect(201);
    let body = json!({"content": "not said yet"});
    alice.in_room("PUT", "general", "/draft", &body).expect(200);
    let path = "/api/saved/general/1";
    alice.ask("PUT", path, &[], &json!(null)).expect(204);
    let one = |sql: &str| server.database.query(sql).remove(0).expect("a value");
    let alices = "FROM users WHERE username_key = 'alice'";
    let hash = one(&format!("SELECT password_hash AS value {alices}"));
    let email = one(&format!("SELECT email AS value {alices}"));
    let id = one(&format!("SELECT CAST(id AS TEXT) AS value {alices}"));
    let version = "SELECT CAST(members_version AS TEXT) AS value FROM rooms";
    let before = one(version);

    server.database.execute(&format!(
        "INSERT INTO scheduled (id, user_id, room_id, kind, content, client_id, send_at, created_at) \
         VALUES (7, {id}, 1, 'message', 'sealed', 'one', '2036-01-01 00:00:00', '2026-01-01 00:00:00')"
    ));

    done(users(&server, &["delete", "alice", "--yes"], ""));
    let history = bob.history();
    assert_eq!(history[0]["content"], "what alice said");
    assert_eq!(history[0]["username"], format!("deleted-user-{id}"));
    assert_ne!(
        one(version),
        before,
        "who remembers members must look again"
    );
    for table in [
        "sessions",
        "memberships",
        "known_networks",
        "drafts",
        "scheduled",
        "saved",
    ] {
        let left =
            format!("SELECT CAST(count(*) AS TEXT) AS value FROM {table} WHERE user_id = {id}");
        assert_eq!(one(&left), "0", "{table}");
    }
    for secret in [&hash, &email, "Alice", "alice"] {
        let left = format!(
            "SELECT CAST(count(*) AS TEXT) AS value FROM users WHERE password_hash = '{secret}' OR email = '{secret}' \
             OR username = '{secret}' OR username_key = '{secret}'"
        );
        assert_eq!(one(&left), "0", "{secret}");
    }
    // The name is never given again, in no case and by no one.
    for name in ["Alice", "alice", "ALICE"] {
        let body = json!({"username": name, "password": PASSWORD});
        let answer = server.http().post("/api/auth/register", &body);
        answer.expect_problem(400, "username_taken");
        refused(&users(&server, &["add", name], PASSWORD), 1, "was once");
    }
    let tombstone = format!("deleted-user-{id}");
    log_in(&server, &tombstone, PASSWORD).expect(401);
    refused(&users(&server, &["enable", &tombstone], ""), 1, "no user");
    assert!(
        listed(&server)
            .iter()
            .any(|user| user["state"] == "deleted")
    );

    server.terminate();
    if backend == Backend::Sqlite {
        for file in std::fs::read_dir(server.data_dir()).expect("a folder") {
            let path = file.expect("a file").path();
            let bytes = std::fs::read(&path).expect("reads");
            for secret in [&hash, &email] {
                let found = bytes
                    .windows(secret.len())
                    .any(|part| part == secret.as_bytes());
                assert!(!found, "{} still holds it", path.display());
            }
        }
    }
    server.start_again();
    bob.log_in();
    bob.post("goes on", None).expect(201);
}

/// Direct rooms and replies stay for those who go on; how somebody read is nobody's any more.
fn how_far_somebody_had_read_goes_with_them(backend: Backend) {
    let server = Server::start(backend);
    let [alice, bob] = ["alice", "bob"].map(|name| User::register(&server, name));
    let wanted = json!({"users": ["bob"]});
    let direct = alice.http().post("/api/direct", &wanted).expect(201).json();
    let direct = direct["room"].as_str().expect("a key").to_owned();
    bob.post_to(&direct, "hello").expect(201);
    bob.post("a thread", None).expect(201);
    let follow = "/api/rooms/general/messages/1/follow";
    alice.ask("PUT", follow, &[], &json!({})).expect(204);
    let read = json!({"seq": 2});
    alice.in_room("PUT", &direct, "/read", &read).expect(200);
    let nothing = json!({"level": "nothing"});
    alice
        .in_room("PUT", &direct, "/notify", &nothing)
        .expect(204);
    let readers = || {
        let reads = bob.in_room("GET", &direct, "/reads", &json!(null));
        let reads = reads.expect(200).json();
        reads.as_array().expect("a list").len()
    };
    assert_eq!(readers(), 2);
    done(users(&server, &["delete", "alice", "--yes"], ""));
    assert_eq!(readers(), 1, "nobody else is told of");
    let id = alice.id;
    for (what, table) in [
        (
            "read_seq + shown_seq > 0 OR notify IS NOT NULL",
            "memberships",
        ),
        ("follows OR read_seq > 0", "thread_people"),
    ] {
        let left = format!(
            "SELECT CAST(count(*) AS TEXT) AS value FROM {table} WHERE user_id = {id} AND ({what})"
        );
        assert_eq!(
            server.database.query(&left)[0].as_deref(),
            Some("0"),
            "{table}"
        );
    }
}

/// What is kept so that a name is not given again: an unkeyed hash of it can be guessed back by whoever has a backup.
fn nobody_without_a_key_can_guess_a_deleted_name(backend: Backend) {
    let mut server = Server::start(backend);
    User::register(&server, "alice");
    done(users(&server, &["delete", "alice", "--yes"], ""));
    let guess = format!(
        "deleted:{}",
        URL_SAFE_NO_PAD.encode(Sha256::digest("alice"))
    );
    let kept = |server: &Server| {
        let kept = server
            .database
            .query("SELECT username_key AS value FROM users");
        kept[0].clone().expect("a key")
    };
    let is_taken = |server: &Server| {
        let body = json!({"username": "Alice", "password": PASSWORD});
        let answer = server.http().post("/api/auth/register", &body);
        answer.expect_problem(400, "username_taken");
        refused(&users(server, &["add", "alice"], PASSWORD), 1, "was once");
    };
    let keyed = kept(&server);
    assert!(keyed.starts_with("deleted:") && keyed != guess, "{keyed}");
    is_taken(&server);
    // One of an older release counts all the same, and gets its key with the next start.
    server
        .database
        .execute(&format!("UPDATE users SET username_key = '{guess}'"));
    is_taken(&server);
    server.restart();
    assert_eq!(kept(&server), keyed);
    is_taken(&server);
    // With another key in front, as in a rotation.
    let file = server.data_dir().join("encryption_key");
    let old = std::fs::read_to_string(&file).expect("a key");
    let new = "q83vEjRWeJCrze8SNFZ4kKvN7xI0VniQq83vEjRWeJA=";
    std::fs::write(&file, format!("{new},{old}")).expect("writes");
    server.restart();
    is_taken(&server);
    // With one in front that the server does not have yet: that one must not be what the name is kept by.
    User::register(&server, "dora");
    let next = "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=";
    let server_has = std::fs::read_to_string(&file).expect("a key");
    std::fs::write(&file, format!("{next},{server_has}")).expect("writes");
    done(users(&server, &["delete", "dora", "--yes"], ""));
    std::fs::write(&file, &server_has).expect("writes");
    let body = json!({"username": "dora", "password": PASSWORD});
    let answer = server.http().post("/api/auth/register", &body);
    answer.expect_problem(400, "username_taken");
    // Without the key it cannot be known whether a name was given before.
    std::fs::remove_file(&file).expect("removes");
    refused(
        &users(&server, &["add", "carol"], PASSWORD),
        2,
        "ENCRYPTION_KEY",
    );
}
