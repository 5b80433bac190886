//! `durable`: senders in one room that each wait for the ack before they say the next thing.

use std::{
    sync::{
        atomic::Ordering,
        mpsc::{Receiver, RecvTimeoutError},
    },
    time::{Duration, Instant},
};

use super::{
    Bench, Result, Trouble, accounts, floor,
    noise::Watch,
    opening::{self, Greeting},
    progress::{Progress, step},
    readers::{Readers, Talk, Tally},
    report::{Row, Target, Unit},
    subject::{Spent, Subject},
};

/// The disk is asked before and after for so long.
pub const FSYNC: Duration = Duration::from_secs(2);

pub fn measure(bench: &mut Bench<'_>) -> Result<()> {
    for &senders in &bench.options.senders {
        run(bench, senders as usize)?;
    }
    Ok(())
}

fn run(bench: &mut Bench<'_>, senders: usize) -> Result<()> {
    step(&format!(
        "durable: {senders} senders in one room, each waits for its ack"
    ));
    let folder = bench.folder()?;
    let server = Subject::get(bench.options, &folder, 4)?;
    let users = accounts::make(server.addr, senders)?;
    let readers = Readers::gather(bench.clock, 0)?;
    let greeting = Greeting::Chat(&accounts::tokens(&users));
    opening::open_all(&readers, server.addr, greeting, senders, 0)?;
    talk(&readers, 1, Duration::from_secs(1), u64::MAX)?;
    let fsync_before = floor::fsync(folder.path(), FSYNC)?.quantile(0.5);
    let spent = server.cpu()?;
    let watch = Watch::begin(spent.total())?;
    let tally = talk(&readers, 1, bench.options.time(), u64::MAX)?;
    let now = server.cpu()?;
    let others = watch.others(now.total())?;
    let fsync_after = floor::fsync(folder.path(), FSYNC)?.quantile(0.5);
    let fsync = (fsync_before + fsync_after).as_secs_f64() / 2.0;
    let what = format!("durable, {senders} senders");
    tell(bench, &what, senders, &tally, (now.since(spent), fsync));
    bench.report.noise.others(&what, others);
    bench.report.noise.floor(
        &format!("an fsync, beside {what}"),
        fsync_before.as_secs_f64(),
        fsync_after.as_secs_f64(),
    );
    tell_commits(bench, &what, senders, server)
}

fn tell_commits(bench: &mut Bench<'_>, what: &str, senders: usize, server: Subject) -> Result<()> {
    let Some((stored, commits)) = server.stop_and_count_commits()? else {
        bench.report.note(format!(
            "{what}: commits are counted only of a server that the bench has started."
        ));
        return Ok(());
    };
    let row = Row::new(
        format!("{what}: messages in a commit"),
        stored as f64 / commits.max(1) as f64,
        Unit::Count,
    )
    .above(1.0, "a commit for each message");
    bench.report.row(if senders >= 256 {
        row.aim(Target::AtLeast(16.0))
    } else {
        row
    });
    Ok(())
}

fn tell(
    bench: &mut Bench<'_>,
    what: &str,
    senders: usize,
    tally: &Tally,
    (spent, fsync): (Spent, f64),
) {
    let acked = tally.ack.count();
    let per_message = |cpu: Duration| cpu.as_secs_f64() * 1e6 / acked.max(1) as f64;
    let on_postgres = bench.options.database_url.is_some();
    let report = &mut bench.report;
    let rate = Row::new(
        format!("{what}: acked a second"),
        acked as f64 / tally.talked.as_secs_f64().max(1e-9),
        Unit::PerSecond,
    )
    .above(1.0 / fsync.max(1e-9), "fsyncs a second, one at a time");
    let cpu = Row::new(
        format!("{what}: CPU per message"),
        per_message(spent.total()),
        Unit::Micros,
    );
    // The targets are for a room of ten. In larger rooms each message has more readers, which costs.
    if senders == 10 {
        let aim = if on_postgres { 5_000.0 } else { 8_000.0 };
        report.row(rate.aim(Target::AtLeast(aim)));
        report.row(cpu.aim(Target::AtMost(150.0)));
    } else {
        report.row(rate);
        report.row(cpu);
    }
    if on_postgres {
        report.row(Row::new(
            format!("{what}: of which PostgreSQL"),
            per_message(spent.database),
            Unit::Micros,
        ));
    }
    for (name, share) in [("p50", 0.5), ("p99", 0.99)] {
        let millis = tally.ack.quantile(share).as_secs_f64() * 1e3;
        report.row(
            Row::new(format!("{what}: ack within, {name}"), millis, Unit::Millis)
                .above(fsync * 1e3, "an fsync of the disk (p50)"),
        );
    }
    warn(bench, what, senders, tally);
}

fn warn(bench: &mut Bench<'_>, what: &str, senders: usize, tally: &Tally) {
    let report = &mut bench.report;
    let expected = tally.ack.count() * senders as u64;
    if tally.deliveries != expected {
        report.note(format!(
            "{what}: {} of {expected} deliveries arrived; {} times `lag` was told.",
            tally.deliveries, tally.lags
        ));
    }
    if let (1.., Some(refusal)) = (tally.refused, &tally.refusal) {
        report.note(format!(
            "{what}: {} messages were refused, the first with {refusal}",
            tally.refused
        ));
    }
    let closed: u64 = tally.closed.values().sum();
    if closed > 0 {
        report.note(format!("{what}: {closed} sockets were closed."));
    }
}

/// Lets the readers talk for `time` or until `budget` messages are acked, whichever is first.
///
/// # Errors
/// When an ack does not come.
pub fn talk(readers: &Readers, depth: usize, time: Duration, budget: u64) -> Result<Tally> {
    let before = readers.live.acks.load(Ordering::Relaxed);
    let answer = readers.talk(Talk {
        depth,
        until: Instant::now() + time,
        budget,
    })?;
    let bounded = budget < u64::MAX;
    let total = if bounded { budget } else { time.as_secs() };
    let progress = Progress::new(
        if bounded {
            "messages acked"
        } else {
            "seconds of sending"
        },
        total,
    );
    let begun = Instant::now();
    let tally = wait(&answer, time + Duration::from_secs(30), || {
        progress.at(if bounded {
            readers.live.acks.load(Ordering::Relaxed) - before
        } else {
            begun.elapsed().as_secs().min(total)
        });
    })?;
    progress.done();
    Ok(tally)
}

fn wait(
    answer: &Receiver<Tally>,
    patience: Duration,
    mut meanwhile: impl FnMut(),
) -> Result<Tally> {
    let deadline = Instant::now() + patience;
    loop {
        match answer.recv_timeout(Duration::from_millis(100)) {
            Ok(tally) => return Ok(tally),
            Err(RecvTimeoutError::Timeout) if Instant::now() < deadline => meanwhile(),
            Err(_) => {
                return Err(Trouble(
                    "Some messages were never acked: the server closed a socket or has stopped storing.".into(),
                ));
            }
        }
    }
}
