//! Keys that the program makes: portable, in the order of time, and below 2^53, so that JavaScript keeps them exact.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// How often a key that was taken is replaced by another before the database is taken to be at fault.
pub const TRIES: usize = 5;
/// 2026-01-01T00:00:00Z, in milliseconds since 1970: where the count begins.
const BEGINNING_MS: u128 = 1_767_225_600_000;

/// A new key: milliseconds since 2026 in the upper 41 bits (enough until 2095), 12 random bits below. Two that are
/// made in the same millisecond may collide: whoever inserts takes the unique violation as the answer and tries again.
#[must_use]
pub fn generate() -> i64 {
    let now = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .unwrap_or(Duration::ZERO)
        .as_millis();
    let millis = i64::try_from(now.saturating_sub(BEGINNING_MS)).unwrap_or(0) & ((1 << 41) - 1);
    let mut low = [0; 2];
    // Without random bytes the key is merely likelier to collide, which is handled.
    let _unlikely = getrandom::fill(&mut low);
    (millis << 12) | i64::from(u16::from_le_bytes(low) & 0xfff)
}

#[cfg(test)]
mod tests {
    #[test]
    fn a_key_is_positive_and_exact_in_javascript() {
        let key = super::generate();
        assert!(key > 0 && key < (1 << 53));
    }
}
