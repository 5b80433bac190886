//! Keys that the program makes: portable, in the order in which they are made, and below 2^53, so that JavaScript keeps
//! them exact.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// How often a key that was taken is replaced by another before the database is taken to be at fault.
pub const TRIES: usize = 5;
/// 2026-01-01T00:00:00Z, in milliseconds since 1970: where the count begins.
const BEGINNING_MS: u128 = 1_767_225_600_000;
/// The last millisecond that has room above the random bits and below 2^53.
const LAST_MS: i64 = (1 << 41) - 1;

/// A new key above the `greatest` that is stored: milliseconds since 2026 in the upper 41 bits (enough until 2095), 12
/// random bits below. Two that are made in the same millisecond may collide: whoever inserts takes the unique violation
/// as the answer and tries again.
#[must_use]
pub fn generate(greatest: Option<i64>) -> i64 {
    let now = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .unwrap_or(Duration::ZERO)
        .as_millis();
    let mut random = [0; 4];
    // Without random bytes the key is merely likelier to collide, which is handled.
    let _unlikely = getrandom::fill(&mut random);
    after(
        now,
        greatest.unwrap_or(0),
        i64::from(u32::from_le_bytes(random)),
    )
}

fn after(now_ms: u128, greatest: i64, random: i64) -> i64 {
    let millis = i64::try_from(now_ms.saturating_sub(BEGINNING_MS)).unwrap_or(i64::MAX);
    // A clock that is wrong by so much must not use up the keys that are left: it tells nothing.
    let millis = if millis > LAST_MS { 0 } else { millis };
    let by_clock = (millis << 12) | (random & 0xfff);
    // The clock was put back, or it is still the same millisecond: the key follows the greatest one. In the first case,
    // which may last, the distance is long enough that the key of a row that was deleted does not come again.
    let is_behind = by_clock < greatest.saturating_sub(60_000 << 12);
    let distance = random & if is_behind { 0xf_ffff } else { 0xfff };
    by_clock.max(greatest.saturating_add(1 + distance))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_positive_and_exact_in_javascript() {
        for now in [0, BEGINNING_MS, u128::from(u64::MAX)] {
            let key = after(now, 0, i64::from(u32::MAX));
            assert!(key > 0 && key < (1 << 53), "{now}: {key}");
        }
    }

    #[test]
    fn a_clock_in_another_century_uses_up_no_keys() {
        let year = 365 * 86_400_000;
        let today = after(BEGINNING_MS + year, 0, 0);
        let mut greatest = today;
        for _ in 0..1_000 {
            greatest = after(BEGINNING_MS + 80 * year, greatest, i64::from(u32::MAX));
        }
        assert!(greatest > today && greatest < after(BEGINNING_MS + 2 * year, 0, 0));
    }

    #[test]
    fn keys_rise_whatever_the_clock_says() {
        let year = 365 * 86_400_000;
        let mut greatest = 0;
        for now in [year, 2 * year, 0, BEGINNING_MS, 3 * year, 0, 0] {
            for random in [0, 0xfff, i64::from(u32::MAX)] {
                let key = after(BEGINNING_MS + now, greatest, random);
                assert!(key > greatest, "{now}: {key} after {greatest}");
                greatest = key;
            }
        }
    }
}
