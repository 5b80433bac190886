//! Chance that can be repeated: a seed gives the same faults at the same places again.

use std::time::Duration;

/// The chance of one purpose.
#[derive(Debug, Clone)]
pub struct Rng(fastrand::Rng);

impl Rng {
    /// A generator for one purpose: the same seed and name always give the same numbers, whatever others draw.
    pub fn new(seed: u64, purpose: &str) -> Self {
        // FNV-1a, so that the numbers do not depend on the version of a hasher.
        let hash = purpose.bytes().fold(0xcbf2_9ce4_8422_2325, |hash, byte| {
            (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3_u64)
        });
        Self(fastrand::Rng::with_seed(seed ^ hash))
    }

    /// The next number.
    pub fn next(&mut self) -> u64 {
        self.0.u64(..)
    }

    /// A number below `end`, or 0 when that is 0.
    pub fn below(&mut self, end: usize) -> usize {
        self.0.usize(..end.max(1))
    }

    /// True once in `n` times.
    pub fn once_in(&mut self, n: usize) -> bool {
        self.below(n) == 0
    }

    /// A time between two others, in whole milliseconds.
    pub fn millis(&mut self, from: u64, to: u64) -> Duration {
        Duration::from_millis(from + self.0.u64(..(to - from).max(1)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_seed_gives_the_same_mischief() {
        let draw = |seed, purpose| {
            let mut rng = Rng::new(seed, purpose);
            [rng.next(), rng.next(), rng.next()]
        };
        assert_eq!(draw(1, "kill"), draw(1, "kill"));
        assert_ne!(draw(1, "kill"), draw(2, "kill"));
        assert_ne!(draw(1, "kill"), draw(1, "cut"));
    }
}
