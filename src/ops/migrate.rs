//! `parlour migrate`: brings the tables of a database up to date, while no server uses it.

use std::fmt::Write as _;

use crate::{
    config::{ConfigError, DatabaseUrl, LogFormat, Storage, StorageSettings},
    db::{
        conn,
        connector::{self, Connector},
        file, migrate,
    },
    logging, printing,
    start::database,
};

/// Runs the command.
///
/// # Errors
/// One sentence about what is in the way.
pub fn run(settings: &StorageSettings) -> Result<i32, ConfigError> {
    // So that it says what it waits for.
    logging::start(LogFormat::Text, "info");
    let storage = Storage::check(settings)?;
    let failed =
        |error: &dyn std::fmt::Display| ConfigError(format!("{}: {error}.", storage.database_url));
    let mut text = String::new();
    let url = file::real(&storage.database_url).map_err(ConfigError)?;
    if !is_up_to_date(&url) {
        let mut connector = Connector::new(&url, storage.wait);
        // The tables of a running server must not be altered.
        database::refuse_unfit(&mut connector)?;
        let _sole = database::take_lock(&mut connector)?;
        database::refuse_lost(&storage)?;
        database::refuse_damaged(&storage)?;
        if let DatabaseUrl::Sqlite(path) = &url {
            database::refuse_log_of_another(&storage, path)?;
        }
        let mut conn = connector
            .open()
            .map_err(|error| failed(&connector::one_line(&error)))?;
        database::refuse_unfit_tables(&mut conn, &url)?;
        for name in migrate::run(&mut conn).map_err(|error| failed(&error))? {
            let _infallible = writeln!(text, "ran {name}");
        }
    }
    let _infallible = writeln!(text, "{} is up to date.", storage.database_url);
    Ok(printing::exit_code(printing::print(text)))
}

/// Whether no migration is pending, as far as can be seen.
fn is_up_to_date(url: &DatabaseUrl) -> bool {
    conn::look(url)
        .ok()
        .and_then(|mut conn| migrate::look(&mut conn).ok())
        .is_some_and(|standing| {
            !standing.is_new && standing.pending.is_empty() && standing.unknown.is_empty()
        })
}
