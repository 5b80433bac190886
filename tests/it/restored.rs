//! An older backup takes the place of the database, while the server runs or while it does not: no client is left to
//! believe that its history goes on.

use std::{fs, time::Instant};

use crate::support::{Backend, Closed, Server, User, eventually};

on_both![
    a_restore_under_a_serving_server_is_told_to_everyone,
    a_restore_that_is_written_to_at_once_is_noticed_too,
    a_restore_while_the_server_is_stopped_is_noticed,
    nothing_is_taken_for_a_restore_that_is_none,
    an_upgrade_is_not_taken_for_a_restore,
];

const TABLES: [&str; 2] = ["messages", "rooms"];

/// Keeps what the tables hold now.
fn dump(server: &Server) {
    for table in TABLES {
        server.database.execute(&format!(
            "CREATE TABLE saved_{table} AS SELECT * FROM {table}"
        ));
    }
}

/// Puts it back, in one transaction. (Columns stand in the same order.)
fn restore(server: &Server) {
    server.database.execute(
        "BEGIN; DELETE FROM messages; INSERT INTO messages SELECT * FROM saved_messages; \
         UPDATE rooms SET (last_seq, last_message_id) = \
           (SELECT last_seq, last_message_id FROM saved_rooms WHERE saved_rooms.id = rooms.id); COMMIT",
    );
}

fn expect_afresh(mut socket: crate::support::Socket, alice: &User) {
    let before = socket.connected["epoch"].clone();
    let since = Instant::now();
    let end = socket.expect_end();
    assert!(matches!(end, Closed::Code(4000, _)), "{end:?}");
    println!("told after {:?}", since.elapsed());
    let mut fresh = alice.connect();
    assert_ne!(fresh.connected["epoch"], before);
    let said = fresh.say("in the new history");
    assert_eq!(
        alice.history().len() as u64,
        said["id"].as_u64().expect("a number")
    );
}

fn a_restore_under_a_serving_server_is_told_to_everyone(backend: Backend) {
    let server = Server::start(backend);
    let alice = User::register(&server, "alice");
    let mut socket = alice.connect();
    for n in 0..5 {
        socket.say(&format!("early {n}"));
    }
    dump(&server);
    for n in 0..5 {
        socket.say(&format!("late {n}"));
    }
    restore(&server);
    expect_afresh(socket, &alice);
}

fn a_restore_that_is_written_to_at_once_is_noticed_too(backend: Backend) {
    let server = Server::start(backend);
    let alice = User::register(&server, "alice");
    let mut socket = alice.connect();
    socket.say("early");
    dump(&server);
    socket.say("late");
    restore(&server);
    // It takes a number that was told before.
    for n in 0..3 {
        alice.post(&format!("at once {n}"), None).expect(201);
    }
    expect_afresh(socket, &alice);
}

fn a_restore_while_the_server_is_stopped_is_noticed(backend: Backend) {
    let mut server = Server::start(backend);
    let alice = User::register(&server, "alice");
    alice.post("early", None).expect(201);
    dump(&server);
    alice.post("late", None).expect(201);
    let epoch = alice.connect().connected["epoch"].clone();
    eventually("the folder knows of it", || {
        let known = fs::read_to_string(server.data_dir().join("history")).ok()?;
        known.contains("\"rooms\":{\"1\":2}").then_some(())
    });
    server.kill9();
    restore(&server);
    server.start_again();
    let second = alice.connect().connected["epoch"].clone();
    assert_ne!(second, epoch, "numbers that were told are there no more");

    // A file of its own, put in the place of the newer one.
    if backend == Backend::Sqlite {
        server.kill9();
        let (file, copy) = (
            server.database.file().to_owned(),
            server.folder().join("copy"),
        );
        server.database.execute("PRAGMA wal_checkpoint(TRUNCATE)");
        fs::copy(&file, &copy).expect("copies");
        server.start_again();
        let third = alice.connect().connected["epoch"].clone();
        assert_eq!(third, second, "nothing was restored yet");
        server.kill9();
        // It is as long a history as the newer one, but of an earlier life of the server.
        for end in ["-wal", "-shm"] {
            let _may_not_be_there = fs::remove_file(format!("{}{end}", file.display()));
        }
        fs::copy(&copy, &file).expect("copies");
        server.start_again();
        assert_ne!(alice.connect().connected["epoch"], second);
    }
    // The folder that knew of it is another one.
    server.kill9();
    let before = server
        .database
        .query("SELECT value FROM facts WHERE name = 'epoch'");
    fs::remove_file(server.data_dir().join("history")).expect("removes");
    server.start_again();
    let after = server
        .database
        .query("SELECT value FROM facts WHERE name = 'epoch'");
    assert_ne!(before, after);
}

/// As the last version left it: it kept no life, neither in the database nor beside it.
fn an_upgrade_is_not_taken_for_a_restore(backend: Backend) {
    let mut server = Server::start(backend);
    let alice = User::register(&server, "alice");
    alice.post("before the upgrade", None).expect(201);
    server.terminate();
    let forget = "DELETE FROM facts WHERE name = 'life'";
    server.database.execute(forget);
    fs::remove_file(server.data_dir().join("history")).expect("removes");
    server.start_again();
    assert_eq!(alice.history().len(), 1);
    assert!(!server.log().contains("starts afresh"), "{}", server.log());
    // One of the two alone is something else.
    server.terminate();
    server.database.execute(forget);
    server.start_again();
    server.await_log("every client starts afresh");
}

fn nothing_is_taken_for_a_restore_that_is_none(backend: Backend) {
    let mut server = Server::start(backend);
    let alice = User::register(&server, "alice");
    let epoch = alice.connect().connected["epoch"].clone();
    for round in 0..4 {
        let mut socket = alice.connect();
        for n in 0..20 {
            socket.say(&format!("{round}: {n}"));
        }
        if round % 2 == 0 {
            server.kill9();
        } else {
            server.terminate();
        }
        server.start_again();
        assert_eq!(alice.connect().connected["epoch"], epoch, "round {round}");
    }
    eventually("a look or two has been taken", || {
        (server.http().get("/ready").status == 200).then_some(())
    });
    assert!(!server.log().contains("starts afresh"), "{}", server.log());
}
