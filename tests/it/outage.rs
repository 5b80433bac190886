//! The database gone: nothing is acked, everybody is told soon and told to come back, sockets stay open, and work goes
//! on by itself when it returns.

use std::time::{Duration, Instant};

use serde_json::json;

use crate::support::{Backend, Server, User, eventually};

on_both![an_outage_of_the_database_is_told_and_heals];

/// Two seconds are promised; a busy machine may add to them.
const SOON: Duration = Duration::from_secs(6);

fn an_outage_of_the_database_is_told_and_heals(backend: Backend) {
    let server = Server::start(backend);
    let (alice, bob) = (
        User::register(&server, "alice"),
        User::register(&server, "bob"),
    );
    let (mut hers, mut his) = (alice.connect(), bob.connect());
    hers.say("before");
    his.expect_message("before");

    let outage = server.database.outage();
    for round in 0..2 {
        let start = Instant::now();
        let name = format!("c{round}");
        hers.send_json(
            &json!({"type": "message", "content": name, "client_id": name, "ref": name}),
        );
        let error = hers.expect(|frame| frame["ref"] == *name);
        assert_eq!(error["type"], "error", "nothing may be acked: {error}");
        assert!(
            error["retry_after_ms"].as_u64().is_some_and(|ms| ms > 0),
            "{error}"
        );
        let refused = alice.post("by HTTP", Some("by HTTP"));
        refused.expect_any_problem();
        assert_eq!(refused.status, 503, "{}", refused.text());
        assert!(start.elapsed() < 2 * SOON, "{:?}", start.elapsed());
    }
    let start = Instant::now();
    let ready = server.http().get("/ready");
    assert_eq!(ready.status, 503, "{}", ready.text());
    ready.expect_any_problem();
    // Alive it is: whoever watches over it must not restart it.
    server.http().get("/health").expect(200);
    if backend == Backend::Postgres {
        for answer in [
            alice.http().get("/api/chat/messages"),
            alice.http().post("/api/auth/ws-ticket", &json!({})),
        ] {
            assert!(matches!(answer.status, 200 | 503), "{}", answer.text());
        }
    }
    assert!(start.elapsed() < 3 * SOON, "{:?}", start.elapsed());
    // The sockets are open, and hear what needs no database.
    for socket in [&mut hers, &mut his] {
        socket.drain();
    }

    drop(outage);
    let back = Instant::now();
    eventually("sends are stored again", || {
        matches!(alice.post("by HTTP", Some("by HTTP")).status, 200 | 201).then_some(())
    });
    assert!(
        back.elapsed() < Duration::from_secs(10),
        "{:?}",
        back.elapsed()
    );
    for round in 0..2 {
        // Whatever became of the first try, it is there once.
        let name = format!("c{round}");
        hers.send_json(
            &json!({"type": "message", "content": name, "client_id": name, "ref": name}),
        );
        let ack = hers.expect(|frame| frame["ref"] == *name);
        assert_eq!(ack["type"], "ack", "{ack}");
        his.expect_message(&name);
    }
    eventually("it is ready again", || {
        (server.http().get("/ready").status == 200).then_some(())
    });
    let history = alice.history();
    let mut contents: Vec<&str> = history
        .iter()
        .filter_map(|message| message["content"].as_str())
        .collect();
    contents.sort_unstable();
    assert_eq!(contents, ["before", "by HTTP", "c0", "c1"]);
    for (n, message) in history.iter().enumerate() {
        assert_eq!(message["seq"], n + 1);
    }
}

/// The connection of a commit can be lost while the commit is still on its way. Whoever then looks how far the room has
/// come must not look too soon.
#[test]
fn a_commit_that_comes_through_after_all_is_told() {
    let server = Server::start(Backend::Postgres);
    let (alice, bob) = (
        User::register(&server, "alice"),
        User::register(&server, "bob"),
    );
    let (mut hers, mut his) = (alice.connect(), bob.connect());
    hers.say("one");
    his.expect_message("one");
    server.database.execute(
        "CREATE TABLE fate (); INSERT INTO fate DEFAULT VALUES; \
         CREATE FUNCTION meet_fate() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN \
           IF EXISTS (SELECT FROM fate) THEN PERFORM pg_sleep(1); RAISE 'this commit fails'; END IF; \
           RETURN NULL; END $$; \
         CREATE CONSTRAINT TRIGGER fate AFTER INSERT ON messages DEFERRABLE INITIALLY DEFERRED \
           FOR EACH ROW EXECUTE FUNCTION meet_fate()",
    );
    hers.send_json(&json!({"type": "message", "content": "two", "ref": "r"}));
    eventually("the commit is on its way", || {
        let sleeping = "SELECT '' AS value FROM pg_stat_activity \
                        WHERE datname = current_database() AND wait_event = 'PgSleep'";
        server.database.query(sleeping).pop()
    });
    // It holds its room, so this one comes through after the first has failed, and stands for it.
    server.database.execute(
        "BEGIN; UPDATE rooms SET last_seq = last_seq + 1; DELETE FROM fate; \
         INSERT INTO messages (room_id, id, seq, user_id, content, created_at) \
           SELECT room_id, 2, 2, user_id, content, created_at FROM messages; \
         SELECT pg_sleep(0.5); COMMIT",
    );
    let error = hers.expect(|frame| frame["ref"] == "r");
    assert_eq!(error["code"], "outcome_unknown", "{error}");
    his.expect(|frame| frame["type"] == "message" && frame["id"] == 2);
}
