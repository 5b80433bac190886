//! How long things took: a histogram that costs a few nanoseconds per entry, and how far apart two numbers are.

use std::time::Duration;

/// The two digits to which durations are counted; the library takes up to five.
const DIGITS: u8 = 2;

/// Counts of durations, to within 1 %.
#[derive(Debug, Clone)]
pub struct Histogram(hdrhistogram::Histogram<u64>);

impl Default for Histogram {
    fn default() -> Self {
        // What fails on more than five digits never fails on two.
        #[allow(clippy::expect_used)]
        Self(hdrhistogram::Histogram::new(DIGITS).expect("two digits are allowed"))
    }
}

impl Histogram {
    /// Counts one duration, given in nanoseconds.
    pub fn add(&mut self, nanos: u64) {
        // It grows as it must, and so refuses nothing.
        let _counted = self.0.record(nanos);
    }

    /// Counts what another one has counted, too.
    pub fn merge(&mut self, other: &Self) {
        // It grows as it must, and so refuses nothing.
        let _counted = self.0.add(&other.0);
    }

    /// How many were counted.
    #[must_use]
    pub fn count(&self) -> u64 {
        self.0.len()
    }

    /// How many stayed within `limit` (to within 1 % of it).
    #[must_use]
    pub fn within(&self, limit: Duration) -> u64 {
        self.0.count_between(0, limit.as_nanos() as u64)
    }

    /// The time within which this share (0 to 1) of all stayed; zero when nothing was counted.
    #[must_use]
    pub fn quantile(&self, share: f64) -> Duration {
        Duration::from_nanos(self.0.value_at_quantile(share).min(self.0.max()))
    }
}

/// How far apart two measurements of the same thing are, as a share of the smaller.
#[must_use]
pub fn spread(one: f64, other: f64) -> f64 {
    let (low, high) = if one < other {
        (one, other)
    } else {
        (other, one)
    };
    if low > 0.0 { high / low - 1.0 } else { 0.0 }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_quantile_is_right_to_within_a_percent() {
        let mut histogram = Histogram::default();
        for micros in 1..=10_000_u64 {
            histogram.add(micros * 1_000);
        }
        for (share, micros) in [(0.5, 5_000.0), (0.9, 9_000.0), (0.99, 9_900.0)] {
            let told = histogram.quantile(share).as_secs_f64() * 1e6;
            assert!((told / micros - 1.0).abs() < 0.011, "{share}: {told}");
        }
        let longest = histogram.quantile(1.0).as_secs_f64() * 1e3;
        assert!((longest / 10.0 - 1.0).abs() < 0.011, "{longest}");
        assert_eq!(histogram.count(), 10_000);
        let within = histogram.within(Duration::from_millis(3));
        assert!((2_970..3_040).contains(&within), "{within}");
    }

    #[test]
    fn no_duration_is_too_short_or_too_long_to_be_counted() {
        let mut histogram = Histogram::default();
        for nanos in [0, 1, 1 << 40, u64::MAX] {
            histogram.add(nanos);
        }
        assert_eq!(histogram.count(), 4);
        assert!(histogram.quantile(0.75) >= Duration::from_nanos(1 << 40));
        assert_eq!(Histogram::default().quantile(0.5), Duration::ZERO);
    }

    #[test]
    fn the_spread_does_not_care_which_came_first() {
        assert!((spread(2.0, 3.0) - 0.5).abs() < 1e-9);
        assert!((spread(3.0, 2.0) - 0.5).abs() < 1e-9);
    }
}
