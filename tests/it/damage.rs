//! Whatever is damaged in the tables, `doctor` names it, and what to do.

use serde_json::{Value, json};

use crate::{
    doctor::doctor_of,
    support::{Backend, Database, PASSWORD, Server, User},
    users::{done, users},
};

on_both![
    each_damage_to_what_belongs_together_is_named,
    each_sealed_text_that_is_damaged_is_named,
    each_index_that_is_missing_is_named,
    a_room_without_an_owner_is_named,
];

const THUMB: &str = "%F0%9F%91%8D";
const LATER: &str = "2036-01-01T00:00:00+00:00";
const TIME: &str = "'2026-11-27 10:00:00'";

/// A server that has something of everything, and has ended.
struct Company {
    server: Server,
    park: String,
    direct: String,
}

fn company(backend: Backend) -> Company {
    let mut server = Server::start(backend);
    let body = json!({"username": "alice", "password": PASSWORD, "email": "alice@example.org"});
    server.http().post("/api/auth/register", &body).expect(201);
    let alice = User::returning(&server, "alice", 0);
    let [bob, carol, dave] = ["bob", "carol", "dave"].map(|name| User::register(&server, name));
    let park = alice.make_room("park", "public", &[&bob, &carol, &dave]);
    let set = alice.in_room("PATCH", &park, "", &json!({"topic": "trees"}));
    set.expect(200);
    let made = alice.ask("POST", "/api/direct", &[], &json!({"users": ["bob"]}));
    let direct = made.expect(201).json()["room"].as_str().map(str::to_owned);
    for n in 1..=5 {
        alice.post(&n.to_string(), None).expect(201);
    }
    let in_general = |user: &User, method: &str, path: &str, body: Value| {
        let answer = user.in_room(method, "general", path, &body);
        assert!((200..300).contains(&answer.status), "{path}: {answer:?}");
    };
    in_general(&alice, "PATCH", "/messages/1", json!({"content": "one"}));
    in_general(
        &bob,
        "PUT",
        &format!("/messages/2/reactions/{THUMB}"),
        Value::Null,
    );
    in_general(&alice, "PUT", "/messages/3/pin", Value::Null);
    let answer = json!({"content": "to that", "reply_to": 2});
    in_general(&bob, "POST", "/messages", answer);
    in_general(&alice, "DELETE", "/messages/5", Value::Null);
    for (method, path, who, body) in [
        ("PUT", "/members/bob", &alice, json!({"muted_until": LATER})),
        ("DELETE", "/members/bob", &bob, Value::Null),
        ("DELETE", "/members/carol", &alice, Value::Null),
    ] {
        let answer = who.in_room(method, &park, path, &body);
        assert!((200..300).contains(&answer.status), "{path}: {answer:?}");
    }
    done(users(&server, &["delete", "dave", "--yes"], ""));
    server.terminate();
    Company {
        server,
        park,
        direct: direct.expect("a key"),
    }
}

/// Edits the tables as someone does whom no constraint holds.
fn edit(database: &Database, sql: &str) {
    let prefix = match database.backend {
        Backend::Sqlite => "PRAGMA foreign_keys = OFF",
        Backend::Postgres => "SET session_replication_role = replica",
    };
    database.execute(&format!("{prefix}; {sql}"));
}

/// Damages the tables, one thing after another, and expects that each is named as soon as it is there, and not before.
fn expect_named(server: &Server, damages: &[(String, &str)]) {
    let healthy = doctor_of(server, &[]);
    assert_eq!(healthy.status.code(), Some(0), "{healthy:?}");
    let mut before = healthy.stdout;
    for (sql, words) in damages {
        assert!(!before.contains(words), "{words:?} before {sql}: {before}");
        edit(&server.database, sql);
        let found = doctor_of(server, &[]);
        assert_eq!(found.status.code(), Some(1), "{sql}: {found:?}");
        let is_told = |line: &str| line.starts_with("problem") && line.contains(words);
        assert!(
            found.stdout.lines().any(is_told),
            "no {words:?} after {sql}: {}",
            found.stdout
        );
        before = found.stdout;
    }
}

/// Whom and what the damages are done to, as SQL has it.
struct Ids {
    park: String,
    direct: String,
    alice: String,
    bob: String,
    carol: String,
}

const DAVE: &str = "(SELECT id FROM users WHERE deleted_at IS NOT NULL)";

type Damage = (String, &'static str);

fn general(sql: &str) -> String {
    format!("UPDATE messages SET {sql} AND room_id = 1")
}

fn each_damage_to_what_belongs_together_is_named(backend: Backend) {
    let Company {
        server,
        park,
        direct,
    } = company(backend);
    let id_of = |name: &str| format!("(SELECT id FROM users WHERE username = '{name}')");
    let ids = Ids {
        park,
        direct,
        alice: id_of("alice"),
        bob: id_of("bob"),
        carol: id_of("carol"),
    };
    let damages = [
        to_users(&ids),
        to_rooms_and_messages(&ids),
        in_messages(&ids),
        in_rooms(&ids),
        in_words_and_accounts(&ids),
        in_times(),
    ];
    expect_named(&server, &damages.concat());
}

/// Who is named and is not there.
fn to_users(ids: &Ids) -> Vec<Damage> {
    let Ids { park, bob, .. } = ids;
    vec![
        (
            format!(
                "INSERT INTO sessions (id, user_id, refresh_hash, created_at, expires_at) VALUES (7, 999, 'x', {TIME}, {TIME})"
            ),
            "1 rows of sessions name a user who is not there (user_id)",
        ),
        (
            "UPDATE rooms SET created_by = 999 WHERE id = 1".into(),
            "1 rows of rooms name a user who is not there (created_by)",
        ),
        (
            format!(
                "INSERT INTO memberships (room_id, user_id, created_at) VALUES ({park}, 999, {TIME})"
            ),
            "1 rows of memberships name a user who is not there (user_id)",
        ),
        (
            format!(
                "UPDATE memberships SET invited_by = 999 WHERE room_id = 1 AND user_id = {bob}"
            ),
            "1 rows of memberships name a user who is not there (invited_by)",
        ),
        (
            format!(
                "INSERT INTO removals (room_id, user_id, seq, created_at) VALUES ({park}, 998, 1, {TIME})"
            ),
            "1 rows of removals name a user who is not there (user_id)",
        ),
        (
            format!("INSERT INTO restraints (room_id, user_id) VALUES ({park}, 998)"),
            "1 rows of restraints name a user who is not there (user_id)",
        ),
        (
            general("pinned_by = 999 WHERE id = 3"),
            "1 rows of messages name a user who is not there (pinned_by)",
        ),
        (
            "INSERT INTO reactions (room_id, message_id, emoji, user_id, seq, created_at) \
         SELECT room_id, id, '👍', 999, seq, created_at FROM messages WHERE room_id = 1 AND id = 2"
                .into(),
            "1 rows of reactions name a user who is not there (user_id)",
        ),
        (
            format!(
                "INSERT INTO known_networks (user_id, network, seen_at) VALUES (999, 'x', {TIME})"
            ),
            "1 rows of known_networks name a user who is not there (user_id)",
        ),
        (
            "UPDATE account_changes SET user_id = 999 WHERE number = 1".into(),
            "1 rows of account_changes name a user who is not there (user_id)",
        ),
    ]
}

/// Rooms and messages that are named and are not there.
fn to_rooms_and_messages(ids: &Ids) -> Vec<Damage> {
    let Ids { alice, .. } = ids;
    vec![
        (
            format!(
                "INSERT INTO memberships (room_id, user_id, created_at) VALUES (888, {alice}, {TIME})"
            ),
            "1 rows of memberships name a room that is not there (room_id)",
        ),
        (
            format!(
                "INSERT INTO removals (room_id, user_id, seq, created_at) VALUES (887, {alice}, 1, {TIME})"
            ),
            "1 rows of removals name a room that is not there (room_id)",
        ),
        (
            format!("INSERT INTO restraints (room_id, user_id) VALUES (887, {alice})"),
            "1 rows of restraints name a room that is not there (room_id)",
        ),
        (
            format!(
                "INSERT INTO message_versions (room_id, message_id, seq, content, created_at) VALUES (888, 1, 2, 'x', {TIME})"
            ),
            "1 rows of message_versions name a room that is not there (room_id)",
        ),
        (
            format!(
                "INSERT INTO message_versions (room_id, message_id, seq, content, created_at) VALUES (1, 777, 778, 'x', {TIME})"
            ),
            "2 rows of message_versions name a message that is not there (message_id)",
        ),
        (
            format!(
                "INSERT INTO reactions (room_id, message_id, emoji, user_id, seq, created_at) VALUES (888, 1, '👍', {alice}, 2, {TIME})"
            ),
            "1 rows of reactions name a room that is not there (room_id)",
        ),
        (
            format!(
                "INSERT INTO reactions (room_id, message_id, emoji, user_id, seq, created_at) VALUES (1, 777, '👍', {alice}, 778, {TIME})"
            ),
            "2 rows of reactions name a message that is not there (message_id)",
        ),
        (
            format!(
                "INSERT INTO messages (room_id, id, seq, user_id, content, created_at) VALUES (888, 5, 5, {alice}, 'x', {TIME})"
            ),
            "1 rows of messages name a room that is not there (room_id)",
        ),
        (
            "UPDATE messages SET reply_to = 4 WHERE room_id = 888".into(),
            "1 rows of messages name a message that is not there (reply_to)",
        ),
        (
            general("user_id = 999 WHERE id = 4"),
            "1 rows of messages name a user who is not there (user_id)",
        ),
    ]
}

/// What a message says of itself and of another.
fn in_messages(ids: &Ids) -> Vec<Damage> {
    let Ids { alice, bob, .. } = ids;
    vec![
    (
        general("reply_to = 4 WHERE id = 3"),
        "1 messages answer one that is not before them (reply_to)",
    ),
    (
        general("previous = 3 WHERE id = 3"),
        "1 messages come after a message that is not before them (previous)",
    ),
    (
        general("pinned_at = NULL WHERE id = 3"),
        "1 messages are pinned by no one, at no time, or though they are deleted",
    ),
    (
        format!("INSERT INTO messages (room_id, id, seq, user_id, content, created_at) VALUES (888, 9, 8, {alice}, 'x', {TIME})"),
        "1 messages were changed before they were written (seq below id)",
    ),
    (
        general(&format!("edited_at = {TIME} WHERE id = 2")),
        "1 messages were edited, and what they said before is lost (message_versions)",
    ),
    (
        "INSERT INTO message_versions (room_id, message_id, seq, content, created_at) \
         SELECT room_id, id, seq, 'x', created_at FROM messages WHERE room_id = 1 AND id = 3".into(),
        "1 earlier versions are of messages that were never edited, or are deleted",
    ),
    (
        "UPDATE message_versions SET seq = 9999 WHERE room_id = 1 AND message_id = 1".into(),
        "1 earlier versions are of a change that their message has not come to (seq)",
    ),
    (
        "INSERT INTO reactions (room_id, message_id, emoji, user_id, seq, created_at) \
         SELECT room_id, id, '👍', user_id, seq, created_at FROM messages WHERE room_id = 1 AND id = 5".into(),
        "1 reactions are to messages that are deleted",
    ),
    (
        "UPDATE reactions SET seq = 9999 WHERE room_id = 1 AND message_id = 2 AND user_id = 999".into(),
        "1 reactions are of a change that their message has not come to (seq)",
    ),
    (
        format!("UPDATE reactions SET emoji = 'ok' WHERE room_id = 1 AND user_id = {bob}"),
        "1 of the things that people reacted with are no emoji",
    ),
    ]
}

/// What a room and its members are.
fn in_rooms(ids: &Ids) -> Vec<Damage> {
    let Ids {
        park,
        direct,
        bob,
        carol,
        ..
    } = ids;
    vec![
        (
            format!("UPDATE rooms SET key = 'x' WHERE id = {park}"),
            "1 rooms have a key that is not theirs",
        ),
        (
            format!("UPDATE rooms SET slow_seconds = 86401 WHERE id = {park}"),
            "1 rooms have a slow mode of more than a day",
        ),
        (
            format!("UPDATE memberships SET read_seq = 9999 WHERE room_id = 1 AND user_id = {bob}"),
            "1 members have read further than their room has come",
        ),
        (
            format!("UPDATE rooms SET name_key = 'lake' WHERE id = {park}"),
            "1 rooms hold another name for themselves than their own (name_key)",
        ),
        (
            format!("UPDATE rooms SET name_key = NULL WHERE id = {park}"),
            "1 public rooms do not hold their name for themselves",
        ),
        (
            format!("UPDATE rooms SET name = NULL WHERE id = {park}"),
            "1 rooms have no name, or claim to be for certain people",
        ),
        (
            format!("UPDATE rooms SET name = 'x' WHERE id = {direct}"),
            "1 direct rooms have a name, or lack what stands for the people in them",
        ),
        (
            format!(
                "INSERT INTO memberships (room_id, user_id, created_at) VALUES ({direct}, {carol}, {TIME})"
            ),
            "1 direct rooms have other members than those that they are for",
        ),
        (
            format!(
                "UPDATE memberships SET role = 'moderator' WHERE room_id = {direct} AND user_id = {carol}"
            ),
            "1 members of direct rooms have a role, or are muted",
        ),
        (
            format!(
                "UPDATE memberships SET muted_until = {TIME} WHERE room_id = 1 AND role = 'owner'"
            ),
            "1 owners of rooms are muted",
        ),
        (
            format!(
                "INSERT INTO memberships (room_id, user_id, created_at) VALUES ({park}, {carol}, {TIME})"
            ),
            "1 removals are of people who are members again",
        ),
        (
            format!(
                "INSERT INTO memberships (room_id, user_id, created_at) VALUES ({park}, {bob}, {TIME})"
            ),
            "1 mutes for people who had gone are of those who are members again",
        ),
        (
            format!("UPDATE removals SET seq = 9999 WHERE room_id = {park} AND user_id = {carol}"),
            "1 removals are by a change that the room has not counted",
        ),
    ]
}

/// Words that there are not, and what an account is.
fn in_words_and_accounts(ids: &Ids) -> Vec<Damage> {
    let Ids {
        park, bob, carol, ..
    } = ids;
    vec![
        (
            format!(
                "UPDATE memberships SET role = 'king' WHERE room_id = {park} AND user_id = {carol}"
            ),
            "1 rows of memberships hold another word than 'member', 'moderator', 'owner' (role)",
        ),
        (
            general("kind = 'poem' WHERE id = 2"),
            "1 rows of messages hold another word than 'text', 'system' (kind)",
        ),
        (
            "UPDATE account_changes SET act = 'sung' WHERE number = 1".into(),
            "1 rows of account_changes hold another word than 'added'",
        ),
        (
            "UPDATE account_changes SET actor = 'cat' WHERE number = 1".into(),
            "1 rows of account_changes hold another word than 'operator', 'self' (actor)",
        ),
        (
            format!("UPDATE rooms SET kind = 'secret' WHERE id = {park}"),
            "1 rows of rooms hold another word than 'public', 'private', 'direct' (kind)",
        ),
        (
            "UPDATE account_changes SET number = 3".into(),
            "2 changes of accounts are missing from account_changes",
        ),
        (
            format!("UPDATE users SET username_key = 'robert' WHERE id = {bob}"),
            "1 users are not found by their names (username_key)",
        ),
        (
            format!("UPDATE users SET password_hash = 'x' WHERE id = {bob}"),
            "1 accounts have a password that no one can log in with",
        ),
        (
            format!("UPDATE users SET username = 'dave' WHERE id = {DAVE}"),
            "1 deleted accounts still have a name, a password or an e-mail address",
        ),
        (
            format!(
                "INSERT INTO memberships (room_id, user_id, created_at) VALUES (1, {DAVE}, {TIME})"
            ),
            "1 deleted accounts still have logins, known networks, mutes, or rooms that are no direct ones",
        ),
    ]
}

fn in_times() -> Vec<Damage> {
    let mut damages = Vec::new();
    for (table, column) in [
        ("users", "created_at"),
        ("sessions", "expires_at"),
        ("rooms", "archived_at"),
        ("memberships", "muted_until"),
        ("removals", "created_at"),
        ("restraints", "spoke_at"),
        ("messages", "edited_at"),
        ("message_versions", "created_at"),
        ("reactions", "created_at"),
        ("known_networks", "seen_at"),
        ("account_changes", "created_at"),
    ] {
        let words = format!("rows of {table} hold a time that no clock shows");
        damages.push((
            format!("UPDATE {table} SET {column} = 'infinity'"),
            &*String::leak(words),
        ));
    }
    damages.push((
        "UPDATE rooms SET id = 886 WHERE id = 1".into(),
        "room is missing that everyone is in: general",
    ));
    damages
}

fn each_sealed_text_that_is_damaged_is_named(backend: Backend) {
    let Company { server, park, .. } = company(backend);
    let backup = |name: &str| {
        let data_dir = server.data_dir().display().to_string();
        let to = server.folder().join(name).display().to_string();
        let env = [
            ("DATA_DIR", data_dir.as_str()),
            ("DATABASE_URL", server.database.url.as_str()),
        ];
        crate::support::run(&["backup", "--to", &to], &env, server.folder())
    };
    let healthy = backup("healthy.backup");
    assert_eq!(healthy.status.code(), Some(0), "{healthy:?}");
    // As it was sealed, in a place that is not its own.
    let pasted = "UPDATE message_versions SET content = (SELECT content FROM messages WHERE room_id = 1 AND id = 2)";
    let words = "1 of the earlier versions of messages cannot be opened, the first is what message 1 of room general said before change 6";
    expect_named(&server, &[(pasted.into(), words)]);
    let made = backup("version.backup");
    assert_eq!(made.status.code(), Some(3), "{made:?}");
    let words =
        "1 text in it cannot be opened, what message 1 of room general said before change 6";
    assert!(made.stderr.contains(words), "{made:?}");
    for (sql, words) in [
        (
            format!("UPDATE rooms SET topic = 'x' || topic WHERE id = {park}"),
            format!("1 of the topics cannot be opened, the first is that of room {park}"),
        ),
        (
            "UPDATE users SET email = 'x' || email WHERE email IS NOT NULL".into(),
            "1 of the e-mail addresses cannot be opened, the first is that of alice".into(),
        ),
        (
            "UPDATE messages SET content = 'x' || content WHERE room_id = 1 AND id = 2".into(),
            "1 of the messages cannot be opened, the first is message 2 of room general".into(),
        ),
    ] {
        edit(&server.database, &sql);
        let found = doctor_of(&server, &[]);
        assert_eq!(found.status.code(), Some(1), "{found:?}");
        assert!(
            found.stdout.contains(&words),
            "no {words}: {}",
            found.stdout
        );
    }
    let made = backup("all.backup");
    assert!(
        made.stderr.contains("4 texts in it cannot be opened"),
        "{made:?}"
    );
}

fn each_index_that_is_missing_is_named(backend: Backend) {
    let mut server = Server::start(backend);
    User::register(&server, "alice");
    server.terminate();
    let damages = [
        ("messages_by_seq", "a message could be stored twice"),
        ("messages_by_client_id", "a message could be stored twice"),
        ("rooms_by_name", "two public rooms could have one name"),
        (
            "rooms_by_people",
            "the same people could have two direct rooms",
        ),
        ("sessions_by_user", "what it is for becomes slow"),
        ("memberships_by_user", "what it is for becomes slow"),
        ("memberships_of_owners", "what it is for becomes slow"),
        ("messages_changed", "what it is for becomes slow"),
        ("messages_pinned", "what it is for becomes slow"),
        ("rooms_by_maker", "what it is for becomes slow"),
        ("messages_written", "what it is for becomes slow"),
        ("reactions_in_order", "what it is for becomes slow"),
    ]
    .map(|(name, danger)| {
        let words = format!("The index {name} is missing or not valid, so that {danger}");
        (format!("DROP INDEX {name}"), &*String::leak(words))
    });
    expect_named(&server, &damages);
}

/// What the next start puts right is no reason to keep the server from starting.
fn a_room_without_an_owner_is_named(backend: Backend) {
    let Company { mut server, .. } = company(backend);
    edit(&server.database, "UPDATE memberships SET role = 'member'");
    let found = doctor_of(&server, &[]);
    assert_eq!(found.status.code(), Some(0), "{found:?}");
    let words = "2 rooms have no owner who can log in, though a member could be it";
    let is_told = |line: &str| line.starts_with("warning") && line.contains(words);
    assert!(found.stdout.lines().any(is_told), "{}", found.stdout);
    server.start_again();
    server.terminate();
    let found = doctor_of(&server, &[]);
    assert!(!found.stdout.contains("no owner"), "{}", found.stdout);
}
