//! `parlour tail` and `parlour send` in rooms other than general.

use serde_json::{Value, json};

use crate::{
    rooms::make_room,
    send_and_tail::{Tail, client},
    support::{Backend, Server, User},
};

on_both![
    several_rooms_are_followed_at_once,
    a_room_is_called_as_people_write_it,
];

fn post(user: &User, room: &str, content: &str) {
    let path = format!("/api/rooms/{room}/messages");
    let message = json!({ "content": content });
    user.http().post(&path, &message).expect(201);
}

fn several_rooms_are_followed_at_once(backend: Backend) {
    let server = Server::start(backend);
    let home = tempfile::tempdir().expect("a folder");
    let alice = User::register(&server, "alice");
    let bob = User::register(&server, "bob");
    make_room(&server, 70, "private", Some("garden"), &[&alice, &bob]);
    make_room(&server, 71, "public", Some("shed"), &[&alice]);
    let rooms = [("70", "garden"), ("71", "shed"), ("general", "general")];
    for (room, name) in rooms {
        post(&alice, room, &format!("before, {name}"));
    }
    let start = |args: &[&str]| Tail::start(&server, home.path(), args);
    let all = start(&["--all", "-n1"]);
    let two = start(&["-n1", "--room", "garden", "--room", "71"]);
    let one = start(&["-n1", "--room", "garden", "--json"]);
    let json = || serde_json::from_str::<Value>(&one.line()).expect("JSON");
    let begins = |tail: &Tail, count| (0..count).map(|_| tail.line()).collect::<Vec<_>>();
    for lines in [begins(&all, 3), begins(&two, 2)] {
        for (_, name) in &rooms[..lines.len()] {
            let text = format!(" #{name} alice: before, {name}");
            assert!(lines.iter().any(|line| line.ends_with(&text)), "{lines:?}");
        }
    }
    assert_eq!(json()["content"], "before, garden");
    for (room, name) in rooms {
        post(&alice, room, &format!("hi, {name}"));
        let line = all.line();
        assert!(
            line.ends_with(&format!(" #{name} alice: hi, {name}")),
            "{line}"
        );
    }
    for name in ["garden", "shed"] {
        let line = two.line();
        assert!(
            line.ends_with(&format!(" #{name} alice: hi, {name}")),
            "{line}"
        );
    }
    assert_eq!(json()["content"], "hi, garden");
}

fn a_room_is_called_as_people_write_it(backend: Backend) {
    let server = Server::start(backend);
    let home = tempfile::tempdir().expect("a folder");
    let alice = User::register(&server, "alice");
    let bob = User::register(&server, "bob");
    let garden = alice.make_room("garden", "private", &[&bob]);
    let send = |room: &str, text: &str| {
        let sent = client(&server, home.path(), &["send", "--room", room, text])
            .output()
            .expect("it ends");
        (
            sent.status.code(),
            String::from_utf8_lossy(&sent.stderr).into_owned(),
        )
    };
    for (word, text) in [("#garden", "one"), ("GARDEN", "two"), ("#Garden", "three")] {
        assert_eq!(send(word, text), (Some(0), String::new()), "{word}");
    }
    // There is no direct room yet, and it is one room ever after.
    let followed = Tail::start(
        &server,
        home.path(),
        &["-n9", "--room", "@bob", "--room", "#GARDEN"],
    );
    for text in ["hello", "again"] {
        assert_eq!(send("@Bob", text), (Some(0), String::new()));
    }
    let direct = bob.http().post("/api/direct", &json!({"users": ["alice"]}));
    let direct = direct.expect(200).json();
    let path = format!(
        "/api/rooms/{}/messages",
        direct["room"].as_str().expect("a key")
    );
    let page = bob.http().get(&path).expect(200).json();
    assert_eq!(page[2]["content"], "again", "{page}");
    let mut lines = String::new();
    while !["three", "again"].iter().all(|text| lines.contains(text)) {
        lines += &followed.line();
        lines += "\n";
    }
    // Nothing of it goes to a room that was not meant.
    User::register(&server, "carol").make_room("garden", "private", &[&alice]);
    for (word, said) in [
        ("garden", &*garden),
        ("", "--room"),
        ("#", "--room"),
        ("@", "--room"),
    ] {
        let (code, sentence) = send(word, "nowhere");
        assert_eq!(code, Some(2), "{word}: {sentence}");
        assert!(
            sentence.contains(said) && sentence.trim().ends_with('.'),
            "{sentence}"
        );
        let followed = client(&server, home.path(), &["tail", "--room", word])
            .output()
            .expect("it ends");
        assert_eq!(followed.status.code(), Some(2), "{word}");
    }
}

#[test]
fn a_room_that_is_not_there_or_not_ones_own_is_said_in_a_sentence() {
    let server = Server::start(Backend::Sqlite);
    let home = tempfile::tempdir().expect("a folder");
    User::register(&server, "alice");
    let bob = User::register(&server, "bob");
    make_room(&server, 70, "private", Some("garden"), &[&bob]);
    for room in ["garden", "70", "nowhere"] {
        for args in [
            &["tail", "--room", "general", "--room", room][..],
            &["send", "--room", room, "hi"],
        ] {
            let ended = client(&server, home.path(), args)
                .output()
                .expect("it ends");
            let said = String::from_utf8_lossy(&ended.stderr);
            assert_eq!(ended.status.code(), Some(2), "{args:?}: {said}");
            assert!(
                said.contains("room") && said.trim().ends_with('.'),
                "{said}"
            );
        }
    }
}
