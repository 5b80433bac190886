//! What people say of themselves for a while: when it ends, what comes back then, and that it is told however long it took.

use serde_json::{Value, json};

use crate::{
    presence::{ask, expect_state, profile, set},
    support::{Backend, Server, User, eventually},
};

on_both![
    a_status_is_kept_over_a_restart_and_ends_at_its_time,
    who_is_invisible_is_so_when_what_they_say_has_ended,
];

fn a_status_is_kept_over_a_restart_and_ends_at_its_time(backend: Backend) {
    let mut server = Server::start(backend);
    let [alice, bob] = ["alice", "bob"].map(|name| User::register(&server, name));
    set(&alice, json!({"text": "on holiday", "emoji": "🏖️"}));
    let until = (chrono::Utc::now() + chrono::TimeDelta::seconds(6)).to_rfc3339();
    set(
        &bob,
        json!({"state": "dnd", "text": "until soon", "until": until}),
    );
    server.restart();
    assert_eq!(
        profile(&bob, &alice)["status"],
        json!({"text": "on holiday", "emoji": "🏖️"})
    );
    let mut hers = alice.connect();
    let _his = bob.connect();
    let seen = expect_state(&mut hers, &bob, "dnd");
    assert_eq!(seen["text"], "until soon");
    let seen = expect_state(&mut hers, &bob, "online");
    assert_eq!(
        (&seen["text"], &seen["until"]),
        (&Value::Null, &Value::Null)
    );
    assert_eq!(profile(&alice, &bob)["status"], Value::Null);
    server.restart();
    assert_eq!(
        profile(&alice, &bob)["status"],
        Value::Null,
        "nor does it come back"
    );
}

fn who_is_invisible_is_so_when_what_they_say_has_ended(backend: Backend) {
    let mut server = Server::start(backend);
    let [alice, bob] = ["alice", "bob"].map(|name| User::register(&server, name));
    let _his = bob.connect();
    set(&bob, json!({"state": "invisible"}));
    let soon = || chrono::Utc::now() + chrono::TimeDelta::seconds(6);
    let lunch = set(&bob, json!({"text": "lunch", "until": soon().to_rfc3339()}));
    assert_eq!(lunch["then_state"], "invisible");
    assert!(!profile(&alice, &bob).to_string().contains("invisible"));
    let await_end = || {
        eventually("it has ended", || {
            (profile(&bob, &bob)["status"] == json!({"state": "invisible"})).then_some(())
        });
        let seen = profile(&alice, &bob);
        assert_eq!(
            (&seen["presence"], &seen["status"]),
            (&json!("offline"), &Value::Null)
        );
    };
    await_end();
    server.restart();
    let his = bob.connect();
    await_end();
    // While nobody serves it ends, too.
    let until = soon();
    set(&bob, json!({"state": "dnd", "until": until.to_rfc3339()}));
    drop(his);
    server.kill9();
    eventually("its end", || (chrono::Utc::now() > until).then_some(()));
    server.start_again();
    let _his = bob.connect();
    await_end();
    let mut hers = alice.connect();
    assert!(
        !ask(&mut hers).to_string().contains("bob"),
        "nor is he told of"
    );
}

/// What takes longer than anyone waits for an answer is told all the same, when it is stored.
#[test]
fn a_status_that_is_stored_late_is_told() {
    let server = Server::start(Backend::Postgres);
    let [alice, bob] = ["alice", "bob"].map(|name| User::register(&server, name));
    let mut hers = alice.connect();
    let _his = bob.connect();
    server.database.execute(
        "CREATE TABLE held (); INSERT INTO held DEFAULT VALUES; \
         CREATE FUNCTION hold() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN \
           IF EXISTS (SELECT FROM held) THEN PERFORM pg_sleep(1.2); END IF; RETURN NEW; END $$; \
         CREATE TRIGGER held BEFORE UPDATE ON users FOR EACH ROW EXECUTE FUNCTION hold(); \
         CREATE CONSTRAINT TRIGGER held_end AFTER UPDATE ON users DEFERRABLE INITIALLY DEFERRED \
           FOR EACH ROW EXECUTE FUNCTION hold()",
    );
    let answer = bob.ask("PUT", "/api/users/me/status", &[], &json!({"state": "dnd"}));
    answer.expect_problem(503, "outcome_unknown");
    expect_state(&mut hers, &bob, "dnd");
    server.database.execute("DELETE FROM held");
    set(&bob, json!({"state": "away"}));
    expect_state(&mut hers, &bob, "away");
}
