//! Durable before told: what a client was told of is on the disk even if the machine loses power at that moment. The
//! disk is rebuilt with nothing but the writes that had been flushed, at many moments of a server's life. And the
//! control: a disk that lies about its flushes, on which the same check must see the loss.

use std::{fs, process::Command, thread};

use diesel::{
    Connection as _, QueryableByName, RunQueryDsl as _, SqliteConnection, sql_query,
    sql_types::BigInt,
};
use serde_json::Value;
use tempfile::TempDir;

use crate::support::{
    Backend, Server, User,
    crash::{CALLS, Disk, STRACE},
    eventually,
};

#[derive(QueryableByName)]
struct Row {
    #[diesel(sql_type = BigInt)]
    id: i64,
}

/// Where strace is not there, or may not trace, nothing can be seen.
fn strace_works() -> bool {
    let works = Command::new("strace")
        .args(["-f", "--seccomp-bpf", "-o", "/dev/null", "true"])
        .status()
        .is_ok_and(|status| status.success());
    if !works {
        assert!(
            std::env::var_os("CI").is_none(),
            "strace does not work here: run scripts/test"
        );
        println!("skipped: strace is not installed or may not trace");
    }
    works
}

/// A server's traced life, and the end of it.
struct Life {
    server: Server,
    users: Vec<User>,
    base: TempDir,
    trace: String,
    acked: Vec<(u64, String)>,
}

fn live_and_die(flags: &[&str]) -> Life {
    let mut server = Server::start(Backend::Sqlite);
    let users = User::register_all(&server, "writer", 6);
    assert!(server.terminate().0.success());
    let base = tempfile::tempdir().expect("a folder");
    fs::copy(server.database.file(), base.path().join("parlour.db")).expect("copies");
    let trace = server.folder().join("trace");
    let trace_name = trace.display().to_string();
    let wrapper = [&STRACE[..], &["-e", CALLS, "-o", &trace_name], flags].concat();
    server.set_wrapper(&wrapper);
    server.start_again();
    let acked: Vec<(u64, String)> = thread::scope(|scope| {
        let tasks: Vec<_> = users
            .iter()
            .map(|user| {
                scope.spawn(move || {
                    let mut socket = user.connect();
                    (0..40)
                        .map(|n| {
                            let content = format!("{} {n}", user.name);
                            let ack = socket.say(&content);
                            (ack["id"].as_u64().expect("an id"), content)
                        })
                        .collect::<Vec<_>>()
                })
            })
            .collect();
        tasks
            .into_iter()
            .flat_map(|task| task.join().expect("all are acked"))
            .collect()
    });
    let pid = server.pid();
    server.kill9();
    let trace = eventually("strace has written everything", || {
        let text = fs::read_to_string(&trace).ok()?;
        let ended = text.lines().any(|line| {
            line.starts_with(&format!("{pid} ")) && line.contains("+++ killed by SIGKILL")
        });
        ended.then_some(text)
    });
    Life {
        server,
        users,
        base,
        trace,
        acked,
    }
}

/// The numbers of the acks in what left for a client.
fn acks_in(bytes: &[u8]) -> Vec<u64> {
    let text = String::from_utf8_lossy(bytes);
    text.match_indices(r#"{"type":"ack""#)
        .map(|(at, _)| {
            let mut values = serde_json::Deserializer::from_str(&text[at..]).into_iter::<Value>();
            let ack = values.next().expect("a frame").expect("JSON");
            ack["id"].as_u64().expect("an id")
        })
        .collect()
}

fn ids_in_image(disk: &Disk) -> Vec<i64> {
    let folder = tempfile::tempdir().expect("a folder");
    disk.write_image(folder.path());
    let path = folder.path().join("parlour.db").display().to_string();
    let mut connection = SqliteConnection::establish(&path).expect("opens");
    let rows: Vec<Row> = sql_query("SELECT id FROM messages")
        .load(&mut connection)
        .expect("reads");
    rows.into_iter().map(|row| row.id).collect()
}

/// Cuts the power right after every tenth ack, and returns those that were told of and are not there.
fn lost_at_every_moment(life: &Life) -> (Vec<u64>, Disk, usize) {
    let original = life.server.database.file();
    let mut disk = Disk::new(&life.base.path().join("parlour.db"));
    disk.rename(original);
    let (mut told, mut lost, mut cuts) = (Vec::new(), Vec::new(), 0);
    for line in life.trace.lines() {
        let new = disk
            .play(line)
            .map_or_else(Vec::new, |bytes| acks_in(&bytes));
        if new.is_empty() {
            continue;
        }
        let before = told.len() / 10;
        told.extend(new);
        if told.len() / 10 > before {
            cuts += 1;
            let there = ids_in_image(&disk);
            lost.extend(
                told.iter()
                    .filter(|id| !there.contains(&i64::try_from(**id).expect("small"))),
            );
        }
    }
    assert_eq!(told.len(), life.acked.len(), "the trace shows every ack");
    (lost, disk, cuts)
}

#[test]
fn what_was_acked_survives_a_power_cut_at_any_moment() {
    if !strace_works() {
        return;
    }
    let life = live_and_die(&[]);
    let (lost, disk, cuts) = lost_at_every_moment(&life);
    assert_eq!(lost, [0_u64; 0], "acked and lost");
    assert!(
        cuts >= 20 && disk.flushes > 0,
        "{cuts} cuts, {} flushes",
        disk.flushes
    );
    // A server that starts on the last image tells everything, word for word.
    let folder = tempfile::tempdir().expect("a folder");
    let data = folder.path().join("data");
    fs::create_dir(&data).expect("a folder");
    disk.write_image(&data);
    for key in ["secret_key", "encryption_key"] {
        fs::copy(life.server.data_dir().join(key), data.join(key)).expect("copies");
    }
    let after = Server::with(Backend::Sqlite).in_folder(folder).start();
    let mut reader = life.users[0].clone();
    reader.addr = after.addr;
    let history = reader.history();
    for (id, content) in &life.acked {
        let place = usize::try_from(*id).expect("small") - 1;
        assert_eq!(&history[place]["content"], content.as_str());
    }
    println!(
        "{cuts} power cuts, {} flushes, {} acked, none lost",
        disk.flushes,
        life.acked.len()
    );
}

/// The control: strace answers the flushes itself, and the kernel never sees them.
#[test]
fn on_a_disk_that_lies_about_its_flushes_the_loss_is_seen() {
    if !strace_works() {
        return;
    }
    let life = live_and_die(&["-e", "inject=fsync,fdatasync:retval=0"]);
    let (lost, disk, _) = lost_at_every_moment(&life);
    assert_eq!(disk.flushes, 0);
    assert!(
        lost.len() >= 100,
        "the check is blind: only {} were seen to be lost",
        lost.len()
    );
}
