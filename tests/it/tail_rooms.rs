//! `parlour tail` and `parlour send` in rooms other than general.

use serde_json::{Value, json};

use crate::{
    rooms::make_room,
    send_and_tail::{Tail, client},
    support::{Backend, Server, User},
};

on_both![several_rooms_are_followed_at_once];

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
