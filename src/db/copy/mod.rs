//! A whole database taken out row by row, and put into another one, of the same kind or not. Every row is a JSON array
//! that the database itself writes and reads, so a new table or column needs nothing here.

mod export;
mod import;
mod shape;

use std::{fmt, io};

pub use self::{
    export::{Refusal, Snapshot},
    import::{Holding, Import, fold_log, look_into},
    shape::{Table, of_versions},
};
use super::migrate::Failure;

/// Why a database could not be copied.
#[derive(Debug)]
pub enum CopyError {
    /// The database's own words.
    Database(String),
    /// The commit was not confirmed: all may have been copied, or nothing. The database's own words.
    Unconfirmed(String),
    /// The file that is copied to or from.
    File(io::Error),
}

impl fmt::Display for CopyError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Database(words) | Self::Unconfirmed(words) => f.write_str(words.trim()),
            Self::File(error) => error.fmt(f),
        }
    }
}

impl std::error::Error for CopyError {}

impl From<diesel::result::Error> for CopyError {
    fn from(error: diesel::result::Error) -> Self {
        Self::Database(error.to_string())
    }
}

impl From<diesel::ConnectionError> for CopyError {
    fn from(error: diesel::ConnectionError) -> Self {
        Self::Database(error.to_string())
    }
}

impl From<Failure> for CopyError {
    fn from(error: Failure) -> Self {
        Self::Database(error.to_string())
    }
}

impl From<io::Error> for CopyError {
    fn from(error: io::Error) -> Self {
        Self::File(error)
    }
}
