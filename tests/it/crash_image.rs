//! Durable before told: what a client was told of is on the disk even if the machine loses power at that moment. The
//! disk is rebuilt at many moments of a server's life: with nothing but the writes that had been flushed, and with any
//! part of the others, torn. And the control: a disk that lies about its flushes, on which the same checks must see the
//! loss. `PARLOUR_TEST_IMAGES=500` takes longer and looks closer.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::Path,
    process::Command,
    thread,
};

use diesel::{
    Connection as _, QueryableByName, RunQueryDsl as _, SqliteConnection,
    connection::SimpleConnection as _,
    sql_query,
    sql_types::{BigInt, Text},
};
use serde_json::Value;
use tempfile::TempDir;

use crate::support::{
    Backend, Server, User,
    crash::{CALLS, Chance, Disk, STRACE, TOKEN},
    eventually,
};

/// How many power cuts, unless `PARLOUR_TEST_IMAGES` says otherwise. There are four acks for each.
const IMAGES: usize = 60;
/// How many of them a server is started on.
const SERVERS: usize = 3;
const WRITERS: usize = 6;

fn number_from(variable: &str, otherwise: usize) -> usize {
    std::env::var(variable).map_or(otherwise, |text| text.parse().expect("a number"))
}

#[derive(QueryableByName)]
struct Row {
    #[diesel(sql_type = BigInt)]
    id: i64,
    #[diesel(sql_type = Text)]
    content: String,
}

#[derive(QueryableByName)]
struct Verdict {
    #[diesel(sql_type = Text)]
    integrity_check: String,
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

fn live_and_die(flags: &[&str], acks: usize) -> Life {
    let mut server = Server::start(Backend::Sqlite);
    let users = User::register_all(&server, "writer", WRITERS);
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
                    (0..acks.div_ceil(WRITERS))
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

/// How the frames begin that tell someone that a message is stored.
const ACK: &str = r#"{"type":"ack""#;
const MESSAGE: &str = r#"{"type":"message""#;

/// The numbers in the frames of this kind in what left for a client.
fn numbers_in(text: &str, beginning: &str) -> Vec<u64> {
    text.match_indices(beginning)
        .map(|(at, _)| {
            let mut values = serde_json::Deserializer::from_str(&text[at..]).into_iter::<Value>();
            let frame = values.next().expect("a frame").expect("JSON");
            frame["id"].as_u64().expect("an id")
        })
        .collect()
}

/// The messages of a database as a power cut has left it: sealed, by their numbers. It must open and be whole.
fn read_image(folder: &Path) -> BTreeMap<u64, String> {
    let path = folder.join("parlour.db").display().to_string();
    let mut connection = SqliteConnection::establish(&path).expect("opens");
    // This copy is thrown away.
    connection
        .batch_execute("PRAGMA synchronous = OFF")
        .expect("sets");
    let verdicts: Vec<Verdict> = sql_query("PRAGMA integrity_check")
        .load(&mut connection)
        .expect("checks");
    let verdicts: Vec<String> = verdicts
        .into_iter()
        .map(|row| row.integrity_check)
        .collect();
    assert_eq!(verdicts, ["ok"]);
    let rows: Vec<Row> = sql_query("SELECT id, content FROM messages")
        .load(&mut connection)
        .expect("reads");
    let of_row = |row: Row| (row.id.unsigned_abs(), row.content);
    rows.into_iter().map(of_row).collect()
}

fn disk_of(life: &Life) -> Disk {
    let mut disk = Disk::new(&life.base.path().join("parlour.db"));
    disk.rename(life.server.database.file());
    disk
}

/// Plays a life to its end. Each line's listener gets the disk, and the line at which anybody was first told of each
/// message: its sender by the ack, the others by the message itself.
fn play(life: &Life, mut after_line: impl FnMut(&Disk, &BTreeMap<u64, usize>)) -> Disk {
    let mut disk = disk_of(life);
    let (mut told, mut acked, mut seen) = (BTreeMap::new(), BTreeSet::new(), BTreeSet::new());
    for line in life.trace.lines() {
        if let Some(bytes) = disk.play(line) {
            let text = String::from_utf8_lossy(&bytes);
            let (acks, messages) = (numbers_in(&text, ACK), numbers_in(&text, MESSAGE));
            for id in acks.iter().chain(&messages) {
                told.entry(*id).or_insert(disk.lines);
            }
            acked.extend(acks);
            seen.extend(messages);
        }
        after_line(&disk, &told);
    }
    assert_eq!(acked.len(), life.acked.len(), "the trace shows every ack");
    // The last may have been on their way to the others when the server died.
    assert!(seen.len() > acked.len() / 2, "the trace shows messages");
    disk
}

/// Cuts the power right after every tenth message that was told of, at its worst. Returns those that are then not there.
fn lost_at_the_worst(life: &Life) -> (BTreeSet<u64>, Disk) {
    let (mut lost, mut seen) = (BTreeSet::new(), 0);
    let disk = play(life, |disk, told| {
        if told.len() / 10 == seen / 10 {
            return;
        }
        seen = told.len();
        let folder = tempfile::tempdir().expect("a folder");
        disk.write_image(folder.path());
        let there = read_image(folder.path());
        lost.extend(told.keys().filter(|id| !there.contains_key(id)));
    });
    (lost, disk)
}

/// The messages of which someone was told before a flush had ended that covers what was written of them, in the order of
/// strace.
fn told_before_the_flush(life: &Life, sealed: &BTreeMap<u64, String>) -> Vec<u64> {
    let mut told_at = BTreeMap::new();
    let disk = play(life, |_, told| {
        if told.len() > told_at.len() {
            told_at.clone_from(told);
        }
    });
    let early = |(id, line): &(&u64, &usize)| {
        let flushed = sealed
            .get(id)
            .and_then(|text| disk.safe_since.get(&text[..TOKEN]));
        flushed.is_none_or(|flushed| flushed >= *line)
    };
    told_at.iter().filter(early).map(|(id, _)| *id).collect()
}

/// Starts a server on what is left, and holds its history against what was told of at that moment.
fn serves_what_was_told(life: &Life, image: &Path, told: &BTreeMap<u64, usize>) {
    let folder = tempfile::tempdir().expect("a folder");
    let data = folder.path().join("data");
    fs::create_dir(&data).expect("a folder");
    for entry in fs::read_dir(image).expect("the image") {
        let path = entry.expect("a file").path();
        fs::copy(&path, data.join(path.file_name().expect("a name"))).expect("copies");
    }
    for key in ["secret_key", "encryption_key"] {
        fs::copy(life.server.data_dir().join(key), data.join(key)).expect("copies");
    }
    let after = Server::with(Backend::Sqlite).in_folder(folder).start();
    let mut reader = life.users[0].clone();
    reader.addr = after.addr;
    let history = reader.history();
    for (id, content) in life.acked.iter().filter(|(id, _)| told.contains_key(id)) {
        let place = usize::try_from(*id).expect("small") - 1;
        assert_eq!(&history[place]["content"], content.as_str());
    }
    let mut reader = reader.connect();
    reader.say("and life goes on");
}

/// Cuts the power at moments spread over a whole life, between any two calls of the server.
fn cut_the_power(life: &Life, sealed: &BTreeMap<u64, String>, images: usize, seed: usize) -> usize {
    let lines = life.trace.lines().count();
    let mut chance = Chance(u64::try_from(seed).expect("small"));
    let (mut cuts, mut in_doubt) = (0, 0);
    play(life, |disk, told| {
        let due = (disk.lines * (images + 10) / lines).min(images);
        // Mostly while something has been written and not flushed.
        if cuts >= due || !(disk.is_in_doubt() || cuts.is_multiple_of(4)) {
            return;
        }
        cuts += 1;
        in_doubt += usize::from(disk.is_in_doubt());
        let folder = tempfile::tempdir().expect("a folder");
        // Every fourth at its worst.
        if cuts.is_multiple_of(4) {
            disk.write_image(folder.path());
        } else {
            disk.write_torn_image(folder.path(), &mut chance);
        }
        if cuts.is_multiple_of((images / SERVERS).max(1)) {
            serves_what_was_told(life, folder.path(), told);
        }
        let there = read_image(folder.path());
        let lost: Vec<_> = told.keys().filter(|id| !there.contains_key(id)).collect();
        assert!(
            lost.is_empty(),
            "power cut {cuts}: acked and lost: {lost:?}"
        );
        for (place, (id, content)) in there.iter().enumerate() {
            let expected = u64::try_from(place).expect("small") + 1;
            assert_eq!(*id, expected, "power cut {cuts}: a hole");
            assert_eq!(sealed.get(id), Some(content), "power cut {cuts}: changed");
        }
    });
    assert_eq!(cuts, images);
    in_doubt
}

#[test]
fn what_was_acked_survives_a_power_cut_at_any_moment() {
    if !strace_works() {
        return;
    }
    let images = number_from("PARLOUR_TEST_IMAGES", IMAGES);
    let seed = number_from("PARLOUR_TEST_SEED", 1);
    let life = live_and_die(&[], 4 * images);
    let (lost, disk) = lost_at_the_worst(&life);
    let folder = tempfile::tempdir().expect("a folder");
    disk.write_image(folder.path());
    let sealed = read_image(folder.path());
    let early = told_before_the_flush(&life, &sealed);
    // scripts/controls reads these numbers.
    assert!(
        lost.is_empty() && early.is_empty(),
        "{} of {} acked messages lost in power cuts, {} told of before their flush",
        lost.len(),
        life.acked.len(),
        early.len()
    );
    let in_doubt = cut_the_power(&life, &sealed, images, seed);
    assert!(
        in_doubt >= images / 2,
        "only {in_doubt} cuts could take anything"
    );
    println!(
        "{images} power cuts (seed {seed}), {in_doubt} of them with writes in doubt: all opened whole, nothing acked was \
         lost; {} acks, each after one of {} flushes that covers it; {} checkpoints",
        life.acked.len(),
        disk.flushes,
        disk.checkpoints
    );
}

/// The control: strace answers the flushes itself, and the kernel never sees them.
#[test]
fn on_a_disk_that_lies_about_its_flushes_the_loss_is_seen() {
    if !strace_works() {
        return;
    }
    let life = live_and_die(&["-e", "inject=fsync,fdatasync:retval=0"], 240);
    let (lost, disk) = lost_at_the_worst(&life);
    assert_eq!(disk.flushes, 0);
    let there = life.server.database.file();
    let sealed = read_image(there.parent().expect("a folder"));
    let early = told_before_the_flush(&life, &sealed).len();
    assert!(
        lost.len() >= 100 && early == life.acked.len(),
        "the check is blind: only {} were seen to be lost, and {early} to be told of too early",
        lost.len()
    );
}
