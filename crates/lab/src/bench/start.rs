//! `start`: how long after its start a server can take work, with messages in its database.

use std::{
    path::Path,
    process::{Command, Stdio},
    sync::Arc,
    time::{Duration, Instant},
};

use super::{
    Bench, Result, Trouble, accounts, durable,
    opening::{self, Greeting},
    progress::step,
    readers::{Place, Readers, Stopwatch},
    report::{Row, Target, Unit},
    subject::Subject,
};

/// Few readers, many messages under way: filling a room should not cost fan-out.
const FILLERS: usize = 4;
const UNDER_WAY: usize = 30;
const STARTS: usize = 5;

pub fn measure(bench: &mut Bench<'_>) -> Result<()> {
    let messages = bench.options.messages.unwrap_or(100_000);
    if bench.options.url.is_some() {
        bench
            .report
            .note("start was left out: a server that runs already cannot be started.");
        return Ok(());
    }
    step(&format!("start: a database of {messages} messages"));
    let folder = bench.folder()?;
    let mut server = Subject::start(bench.options, folder.path(), 4)?;
    fill(bench.clock, &server, u64::from(messages))?;
    server.stop()?;
    let mut times = Vec::with_capacity(STARTS);
    for _ in 0..STARTS {
        let begun = Instant::now();
        let mut server = Subject::start(bench.options, folder.path(), 4)?;
        server.wait_ready()?;
        times.push(begun.elapsed());
        server.stop()?;
    }
    let what = format!("start to ready, {messages} messages, median of {STARTS}");
    let row = Row::new(what, millis(times), Unit::Millis).above(
        millis(
            (0..STARTS)
                .map(|_| bare_start(&bench.options.server))
                .collect::<Result<_>>()?,
        ),
        "the program printing its version",
    );
    let aimed = bench.options.database_url.is_none() && messages == 100_000;
    bench.report.row(if aimed {
        row.aim(Target::AtMost(200.0))
    } else {
        row
    });
    Ok(())
}

fn millis(mut times: Vec<Duration>) -> f64 {
    times.sort_unstable();
    times
        .get(times.len() / 2)
        .map_or(0.0, |time| time.as_secs_f64() * 1e3)
}

fn bare_start(server: &Path) -> Result<Duration> {
    let begun = Instant::now();
    Command::new(server)
        .arg("--version")
        .env_clear()
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status()
        .map_err(|error| Trouble::io("start the server", &error))?;
    Ok(begun.elapsed())
}

/// Puts messages into the room `general`, as anyone does.
///
/// # Errors
/// When the server refuses one.
pub fn fill(clock: Stopwatch, server: &Subject, messages: u64) -> Result<()> {
    let users = accounts::make(server.addr, FILLERS)?;
    let readers = Readers::gather(clock, 0)?;
    let greeting = Greeting::Chat(&accounts::tokens(&users));
    opening::open_all(&readers, server.addr, greeting, FILLERS, 0)?;
    let general = Place {
        rooms: Arc::from([]),
        listeners: FILLERS,
        ending: "".into(),
    };
    let tally = durable::talk(
        &readers,
        (UNDER_WAY, &general),
        Duration::from_hours(1),
        messages,
    )?;
    if tally.refused > 0 {
        let refusal = tally.refusal.unwrap_or_default();
        return Err(Trouble(format!(
            "The server refused a message while the room was filled: {refusal}"
        )));
    }
    Ok(())
}
