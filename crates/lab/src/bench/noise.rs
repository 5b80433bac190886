//! Whether something else was at work on the machine while we measured.

use std::time::{Duration, Instant};

use super::{Result, proc, stats::spread};

/// Above this share of the machine taken by others, a note is made.
const LOUD: f64 = 0.10;
/// Above this spread of a floor measured twice, a note is made.
const UNSTEADY: f64 = 0.25;
/// When the bench itself is later than this (in seconds), a note is made.
const LATE: f64 = 0.010;

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

/// What disturbed a run most; told once, at its end.
#[derive(Debug, Default)]
pub struct Noise {
    others: Worst,
    late: Worst,
    floor: Worst,
}

/// The worst value of a kind, and where it was seen.
#[derive(Debug, Default)]
struct Worst {
    value: f64,
    what: String,
}

impl Worst {
    fn see(&mut self, what: &str, value: f64) {
        if value > self.value {
            *self = Self {
                value,
                what: what.into(),
            };
        }
    }

    fn above(&self, limit: f64) -> Option<&Self> {
        (self.value > limit).then_some(self)
    }
}

impl Noise {
    /// Others took this share of the machine while `what` was measured.
    pub fn others(&mut self, what: &str, share: Option<f64>) {
        self.others.see(what, share.unwrap_or_default());
    }

    /// The bench itself was so late with 1 % of the messages.
    pub fn late(&mut self, what: &str, late: Duration) {
        self.late.see(what, late.as_secs_f64());
    }

    /// The floor of `what`, measured before and after.
    pub fn floor(&mut self, what: &str, before: f64, after: f64) {
        self.floor.see(what, spread(before, after));
    }

    /// What a reader must know before believing the numbers.
    #[must_use]
    pub fn notes(&self) -> Vec<String> {
        let others = self.others.above(LOUD).map(|Worst { value, what }| {
            format!(
                "Too noisy to tell: other programs (or the kernel on their behalf) took up to {:.0} % of the machine, most while `{what}` was measured. Repeat this on a quiet machine.",
                value * 100.0
            )
        });
        let late = self.late.above(LATE).map(|Worst { value, what }| {
            format!(
                "The bench itself could not keep its pace: 1 % of the messages went out over {:.0} ms late in `{what}`. The machine was full; times are longer than they would be.",
                value * 1e3
            )
        });
        let floor = self.floor.above(UNSTEADY).map(|Worst { value, what }| {
            format!(
                "A floor that was measured before and after changed by {:.0} % (`{what}`): ratios are no closer than that.",
                value * 100.0
            )
        });
        [others, late, floor].into_iter().flatten().collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_quiet_run_has_no_notes_and_a_noisy_one_names_the_worst() {
        let mut noise = Noise::default();
        noise.others("a", Some(0.05));
        noise.floor("a", 2.0, 2.1);
        noise.late("a", Duration::from_millis(1));
        assert_eq!(noise.notes(), Vec::<String>::new());
        noise.others("b", Some(0.4));
        noise.others("c", Some(0.3));
        noise.floor("d", 2.0, 3.0);
        let notes = noise.notes();
        assert_eq!(notes.len(), 2);
        assert!(
            notes[0].contains("40 %") && notes[0].contains("`b`"),
            "{notes:?}"
        );
        assert!(
            notes[1].contains("50 %") && notes[1].contains("`d`"),
            "{notes:?}"
        );
    }
}
