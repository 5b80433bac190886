//! What binds a sealed text to its place: a MAC (HMAC-SHA256) over the room, the number of the message, its author, what the
//! text is there for, and the sealed text. Fernet alone says that a text was sealed here; not that it is this person's, or stood in this room.

use std::fmt;

use base64::{Engine as _, engine::general_purpose::STANDARD_NO_PAD};
use hkdf::Hkdf;
use hmac::{Hmac, Mac as _};
use sha2::Sha256;

/// What a sealed text is there for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Purpose {
    /// Someone has written it.
    Text,
    /// The room says by itself what has changed.
    System,
    /// It is a room's topic.
    Topic,
    /// It is someone's e-mail address.
    Email,
    /// Someone has begun to write it.
    Draft,
    /// It is to be said later.
    Scheduled,
    /// It is what someone tells of themselves.
    Bio,
    /// It is how to speak of someone.
    Pronouns,
    /// It is the text of someone's status.
    StatusText,
    /// It is the emoji of someone's status.
    StatusEmoji,
}

impl Purpose {
    /// That of a message of this kind.
    #[must_use]
    pub fn of_kind(kind: &str) -> Self {
        if kind == "system" {
            Self::System
        } else {
            Self::Text
        }
    }

    /// What the MAC takes in. No sealed text begins with NUL, so none is taken for another purpose with less of a text; and
    /// what people have written has no mark, since it was bound before there were others.
    fn mark(self) -> &'static [u8] {
        match self {
            Self::Text => b"",
            Self::System => b"\0system\0",
            Self::Topic => b"\0topic\0",
            Self::Email => b"\0email\0",
            Self::Draft => b"\0draft\0",
            Self::Scheduled => b"\0scheduled\0",
            Self::Bio => b"\0bio\0",
            Self::Pronouns => b"\0pronouns\0",
            Self::StatusText => b"\0status text\0",
            Self::StatusEmoji => b"\0status emoji\0",
        }
    }
}

/// The number of the room, which there is not, for what belongs to none: people's e-mail addresses.
pub const NO_ROOM: i64 = 0;

/// Where a sealed text belongs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Place {
    /// The room.
    pub room_id: i64,
    /// The message's number in it.
    pub id: i64,
    /// Who wrote it.
    pub author: i64,
    /// What it is there for.
    pub purpose: Purpose,
}

impl Place {
    /// That of a room's topic.
    #[must_use]
    pub fn of_topic(room_id: i64) -> Self {
        Self {
            room_id,
            id: 0,
            author: 0,
            purpose: Purpose::Topic,
        }
    }

    /// That of what a user has begun to write in a room, or in a thread of it; 0: in the room itself.
    #[must_use]
    pub fn of_draft(user_id: i64, room_id: i64, thread: i64) -> Self {
        Self {
            room_id,
            id: thread,
            author: user_id,
            purpose: Purpose::Draft,
        }
    }

    /// That of what a user says later in a room.
    #[must_use]
    pub fn of_scheduled(user_id: i64, room_id: i64, id: i64) -> Self {
        Self {
            room_id,
            id,
            author: user_id,
            purpose: Purpose::Scheduled,
        }
    }

    /// That of someone's e-mail address.
    #[must_use]
    pub fn of_email(user_id: i64) -> Self {
        Self::of_user(user_id, Purpose::Email)
    }

    /// That of something about a user.
    #[must_use]
    pub fn of_user(user_id: i64, purpose: Purpose) -> Self {
        Self {
            room_id: NO_ROOM,
            id: user_id,
            author: user_id,
            purpose,
        }
    }
}

/// Binds with one key, and knows what any of them has bound.
#[derive(Clone)]
pub struct Binder(Vec<Hmac<Sha256>>);

impl fmt::Debug for Binder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Binder")
    }
}

impl Binder {
    /// From `ENCRYPTION_KEY`: strings separated by commas.
    #[must_use]
    pub fn new(keys: &str) -> Self {
        let keys = keys.split(',').map(|key| key.trim().trim_end_matches('='));
        let keys = keys.filter(|key| !key.is_empty());
        Self(keys.filter_map(derive).collect())
    }

    /// The MAC by the first key.
    #[must_use]
    pub fn bind(&self, place: Place, sealed: &str) -> String {
        let Some(key) = self.0.first() else {
            return String::new();
        };
        let mac = fed(key, place, sealed).finalize().into_bytes();
        STANDARD_NO_PAD.encode(mac)
    }

    /// Whether any of the keys has bound this text to this place.
    #[must_use]
    pub fn holds(&self, place: Place, sealed: &str, mac: &str) -> bool {
        STANDARD_NO_PAD.decode(mac).is_ok_and(|mac| {
            let holds = |key| fed(key, place, sealed).verify_slice(&mac).is_ok();
            self.0.iter().any(holds)
        })
    }
}

fn derive(key: &str) -> Option<Hmac<Sha256>> {
    let mut derived = [0; 32];
    Hkdf::<Sha256>::new(None, key.as_bytes())
        .expand(b"parlour: the place of a sealed text", &mut derived)
        .ok()?;
    <Hmac<Sha256> as hmac::Mac>::new_from_slice(&derived).ok()
}

fn fed(key: &Hmac<Sha256>, place: Place, sealed: &str) -> Hmac<Sha256> {
    let mut mac = key.clone();
    // Of a fixed length, so that no two places and texts are written alike.
    for number in [place.room_id, place.id, place.author] {
        mac.update(&number.to_be_bytes());
    }
    mac.update(place.purpose.mark());
    mac.update(sealed.as_bytes());
    mac
}

#[cfg(test)]
mod tests {
    use super::*;

    const PLACE: Place = Place {
        room_id: 1,
        id: 2,
        author: 3,
        purpose: Purpose::Text,
    };

    #[test]
    fn a_text_holds_in_its_place_and_in_no_other() {
        let binder = Binder::new("one");
        let mac = binder.bind(PLACE, "sealed");
        assert!(binder.holds(PLACE, "sealed", &mac));
        for other in [
            Place {
                room_id: 9,
                ..PLACE
            },
            Place { id: 9, ..PLACE },
            Place { author: 9, ..PLACE },
            Place {
                purpose: Purpose::System,
                ..PLACE
            },
            Place {
                purpose: Purpose::Topic,
                ..PLACE
            },
            Place {
                purpose: Purpose::Email,
                ..PLACE
            },
            Place {
                purpose: Purpose::Draft,
                ..PLACE
            },
            Place {
                purpose: Purpose::Scheduled,
                ..PLACE
            },
        ] {
            assert!(!binder.holds(other, "sealed", &mac), "{other:?}");
        }
        assert!(!binder.holds(PLACE, "another", &mac));
        assert!(!binder.holds(PLACE, "sealed", "no MAC"));
        assert!(!binder.holds(PLACE, "sealed", ""));
    }

    #[test]
    fn the_first_key_binds_and_all_know_what_they_have_bound() {
        let old = Binder::new("one==").bind(PLACE, "sealed");
        let both = Binder::new(" two, one ");
        assert!(both.holds(PLACE, "sealed", &old));
        assert_ne!(both.bind(PLACE, "sealed"), old);
        assert!(!Binder::new("two").holds(PLACE, "sealed", &old));
    }
}
