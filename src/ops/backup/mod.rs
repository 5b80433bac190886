//! `parlour backup`: everything that is stored, in one file, while the server goes on serving. [`format`] is what the file
//! looks like; docs/adr/0004-backups.md says why.

mod format;
mod progress;
mod target;
pub mod texts;

use std::{
    fs::File,
    io::Seek as _,
    path::{Path, PathBuf},
};

use secrecy::ExposeSecret as _;

pub use self::{
    format::{Fault, Reader},
    progress::Progress,
    target::{folder, plainly, stamp},
};
use self::{
    format::{Head, HeadTable, Writer},
    target::Part,
    texts::{Texts, Unreadable},
};
use crate::{
    chat::epoch,
    config::{ConfigError, DatabaseUrl, FoundKey, KeySettings, Storage, StorageSettings},
    crypto::{password::MAX_COST, vault::Vault},
    db::{
        conn,
        copy::{CopyError, Refusal, Snapshot},
        facts,
    },
    printing,
    protocol::time::{Timestamp, now},
    start::database,
};

/// A backup that was made and looked through.
pub struct Made {
    /// Where it is.
    pub path: PathBuf,
    /// What is in it.
    pub contents: Contents,
    bytes: u64,
    at: Timestamp,
}

/// What a reader of a whole backup learns.
#[derive(Debug, Default)]
pub struct Contents {
    /// How many rows each table has.
    pub rows: Vec<(String, u64)>,
    /// Texts that only the right key opens.
    pub key_checks: Vec<String>,
    /// What does not open with the key that was given.
    unreadable: Unreadable,
    /// What keeps it from being restored; of a backup that is just made.
    obstacles: Vec<String>,
}

impl Contents {
    /// How many rows a table has.
    #[must_use]
    pub fn count(&self, table: &str) -> u64 {
        let found = self.rows.iter().find(|(name, _)| name == table);
        found.map_or(0, |(_, count)| *count)
    }

    /// Like `3 users and 12 messages`.
    #[must_use]
    pub fn summary(&self) -> String {
        format!(
            "{} and {}",
            counted(self.count("users"), "user"),
            counted(self.count("messages"), "message")
        )
    }

    /// Whether this key opens what is in it.
    #[must_use]
    pub fn opens_with(&self, key: &FoundKey) -> Opens {
        if matches!(key, FoundKey::Missing(_)) {
            return Opens::NoKey;
        }
        if vault_of(key).is_some_and(|vault| vault.opens_all(&self.key_checks)) {
            Opens::Yes
        } else {
            Opens::No
        }
    }
}

fn vault_of(key: &FoundKey) -> Option<Vault> {
    match key {
        FoundKey::Given(key) | FoundKey::Kept(_, key) => Vault::new(key.expose_secret()),
        FoundKey::Missing(_) => None,
    }
}

/// What a key and a backup are to each other.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Opens {
    /// It is the right one.
    Yes,
    /// It is another one.
    No,
    /// There is none to be tried.
    NoKey,
}

/// Exit code for a backup that was made, but of a database with something wrong in it.
const DOUBTFUL: i32 = 3;

/// Makes a backup and says so. Tells the exit code: 1 when there is none, or the key is not the right one.
///
/// # Errors
/// A sentence about a setting that is not right.
pub fn run(
    settings: &StorageSettings,
    keys: &KeySettings,
    to: Option<&Path>,
) -> Result<i32, ConfigError> {
    let storage = Storage::look(settings)?;
    database::refuse_wrong_log(&storage)?;
    refuse_another(&storage)?;
    let lack = find_lack(&storage);
    let at = now();
    let key = FoundKey::encryption(keys, &storage.data_dir);
    let vault = key.as_ref().ok().and_then(vault_of);
    let made = target::target(to, &at)
        .and_then(|target| make(&storage.database_url, &target, vault.as_ref()));
    let made = match made {
        Ok(made) => made,
        Err(sentence) => {
            printing::complain(sentence);
            return Ok(1);
        }
    };
    let said = format!(
        "Backed up {} to {}: {}, {}, all that was stored before {} UTC.",
        storage.database_url,
        made.path.display(),
        made.contents.summary(),
        size(made.bytes),
        made.at.format("%Y-%m-%d %H:%M:%S")
    );
    Ok(
        match key.and_then(|key| about_the_key(&made.contents, key)) {
            Ok(about_the_key) => {
                let empty = about_emptiness(&made.contents, &storage.database_url);
                let printed = printing::line(format_args!("{said}\n{empty}{about_the_key}"));
                let troubles = [
                    lack,
                    about_obstacles(&made.contents.obstacles),
                    about_texts(&made.contents.unreadable),
                ];
                let mut code = printing::exit_code(printed);
                for trouble in troubles.into_iter().flatten() {
                    printing::complain(trouble);
                    code = DOUBTFUL;
                }
                code
            }
            Err(trouble) => {
                // The trouble is what must be told.
                let _printed = printing::line(said);
                printing::complain(format_args!(
                    "The backup is whole, but mind the key. {trouble}"
                ));
                1
            }
        },
    )
}

/// Refuses a database that has been left for another one, of which no one needs a backup every night. What cannot be
/// read at all is for the backup to tell.
fn refuse_another(storage: &Storage) -> Result<(), ConfigError> {
    let url = &storage.database_url;
    let Ok(mut conn) = conn::look(url) else {
        return Ok(());
    };
    match epoch::find_another(&mut conn, url, &storage.data_dir) {
        Ok(Some(sentence)) => Err(ConfigError(sentence)),
        _ => Ok(()),
    }
}

/// What is missing in the database that is backed up: then the older backups are needed.
fn find_lack(storage: &Storage) -> Option<String> {
    let url = &storage.database_url;
    let mut conn = conn::look(url).ok()?;
    let lack = epoch::find_lack(&mut conn, url, &storage.data_dir).ok()??;
    Some(format!(
        "{lack} The backup was made, and lacks it, too. Keep the older backups."
    ))
}

/// What is to be said when no one has used the database yet, or when this is not the whole of it.
fn about_emptiness(contents: &Contents, url: &DatabaseUrl) -> &'static str {
    if contents.count("users") + contents.count("messages") > 0 {
        return "";
    }
    match url {
        DatabaseUrl::Sqlite(_) => {
            "THE BACKUP IS EMPTY: nobody has an account in this database. If people have used it, this is not the file that the server uses, or it was copied without the parlour.db-wal beside it, which holds the newest part.\n"
        }
        DatabaseUrl::Postgres(_) => {
            "THE BACKUP IS EMPTY: nobody has an account in this database. If people have used it, DATABASE_URL names another one here than the server's.\n"
        }
    }
}

/// What is wrong with its rows.
fn about_obstacles(obstacles: &[String]) -> Option<String> {
    (!obstacles.is_empty()).then(|| {
        format!(
            "The backup was made, but may be refused when it is restored: {}. They were changed by hand, or the database is damaged: put them right with the server stopped (`parlour doctor` tells what is wrong), and back up again. Keep the older backups.",
            obstacles.join("; ")
        )
    })
}

/// What is wrong with the texts in it.
fn about_texts(unreadable: &Unreadable) -> Option<String> {
    let Unreadable { count, first } = unreadable;
    let rest = match count {
        0 => return None,
        1 => format!("1 text in it cannot be opened, {first}: it"),
        many => format!("{many} texts in it cannot be opened, the first is {first}: they"),
    };
    Some(format!(
        "The backup is whole, but {rest} had been changed or damaged in the database before. Keep the older backups, which may still have what was there."
    ))
}

/// What is to be said of the key, or what is wrong with it.
fn about_the_key(contents: &Contents, key: FoundKey) -> Result<String, ConfigError> {
    match (contents.opens_with(&key), key) {
        (Opens::Yes, FoundKey::Kept(path, _)) => Ok(format!(
            "The key is not in it, and without the key no message can be read: keep a copy of {} in another place.",
            path.display()
        )),
        (Opens::Yes, _) => Ok(
            "The key is not in it, and without the key no message can be read: keep ENCRYPTION_KEY in another place."
                .into(),
        ),
        (Opens::NoKey, _) => Ok(
            "No ENCRYPTION_KEY was found here, so it was not tried whether it opens the messages. Keep the server's key, in another place."
                .into(),
        ),
        (Opens::No, FoundKey::Kept(path, _)) => Err(ConfigError(format!(
            "The key in {0} does not open all of it: where the server has ENCRYPTION_KEY, give this command the same, or write the same keys (new,old) into {0}.",
            path.display()
        ))),
        (Opens::No, _) => Err(ConfigError(
            "The ENCRYPTION_KEY that was found here does not open all of it: give this command the one that the server uses, old keys included."
                .into(),
        )),
    }
}

/// Like `1 user` or `3 users`.
#[must_use]
pub fn counted(count: u64, word: &str) -> String {
    match count {
        1 => format!("1 {word}"),
        many => format!("{many} {word}s"),
    }
}

fn size(bytes: u64) -> String {
    match bytes {
        0..10_000 => format!("{bytes} bytes"),
        10_000..10_000_000 => format!("{} kB", bytes / 1_000),
        _ => format!("{} MB", bytes / 1_000_000),
    }
}

/// Makes a backup of a database and looks it through before it gets its name; its texts, too, with a vault that opens
/// them.
///
/// # Errors
/// A sentence; then nothing is left behind.
pub fn make(url: &DatabaseUrl, target: &Path, vault: Option<&Vault>) -> Result<Made, String> {
    if let DatabaseUrl::Sqlite(path) = url
        && !path.exists()
    {
        return Err(format!(
            "There is no database at {}: check DATA_DIR and DATABASE_URL, they must be those of the server.",
            path.display()
        ));
    }
    let not_written = |error: &CopyError| match error {
        CopyError::File(error) => format!(
            "{} cannot be written: {}. No backup was made.",
            target.display(),
            plainly(error)
        ),
        CopyError::Database(words) | CopyError::Unconfirmed(words) => {
            format!("{url} cannot be read ({words}). No backup was made.")
        }
    };
    let part = Part::make(target).map_err(|error| not_written(&error.into()))?;
    let at = now();
    let mut snapshot = Snapshot::take(url).map_err(|refusal| match refusal {
        Refusal::Empty => {
            format!("{url} is empty: no server has used it yet, so there is nothing to back up.")
        }
        Refusal::Newer => format!(
            "A newer version of Parlour has been using {url}: back it up with that version."
        ),
        Refusal::Failed(error) => not_written(&error),
    })?;
    if let Some(damage) = snapshot
        .find_damage()
        .map_err(|error| not_written(&error))?
    {
        return Err(format!(
            "{url} is damaged ({damage}). No backup was made: with the server stopped, copy the file and what lies beside it, and restore an older backup."
        ));
    }
    let wanted = write(&mut snapshot, part.file(), url, at).map_err(|error| not_written(&error))?;
    part.file()
        .sync_all()
        .map_err(|error| not_written(&error.into()))?;
    let bytes = part.file().metadata().map_or(0, |found| found.len());
    let mut contents = read_through(part.file(), "Checking the backup", vault)
        .map_err(|fault| format!("The backup could not be read again: {fault}. It was thrown away; is the disk sound?"))?
        .1;
    if contents.rows != wanted {
        return Err("The backup does not hold what the database holds. It was thrown away.".into());
    }
    // What cannot be looked at is no reason to throw it away.
    contents.obstacles = snapshot
        .list_obstacles(MAX_COST)
        .unwrap_or_else(|error| vec![format!("its rows could not be looked through ({error})")]);
    part.publish(target)
        .map_err(|error| not_written(&error.into()))?;
    Ok(Made {
        path: target.to_owned(),
        contents,
        bytes,
        at,
    })
}

/// Writes everything. Tells how many rows the database says that each table has.
fn write(
    snapshot: &mut Snapshot,
    file: &File,
    url: &DatabaseUrl,
    at: Timestamp,
) -> Result<Vec<(String, u64)>, CopyError> {
    let tables = snapshot.tables.clone();
    let mut wanted = Vec::new();
    for table in &tables {
        wanted.push((table.name.clone(), snapshot.count(table)?));
    }
    let total = wanted.iter().map(|(_, count)| count).sum();
    let head = Head {
        parlour_backup: 1,
        made_at: at.format("%Y-%m-%dT%H:%M:%SZ").to_string(),
        made_by: env!("CARGO_PKG_VERSION").into(),
        made_from: match url {
            DatabaseUrl::Postgres(_) => "PostgreSQL".into(),
            DatabaseUrl::Sqlite(_) => "SQLite".into(),
        },
        migrations: snapshot.versions.clone(),
        tables: tables
            .iter()
            .map(|table| HeadTable {
                name: table.name.clone(),
                columns: table.column_names().into_iter().map(Into::into).collect(),
            })
            .collect(),
    };
    let mut progress = Progress::new("Backing up", total);
    let mut writer = Writer::begin(file, &head)?;
    for table in &tables {
        writer.table(&table.name)?;
        snapshot.each_row(table, |row| {
            progress.add(1);
            writer.row(row)
        })?;
    }
    writer.end()?;
    Ok(wanted)
}

/// Reads a backup from its beginning to its end, and finds out whether it is whole, and with a vault what that does not
/// open.
///
/// # Errors
/// [`Fault`].
pub fn read_through(
    mut file: &File,
    what: &'static str,
    vault: Option<&Vault>,
) -> Result<(Head, Contents), Fault> {
    file.rewind()?;
    let length = file.metadata()?.len();
    let reader = Reader::open(file)?;
    let head = reader.head.clone();
    let is_of_facts: Vec<bool> = head.tables.iter().map(|t| t.name == "facts").collect();
    let mut progress = Progress::new(what, length);
    let mut key_checks = Vec::new();
    let mut texts = vault.map(|vault| Texts::new(vault, &head));
    let rows = reader.each_row(|table, row| {
        progress.add(row.len() as u64);
        if is_of_facts.get(table) == Some(&true)
            && let Ok((name, value)) = serde_json::from_str::<(String, String)>(row)
            && name.starts_with(facts::KEY_CHECK)
        {
            key_checks.push(value);
        }
        if let Some(texts) = &mut texts {
            texts.see(table, row);
        }
        Ok(())
    })?;
    let names = head.tables.iter().map(|table| table.name.clone());
    let rows = names.zip(rows).collect();
    let unreadable = texts.map_or_else(Unreadable::default, |texts| texts.unreadable);
    let contents = Contents {
        rows,
        key_checks,
        unreadable,
        obstacles: Vec::new(),
    };
    Ok((head, contents))
}
