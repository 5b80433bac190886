//! The database that `parlour users` works on, and why it may have done nothing.

use std::fmt;

use crate::{
    config::{ConfigError, DatabaseUrl, Storage, StorageSettings},
    db::{
        AnyConnection, QueryError,
        conn::{self, WriteError},
        migrate,
    },
};

/// Why nothing was done: a sentence, and the exit code.
#[derive(Debug)]
pub(super) enum Failure {
    /// The account is not there, is there already, or is in another state (1).
    Refused(String),
    /// A setting or what was typed is not right (2).
    Wrong(String),
    /// The database is not there or does not answer (3).
    Database(String),
}

impl Failure {
    pub(super) const fn code(&self) -> i32 {
        match self {
            Self::Refused(_) => 1,
            Self::Wrong(_) => 2,
            Self::Database(_) => 3,
        }
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (Self::Refused(text) | Self::Wrong(text) | Self::Database(text)) = self;
        f.write_str(text)
    }
}

impl From<ConfigError> for Failure {
    fn from(error: ConfigError) -> Self {
        Self::Wrong(error.0)
    }
}

/// Where the accounts are.
pub(super) struct Accounts {
    url: DatabaseUrl,
    conn: AnyConnection,
}

impl Accounts {
    pub(super) fn open(settings: &StorageSettings) -> Result<Self, Failure> {
        let url = Storage::look(settings)?.database_url;
        if let DatabaseUrl::Sqlite(path) = &url
            && !path.exists()
        {
            return Err(Failure::Database(format!(
                "There is no database {url} yet: start the server once, or run `parlour migrate`, or check DATA_DIR and DATABASE_URL."
            )));
        }
        let broken = |error: &dyn fmt::Display| {
            Failure::Database(format!(
                "The database {url} cannot be reached: check DATABASE_URL and that the database is running ({}).",
                error.to_string().trim().replace('\n', " ")
            ))
        };
        let mut conn = conn::open(&url).map_err(|error| broken(&error))?;
        let standing = migrate::look(&mut conn).map_err(|error| broken(&error))?;
        if standing.is_new {
            return Err(Failure::Database(format!(
                "The database {url} is empty: start the server once, or run `parlour migrate`, or check DATABASE_URL."
            )));
        }
        if !standing.unknown.is_empty() {
            return Err(Failure::Database(format!(
                "The database {url} was brought up to date by a newer Parlour: use that one."
            )));
        }
        if !standing.pending.is_empty() {
            return Err(Failure::Database(format!(
                "The database {url} is that of an older Parlour: run `parlour migrate`, or start the server, first."
            )));
        }
        Ok(Self { url, conn })
    }

    pub(super) fn read<T>(
        &mut self,
        query: impl FnOnce(&mut AnyConnection) -> Result<T, QueryError>,
    ) -> Result<T, Failure> {
        query(&mut self.conn).map_err(|error| self.failed(&error))
    }

    /// Runs a change in a transaction. What it refuses, it has not changed.
    pub(super) fn write<T>(
        &mut self,
        change: impl FnOnce(&mut AnyConnection) -> Result<Result<T, Failure>, QueryError>,
    ) -> Result<T, Failure> {
        match conn::write(&mut self.conn, change) {
            Ok(done) => done,
            Err(WriteError::Refused(error)) => Err(self.failed(&error)),
            Err(WriteError::Unknown(error)) => Err(Failure::Database(format!(
                "The database {} did not confirm the change ({error}): look with `parlour users list`, and try again.",
                self.url
            ))),
        }
    }

    fn failed(&self, error: &QueryError) -> Failure {
        Failure::Database(format!(
            "The database {} did not take this ({error}): nothing was changed; try again.",
            self.url
        ))
    }
}
