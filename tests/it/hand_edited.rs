//! Someone edits the tables by hand: messages go on being stored, readers get what is there and see what is not, and
//! `doctor` names it.

use serde_json::{Value, json};

use crate::{
    doctor::doctor_of,
    support::{Backend, PASSWORD, Server, User, eventually, run},
};

on_both![
    a_count_of_changes_without_measure_keeps_no_one_out,
    a_count_that_leaves_no_numbers_has_nothing_stored,
    a_count_that_was_lowered_is_put_right,
    a_deleted_row_is_shown_as_a_hole,
    a_tombstone_with_a_text_is_shown_as_unreadable_and_named,
    what_cannot_be_read_is_told_once_in_the_log_however_often_it_is_read,
    a_time_that_no_clock_shows_hides_no_message,
    a_slow_mode_without_measure_lets_the_others_write,
    members_that_came_or_went_by_hand_are_counted_at_the_next_start,
    what_was_edited_is_named_by_the_doctor,
];

fn server_with(backend: Backend, count: usize) -> (Server, User) {
    let server = Server::start(backend);
    let alice = User::register(&server, "alice");
    for n in 1..=count {
        alice.post(&n.to_string(), None).expect(201);
    }
    (server, alice)
}

fn a_slow_mode_without_measure_lets_the_others_write(backend: Backend) {
    let server = Server::start(backend);
    let [alice, bob] = ["alice", "bob"].map(|name| User::register(&server, name));
    for seconds in [86_401_i64, 10_000_000_000_000, i64::MAX] {
        server.database.execute(&format!(
            "UPDATE rooms SET slow_seconds = {seconds} WHERE key = 'general'"
        ));
        bob.post("one", None);
        bob.post("two", None).expect_problem(429, "slow_mode");
        alice.post("the owner need not wait", None).expect(201);
    }
}

fn members_that_came_or_went_by_hand_are_counted_at_the_next_start(backend: Backend) {
    let (mut server, alice) = server_with(backend, 1);
    let mut bob = User::register(&server, "bob");
    let garden = bob.make_room("garden", "public", &[]);
    let counts = |user: &User| {
        ["general", &garden].map(|room| {
            let path = format!("/api/rooms/{room}");
            user.http().get(&path).expect(200).json()["members"].clone()
        })
    };
    assert_eq!(counts(&bob), [2, 1]);
    server.kill9();
    server.database.execute(&format!(
        "DELETE FROM memberships WHERE user_id = {}; UPDATE rooms SET members = 7 WHERE key = '{garden}'",
        alice.id
    ));
    let ended = doctor_of(&server, &[]);
    assert_eq!(ended.status.code(), Some(1), "{ended:?}");
    for words in [
        "Room general has counted 2 members and has 1".to_owned(),
        format!("Room {garden} has counted 7 members and has 1"),
    ] {
        assert!(ended.stdout.contains(&words), "{}", ended.stdout);
    }
    server.start_again();
    bob.log_in();
    assert_eq!(counts(&bob), [1, 1]);
    let ended = doctor_of(&server, &[]);
    assert_eq!(ended.status.code(), Some(0), "{ended:?}");
}

fn a_count_of_changes_without_measure_keeps_no_one_out(backend: Backend) {
    let server = Server::start(backend);
    let mut alice = User::register(&server, "alice");
    let data_dir = server.data_dir().display().to_string();
    let env = [
        ("DATA_DIR", data_dir.as_str()),
        ("DATABASE_URL", server.database.url.as_str()),
    ];
    let mut values = vec!["9223372036854775807", "-9223372036854775808"];
    if backend == Backend::Sqlite {
        values.extend(["'many'", "1e300", "x'ff'"]);
    }
    for value in values {
        server
            .database
            .execute(&format!("UPDATE users SET credentials = {value}"));
        alice.log_in();
        let change = json!({"current": PASSWORD, "new": PASSWORD}).to_string();
        let path = "/api/users/me/password";
        let answer = alice.http().request("PUT", path, &[], change.as_bytes());
        answer.expect(204);
        alice.log_in();
        server
            .database
            .execute(&format!("UPDATE users SET credentials = {value}"));
        for command in ["disable", "enable"] {
            let ended = run(&["users", command, "alice"], &env, server.folder());
            assert!(ended.status.success(), "{value}: {ended:?}");
        }
        alice.log_in();
    }
}

/// From 2^53 on, clients would read another number than was sent, and in the end it would begin again below all others.
fn a_count_that_leaves_no_numbers_has_nothing_stored(backend: Backend) {
    let (server, alice) = server_with(backend, 2);
    let mut socket = alice.connect();
    for (count, said, named) in [
        (
            "9007199254740991",
            Some("room 1 has counted 9007199254740991 changes"),
            "Room general has lost",
        ),
        (
            "9223372036854775807",
            None,
            "1 rows of rooms hold something else than a number",
        ),
    ] {
        server
            .database
            .execute(&format!("UPDATE rooms SET last_seq = {count}"));
        let answer = alice.post("is not stored", None);
        answer.expect_problem(503, "store_unavailable");
        socket.send_json(&json!({"type": "message", "content": "nor is this", "ref": "r"}));
        eventually("the socket hears of it", || {
            let frame = socket.next_frame();
            (frame["type"] == "error" && frame["code"] == "store_unavailable").then_some(())
        });
        if let Some(words) = said {
            server.await_log(words);
        }
        eventually("the server is not ready", || {
            (server.http().get("/ready").status == 503).then_some(())
        });
        let ended = doctor_of(&server, &[]);
        assert_eq!(ended.status.code(), Some(1), "{ended:?}");
        assert!(ended.stdout.contains(named), "{}", ended.stdout);
    }
    server.database.execute("UPDATE rooms SET last_seq = 2");
    let posted = eventually("it is put right", || {
        Some(alice.post("stored", None)).filter(|answer| answer.status == 201)
    });
    assert_eq!(posted.json()["id"], 3);
    assert_eq!(alice.history().len(), 3);
    eventually("the server is ready again", || {
        (server.http().get("/ready").status == 200).then_some(())
    });
}

fn a_count_that_was_lowered_is_put_right(backend: Backend) {
    let (mut server, alice) = server_with(backend, 5);
    let lower = "UPDATE rooms SET last_seq = 2";
    server.database.execute(lower);
    let posted = alice.post("while serving", None).expect(201);
    assert_eq!(posted.json()["id"], 6);
    server.await_log("rooms.last_seq was changed by hand");
    server.kill9();
    server.database.execute(lower);
    server.start_again();
    let posted = alice.post("while stopped", None).expect(201);
    assert_eq!(posted.json()["id"], 7);
    let ids: Vec<u64> = alice
        .history()
        .iter()
        .filter_map(|message| message["id"].as_u64())
        .collect();
    assert_eq!(ids, [1, 2, 3, 4, 5, 6, 7]);
}

/// What each number is: its text, or that it cannot be read.
fn shown(messages: &[Value]) -> Vec<(u64, &str)> {
    messages
        .iter()
        .map(|message| {
            let content = if message["unreadable"] == true {
                assert_eq!(message["content"], "", "{message}");
                "-"
            } else {
                message["content"].as_str().expect("a text")
            };
            (message["seq"].as_u64().expect("a number"), content)
        })
        .collect()
}

fn a_deleted_row_is_shown_as_a_hole(backend: Backend) {
    let (server, alice) = server_with(backend, 6);
    let mut live = alice.connect();
    server
        .database
        .execute("DELETE FROM messages WHERE id IN (1, 3, 4, 6)");
    let all = [(1, "-"), (2, "2"), (3, "-"), (4, "-"), (5, "5"), (6, "-")];
    for query in ["", "?since=0", "?after=0", "?before=7", "?around=3"] {
        assert_eq!(shown(&alice.page(query)), all, "{query}");
    }
    assert_eq!(shown(&alice.page("?limit=2")), all[4..]);
    assert_eq!(shown(&alice.page("?since=1&limit=3")), all[1..4]);
    assert_eq!(shown(&alice.page("?before=4&limit=2")), all[1..3]);
    let mut socket = alice.connect();
    socket.send_json(&json!({"type": "sync", "rooms": {"general": 0}, "ref": "r"}));
    let mut synced = Vec::new();
    let answer = loop {
        let frame = socket.next_frame();
        match frame["type"].as_str() {
            Some("message") => synced.push(frame),
            Some("synced") => break frame,
            _ => {}
        }
    };
    assert_eq!(shown(&synced), all);
    assert_eq!(
        answer["rooms"]["general"],
        json!({"seq": 6, "complete": true})
    );
    // And life goes on.
    live.say("7");
}

fn a_tombstone_with_a_text_is_shown_as_unreadable_and_named(backend: Backend) {
    let (server, alice) = server_with(backend, 4);
    server
        .database
        .execute("UPDATE messages SET deleted_at = '2026-01-01 00:00:00' WHERE id IN (2, 3)");
    let all = [(1, "1"), (2, "-"), (3, "-"), (4, "4")];
    assert_eq!(shown(&alice.page("")), all);
    let ended = doctor_of(&server, &[]);
    assert_eq!(ended.status.code(), Some(1), "{ended:?}");
    let words = "2 of the messages cannot be opened, the first is message 2 of room general";
    assert!(ended.stdout.contains(words), "{}", ended.stdout);
}

fn what_cannot_be_read_is_told_once_in_the_log_however_often_it_is_read(backend: Backend) {
    let (mut server, alice) = server_with(backend, 4);
    server
        .database
        .execute("UPDATE messages SET content = 'gAAAA' WHERE id IN (2, 3)");
    let count = |server: &Server, id: u64| {
        let line = format!("message {id} of room general cannot be read");
        server.log().matches(&line).count()
    };
    for _ in 0..5 {
        assert_eq!(alice.page("")[1]["unreadable"], true);
    }
    server.await_log("message 3 of room general cannot be read");
    server.restart();
    assert_eq!((count(&server, 2), count(&server, 3)), (1, 1));
    // The next run tells it, too.
    alice.page("");
    eventually("it is told", || (count(&server, 2) == 2).then_some(()));
}

fn a_time_that_no_clock_shows_hides_no_message(backend: Backend) {
    let (server, alice) = server_with(backend, 5);
    let odd = match backend {
        Backend::Postgres => ["infinity", "-infinity", "20000-01-01", "0044-03-15 BC"],
        Backend::Sqlite => ["infinity", "", "20000-01-01", "yesterday"],
    };
    for (n, time) in odd.iter().enumerate() {
        server.database.execute(&format!(
            "UPDATE messages SET created_at = '{time}' WHERE id = {}",
            n + 1
        ));
    }
    let all = [(1, "1"), (2, "2"), (3, "3"), (4, "4"), (5, "5")];
    let page = alice.page("");
    assert_eq!(shown(&page), all);
    for message in &page {
        let at = message["created_at"].as_str().expect("a time");
        assert_eq!(at.len(), "2026-11-22T14:07:45.123456+00:00".len(), "{at}");
    }
}

fn what_was_edited_is_named_by_the_doctor(backend: Backend) {
    let (server, _) = server_with(backend, 6);
    let named = |sql: &str, words: &str| {
        server.database.execute(sql);
        let ended = doctor_of(&server, &[]);
        assert_eq!(ended.status.code(), Some(1), "{ended:?}");
        assert!(
            ended.stdout.contains(words),
            "not {words:?}: {}",
            ended.stdout
        );
    };
    assert_eq!(doctor_of(&server, &[]).status.code(), Some(0));
    named(
        "DELETE FROM messages WHERE id = 3",
        "Room general has lost 1 of its 6 messages",
    );
    named(
        "UPDATE messages SET created_at = 'infinity' WHERE id = 2",
        "1 messages with a time that no clock shows",
    );
    named(
        "DROP INDEX messages_by_client_id",
        "The index messages_by_client_id is missing",
    );
    drop(server);
    let (mut server, _) = server_with(backend, 6);
    server.kill9();
    server.database.execute("UPDATE rooms SET last_seq = 2");
    let ended = doctor_of(&server, &[]);
    assert!(
        ended
            .stdout
            .contains("has counted 2 changes and holds number 6"),
        "{ended:?}"
    );
    server.database.execute("DROP TABLE facts");
    let ended = doctor_of(&server, &[]);
    assert!(
        ended
            .stdout
            .contains("lacks tables that it once had (facts)"),
        "{ended:?}"
    );
    let said = server.try_start_again().expect_err("it does not start");
    assert!(
        said.contains("lacks tables that it once had (facts)"),
        "{said}"
    );
}

/// SQLite takes a text for a number. It is above all numbers, and read as 0.
#[test]
fn a_number_that_is_a_text_lets_everyone_come_to_an_end() {
    let (server, alice) = server_with(Backend::Sqlite, 6);
    server
        .database
        .execute("UPDATE messages SET id = 'x', seq = 'y' WHERE id = 5");
    let ended = doctor_of(&server, &[]);
    assert_eq!(ended.status.code(), Some(1), "{ended:?}");
    let words = "1 rows of messages hold something else than a number";
    assert!(ended.stdout.contains(words), "{}", ended.stdout);
    let ids: Vec<_> = alice
        .history()
        .iter()
        .filter_map(|message| message["seq"].as_u64())
        .collect();
    assert_eq!(ids, [1, 2, 3, 4, 5, 6], "with a hole for what was edited");
    let data_dir = server.data_dir().display().to_string();
    let env = [
        ("DATA_DIR", data_dir.as_str()),
        ("DATABASE_URL", server.database.url.as_str()),
    ];
    let shown = run(&["users", "show", "alice"], &env, server.folder());
    assert!(shown.status.success(), "{shown:?}");
}

#[test]
fn a_name_that_commands_a_terminal_is_named_and_shown_harmless() {
    let (server, alice) = server_with(Backend::Sqlite, 1);
    server.database.execute(&format!(
        "UPDATE users SET username = 'al' || char(27) || '[31mice' WHERE id = {}",
        alice.id
    ));
    server.database.execute(
        "UPDATE rooms SET key = 'gen' || char(27) || '[31meral', name = key; DELETE FROM messages",
    );
    let ended = doctor_of(&server, &[]);
    assert_eq!(ended.status.code(), Some(1), "{ended:?}");
    assert!(!ended.stdout.contains('\u{1b}'), "{ended:?}");
    let words = "1 names of users are empty, too long or hold characters that are not shown";
    assert!(ended.stdout.contains(words), "{}", ended.stdout);
    let data_dir = server.data_dir().display().to_string();
    let env = [
        ("DATA_DIR", data_dir.as_str()),
        ("DATABASE_URL", server.database.url.as_str()),
    ];
    let listed = run(&["users", "list"], &env, server.folder());
    assert!(listed.stdout.contains("al\\u{1b}[31mice"), "{listed:?}");
    assert!(!listed.stdout.contains('\u{1b}'), "{listed:?}");
}

/// No setting makes such a hash, and no login would ever be through with it.
#[test]
fn a_hash_without_measure_is_named_by_the_doctor() {
    let (server, alice) = server_with(Backend::Sqlite, 1);
    server.database.execute(&format!(
        "UPDATE users SET password_hash = '$2b$31$' || substr(password_hash, 8) WHERE id = {}",
        alice.id
    ));
    let ended = doctor_of(&server, &[]);
    assert_eq!(ended.status.code(), Some(1), "{ended:?}");
    let words = "1 hashes of passwords have a cost above 16";
    assert!(ended.stdout.contains(words), "{}", ended.stdout);
}

#[test]
fn a_login_that_ends_at_no_time_is_no_login() {
    let (server, mut alice) = server_with(Backend::Sqlite, 1);
    server
        .database
        .execute("UPDATE sessions SET expires_at = 'zzz'");
    let answer = alice.http().get("/api/chat/messages");
    answer.expect_problem(401, "invalid_token");
    let refresh = json!({"refresh_token": alice.refresh_token});
    let answer = server.http().post("/api/auth/refresh", &refresh);
    answer.expect_problem(401, "invalid_refresh_token");
    alice.log_in();
    alice.http().get("/api/chat/messages").expect(200);
}

/// SQLite takes bytes for a text.
#[test]
fn a_message_of_bytes_that_are_no_text_is_shown_as_unreadable_and_named() {
    let (server, alice) = server_with(Backend::Sqlite, 4);
    server
        .database
        .execute("UPDATE messages SET content = x'ff00fe' WHERE id IN (2, 3)");
    let all = [(1, "1"), (2, "-"), (3, "-"), (4, "4")];
    assert_eq!(shown(&alice.page("")), all);
    let ended = doctor_of(&server, &[]);
    assert_eq!(ended.status.code(), Some(1), "{ended:?}");
    let words = "2 of the messages cannot be opened, the first is message 2 of room general";
    assert!(ended.stdout.contains(words), "{}", ended.stdout);
}
