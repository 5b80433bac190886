//! The small files beside an embedded database are taken away while a server uses it: what they are for is kept up, or the
//! server ends before it acks what could be lost.

use std::{fs, path::PathBuf, process::Command, thread};

use crate::support::{BINARY, Backend, PASSWORD, Server, User, eventually, fed, run};

fn beside(server: &Server, end: &str) -> PathBuf {
    format!("{}{end}", server.database.file().display()).into()
}

/// Another process, which writes.
fn add_user(server: &Server, name: &str) {
    let mut command = Command::new(&*BINARY);
    command
        .args(["users", "add", name])
        .env_clear()
        .current_dir(server.folder())
        .env("DATA_DIR", server.data_dir())
        .env("BCRYPT_COST", "4");
    let output = fed(&mut command, PASSWORD);
    assert!(output.status.success(), "{output:?}");
}

/// Posts until the server is gone. Tells what was acked.
fn write_until_the_end(alice: &User, name: &str) -> Vec<String> {
    let mut acked = Vec::new();
    for n in 0.. {
        let content = format!("{name}{n}");
        let body = serde_json::json!({"content": content}).to_string();
        let json = [("content-type", "application/json")];
        let path = "/api/rooms/general/messages";
        let outcome = alice
            .http()
            .try_request("POST", path, &json, body.as_bytes());
        match outcome {
            Ok(answer) if answer.status == 201 => acked.push(content),
            Ok(_) => {}
            Err(_) => break,
        }
    }
    acked
}

/// SQLite keeps its locks in that file: a process that makes a new one waits for nobody, and writes over the others' part
/// of the log.
#[test]
fn two_processes_with_different_shared_memory_lose_nothing() {
    let mut server = Server::start(Backend::Sqlite);
    let mut alice = User::register(&server, "alice");
    let acked = thread::scope(|scope| {
        let writers = ["a", "b", "c"].map(|name| {
            let alice = &alice;
            scope.spawn(move || write_until_the_end(alice, name))
        });
        eventually("they write", || (alice.history().len() > 20).then_some(()));
        fs::remove_file(beside(&server, "-shm")).expect("removes");
        add_user(&server, "bob");
        assert_eq!(server.wait().code(), Some(2));
        add_user(&server, "carol");
        writers
            .map(|writer| writer.join().expect("writes"))
            .concat()
    });
    server.await_log("-shm was removed or replaced");
    server.start_again();
    alice.log_in();
    let history = alice.history();
    let there: Vec<&str> = history
        .iter()
        .filter_map(|message| message["content"].as_str())
        .collect();
    let lost: Vec<_> = acked
        .iter()
        .filter(|one| !there.contains(&one.as_str()))
        .collect();
    assert!(lost.is_empty(), "of {}: {lost:?}", acked.len());
    for name in ["bob", "carol"] {
        let body = serde_json::json!({"username": name, "password": PASSWORD});
        server.http().post("/api/auth/login", &body).expect(200);
    }
}

#[test]
fn a_lock_whose_file_is_removed_is_taken_again() {
    let mut server = Server::start(Backend::Sqlite);
    let alice = User::register(&server, "alice");
    let lock = beside(&server, ".lock");
    for _ in 0..2 {
        fs::remove_file(&lock).expect("removes");
        eventually("it is there again", || lock.exists().then_some(()));
    }
    server.await_log(".lock was removed or replaced");
    let data_dir = server.data_dir().display().to_string();
    let second = run(
        &["serve"],
        &[("DATA_DIR", &data_dir), ("PORT", "0")],
        server.folder(),
    );
    assert!(
        second.stderr.contains("Another Parlour server is using"),
        "{second:?}"
    );
    alice.post("still served", None).expect(201);
    assert!(server.is_running());
}
