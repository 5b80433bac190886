//! Access tokens (JWT, RFC 7519, HS256) and refresh tokens (opaque).

use std::{fmt, time::Duration};

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use jsonwebtoken::{Algorithm, DecodingKey, EncodingKey, Header, Validation};
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};
use subtle::ConstantTimeEq as _;

use super::{NoRandomness, random_bytes, random_name};

const AUDIENCE: &str = "parlour";
/// Another one, so that a refresh token is never taken for an access token, nor the other way round.
const REFRESH_AUDIENCE: &str = "parlour-refresh";

/// What an access token says. It is signed, not secret: it holds nothing that others may not see.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Claims {
    /// The user's id, as text (RFC 7519, 4.1.2).
    pub sub: String,
    /// The login this token belongs to; ended with it.
    pub sid: i64,
    /// This token's own name.
    pub jti: String,
    /// Always `parlour`: a token made with the same key for something else is not one of ours.
    pub aud: String,
    /// When it was made, in seconds since 1970.
    pub iat: i64,
    /// When it ends, in seconds since 1970.
    pub exp: i64,
}

#[derive(Serialize, Deserialize)]
struct RefreshClaims {
    sid: i64,
    jti: String,
    aud: String,
    exp: i64,
}

/// A clock that is set right by so little between two lives of the server is no reason to refuse a token, in seconds.
const TOLERANCE: i64 = 60;

/// Why a token was refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Refused {
    /// It was ours, but its time is over.
    Expired,
    /// It is ours, but was made at a time that is still to come: the clock was put back since.
    Ahead,
    /// It is not one of ours.
    Invalid,
}

/// Signs and checks access tokens.
#[derive(Clone)]
pub struct TokenKey {
    encoding: EncodingKey,
    decoding: DecodingKey,
    validation: Validation,
}

impl fmt::Debug for TokenKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("TokenKey")
    }
}

impl TokenKey {
    /// A key from the configured secret.
    #[must_use]
    pub fn new(secret: &str) -> Self {
        let mut validation = Validation::new(Algorithm::HS256);
        validation.set_audience(&[AUDIENCE]);
        validation.set_required_spec_claims(&["exp", "aud", "sub"]);
        // That would be decided by the machine's clock, which may be set at any moment: see `read`.
        validation.validate_exp = false;
        Self {
            encoding: EncodingKey::from_secret(secret.as_bytes()),
            decoding: DecodingKey::from_secret(secret.as_bytes()),
            validation,
        }
    }

    /// An access token for a user's login, good from `now` (seconds since 1970) for `life`.
    ///
    /// # Errors
    /// When the system has no random bytes to give, or signing fails.
    pub fn sign(
        &self,
        user_id: i64,
        session_id: i64,
        now: i64,
        life: Duration,
    ) -> Result<String, SigningFailed> {
        let claims = Claims {
            sub: user_id.to_string(),
            sid: session_id,
            jti: random_name().map_err(|_| SigningFailed)?,
            aud: AUDIENCE.into(),
            iat: now,
            exp: now.saturating_add_unsigned(life.as_secs()),
        };
        jsonwebtoken::encode(&Header::new(Algorithm::HS256), &claims, &self.encoding)
            .map_err(|_| SigningFailed)
    }

    /// The text of a refresh token, which the client keeps.
    ///
    /// # Errors
    /// When signing fails.
    pub fn sign_refresh(
        &self,
        session_id: i64,
        secret: &RefreshSecret,
        now: i64,
        life: Duration,
    ) -> Result<String, SigningFailed> {
        let claims = RefreshClaims {
            sid: session_id,
            jti: secret.0.clone(),
            aud: REFRESH_AUDIENCE.into(),
            exp: now.saturating_add_unsigned(life.as_secs()),
        };
        jsonwebtoken::encode(&Header::new(Algorithm::HS256), &claims, &self.encoding)
            .map_err(|_| SigningFailed)
    }

    /// The secret that takes the place of `used` when its login is to end at `ends` (microseconds since 1970). The same for
    /// the same two, so that it can be told again and need not be kept; without the key, no one can tell it.
    ///
    /// # Errors
    /// When signing fails.
    pub fn next_refresh(
        &self,
        used: &RefreshSecret,
        ends: i64,
    ) -> Result<RefreshSecret, SigningFailed> {
        // What is signed of a token begins otherwise: with the base64 of a brace.
        let text = format!("next refresh\n{}\n{ends}", used.0);
        jsonwebtoken::crypto::sign(text.as_bytes(), &self.encoding, Algorithm::HS256)
            .map(RefreshSecret)
            .map_err(|_| SigningFailed)
    }

    /// Reads a refresh token that we have signed; `None` for any other text.
    #[must_use]
    pub fn read_refresh(&self, text: &str) -> Option<(i64, RefreshSecret)> {
        let mut validation = Validation::new(Algorithm::HS256);
        validation.set_audience(&[REFRESH_AUDIENCE]);
        validation.set_required_spec_claims(&["exp", "aud"]);
        // When a login ends is written in the database, and moves with its use; the token need not know.
        validation.validate_exp = false;
        let claims = jsonwebtoken::decode::<RefreshClaims>(text, &self.decoding, &validation)
            .ok()?
            .claims;
        Some((claims.sid, RefreshSecret(claims.jti)))
    }

    /// Reads a token that is ours and, `now` (seconds since 1970), good.
    ///
    /// # Errors
    /// [`Refused`].
    pub fn read(&self, token: &str, now: i64) -> Result<Claims, Refused> {
        let claims = jsonwebtoken::decode::<Claims>(token, &self.decoding, &self.validation)
            .map_err(|_| Refused::Invalid)?
            .claims;
        if claims.exp <= now {
            return Err(Refused::Expired);
        }
        // One that was made while the clock was a year ahead would be good for a year.
        if claims.iat > now.saturating_add(TOLERANCE) {
            return Err(Refused::Ahead);
        }
        Ok(claims)
    }
}

/// A token could not be made: the system has no random bytes to give.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SigningFailed;

impl fmt::Display for SigningFailed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a token could not be signed")
    }
}

impl std::error::Error for SigningFailed {}

/// The secret of a refresh token, of which only the hash is stored. The first of a login is 256 random bits, each further
/// one the 256 bits of a keyed hash (HMAC-SHA256) of the one before. The token itself is signed and names its login, so that one that we have issued can be told from one that someone made up.
#[derive(Clone)]
pub struct RefreshSecret(String);

impl RefreshSecret {
    /// A new one.
    ///
    /// # Errors
    /// When the system has no random bytes to give.
    pub fn generate() -> Result<Self, NoRandomness> {
        Ok(Self(URL_SAFE_NO_PAD.encode(random_bytes::<32>()?)))
    }

    /// What is stored: SHA-256 of the secret part. It needs no salt: the secret is random, or made from a random one with our
    /// key. Whoever knows none of its forerunners cannot guess it, and whoever does would need the key.
    #[must_use]
    pub fn hash(&self) -> String {
        URL_SAFE_NO_PAD.encode(Sha256::digest(self.0.as_bytes()))
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

    const NOW: i64 = 4_000_000_000;

    fn key() -> TokenKey {
        TokenKey::new("a secret of the test, long enough to be one")
    }

    #[test]
    fn a_token_reads_back() {
        let token = key()
            .sign(7, 8, NOW, Duration::from_mins(1))
            .expect("signs");
        let claims = key().read(&token, NOW).expect("reads");
        assert_eq!(
            (claims.sub.as_str(), claims.sid, claims.exp),
            ("7", 8, NOW + 60)
        );
    }

    #[test]
    fn the_next_secret_is_the_same_for_the_same_use_only() {
        let (a, b) = (
            RefreshSecret::generate().expect("random"),
            RefreshSecret::generate().expect("random"),
        );
        let next = |key: &TokenKey, used: &RefreshSecret, ends| {
            key.next_refresh(used, ends).expect("signs").hash()
        };
        let one = next(&key(), &a, NOW);
        assert_eq!(one, next(&key(), &a, NOW));
        let other = TokenKey::new("another secret, as long as it has to be");
        for another in [
            next(&key(), &a, NOW + 1),
            next(&key(), &b, NOW),
            next(&other, &a, NOW),
            a.hash(),
        ] {
            assert_ne!(one, another);
        }
    }

    #[test]
    fn foreign_and_broken_tokens_are_refused() {
        let claims = |aud: &str| serde_json::json!({"sub":"7","sid":8,"jti":"x","aud":aud,"iat":NOW,"exp":NOW});
        let secret = EncodingKey::from_secret(b"a secret of the test, long enough to be one");
        let sign = |alg, claims: &serde_json::Value| {
            jsonwebtoken::encode(&Header::new(alg), claims, &secret).expect("signs")
        };
        let none = format!(
            "{}.{}.",
            URL_SAFE_NO_PAD.encode(r#"{"alg":"none"}"#),
            URL_SAFE_NO_PAD.encode(claims("parlour").to_string())
        );
        let mut text_exp = claims("parlour");
        text_exp["exp"] = "4000000000".into();
        let mut no_exp = claims("parlour");
        no_exp.as_object_mut().expect("an object").remove("exp");
        let other_key = TokenKey::new("another secret of the test, long enough")
            .sign(7, 8, NOW, Duration::ZERO)
            .expect("signs");
        for token in [
            none,
            other_key,
            sign(Algorithm::HS512, &claims("parlour")),
            sign(Algorithm::HS256, &claims("elsewhere")),
            sign(Algorithm::HS256, &text_exp),
            sign(Algorithm::HS256, &no_exp),
            ".".repeat(8_000),
            String::new(),
        ] {
            assert_eq!(key().read(&token, NOW), Err(Refused::Invalid), "{token}");
        }
    }

    #[test]
    fn a_token_is_good_for_its_time_by_the_clock_that_is_given() {
        for made in [0, 1_000_000_000, NOW] {
            let token = key()
                .sign(7, 8, made, Duration::from_mins(1))
                .expect("signs");
            let read = |now| key().read(&token, now).map(|claims| claims.iat);
            for now in [made - TOLERANCE, made, made + 59] {
                assert_eq!(read(now), Ok(made), "{now}");
            }
            assert_eq!(read(made + 60), Err(Refused::Expired));
            assert_eq!(read(i64::MAX), Err(Refused::Expired));
            assert_eq!(read(made - TOLERANCE - 1), Err(Refused::Ahead));
        }
    }

    #[test]
    fn a_refresh_token_matches_its_own_hash_only() {
        let token = RefreshSecret::generate().expect("random bytes");
        let text = key()
            .sign_refresh(5, &token, NOW, Duration::from_mins(1))
            .expect("signs");
        let (session_id, read) = key().read_refresh(&text).expect("reads back");
        assert_eq!(session_id, 5);
        assert!(read.matches(&token.hash()));
        assert!(
            !RefreshSecret::generate()
                .expect("random bytes")
                .matches(&token.hash())
        );
    }

    #[test]
    fn what_somebody_made_up_is_no_refresh_token() {
        let access = key()
            .sign(7, 8, NOW, Duration::from_mins(1))
            .expect("signs");
        let other = TokenKey::new("another secret of the test, long enough");
        let token = RefreshSecret::generate().expect("random bytes");
        let foreign = other
            .sign_refresh(5, &token, NOW, Duration::from_mins(1))
            .expect("signs");
        for text in [
            "",
            "5",
            "5.0123456789012345678901234567890123456789012",
            &access,
            &foreign,
        ] {
            assert!(key().read_refresh(text).is_none(), "{text}");
        }
        let refresh = key()
            .sign_refresh(5, &token, NOW, Duration::from_mins(1))
            .expect("signs");
        assert_eq!(key().read(&refresh, NOW), Err(Refused::Invalid));
    }
}
