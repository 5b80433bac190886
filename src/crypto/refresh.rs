//! Refresh tokens (opaque).

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use sha2::{Digest as _, Sha256};
use subtle::ConstantTimeEq as _;

use super::{NoRandomness, random_bytes};

/// A refresh token: the login's id and 256 random bits. Only the hash of the secret part is stored.
#[derive(Clone)]
pub struct RefreshToken {
    /// The login it belongs to.
    pub session_id: i64,
    secret: String,
}

impl RefreshToken {
    /// A new one for a login.
    ///
    /// # Errors
    /// When the system has no random bytes to give.
    pub fn generate(session_id: i64) -> Result<Self, NoRandomness> {
        Ok(Self {
            session_id,
            secret: URL_SAFE_NO_PAD.encode(random_bytes::<32>()?),
        })
    }

    /// Reads what a client sent; `None` when it does not look like one of ours.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let (id, secret) = text.split_once('.')?;
        let looks_right = secret.len() == 43
            && secret
                .bytes()
                .all(|b| b.is_ascii_alphanumeric() || b"-_".contains(&b));
        looks_right.then_some(())?;
        Some(Self {
            session_id: id.parse().ok()?,
            secret: secret.into(),
        })
    }

    /// The text that the client keeps.
    #[must_use]
    pub fn reveal(&self) -> String {
        format!("{}.{}", self.session_id, self.secret)
    }

    /// What is stored: SHA-256 of the secret part. It needs no salt, the secret being 256 random bits.
    #[must_use]
    pub fn hash(&self) -> String {
        URL_SAFE_NO_PAD.encode(Sha256::digest(self.secret.as_bytes()))
    }

    /// Whether this token is the one that was stored as `hash`, in constant time.
    #[must_use]
    pub fn matches(&self, hash: &str) -> bool {
        self.hash().as_bytes().ct_eq(hash.as_bytes()).into()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_refresh_token_matches_its_own_hash_only() {
        let token = RefreshToken::generate(5).expect("random bytes");
        let read = RefreshToken::parse(&token.reveal()).expect("reads back");
        assert_eq!(read.session_id, 5);
        assert!(read.matches(&token.hash()));
        assert!(
            !RefreshToken::generate(5)
                .expect("random bytes")
                .matches(&token.hash())
        );
        for text in [
            "",
            "5",
            "5.",
            "5.short",
            "x.0123456789012345678901234567890123456789012",
        ] {
            assert!(RefreshToken::parse(text).is_none(), "{text}");
        }
    }
}
