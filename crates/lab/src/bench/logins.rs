//! `logins`: 200 logins a second, at the real cost of a password hash, while a room is busy. Passwords are slow on
//! purpose; deliveries must not notice.

use std::{
    net::SocketAddr,
    sync::atomic::{AtomicBool, AtomicU64, Ordering},
    time::{Duration, Instant},
};

use serde_json::json;

use super::{
    Bench, Result, accounts,
    accounts::Account,
    broadcast::{self, SENDERS},
    opening::{self, Greeting},
    progress::step,
    readers::Readers,
    report::{Row, Target, Unit},
    rest::Rest,
    senders::{Framing, Senders},
    subject::{Spent, Subject},
};

const LOGINS_PER_SECOND: u32 = 200;
/// Enough that the rate is kept while the server lets a login wait for a second.
const CLIENTS: usize = 256;
/// Registering is slow at this cost: few users, with as many sockets each as are allowed.
const BCRYPT_COST: u32 = 12;
const SOCKETS_PER_USER: usize = 20;
const RATE: u32 = 100;
/// What the target is for.
const SECONDS: u32 = 60;

#[derive(Default)]
struct Answers {
    next: AtomicU64,
    over: AtomicBool,
    let_in: AtomicU64,
    told_to_wait: AtomicU64,
    failed: AtomicU64,
}

pub fn measure(bench: &mut Bench<'_>) -> Result<()> {
    let sockets = bench.options.sockets_or(1_000);
    step(&format!(
        "logins: {LOGINS_PER_SECOND} a second (bcrypt cost {BCRYPT_COST}) while {sockets} sockets read {RATE} messages a second"
    ));
    let time = bench.options.time_or(SECONDS);
    let folder = bench.folder()?;
    let server = Subject::get(bench.options, &folder, BCRYPT_COST)?;
    let users = accounts::make(server.addr, sockets.div_ceil(SOCKETS_PER_USER).max(SENDERS))?;
    let readers = Readers::gather(bench.clock, SENDERS)?;
    let greeting = Greeting::Chat(&accounts::tokens(&users));
    let streams = opening::open_all(&readers, server.addr, greeting, sockets, SENDERS)?;
    let mut senders = Senders::new(streams, Framing::Command, bench.clock);
    let cpu = || server.cpu().map(Spent::total);
    let mut run = |time| broadcast::run(&readers, &mut senders, (RATE, time), sockets, &cpu);
    run(Duration::from_secs(2))?;
    let calm = run(time)?;
    let answers = Answers::default();
    let begun = Instant::now();
    let stormy = std::thread::scope(|scope| {
        for _ in 0..CLIENTS {
            scope.spawn(|| log_in_at_rate(&answers, server.addr, &users, begun));
        }
        let stormy = run(time);
        answers.over.store(true, Ordering::Relaxed);
        stormy
    })?;
    let what = format!("logins, {LOGINS_PER_SECOND} a second");
    let report = &mut bench.report;
    report.row(
        Row::new(
            format!("{what}: delivered within, p99"),
            stormy.millis(0.99),
            Unit::Millis,
        )
        .above(calm.millis(0.99), "the same without logins")
        .aim(Target::AtMost(1.5 * calm.millis(0.99))),
    );
    report.row(stormy.arrived(&what));
    let count = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
    report.note(format!(
        "{what}: {} were let in, {} told to wait (429 or 503), {} failed otherwise.",
        count(&answers.let_in),
        count(&answers.told_to_wait),
        count(&answers.failed)
    ));
    calm.tell(&format!("{what}, before"), report);
    stormy.tell(&what, report);
    Ok(())
}

fn log_in_at_rate(answers: &Answers, addr: SocketAddr, users: &[Account], begun: Instant) {
    // A client keeps its connection: the handshakes of TCP are not what is asked here.
    let mut rest = Rest::new(addr);
    while !answers.over.load(Ordering::Relaxed) {
        let at = answers.next.fetch_add(1, Ordering::Relaxed);
        let due = begun + Duration::from_secs_f64(at as f64 / f64::from(LOGINS_PER_SECOND));
        std::thread::sleep(due.saturating_duration_since(Instant::now()));
        let Some(user) = users.get(at as usize % users.len().max(1)) else {
            return;
        };
        let body = json!({"username": user.username, "password": accounts::PASSWORD});
        let counter = match rest
            .post("/api/auth/login", &body)
            .map(|answer| answer.status)
        {
            Ok(200) => &answers.let_in,
            Ok(429 | 503) => &answers.told_to_wait,
            _ => &answers.failed,
        };
        counter.fetch_add(1, Ordering::Relaxed);
    }
}
