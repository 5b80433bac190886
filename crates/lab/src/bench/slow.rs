//! `slow`: a tenth of the readers stop reading; the others must not notice.

use std::time::Duration;

use super::{
    Bench, Result, Trouble, accounts,
    broadcast::{self, SENDERS},
    history,
    opening::{self, Greeting},
    progress::{Progress, step},
    readers::Readers,
    report::{Row, Target, Unit},
    rest::Rest,
    senders::{Framing, Senders},
    storm::{Goal, Storm},
    subject::{Spent, Subject},
};
use crate::protocol::message::Message;

const RATE: u32 = 100;
/// What the target is for.
const SECONDS: u32 = 60;
/// Long enough that the kernel's own buffers, most of a megabyte for each socket, are full within seconds: only then does
/// a server notice that someone does not read.
const CONTENT: usize = 4_096;
const FILL: Duration = Duration::from_secs(10);
const MOST_USERS: usize = 500;
/// Bytes that may wait for one reader: its queue, and what is being written.
const MOST_WAITING: usize = 256 * 1024 + 128 * 1024;
/// Changes on a page.
const PAGE: usize = 200;
/// Stopped readers that are not back by then are given up.
const TIMEOUT: Duration = Duration::from_mins(1);

pub fn measure(bench: &mut Bench<'_>) -> Result<()> {
    let sockets = bench.options.sockets_or(1_000);
    let stopped = (sockets / 10).min(sockets.saturating_sub(SENDERS));
    let reading = sockets - stopped;
    step(&format!(
        "slow: {sockets} sockets at {RATE} messages of {CONTENT} bytes a second, {stopped} of which stop reading"
    ));
    let time = bench.options.time_or(SECONDS);
    let folder = bench.folder()?;
    let server = Subject::get(bench.options, &folder, 4)?;
    let users = accounts::make(server.addr, sockets.min(MOST_USERS))?;
    let readers = Readers::gather(bench.clock, SENDERS)?;
    let tokens = accounts::tokens(&users);
    let greeting = Greeting::Chat(&tokens);
    let streams = opening::open_all(&readers, server.addr, greeting, sockets, SENDERS)?;
    let mut senders =
        Senders::new(streams, Framing::Command, bench.clock).with_contents_of(CONTENT);
    let cpu = || server.cpu().map(Spent::total);
    let mut run =
        |time, receivers| broadcast::run(&readers, &mut senders, (RATE, time), receivers, &cpu);
    run(Duration::from_secs(2), sockets)?;
    let before = run(time, sockets)?;
    let memory = server.rss()?;
    let first = tokens.first().map_or("", String::as_str);
    let since = history::newest(&server, first)?;
    readers.ignore_last(stopped)?;
    // The first seconds only fill the buffers of the kernel.
    run(FILL.min(time), reading)?;
    let after = run(time, reading)?;
    let grown = server.rss()?.saturating_sub(memory);
    readers.cut_last(stopped)?;
    let theirs: Vec<String> = (reading..sockets)
        .map(|place| {
            tokens
                .get(place % tokens.len())
                .cloned()
                .unwrap_or_default()
        })
        .collect();
    let whole = count_whole(&server, &theirs, since)?;
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
    report.row(
        Row::new(
            format!("{what}: memory grew by"),
            grown as f64 / 1e6,
            Unit::Megabytes,
        )
        .aim(Target::AtMost((stopped * MOST_WAITING) as f64 / 1e6)),
    );
    report.row(
        Row::new(
            format!("{what}: back with `sync`, and nothing missing"),
            whole as f64 / stopped as f64 * 100.0,
            Unit::Percent,
        )
        .aim(Target::AtLeast(100.0)),
    );
    before.tell(&format!("{what}, before"), report);
    after.tell(&what, report);
    Ok(())
}

/// How many of the stopped readers, each with its token, have everything since they stopped: they come back with `sync`,
/// and what one answer does not hold they read page by page.
fn count_whole(server: &Subject, tokens: &[String], since: u64) -> Result<usize> {
    let mut storm = Storm::gather(server.addr, Goal::Synced { tokens, since }, tokens.len())?;
    let back = storm.come_back(TIMEOUT)?.back;
    drop(storm);
    if back < tokens.len() {
        return Ok(0);
    }
    let progress = Progress::new("stopped readers that read what they missed", back as u64);
    let mut whole = 0;
    for (count, token) in tokens.iter().enumerate() {
        let newest = history::newest(server, token)?;
        whole += usize::from(read_since(server, token, since)? == newest);
        progress.at(count as u64);
    }
    progress.done();
    Ok(whole)
}

/// Reads every change after this one, and tells the last.
///
/// # Errors
/// When one is missing.
fn read_since(server: &Subject, token: &str, since: u64) -> Result<u64> {
    let mut rest = Rest::new(server.addr);
    let mut last = since;
    loop {
        let path = format!("/api/rooms/general/messages?since={last}&limit={PAGE}");
        let page: Vec<Message> = rest.get(&path, Some(token))?.json("a page of changes")?;
        for message in &page {
            if message.seq != last + 1 {
                return Err(Trouble(format!(
                    "Change {} is followed by {}: one is missing.",
                    last, message.seq
                )));
            }
            last = message.seq;
        }
        // A page may end before its limit is reached.
        if page.is_empty() {
            return Ok(last);
        }
    }
}
