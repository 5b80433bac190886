//! `ack`: how long a sender waits for its ack when the server has time, against the disk's fsync.

use std::time::Duration;

use super::{
    Bench, Result, accounts, broadcast,
    broadcast::SENDERS,
    durable::FSYNC,
    floor,
    opening::{self, Greeting},
    progress::step,
    readers::Readers,
    report::{Row, Target, Unit},
    senders::{Framing, Senders},
    subject::{Spent, Subject},
};

const RATE: u32 = 100;

pub fn measure(bench: &mut Bench<'_>) -> Result<()> {
    step(&format!(
        "ack: {SENDERS} senders in one room, {RATE} messages a second together"
    ));
    let folder = bench.folder()?;
    let server = Subject::get(bench.options, &folder, 4)?;
    let users = accounts::make(server.addr, SENDERS)?;
    let readers = Readers::gather(bench.clock, SENDERS)?;
    let greeting = Greeting::Chat(&accounts::tokens(&users));
    let streams = opening::open_all(&readers, server.addr, greeting, SENDERS, SENDERS)?;
    let mut senders = Senders::new(streams, Framing::AckedCommand, bench.clock);
    let cpu = || server.cpu().map(Spent::total);
    let warm_up = (RATE, Duration::from_secs(1));
    broadcast::run(&readers, &mut senders, warm_up, SENDERS, &cpu)?;
    let before = floor::fsync(folder.path(), FSYNC)?.quantile(0.5);
    let full = (RATE, bench.options.time());
    let outcome = broadcast::run(&readers, &mut senders, full, SENDERS, &cpu)?;
    let after = floor::fsync(folder.path(), FSYNC)?.quantile(0.5);
    let fsync = (before + after).as_secs_f64() / 2.0 * 1e3;
    let what = format!("ack at {RATE} msg/s");
    for (name, share, limit) in [
        ("p50", 0.5, 2.5 * fsync + 1.0),
        ("p99", 0.99, 6.0 * fsync + 3.0),
    ] {
        let millis = outcome.tally.ack.quantile(share).as_secs_f64() * 1e3;
        bench.report.row(
            Row::new(format!("{what}: within, {name}"), millis, Unit::Millis)
                .above(fsync, "an fsync of the disk (p50)")
                .aim(Target::AtMost(limit)),
        );
    }
    let accepted = outcome.expected / SENDERS as u64;
    if outcome.tally.ack.count() != accepted {
        bench.report.note(format!(
            "{what}: {} of {accepted} messages were acked.",
            outcome.tally.ack.count()
        ));
    }
    outcome.tell(&what, &mut bench.report);
    bench.report.noise.floor(
        &format!("an fsync, beside {what}"),
        before.as_secs_f64(),
        after.as_secs_f64(),
    );
    Ok(())
}
