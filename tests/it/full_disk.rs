//! A disk that is full: what is refused was not stored, says why, and can be tried again; and all heals when there is room.

use std::fs;

use crate::support::{Backend, Disk, Server, User, eventually, or_skip};

#[test]
fn a_full_disk_is_named_to_all_and_heals() {
    let folder = tempfile::tempdir().expect("a folder");
    let Some(disk) = or_skip(Disk::mount(&folder.path().join("data"), 8_192)) else {
        return;
    };
    let mut server = Server::with(Backend::Sqlite).in_folder(folder).start();
    let alice = User::register(&server, "alice");
    alice.post("before", None).expect(201);
    disk.fill().expect("fills");
    // The log of the database has some room within.
    let (mut stored, mut n) = (1, 0);
    let text = "x".repeat(4_000);
    let refused = eventually("a post is refused", || {
        n += 1;
        let answer = alice.post(&format!("{n} {text}"), Some(&format!("c{n}")));
        stored += usize::from(answer.status == 201);
        (answer.status != 201).then_some(answer)
    });
    refused.expect_problem(503, "store_unavailable");
    let body = refused.json();
    let detail = body["detail"].as_str().expect("a sentence");
    assert!(detail.contains("is full"), "{detail}");
    let ready = eventually("/ready says so", || {
        let answer = server.http().get("/ready");
        (answer.status == 503).then_some(answer)
    });
    assert_ne!(ready.json()["code"], "outcome_unknown", "{ready:?}");
    server.await_log("disk is full");

    // A start says it, too, or succeeds.
    server.kill9();
    if let Err(said) = server.try_start_again() {
        assert!(
            said.contains("is full: make room") && !said.contains("cannot be reached"),
            "{said}"
        );
        disk.free();
        server.start_again();
    } else {
        disk.free();
    }
    let alice = User {
        addr: server.addr,
        ..alice
    };
    // It was not stored: now it is, as a new one.
    let answer = eventually("posts are stored again", || {
        let answer = alice.post(&format!("{n} {text}"), Some(&format!("c{n}")));
        (answer.status != 503).then_some(answer)
    });
    assert_eq!(answer.status, 201, "what was refused had been stored");
    assert_eq!(alice.history().len(), stored + 1);
    eventually("/ready is content", || {
        (server.http().get("/ready").status == 200).then_some(())
    });
}

/// SQLite calls a disk a failing one on which its scratch memory has no room.
#[test]
fn a_start_on_a_full_disk_after_a_crash_says_that_it_is_full() {
    let folder = tempfile::tempdir().expect("a folder");
    let Some(disk) = or_skip(Disk::mount(&folder.path().join("data"), 8_192)) else {
        return;
    };
    let mut server = Server::with(Backend::Sqlite).in_folder(folder).start();
    let mut alice = User::register(&server, "alice");
    alice.post("before", None).expect(201);
    server.kill9();
    // As after a crash of the machine.
    fs::remove_file(format!("{}-shm", server.database.file().display())).expect("removes");
    disk.fill().expect("fills");
    let said = server.try_start_again().expect_err("there is no room");
    let doctor = crate::doctor::doctor_of(&server, &[]).stdout;
    for said in [&said, &doctor] {
        assert!(
            said.contains("is full: make room") && !said.contains("cannot be reached"),
            "{said}"
        );
    }
    disk.free();
    server.start_again();
    alice.log_in();
    assert_eq!(alice.history().len(), 1);
}

#[test]
fn a_first_start_on_a_full_disk_says_so() {
    let folder = tempfile::tempdir().expect("a folder");
    let data = folder.path().join("data");
    let Some(disk) = or_skip(Disk::mount(&data, 64)) else {
        return;
    };
    disk.fill().expect("fills");
    let ended = crate::support::run(
        &["serve"],
        &[("PORT", "0"), ("DATA_DIR", &data.display().to_string())],
        folder.path(),
    );
    assert_eq!(ended.status.code(), Some(2), "{ended:?}");
    assert!(
        ended.stderr.contains("is full: make room") && !ended.stderr.contains("cannot be reached"),
        "{ended:?}"
    );
}
