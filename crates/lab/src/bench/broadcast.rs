//! Ten senders at a steady rate, many readers: the run that several lines are made of.

use std::{
    path::Path,
    sync::atomic::Ordering,
    time::{Duration, Instant},
};

use super::{
    Result,
    floor::Broadcaster,
    noise::Watch,
    opening::{self, Greeting},
    readers::{Readers, Stopwatch, Tally},
    report::{Report, Row, Target, Unit},
    senders::{Framing, Senders, Sent},
    stats::Histogram,
};

/// Senders in every run.
pub const SENDERS: usize = 10;
/// A run is over when nothing more has arrived for so long.
const SILENCE: Duration = Duration::from_secs(5);

/// What a run gave.
pub struct Outcome {
    /// Deliveries that should have arrived.
    pub expected: u64,
    /// What did.
    pub tally: Tally,
    /// CPU time of what was measured.
    pub cpu: Duration,
    /// How late the bench itself was.
    pub late: Histogram,
    /// The share of the machine that others took.
    pub others: Option<f64>,
}

impl Outcome {
    /// CPU time per delivery, in microseconds.
    #[must_use]
    pub fn micros_per_delivery(&self) -> f64 {
        self.cpu.as_secs_f64() * 1e6 / self.tally.deliveries.max(1) as f64
    }

    /// Delivered in time or not at all, in milliseconds.
    #[must_use]
    pub fn millis(&self, share: f64) -> f64 {
        self.tally.delivery.quantile(share).as_secs_f64() * 1e3
    }

    /// Bytes of a delivery, on average.
    #[must_use]
    pub fn bytes(&self) -> usize {
        (self.tally.delivery_bytes / self.tally.deliveries.max(1)) as usize
    }

    /// The share of deliveries that arrived, which must be all.
    pub fn arrived(&self, what: &str) -> Row {
        let share = self.tally.deliveries as f64 / self.expected.max(1) as f64 * 100.0;
        let what = format!("{what}: deliveries arrived");
        Row::new(what, share, Unit::Percent).aim(Target::AtLeast(100.0))
    }

    /// Says what went wrong, if anything did.
    pub fn tell(&self, what: &str, report: &mut Report) {
        let Tally {
            skipped,
            repeated,
            refused,
            refusal,
            lags,
            closed,
            ..
        } = &self.tally;
        if self.tally.deliveries != self.expected || *repeated > 0 {
            report.note(format!(
                "{what}: {} of {} deliveries arrived; {skipped} were overtaken by later ones, {repeated} came again or late; {lags} times `lag` was told.",
                self.tally.deliveries, self.expected
            ));
        }
        if let (1.., Some(refusal)) = (*refused, refusal) {
            report.note(format!(
                "{what}: {refused} messages were refused, the first with {refusal}"
            ));
        }
        for (code, count) in closed {
            report.note(format!(
                "{what}: {count} sockets were closed (code {code})."
            ));
        }
        report.noise.late(what, self.late.quantile(0.99));
        report.noise.others(what, self.others);
    }
}

/// Sends and waits until everything has arrived that `receivers` sockets should get.
///
/// # Errors
/// When a sender's socket is closed, or a process cannot be read.
pub fn run(
    readers: &Readers,
    senders: &mut Senders,
    (rate, time): (u32, Duration),
    receivers: usize,
    cpu: &dyn Fn() -> Result<Duration>,
) -> Result<Outcome> {
    readers.take()?;
    let arrived = || readers.live.deliveries.load(Ordering::Relaxed);
    let before = arrived();
    let cpu_before = cpu()?;
    let watch = Watch::begin(cpu_before)?;
    let Sent { count, late } = senders.send(rate, time)?;
    let sent = count * receivers as u64;
    let mut last = (arrived(), Instant::now());
    while arrived() - before < sent && last.1.elapsed() < SILENCE {
        std::thread::sleep(Duration::from_millis(2));
        if arrived() > last.0 {
            last = (arrived(), Instant::now());
        }
    }
    let cpu_after = cpu()?;
    let others = watch.others(cpu_after)?;
    let tally = readers.take()?;
    Ok(Outcome {
        // What the server has refused, and said so, no one should get.
        expected: sent.saturating_sub(tally.refused * receivers as u64),
        tally,
        cpu: cpu_after.saturating_sub(cpu_before),
        late,
        others,
    })
}

/// The same with the bare broadcaster in the server's place.
///
/// # Errors
/// When it cannot be started or dies.
pub fn floor(
    clock: Stopwatch,
    sockets: usize,
    bytes: usize,
    pace: (u32, Duration),
) -> Result<Outcome> {
    let server = Broadcaster::start(bytes)?;
    let like = (Greeting::Bare, Framing::Delivery(bytes));
    run_beside(&server, like, clock, sockets, pace)
}

/// The same with uWebSockets in the server's place, started by `program`: as many bytes, of which none are kept.
///
/// # Errors
/// When it cannot be started or dies.
pub fn uws(
    program: &Path,
    clock: Stopwatch,
    sockets: usize,
    bytes: usize,
    pace: (u32, Duration),
) -> Result<Outcome> {
    let server = Broadcaster::start_uws(program)?;
    let nobody = [String::new()];
    let like = (Greeting::Chat(&nobody), Framing::MaskedDelivery(bytes));
    run_beside(&server, like, clock, sockets, pace)
}

fn run_beside(
    server: &Broadcaster,
    (greeting, framing): (Greeting<'_>, Framing),
    clock: Stopwatch,
    sockets: usize,
    pace: (u32, Duration),
) -> Result<Outcome> {
    let readers = Readers::gather(clock, SENDERS)?;
    let streams = opening::open_all(&readers, server.addr, greeting, sockets, SENDERS)?;
    let mut senders = Senders::new(streams, framing, clock);
    // The first messages find every buffer small and every cache cold.
    let warm_up = (pace.0, Duration::from_secs(1));
    run(&readers, &mut senders, warm_up, sockets, &|| server.cpu())?;
    run(&readers, &mut senders, pace, sockets, &|| server.cpu())
}
