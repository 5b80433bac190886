//! `/ready` says 200 only when a message would be stored: it meets what a message would meet. (The names of the tests let
//! a run without PostgreSQL leave them out.)

use std::{thread, time::Duration};

use crate::support::{Backend, Cluster, Server, User, eventually};

on_both![a_server_that_takes_messages_is_ready];

fn a_server_that_takes_messages_is_ready(backend: Backend) {
    let server = Server::start(backend);
    // Before anyone has an account, and after.
    server.http().get("/ready").expect(200);
    let alice = User::register(&server, "alice");
    let mut socket = alice.connect();
    for n in 1..=5 {
        // An answer is good for a second, and nothing outside shows when the server tries again: this is the pace of whoever
        // asks, so that some of the five answers are new and some are not.
        thread::sleep(Duration::from_millis(250));
        server.http().get("/ready").expect(200);
        // What was tried has taken no number, and was announced to no one.
        assert_eq!(socket.say("one more")["id"], n);
    }
    assert_eq!(alice.history().len(), 5);
}

fn becomes(server: &Server, status: u16, why: &str) {
    eventually(&format!("/ready says {status}: {why}"), || {
        (server.http().get("/ready").status == status).then_some(())
    });
}

mod whatever_keeps_messages_from_being_stored_is_seen {
    use super::*;

    #[test]
    fn postgres() {
        let cluster = Cluster::start();
        let server = cluster.serve_as_owner();
        let database = cluster.database("chat");
        let alice = User::register(&server, "alice");
        alice.post("before", None).expect(201);
        becomes(&server, 200, "all is well");
        for lock in [
            "LOCK TABLE messages IN EXCLUSIVE MODE",
            "SELECT FROM rooms FOR UPDATE",
        ] {
            let held = database.hold(lock);
            becomes(&server, 503, lock);
            drop(held);
            becomes(&server, 200, "the lock is gone");
        }
        for (breaks, mends) in [
            (
                "REVOKE INSERT ON messages FROM chat",
                "GRANT INSERT ON messages TO chat",
            ),
            (
                "ALTER TABLE rooms RENAME TO halls",
                "ALTER TABLE halls RENAME TO rooms",
            ),
        ] {
            database.execute(breaks);
            becomes(&server, 503, breaks);
            database.execute(mends);
            becomes(&server, 200, mends);
        }
        // A standby that every commit waits for, and that is not there.
        cluster.execute("ALTER SYSTEM SET synchronous_standby_names = 'nobody'");
        cluster.execute("SELECT pg_reload_conf()");
        becomes(&server, 503, "a standby is waited for");
        cluster.execute("ALTER SYSTEM RESET synchronous_standby_names");
        cluster.execute("SELECT pg_reload_conf()");
        becomes(&server, 200, "nobody is waited for");
        alice.post("after", None).expect(201);
    }
}

mod writers_that_get_no_connection_are_seen {
    use super::*;

    #[test]
    fn postgres() {
        let cluster = Cluster::start();
        let server = cluster.serve_as_owner();
        let database = cluster.database("chat");
        let alice = User::register(&server, "alice");
        // No new connection is given, and of those that are there the writers' are ended: a post that waits shows which.
        cluster.execute(
            "DO $$ BEGIN EXECUTE format('ALTER ROLE chat CONNECTION LIMIT %s', \
             (SELECT count(*) - 1 FROM pg_stat_activity WHERE usename = 'chat')); END $$",
        );
        let mut stored = 0;
        eventually("the writers have no connection left", || {
            let held = database.hold("SELECT FROM rooms FOR UPDATE");
            let answer = thread::scope(|scope| {
                let posting = scope.spawn(|| alice.post("waits", None));
                eventually("the post waits for the lock, or is refused", || {
                    let waiting = "SELECT pg_terminate_backend(pid)::text AS value FROM pg_stat_activity \
                                   WHERE usename = 'chat' AND wait_event_type = 'Lock'";
                    let has_ended = !cluster.query(waiting).is_empty();
                    (has_ended || posting.is_finished()).then_some(())
                });
                drop(held);
                posting.join().expect("posts")
            });
            stored += usize::from(answer.status == 201);
            (answer.status == 503).then_some(())
        });
        becomes(&server, 503, "its writers get no connection");
        assert_eq!(server.http().get("/api/rooms/general").status, 401);
        assert_eq!(alice.history().len(), stored);
        cluster.execute("ALTER ROLE chat CONNECTION LIMIT -1");
        becomes(&server, 200, "they get some");
        alice.post("after", None).expect(201);
    }
}
