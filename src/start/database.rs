//! The database, before anything is served from it: whether it can be, whether it is this server's, and whether it is up to date.

use std::{
    path::Path,
    time::{Duration, Instant},
};

use super::keys;
use crate::{
    chat::epoch::{self, History},
    config::{Config, ConfigError, DatabaseUrl, Storage},
    crypto::vault::Vault,
    db::{
        AnyConnection, conn,
        connector::{Connector, one_line},
        disk, facts, file,
        integrity::{self, Depth},
        lock::{self, LockError, SoleServer},
        migrate, privileges, requirements, rooms, users,
    },
};

/// How long to wait for another server on the same database to end, as in a restart.
const HANDOVER: Duration = Duration::from_secs(10);

/// Takes the database for this process, once nothing is in the way, and brings it up to date. The configuration names its
/// real place from then on.
///
/// # Errors
/// One sentence about what is in the way.
pub(super) fn take(
    config: &mut Config,
    vault: &Vault,
) -> Result<(History, SoleServer), ConfigError> {
    config.storage.database_url = file::real(&config.storage.database_url).map_err(ConfigError)?;
    let mut connector = Connector::new(&config.storage.database_url, config.storage.wait);
    refuse_unfit(&mut connector)?;
    refuse_foreign(config, &mut connector, vault)?;
    let sole = take_lock(&mut connector)?;
    refuse_left(&config.storage)?;
    refuse_lost(&config.storage)?;
    refuse_damaged(&config.storage)?;
    refuse_foreign_log(config, vault)?;
    let history = prepare(config, &mut connector, vault)?;
    Ok((history, sole))
}

/// Refuses a database that cannot be served, by what a connection to it shows.
///
/// # Errors
/// One sentence about what is in the way.
pub fn refuse_unfit(connector: &mut Connector<'_>) -> Result<(), ConfigError> {
    let url = connector.url();
    if matches!(url, DatabaseUrl::Sqlite(_)) {
        // It is opened, and made, only by whoever has its lock.
        return Ok(());
    }
    let unreachable = |error: &dyn std::fmt::Display| unreachable_database(url, error);
    let mut conn = connector.open().map_err(|error| unreachable(&error))?;
    let fault =
        requirements::find_connection_fault(&mut conn, url).map_err(|error| unreachable(&error))?;
    fault.map_or(Ok(()), |fault| Err(ConfigError(fault)))
}

/// Refuses an embedded database that is sealed with other keys, before it is opened by who can write: if the log beside it is that of
/// another one, closing it again would put that into the database.
fn refuse_foreign_log(config: &Config, vault: &Vault) -> Result<(), ConfigError> {
    let url = &config.storage.database_url;
    let is_one = matches!(url, DatabaseUrl::Sqlite(path) if file::has_log(path));
    match is_one.then(|| conn::look(url)) {
        Some(Ok(mut conn)) => refuse_other_keys(config, &mut conn, vault),
        _ => Ok(()),
    }
}

/// Refuses an embedded database beside which a log lies that is not its own, before a command opens it that can write: whoever
/// closes it last puts the log into it, whatever that does to it. While a server has it, it is the server's.
///
/// # Errors
/// One sentence about what to do.
pub fn refuse_wrong_log(storage: &Storage) -> Result<(), ConfigError> {
    let DatabaseUrl::Sqlite(path) = &storage.database_url else {
        return Ok(());
    };
    let Ok(real) = file::resolve(path) else {
        return Ok(());
    };
    file::check_kinds(&real).map_err(ConfigError)?;
    if lock::sqlite::is_held(&real) {
        return Ok(());
    }
    refuse_log_of_another(storage, &real)
}

/// The same, for whoever has the lock.
///
/// # Errors
/// One sentence about what to do.
pub fn refuse_log_of_another(storage: &Storage, path: &Path) -> Result<(), ConfigError> {
    let url = &storage.database_url;
    // What another program has left in the middle of a change is undone before anyone can look.
    if !file::has_log(path) || file::has_journal(path) {
        return Ok(());
    }
    let Ok(mut conn) = conn::look(url) else {
        return Ok(());
    };
    match integrity::find_damage(&mut conn, Depth::Pages) {
        Ok(Some(damage)) => return Err(ConfigError(integrity::explain(url, &damage))),
        Err(error) if integrity::is_damage(&error.to_string()) => {
            return Err(ConfigError(integrity::explain(url, &one_line(&error))));
        }
        Ok(None) | Err(_) => {}
    }
    match epoch::find_another(&mut conn, url, &storage.data_dir) {
        Ok(Some(sentence)) => Err(ConfigError(sentence)),
        _ => Ok(()),
    }
}

/// Refuses a database that other keys have sealed, if it has been served before.
fn refuse_other_keys(
    config: &Config,
    conn: &mut AnyConnection,
    vault: &Vault,
) -> Result<(), ConfigError> {
    match migrate::look(conn) {
        Ok(standing) if !standing.is_new => {
            keys::check(config, conn, &config.storage.database_url, vault).map(|_| ())
        }
        _ => Ok(()),
    }
}

/// Refuses tables and keys that do not belong to this program, before the lock is asked for: who could not go on must not
/// win it from a server that has lost it for a moment.
fn refuse_foreign(
    config: &Config,
    connector: &mut Connector<'_>,
    vault: &Vault,
) -> Result<(), ConfigError> {
    let url = connector.url();
    if matches!(url, DatabaseUrl::Sqlite(_)) {
        // It is opened only by whoever has its lock, which no one loses.
        return Ok(());
    }
    let mut conn = connector
        .open()
        .map_err(|error| unreachable_database(url, &error))?;
    refuse_unfit_tables(&mut conn, url)?;
    refuse_other_keys(config, &mut conn, vault)
}

/// Takes the database for this process. Waits a while for another one to end.
///
/// # Errors
/// One sentence about what is in the way.
pub fn take_lock(connector: &mut Connector<'_>) -> Result<SoleServer, ConfigError> {
    let url = connector.url();
    lock::take(connector, HANDOVER).map_err(|error| match error {
        LockError::Taken => ConfigError(format!(
            "Another Parlour server is using {url}: stop it first, or give this one a DATABASE_URL (and DATA_DIR) of its own."
        )),
        LockError::Refused(sentence) => ConfigError(sentence),
        LockError::Unreachable(cause) => unreachable_database(url, &cause),
    })
}

/// Refuses to begin an empty database where there was one with messages: it was taken away, and everything would seem to be
/// gone, with every name free to be taken by others.
///
/// # Errors
/// One sentence about what to do.
pub fn refuse_lost(storage: &Storage) -> Result<(), ConfigError> {
    let Some(history) = epoch::find_traces(&storage.data_dir) else {
        return Ok(());
    };
    let url = &storage.database_url;
    let is_lost = match url {
        DatabaseUrl::Sqlite(path) => !path.exists() || holds_nothing(url),
        // One of PostgreSQL may be where an embedded one moves to.
        DatabaseUrl::Postgres(_) => epoch::was_elsewhere(&storage.data_dir) && holds_nothing(url),
    };
    if !is_lost {
        return Ok(());
    }
    let with_its_log = match url {
        DatabaseUrl::Sqlite(_) => " (with its -wal, if there is one)",
        DatabaseUrl::Postgres(_) => "",
    };
    Err(ConfigError(format!(
        "The database {} is not there, or is empty, though {} knows of messages: put it back{with_its_log}, restore a backup with `parlour restore`, or, to begin without them, remove {}.",
        storage.database_url,
        history.display(),
        history.display()
    )))
}

/// Whether a database can be looked at, and nobody was ever there: nothing was said, and there are no accounts.
fn holds_nothing(url: &DatabaseUrl) -> bool {
    let Ok(mut conn) = conn::look(url) else {
        return false;
    };
    match migrate::look(&mut conn) {
        Ok(standing) if standing.is_new => true,
        // An older release may lack what is asked for.
        Ok(_) => {
            rooms::count_changes(&mut conn).is_ok_and(|changes| changes == 0)
                && users::count_costs(&mut conn).is_ok_and(|costs| costs.is_empty())
        }
        Err(_) => false,
    }
}

/// Refuses the embedded database where another one was served last and none is named now: with the name of that one lost, the
/// chat of long ago would be served, and written to.
///
/// # Errors
/// One sentence about what to do.
fn refuse_left(storage: &Storage) -> Result<(), ConfigError> {
    if !storage.is_default || !epoch::was_elsewhere(&storage.data_dir) {
        return Ok(());
    }
    let url = &storage.database_url;
    // One that was restored just now was served by no one.
    let is_restored = conn::look(url).is_ok_and(|mut conn| {
        matches!(
            epoch::find_another(&mut conn, url, &storage.data_dir),
            Ok(None)
        )
    });
    if is_restored {
        return Ok(());
    }
    Err(ConfigError(format!(
        "DATABASE_URL is not set, and what was served last from DATA_DIR {} was a database of PostgreSQL: set DATABASE_URL to that one, or, when the embedded one is meant, to {url}.",
        storage.data_dir.display()
    )))
}

/// Refuses an embedded database of which pages are missing or are those of another one. It is looked for only where there is
/// reason to: every page is read.
///
/// # Errors
/// One sentence about what to do.
pub fn refuse_damaged(storage: &Storage) -> Result<(), ConfigError> {
    let url = &storage.database_url;
    let DatabaseUrl::Sqlite(path) = url else {
        return Ok(());
    };
    let ended_well = !file::has_log(path);
    if file::has_journal(path) {
        roll_back(url, path)?;
    }
    // It changes nothing, not even by being closed: who can write would put the log into the database. One that cannot be
    // opened is told of where it is to be served.
    let Ok(mut conn) = conn::look(url) else {
        return Ok(());
    };
    // A new one, or one of an older release, lacks what is asked for.
    if ended_well && epoch::is_as_left(&mut conn, storage).unwrap_or(false) {
        return Ok(());
    }
    let since = Instant::now();
    let found = integrity::find_damage(&mut conn, Depth::Pages);
    log::info!(
        "looked through {url} in {:?}, since the last server did not end well or left another one",
        since.elapsed()
    );
    let damage = match found {
        Ok(None) => return Ok(()),
        Ok(Some(damage)) => damage,
        Err(error) if integrity::is_damage(&error.to_string()) => one_line(&error),
        Err(error) => return Err(unreachable_database(url, &error)),
    };
    Err(ConfigError(integrity::explain(url, &damage)))
}

/// Undoes what another program had begun when it was killed, as every program does that opens the database.
fn roll_back(url: &DatabaseUrl, path: &Path) -> Result<(), ConfigError> {
    conn::roll_back(path).map_err(|error| {
        ConfigError(format!(
            "Another program has begun to change {url} and was ended in the middle; it cannot be undone by what it left in {}-journal ({}): see that both can be written by this user, or restore a backup.",
            path.display(),
            one_line(&error)
        ))
    })?;
    log::warn!(
        "another program had begun to change {url} and was ended in the middle: that has been undone"
    );
    Ok(())
}

/// Refuses a database whose tables this program cannot bring up to date or work with.
///
/// # Errors
/// One sentence about what is in the way.
pub fn refuse_unfit_tables(conn: &mut AnyConnection, url: &DatabaseUrl) -> Result<(), ConfigError> {
    let fault = requirements::find_table_fault(conn, url);
    fault
        .map_err(|error| unreachable_database(url, &error))?
        .map_or(Ok(()), |fault| Err(ConfigError(fault)))
}

pub(super) fn unreachable_database(
    url: &DatabaseUrl,
    cause: &dyn std::fmt::Display,
) -> ConfigError {
    let cause = one_line(cause);
    ConfigError(
        if cause.contains("authentication failed") || cause.contains("no password") {
            format!(
                "The database {url} refuses the user or the password of DATABASE_URL ({cause})."
            )
        } else if cause.contains("FATAL: database") && cause.contains("does not exist") {
            format!(
                "The database {url} does not exist: make it (CREATE DATABASE), or check the name in DATABASE_URL ({cause})."
            )
        } else if let Some(sentence) =
            disk::find_trouble(url, &cause).or_else(|| privileges::explain_denial(url, &cause))
        {
            sentence
        } else {
            format!(
                "The database {url} cannot be reached: check DATABASE_URL and that the database is running ({cause})."
            )
        },
    )
}

/// Runs pending migrations, and sees to the facts that a database must have: a sealed text that tells whether the keys are
/// the right ones, and those of its history.
fn prepare(
    config: &Config,
    connector: &mut Connector<'_>,
    vault: &Vault,
) -> Result<History, ConfigError> {
    let url = connector.url();
    let unreachable = |error: &dyn std::fmt::Display| unreachable_database(url, error);
    let mut conn = connector.open().map_err(|error| unreachable(&error))?;
    refuse_unfit_tables(&mut conn, url)?;
    let ran = migrate::run(&mut conn).map_err(|error| {
        ConfigError(format!(
            "The database {url} could not be brought up to date: {error}."
        ))
    })?;
    if !ran.is_empty() {
        log::info!("ran {} pending migrations", ran.len());
    }
    let checks = keys::check(config, &mut conn, url, vault)?;
    config.keys.keep()?;
    // Every key that has sealed something here leaves a fact of its own.
    if !checks.iter().any(|sealed| vault.is_current(sealed)) {
        let name = format!("{}{}", facts::KEY_CHECK, checks.len() + 1);
        facts::insert(&mut conn, &name, &vault.seal(&name)).map_err(|error| unreachable(&error))?;
    }
    keys::key_deleted_names(config, &mut conn).map_err(|error| unreachable(&error))?;
    let history = History::begin(&mut conn, &config.storage).map_err(|error| match error
        .downcast::<ConfigError>()
    {
        Ok(sentence) => *sentence,
        Err(error) => unreachable(&error),
    })?;
    let unbound = facts::list_unbound(&mut conn).map_err(|error| unreachable(&error))?;
    if !history.is_bound() {
        vault.believe(unbound);
    } else if !unbound.is_empty() {
        log::error!(
            "all messages of this database were bound to their places, and now it says that some are not (facts {}…): someone has written that, and it is ignored",
            facts::UNBOUND_UNTIL
        );
    }
    Ok(history)
}
