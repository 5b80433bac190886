//! `floods`: what one address or account that misbehaves costs everyone else. Each flood goes first to another server on this
//! machine (the floor: what the machine itself loses by it) and then to the one that is measured, while another user there
//! says something every 20 ms and a newcomer comes now and then.

mod load;
mod witness;

use std::{
    sync::atomic::{AtomicBool, Ordering},
    thread,
    time::{Duration, Instant},
};

use self::{
    load::{Flood, Flooded},
    witness::{Route, Witness, Witnessed},
};
use super::{
    Bench, Result, Trouble,
    progress::step,
    report::{Report, Row, Target, Unit},
    subject::Subject,
};
use crate::rig::certificate::Certificate;

/// How much later the others may be answered than while the same flood goes elsewhere.
const WORSE: f64 = 1.5;
const LOOK_EVERY: Duration = Duration::from_millis(50);
/// What is over must be over before the next is begun.
const CALM: Duration = Duration::from_secs(1);

pub fn measure(bench: &mut Bench<'_>) -> Result<()> {
    if bench.options.url.is_some() {
        bench
            .report
            .note("floods was left out: it takes two servers with settings of its own.");
        return Ok(());
    }
    for flood in Flood::ALL {
        run(bench, flood)?;
    }
    Ok(())
}

/// What a flood cost.
struct Cost {
    seen: Witnessed,
    /// Bytes that the server's memory grew by at its most.
    grown: u64,
    /// The share of a core that the server took.
    cpu: f64,
}

fn run(bench: &mut Bench<'_>, flood: Flood) -> Result<()> {
    step(&format!("floods: {}", flood.what()));
    let time = bench.options.time();
    let folder = bench.folder()?;
    let certificate = flood
        .is_about_tls()
        .then(|| Certificate::make(folder.path()))
        .transpose()?;
    let start = |name: &str| {
        let folder = folder.path().join(name);
        std::fs::create_dir_all(&folder)
            .map_err(|error| Trouble::io("make a temporary folder", &error))?;
        Subject::start_as_people_do(bench.options, &folder, certificate.as_ref())
    };
    let (measured, other) = (start("measured")?, start("other")?);
    let route = |server: &Subject| Route::new(server.addr, certificate.as_ref());
    let witness = Witness::enter(route(&measured)?)?;
    let quiet = witness.watch(time)?;
    let elsewhere = flooded(&flood.prepare(route(&other)?)?, &witness, &measured, time)?;
    thread::sleep(CALM);
    let here = flooded(
        &flood.prepare(route(&measured)?)?,
        &witness,
        &measured,
        time,
    )?;
    tell(&mut bench.report, flood, &quiet, &elsewhere, &here);
    Ok(())
}

/// The flood goes on for so long, and the witness watches what becomes of the server that is measured.
fn flooded(
    target: &Flooded,
    witness: &Witness,
    measured: &Subject,
    time: Duration,
) -> Result<Cost> {
    let over = AtomicBool::new(false);
    let (memory, cpu) = (measured.rss()?, measured.cpu()?.server);
    let begun = Instant::now();
    let (seen, most) = thread::scope(|scope| {
        let flood = scope.spawn(|| target.flood(&over));
        let most = scope.spawn(|| {
            let mut most = memory;
            while !over.load(Ordering::Relaxed) {
                most = most.max(measured.rss().unwrap_or_default());
                thread::sleep(LOOK_EVERY);
            }
            most
        });
        let seen = witness.watch(time);
        over.store(true, Ordering::Relaxed);
        // A flood that could not be is seen by its cost.
        let _ended = flood.join();
        (seen, most.join().unwrap_or(memory))
    });
    let taken = measured.cpu()?.server.saturating_sub(cpu);
    Ok(Cost {
        seen: seen?,
        grown: most.saturating_sub(memory),
        cpu: taken.as_secs_f64() / begun.elapsed().as_secs_f64(),
    })
}

fn tell(report: &mut Report, kind: Flood, quiet: &Witnessed, elsewhere: &Cost, here: &Cost) {
    const ELSEWHERE: &str = "the same at another server beside it";
    let what = format!("floods, {}", kind.what());
    let millis = |time: Duration| time.as_secs_f64() * 1e3;
    report.row(Row::new(
        format!("{what}: another's ack while quiet, p99"),
        millis(quiet.ack),
        Unit::Millis,
    ));
    // The machine is the flood's, too: no server can be quicker than one that is not flooded.
    let floor = millis(elsewhere.seen.ack.max(quiet.ack));
    report.row(
        Row::new(
            format!("{what}: another's ack, p99"),
            millis(here.seen.ack),
            Unit::Millis,
        )
        .above(floor, ELSEWHERE)
        .aim(Target::AtMost(WORSE * floor)),
    );
    for (name, of) in [
        (
            "a newcomer's first answer",
            (|seen| seen.first_answer) as fn(&Witnessed) -> Duration,
        ),
        ("a newcomer's login", |seen| seen.login),
    ] {
        let row = Row::new(
            format!("{what}: {name}, the slowest"),
            millis(of(&here.seen)),
            Unit::Millis,
        );
        report.row(row.above(millis(of(&elsewhere.seen)), ELSEWHERE));
    }
    report.row(Row::new(
        format!("{what}: memory grew by, at most"),
        here.grown as f64 / 1e6,
        Unit::Megabytes,
    ));
    report.row(
        Row::new(
            format!("{what}: CPU of the server, of a core"),
            here.cpu * 100.0,
            Unit::Percent,
        )
        .above(elsewhere.cpu * 100.0, ELSEWHERE),
    );
    let failed = here.seen.failed + elsewhere.seen.failed + quiet.failed;
    if failed > 0 {
        report.note(format!(
            "{what}: of what the other user and the newcomer asked for, {failed} were refused, cut off or not answered at all."
        ));
    }
}
