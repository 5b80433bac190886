//! Sealing and opening what is kept at rest: Fernet (AES-128-CBC and HMAC-SHA256, github.com/fernet/spec), with any
//! number of keys: the first seals, all open.

use std::{
    collections::BTreeMap,
    fmt,
    sync::{PoisonError, RwLock},
    time::{SystemTime, UNIX_EPOCH},
};

use base64::{Engine as _, engine::general_purpose::URL_SAFE};
use fernet::Fernet;
use sha2::{Digest as _, Sha256};

use super::binding::{Binder, Place, Purpose};

/// Fernet refuses what was sealed more than a minute after the time at which it is opened. A clock that was ahead and was
/// put right must not make a message unreadable, so all is opened at the end of time. (The greatest number would
/// overflow: fernet adds its minute to it.)
const END_OF_TIME: u64 = u64::MAX / 2;

/// Stands between a sealed text and what binds it, and in neither of them.
pub const BEHIND: char = '.';

/// Seals with one key and opens with many.
pub struct Vault {
    sealing: Fernet,
    opening: Vec<Fernet>,
    binder: Binder,
    /// Room → up to which message texts are believed that nothing binds to their place. (In no room: up to which user.)
    unbound: RwLock<BTreeMap<i64, i64>>,
}

/// A sealed text as it lies in its row.
#[derive(Debug, Clone, Copy)]
pub struct Bound<'a> {
    /// Where it lies.
    pub place: Place,
    /// The sealed text.
    pub sealed: &'a str,
    /// What binds it there. Rows of an older release have none until they are given one.
    pub mac: Option<&'a str>,
}

impl fmt::Debug for Vault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Vault")
    }
}

/// The stored text is damaged, forged, or was sealed with a key that is not here.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CannotOpen;

impl fmt::Display for CannotOpen {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the sealed text is damaged or was sealed with another key")
    }
}

impl std::error::Error for CannotOpen {}

/// The key that the software which Parlour replaces makes of any string: its SHA-256.
fn hashed(text: &str) -> String {
    URL_SAFE.encode(Sha256::digest(text.as_bytes()))
}

impl Vault {
    /// A vault from `ENCRYPTION_KEY`: strings separated by commas. One that is a Fernet key is used as it is, any
    /// other is hashed to make one. The predecessor hashed *every* string, also those that are keys already, so
    /// opening tries that too. `None` when there is no key at all.
    #[must_use]
    pub fn new(keys: &str) -> Option<Self> {
        let mut opening = Vec::new();
        let mut sealing = None;
        for text in keys
            .split(',')
            .map(str::trim)
            .filter(|text| !text.is_empty())
        {
            let as_hash = Fernet::new(&hashed(text))?;
            if let Some(as_is) = Fernet::new(text) {
                sealing.get_or_insert_with(|| as_is.clone());
                opening.push(as_is);
            }
            sealing.get_or_insert_with(|| as_hash.clone());
            opening.push(as_hash);
        }
        Some(Self {
            sealing: sealing?,
            opening,
            binder: Binder::new(keys),
            unbound: RwLock::default(),
        })
    }

    /// Seals a text with the first key.
    #[must_use]
    pub fn seal(&self, text: &str) -> String {
        // `encrypt` panics when the clock says a time before 1970; what is written here decides nothing.
        let now = SystemTime::now()
            .duration_since(UNIX_EPOCH)
            .map_or(0, |since| since.as_secs());
        self.sealing.encrypt_at_time(text.as_bytes(), now)
    }

    /// Seals what has no column for a MAC of its own: with what binds it to its place behind it.
    #[must_use]
    pub fn seal_at(&self, place: Place, text: &str) -> String {
        self.bound_at(place, &self.seal(text))
    }

    /// A sealed text with what binds it to its place behind it.
    #[must_use]
    pub fn bound_at(&self, place: Place, sealed: &str) -> String {
        format!("{sealed}{BEHIND}{}", self.bind(place, sealed))
    }

    /// Opens what [`Self::seal_at`] has sealed for this place.
    ///
    /// # Errors
    /// [`CannotOpen`], also when it belongs to another place.
    pub fn open_at(&self, place: Place, stored: &str) -> Result<String, CannotOpen> {
        let (sealed, mac) = match stored.split_once(BEHIND) {
            Some((sealed, mac)) => (sealed, Some(mac)),
            None => (stored, None),
        };
        self.open_bound(Bound { place, sealed, mac })
    }

    /// Opens what any of the keys has sealed, whatever the clock said then and says now.
    ///
    /// # Errors
    /// [`CannotOpen`].
    pub fn open(&self, sealed: &str) -> Result<String, CannotOpen> {
        let bytes = self.opening.iter().find_map(|key| open_with(key, sealed));
        String::from_utf8(bytes.ok_or(CannotOpen)?).map_err(|_| CannotOpen)
    }

    /// What binds a sealed text to its place.
    #[must_use]
    pub fn bind(&self, place: Place, sealed: &str) -> String {
        self.binder.bind(place, sealed)
    }

    /// From now on texts that nothing binds to their place are believed up to these messages of their rooms, and nowhere
    /// else: they were stored by a release that did not know of that.
    pub fn believe(&self, unbound: BTreeMap<i64, i64>) {
        *self.unbound.write().unwrap_or_else(PoisonError::into_inner) = unbound;
    }

    /// Whether a text lies where it was put.
    #[must_use]
    pub fn is_in_place(&self, bound: Bound<'_>) -> bool {
        if let Some(mac) = bound.mac {
            return self.binder.holds(bound.place, bound.sealed, mac);
        }
        let unbound = self.unbound.read().unwrap_or_else(PoisonError::into_inner);
        unbound
            .get(&bound.place.room_id)
            // A number that is none (SQLite reads a text as 0) was given by no release.
            .is_some_and(|last| (1..=*last).contains(&bound.place.id))
            // What a room says and its topic are always bound: the releases that did not bind had neither.
            && matches!(bound.place.purpose, Purpose::Text | Purpose::Email)
    }

    /// Opens a text that lies where it was put.
    ///
    /// # Errors
    /// [`CannotOpen`], also when it belongs to another place.
    pub fn open_bound(&self, bound: Bound<'_>) -> Result<String, CannotOpen> {
        if self.is_in_place(bound) {
            self.open(bound.sealed)
        } else {
            Err(CannotOpen)
        }
    }

    /// Whether the keys open all of these.
    #[must_use]
    pub fn opens_all(&self, sealed: &[String]) -> bool {
        sealed.iter().all(|sealed| self.open(sealed).is_ok())
    }

    /// Whether the first key sealed this, so that it need not be sealed again.
    #[must_use]
    pub fn is_current(&self, sealed: &str) -> bool {
        open_with(&self.sealing, sealed).is_some()
    }
}

fn open_with(key: &Fernet, sealed: &str) -> Option<Vec<u8>> {
    key.decrypt_at_time(sealed, None, END_OF_TIME).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_key_seals_and_all_open() {
        let (old, new) = (Fernet::generate_key(), Fernet::generate_key());
        let sealed = Vault::new(&old).expect("a key").seal("hello");
        let both = Vault::new(&format!("{new}, {old}")).expect("two keys");
        assert_eq!(both.open(&sealed).as_deref(), Ok("hello"));
        assert!(!both.is_current(&sealed) && both.is_current(&both.seal("hello")));
        assert_eq!(
            Vault::new(&new).expect("a key").open(&sealed),
            Err(CannotOpen)
        );
    }

    #[test]
    fn what_is_sealed_for_one_place_opens_in_no_other() {
        let vault = Vault::new("any passphrase of some length or other").expect("a key");
        let topic = vault.seal_at(Place::of_topic(7), "hello");
        assert_eq!(
            vault.open_at(Place::of_topic(7), &topic).as_deref(),
            Ok("hello")
        );
        let bare = vault.seal("hello");
        vault.believe([(7, 100), (0, 100)].into());
        for (place, stored) in [
            (Place::of_topic(8), &topic),
            (Place::of_email(7), &topic),
            (Place::of_topic(7), &bare),
        ] {
            assert_eq!(vault.open_at(place, stored), Err(CannotOpen), "{place:?}");
        }
        assert!(vault.open_at(Place::of_email(100), &bare).is_ok());
        assert!(vault.open_at(Place::of_email(101), &bare).is_err());
        vault.believe(BTreeMap::new());
        assert!(vault.open_at(Place::of_email(100), &bare).is_err());
    }

    #[test]
    fn what_the_predecessor_sealed_opens_whatever_its_key_looked_like() {
        for key in [
            Fernet::generate_key(),
            "any passphrase of some length or other".into(),
        ] {
            let sealed = Fernet::new(&hashed(&key))
                .expect("a key")
                .encrypt("hällo".as_bytes());
            assert_eq!(
                Vault::new(&key).expect("a key").open(&sealed).as_deref(),
                Ok("hällo")
            );
        }
    }

    #[test]
    fn what_a_clock_that_was_ahead_sealed_opens() {
        let key = Fernet::generate_key();
        let vault = Vault::new(&key).expect("a key");
        for at in [0, 1, 4_000_000_000, u64::from(u32::MAX), END_OF_TIME] {
            let sealed = Fernet::new(&key)
                .expect("a key")
                .encrypt_at_time(b"hello", at);
            assert_eq!(vault.open(&sealed).as_deref(), Ok("hello"), "{at}");
            assert!(vault.is_current(&sealed), "{at}");
        }
    }

    #[test]
    fn a_tampered_text_is_refused() {
        let vault = Vault::new("any passphrase of some length or other").expect("a key");
        let sealed = vault.seal("hello");
        for at in 0..sealed.len() {
            let mut bytes = sealed.clone().into_bytes();
            bytes[at] = if bytes[at] == b'A' { b'B' } else { b'A' };
            let text = String::from_utf8(bytes).expect("ASCII");
            // The padding bits of the last base64 digit carry nothing: changing those changes no byte.
            if URL_SAFE.decode(&text).ok() != URL_SAFE.decode(&sealed).ok() {
                assert_eq!(vault.open(&text), Err(CannotOpen), "byte {at}");
            }
        }
        assert!(Vault::new(" , ").is_none());
    }
}
