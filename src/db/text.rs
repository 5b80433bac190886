//! Texts as they are stored, whatever was made of them by hand.

use diesel::{
    backend::Backend,
    deserialize::{self, FromSql, FromSqlRow},
    sql_types::Text,
};

/// A stored text. One that is none (SQLite takes any bytes) is empty, and does not make its row unreadable.
#[derive(Debug, Clone, FromSqlRow)]
pub struct StoredText(String);

impl StoredText {
    /// The text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl From<StoredText> for String {
    fn from(text: StoredText) -> Self {
        text.0
    }
}

impl<DB: Backend> FromSql<Text, DB> for StoredText
where
    String: FromSql<Text, DB>,
{
    fn from_sql(bytes: DB::RawValue<'_>) -> deserialize::Result<Self> {
        Ok(Self(String::from_sql(bytes).unwrap_or_default()))
    }
}
