//! Hashes that no one can compute without the server's key (HMAC-SHA256): for telling things apart without keeping them.

use std::fmt;

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use hmac::{Hmac, Mac as _};
use sha2::Sha256;

/// Makes hashes for one purpose.
#[derive(Clone)]
pub struct KeyedHash(Hmac<Sha256>);

impl fmt::Debug for KeyedHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("KeyedHash")
    }
}

impl KeyedHash {
    /// A hash from the configured secret. The same thing has another hash for another `purpose`. `None` never happens:
    /// any secret is a key.
    #[must_use]
    pub fn new(secret: &str, purpose: &'static str) -> Option<Self> {
        let mut mac = <Hmac<Sha256> as hmac::Mac>::new_from_slice(secret.as_bytes()).ok()?;
        mac.update(purpose.as_bytes());
        mac.update(&[0]);
        Some(Self(mac))
    }

    /// The hash of a text.
    #[must_use]
    pub fn bytes(&self, text: &str) -> [u8; 32] {
        let mut mac = self.0.clone();
        mac.update(text.as_bytes());
        mac.finalize().into_bytes().into()
    }

    /// The first half of the hash of a text, as text.
    #[must_use]
    pub fn name(&self, text: &str) -> String {
        URL_SAFE_NO_PAD.encode(&self.bytes(text)[..16])
    }
}

/// What stands for the names of deleted accounts, so that none is given again and no one without a key can guess one back.
/// It is made with the encryption keys, of which the old ones are kept for as long as there is something to open.
#[derive(Debug, Clone)]
pub struct DeletedNames(Vec<KeyedHash>);

impl DeletedNames {
    /// From `ENCRYPTION_KEY`: strings separated by commas.
    #[must_use]
    pub fn new(keys: &str) -> Self {
        let keys = keys.split(',').map(|key| key.trim().trim_end_matches('='));
        let keys = keys.filter(|key| !key.is_empty());
        Self(
            keys.filter_map(|key| KeyedHash::new(key, "name of a deleted account"))
                .collect(),
        )
    }

    /// For the unkeyed hash of a name: what stands for it by each key, that of the present key first.
    #[must_use]
    pub fn of(&self, hash: &str) -> Vec<String> {
        self.0.iter().map(|key| key.name(hash)).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_hash_depends_on_key_purpose_and_text() {
        let name = |secret, purpose, text: &str| {
            KeyedHash::new(secret, purpose).expect("any key").name(text)
        };
        assert_eq!(name("k", "p", "t"), name("k", "p", "t"));
        for other in [
            name("l", "p", "t"),
            name("k", "q", "t"),
            name("k", "p", "u"),
        ] {
            assert_ne!(name("k", "p", "t"), other);
        }
    }
}
