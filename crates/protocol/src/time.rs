//! How an instant is written on the wire: RFC 3339 in UTC, six fractional digits, and an explicit `+00:00` — not
//! `Z`, which the ISO reader of older clients does not know.

use chrono::{DateTime, Datelike as _, SecondsFormat, SubsecRound, Timelike as _, Utc};
use serde::{Deserialize, Deserializer, Serializer, de::Error as _};

/// An instant in UTC, whole microseconds (see [`now`]).
pub type Timestamp = DateTime<Utc>;

/// What is said of a text that is no time.
const UNREAD: &str = "a time is written like 2026-11-22T14:07:45+00:00, with a year from 1 to 9999";

/// Reads an RFC 3339 instant, to the microsecond. One whose year has not four digits in UTC (`9999-12-31T23:59:59-01:00`) is
/// none: what would be written of it, no client could read.
#[must_use]
pub fn read(text: &str) -> Option<Timestamp> {
    let at = DateTime::parse_from_rfc3339(text).ok()?;
    // A leap second, which most readers do not take.
    let at = at.with_nanosecond(at.nanosecond().min(999_999_999))?;
    let at = at.with_timezone(&Utc).trunc_subsecs(6);
    (1..=9_999).contains(&at.year()).then_some(at)
}

/// The present, cut to microseconds. Every stored time is made here: SQLite would keep nanoseconds and PostgreSQL
/// microseconds, and the same instant must compare equal on both.
#[must_use]
pub fn now() -> Timestamp {
    Utc::now().trunc_subsecs(6)
}

/// `2026-11-22T14:07:45.123456+00:00`.
#[must_use]
pub fn format(at: &Timestamp) -> String {
    at.to_rfc3339_opts(SecondsFormat::Micros, false)
}

/// For `#[serde(with = "time")]`.
///
/// # Errors
/// Whatever the serializer reports.
pub fn serialize<S: Serializer>(at: &Timestamp, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_str(&format_args!("{}", format(at)))
}

/// For `#[serde(with = "time")]`.
///
/// # Errors
/// When the text is not an RFC 3339 instant.
pub fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Timestamp, D::Error> {
    let text = String::deserialize(deserializer)?;
    read(&text).ok_or_else(|| D::Error::custom(UNREAD))
}

/// For `#[serde(default, with = "time::optional", skip_serializing_if = "Option::is_none")]`.
pub mod optional {
    use serde::{Deserialize as _, Deserializer, Serializer, de::Error as _};

    use super::{Timestamp, UNREAD};

    /// For `#[serde(with)]`.
    ///
    /// # Errors
    /// Whatever the serializer reports.
    pub fn serialize<S: Serializer>(
        at: &Option<Timestamp>,
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        match at {
            Some(at) => super::serialize(at, serializer),
            None => serializer.serialize_none(),
        }
    }

    /// For `#[serde(with)]`.
    ///
    /// # Errors
    /// When there is a text and it is not an RFC 3339 instant.
    pub fn deserialize<'de, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<Option<Timestamp>, D::Error> {
        Option::<String>::deserialize(deserializer)?
            .map(|text| super::read(&text).ok_or_else(|| D::Error::custom(UNREAD)))
            .transpose()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_is_written_with_an_explicit_offset_and_six_digits() {
        let at = DateTime::from_timestamp(1_700_000_000, 120_000_000).unwrap_or_default();
        assert_eq!(format(&at), "2023-11-14T22:13:20.120000+00:00");
    }

    #[test]
    fn what_is_read_can_be_written_and_read_again() {
        for (text, written) in [
            ("2030-06-30T23:59:60Z", "2030-06-30T23:59:59.999999+00:00"),
            ("2026-11-22T14:07:45Z", "2026-11-22T14:07:45.000000+00:00"),
            (
                "2026-11-22T14:07:45.123456789+01:00",
                "2026-11-22T13:07:45.123456+00:00",
            ),
            (
                "9999-12-31T23:59:59+00:00",
                "9999-12-31T23:59:59.000000+00:00",
            ),
        ] {
            let at = read(text).expect(text);
            assert_eq!(format(&at), written);
            assert_eq!(read(written), Some(at));
        }
        for text in [
            "9999-12-31T23:59:59-01:00",
            "0000-12-31T00:00:00Z",
            "0001-01-01T00:00:00+01:00",
            "tomorrow",
        ] {
            assert_eq!(read(text), None, "{text}");
        }
    }
}
