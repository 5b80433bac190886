//! Who sees how far others have read: whoever shows it, and nothing of what was read unseen.

use serde_json::{Value, json};

use super::read;
use crate::support::{Backend, Server, User};

on_both![
    whoever_shows_how_far_they_have_read_sees_it_of_others,
    how_far_one_is_seen_to_have_read_neither_goes_back_nor_on_while_one_is_invisible,
    what_somebody_had_read_is_not_told_behind_their_return,
];

fn whoever_shows_how_far_they_have_read_sees_it_of_others(backend: Backend) {
    let server = Server::start(backend);
    let [alice, bob, carol] = ["alice", "bob", "carol"].map(|name| User::register(&server, name));
    let room = alice.make_room("garden", "private", &[&bob, &carol]);
    alice.post_to(&room, "hello").expect(201);
    let reads = |user: &User| {
        let answer = user
            .in_room("GET", &room, "/reads", &Value::Null)
            .expect(200);
        answer.json()
    };
    let all = json!([
        {"user_id": alice.id, "seq": 1}, {"user_id": bob.id, "seq": 4}, {"user_id": carol.id, "seq": 1}
    ]);
    let (mut hers, mut carols, mut his) = (alice.connect(), carol.connect(), bob.connect());
    read(&bob, &room, &json!({"seq": 4}));
    assert_eq!(reads(&alice), all);
    assert_eq!(hers.expect_type("read")["user_id"], bob.id);
    carols.expect_type("read");

    let shown = json!({"receipts": false});
    let own = carol.ask("PATCH", "/api/users/me", &[], &shown).expect(200);
    assert_eq!(own.json()["receipts"], false);
    assert_eq!(reads(&carol), json!([{"user_id": carol.id, "seq": 1}]));
    assert_eq!(
        reads(&alice),
        json!([{"user_id": alice.id, "seq": 1}, {"user_id": bob.id, "seq": 4}])
    );
    // She hears of no one, and no one hears of her.
    read(&carol, &room, &json!({"seq": 3}));
    read(&alice, &room, &json!({"seq": 4}));
    let next = his.expect(|frame| frame["type"] == "read" && frame["user_id"] != bob.id);
    assert_eq!(next["user_id"], alice.id);
    let own = carols.expect_type("read");
    assert_eq!(
        (&own["user_id"], &own["seq"]),
        (&json!(carol.id), &json!(3))
    );
    let heard = carols.drain();
    assert!(
        heard.iter().all(|frame| frame["type"] != "read"),
        "{heard:?}"
    );

    let others = User::register_all(&server, "reader", 62);
    let named: Vec<&User> = others.iter().chain([&bob, &carol]).collect();
    let large = alice.make_room("hall", "private", &named);
    let refused = alice.in_room("GET", &large, "/reads", &Value::Null);
    refused.expect_problem(409, "too_many_members");
    alice.post_to(&room, "more").expect(201);
    read(&bob, &large, &json!({"seq": 2}));
    read(&bob, &room, &json!({"seq": 5}));
    let told = hers.expect(|frame| frame["type"] == "read" && frame["user_id"] == bob.id);
    assert_eq!((&told["room"], &told["seq"]), (&json!(room), &json!(5)));
    let heard = hers.drain();
    assert!(
        heard
            .iter()
            .all(|frame| frame["room"] != large || frame["type"] != "read")
    );
}

/// What is marked as unread is for oneself to come back to, and who is not to be seen does not read before the eyes of others.
fn how_far_one_is_seen_to_have_read_neither_goes_back_nor_on_while_one_is_invisible(
    backend: Backend,
) {
    let server = Server::start(backend);
    let [alice, bob, carol] = ["alice", "bob", "carol"].map(|name| User::register(&server, name));
    let room = alice.make_room("garden", "private", &[&bob, &carol]);
    for text in ["one", "two", "three", "four"] {
        alice.post_to(&room, text).expect(201);
    }
    let reads = |user: &User, of: &User| {
        let answer = user.in_room("GET", &room, "/reads", &Value::Null);
        let listed = answer.expect(200).json();
        let mut listed = listed.as_array().expect("a list").iter();
        let found = listed.find(|one| one["user_id"] == of.id);
        found.expect("shown")["seq"].as_u64().expect("a number")
    };
    let both = || (reads(&alice, &bob), reads(&bob, &bob));
    let state = |state: &str, more: Value| {
        let mut wish = json!({"state": state});
        let more = more.as_object().expect("an object").clone();
        wish.as_object_mut().expect("an object").extend(more);
        bob.ask("PUT", "/api/users/me/status", &[], &wish)
            .expect(200);
    };
    let (mut hers, mut his) = (alice.connect(), bob.connect());
    // The very next receipt, so that whatever was told beside these is seen.
    let mut told = |of: &User, seq: u64| {
        let frame = hers.expect_type("read");
        let seen = (&frame["user_id"], &frame["seq"], &frame["room"]);
        assert_eq!(seen, (&json!(of.id), &json!(seq), &json!(room)));
    };
    let mut own = |seq: u64| {
        let frame = his.expect(|frame| frame["type"] == "read" && frame["user_id"] == bob.id);
        assert_eq!(frame["seq"], seq, "his own devices are told in any case");
    };
    read(&bob, &room, &json!({"seq": 3}));
    told(&bob, 3);
    own(3);
    read(&bob, &room, &json!({"seq": 2, "unread": true}));
    own(1);
    assert_eq!(both(), (3, 1), "it is for himself that he goes back");
    state("invisible", json!({}));
    read(&bob, &room, &json!({"seq": 4}));
    own(4);
    assert_eq!(both(), (3, 4), "he is not to be seen");
    read(&carol, &room, &json!({"seq": 2}));
    told(&carol, 2);
    state("online", json!({}));
    assert_eq!(both(), (3, 4), "nothing is told by being there again");
    // A mark below that says nothing of what he read unseen.
    read(&bob, &room, &json!({"seq": 2}));
    assert_eq!(both(), (3, 4));
    // That he has read so far is nothing new to him, and new to her.
    read(&bob, &room, &json!({"seq": 4}));
    told(&bob, 4);
    assert_eq!(both(), (4, 4));
    // Until he said that lunch is over, and from then on.
    state("invisible", json!({}));
    let noon = (chrono::Utc::now() + chrono::TimeDelta::hours(1)).to_rfc3339();
    state("dnd", json!({"text": "lunch", "until": noon}));
    server.database.execute(
        "UPDATE users SET status_until = '2026-01-01 00:00:00' WHERE status_until IS NOT NULL",
    );
    read(&bob, &room, &json!({"seq": 5}));
    assert_eq!(both(), (4, 5), "he is invisible again");
    read(&carol, &room, &json!({"seq": 3}));
    told(&carol, 3);
    // Nor is what was read while one did not show it told by showing it again.
    state("online", json!({}));
    let shows = |shows: bool| {
        let patch = json!({"receipts": shows});
        bob.ask("PATCH", "/api/users/me", &[], &patch).expect(200);
    };
    shows(false);
    alice.post_to(&room, "five").expect(201);
    read(&bob, &room, &json!({"seq": 6}));
    shows(true);
    assert_eq!(both(), (4, 6));
    // To go back is no step on, either.
    read(&bob, &room, &json!({"seq": 3, "unread": true}));
    assert_eq!(both(), (4, 2));
    read(&carol, &room, &json!({"seq": 4}));
    told(&carol, 4);
}

/// A receipt is told a while later; whoever has left meanwhile and come back begins anew.
fn what_somebody_had_read_is_not_told_behind_their_return(backend: Backend) {
    let server = Server::start(backend);
    let [alice, bob, carol] = ["alice", "bob", "carol"].map(|name| User::register(&server, name));
    let room = alice.make_room("garden", "private", &[&bob, &carol]);
    alice.post_to(&room, "one").expect(201);
    let mut hers = alice.connect();
    read(&bob, &room, &json!({"seq": 2}));
    let member = "/members/bob";
    bob.in_room("DELETE", &room, member, &Value::Null)
        .expect(204);
    alice.in_room("PUT", &room, member, &json!({})).expect(200);
    read(&carol, &room, &json!({"seq": 2}));
    assert_eq!(hers.expect_type("read")["user_id"], carol.id);
}
