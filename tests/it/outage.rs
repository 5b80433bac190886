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
