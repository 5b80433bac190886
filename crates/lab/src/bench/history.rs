//! `history`: a page from anywhere in a small room and in a large one should cost the same.

use std::time::{Duration, Instant};

use super::{
    Bench, Result, Trouble, accounts,
    progress::{Progress, step},
    report::{Row, Target, Unit},
    rest::Rest,
    start,
    stats::Histogram,
    subject::{Spent, Subject},
};
use crate::protocol::message::Message;

const SMALL: u64 = 1_000;
const PAGES: u64 = 1_000;
const PAGE: u64 = 50;

pub fn measure(bench: &mut Bench<'_>) -> Result<()> {
    let large = u64::from(bench.options.messages.unwrap_or(1_000_000));
    step(&format!(
        "history: pages of {PAGE}, room of {SMALL} and of {large} messages"
    ));
    let folder = bench.folder()?;
    let server = Subject::get(bench.options, &folder, 4)?;
    let token = accounts::make(server.addr, 1)?
        .pop()
        .map(|account| account.token)
        .unwrap_or_default();
    let already = newest(&server, &token)?;
    if already > SMALL / 2 {
        return Err(Trouble(format!(
            "The room already holds {already} messages: history is measured from an empty one."
        )));
    }
    start::fill(bench.clock, &server, SMALL - already)?;
    let (small, small_cpu) = pages(&server, &token, SMALL)?;
    start::fill(bench.clock, &server, large - SMALL)?;
    let (big, big_cpu) = pages(&server, &token, large)?;
    let bare = health(&server)?;
    for (name, share) in [("p50", 0.5), ("p99", 0.99)] {
        let [small, big, bare] = [&small, &big, &bare].map(|times| millis(times.quantile(share)));
        let what = |room| format!("history, room of {room}: a page, {name}");
        let floor = "an empty request (/health)";
        bench
            .report
            .row(Row::new(what(SMALL), small, Unit::Millis).above(bare, floor));
        let row = Row::new(what(large), big, Unit::Millis).above(bare, floor);
        bench.report.row(if share > 0.9 {
            row.aim(Target::AtMost(1.3 * small))
        } else {
            row.aim(Target::AtMost(0.6))
        });
    }
    for (room, spent) in [(SMALL, small_cpu), (large, big_cpu)] {
        bench.report.row(Row::new(
            format!("history, room of {room}: CPU per page"),
            spent.total().as_secs_f64() * 1e6 / PAGES as f64,
            Unit::Micros,
        ));
    }
    if large < 1_000_000 {
        bench.report.note(format!(
            "the target of history is for a room of 1,000,000 messages; this one held {large} (--messages 1000000)."
        ));
    }
    Ok(())
}

fn millis(time: Duration) -> f64 {
    time.as_secs_f64() * 1e3
}

/// The number of the latest message.
///
/// # Errors
/// When there is no answer.
pub fn newest(server: &Subject, token: &str) -> Result<u64> {
    let page: Vec<Message> = Rest::new(server.addr)
        .get("/api/rooms/general/messages?limit=1", Some(token))?
        .json("a page of history")?;
    Ok(page.last().map_or(0, |message| message.id))
}

fn pages(server: &Subject, token: &str, size: u64) -> Result<(Histogram, Spent)> {
    let progress = Progress::new("pages read", PAGES);
    let mut rest = Rest::new(server.addr);
    let mut times = Histogram::default();
    let mut at = 1_u64;
    let before_all = server.cpu()?;
    for count in 0..PAGES {
        // A multiplicative walk: all over the room, and the same in every run.
        at = at.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
        let before = PAGE + 1 + (at >> 33) % (size - PAGE);
        let path = format!("/api/rooms/general/messages?limit={PAGE}&before={before}");
        let begun = Instant::now();
        let answer = rest.get(&path, Some(token))?;
        times.add(begun.elapsed().as_nanos() as u64);
        let page: Vec<Message> = answer.json("a page of history")?;
        if page.len() as u64 != PAGE {
            return Err(Trouble(format!(
                "A page of {PAGE} messages was asked for, and {} came.",
                page.len()
            )));
        }
        progress.at(count);
    }
    progress.done();
    Ok((times, server.cpu()?.since(before_all)))
}

fn health(server: &Subject) -> Result<Histogram> {
    let mut rest = Rest::new(server.addr);
    let mut times = Histogram::default();
    for _ in 0..PAGES {
        let begun = Instant::now();
        rest.get("/health", None)?;
        times.add(begun.elapsed().as_nanos() as u64);
    }
    Ok(times)
}
