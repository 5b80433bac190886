//! `fanout`: many sockets in one room. What does a delivery cost, how long does it take, does every one arrive?

use std::time::Duration;

use super::{
    Bench, Result, accounts,
    broadcast::{self, Outcome, SENDERS},
    opening::{self, Greeting},
    progress::step,
    readers::Readers,
    report::{Row, Target, Unit},
    senders::{Framing, Senders},
    subject::Subject,
};

/// A user may have 20 sockets; here each has at most a few.
const MOST_USERS: usize = 500;

pub fn measure(bench: &mut Bench<'_>) -> Result<()> {
    let sockets = bench.options.sockets_or(1_000);
    step(&format!(
        "fanout: {sockets} sockets in one room, {SENDERS} senders"
    ));
    let folder = bench.folder()?;
    let server = Subject::get(bench.options, &folder, 4)?;
    let users = accounts::make(server.addr, sockets.min(MOST_USERS))?;
    let readers = Readers::gather(bench.clock, SENDERS)?;
    let greeting = Greeting::Chat(&accounts::tokens(&users));
    let streams = opening::open_all(&readers, server.addr, greeting, sockets, SENDERS)?;
    let mut senders = Senders::new(streams, Framing::Command, bench.clock);
    let cpu = || server.cpu().map(super::subject::Spent::total);
    for &rate in &bench.options.rate {
        let warm_up = (rate, Duration::from_secs(2));
        let warmed = broadcast::run(&readers, &mut senders, warm_up, sockets, &cpu)?;
        let floor = |time| broadcast::floor(bench.clock, sockets, warmed.bytes(), (rate, time));
        let before = floor(bench.options.time() / 2)?;
        let full = (rate, bench.options.time());
        let outcome = broadcast::run(&readers, &mut senders, full, sockets, &cpu)?;
        let after = floor(bench.options.time() / 2)?;
        tell(bench, sockets, rate, &outcome, &[before, after]);
    }
    Ok(())
}

fn tell(
    bench: &mut Bench<'_>,
    sockets: usize,
    rate: u32,
    outcome: &Outcome,
    floors: &[Outcome; 2],
) {
    let what = format!("fanout, {sockets} sockets, {rate} msg/s");
    let report = &mut bench.report;
    let arrived = outcome.tally.deliveries as f64 / outcome.expected.max(1) as f64 * 100.0;
    report.row(
        Row::new(
            format!("{what}: deliveries arrived"),
            arrived,
            Unit::Percent,
        )
        .aim(Target::AtLeast(100.0)),
    );
    let [one, other] = floors.each_ref().map(Outcome::micros_per_delivery);
    let floor = f64::midpoint(one, other);
    let row = Row::new(
        format!("{what}: CPU per delivery"),
        outcome.micros_per_delivery(),
        Unit::Micros,
    )
    .above(floor, "epoll and one write per delivery");
    // The targets were set for these two runs; elsewhere the ratio alone speaks.
    report.row(match (sockets, rate) {
        (1_000, 100) => row.aim(Target::AtMost(1.5 * floor)),
        (1_000, 400) => row.aim(Target::AtMost(0.5 * floor)),
        _ => row,
    });
    for (name, share) in [("p50", 0.5), ("p90", 0.9), ("p99", 0.99)] {
        let [one, other] = floors.each_ref().map(|floor| floor.millis(share));
        report.row(
            Row::new(
                format!("{what}: delivered within, {name}"),
                outcome.millis(share),
                Unit::Millis,
            )
            .above(
                f64::midpoint(one, other),
                "epoll and one write per delivery",
            ),
        );
    }
    outcome.tell(&what, report);
    for floor in floors {
        floor.tell(&format!("the floor of {what}"), report);
    }
    report.noise.floor(&what, one, other);
}
