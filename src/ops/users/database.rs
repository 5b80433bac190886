//! The database that `parlour users` works on, and the reasons for which a command may fail.

use std::{collections::BTreeMap, fmt, path::PathBuf};

use secrecy::ExposeSecret as _;

use crate::{
    chat::epoch,
    config::{
        ConfigError, DatabaseUrl, FoundKey, KeySettings, Storage, StorageSettings, passed_over,
    },
    crypto::vault::Vault,
    db::{
        AnyConnection, QueryError,
        conn::{self, WriteError},
        connector::one_line,
        disk, facts, migrate, privileges,
    },
    start,
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

/// The database that holds the accounts.
pub(super) struct Accounts {
    url: DatabaseUrl,
    conn: AnyConnection,
    data_dir: PathBuf,
}

impl Accounts {
    pub(super) fn open(settings: &StorageSettings) -> Result<Self, Failure> {
        let storage = Storage::look(settings)?;
        start::database::refuse_wrong_log(&storage)?;
        let url = storage.database_url;
        if let DatabaseUrl::Sqlite(path) = &url
            && !path.exists()
        {
            return Err(Failure::Database(format!(
                "There is no database {url} yet: start the server once, or run `parlour migrate`, or check DATA_DIR and DATABASE_URL."
            )));
        }
        let broken = |error: &dyn fmt::Display| {
            let cause = one_line(error);
            let known = disk::find_trouble(&url, &cause);
            let known = known.or_else(|| privileges::explain_denial(&url, &cause));
            Failure::Database(known.unwrap_or_else(|| format!(
                "The database {url} cannot be reached: check DATABASE_URL and that the database is running ({cause})."
            )))
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
        if let Some(sentence) = epoch::find_another(&mut conn, &url, &storage.data_dir)
            .map_err(|error| broken(&error))?
        {
            return Err(Failure::Wrong(sentence));
        }
        Ok(Self {
            url,
            conn,
            data_dir: storage.data_dir,
        })
    }

    /// Room → up to which message those are believed that nothing binds to their place.
    pub(super) fn list_believed(&mut self) -> Result<BTreeMap<i64, i64>, Failure> {
        let data_dir = self.data_dir.clone();
        self.read(|conn| epoch::list_believed(conn, &data_dir))
    }

    /// The keys that open what is in the database, as `ENCRYPTION_KEY` has them; none when nothing was ever sealed here and
    /// no key was made yet.
    pub(super) fn find_keys(
        &mut self,
        storage: &StorageSettings,
        settings: &KeySettings,
    ) -> Result<String, Failure> {
        let sealed = self.read(|conn| facts::list(conn, facts::KEY_CHECK))?;
        let data_dir = Storage::look(storage)?.data_dir;
        let keys = match FoundKey::encryption(settings, &data_dir)? {
            FoundKey::Given(key) | FoundKey::Kept(_, key) => key.expose_secret().to_owned(),
            FoundKey::Missing(_) if sealed.is_empty() => String::new(),
            FoundKey::Missing(path) => {
                return Err(Failure::Wrong(format!(
                    "This takes the key of the server: set ENCRYPTION_KEY to it, or the DATA_DIR in which it is kept ({} is not there).",
                    path.display()
                )));
            }
        };
        let opens = |keys: &str| Vault::new(keys).is_some_and(|vault| vault.opens_all(&sealed));
        if keys.is_empty() || opens(&keys) {
            return Ok(keys);
        }
        Err(Failure::Wrong(passed_over(&data_dir, opens).unwrap_or_else(|| {
            "ENCRYPTION_KEY does not open what is in this database: give the key that the server uses.".into()
        })))
    }

    /// The one key by which a deleted name is kept: the first that has sealed something here, which the server has. One in
    /// front of it is perhaps not yet the server's. `None` when nothing was ever sealed here.
    pub(super) fn find_key_of_names(
        &mut self,
        storage: &StorageSettings,
        settings: &KeySettings,
    ) -> Result<Option<String>, Failure> {
        let keys = self.find_keys(storage, settings)?;
        let sealed = self.read(|conn| facts::list(conn, facts::KEY_CHECK))?;
        let has_sealed = |key: &&str| {
            Vault::new(key)
                .is_some_and(|vault| sealed.iter().any(|sealed| vault.is_current(sealed)))
        };
        Ok(keys.split(',').find(has_sealed).map(str::to_owned))
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
