//! Keys and what is done with them, pure and without I/O: [`binding`] (what binds a sealed text to its place), [`keyed`] (HMAC), [`password`] (bcrypt), [`token`] (JWT and refresh tokens),
//! [`vault`] (Fernet, many keys). This room knows no one.

pub mod binding;
pub mod keyed;
pub mod password;
pub mod token;
pub mod vault;

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use sha2::{Digest as _, Sha256};

/// The system's random number generator did not answer. Nothing secret can be made without it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NoRandomness;

impl std::fmt::Display for NoRandomness {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("the system's random number generator does not answer")
    }
}

impl std::error::Error for NoRandomness {}

/// `N` random bytes from the system.
///
/// # Errors
/// When the system has none to give.
pub fn random_bytes<const N: usize>() -> Result<[u8; N], NoRandomness> {
    let mut bytes = [0; N];
    getrandom::fill(&mut bytes).map_err(|_| NoRandomness)?;
    Ok(bytes)
}

/// A name that no one can guess: 128 random bits in URL-safe base64.
///
/// # Errors
/// When the system has no random bytes to give.
pub fn random_name() -> Result<String, NoRandomness> {
    Ok(URL_SAFE_NO_PAD.encode(random_bytes::<16>()?))
}

/// What stands for a set of numbers, whatever their order: a hash of them (SHA-256).
#[must_use]
pub fn name_of_set(numbers: &std::collections::BTreeSet<i64>) -> String {
    let mut hash = Sha256::new();
    for number in numbers {
        hash.update(number.to_be_bytes());
    }
    URL_SAFE_NO_PAD.encode(hash.finalize())
}
