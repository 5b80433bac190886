//! What is deleted is gone: only a tombstone is left of it.

use serde_json::{Value, json};

use crate::support::{Backend, Server, User};

on_both![
    a_deleted_message_is_a_tombstone_for_everyone,
    who_deletes_again_is_told_the_same,
    the_owner_deletes_what_others_wrote_and_members_do_not,
    a_retry_of_what_was_changed_since_is_a_duplicate_whatever_it_says,
    the_core_path_shows_only_what_people_wrote_and_is_never_short,
    the_core_path_gives_its_whole_limit_of_large_messages,
    the_core_path_answers_however_much_was_deleted,
    what_was_deleted_is_in_no_table_and_in_no_file_of_the_database,
];

fn two(server: &Server) -> [User; 2] {
    ["alice", "bob"].map(|name| User::register(server, name))
}

fn delete(user: &User, id: u64) -> crate::support::Response {
    let path = format!("/api/rooms/general/messages/{id}");
    user.ask("DELETE", &path, &[], &Value::Null)
}

fn a_deleted_message_is_a_tombstone_for_everyone(backend: Backend) {
    let server = Server::start(backend);
    let [alice, bob] = two(&server);
    let mut his = bob.connect();
    alice.post("a slip", Some("c1")).expect(201);
    alice.post("another", None).expect(201);
    let tombstone = delete(&alice, 1).expect(200).json();
    assert_eq!(
        (&tombstone["id"], &tombstone["seq"], &tombstone["content"]),
        (&json!(1), &json!(3), &json!(""))
    );
    assert!(tombstone["deleted_at"].is_string(), "{tombstone}");
    assert!(tombstone.get("unreadable").is_none(), "{tombstone}");
    let heard = his.expect_type("message_changed");
    assert_eq!(
        (&heard["id"], &heard["seq"], &heard["content"], &heard["by"]),
        (&json!(1), &json!(3), &json!(""), &json!(alice.id))
    );
    assert_eq!(heard["change"], json!({"type": "deleted"}));
    let ack = alice
        .connect()
        .ask(json!({"type": "delete", "room": "general", "id": 2}));
    assert_eq!(
        (&ack["type"], &ack["id"], &ack["seq"]),
        (&json!("ack"), &json!(2), &json!(4))
    );
    let since = bob.page("?since=2");
    assert_eq!(since.len(), 2);
    for message in bob.page("").iter().chain(&since) {
        assert!(
            message["deleted_at"].is_string() && message["content"] == "",
            "{message}"
        );
    }
}

fn who_deletes_again_is_told_the_same(backend: Backend) {
    let server = Server::start(backend);
    let [alice, _] = two(&server);
    alice.post("a slip", None).expect(201);
    let first = delete(&alice, 1).expect(200).json();
    assert_eq!(delete(&alice, 1).expect(200).json(), first);
    let ack = alice
        .connect()
        .ask(json!({"type": "delete", "room": "general", "id": 1}));
    assert_eq!((&ack["seq"], &ack["duplicate"]), (&json!(2), &json!(true)));
    let edit = json!({"content": "back"});
    alice
        .ask("PATCH", "/api/rooms/general/messages/1", &[], &edit)
        .expect_problem(409, "message_deleted");
}

fn the_owner_deletes_what_others_wrote_and_members_do_not(backend: Backend) {
    let server = Server::start(backend);
    // Whoever was first owns `general`.
    let [alice, bob] = two(&server);
    alice.post("hers", None).expect(201);
    bob.post("his", None).expect(201);
    server.database.execute(&format!(
        "UPDATE memberships SET role = CASE WHEN user_id = {} THEN 'owner' ELSE 'member' END; UPDATE rooms SET members_version = members_version + 1",
        alice.id
    ));
    delete(&bob, 1).expect_problem(403, "forbidden");
    let frame = json!({"type": "delete", "room": "general", "id": 1});
    assert_eq!(bob.connect().ask(frame)["code"], "forbidden");
    let tombstone = delete(&alice, 2).expect(200).json();
    assert_eq!(tombstone["user_id"], bob.id, "it still says who wrote it");
    assert_eq!(alice.page("")[0]["content"], "hers");
}

fn a_retry_of_what_was_changed_since_is_a_duplicate_whatever_it_says(backend: Backend) {
    let server = Server::start(backend);
    let [alice, _] = two(&server);
    alice.post("one", Some("c1")).expect(201);
    alice.post("two", Some("c2")).expect(201);
    let edit = json!({"content": "mended"});
    alice
        .ask("PATCH", "/api/rooms/general/messages/1", &[], &edit)
        .expect(200);
    delete(&alice, 2).expect(200);
    let mut socket = alice.connect();
    for (client_id, id, seq, now) in [("c1", 1, 3, "mended"), ("c2", 2, 4, "")] {
        for content in ["one", "two", "three"] {
            // The answer is the message as it is: what was deleted is in no answer, not even to who sends it again.
            let again = alice.post(content, Some(client_id)).expect(200).json();
            assert_eq!(
                (
                    &again["id"],
                    &again["seq"],
                    &again["content"],
                    &again["client_id"]
                ),
                (&json!(id), &json!(seq), &json!(now), &json!(client_id))
            );
            let ack =
                socket.ask(json!({"type": "message", "content": content, "client_id": client_id}));
            assert_eq!(
                (&ack["id"], &ack["seq"], &ack["duplicate"]),
                (&json!(id), &json!(seq), &json!(true))
            );
        }
    }
    assert_eq!(alice.page("").len(), 2);
}

/// What the path of older clients gives, and where it leads on.
fn latest(user: &User, limit: usize) -> (Vec<Value>, Option<String>) {
    let answer = user
        .http()
        .get(&format!("/api/chat/messages?limit={limit}"))
        .expect(200);
    let link = answer.link("prev");
    (answer.json().as_array().expect("an array").clone(), link)
}

fn ids(messages: &[Value]) -> Vec<u64> {
    messages
        .iter()
        .map(|message| message["id"].as_u64().expect("an id"))
        .collect()
}

fn the_core_path_shows_only_what_people_wrote_and_is_never_short(backend: Backend) {
    let server = Server::start(backend);
    let [alice, _] = two(&server);
    let mut socket = alice.connect();
    for n in 1..=300 {
        socket.say(&format!("m{n}"));
    }
    // All but every twentieth go, in a row and one by one; and what the room says of itself is by no one.
    for id in (1..=300).filter(|id| id % 20 != 0) {
        socket.ask(json!({"type": "delete", "room": "general", "id": id}));
    }
    server
        .database
        .execute("UPDATE messages SET kind = 'system' WHERE id = 300");
    let left: Vec<u64> = (20..300).step_by(20).collect();
    for limit in [1, 2, 5, 13] {
        let (messages, older) = latest(&alice, limit);
        assert_eq!(ids(&messages), left[left.len() - limit..], "{limit}");
        let first = messages[0]["id"].clone();
        assert_eq!(
            older,
            Some(format!(
                "/api/rooms/general/messages?before={first}&limit={limit}"
            ))
        );
    }
    for limit in [15, 200] {
        let (messages, older) = latest(&alice, limit);
        assert_eq!((ids(&messages), older), (left.clone(), None), "{limit}");
    }
    assert_eq!(
        alice.page("?limit=200").len(),
        200,
        "elsewhere they are shown"
    );
}

fn the_core_path_answers_however_much_was_deleted(backend: Backend) {
    let server = Server::start(backend);
    let [alice, _] = two(&server);
    alice.connect().say("what is left");
    // A hundred thousand messages after it, each deleted later: so many would take hours over the network.
    server.database.execute(
        "WITH RECURSIVE n(i) AS (SELECT 2 UNION ALL SELECT i + 1 FROM n WHERE i < 100001) \
         INSERT INTO messages (room_id, id, seq, user_id, content, created_at, kind, previous, deleted_at) \
         SELECT room_id, i, i + 100000, user_id, '', created_at, 'text', i - 1, created_at FROM n, messages",
    );
    server.database.execute(
        "UPDATE rooms SET last_seq = 200001, last_message_id = 100001 WHERE key = 'general'",
    );
    for limit in [1, 50, 200] {
        let (messages, older) = latest(&alice, limit);
        assert_eq!(ids(&messages), [1], "{limit}");
        assert_eq!(older.is_some(), limit == 1, "{limit}");
    }
    alice.connect().say("and what is new");
    let (messages, _) = latest(&alice, 50);
    assert_eq!(messages[0]["content"], "what is left");
    assert_eq!(messages[1]["content"], "and what is new");
    // What is gone without a trace is shown as missing all the same.
    server
        .database
        .execute("DELETE FROM messages WHERE id = 100001");
    let (messages, _) = latest(&alice, 50);
    assert_eq!(messages[1]["id"], 100_001);
    assert_eq!(messages[1]["unreadable"], true);
}

fn the_core_path_gives_its_whole_limit_of_large_messages(backend: Backend) {
    let server = Server::start(backend);
    let [alice, _] = two(&server);
    let mut socket = alice.connect();
    for n in 1..=150 {
        let id = socket.say(&format!("{n} {}", "x".repeat(16_000)))["id"]
            .as_u64()
            .expect("an id");
        if n % 3 == 0 {
            // Numbers that are none of a message.
            let edit = json!({"type": "edit", "room": "general", "id": id, "content": format!("{n} short")});
            socket.ask(edit);
        }
        if n % 5 == 0 {
            socket.ask(json!({"type": "delete", "room": "general", "id": id}));
        }
    }
    let (all, older) = latest(&alice, 200);
    let numbers = |messages: &[Value]| -> Vec<u64> {
        let texts = messages
            .iter()
            .map(|message| message["content"].as_str().expect("a text"));
        texts
            .map(|text| {
                text.split(' ')
                    .next()
                    .expect("a word")
                    .parse()
                    .expect("a number")
            })
            .collect()
    };
    let wanted: Vec<u64> = (1..=150).filter(|n| n % 5 != 0).collect();
    assert_eq!((numbers(&all), older), (wanted.clone(), None));
    let (some, older) = latest(&alice, 90);
    assert_eq!(numbers(&some), wanted[wanted.len() - 90..]);
    let first = some[0]["id"].clone();
    assert_eq!(
        older,
        Some(format!(
            "/api/rooms/general/messages?before={first}&limit=90"
        ))
    );
    // To the letter what a page has.
    let page = alice.page("?limit=20");
    let last: Vec<_> = page
        .iter()
        .filter(|message| message.get("deleted_at").is_none())
        .collect();
    assert_eq!(
        some.iter().rev().take(last.len()).rev().collect::<Vec<_>>(),
        last
    );
}

/// What is sealed in the database, with the versions of before.
fn sealed(server: &Server) -> Vec<String> {
    let all = "SELECT content AS value FROM messages WHERE id > 1 UNION ALL SELECT content FROM message_versions";
    server.database.query(all).into_iter().flatten().collect()
}

/// The bytes of all that the database keeps on the disk, its log of changes apart.
fn bytes_on_disk(server: &Server) -> Vec<u8> {
    if server.database.url.starts_with("sqlite:") {
        server.database.execute("PRAGMA wal_checkpoint(TRUNCATE)");
        let folder = server.database.file().parent().expect("a folder");
        let files = std::fs::read_dir(folder).expect("reads");
        let read = |entry: std::io::Result<std::fs::DirEntry>| {
            std::fs::read(entry.expect("an entry").path()).unwrap_or_default()
        };
        return files.flat_map(read).collect();
    }
    for table in ["messages", "message_versions"] {
        server.database.execute(&format!("VACUUM {table}"));
    }
    server.database.execute("CHECKPOINT");
    let hex = server.database.query(
        "SELECT encode(pg_read_binary_file(pg_relation_filepath(oid)), 'hex') AS value FROM pg_class \
         WHERE relkind IN ('r', 't', 'i') AND oid >= 16384 AND pg_relation_filepath(oid) IS NOT NULL",
    );
    let digits = hex.into_iter().flatten().flat_map(String::into_bytes);
    let digits: Vec<u8> = digits
        .map(|digit| u8::try_from(char::from(digit).to_digit(16).expect("hex")).expect("small"))
        .collect();
    digits
        .chunks(2)
        .map(|pair| pair[0] << 4 | pair[1])
        .collect()
}

fn what_was_deleted_is_in_no_table_and_in_no_file_of_the_database(backend: Backend) {
    let server = Server::start(backend);
    let [alice, _] = two(&server);
    alice.post("this one stays", None).expect(201);
    for text in ["short", &"long ".repeat(2_400)] {
        let id = alice.post(text, None).expect(201).json()["id"].clone();
        for word in ["better", "best"] {
            let path = format!("/api/rooms/general/messages/{id}");
            let body = json!({"content": format!("{word} {text}")});
            alice.ask("PATCH", &path, &[], &body).expect(200);
        }
    }
    let before = sealed(&server);
    assert_eq!(before.len(), 6);
    // A piece that falls into one page, behind what all tokens begin with.
    let pieces: Vec<_> = before.iter().map(|token| &token[20..80]).collect();
    let on_disk = || String::from_utf8_lossy(&bytes_on_disk(&server)).into_owned();
    let disk = on_disk();
    let is_found = pieces.iter().all(|piece| disk.contains(piece));
    assert!(is_found, "the search finds what is there");

    for message in alice.page("?since=1") {
        delete(&alice, message["id"].as_u64().expect("an id")).expect(200);
    }
    assert_eq!(sealed(&server), ["", ""]);
    let disk = on_disk();
    let left = pieces.iter().filter(|piece| disk.contains(**piece)).count();
    assert_eq!(left, 0, "of {} pieces", pieces.len());
}
