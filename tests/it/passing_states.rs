//! What went wrong for a while at PostgreSQL does not go on going wrong on the connections that were open meanwhile, and
//! is logged once. (The names of the tests let a run without PostgreSQL leave them out.)

use serde_json::json;

use crate::support::{Backend, Cluster, Database, Server, User, eventually};

fn page_is_read(alice: &User) -> bool {
    alice.http().get("/api/chat/messages").status == 200
}

mod tables_that_are_altered_are_read_again {
    use super::*;

    #[test]
    fn postgres() {
        let server = Server::start(Backend::Postgres);
        let alice = User::register(&server, "alice");
        alice.post("one", Some("c")).expect(201);
        // So that every connection has its plans.
        for _ in 0..30 {
            assert!(page_is_read(&alice));
        }
        server
            .database
            .execute("ALTER TABLE messages ALTER COLUMN client_id TYPE varchar(64)");
        let mut in_a_row = 0;
        eventually("thirty pages in a row are read", || {
            in_a_row = if page_is_read(&alice) {
                in_a_row + 1
            } else {
                0
            };
            (in_a_row == 30).then_some(())
        });
        alice.post("two", Some("d")).expect(201);
    }
}

mod a_database_that_was_read_only_for_a_while_is_written_again {
    use super::*;

    #[test]
    fn postgres() {
        let server = Server::start(Backend::Postgres);
        let alice = User::register(&server, "alice");
        alice.post("one", None).expect(201);
        let name = server.database.name();
        let throw_out = format!(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity \
             WHERE datname = '{name}' AND pid <> pg_backend_pid()"
        );
        let cluster = std::env::var("PARLOUR_TEST_POSTGRES_URL").expect("a cluster");
        let cluster = Database::at(cluster);
        cluster.execute(&format!(
            "ALTER DATABASE {name} SET default_transaction_read_only = on; {throw_out}"
        ));
        eventually("posts are refused", || {
            (alice.post("two", Some("two")).status == 503).then_some(())
        });
        cluster.execute(&format!(
            "ALTER DATABASE {name} RESET default_transaction_read_only"
        ));
        let mut in_a_row = 0;
        eventually("ten posts in a row are stored", || {
            let name = format!("c{in_a_row}");
            let is_stored = matches!(alice.post(&name, Some(&name)).status, 200 | 201);
            in_a_row = if is_stored { in_a_row + 1 } else { 0 };
            (in_a_row == 10).then_some(())
        });
    }
}

mod an_outage_is_logged_once_and_its_end_once {
    use super::*;

    #[test]
    fn postgres() {
        let cluster = Cluster::start();
        let server = cluster.serve();
        let alice = User::register(&server, "alice");
        let mut socket = alice.connect();
        socket.say("before");
        cluster.halt();
        for round in 0..3 {
            for n in 0..30 {
                let name = format!("{round}-{n}");
                socket.send_json(
                    &json!({"type": "message", "content": name, "client_id": name, "ref": name}),
                );
            }
            for n in 0..30 {
                let answer = socket.expect(|frame| frame["ref"] == format!("{round}-{n}"));
                assert_eq!(answer["type"], "error", "{answer}");
            }
            alice.http().get("/api/chat/messages");
            server.http().get("/ready");
        }
        cluster.resume();
        eventually("messages are stored again", || {
            matches!(alice.post("after", Some("after")).status, 200 | 201).then_some(())
        });
        server.await_log("the database can be reached again after");
        let log = server.log();
        let lines = log
            .lines()
            .filter(|line| line.contains("WARN") || line.contains("ERROR"))
            .filter(|line| line.contains("database") || line.contains("stored"));
        let lines: Vec<&str> = lines.collect();
        assert!(lines.len() < 30, "{}", lines.join("\n"));
    }
}
