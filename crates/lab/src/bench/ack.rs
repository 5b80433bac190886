//! `ack`: how long a sender waits for its ack when the server has time, against the disk's fsync.

use std::time::Duration;

use super::{
    Bench, Result, accounts, broadcast,
    broadcast::SENDERS,
    crowd::Crowd,
    durable::FSYNC,
    floor,
    mouths::{Dress, Mouths},
    progress::step,
    report::{Row, Target, Unit},
    seats::{self, Door},
    server::{Place, Server, Spent},
};

const RATE: u32 = 100;

pub fn measure(bench: &mut Bench<'_>) -> Result<()> {
    step(&format!(
        "ack: {SENDERS} senders in one room, {RATE} messages a second together"
    ));
    let place = Place::make(bench.options)?;
    let server = Server::get(bench.options, &place, 4)?;
    let users = accounts::make(server.addr, SENDERS)?;
    let crowd = Crowd::gather(bench.clock, SENDERS)?;
    let door = Door::Chat(&accounts::tokens(&users));
    let streams = seats::fill(&crowd, server.addr, door, SENDERS, SENDERS)?;
    let mut mouths = Mouths::new(streams, Dress::AckedCommand, bench.clock);
    let cpu = || server.cpu().map(Spent::total);
    let warm_up = (RATE, Duration::from_secs(1));
    broadcast::run(&crowd, &mut mouths, warm_up, SENDERS, &cpu)?;
    let before = floor::fsync(place.path(), FSYNC)?.quantile(0.5);
    let full = (RATE, bench.options.time());
    let outcome = broadcast::run(&crowd, &mut mouths, full, SENDERS, &cpu)?;
    let after = floor::fsync(place.path(), FSYNC)?.quantile(0.5);
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
