//! A room always has an owner who can log in, whatever becomes of the one it had.

use serde_json::{Value, json};

use crate::{
    support::{Backend, Server, User, eventually},
    users::{done, users},
};

on_both![
    the_oldest_moderator_inherits_a_room_and_else_the_oldest_member,
    a_room_says_who_has_inherited_it_and_the_heir_is_told_at_once,
    what_was_inherited_while_no_server_ran_is_said_when_one_does,
    an_heir_who_is_deleted_before_the_room_says_so_leaves_nothing_to_say,
    what_says_who_has_inherited_a_room_is_told_as_it_is_stored,
    whoever_registers_where_no_one_can_own_general_inherits_it_and_it_says_so,
    whoever_comes_into_a_room_that_no_one_else_can_own_becomes_its_owner,
    the_name_of_an_archived_room_is_free_when_its_last_account_is_gone,
];

fn owners(user: &User, room: &str) -> Vec<String> {
    let list = user
        .in_room("GET", room, "/members", &Value::Null)
        .expect(200)
        .json();
    let owners = list
        .as_array()
        .expect("members")
        .iter()
        .filter(|member| member["role"] == "owner");
    owners
        .map(|member| member["username"].as_str().expect("a name").to_owned())
        .collect()
}

fn the_oldest_moderator_inherits_a_room_and_else_the_oldest_member(backend: Backend) {
    let server = Server::start(backend);
    let [alice, bob, carol, dave] =
        ["alice", "bob", "carol", "dave"].map(|name| User::register(&server, name));
    let garden = alice.make_room("garden", "private", &[&carol]);
    for user in [&bob, &dave] {
        let path = format!("/members/{}", user.name);
        carol
            .in_room("PUT", &garden, &path, &Value::Null)
            .expect(200);
    }
    let kitchen = alice.make_room("kitchen", "private", &[&bob, &dave]);
    alice
        .in_room(
            "PUT",
            &kitchen,
            "/members/dave",
            &json!({"role": "moderator"}),
        )
        .expect(200);
    assert_eq!(owners(&dave, &garden), ["alice"]);

    done(users(&server, &["disable", "alice"], ""));
    // Whoever cannot log in stays what they are, beside the heir.
    assert_eq!(owners(&dave, &garden), ["alice", "carol"]);
    assert_eq!(owners(&dave, &kitchen), ["alice", "dave"]);
    assert_eq!(owners(&dave, "general"), ["alice", "bob"]);
    // An owner who cannot log in does not count for the others.
    carol
        .in_room("DELETE", &garden, "/members/carol", &Value::Null)
        .expect_problem(409, "last_owner");
    carol
        .in_room("PATCH", &garden, "", &json!({"name": "park"}))
        .expect(200);
    // No owner takes that from another, not from one who cannot log in either.
    dave.in_room(
        "PUT",
        &kitchen,
        "/members/alice",
        &json!({"role": "member"}),
    )
    .expect_problem(403, "forbidden");
    // And no one brings them in.
    let own = dave.make_room("attic", "private", &[]);
    dave.in_room("PUT", &own, "/members/alice", &Value::Null)
        .expect_problem(409, "user_disabled");

    done(users(&server, &["enable", "alice"], ""));
    done(users(&server, &["delete", "carol", "--yes"], ""));
    assert_eq!(owners(&dave, &garden), ["alice"]);
    done(users(&server, &["delete", "alice", "--yes"], ""));
    let heir = &owners(&dave, &garden)[0];
    assert!(["bob", "dave"].contains(&heir.as_str()), "{heir}");
}

/// What a room says of roles: whose is which, and by which number.
fn said_of_roles(user: &User, room: &str) -> Vec<(u64, Value)> {
    let page = user
        .in_room("GET", room, "/messages?limit=200", &Value::Null)
        .expect(200)
        .json();
    let page = page.as_array().expect("a page").iter();
    page.filter(|message| message["event"]["type"] == "role")
        .map(|message| {
            assert_eq!(message["kind"], "system");
            let seq = message["seq"].as_u64().expect("a number");
            (seq, message["event"].clone())
        })
        .collect()
}

fn owner(user: &User) -> Value {
    json!({"type": "role", "user_id": user.id, "role": "owner"})
}

fn a_room_says_who_has_inherited_it_and_the_heir_is_told_at_once(backend: Backend) {
    let server = Server::start(backend);
    let [alice, bob, carol] = ["alice", "bob", "carol"].map(|name| User::register(&server, name));
    let garden = alice.make_room("garden", "private", &[&carol]);
    carol
        .in_room("PUT", &garden, "/members/bob", &Value::Null)
        .expect(200);
    let (mut hers, mut his) = (carol.connect(), bob.connect());
    let next = hers.room_seq("garden") + 1;

    done(users(&server, &["disable", "alice"], ""));
    let is_said = |frame: &Value| frame["room"] == *garden && frame["type"] == "message";
    for socket in [&mut hers, &mut his] {
        let said = socket.expect(is_said);
        let numbers = [&said["id"], &said["seq"]];
        assert_eq!(
            (numbers, &said["event"]),
            ([&json!(next); 2], &owner(&carol))
        );
        assert_eq!(said["content"], "carol is an owner of the room now");
    }
    let told = hers.expect(|frame| frame["room"] == *garden && frame["type"] == "room");
    assert_eq!(
        (&told["role"], &told["seq"]),
        (&json!("owner"), &json!(next))
    );
    assert!(
        his.drain()
            .iter()
            .all(|frame| frame["type"] != "room" || frame["room"] != *garden),
        "the view of no one else has changed"
    );
    // Once and for all, whatever else is done to accounts.
    done(users(&server, &["enable", "alice"], ""));
    done(users(&server, &["disable", "alice"], ""));
    bob.post_to(&garden, "on it goes").expect(201);
    assert_eq!(said_of_roles(&carol, &garden), [(next, owner(&carol))]);
    assert_eq!(hers.expect_message("on it goes")["seq"], next + 1);
}

fn what_was_inherited_while_no_server_ran_is_said_when_one_does(backend: Backend) {
    let mut server = Server::start(backend);
    let [alice, mut bob] = ["alice", "bob"].map(|name| User::register(&server, name));
    let garden = alice.make_room("garden", "private", &[&bob]);
    server.terminate();
    done(users(&server, &["delete", "alice", "--yes"], ""));
    server.start_again();
    bob.log_in();
    let said = eventually("it is said", || {
        Some(said_of_roles(&bob, &garden)).filter(|said| !said.is_empty())
    });
    assert_eq!(said, [(3, owner(&bob))]);
}

/// What is noted of rooms that have still to say who has inherited them.
fn untold(server: &Server) -> Vec<Option<String>> {
    let noted = "SELECT name AS value FROM facts WHERE name LIKE 'heir-%'";
    server.database.query(noted)
}

fn an_heir_who_is_deleted_before_the_room_says_so_leaves_nothing_to_say(backend: Backend) {
    let mut server = Server::start(backend);
    let [alice, mut bob, carol] =
        ["alice", "bob", "carol"].map(|name| User::register(&server, name));
    let garden = alice.make_room("garden", "private", &[&carol]);
    carol
        .in_room("PUT", &garden, "/members/bob", &Value::Null)
        .expect(200);
    server.terminate();
    done(users(&server, &["delete", "alice", "--yes"], ""));
    let of_carol = format!("heir-{garden}-{}", carol.id);
    let is_noted = |noted: &str| untold(&server).contains(&Some(noted.to_owned()));
    assert!(is_noted(&of_carol));
    done(users(&server, &["delete", "carol", "--yes"], ""));
    assert!(!is_noted(&of_carol) && is_noted(&format!("heir-{garden}-{}", bob.id)));
    // What an older release has noted of her goes, too, and what is noted of a room that is not there.
    for noted in [of_carol, format!("heir-987654-{}", bob.id)] {
        let insert = format!("INSERT INTO facts (name, value) VALUES ('{noted}', '')");
        server.database.execute(&insert);
    }
    server.start_again();
    bob.log_in();
    eventually("all is said", || untold(&server).is_empty().then_some(()));
    let said = said_of_roles(&bob, &garden);
    let said: Vec<&Value> = said.iter().map(|(_, event)| event).collect();
    assert_eq!(said, [&owner(&bob)]);
}

fn what_says_who_has_inherited_a_room_is_told_as_it_is_stored(backend: Backend) {
    let server = Server::start(backend);
    let [alice, mut bob] = ["alice", "bob"].map(|name| User::register(&server, name));
    let garden = alice.make_room("garden", "private", &[&bob]);
    done(users(&server, &["disable", "bob"], ""));
    let mut socket = alice.connect();
    alice
        .in_room("DELETE", &garden, "/members/alice", &Value::Null)
        .expect(204);
    let told = socket.expect(|frame| frame["event"]["type"] == "role");
    assert_eq!(
        (&told["user_id"], &told["username"]),
        (&json!(bob.id), &json!("bob"))
    );
    done(users(&server, &["enable", "bob"], ""));
    bob.log_in();
    let path = format!("/messages/{}", told["id"]);
    let stored = bob
        .in_room("GET", &garden, &path, &Value::Null)
        .expect(200)
        .json();
    for field in [
        "id", "seq", "user_id", "username", "content", "kind", "event",
    ] {
        assert_eq!(told[field], stored[field], "{field}");
    }
    assert_eq!(told["timestamp"], stored["created_at"]);
}

fn whoever_registers_where_no_one_can_own_general_inherits_it_and_it_says_so(backend: Backend) {
    let server = Server::start(backend);
    let alice = User::register(&server, "alice");
    // With the very first account nothing is inherited.
    assert_eq!(owners(&alice, "general"), ["alice"]);
    assert_eq!(said_of_roles(&alice, "general"), []);
    done(users(&server, &["disable", "alice"], ""));
    let bob = User::register(&server, "bob");
    let said = eventually("it is said", || {
        Some(said_of_roles(&bob, "general")).filter(|said| !said.is_empty())
    });
    assert_eq!(said, [(1, owner(&bob))]);
    assert_eq!(owners(&bob, "general"), ["alice", "bob"]);
}

fn join(user: &User, room: &str) {
    let path = format!("/members/{}", user.name);
    user.in_room("PUT", room, &path, &Value::Null).expect(200);
}

fn whoever_comes_into_a_room_that_no_one_else_can_own_becomes_its_owner(backend: Backend) {
    let server = Server::start(backend);
    let [alice, bob, carol, dave] =
        ["alice", "bob", "carol", "dave"].map(|name| User::register(&server, name));
    let garden = dave.make_room("garden", "public", &[]);
    let attic = bob.make_room("attic", "public", &[]);
    let kitchen = alice.make_room("kitchen", "public", &[&bob]);

    // No one at all is in it any more.
    done(users(&server, &["delete", "dave", "--yes"], ""));
    join(&carol, &garden);
    assert_eq!(owners(&carol, &garden), ["carol"]);
    let said = said_of_roles(&carol, &garden);
    let said: Vec<&Value> = said.iter().map(|(_, event)| event).collect();
    assert_eq!(said, [&owner(&carol)]);
    carol
        .in_room("PATCH", &garden, "", &json!({"name": "park"}))
        .expect(200);
    // No one who is in it can log in.
    done(users(&server, &["disable", "bob"], ""));
    join(&carol, &attic);
    assert_eq!(owners(&carol, &attic), ["bob", "carol"]);
    // Whoever is let in again finds the room theirs, if it is no one else's; and who comes after them finds their room.
    done(users(&server, &["disable", "alice"], ""));
    done(users(&server, &["enable", "bob"], ""));
    join(&carol, &kitchen);
    assert_eq!(owners(&carol, &kitchen), ["alice", "bob"]);
}

fn the_name_of_an_archived_room_is_free_when_its_last_account_is_gone(backend: Backend) {
    let server = Server::start(backend);
    let [alice, bob] = ["alice", "bob"].map(|name| User::register(&server, name));
    let cellar = bob.make_room("cellar", "public", &[]);
    bob.in_room("PATCH", &cellar, "", &json!({"archived": true}))
        .expect(200);
    done(users(&server, &["delete", "bob", "--yes"], ""));
    alice
        .in_room("GET", &cellar, "", &Value::Null)
        .expect_problem(404, "room_not_found");
    let new = alice.make_room("cellar", "public", &[]);
    assert_ne!(new, cellar);
}
