//! Whether the configured keys are those of the database.

use secrecy::ExposeSecret as _;

use super::database::unreachable_database;
use crate::{
    config::{Config, ConfigError, DatabaseUrl, passed_over},
    crypto::{keyed::DeletedNames, vault::Vault},
    db::{
        AnyConnection, QueryError, WriteError, conn, facts,
        users::{self, changes},
    },
};

/// Gives what an older release has kept of deleted names a key.
pub(super) fn key_deleted_names(
    config: &Config,
    conn: &mut AnyConnection,
) -> Result<(), QueryError> {
    let names = DeletedNames::new(config.keys.encryption_key.expose_secret());
    changes::overwrite_what_is_deleted(conn)?;
    let keyed = |hash: &str| names.of(hash).into_iter().next();
    let written = conn::write(conn, |conn| users::key_deleted(conn, keyed));
    let count = written.map_err(|error| match error {
        WriteError::Refused(error) | WriteError::Unknown(error) => error,
    })?;
    if count > 0 {
        // What could be guessed back stands in the log, too. Someone may be reading; then it is emptied later.
        let _later = changes::empty_log(conn);
    }
    Ok(())
}

/// What each key has sealed to be known by. With other keys, all would be unreadable, and new messages would be sealed
/// with a key that the old ones do not have.
pub(super) fn check(
    config: &Config,
    conn: &mut AnyConnection,
    url: &DatabaseUrl,
    vault: &Vault,
) -> Result<Vec<String>, ConfigError> {
    let checks = facts::list(conn, facts::KEY_CHECK);
    let checks = checks.map_err(|error| unreachable_database(url, &error))?;
    if vault.opens_all(&checks) {
        Ok(checks)
    } else {
        Err(wrong_keys(config, &checks))
    }
}

fn wrong_keys(config: &Config, checks: &[String]) -> ConfigError {
    let opens = |keys: &str| Vault::new(keys).is_some_and(|vault| vault.opens_all(checks));
    if let Some(advice) = passed_over(&config.storage.data_dir, opens) {
        return ConfigError(advice);
    }
    ConfigError(config.keys.new_encryption_key().map_or_else(
        || "ENCRYPTION_KEY does not open what is in this database: give the key it was sealed with (to change it, put the new key first and keep the old one behind a comma).".into(),
        |path| format!(
            "This database was sealed with a key that is not there: put {} back from where you keep the key (a backup of Parlour never holds it), or set ENCRYPTION_KEY to it.",
            path.display()
        ),
    ))
}
