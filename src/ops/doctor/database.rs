//! The database: whether it can be reached, what it is, and whether it and this program belong together.

use std::{
    fmt,
    path::{Path, absolute},
};

use chrono::TimeDelta;
use rustix::fs::{Access, access};
use secrecy::ExposeSecret as _;

use super::{Report, data_dir, tables, texts};
use crate::{
    chat::epoch,
    config::{DatabaseUrl, FoundKey, Storage, passed_over},
    crypto::vault::Vault,
    db::{
        AnyConnection, conn,
        connector::one_line,
        disk,
        engine::{self, Postgres},
        facts, file,
        integrity::{self, Depth},
        lock, migrate, privileges, requirements,
    },
    protocol::time::{Timestamp, now},
    start,
};

/// SQLite below this can damage a database in WAL mode.
const SQLITE: [u32; 3] = [3, 51, 3];
/// The oldest major version of `PostgreSQL` that this is tried with.
const POSTGRES: u32 = 15;
/// How far two clocks may be apart before anyone notices.
const APART: TimeDelta = TimeDelta::seconds(5);

/// Checks the database. `key` is what was found of `ENCRYPTION_KEY`; nothing when what was found is no good.
pub fn check(storage: &Storage, key: Option<&FoundKey>, report: &mut Report) {
    let url = &storage.database_url;
    if let DatabaseUrl::Sqlite(path) = url {
        check_sqlite(report);
        if let Ok(real) = file::resolve(path)
            && let Err(sentence) = file::check_names(&real)
        {
            report.problem(sentence);
            return;
        }
    }
    if let Err(sentence) = start::database::refuse_lost(storage) {
        report.problem(sentence.to_string());
        return;
    }
    if let DatabaseUrl::Sqlite(path) = url
        && !path.exists()
    {
        check_absent(path, storage, report);
        will_be_made(key, report);
        return;
    }
    if let DatabaseUrl::Sqlite(path) = url
        && file::has_journal(path)
    {
        return report.warning(format!(
            "Another program has begun to change {url} and was ended in the middle, or is at it (it left {}-journal): the next start undoes that; so does `sqlite3 {} 'select 1'`. Then run this again.",
            path.display(),
            path.display()
        ));
    }
    let mut conn = match conn::look(url) {
        Ok(conn) => conn,
        Err(error) => return report.problem(unreachable(url, &error)),
    };
    match url {
        DatabaseUrl::Sqlite(path) if access(path, Access::WRITE_OK).is_err() => {
            report.problem(format!(
                "The database {url} cannot be written by this user: give its file to the user that Parlour runs as (chown)."
            ));
        }
        _ => report.ok(format!("The database {url} can be reached.")),
    }
    match requirements::find_connection_fault(&mut conn, url) {
        Ok(Some(fault)) => report.problem(fault),
        Ok(None) => {}
        Err(error) => report.problem(silent(url, &error)),
    }
    let before = now();
    match engine::find_postgres(&mut conn) {
        Ok(Some(found)) => check_postgres(&found, before, report),
        Ok(None) => {}
        Err(error) => report.problem(silent(url, &error)),
    }
    if is_whole(&mut conn, url, report) {
        check_tables(&mut conn, storage, key, report);
    }
}

/// Whether what SQLite keeps in its file belongs together: otherwise nothing that is in it can be relied on.
fn is_whole(conn: &mut AnyConnection, url: &DatabaseUrl, report: &mut Report) -> bool {
    if matches!(url, DatabaseUrl::Postgres(_)) {
        return true;
    }
    match integrity::find_damage(conn, Depth::Indexes) {
        Ok(None) => report.ok("Every page and every index of the database is as it should be."),
        Ok(Some(words)) => {
            report.problem(integrity::explain(url, &words));
            return false;
        }
        Err(error) => {
            let words = one_line(&error);
            report.problem(if integrity::is_damage(&words) {
                integrity::explain(url, &words)
            } else {
                silent(url, &error)
            });
            return false;
        }
    }
    true
}

fn unreachable(url: &DatabaseUrl, error: &dyn fmt::Display) -> String {
    let cause = one_line(error);
    disk::find_trouble(url, &cause).unwrap_or_else(|| {
        format!(
            "The database {url} cannot be reached: check DATABASE_URL and that the database is running ({cause})."
        )
    })
}

fn silent(url: &DatabaseUrl, error: &dyn fmt::Display) -> String {
    let cause = one_line(error);
    disk::find_trouble(url, &cause)
        .unwrap_or_else(|| format!("The database {url} does not answer ({cause})."))
}

/// Whether a server has the embedded database. `answers` says whether one answers at `address`, where these settings
/// have theirs.
pub fn check_server(storage: &Storage, answers: bool, address: &str, report: &mut Report) {
    let url = &storage.database_url;
    let Ok(DatabaseUrl::Sqlite(path)) = file::real(url) else {
        return;
    };
    if !lock::sqlite::is_held(&path) {
        return;
    }
    if answers {
        report.ok(format!("A Parlour server is using the database {url}."));
    } else {
        report.warning(format!(
            "A Parlour server is using the database {url}, but none answers at {address}: `parlour serve` with these settings would be refused until that one ends."
        ));
    }
}

fn numbers(version: &str) -> Vec<u32> {
    version
        .split('.')
        .map_while(|part| {
            let digits = part.split(|c: char| !c.is_ascii_digit()).next()?;
            digits.parse().ok()
        })
        .collect()
}

fn check_sqlite(report: &mut Report) {
    match engine::find_sqlite_version() {
        Ok(version) if numbers(&version).as_slice() >= SQLITE.as_slice() => {
            report.ok(format!("SQLite {version} is built in."));
        }
        Ok(version) => report.problem(format!(
            "SQLite {version} is built in, which can damage a database: build Parlour with {}.{}.{} or newer.",
            SQLITE[0], SQLITE[1], SQLITE[2]
        )),
        Err(error) => report.problem(format!("SQLite does not work ({error}).")),
    }
}

fn check_absent(path: &Path, storage: &Storage, report: &mut Report) {
    let is_data_dir = |folder: &Path| absolute(folder).ok() == absolute(&storage.data_dir).ok();
    let folder = path
        .parent()
        .filter(|folder| !folder.as_os_str().is_empty());
    if folder.is_none_or(|folder| folder.is_dir() || is_data_dir(folder)) {
        report.ok(format!(
            "The database {} is not there yet; the first start makes it.",
            storage.database_url
        ));
    } else {
        report.problem(format!(
            "The database {} cannot be made, since its folder is not there: make the folder, or check DATABASE_URL.",
            storage.database_url
        ));
    }
}

fn check_postgres(found: &Postgres, before: Timestamp, report: &mut Report) {
    let version = found.version.split(' ').next().unwrap_or_default();
    if numbers(version)
        .first()
        .is_some_and(|&major| major >= POSTGRES)
    {
        report.ok(format!("PostgreSQL is of version {version}."));
    } else {
        report.warning(format!(
            "PostgreSQL is of version {version}; Parlour is tested with {POSTGRES} and newer."
        ));
    }
    if found.fsync == "on" {
        report.ok(match found.synchronous_commit.as_str() {
            "off" | "local" => format!(
                "synchronous_commit is `{}` in PostgreSQL's configuration; Parlour sets it to `on` for itself.",
                found.synchronous_commit
            ),
            _ => "PostgreSQL forces commits to the disk (fsync and synchronous_commit).".into(),
        });
    } else {
        report.warning(
            "fsync is off in PostgreSQL: a power cut can take acknowledged messages, or the database. Set fsync = on in postgresql.conf.",
        );
    }
    let after = now();
    let apart = if found.now < before {
        before - found.now
    } else {
        (found.now - after).max(TimeDelta::zero())
    };
    if apart > APART {
        report.warning(format!(
            "The clocks of this machine and of the database are {} seconds apart: synchronise both (NTP).",
            apart.num_seconds()
        ));
    } else {
        report.ok("The clock of the database agrees with this machine's.");
    }
}

fn check_tables(
    conn: &mut AnyConnection,
    storage: &Storage,
    key: Option<&FoundKey>,
    report: &mut Report,
) {
    let url = &storage.database_url;
    let standing = match migrate::look(conn) {
        Ok(standing) => standing,
        Err(error) => {
            let cause = one_line(&error);
            let known = disk::find_trouble(url, &cause);
            let known = known.or_else(|| privileges::explain_denial(url, &cause));
            report.problem(known.unwrap_or_else(|| format!(
                "The tables of {url} cannot be read ({cause}): does the user of DATABASE_URL own them, and is this Parlour's database?"
            )));
            return;
        }
    };
    let fault = requirements::find_table_fault(conn, url);
    if let Ok(Some(fault)) = fault {
        return report.problem(fault);
    }
    if standing.is_new {
        report.ok(format!(
            "The database is empty; the first start makes its tables (pending: {}).",
            standing.pending.join(", ")
        ));
    } else if standing.pending.is_empty() {
        report.ok("The tables are up to date.");
    } else {
        report.warning(format!(
            "Migrations are pending ({}): the next start runs them, or `parlour migrate` does; back up first.",
            standing.pending.join(", ")
        ));
    }
    if standing.is_new {
        return will_be_made(key, report);
    }
    for found in [
        epoch::find_another(conn, url, &storage.data_dir),
        epoch::find_lack(conn, url, &storage.data_dir),
    ] {
        match found {
            Ok(Some(sentence)) => report.problem(sentence),
            Ok(None) => {}
            Err(error) => report.problem(silent(url, &error)),
        }
    }
    if let Some(sentence) = epoch::find_unreadable(&storage.data_dir) {
        report.warning(sentence);
    }
    if standing.pending.is_empty() {
        tables::check(conn, url, report);
    }
    match facts::list(conn, facts::KEY_CHECK) {
        Ok(sealed) if sealed.is_empty() => {
            report.ok("Nothing in the database is encrypted yet.");
            will_be_made(key, report);
        }
        Ok(sealed) => {
            let vault = check_seals(&sealed, key, &storage.data_dir, report);
            if let Some(vault) = vault
                && standing.pending.is_empty()
            {
                texts::check(conn, &vault, &storage.data_dir, report);
            }
        }
        Err(error) => report.problem(silent(url, &error)),
    }
}

/// Nothing is encrypted yet: where there is no key, any will do.
fn will_be_made(key: Option<&FoundKey>, report: &mut Report) {
    if let Some(FoundKey::Missing(path)) = key {
        data_dir::will_be_made("ENCRYPTION_KEY", path, report);
    }
}

/// Tells the vault that opens what is there.
fn check_seals(
    sealed: &[String],
    key: Option<&FoundKey>,
    data_dir: &Path,
    report: &mut Report,
) -> Option<Vault> {
    let opens = |keys: &str| Vault::new(keys).filter(|vault| vault.opens_all(sealed));
    match key {
        // What is wrong with it has been said.
        None => {}
        Some(FoundKey::Missing(path)) => report.problem(format!(
            "The database holds encrypted messages, but there is no ENCRYPTION_KEY: set it, or put {} back from where you keep the key (a backup of Parlour never holds it).",
            path.display()
        )),
        Some(FoundKey::Given(key) | FoundKey::Kept(_, key)) => {
            if let Some(vault) = opens(key.expose_secret()) {
                report.ok("ENCRYPTION_KEY opens what is in the database.");
                return Some(vault);
            }
            match passed_over(data_dir, |keys| opens(keys).is_some()) {
                Some(advice) => report.problem(advice),
                None => report.problem(
                    "ENCRYPTION_KEY does not open what is in this database: give the key it was sealed with (to change it, put the new key first and keep the old one behind a comma).",
                ),
            }
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_are_compared_by_their_numbers() {
        let is_enough = |version| numbers(version).as_slice() >= SQLITE.as_slice();
        assert!(is_enough("3.51.3") && is_enough("3.52") && is_enough("4.0.0"));
        assert!(!is_enough("3.51.2") && !is_enough("3.6.99") && !is_enough("?"));
        assert_eq!(numbers("17beta1"), [17]);
    }
}
