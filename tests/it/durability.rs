//! Acked is stored: after `kill -9` at any moment, again and again, every acked message is in history exactly once,
//! byte for byte, and the numbers run on without a hole. And the control: with the guard taken out, the same check
//! sees what it is there to see.

use std::{
    collections::HashMap,
    sync::{
        Mutex,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    thread,
    time::{Duration, Instant},
};

use serde_json::{Value, json};

use crate::support::{Backend, Incoming, Server, Socket, User, eventually, eventually_within};

on_both![
    nothing_acked_is_lost_or_doubled_by_kill_9,
    without_the_unique_index_the_check_sees_doubles,
];

const WRITERS: usize = 24;

/// What a writer was told about one of its messages.
#[derive(Debug, Clone)]
struct Acked {
    client_id: String,
    content: String,
    id: u64,
}

/// What all writers share.
#[derive(Default)]
struct Record {
    stop: AtomicBool,
    acks: AtomicU64,
    acked: Mutex<Vec<Acked>>,
    /// Sends whose outcome was not known, and that were sent again.
    retried: AtomicU64,
}

struct Writer<'a> {
    user: &'a User,
    number: usize,
    record: &'a Record,
    socket: Option<Socket>,
    luck: u64,
}

impl Writer<'_> {
    fn run(mut self) {
        let mut count = 0;
        while !self.record.stop.load(Ordering::Relaxed) {
            count += 1;
            let client_id = format!("w{}-{count}", self.number);
            // Unlike any other, of many lengths, and with bytes that a careless hand would change.
            let content = format!("{client_id} \u{1f310}\"\\\n{}", "é".repeat(count % 90));
            let id = self.send_until_acked(&client_id, &content);
            let acked = Acked {
                client_id,
                content,
                id,
            };
            self.record
                .acked
                .lock()
                .expect("no writer panicked")
                .push(acked);
            self.record.acks.fetch_add(1, Ordering::Relaxed);
        }
    }

    /// Sends the same message under the same name until the server says that it is stored.
    fn send_until_acked(&mut self, client_id: &str, content: &str) -> u64 {
        let limit = Duration::from_mins(2);
        eventually_within(limit, &format!("{client_id} is acked"), || {
            let outcome = if self.number.is_multiple_of(2) {
                self.by_socket(client_id, content)
            } else {
                self.by_http(client_id, content)
            };
            if outcome.is_none() {
                self.record.retried.fetch_add(1, Ordering::Relaxed);
            }
            outcome
        })
    }

    fn unlucky(&mut self) -> bool {
        self.luck = self
            .luck
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1);
        (self.luck >> 33).is_multiple_of(20)
    }

    fn by_http(&mut self, client_id: &str, content: &str) -> Option<u64> {
        let body = json!({"content": content, "client_id": client_id}).to_string();
        let path = "/api/rooms/general/messages";
        let http = self.user.http();
        if self.unlucky() {
            // Our own line is cut at about the time the message is stored.
            let _ = http.request_within(Duration::from_millis(3), "POST", path, body.as_bytes());
            return None;
        }
        let answer = http.try_request("POST", path, &[], body.as_bytes()).ok()?;
        match answer.status {
            200 | 201 => answer.json()["id"].as_u64(),
            503 => None,
            _ => panic!("{client_id}: {} {}", answer.status, answer.text()),
        }
    }

    fn by_socket(&mut self, client_id: &str, content: &str) -> Option<u64> {
        let mut socket = match self.socket.take() {
            Some(socket) => socket,
            None => match self.user.try_connect() {
                Ok(socket) => socket,
                Err(0 | 503) => return None,
                Err(status) => panic!("{client_id}: the socket is refused with {status}"),
            },
        };
        let frame = json!({"type": "message", "content": content, "client_id": client_id, "ref": client_id});
        if !socket.try_send(&frame) || self.unlucky() {
            return None;
        }
        let end = Instant::now() + Duration::from_secs(20);
        loop {
            match socket.next(end.saturating_duration_since(Instant::now())) {
                Incoming::Frame(frame) if frame["ref"] == client_id => {
                    assert!(
                        frame["type"] == "ack" || frame["type"] == "error",
                        "{frame}"
                    );
                    self.socket = Some(socket);
                    return frame["id"].as_u64();
                }
                Incoming::Frame(_) => {}
                Incoming::Closed(_) | Incoming::Silence => return None,
            }
        }
    }
}

/// Writes while the server is killed `kills` times, then returns what was acked.
fn write_through_kills(server: &mut Server, users: &[User], kills: u64) -> (Vec<Acked>, u64) {
    let record = Record::default();
    thread::scope(|scope| {
        for (number, user) in users.iter().enumerate() {
            let record = &record;
            scope.spawn(move || {
                let luck = 0x9e37_79b9 + number as u64;
                Writer {
                    user,
                    number,
                    record,
                    socket: None,
                    luck,
                }
                .run();
            });
        }
        for round in 0..=kills {
            // Each life gets as far as to store something; then it ends at a moment of no meaning.
            let wanted = record.acks.load(Ordering::Relaxed) + 48;
            eventually("the writers are acked", || {
                (record.acks.load(Ordering::Relaxed) >= wanted).then_some(())
            });
            if round < kills {
                // The attack's own pace: a kill at another moment of the work each time, and not after any event.
                thread::sleep(Duration::from_micros(round * 7_919 % 30_000));
                server.restart();
            }
        }
        record.stop.store(true, Ordering::Relaxed);
    });
    let retried = record.retried.load(Ordering::Relaxed);
    (
        record.acked.into_inner().expect("no writer panicked"),
        retried,
    )
}

/// What is wrong with a history, in sentences; empty when all is kept.
fn check(history: &[Value], acked: &[Acked]) -> Vec<String> {
    let mut wrong = Vec::new();
    for (n, message) in history.iter().enumerate() {
        let wanted = n as u64 + 1;
        if message["seq"] != wanted || message["id"] != wanted {
            wrong.push(format!("a hole: {message} at place {wanted}"));
        }
    }
    let mut stored: HashMap<&str, Vec<u64>> = HashMap::new();
    for message in history {
        let content = message["content"].as_str().unwrap_or_default();
        let id = message["id"].as_u64().unwrap_or_default();
        stored.entry(content).or_default().push(id);
    }
    for Acked {
        client_id,
        content,
        id,
    } in acked
    {
        match stored.remove(content.as_str()).as_deref() {
            None => wrong.push(format!("lost: {client_id} was acked as {id}")),
            Some([one]) if one == id => {}
            Some([one]) => wrong.push(format!("{client_id} was acked as {id} but is {one}")),
            Some(many) => wrong.push(format!("doubled: {client_id} is there as {many:?}")),
        }
    }
    wrong.extend(
        stored
            .keys()
            .map(|content| format!("nobody was acked for {content}")),
    );
    wrong
}

fn kills() -> u64 {
    std::env::var("PARLOUR_TEST_KILLS").map_or(10, |text| {
        text.parse().expect("PARLOUR_TEST_KILLS is a number")
    })
}

fn nothing_acked_is_lost_or_doubled_by_kill_9(backend: Backend) {
    let mut server = Server::start(backend);
    let users = User::register_all(&server, "writer", WRITERS);
    let (acked, retried) = write_through_kills(&mut server, &users, kills());
    let history = users[0].history();
    let wrong = check(&history, &acked);
    assert!(
        wrong.is_empty(),
        "{} things are wrong: {:#?}",
        wrong.len(),
        &wrong[..wrong.len().min(10)]
    );
    println!(
        "{} kills, {} acked, {retried} sent again; all there, once",
        kills(),
        acked.len()
    );
    assert!(
        retried > 0,
        "no send was ever cut off: the test has tested nothing"
    );
}

/// The control: the check must be able to see a double.
fn without_the_unique_index_the_check_sees_doubles(backend: Backend) {
    let mut server = Server::start(backend);
    let users = User::register_all(&server, "writer", WRITERS);
    server.database.execute("DROP INDEX messages_by_client_id");
    let (acked, _) = write_through_kills(&mut server, &users, 3);
    let wrong = check(&users[0].history(), &acked);
    let doubles = wrong
        .iter()
        .filter(|what| what.starts_with("doubled"))
        .count();
    assert!(
        doubles > 0,
        "with the guard taken out, nothing was seen: {wrong:?}"
    );
    let lost = wrong.iter().filter(|what| what.starts_with("lost")).count();
    assert_eq!(lost, 0, "{wrong:?}");
}
