//! How long things took: a histogram that costs a few nanoseconds per entry, and medians of a few numbers.

use std::time::Duration;

/// Each power of two is cut into this many buckets, so a quantile is told to within 3 %.
const STEPS: u64 = 32;
const STEP_BITS: u32 = STEPS.trailing_zeros();

/// Counts of durations, by buckets that grow with the duration.
#[derive(Debug, Clone, Default)]
pub struct Histogram {
    buckets: Vec<u64>,
    count: u64,
    longest: u64,
}

impl Histogram {
    /// Counts one duration, given in nanoseconds.
    pub fn add(&mut self, nanos: u64) {
        let bucket = bucket_of(nanos);
        if bucket >= self.buckets.len() {
            self.buckets.resize(bucket + 1, 0);
        }
        if let Some(slot) = self.buckets.get_mut(bucket) {
            *slot += 1;
        }
        self.count += 1;
        self.longest = self.longest.max(nanos);
    }

    /// How many were counted.
    #[must_use]
    pub const fn count(&self) -> u64 {
        self.count
    }

    /// How many stayed within `limit` (to within 3 % of it).
    #[must_use]
    pub fn within(&self, limit: Duration) -> u64 {
        let last = bucket_of(limit.as_nanos() as u64);
        self.buckets.iter().take(last + 1).sum()
    }

    /// The time within which this share (0 to 1) of all stayed; zero when nothing was counted.
    #[must_use]
    pub fn quantile(&self, share: f64) -> Duration {
        let wanted = (self.count as f64 * share).ceil().max(1.0) as u64;
        let mut seen = 0;
        for (bucket, count) in self.buckets.iter().enumerate() {
            seen += count;
            if seen >= wanted {
                return Duration::from_nanos(upper_end(bucket).min(self.longest));
            }
        }
        Duration::from_nanos(self.longest)
    }
}

fn bucket_of(nanos: u64) -> usize {
    if nanos < STEPS {
        return nanos as usize;
    }
    let shift = nanos.ilog2() - STEP_BITS;
    (u64::from(shift + 1) * STEPS + ((nanos >> shift) - STEPS)) as usize
}

fn upper_end(bucket: usize) -> u64 {
    let bucket = bucket as u64;
    if bucket < STEPS {
        return bucket;
    }
    let shift = bucket / STEPS - 1;
    ((STEPS + bucket % STEPS + 1) << shift) - 1
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
    fn a_quantile_is_right_to_within_three_percent() {
        let mut histogram = Histogram::default();
        for micros in 1..=10_000_u64 {
            histogram.add(micros * 1_000);
        }
        for (share, micros) in [(0.5, 5_000.0), (0.9, 9_000.0), (0.99, 9_900.0)] {
            let told = histogram.quantile(share).as_secs_f64() * 1e6;
            assert!((told / micros - 1.0).abs() < 0.035, "{share}: {told}");
        }
        assert_eq!(histogram.quantile(1.0), Duration::from_millis(10));
        assert_eq!(histogram.count(), 10_000);
        let within = histogram.within(Duration::from_millis(3));
        assert!((3_000..3_100).contains(&within), "{within}");
    }

    #[test]
    fn every_duration_lies_in_its_bucket() {
        for nanos in (0..200_000).chain([u64::MAX >> 1, 1 << 40]) {
            let bucket = bucket_of(nanos);
            assert!(nanos <= upper_end(bucket), "{nanos}");
            assert!(bucket == 0 || nanos > upper_end(bucket - 1), "{nanos}");
        }
    }

    #[test]
    fn the_spread_does_not_care_which_came_first() {
        assert!((spread(2.0, 3.0) - 0.5).abs() < 1e-9);
        assert!((spread(3.0, 2.0) - 0.5).abs() < 1e-9);
    }
}
