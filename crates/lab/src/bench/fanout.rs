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

/// The smaller room that is measured beside uWebSockets: there, what a message costs at all is shared by few.
const FEW: (usize, &[u32]) = (100, &[100]);

/// What was measured beside the server, before and after it.
struct Beside {
    floors: [Outcome; 2],
    uws: Option<[Outcome; 2]>,
}

pub fn measure(bench: &mut Bench<'_>) -> Result<()> {
    let options = bench.options;
    one_room(bench, options.sockets_or(1_000), &options.rate)?;
    if options.uws.is_some() && options.sockets.is_none() && options.url.is_none() {
        one_room(bench, FEW.0, FEW.1)?;
    }
    Ok(())
}

fn one_room(bench: &mut Bench<'_>, sockets: usize, rates: &[u32]) -> Result<()> {
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
    for &rate in rates {
        let warm_up = (rate, Duration::from_secs(2));
        let bytes = broadcast::run(&readers, &mut senders, warm_up, sockets, &cpu)?.bytes();
        let half = (rate, bench.options.time() / 2);
        let floor = || broadcast::floor(bench.clock, sockets, bytes, half);
        let uws = || {
            let program = bench.options.uws.as_deref();
            program
                .map(|program| broadcast::uws(program, bench.clock, sockets, bytes, half))
                .transpose()
        };
        let before = (floor()?, uws()?);
        let full = (rate, bench.options.time());
        let outcome = broadcast::run(&readers, &mut senders, full, sockets, &cpu)?;
        let after = (uws()?, floor()?);
        let beside = Beside {
            floors: [before.0, after.1],
            uws: before.1.zip(after.0).map(Into::into),
        };
        tell(bench, sockets, rate, &outcome, &beside);
    }
    Ok(())
}

fn tell(
    bench: &mut Bench<'_>,
    sockets: usize,
    rate: u32,
    outcome: &Outcome,
    Beside { floors, uws }: &Beside,
) {
    let what = format!("fanout, {sockets} sockets, {rate} msg/s");
    let report = &mut bench.report;
    report.row(outcome.arrived(&what));
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
    if let Some(uws) = uws {
        tell_uws(bench, (sockets, rate), &what, outcome, uws);
    }
}

/// The same numbers beside those of uWebSockets.
fn tell_uws(
    bench: &mut Bench<'_>,
    load: (usize, u32),
    what: &str,
    outcome: &Outcome,
    uws: &[Outcome; 2],
) {
    let report = &mut bench.report;
    let beside = "uWebSockets, in memory, nothing kept";
    let [one, other] = uws.each_ref().map(Outcome::micros_per_delivery);
    let theirs = f64::midpoint(one, other);
    let row = Row::new(
        format!("{what}: CPU per delivery, beside uWebSockets"),
        outcome.micros_per_delivery(),
        Unit::Micros,
    )
    .above(theirs, beside);
    report.row(match load {
        (1_000, 100) => row.aim(Target::AtMost(1.25 * theirs)),
        (1_000, 400) => row.aim(Target::AtMost(theirs)),
        (100, 100) => row.aim(Target::AtMost(1.6 * theirs)),
        _ => row,
    });
    for (name, share) in [("p50", 0.5), ("p99", 0.99)] {
        let [one, other] = uws.each_ref().map(|uws| uws.millis(share));
        let row = Row::new(
            format!("{what}: delivered within, {name}, beside uWebSockets"),
            outcome.millis(share),
            Unit::Millis,
        );
        report.row(row.above(f64::midpoint(one, other), beside));
    }
    for uws in uws {
        uws.tell(&format!("uWebSockets beside {what}"), report);
    }
    report
        .noise
        .floor(&format!("uWebSockets beside {what}"), one, other);
}
