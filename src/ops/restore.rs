//! `parlour restore`: what a backup holds, put into an empty database of either kind. Until all of it is there, nothing
//! is changed; what was there before is kept.

use std::{
    fs::{self, File, OpenOptions},
    io::{self, Seek as _},
    os::unix::fs::OpenOptionsExt as _,
    path::{Path, PathBuf},
    time::Duration,
};

use super::backup::{self, Contents, Fault, Opens, Progress, Reader, plainly, read_through, stamp};
use crate::{
    chat::scheduled,
    config::{ConfigError, DatabaseUrl, FoundKey, KeySettings, Storage, StorageSettings},
    crypto::{password, random_name},
    db::{
        connector::Connector,
        copy::{self, CopyError, Import},
        file::{self, has_log},
        lock::{self, LockError},
        migrate,
    },
    ownership, printing,
    protocol::time::now,
    start::database,
};

mod outcome;

/// Bytes of rows that are put into the database at once.
const BATCH: usize = 1 << 19;

/// A backup that was read from its beginning to its end.
struct Source {
    file: File,
    path: PathBuf,
    migrations: Vec<String>,
    made_at: String,
    contents: Contents,
}

/// What is done with what is there.
enum Before {
    /// There is nothing.
    Nothing,
    /// An embedded database in which nothing was ever stored: it is replaced.
    Unused,
    /// It is kept here.
    Kept(PathBuf),
}

/// Restores a backup and says so. Tells the exit code.
///
/// # Errors
/// A sentence about a setting that is not right.
pub fn run(
    settings: &StorageSettings,
    keys: &KeySettings,
    file: &Path,
    replace: bool,
) -> Result<i32, ConfigError> {
    let wanted = Storage::look(settings)?;
    let key = FoundKey::encryption(keys, &wanted.data_dir)?;
    let source = match open(file).and_then(|source| check_key(&source, &key).map(|()| source)) {
        Ok(source) => source,
        Err(sentence) => {
            printing::complain(sentence);
            return Ok(1);
        }
    };
    let storage = Storage::check(settings)?;
    match restore(&source, &storage, replace) {
        Ok(restored) => {
            let said = outcome::tell(&source, &storage, &key, &restored);
            Ok(printing::exit_code(printing::print(said)))
        }
        Err(sentence) => {
            printing::complain(sentence);
            Ok(1)
        }
    }
}

/// Reads a backup through and makes sure that this program can restore it.
fn open(path: &Path) -> Result<Source, String> {
    let name = path.display();
    let unreadable = |error: &io::Error| match error.kind() {
        io::ErrorKind::NotFound => format!("There is no file {name}."),
        io::ErrorKind::PermissionDenied => format!("This user may not read {name}."),
        _ => format!("{name} cannot be read: {error}."),
    };
    // Before it is opened: a pipe would be waited for.
    if path.metadata().is_ok_and(|found| !found.is_file()) {
        return Err(format!(
            "{name} is not a file: a backup is one, and restoring reads it twice."
        ));
    }
    let file = File::open(path).map_err(|error| unreadable(&error))?;
    let (head, contents) = read_through(&file, "Reading the backup", None)
        .map_err(|fault| format!("{name} cannot be restored: {fault}. Nothing was changed."))?;
    let damaged = || {
        format!(
            "{name} cannot be restored: {}. Nothing was changed.",
            Fault::Damaged
        )
    };
    if !migrate::list_unknown(&head.migrations)
        .map_err(|error| error.to_string())?
        .is_empty()
    {
        return Err(format!(
            "{name} cannot be restored: Parlour {} made it, and this is {}, which does not know its tables. Nothing was changed; install that version or a newer one.",
            printing::visible(&head.made_by),
            env!("CARGO_PKG_VERSION")
        ));
    }
    // Only names that this program knows ever reach the database.
    let tables = copy::of_versions(&head.migrations).map_err(|_| damaged())?;
    let fits = tables.len() == head.tables.len()
        && tables.iter().zip(&head.tables).all(|(table, named)| {
            table.name == named.name && table.column_names() == named.columns
        });
    if !fits {
        return Err(damaged());
    }
    Ok(Source {
        file,
        path: path.to_owned(),
        migrations: head.migrations,
        made_at: printing::visible(&head.made_at),
        contents,
    })
}

fn check_key(source: &Source, key: &FoundKey) -> Result<(), String> {
    if source.contents.opens_with(key) != Opens::No {
        return Ok(());
    }
    let name = source.path.display();
    Err(match key {
        FoundKey::Kept(path, _) => format!(
            "The key in {} does not open {name}: put the ENCRYPTION_KEY of the server that was backed up there, or move the file away. Nothing was changed.",
            path.display()
        ),
        _ => format!(
            "The ENCRYPTION_KEY that is set does not open {name}: set that of the server that was backed up. Nothing was changed."
        ),
    })
}

/// What a restore has left to tell.
struct Restored {
    /// Where what was there before is kept.
    kept: Option<PathBuf>,
    /// How many messages for later were due, and are held back.
    held: usize,
}

fn restore(source: &Source, storage: &Storage, replace: bool) -> Result<Restored, String> {
    let url = &storage.database_url;
    let mut connector = Connector::new(url, Duration::ZERO);
    let _sole = lock::take(&mut connector, Duration::ZERO).map_err(|error| match error {
        LockError::Taken => {
            format!("A Parlour server is using {url}: stop it first. Nothing was changed.")
        }
        LockError::Refused(sentence) => format!("{sentence} Nothing was changed."),
        LockError::Unreachable(words) => {
            format!(
                "{url} cannot be reached ({}). Nothing was changed.",
                words.trim()
            )
        }
    })?;
    if let DatabaseUrl::Sqlite(path) = url {
        let real = file::resolve(path).unwrap_or_else(|_| path.clone());
        database::refuse_log_of_another(storage, &real)
            .map_err(|sentence| format!("{sentence} Nothing was changed."))?;
    }
    let before = prepare(storage, replace)?;
    let not_restored = |error: &CopyError| {
        let words = match error {
            CopyError::File(error) => plainly(error),
            CopyError::Database(words) if words.contains("disk is full") => {
                "the disk is full".into()
            }
            CopyError::Database(words) => words.trim().to_owned(),
            CopyError::Unconfirmed(words) => {
                return format!(
                    "{url} did not confirm that it was filled ({}): it may hold the backup, or what was there before. Restore again with --replace.",
                    words.trim()
                );
            }
        };
        format!("{url} could not be filled: {words}. Nothing was changed.")
    };
    let held = match url {
        DatabaseUrl::Postgres(_) => Import::into_postgres(url, &source.migrations)
            .and_then(|import| fill(import, source))
            .map_err(|error| not_restored(&error))?,
        DatabaseUrl::Sqlite(path) => {
            let path = fs::canonicalize(path).unwrap_or_else(|_| path.clone());
            let new = beside(&path, ".restoring");
            let filled = make_private(&new)
                .map_err(CopyError::from)
                .and_then(|()| Import::into_file(&new, &source.migrations))
                .and_then(|import| fill(import, source))
                .and_then(|held| {
                    put_in_place(&new, &path, &before)?;
                    Ok(held)
                });
            filled.map_err(|error| {
                // What is left of it says nothing to anyone.
                let _ = fs::remove_file(&new);
                not_restored(&error)
            })?
        }
    };
    let kept = match before {
        Before::Kept(path) => Some(path),
        Before::Nothing | Before::Unused => None,
    };
    Ok(Restored { kept, held })
}

/// What is there was brought up to date by another version, which alone knows all of it.
fn newer(url: &DatabaseUrl) -> String {
    let away = match url {
        DatabaseUrl::Sqlite(path) => format!(
            "move {} and the -wal and -shm beside it away, and restore again",
            path.display()
        ),
        DatabaseUrl::Postgres(_) => "restore into another, empty database".to_owned(),
    };
    format!(
        "A newer version of Parlour has been using {url}: restore with that version, or, to go back to this one, {away}. \
         Nothing was changed."
    )
}

/// Looks what is there, and keeps it when it is to be replaced.
fn prepare(storage: &Storage, replace: bool) -> Result<Before, String> {
    let url = &storage.database_url;
    if let DatabaseUrl::Sqlite(path) = url
        && !path.exists()
    {
        return if has_log(path) {
            Err(format!(
                "{}-wal or -journal lies there without its database: move it away first. Nothing was changed.",
                path.display()
            ))
        } else {
            Ok(Before::Nothing)
        };
    }
    match copy::look_into(url) {
        Ok(found) if found.is_newer => Err(newer(url)),
        Ok(found) if found.users == 0 && found.messages == 0 => match url {
            DatabaseUrl::Postgres(_) => Ok(Before::Unused),
            DatabaseUrl::Sqlite(path) => fold(path).map(|()| Before::Unused),
        },
        Ok(found) if !replace => Err(format!(
            "{url} is not empty, it holds {} and {}: restore into an empty database, or give --replace, which keeps what is there in a file in {}. Nothing was changed.",
            backup::counted(found.users, "user"),
            backup::counted(found.messages, "message"),
            storage.data_dir.display()
        )),
        Err(error) if !replace || matches!(url, DatabaseUrl::Postgres(_)) => Err(format!(
            "What is in {url} cannot be read ({error}): restore into an empty database{}. Nothing was changed.",
            match url {
                DatabaseUrl::Postgres(_) => "",
                DatabaseUrl::Sqlite(_) => ", or give --replace, which keeps the file",
            }
        )),
        _ => keep(storage),
    }
}

/// A name that nothing has yet: two restores of one second keep what each has replaced.
fn free(stamp: &str, name: impl Fn(&str) -> PathBuf) -> PathBuf {
    let (mut path, mut count) = (name(stamp), 1);
    while path.exists() {
        count += 1;
        path = name(&format!("{stamp}-{count}"));
    }
    path
}

fn keep(storage: &Storage) -> Result<Before, String> {
    let stamp = stamp(&now());
    match &storage.database_url {
        DatabaseUrl::Postgres(_) => {
            let target = free(&stamp, |at| {
                storage.data_dir.join(format!("replaced-{at}.backup"))
            });
            backup::make(&storage.database_url, &target, None)
                .inspect(|made| {
                    // It can be read, and belongs to whoever has the folder.
                    if let Ok(file) = File::open(&made.path) {
                        ownership::hand_over(&file, &storage.data_dir);
                    }
                })
                .map(|made| Before::Kept(made.path))
                .map_err(|sentence| {
                    format!("What is there could not be kept, so nothing was changed. {sentence}")
                })
        }
        DatabaseUrl::Sqlite(path) => {
            let path = fs::canonicalize(path).unwrap_or_else(|_| path.clone());
            let aside = free(&stamp, |at| beside(&path, &format!(".replaced-{at}")));
            fold(&path).map(|()| Before::Kept(aside))
        }
    }
}

/// Makes the file of an embedded database the whole of it, if it is one at all.
fn fold(path: &Path) -> Result<(), String> {
    let folded = copy::fold_log(path);
    let is_in_use = match &folded {
        Ok(()) => has_log(path),
        // What cannot be read is kept as it lies.
        Err(error) => error.to_string().contains("locked"),
    };
    if is_in_use {
        return Err(format!(
            "Another program has {} open: end it first. Nothing was changed.",
            path.display()
        ));
    }
    Ok(())
}

/// Tells how many messages for later are held back.
fn fill(mut import: Import, source: &Source) -> Result<usize, CopyError> {
    let changed = |_| CopyError::Database("the backup was changed while it was read".into());
    let mut file = &source.file;
    file.rewind()?;
    let reader = Reader::open(file).map_err(changed)?;
    let mut progress = Progress::new("Restoring", file.metadata()?.len());
    let mut batch = (0, String::new());
    let rows = reader.each_row(|table, row| {
        progress.add(row.len() as u64);
        if batch.0 != table || batch.1.len() > BATCH {
            flush(&mut import, &mut batch)?;
            batch.0 = table;
        }
        batch.1.push(if batch.1.is_empty() { '[' } else { ',' });
        batch.1.push_str(row);
        Ok(())
    });
    let rows = rows.map_err(|fault| match fault {
        Fault::Other(error) => error,
        other => changed(other),
    })?;
    flush(&mut import, &mut batch)?;
    for (table, wanted) in import.tables.clone().iter().zip(rows) {
        let found = import.count(table)?;
        if found != wanted {
            return Err(CopyError::Database(format!(
                "{} has {found} rows after it and not {wanted}",
                table.name
            )));
        }
    }
    let epoch = random_name().map_err(|error| CopyError::Database(error.to_string()))?;
    import.finish(&epoch, password::MAX_COST, &scheduled::overdue_at_restore())
}

fn flush(import: &mut Import, batch: &mut (usize, String)) -> Result<(), CopyError> {
    if !batch.1.is_empty() {
        batch.1.push(']');
        import.insert(batch.0, &batch.1)?;
        batch.1.clear();
    }
    Ok(())
}

/// Makes an empty file for its owner alone, in place of what an earlier try left.
fn make_private(path: &Path) -> io::Result<()> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    let file = OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(path)?;
    ownership::hand_over(&file, backup::folder(path));
    Ok(())
}

/// Gives a filled database its name. At every moment there is a whole one of that name, the old or the new.
fn put_in_place(new: &Path, path: &Path, before: &Before) -> io::Result<()> {
    File::open(new)?.sync_all()?;
    if let Before::Kept(aside) = before
        && (has_log(path) || fs::hard_link(path, aside).is_err())
    {
        // Only of one that SQLite cannot read, a log is left here; it belongs to it, and not to the new one.
        for end in ["-wal", "-shm", "-journal", ""] {
            match fs::rename(beside(path, end), beside(aside, end)) {
                Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
                _ => {}
            }
        }
    }
    fs::rename(new, path)?;
    File::open(backup::folder(path))?.sync_all()
}

fn beside(path: &Path, end: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(end);
    name.into()
}
