//! Whether one of two things takes longer, from pairs of times. Nothing is supposed of how the times are spread, and a few
//! very long ones weigh no more than any others.

/// How many standard deviations chance goes beyond once in a thousand times.
pub const CHANCE: f64 = 3.29;

/// What pairs tell. Positive: the second of a pair takes longer.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Told {
    /// Wilcoxon's signed ranks, in standard deviations from what they are when neither takes longer.
    pub z: f64,
    /// The least and the most that the median of the differences may be: once in a thousand times it is outside. In nanoseconds.
    pub within: (f64, f64),
}

impl Told {
    /// The most that one of the two may take longer, in nanoseconds.
    pub fn most(self) -> f64 {
        let (low, high) = self.within;
        low.abs().max(high.abs())
    }
}

/// What these differences of pairs tell, in nanoseconds.
pub fn tell(mut differences: Vec<i64>) -> Told {
    differences.sort_unstable();
    Told {
        z: signed_ranks(&differences),
        within: median_within(&differences),
    }
}

fn signed_ranks(differences: &[i64]) -> f64 {
    let mut nonzero: Vec<i64> = differences.iter().copied().filter(|by| *by != 0).collect();
    nonzero.sort_unstable_by_key(|by| by.unsigned_abs());
    let (mut positive, mut ties, mut before) = (0.0, 0.0, 0.0);
    for tied in nonzero.chunk_by(|one, next| one.unsigned_abs() == next.unsigned_abs()) {
        let count = tied.len() as f64;
        let rank = before + f64::midpoint(count, 1.0);
        positive += rank * tied.iter().filter(|by| **by > 0).count() as f64;
        ties += count.powi(3) - count;
        before += count;
    }
    let count = before;
    let variance = count * (count + 1.0) * (2.0 * count + 1.0) / 24.0 - ties / 48.0;
    if variance > 0.0 {
        (positive - count * (count + 1.0) / 4.0) / variance.sqrt()
    } else {
        0.0
    }
}

/// Between which of the differences, in their order, the median of all that there could be lies.
fn median_within(sorted: &[i64]) -> (f64, f64) {
    let (Some(first), Some(last)) = (sorted.first(), sorted.last()) else {
        return (0.0, 0.0);
    };
    let count = sorted.len() as f64;
    let off = CHANCE * count.sqrt() / 2.0;
    let low = (count / 2.0 - off).floor().max(0.0) as usize;
    let high = (count / 2.0 + off).ceil() as usize;
    let at = |index: usize, outside: &i64| *sorted.get(index).unwrap_or(outside) as f64;
    (at(low, first), at(high, last))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Differences as they are measured: most of them small, some very long, on both sides alike.
    fn noise(count: u64) -> impl Iterator<Item = i64> {
        let mut state = 7_u64;
        (0..count).map(move |_| {
            state = state
                .wrapping_mul(6_364_136_223_846_793_005)
                .wrapping_add(1);
            let small = (state >> 40).cast_signed() % 10_000 - 5_000;
            if state >> 59 == 0 { small * 100 } else { small }
        })
    }

    #[test]
    fn what_takes_as_long_is_not_told_apart() {
        let told = tell(noise(400).collect());
        assert!(told.z.abs() < CHANCE, "{told:?}");
        assert!(told.within.0 < 0.0 && told.within.1 > 0.0, "{told:?}");
    }

    #[test]
    fn what_takes_longer_is_told_though_single_pairs_say_otherwise() {
        for sign in [1, -1] {
            let told = tell(noise(400).map(|by| by + sign * 1_500).collect());
            assert!(told.z * sign as f64 > CHANCE, "{told:?}");
            assert!(told.most() > 1_500.0 && told.most() < 3_000.0, "{told:?}");
        }
    }

    #[test]
    fn ranks_are_those_of_the_textbook() {
        // Without a tie: the positive ranks are 1, 3 and 5 of 6, against a mean of 10.5 and a variance of 22.75.
        let told = tell(vec![1, -2, 3, -4, 5, -6]);
        assert!(
            (told.z - (9.0 - 10.5) / 22.75_f64.sqrt()).abs() < 1e-9,
            "{told:?}"
        );
        // Pairs without a difference say nothing, and what is tied shares its ranks.
        let told = tell(vec![0, 2, -2, 2]);
        assert!(
            (told.z - (4.0 - 3.0) / (3.5_f64 - 0.5).sqrt()).abs() < 1e-9,
            "{told:?}"
        );
        assert!(tell(Vec::new()).z.abs() < 1e-9);
    }
}
