//! Whether something else was at work on the machine while we measured.

use std::time::{Duration, Instant};

use super::{Result, proc};

/// Above this share of the machine taken by others, a note is made.
const LOUD: f64 = 0.10;
/// Above this spread of a floor measured twice, a note is made.
const UNSTEADY: f64 = 0.25;

/// Watches the machine from its making on.
pub struct Watch {
    begun: Instant,
    machine: Option<Duration>,
    ours: Duration,
}

impl Watch {
    /// Begins; `measured` is the CPU time so far of what is measured.
    ///
    /// # Errors
    /// When this process cannot be read.
    pub fn begin(measured: Duration) -> Result<Self> {
        Ok(Self {
            begun: Instant::now(),
            machine: proc::machine_cpu(),
            ours: proc::cpu(std::process::id())? + measured,
        })
    }

    /// The share of the machine that others took since, if that can be known.
    ///
    /// # Errors
    /// When this process cannot be read.
    pub fn others(&self, measured: Duration) -> Result<Option<f64>> {
        let ours = (proc::cpu(std::process::id())? + measured).saturating_sub(self.ours);
        let (Some(before), Some(now)) = (self.machine, proc::machine_cpu()) else {
            return Ok(None);
        };
        let others = now.saturating_sub(before).saturating_sub(ours);
        let cores = std::thread::available_parallelism().map_or(1, usize::from) as f64;
        Ok(Some(
            others.as_secs_f64() / (self.begun.elapsed().as_secs_f64() * cores),
        ))
    }
}

/// A sentence, if others took so much that the numbers say little.
#[must_use]
pub fn of_others(what: &str, share: Option<f64>) -> Option<String> {
    let share = share.filter(|share| *share > LOUD)?;
    Some(format!(
        "while {what} was measured, other programs (or the kernel on their behalf) took {:.0} % of the machine: too noisy to tell, repeat it on a quiet one.",
        share * 100.0
    ))
}

/// A sentence, if a floor measured twice differs too much.
#[must_use]
pub fn of_floor(what: &str, before: f64, after: f64) -> Option<String> {
    let spread = super::stats::spread(before, after);
    (spread > UNSTEADY).then(|| {
        format!(
            "the floor of {what} changed by {:.0} % during the run: the machine is too noisy to tell closely.",
            spread * 100.0
        )
    })
}
