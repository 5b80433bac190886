//! `durable`: senders that each wait for the ack before they say the next thing, in one room and over many.

use std::{
    sync::{
        Arc,
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
    readers::{Place, Readers, Talk, Tally},
    report::{Row, Target, Unit},
    rooms,
    subject::{Spent, Subject},
};

/// The disk is asked before and after for so long.
pub const FSYNC: Duration = Duration::from_secs(2);

/// Over many rooms: so many, of so many members, of whom so many send.
const ROOMS: usize = 100;
const MEMBERS: usize = 10;
const SENDERS_OVER_ROOMS: usize = 256;

pub fn measure(bench: &mut Bench<'_>) -> Result<()> {
    for &senders in &bench.options.senders {
        run(bench, senders as usize, 1)?;
    }
    if bench.options.senders.contains(&256) {
        run(bench, SENDERS_OVER_ROOMS, ROOMS)?;
    }
    Ok(())
}

fn run(bench: &mut Bench<'_>, senders: usize, rooms: usize) -> Result<()> {
    let over = if rooms > 1 {
        format!(" over {rooms} rooms of {MEMBERS}")
    } else {
        String::new()
    };
    let what = format!("durable, {senders} senders{over}");
    step(&format!("{what}: each waits for its ack"));
    let folder = bench.folder()?;
    let server = Subject::get(bench.options, &folder, 4)?;
    let users = accounts::make(server.addr, senders)?;
    let readers = Readers::gather(bench.clock, 0)?;
    let greeting = Greeting::Chat(&accounts::tokens(&users));
    let place = if rooms > 1 {
        let members = members(senders, rooms);
        Place {
            rooms: rooms::make(&server, &members, &users)?.into(),
            listeners: MEMBERS,
            ending: "".into(),
        }
    } else {
        Place {
            rooms: Arc::from([]),
            listeners: senders,
            ending: "".into(),
        }
    };
    // As many as send are opened in their order, each for its user, who speaks in its own rooms.
    opening::open_all(&readers, server.addr, greeting, senders, senders)?;
    talk(&readers, (1, &place), Duration::from_secs(1), u64::MAX)?;
    let fsync_before = floor::fsync(folder.path(), FSYNC)?.quantile(0.5);
    let spent = server.cpu()?;
    let watch = Watch::begin(spent.total())?;
    let tally = talk(&readers, (1, &place), bench.options.time(), u64::MAX)?;
    let now = server.cpu()?;
    let others = watch.others(now.total())?;
    let fsync_after = floor::fsync(folder.path(), FSYNC)?.quantile(0.5);
    let fsync = (fsync_before + fsync_after).as_secs_f64() / 2.0;
    let load = (senders, place.listeners);
    tell(bench, &what, load, &tally, (now.since(spent), fsync));
    bench.report.noise.others(&what, others);
    bench.report.noise.floor(
        &format!("an fsync, beside {what}"),
        fsync_before.as_secs_f64(),
        fsync_after.as_secs_f64(),
    );
    tell_commits(bench, &what, senders, server)
}

/// Who is in which rooms: each sender in that in which it speaks, and others, so that all are of one size.
fn members(senders: usize, rooms: usize) -> Vec<Vec<usize>> {
    let of = |room: usize| {
        let mut members: Vec<usize> = (room..senders).step_by(rooms).take(MEMBERS).collect();
        for step in 1..senders {
            if members.len() >= MEMBERS {
                break;
            }
            let other = (room * 7 + step * 13) % senders;
            if !members.contains(&other) {
                members.push(other);
            }
        }
        members
    };
    (0..rooms).map(of).collect()
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
        row.aim(Target::AtLeast(64.0))
    } else {
        row
    });
    Ok(())
}

fn tell(
    bench: &mut Bench<'_>,
    what: &str,
    (senders, listeners): (usize, usize),
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
    // The targets are for rooms of ten. In larger rooms each message has more readers, which costs.
    if listeners == MEMBERS {
        let aim = match (senders, on_postgres) {
            (10, false) => 10_000.0,
            (10, true) => 7_500.0,
            (_, false) => 20_000.0,
            (_, true) => 12_000.0,
        };
        report.row(rate.aim(Target::AtLeast(aim)));
        report.row(cpu.aim(Target::AtMost(if on_postgres { 120.0 } else { 80.0 })));
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
    warn(bench, what, listeners, tally);
}

fn warn(bench: &mut Bench<'_>, what: &str, listeners: usize, tally: &Tally) {
    let report = &mut bench.report;
    let expected = tally.ack.count() * listeners as u64;
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
pub fn talk(
    readers: &Readers,
    (depth, place): (usize, &Place),
    time: Duration,
    budget: u64,
) -> Result<Tally> {
    let before = readers.live.acks.load(Ordering::Relaxed);
    let answer = readers.talk(Talk {
        depth,
        until: Instant::now() + time,
        budget,
        place: place.clone(),
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_sender_is_in_the_room_in_which_it_speaks_and_all_rooms_are_of_one_size() {
        let rooms = members(SENDERS_OVER_ROOMS, ROOMS);
        for sender in 0..SENDERS_OVER_ROOMS {
            assert!(rooms[sender % ROOMS].contains(&sender), "{sender}");
        }
        for members in rooms {
            let one: std::collections::BTreeSet<_> = members.iter().collect();
            assert_eq!((members.len(), one.len()), (MEMBERS, MEMBERS));
        }
    }
}
