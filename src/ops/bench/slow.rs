//! `slow`: a tenth of the readers stop reading; the others must not notice.

use std::time::Duration;

use super::{
    Bench, Result, accounts,
    broadcast::{self, SENDERS},
    crowd::Crowd,
    mouths::{Dress, Mouths},
    progress::step,
    report::{Row, Target, Unit},
    seats::{self, Door},
    server::{Place, Server, Spent},
};

const RATE: u32 = 100;
/// What the target is for.
const SECONDS: u32 = 60;
/// Long enough that the kernel's own buffers, some megabytes for each socket, are full within seconds: only then does a
/// server notice that somebody does not read.
const CONTENT: usize = 4_096;
const FILL: Duration = Duration::from_secs(10);
const MOST_USERS: usize = 500;

pub fn measure(bench: &mut Bench<'_>) -> Result<()> {
    let sockets = bench.options.sockets_or(1_000);
    let stopped = (sockets / 10).min(sockets.saturating_sub(SENDERS));
    let reading = sockets - stopped;
    step(&format!(
        "slow: {sockets} sockets at {RATE} messages of {CONTENT} bytes a second, {stopped} of which stop reading"
    ));
    let time = bench.options.time_or(SECONDS);
    let place = Place::make(bench.options)?;
    let server = Server::get(bench.options, &place, 4)?;
    let users = accounts::make(server.addr, sockets.min(MOST_USERS))?;
    let crowd = Crowd::gather(bench.clock, SENDERS)?;
    let door = Door::Chat(&accounts::tokens(&users));
    let streams = seats::fill(&crowd, server.addr, door, sockets, SENDERS)?;
    let mut mouths = Mouths::new(streams, Dress::Command, bench.clock).with_contents_of(CONTENT);
    let cpu = || server.cpu().map(Spent::total);
    let mut run = |time, readers| broadcast::run(&crowd, &mut mouths, (RATE, time), readers, &cpu);
    run(Duration::from_secs(2), sockets)?;
    let before = run(time, sockets)?;
    let memory = server.rss()?;
    crowd.ignore_last(stopped)?;
    // The first seconds only fill the buffers of the kernel.
    run(FILL.min(time), reading)?;
    let after = run(time, reading)?;
    let grown = server.rss()?.saturating_sub(memory);
    let what = format!("slow, {stopped} of {sockets} stopped");
    let report = &mut bench.report;
    report.row(
        Row::new(
            format!("{what}: the others' p99"),
            after.millis(0.99),
            Unit::Millis,
        )
        .above(before.millis(0.99), "the same while all read")
        .aim(Target::AtMost(1.2 * before.millis(0.99))),
    );
    let arrived = after.tally.deliveries as f64 / after.expected.max(1) as f64 * 100.0;
    report.row(
        Row::new(
            format!("{what}: deliveries to the others"),
            arrived,
            Unit::Percent,
        )
        .aim(Target::AtLeast(100.0)),
    );
    report.row(Row::new(
        format!("{what}: memory grew by"),
        grown as f64 / 1e6,
        Unit::Megabytes,
    ));
    before.tell(&format!("{what}, before"), report);
    after.tell(&what, report);
    Ok(())
}
