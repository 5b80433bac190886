//! Password hashes (bcrypt). Slow on purpose: callers go through the password gate.

/// Longest password in bytes: what bcrypt takes before it would cut in silence.
pub const MAX_BYTES: usize = 72;

/// Hashes a password of at most [`MAX_BYTES`] bytes.
///
/// # Errors
/// When the cost is out of range or the system has no random bytes.
pub fn hash(password: &str, cost: u32) -> Result<String, bcrypt::BcryptError> {
    // `non_truncating_hash` counts a closing NUL and so refuses 72 bytes, all of which count. The length is checked
    // here instead, so that nothing is ever cut.
    if password.len() > MAX_BYTES {
        return Err(bcrypt::BcryptError::Truncation(password.len()));
    }
    bcrypt::hash(password, cost)
}

/// Whether the password is the one that was hashed. A hash that cannot be read is nobody's.
#[must_use]
pub fn verify(password: &str, hash: &str) -> bool {
    password.len() <= MAX_BYTES && bcrypt::verify(password, hash).unwrap_or(false)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_byte_of_a_password_counts() {
        let longest = "x".repeat(72);
        let hashed = hash(&longest, 4).expect("72 bytes are allowed");
        assert!(verify(&longest, &hashed));
        assert!(!verify(&format!("{}y", "x".repeat(71)), &hashed));
        assert!(!verify(&"x".repeat(73), &hashed));
        assert!(hash(&"x".repeat(73), 4).is_err());
    }

    #[test]
    fn a_broken_hash_is_nobodys() {
        assert!(!verify("password", "not a hash"));
    }
}
