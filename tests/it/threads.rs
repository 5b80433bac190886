//! Threads: replies under a message, beside the room's own talk; what the first message tells of them, and who follows them.

use std::thread;

use serde_json::{Value, json};

use crate::support::{Backend, Server, Socket, User};

on_both![
    a_reply_stands_in_its_thread_and_the_first_message_tells_of_it,
    what_is_deleted_of_a_thread_is_counted_no_more_and_the_thread_stays,
    a_thread_is_begun_under_what_a_person_wrote_and_nowhere_else,
    pages_of_a_room_pass_over_threads_and_a_thread_has_its_own,
    an_old_client_hears_nothing_of_threads,
    replies_of_many_at_once_are_all_counted,
    who_has_to_do_with_a_thread_follows_it_until_they_do_not_want_to,
    threads_are_listed_by_their_latest_replies_where_one_may_read,
    a_reply_that_was_lost_is_shown_in_its_room,
];

fn three(server: &Server) -> [User; 3] {
    ["alice", "bob", "carol"].map(|name| User::register(server, name))
}

/// Says something in a thread of `general`, and tells its number.
#[track_caller]
fn reply(user: &User, first: u64, content: &str, also_to_room: bool) -> u64 {
    reply_in(user, "general", first, content, also_to_room)
}

#[track_caller]
fn reply_in(user: &User, room: &str, first: u64, content: &str, also_to_room: bool) -> u64 {
    let mut body = json!({"content": content, "thread": first});
    if also_to_room {
        body["also_to_room"] = true.into();
    }
    let answer = user.in_room("POST", room, "/messages", &body).expect(201);
    answer.json()["id"].as_u64().expect("an id")
}

fn delete(user: &User, id: u64) -> Value {
    let path = format!("/api/rooms/general/messages/{id}");
    user.ask("DELETE", &path, &[], &Value::Null)
        .expect(200)
        .json()
}

fn find(user: &User, id: u64) -> Value {
    let path = format!("/api/rooms/general/messages/{id}");
    user.http().get(&path).expect(200).json()
}

fn ids(page: &[Value]) -> Vec<u64> {
    page.iter()
        .map(|message| message["id"].as_u64().expect("an id"))
        .collect()
}

/// What stands under a message, without who.
fn short(replies: &Value) -> Value {
    json!([replies["count"], replies["last_id"], replies["seq"]])
}

fn names(replies: &Value) -> Vec<&str> {
    let users = replies["users"].as_array().expect("users").iter();
    users
        .map(|user| user["username"].as_str().expect("a name"))
        .collect()
}

fn a_reply_stands_in_its_thread_and_the_first_message_tells_of_it(backend: Backend) {
    let server = Server::start(backend);
    let [alice, bob, carol] = three(&server);
    alice.post("lunch?", None).expect(201);
    let mut hers = alice.connect();
    assert!(find(&alice, 1)["replies"].is_null());
    let body = json!({"content": "where?", "thread": 1, "reply_to": 1});
    let said = bob
        .in_room("POST", "general", "/messages", &body)
        .expect(201)
        .json();
    assert_eq!((&said["id"], &said["thread"]), (&json!(2), &json!(1)));
    assert!(said["also_to_room"].is_null());
    let heard = hers.expect_message("where?");
    assert_eq!(
        (&heard["thread"], &heard["reply_to"]),
        (&json!(1), &json!(1))
    );
    assert_eq!(short(&heard["thread_replies"]), json!([1, 2, 2]));
    assert_eq!(heard["thread_replies"], said["thread_replies"]);
    let frame = json!({"type": "message", "content": "at noon", "thread": 1, "also_to_room": true});
    assert_eq!(carol.connect().ask(frame)["id"], 3);
    let heard = hers.expect_message("at noon");
    assert_eq!(heard["also_to_room"], true);
    assert_eq!(short(&heard["thread_replies"]), json!([2, 3, 3]));
    assert_eq!(names(&heard["thread_replies"]), ["bob", "carol"]);
    // The first message has taken no number for it, and tells the same wherever it is read.
    let first = find(&bob, 1);
    assert_eq!(
        (&first["seq"], &first["replies"]),
        (&json!(1), &heard["thread_replies"])
    );
    for page in [bob.page(""), bob.page("?since=0"), bob.page("?thread=1")] {
        assert_eq!(page[0]["replies"], first["replies"]);
    }
    // Whoever reads what has changed learns it of the replies.
    let changed = bob.page("?since=1");
    assert_eq!(ids(&changed), [2, 3]);
    for message in &changed {
        assert_eq!(message["thread_replies"], first["replies"]);
    }
    assert_eq!(find(&bob, 2)["thread_replies"], first["replies"]);
    // It says the same to whoever catches up.
    let mut late = carol.connect();
    late.send_json(&json!({"type": "sync", "rooms": {"general": 0}, "ref": "s"}));
    assert_eq!(late.expect_message("lunch?")["replies"], first["replies"]);
    assert_eq!(
        late.expect_message("where?")["thread_replies"],
        first["replies"]
    );
}

fn what_is_deleted_of_a_thread_is_counted_no_more_and_the_thread_stays(backend: Backend) {
    let server = Server::start(backend);
    let [alice, bob, carol] = three(&server);
    alice.post("lunch?", None).expect(201);
    let mut hers = alice.connect();
    for (user, content) in [(&bob, "one"), (&carol, "two"), (&carol, "three")] {
        reply(user, 1, content, false);
    }
    let told = |socket: &mut Socket| {
        let frame = socket.expect_type("message_changed");
        let replies = &frame["thread_replies"];
        (short(replies), names(replies).join(" "))
    };
    delete(&carol, 4);
    assert_eq!(told(&mut hers), (json!([2, 3, 5]), "bob carol".into()));
    // Deleted again, nothing changes.
    delete(&carol, 4);
    delete(&carol, 3);
    assert_eq!(told(&mut hers), (json!([1, 2, 6]), "bob".into()));
    let edit = json!({"content": "one, edited"});
    bob.ask("PATCH", "/api/rooms/general/messages/2", &[], &edit)
        .expect(200);
    assert_eq!(told(&mut hers), (json!([1, 2, 6]), "bob".into()));
    let left = delete(&bob, 2);
    assert_eq!(left["thread"], 1);
    assert_eq!(told(&mut hers), (json!([0, 0, 8]), String::new()));
    assert_eq!(short(&find(&bob, 1)["replies"]), json!([0, 0, 8]));
    assert_eq!(ids(&bob.page("?thread=1")), [1, 2, 3, 4]);
    // A tombstone keeps its thread, which goes on.
    delete(&alice, 1);
    let id = reply(&bob, 1, "four", false);
    let first = find(&bob, 1);
    assert!(first["deleted_at"].is_string());
    assert_eq!(short(&first["replies"]), json!([1, id, id]));
    let page = bob.page("?thread=1");
    assert_eq!((page[0]["content"].as_str(), page.len()), (Some(""), 5));
}

fn a_thread_is_begun_under_what_a_person_wrote_and_nowhere_else(backend: Backend) {
    let server = Server::start(backend);
    let [alice, bob, _] = three(&server);
    let garden = alice.make_room("garden", "public", &[&bob]);
    let said = alice.post_to(&garden, "seeds").expect(201).json()["id"]
        .as_u64()
        .expect("an id");
    let inside = reply_in(&bob, &garden, said, "which?", false);
    let gone = alice.post_to(&garden, "oops").expect(201).json()["id"].clone();
    let path = format!("/messages/{gone}");
    alice
        .in_room("DELETE", &garden, &path, &Value::Null)
        .expect(200);
    let mut socket = alice.connect();
    for (first, status, code) in [
        (json!(inside), 409, "not_a_thread"),
        // What the room says of itself.
        (json!(1), 409, "not_a_thread"),
        (gone, 409, "message_deleted"),
        (json!(0), 404, "message_not_found"),
        (json!(said + 40), 404, "message_not_found"),
        (json!(u64::MAX), 404, "message_not_found"),
    ] {
        let body = json!({"content": "x", "thread": first, "client_id": "a"});
        let answer = alice.in_room("POST", &garden, "/messages", &body);
        answer.expect_problem(status, code);
        let frame = json!({"type": "message", "room": garden, "content": "x", "thread": first});
        assert_eq!(socket.ask(frame)["code"], code, "{first}");
    }
    let body = json!({"content": "x", "also_to_room": true});
    (alice.in_room("POST", &garden, "/messages", &body)).expect_problem(422, "validation_error");
    // A number of another room is none of this one.
    let elsewhere = json!({"content": "x", "thread": inside});
    (alice.http().post("/api/rooms/general/messages", &elsewhere))
        .expect_problem(404, "message_not_found");
    // What was refused has taken no number, and its name is free; a retry is safe.
    let body = json!({"content": "x", "thread": said, "client_id": "a"});
    let first = alice
        .in_room("POST", &garden, "/messages", &body)
        .expect(201)
        .json();
    assert_eq!(first["id"], said + 4);
    let again = alice
        .in_room("POST", &garden, "/messages", &body)
        .expect(200)
        .json();
    assert_eq!(again, first);
    assert_eq!(first["thread_replies"]["count"], 2);
}

fn pages_of_a_room_pass_over_threads_and_a_thread_has_its_own(backend: Backend) {
    let server = Server::start(backend);
    let [alice, bob, _] = three(&server);
    // 1, then of every three: one in the thread, one in the room, one in both.
    alice.post("first", None).expect(201);
    for n in 0..30 {
        match n % 3 {
            0 => reply(&bob, 1, &n.to_string(), false),
            1 => alice.post(&n.to_string(), None).expect(201).json()["id"]
                .as_u64()
                .expect("an id"),
            _ => reply(&alice, 1, &n.to_string(), true),
        };
    }
    let in_room = |id: &u64| *id == 1 || id % 3 != 2;
    let in_thread = |id: &u64| *id == 1 || !id.is_multiple_of(3);
    let all: Vec<u64> = (1..=31).collect();
    let room: Vec<u64> = all.iter().copied().filter(in_room).collect();
    let thread: Vec<u64> = all.iter().copied().filter(in_thread).collect();
    assert_eq!(ids(&bob.page("?limit=200")), room);
    assert_eq!(ids(&bob.page("?limit=200&thread=1")), thread);
    assert_eq!(ids(&bob.page("?limit=200&since=0")), all);
    let old = bob
        .http()
        .get("/api/chat/messages?limit=200")
        .expect(200)
        .json();
    assert_eq!(ids(old.as_array().expect("an array")), room);
    for (query, wanted) in [("", &room), ("&thread=1", &thread)] {
        for (start, relation) in [("?limit=4", "prev"), ("?limit=4&after=0", "next")] {
            let mut next = Some(format!("/api/rooms/general/messages{start}{query}"));
            let mut found = Vec::new();
            while let Some(path) = next {
                let page = bob.http().get(&path).expect(200);
                next = page.link(relation);
                let more = ids(page.json().as_array().expect("an array"));
                assert!(more.len() <= 4 && found.len() <= wanted.len(), "{path}");
                found = match relation {
                    "prev" => [more, found].concat(),
                    _ => [found, more].concat(),
                };
            }
            assert_eq!(found, *wanted, "{start}{query}");
        }
        let around = ids(&bob.page(&format!("?around=15&limit=6{query}")));
        let (before, after) = wanted.split_at(wanted.partition_point(|id| *id <= 15));
        assert_eq!(around, [&before[before.len() - 3..], &after[..3]].concat());
    }
    for (query, code) in [
        ("?thread=2", "message_not_found"),
        ("?thread=99", "message_not_found"),
        ("?thread=x", "validation_error"),
        ("?thread=1&since=0", "validation_error"),
        ("?thread=1&pinned=true", "validation_error"),
    ] {
        let answer = bob
            .http()
            .get(&format!("/api/rooms/general/messages{query}"));
        let status = if code == "message_not_found" {
            404
        } else {
            422
        };
        answer.expect_problem(status, code);
    }
    // One without replies has itself.
    assert_eq!(ids(&bob.page("?thread=3")), [3]);
}

fn an_old_client_hears_nothing_of_threads(backend: Backend) {
    let server = Server::start(backend);
    let [alice, bob, _] = three(&server);
    let query = format!("?token={}", bob.token);
    let mut old = Socket::open(server.addr, &query, &[]).expect("opens");
    alice.post("lunch?", None).expect(201);
    reply(&alice, 1, "in the thread", false);
    reply(&alice, 1, "in both", true);
    reply(&alice, 1, "in the thread again", false);
    alice.post("the last", None).expect(201);
    let mut heard = Vec::new();
    while heard.last().is_none_or(|last| last != "the last") {
        let frame = old.expect_type("message");
        heard.push(frame["content"].as_str().expect("a text").to_owned());
    }
    assert_eq!(heard, ["lunch?", "in both", "the last"]);
    // From its first `sync` on it is a client like others.
    old.send_json(&json!({"type": "sync", "rooms": {"general": 0}}));
    old.expect_message("in the thread");
    old.expect_type("synced");
    reply(&alice, 1, "live", false);
    old.expect_message("live");
}

fn replies_of_many_at_once_are_all_counted(backend: Backend) {
    let server = Server::start(backend);
    let people = User::register_all(&server, "replier", 8);
    people[0].post("one", None).expect(201);
    people[0].post("two", None).expect(201);
    thread::scope(|scope| {
        for user in &people {
            scope.spawn(|| {
                let mut socket = user.connect();
                for n in 0..12 {
                    let frame = json!({"type": "message", "content": n.to_string(), "thread": 1 + n % 2, "ref": n.to_string()});
                    socket.send_json(&frame);
                }
                for n in 0..12 {
                    let reference = n.to_string();
                    socket.expect(|frame| frame["type"] == "ack" && frame["ref"] == *reference);
                }
            });
        }
    });
    for first in [1, 2] {
        let replies = find(&people[0], first)["replies"].clone();
        let page = people[0].page(&format!("?thread={first}&limit=200"));
        assert_eq!((replies["count"].as_u64(), page.len()), (Some(48), 49));
        assert_eq!(replies["last_id"], page[48]["id"]);
        assert_eq!(replies["seq"], replies["last_id"]);
        let named: Vec<&str> = people.iter().map(|user| user.name.as_str()).collect();
        assert_eq!(names(&replies), named);
    }
}

/// The threads that someone follows: first message, and what is unread.
fn followed(user: &User) -> Vec<(u64, u64)> {
    let threads = user.http().get("/api/threads").expect(200).json();
    let threads = threads.as_array().expect("an array").iter();
    threads
        .map(|thread| {
            let number = |value: &Value| value.as_u64().expect("a number");
            (number(&thread["message"]["id"]), number(&thread["unread"]))
        })
        .collect()
}

fn follow(user: &User, id: u64, method: &str) {
    let path = format!("/messages/{id}/follow");
    user.in_room(method, "general", &path, &Value::Null)
        .expect(204);
}

fn who_has_to_do_with_a_thread_follows_it_until_they_do_not_want_to(backend: Backend) {
    let server = Server::start(backend);
    let [alice, bob, carol] = three(&server);
    alice.post("lunch?", None).expect(201);
    follow(&carol, 1, "PUT");
    // There is none yet.
    assert_eq!(followed(&carol), []);
    reply(&bob, 1, "where?", false);
    for (user, unread) in [(&alice, 1), (&bob, 0), (&carol, 1)] {
        assert_eq!(followed(user), [(1, unread)], "{}", user.name);
    }
    let thread = alice.http().get("/api/threads").expect(200).json()[0].clone();
    assert_eq!(thread["message"], find(&alice, 1));
    assert_eq!(thread["last_at"], find(&alice, 2)["created_at"]);
    for user in [&alice, &carol] {
        follow(user, 1, "DELETE");
        follow(user, 1, "DELETE");
    }
    reply(&bob, 1, "anyone?", false);
    assert_eq!(followed(&alice), []);
    // Whoever replies follows again.
    let last = reply(&alice, 1, "at noon", false);
    assert_eq!(followed(&alice), [(1, 2)]);
    assert_eq!(followed(&bob), [(1, 1)]);
    assert_eq!(followed(&carol), []);
    delete(&alice, last);
    assert_eq!(followed(&bob), [(1, 0)]);
    // Whoever a reply names twice is mentioned once by it.
    reply(&bob, 1, "@alice, and @room", false);
    let thread = alice.http().get("/api/threads").expect(200).json()[0].clone();
    assert_eq!(thread["mentions"], 1);
    // It is no thread, or not there.
    for (id, status, code) in [(2, 409, "not_a_thread"), (99, 404, "message_not_found")] {
        let path = format!("/messages/{id}/follow");
        let answer = bob.in_room("PUT", "general", &path, &Value::Null);
        answer.expect_problem(status, code);
    }
}

fn threads_are_listed_by_their_latest_replies_where_one_may_read(backend: Backend) {
    let server = Server::start(backend);
    let [alice, bob, carol] = three(&server);
    let garden = alice.make_room("garden", "private", &[&bob, &carol]);
    let said = alice.post_to(&garden, "seeds").expect(201).json()["id"]
        .as_u64()
        .expect("an id");
    for n in 1..=5 {
        alice.post(&n.to_string(), None).expect(201);
    }
    for first in [3, 1, 5, 2, 4] {
        reply(&bob, first, "a reply", false);
    }
    reply_in(&bob, &garden, said, "which?", false);
    reply(&carol, 1, "another", false);
    let order =
        |user: &User| -> Vec<u64> { followed(user).into_iter().map(|(id, _)| id).collect() };
    assert_eq!(order(&bob), [1, said, 4, 2, 5, 3]);
    let (mut all, mut next) = (Vec::new(), Some("/api/threads?limit=2".to_owned()));
    while let Some(path) = next {
        let page = bob.http().get(&path).expect(200);
        next = page.link("next");
        let threads = page.json().as_array().expect("an array").clone();
        assert!(threads.len() <= 2 && all.len() < 6, "{path}");
        all.extend(
            threads
                .iter()
                .map(|thread| thread["message"]["id"].as_u64().expect("an id")),
        );
    }
    assert_eq!(all, order(&bob));
    (bob.http().get("/api/threads?limit=0")).expect_problem(422, "validation_error");
    (bob.http().get("/api/threads?cursor=x")).expect_problem(422, "validation_error");
    // Whoever is not in the room any more is not told of it, and of nothing that comes to it.
    alice
        .in_room("DELETE", &garden, "/members/bob", &Value::Null)
        .expect(204);
    assert_eq!(order(&bob), [1, 4, 2, 5, 3]);
    // Brought back, they see what they have followed.
    alice
        .in_room("PUT", &garden, "/members/bob", &json!({}))
        .expect(200);
    assert_eq!(order(&bob), [1, said, 4, 2, 5, 3]);
    // A thread of which nothing is left but its first message is none to look at.
    let last = bob.page("?thread=3")[1]["id"].as_u64().expect("an id");
    delete(&bob, last);
    assert_eq!(order(&bob), [1, said, 4, 2, 5]);
}

fn a_reply_that_was_lost_is_shown_in_its_room(backend: Backend) {
    let server = Server::start(backend);
    let [alice, bob, _] = three(&server);
    alice.post("first", None).expect(201);
    for n in 2..=6 {
        reply(&bob, 1, &n.to_string(), false);
    }
    alice.post("last", None).expect(201);
    for n in 8..=12 {
        reply(&bob, 1, &n.to_string(), false);
    }
    assert_eq!(ids(&alice.page("")), [1, 7]);
    server
        .database
        .execute("DELETE FROM messages WHERE room_id = 1 AND id IN (4, 10)");
    let shown = |query: &str| -> Vec<(u64, bool)> {
        let page = alice.page(query);
        let is_lost = page.iter().map(|message| message["unreadable"] == true);
        ids(&page).into_iter().zip(is_lost).collect()
    };
    let wanted = [(1, false), (4, true), (7, false), (10, true)];
    assert_eq!(shown(""), wanted);
    assert_eq!(shown("?after=0"), wanted);
    assert_eq!(shown("?limit=2"), wanted[2..]);
    assert_eq!(shown("?before=7"), wanted[..2]);
    assert_eq!(shown("?after=7"), wanted[3..]);
    let whole = alice.page("?since=0");
    assert_eq!(ids(&whole), (1..=12).collect::<Vec<_>>());
}
