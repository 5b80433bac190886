//! Whoever was away is brought up to date: nothing missing, nothing twice, also while others go on writing.

mod many_rooms;

use std::{
    collections::BTreeMap,
    sync::atomic::{AtomicBool, Ordering},
    thread,
    time::Duration,
};

use serde_json::{Value, json};

use crate::support::{Backend, Incoming, Server, Socket, TIMEOUT, User, unique};

on_both![
    away_while_others_wrote,
    no_hole_and_nothing_twice_at_the_seam,
    a_cursor_of_another_history_is_not_believed,
    more_than_one_answer_holds_is_read_page_by_page,
    a_reader_who_lagged_is_made_whole,
    a_change_of_an_older_message_is_told_as_one,
];

fn seq_of(message: &Value) -> u64 {
    let seq = message["seq"].as_u64().expect("a seq");
    assert_eq!(
        message["content"],
        format!("m{seq}"),
        "the numbers follow the order of sending"
    );
    seq
}

fn sync_from(socket: &mut Socket, cursor: u64) -> String {
    let reference = unique();
    let epoch = socket.connected["epoch"].clone();
    socket.send_json(
        &json!({"type": "sync", "rooms": {"general": cursor}, "epoch": epoch, "ref": reference}),
    );
    reference
}

/// The messages up to the answer of a sync, and the answer.
fn read_sync(socket: &mut Socket, reference: &str) -> (Vec<Value>, Value) {
    let mut messages = Vec::new();
    loop {
        let frame = socket.next_frame();
        match frame["type"].as_str() {
            Some("message") => messages.push(frame),
            Some("synced") if frame["ref"] == reference => {
                return (messages, frame["rooms"]["general"].clone());
            }
            Some("error") => panic!("{frame}"),
            _ => {}
        }
    }
}

fn say_many(socket: &mut Socket, from: u64, to: u64) {
    for n in from..=to {
        socket.say(&format!("m{n}"));
    }
}

fn away_while_others_wrote(backend: Backend) {
    let mut server = Server::start(backend);
    let (alice, bob) = (
        User::register(&server, "alice"),
        User::register(&server, "bob"),
    );
    let mut his = bob.connect();
    let hers = alice.connect();
    say_many(&mut his, 1, 10);
    hers.close();
    say_many(&mut his, 11, 60);
    for (cursor, restarted) in [(10, false), (0, false), (60, false), (37, true)] {
        if restarted {
            // The history is the same after a restart, and so is its name.
            server.restart();
        }
        let mut back = alice.connect();
        let reference = sync_from(&mut back, cursor);
        let (messages, synced) = read_sync(&mut back, &reference);
        let seen: Vec<u64> = messages.iter().map(seq_of).collect();
        assert_eq!(seen, (cursor + 1..=60).collect::<Vec<_>>(), "from {cursor}");
        assert_eq!(synced, json!({"seq": 60, "complete": true}));
        for message in &messages {
            assert_eq!(
                (&message["username"], &message["room"]),
                (&json!("bob"), &json!("general"))
            );
        }
        back.close();
    }
    let mut back = alice.connect();
    let reference = sync_from(&mut back, 60);
    read_sync(&mut back, &reference);
    bob.connect().say("m61");
    assert_eq!(seq_of(&back.expect_type("message")), 61, "then live");
}

/// What one reader keeps over all its connections.
struct Reader {
    cursor: u64,
    connections: u32,
}

impl Reader {
    /// One connection: from where it was, for `count` frames or until nothing has come for a while.
    fn connect_once(&mut self, user: &User, count: usize, patience: Duration) {
        let mut socket = user.connect();
        self.connections += 1;
        let live_from = socket.room_seq("general");
        let mut reference = sync_from(&mut socket, self.cursor);
        let mut early = BTreeMap::<u64, u32>::new();
        let mut is_synced = false;
        for _ in 0..count {
            let frame = match socket.next(patience) {
                Incoming::Frame(frame) => frame,
                Incoming::Silence => break,
                Incoming::Closed(closed) => panic!("{closed:?}"),
            };
            match frame["type"].as_str() {
                Some("message") if is_synced => {
                    assert_eq!(
                        seq_of(&frame),
                        self.cursor + 1,
                        "a hole or a double after `synced`"
                    );
                    self.cursor += 1;
                }
                Some("message") => {
                    let times = early.entry(seq_of(&frame)).or_default();
                    *times += 1;
                    // What came live before the server had read the `sync` is part of its answer, too.
                    assert!(
                        *times == 1 || seq_of(&frame) > live_from,
                        "{frame} came twice"
                    );
                }
                Some("synced") if frame["ref"] == reference => {
                    let answer = &frame["rooms"]["general"];
                    let seq = answer["seq"].as_u64().expect("a seq");
                    let later = early.split_off(&(seq + 1));
                    let seen: Vec<u64> = early
                        .keys()
                        .copied()
                        .filter(|seen| *seen > self.cursor)
                        .collect();
                    let wanted: Vec<u64> = (self.cursor + 1..=seq).collect();
                    assert_eq!(seen, wanted, "a hole before {frame}");
                    self.cursor = seq;
                    early = later;
                    is_synced = answer["complete"] == true;
                    if is_synced {
                        assert!(early.is_empty(), "{early:?} came before {frame}");
                    } else {
                        reference = sync_from(&mut socket, self.cursor);
                    }
                }
                Some("lag" | "error") => panic!("{frame}"),
                _ => {}
            }
        }
        // Cut in the midst of it: only what has come without a hole counts. No farewell: the line is just gone.
        while early.contains_key(&(self.cursor + 1)) {
            self.cursor += 1;
        }
    }
}

fn no_hole_and_nothing_twice_at_the_seam(backend: Backend) {
    let server = Server::with(backend).env("WORKERS", 2).start();
    let users = User::register_all(&server, "reader", 4);
    let writer = User::register(&server, "writer");
    let done = AtomicBool::new(false);
    let total = 700;
    let readers: Vec<Reader> = thread::scope(|scope| {
        let tasks: Vec<_> = users
            .iter()
            .enumerate()
            .map(|(n, user)| {
                let done = &done;
                scope.spawn(move || {
                    let mut reader = Reader {
                        cursor: 0,
                        connections: 0,
                    };
                    let mut luck = 7 * (n + 1);
                    while !done.load(Ordering::Relaxed) {
                        luck = (luck * 1_103_515_245 + 12_345) % (1 << 31);
                        reader.connect_once(user, 1 + luck % 60, Duration::from_secs(1));
                    }
                    while reader.cursor < total {
                        let before = reader.cursor;
                        reader.connect_once(user, 10_000, Duration::from_secs(2));
                        assert!(reader.cursor > before, "stuck at {before}");
                    }
                    reader
                })
            })
            .collect();
        let mut socket = writer.connect();
        let mut sent = 0;
        while sent < total {
            // A burst without waiting, then the acks: also many in one commit.
            for n in sent + 1..=sent + 10 {
                socket
                    .send_json(&json!({"type": "message", "content": format!("m{n}"), "ref": "r"}));
            }
            for _ in 0..10 {
                socket.expect_type("ack");
            }
            sent += 10;
        }
        done.store(true, Ordering::Relaxed);
        tasks
            .into_iter()
            .map(|task| task.join().expect("the reader is content"))
            .collect()
    });
    for reader in readers {
        assert_eq!(reader.cursor, total);
        assert!(
            reader.connections > 5,
            "only {} connections",
            reader.connections
        );
    }
}

fn a_cursor_of_another_history_is_not_believed(backend: Backend) {
    let server = Server::start(backend);
    let alice = User::register(&server, "alice");
    let mut socket = alice.connect();
    say_many(&mut socket, 1, 5);
    socket.send_json(
        &json!({"type": "sync", "rooms": {"general": 3}, "epoch": "another", "ref": "r"}),
    );
    let error = socket.expect_type("error");
    assert_eq!(
        (&error["ref"], &error["code"]),
        (&json!("r"), &json!("epoch_changed")),
        "{error}"
    );
    // A cursor from the future is none of this history either, whatever epoch was told.
    let mut fresh = alice.connect();
    let reference = sync_from(&mut fresh, 1_000_000);
    let answer = fresh.expect(|frame| frame["ref"] == reference);
    let alone = answer["type"] == "error" || answer["rooms"]["general"]["seq"] == 5;
    assert!(alone, "{answer}");
    for beyond in [1 << 53, (1 << 63) - 1, 1 << 63, u64::MAX] {
        let reference = sync_from(&mut fresh, beyond);
        let answer = fresh.expect(|frame| frame["ref"] == reference);
        assert_eq!(answer["code"], "cursor_ahead", "{beyond}: {answer}");
    }
    // The epoch is the same for all, and outlives the process.
    let epoch = fresh.connected["epoch"].clone();
    assert!(
        epoch.as_str().is_some_and(|text| text.len() >= 8),
        "{epoch}"
    );
    let mut server = server;
    server.restart();
    assert_eq!(alice.connect().connected["epoch"], epoch);
}

fn more_than_one_answer_holds_is_read_page_by_page(backend: Backend) {
    let server = Server::start(backend);
    let (alice, bob) = (
        User::register(&server, "alice"),
        User::register(&server, "bob"),
    );
    let mut his = bob.connect();
    let total = 2_500;
    for from in (1..=total).step_by(25) {
        for n in from..from + 25 {
            his.send_json(&json!({"type": "message", "content": format!("m{n}"), "ref": "r"}));
        }
        for _ in 0..25 {
            his.expect_type("ack");
        }
    }
    let mut hers = alice.connect();
    let reference = sync_from(&mut hers, 0);
    let (messages, synced) = read_sync(&mut hers, &reference);
    assert_eq!(synced["complete"], false, "{synced}");
    assert!((messages.len() as u64) < total);
    let mut seen: Vec<u64> = messages.iter().map(seq_of).collect();
    // What is missing is read by `since`; what follows `synced` is live.
    let upto = synced["seq"].as_u64().expect("a seq");
    his.say(&format!("m{}", total + 1));
    assert_eq!(seq_of(&hers.expect_type("message")), total + 1);
    let mut cursor = 0;
    while cursor < upto.max(total) {
        let page = alice.page(&format!("?since={cursor}&limit=200"));
        cursor = seq_of(page.last().expect("more"));
        seen.extend(page.iter().map(seq_of).filter(|seq| *seq <= total));
    }
    seen.sort_unstable();
    seen.dedup();
    assert_eq!(seen, (1..=total).collect::<Vec<_>>());
}

fn a_reader_who_lagged_is_made_whole(backend: Backend) {
    let server = Server::with(backend)
        .env("QUEUE_FRAMES", 8)
        .env("SLOW_READER_SECONDS", 60)
        .start();
    let (alice, bob) = (
        User::register(&server, "alice"),
        User::register(&server, "bob"),
    );
    let mut hers = alice.connect();
    let mut his = bob.connect();
    let padding = "x".repeat(15_000);
    // Fill the kernel's buffers until the server has to leave something out.
    let total = 600;
    for n in 1..=total {
        his.say(&format!("m{n} {padding}"));
    }
    let mut last = 0;
    let lag = loop {
        match hers.next(TIMEOUT) {
            Incoming::Frame(frame) if frame["type"] == "message" => {
                let seq = frame["seq"].as_u64().expect("a seq");
                assert_eq!(seq, last + 1, "a hole without a word");
                last = seq;
            }
            Incoming::Frame(frame) if frame["type"] == "lag" => break frame,
            Incoming::Frame(_) => {}
            other => panic!("{other:?} after {last} of {total}"),
        }
    };
    assert_eq!(lag["room"], "general");
    let missed = lag["seq"].as_u64().expect("a seq");
    assert!(missed > last && missed <= total, "{lag} after {last}");
    // Other frames go on, and what follows the lag is above it.
    hers.drain();
    let mut whole: Vec<u64> = (1..=last).collect();
    let mut cursor = last;
    loop {
        let reference = sync_from(&mut hers, cursor);
        let (messages, synced) = read_sync(&mut hers, &reference);
        for message in &messages {
            let seq = message["seq"].as_u64().expect("a seq");
            assert_eq!(message["content"], format!("m{seq} {padding}"));
            whole.push(seq);
        }
        if synced["complete"] == true {
            break;
        }
        let before = cursor;
        while cursor < total {
            let page = alice.page(&format!("?since={cursor}&limit=50"));
            whole.extend(page.iter().filter_map(|message| message["seq"].as_u64()));
            cursor = *whole.last().expect("one");
        }
        assert!(cursor > before);
    }
    whole.sort_unstable();
    whole.dedup();
    assert_eq!(whole, (1..=total).collect::<Vec<_>>());
    his.say("the end");
    hers.expect_message("the end");
}

fn a_change_of_an_older_message_is_told_as_one(backend: Backend) {
    let server = Server::start(backend);
    let (alice, bob) = (
        User::register(&server, "alice"),
        User::register(&server, "bob"),
    );
    bob.post("one", None).expect(201);
    bob.post("two", None).expect(201);
    // As it lies in the database after a reaction.
    server.database.execute(&format!(
        "INSERT INTO reactions (room_id, message_id, emoji, user_id, seq, created_at) VALUES (1, 1, 'x', {}, 3, '2026-11-22 00:00:00')",
        alice.id
    ));
    server
        .database
        .execute("UPDATE messages SET seq = 3 WHERE id = 1");
    server.database.execute("UPDATE rooms SET last_seq = 3");
    let reacted = json!([
        {"emoji": "x", "count": 1, "users": [{"user_id": alice.id, "username": "alice"}]},
    ]);
    let mut socket = alice.connect();
    for (since, expected) in [
        (0, [("message", 2), ("message", 1)].as_slice()),
        (1, &[("message", 2), ("message_changed", 1)]),
        (2, &[("message_changed", 1)]),
    ] {
        let reference = sync_from(&mut socket, since);
        for (kind, id) in expected {
            let frame = socket.next_frame();
            assert_eq!((&frame["type"], &frame["id"]), (&json!(kind), &json!(id)));
            if *id == 1 {
                assert_eq!((&frame["seq"], &frame["reactions"]), (&json!(3), &reacted));
            }
        }
        let synced = socket.expect(|frame| frame["ref"] == *reference);
        assert_eq!(
            synced["rooms"]["general"],
            json!({"seq": 3, "complete": true})
        );
    }
    let mut page = bob.page("");
    // A page is for its reader alone, so it says what is one's own.
    let mine = page[0]["reactions"][0].as_object_mut().expect("a reaction");
    assert_eq!(mine.remove("mine"), Some(json!(false)));
    assert_eq!(page[0]["reactions"], reacted);
    assert!(page[1].get("reactions").is_none(), "{page:?}");
}
