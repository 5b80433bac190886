//! The database gone: nothing is acked, everyone is told soon and told to come back, sockets stay open, and work goes
//! on by itself when it returns.

use std::{
    collections::HashMap,
    sync::{
        atomic::{AtomicBool, Ordering},
        mpsc::{Receiver, Sender, channel},
    },
    thread,
    time::{Duration, Instant},
};

use serde_json::{Value, json};

use crate::support::{Backend, Cluster, Server, Socket, TIMEOUT, User, eventually};

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
           IF EXISTS (SELECT FROM fate) THEN \
             FOR round IN 1..1000 LOOP \
               PERFORM pg_stat_clear_snapshot(); \
               EXIT WHEN EXISTS (SELECT FROM pg_locks WHERE NOT granted AND relation = 'rooms'::regclass \
                                 AND database = (SELECT oid FROM pg_database WHERE datname = current_database())); \
               PERFORM pg_sleep(0.01); \
             END LOOP; \
             RAISE 'this commit fails'; \
           END IF; \
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
    // It holds its room until this one waits for it: this one comes through after the first has failed, and stands for it.
    // It waits for the table, not for the row: the table goes to whoever has waited for it, the row to whoever is first.
    server.database.execute(
        "BEGIN; LOCK TABLE rooms IN EXCLUSIVE MODE; \
         UPDATE rooms SET last_seq = last_seq + 1; DELETE FROM fate; \
         INSERT INTO messages (room_id, id, seq, user_id, content, created_at) \
           SELECT room_id, 2, 2, user_id, content, created_at FROM messages; \
         SELECT pg_sleep(0.5); COMMIT",
    );
    let error = hers.expect(|frame| frame["ref"] == "r");
    assert_eq!(error["code"], "outcome_unknown", "{error}");
    his.expect(|frame| frame["type"] == "message" && frame["id"] == 2);
}

/// A message that was acked.
pub struct Acked {
    pub content: String,
    pub id: u64,
    pub at: Instant,
}

/// Sends one message after the other on one socket, each until it is acked. The socket must never close.
fn write_on(mut socket: Socket, name: &str, stop: &AtomicBool, acked: &Sender<Acked>) {
    for count in 0.. {
        let content = format!("{name}-{count}");
        loop {
            if stop.load(Ordering::Relaxed) {
                return;
            }
            socket.send_json(
                &json!({"type": "message", "content": content, "client_id": content, "ref": content}),
            );
            let answer = socket.expect(|frame| frame["ref"] == *content);
            if let Some(id) = answer["id"].as_u64() {
                let at = Instant::now();
                let _nobody_counts = acked.send(Acked { content, id, at });
                break;
            }
            let wait = answer["retry_after_ms"].as_u64().expect("when to retry");
            thread::park_timeout(Duration::from_millis(wait));
        }
    }
}

/// Has all of them [`write_on`] until it is stopped.
pub fn write_all<'scope>(
    scope: &'scope thread::Scope<'scope, '_>,
    users: &'scope [User],
    stop: &'scope AtomicBool,
    acked: &Sender<Acked>,
) {
    for user in users {
        let (socket, acked) = (user.connect(), acked.clone());
        scope.spawn(move || write_on(socket, &user.name, stop, &acked));
    }
}

/// Notes what is acked until this has gone on for so long.
pub fn listen(acks: &Receiver<Acked>, time: Duration, noted: &mut Vec<Acked>) {
    let end = Instant::now() + time;
    while let Ok(acked) = acks.recv_timeout(end.saturating_duration_since(Instant::now())) {
        noted.push(acked);
    }
}

/// Everything that was acked is stored once, under the number of its ack, and no number is missing.
pub fn expect_all_once(history: &[Value], noted: &[Acked]) {
    for (n, message) in history.iter().enumerate() {
        assert_eq!(message["id"], n + 1, "a hole");
    }
    let mut stored: HashMap<&str, Vec<u64>> = HashMap::new();
    for message in history {
        let content = message["content"].as_str().expect("a text");
        let id = message["id"].as_u64().expect("a number");
        stored.entry(content).or_default().push(id);
    }
    for Acked { content, id, .. } in noted {
        assert_eq!(stored.get(content.as_str()), Some(&vec![*id]), "{content}");
    }
}

/// Ends the writers, also when the test has failed.
pub struct Ends<'a>(pub &'a AtomicBool);

impl Drop for Ends<'_> {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

/// As long as scripts/soak wants it, and a few seconds otherwise.
fn outage() -> Duration {
    let seconds = std::env::var("PARLOUR_TEST_OUTAGE_SECONDS").ok();
    Duration::from_secs(seconds.map_or(3, |seconds| seconds.parse().expect("seconds")))
}

/// No one notices a restart of PostgreSQL while no one writes: the first message after it is stored at once, although
/// every connection that was kept has died. (Its name lets a run without PostgreSQL leave it out.)
mod restarted_while_nobody_writes {
    use super::*;

    #[test]
    fn postgres() {
        let cluster = Cluster::start();
        let server = cluster.serve();
        let mut socket = User::register(&server, "alice").connect();
        for n in 0..20 {
            socket.say(&format!("before {n}"));
        }
        cluster.halt();
        cluster.resume();
        socket.say("after");
    }
}

/// The server of PostgreSQL is stopped under load, stays away, and is started again: nothing is acked meanwhile, no socket
/// closes, work goes on by itself, and in the end everything that was acked is there once. (Its name lets a run without
/// PostgreSQL leave it out.)
mod stopped_and_started_under_load {
    use super::*;

    #[test]
    fn postgres() {
        let cluster = Cluster::start();
        let server = cluster.serve();
        let users = User::register_all(&server, "writer", 8);
        let stop = AtomicBool::new(false);
        let (acked, acks) = channel();
        let mut noted = Vec::new();
        thread::scope(|scope| {
            let _ends = Ends(&stop);
            write_all(scope, &users, &stop, &acked);
            listen(&acks, Duration::from_secs(1), &mut noted);
            assert!(noted.len() > 50, "only {} acks before", noted.len());

            cluster.halt();
            let gone = Instant::now();
            // What was committed before may still be told.
            let told = gone + Duration::from_millis(500);
            listen(&acks, outage(), &mut noted);
            let falsely = noted.iter().filter(|acked| acked.at > told).count();
            assert_eq!(falsely, 0, "acked without a database");

            cluster.resume();
            let back = Instant::now();
            let first = acks.recv_timeout(TIMEOUT).expect("work goes on");
            let recovery = first.at - back;
            println!("acked again {recovery:?} after PostgreSQL was back");
            assert!(recovery < Duration::from_secs(5), "{recovery:?}");
            noted.push(first);
            listen(&acks, Duration::from_secs(2), &mut noted);
            for user in &users {
                let late = noted.iter().filter(|acked| acked.at > back);
                let mut late = late.map(|acked| &acked.content);
                let name = format!("{}-", user.name);
                assert!(late.any(|content| content.starts_with(&name)), "{name}");
            }
        });
        noted.extend(acks.try_iter());
        expect_all_once(&users[0].history(), &noted);
    }
}
