//! Rooms in the terminal client, with two people at two terminals.

use serde_json::{Value, json};

use crate::support::{Backend, Server, Terminal, User, eventually};

on_both![two_people_talk_in_a_room_of_their_own];

fn in_chat(server: &Server, name: &str) -> Terminal {
    let terminal = Terminal::sized(100, 24);
    terminal.start(&format!("tui --server {}", server.url()));
    terminal.log_in(name);
    terminal
}

/// The texts of a room, as its members read them.
fn texts(user: &User, room: &str) -> Vec<String> {
    let path = format!("/api/rooms/{room}/messages?limit=200");
    let messages = user.http().get(&path).expect(200).json();
    let messages = messages.as_array().expect("a list");
    let written = messages
        .iter()
        .filter(|message| message["kind"] != "system");
    let text = |message: &Value| message["content"].as_str().expect("a text").to_owned();
    written.map(text).collect()
}

fn two_people_talk_in_a_room_of_their_own(backend: Backend) {
    let server = Server::start(backend);
    let alice = User::register(&server, "alice");
    User::register(&server, "bob");
    let at_alice = in_chat(&server, "alice");
    let at_bob = in_chat(&server, "bob");

    at_alice.write("/direct bob");
    at_alice.shows(" @bob  alice@");
    at_alice.write("helo");
    let screen = at_bob.until("the first message", |screen| screen.contains("@alice 1"));
    // Before it there was nothing to tell of.
    assert!(!screen.contains("You have a conversation"), "{screen}");
    at_bob.press("Tab");
    at_bob.shows("  helo");
    let room = eventually("the room is listed", || {
        let rooms = alice.http().get("/api/rooms").expect(200).json();
        let mut rooms = rooms.as_array()?.iter();
        let direct = rooms.find(|room| room["kind"] == "direct")?;
        Some(direct["room"].as_str()?.to_owned())
    });

    at_alice.press("Up");
    at_alice.shows("Editing (Esc stops)");
    at_alice.press("BSpace");
    at_alice.write("lo");
    at_bob.until("the new text", |screen| {
        screen.contains("  hello") && screen.contains("(edited)")
    });
    at_bob.press("M-Up");
    at_bob.shows("▌ hello");
    at_bob.write("/reply");
    at_bob.shows("Replying to alice");
    at_bob.write("hi yourself");
    at_alice.until("the answer", |screen| {
        screen.contains("> alice: hello") && screen.contains("  hi yourself")
    });
    at_bob.until("that it is stored", |screen| !screen.contains("not stored"));
    at_bob.write("/delete");
    at_alice.shows("(deleted)");
    assert_eq!(texts(&alice, &room), ["hello", ""]);

    // A draft stays in its room.
    at_alice.type_text("half a sentence");
    at_alice.press("C-k");
    at_alice.shows("Go to");
    at_alice.type_text("gener");
    at_alice.press("Enter");
    at_alice.until("general", |screen| {
        screen.contains(" #general  alice@") && !screen.contains("half a sentence")
    });
    at_alice.press("C-k");
    at_alice.shows("Go to");
    at_alice.type_text("bob");
    at_alice.press("Enter");
    at_alice.shows("half a sentence");
    at_alice.press("C-u");

    at_alice.write("/private garden");
    at_alice.shows(" *garden  alice@");
    at_alice.write("/members");
    at_alice.shows("alice (owner)");
    at_alice.press("Escape");
    at_alice.until("the list is closed", |screen| !screen.contains("(owner)"));
    at_alice.write("/create everyone");
    at_alice.until("a refusal", |screen| {
        screen.contains("name") && screen.contains("/create everyone")
    });
    at_alice.press("C-u");
    at_alice.write("/create general");
    at_alice.shows("You are in #general already: its key is general.");
}

#[test]
fn many_rooms_and_a_small_window_are_no_hindrance() {
    let server = Server::start(Backend::Sqlite);
    let alice = User::register(&server, "alice");
    for n in 0..15 {
        let room = json!({"name": format!("room-{n:02}"), "kind": "public"});
        alice.http().post("/api/rooms", &room).expect(201);
    }
    let terminal = Terminal::sized(60, 12);
    terminal.start(&format!("tui --server {}", server.url()));
    terminal.log_in("alice");
    terminal.press("C-k");
    terminal.shows("Go to");
    terminal.type_text("m-14");
    terminal.press("Enter");
    terminal.shows(" #room-14 ");
    terminal.write("small");
    eventually("it is stored there", || {
        let rooms = alice.http().get("/api/rooms").expect(200).json();
        let mut rooms = rooms.as_array()?.iter();
        let room = rooms.find(|room| room["name"] == "room-14")?;
        (texts(&alice, room["room"].as_str()?) == ["small"]).then_some(())
    });
}

/// Bob comes in, is taken out while he looks and writes, is brought back, and goes.
#[test]
fn one_who_is_removed_while_looking_is_told_and_keeps_what_was_written() {
    let server = Server::start(Backend::Sqlite);
    for name in ["alice", "bob"] {
        User::register(&server, name);
    }
    let at_alice = in_chat(&server, "alice");
    at_alice.write("/create garden");
    at_alice.shows(" #garden  alice@");
    at_alice.write("/topic all about bees");
    at_alice.shows("all about bees");
    let at_bob = in_chat(&server, "bob");
    at_bob.press("C-k");
    at_bob.type_text("garden");
    at_bob.shows("#garden  (join)");
    at_bob.press("Enter");
    at_bob.shows(" #garden  bob@");
    at_bob.shows("all about bees");
    at_bob.type_text("half a sentence");
    at_alice.write("/kick bob");
    let screen = at_bob.until("that he is out", |screen| {
        screen.contains("#garden (gone)") && screen.contains("You are not in #garden any more.")
    });
    assert!(screen.contains("half a sentence"), "{screen}");
    assert!(screen.contains("all about bees"), "{screen}");
    at_bob.press("Enter");
    at_bob.shows("nothing can be sent to it");
    at_alice.write("/invite bob");
    at_bob.until("that he is in", |screen| !screen.contains("(gone)"));
    at_bob.press("Enter");
    at_alice.shows("  half a sentence");
    at_bob.write("/leave");
    at_bob.shows(" #general  bob@");
    at_bob.until("that it is not listed", |screen| !screen.contains("Rooms"));
}

#[test]
fn forty_columns_tell_the_room_its_topic_and_what_is_unread_elsewhere() {
    let server = Server::start(Backend::Sqlite);
    let alice = User::register(&server, "alice");
    let bob = User::register(&server, "bob");
    let room =
        json!({"name": "garden", "kind": "private", "topic": "all about bees", "users": ["bob"]});
    alice.http().post("/api/rooms", &room).expect(201);
    let terminal = Terminal::sized(40, 12);
    terminal.start(&format!("tui --server {}", server.url()));
    terminal.log_in("alice");
    terminal.shows(" #general ");
    let message = json!({"content": "the bees are out"});
    let path = "/api/rooms/garden/messages";
    bob.http().post(path, &message).expect(201);
    terminal.shows(" #general 1 room unread ");
    terminal.press("Tab");
    let screen = terminal.until("the garden", |screen| {
        screen.contains("the bees are out") && screen.contains(" all about bees")
    });
    assert!(
        screen.starts_with(" *garden ") && !screen.contains("unread"),
        "{screen}"
    );
}

/// What an owner does in a room, with real keys: each is refused by the server's own sentence to one who may not.
#[test]
fn an_owner_keeps_order_with_words_after_a_slash() {
    let server = Server::start(Backend::Sqlite);
    for name in ["alice", "bob"] {
        User::register(&server, name);
    }
    let at_alice = in_chat(&server, "alice");
    at_alice.write("/create garden");
    at_alice.shows(" #garden  alice@");
    at_alice.write("/invite bob");
    at_alice.shows("bob");
    let at_bob = in_chat(&server, "bob");
    at_bob.write("/join garden");
    at_bob.shows(" #garden  bob@");
    at_bob.write("/rename mine");
    // Refused: the line is there again. (Before that it is there as it was typed.)
    at_bob.shows("Your role in this room does not allow this.");
    at_bob.shows("│ /rename mine");
    at_bob.press("C-u");
    at_alice.write("/mute bob 2h");
    at_bob.shows("alice muted bob");
    at_bob.write("am I heard?");
    at_bob.shows("not sent:");
    at_alice.write("/members");
    at_alice.shows("● bob (muted until ");
    at_alice.press("Escape");
    at_alice.until("the list is closed", |screen| {
        !screen.contains("Members of")
    });
    at_alice.write("/unmute bob");
    at_alice.shows("alice unmuted bob");
    at_alice.write("/role bob moderator");
    at_alice.shows("made bob a moderator");
    at_alice.write("/members");
    at_alice.shows("● bob (moderator)");
    at_alice.press("Escape");
    at_alice.until("the list is closed", |screen| {
        !screen.contains("Members of")
    });
    at_alice.write("/rename yard");
    at_bob.shows(" #yard  bob@");
    at_alice.write("/archive");
    at_bob.shows("#yard (archived)");
    at_alice.write("/unarchive");
    at_bob.until("that it is back", |screen| !screen.contains("(archived)"));
}

#[test]
fn a_draft_outlives_the_client_and_a_hidden_conversation_is_not_listed() {
    let mut server = Server::start(Backend::Sqlite);
    let bob = User::register(&server, "bob");
    let alice = User::register(&server, "alice");
    let terminal = in_chat(&server, "alice");
    // Bob is not online.
    terminal.press("C-k");
    terminal.type_text("bob");
    terminal.shows("@bob  (write to)");
    terminal.press("Enter");
    terminal.shows(" @bob  alice@");
    terminal.write("/hide");
    terminal.until("that it is not listed", |screen| {
        screen.contains(" #general  alice@") && !screen.contains("Rooms")
    });
    let rooms = bob.http().get("/api/rooms").expect(200).json();
    let mut rooms = rooms.as_array().expect("a list").iter();
    let direct = rooms.find(|room| room["kind"] == "direct").expect("there");
    let path = format!(
        "/api/rooms/{}/messages",
        direct["room"].as_str().expect("a key")
    );
    bob.http()
        .post(&path, &json!({"content": "hello"}))
        .expect(201);
    terminal.shows("@bob 1");
    terminal.type_text("half a sentence");
    terminal.press("C-c");
    terminal.shows("ended with 0");
    let draft = || {
        alice
            .http()
            .get("/api/rooms/general/draft")
            .expect(200)
            .json()
    };
    eventually("it is kept", || {
        (draft()["content"] == "half a sentence").then_some(())
    });
    terminal.start(&format!("tui --server {}", server.url()));
    terminal.shows("half a sentence");
    // Another device goes on with it.
    let further = json!({"content": "half a sentence, and the rest"});
    alice
        .ask("PUT", "/api/rooms/general/draft", &[], &further)
        .expect(200);
    terminal.shows("half a sentence, and the rest");
    // Where it cannot be kept, one is asked.
    server.kill9();
    terminal.shows("reconnecting in");
    terminal.type_text(".");
    terminal.press("C-c");
    terminal.says(
        "What you wrote in #general is not sent, and would be lost: do it again to leave anyway.",
    );
    terminal.press("C-c");
    terminal.shows("ended with 0");
}
