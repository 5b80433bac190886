//! Times as they are stored, whatever was made of them by hand.

use chrono::{Datelike as _, NaiveDateTime};
use diesel::{
    backend::Backend,
    deserialize::{self, FromSql, FromSqlRow},
    sql_types::Timestamp,
};

/// A stored time. One that no clock shows (`infinity`, a year of five digits, no time at all) does not make its row
/// unreadable.
#[derive(Debug, Clone, Copy, PartialEq, Eq, FromSqlRow)]
pub struct StoredTime(Option<NaiveDateTime>);

impl StoredTime {
    /// The time; the beginning of 1970 when it is none that can be shown.
    #[must_use]
    pub fn get(self) -> NaiveDateTime {
        self.0
            .filter(|at| (1..=9_999).contains(&at.year()))
            .unwrap_or_default()
    }
}

impl<DB: Backend> FromSql<Timestamp, DB> for StoredTime
where
    NaiveDateTime: FromSql<Timestamp, DB>,
{
    fn from_sql(bytes: DB::RawValue<'_>) -> deserialize::Result<Self> {
        Ok(Self(NaiveDateTime::from_sql(bytes).ok()))
    }
}
