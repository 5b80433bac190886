//! Password hashes (bcrypt). Slow on purpose: callers go through the password gate.
//!
//! A password is hashed in Unicode's composed form (NFC), because keyboards differ in how they send the same `é`. bcrypt
//! ends at a NUL and cuts at 72 bytes, both in silence, so neither ever reaches it.

use std::ops::Range;

use unicode_normalization::{UnicodeNormalization as _, is_nfc};

/// Longest password in bytes, counted in its composed form: what bcrypt takes before it would cut in silence.
pub const MAX_BYTES: usize = 72;

/// The greatest cost of a hash that is checked, and that can be set. One of these takes seconds of a core; one of 31 would
/// take a day, and keep all others from logging in.
pub const MAX_COST: u32 = 16;

/// In which form a password matched its hash.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Form {
    /// In the form that [`hash`] gives it.
    Composed,
    /// As it was typed: the hash was made before passwords were composed.
    AsTyped,
}

/// Hashes a password of at most [`MAX_BYTES`] bytes that holds no NUL.
///
/// # Errors
/// When it would be cut, the cost is out of range or the system has no random bytes.
pub fn hash(password: &str, cost: u32) -> Result<String, bcrypt::BcryptError> {
    let composed: String = password.nfc().collect();
    // `non_truncating_hash` counts a closing NUL and so refuses 72 bytes, all of which count. Both are checked here
    // instead, so that nothing is ever cut.
    if !is_whole(&composed) {
        return Err(bcrypt::BcryptError::Truncation(composed.len()));
    }
    bcrypt::hash(composed, cost)
}

/// Whether the password is the one that was hashed, and in which form. A hash that cannot be read matches nothing.
///
/// Where `least` is above the cost of the hash, a password that does not match takes as long as with a hash of the cost
/// `least`. So the time depends on what was typed and on `least`, not on how old the hash is.
#[must_use]
pub fn verify(password: &str, hash: &str, least: u32) -> Option<Form> {
    let composed: String = password.nfc().collect();
    let matches = |text: &str| {
        let right = is_whole(text) && bcrypt::verify(text, hash).unwrap_or(false);
        if !right && is_whole(text) {
            spend(cost_of(hash).unwrap_or(least)..least);
        }
        right
    };
    if matches(&composed) {
        Some(Form::Composed)
    } else if !is_nfc(password) && matches(password) {
        Some(Form::AsTyped)
    } else {
        None
    }
}

/// Whether a hash costs more than is ever spent on one: no setting has made it.
#[must_use]
pub fn is_too_costly(hash: &str) -> bool {
    cost_of(hash).is_some_and(|cost| cost > MAX_COST)
}

/// The cost that a hash was made with.
#[must_use]
pub fn cost_of(hash: &str) -> Option<u32> {
    let parts: bcrypt::HashParts = hash.parse().ok()?;
    Some(parts.get_cost())
}

/// Whether bcrypt reads all of this.
fn is_whole(password: &str) -> bool {
    password.len() <= MAX_BYTES && !password.contains('\0')
}

/// Takes the time of one hash of each of these costs. Each cost takes twice as long as the one below it, so after a hash
/// of cost n, spending n..m makes it the time of one of cost m.
fn spend(costs: Range<u32>) {
    for cost in costs {
        let _only_its_time_counts = bcrypt::hash_with_salt("", cost, [0; 16]);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_byte_of_a_password_counts() {
        let longest = "x".repeat(72);
        let hashed = hash(&longest, 4).expect("72 bytes are allowed");
        assert!(verify(&longest, &hashed, 4).is_some());
        assert!(verify(&format!("{}y", "x".repeat(71)), &hashed, 4).is_none());
        assert!(verify(&"x".repeat(73), &hashed, 4).is_none());
        assert!(hash(&"x".repeat(73), 4).is_err());
    }

    #[test]
    fn what_follows_a_nul_is_not_left_out() {
        let hashed = hash("abcdefgh", 4).expect("hashes");
        assert!(verify("abcdefgh\0abcdefgh", &hashed, 4).is_none());
        assert!(verify("abcdefgh\0", &hashed, 4).is_none());
        assert!(hash("abcdefgh\0abcdefgh", 4).is_err());
    }

    #[test]
    fn a_password_is_the_same_however_a_keyboard_sends_it() {
        let (composed, decomposed) = ("pässwörter", "pa\u{308}sswo\u{308}rter");
        let hashed = hash(decomposed, 4).expect("hashes");
        assert_eq!(verify(composed, &hashed, 4), Some(Form::Composed));
        assert_eq!(verify(decomposed, &hashed, 4), Some(Form::Composed));
        // What counts is the composed form: 36 of these are 108 bytes as typed, and 72 composed.
        let longest = "a\u{308}".repeat(36);
        assert!(hash(&longest, 4).is_ok_and(|hashed| verify(&longest, &hashed, 4).is_some()));
        assert!(hash(&"a\u{308}".repeat(37), 4).is_err());
    }

    #[test]
    fn a_hash_from_before_passwords_were_composed_goes_on_working() {
        let decomposed = "pa\u{308}sswo\u{308}rter";
        let old = bcrypt::hash(decomposed, 4).expect("hashes");
        assert_eq!(verify(decomposed, &old, 4), Some(Form::AsTyped));
        assert_eq!(verify("passwo\u{308}rter", &old, 4), None);
    }

    #[test]
    fn a_broken_hash_matches_nothing() {
        assert_eq!(verify("password", "not a hash", 4), None);
        assert_eq!(verify("password", "", 4), None);
    }
}
