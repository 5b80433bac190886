//! The data folder, the keys in it, and the space around it.

use std::{
    fs,
    os::unix::fs::PermissionsExt as _,
    path::{Path, PathBuf},
};

use rustix::fs::{Access, access, statvfs};

use secrecy::ExposeSecret as _;

use super::Report;
use crate::{
    config::{ConfigError, DatabaseUrl, FoundKey, Settings, Storage, doubts_of_keys},
    ownership,
};

const MIB: u64 = 1024 * 1024;
/// Free space below which someone should look.
const LITTLE: u64 = 1024 * MIB;
/// Free space below which writing may fail any moment.
const NONE: u64 = 64 * MIB;

/// The folder exists, or can be made; and only its owner can look into it.
pub fn check_data_dir(path: &Path, report: &mut Report) {
    let shown = path.display();
    match fs::metadata(path) {
        Ok(found) if !found.is_dir() => {
            report.problem(format!("DATA_DIR {shown} is not a folder: choose another."));
        }
        Ok(_) if !is_writable(path) => report.problem(format!(
            "DATA_DIR {shown} cannot be written by this user: give it to the user that Parlour runs as (chown), or choose another."
        )),
        Ok(found) if found.permissions().mode() & 0o077 != 0 => report.warning(format!(
            "DATA_DIR {shown} can be looked into by other users: `chmod 700 {shown}`."
        )),
        Ok(_) => report.ok(format!("DATA_DIR {shown} is there, and is this user's alone.")),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
            match nearest_folder(path) {
                Some(parent) if is_writable(&parent) => report.ok(format!(
                    "DATA_DIR {shown} is not there yet; the first start makes it."
                )),
                _ => report.problem(format!(
                    "DATA_DIR {shown} is not there and cannot be made by this user: choose a folder that can be written."
                )),
            }
        }
        Err(error) => report.problem(format!(
            "DATA_DIR {shown} cannot be looked at ({error}): choose a folder that can be written."
        )),
    }
}

/// What this program makes in the data folder, by the beginnings of the names.
const OURS: [&str; 5] = [
    "parlour.db",
    "history",
    "secret_key",
    "encryption_key",
    "replaced-",
];

/// The files in the folder of the data, and in that of the embedded database, belong to whoever has the folder.
pub fn check_owners(storage: &Storage, report: &mut Report) {
    let data_dir = &storage.data_dir;
    let database = match &storage.database_url {
        DatabaseUrl::Sqlite(path) => fs::canonicalize(path).ok(),
        DatabaseUrl::Postgres(_) => None,
    };
    let begin = |path: &PathBuf| path.display().to_string();
    let is_of_database = |file: &PathBuf| {
        let real = fs::canonicalize(file).unwrap_or_else(|_| file.clone());
        let is_of = |path: &PathBuf| begin(&real).starts_with(&begin(path));
        database.as_ref().is_some_and(is_of)
    };
    for file in ownership::list_foreign(data_dir).unwrap_or_default() {
        let name = file.file_name().unwrap_or_default().to_string_lossy();
        if OURS.iter().any(|ours| name.starts_with(ours)) || is_of_database(&file) {
            name_foreign(&file, data_dir, report);
        } else {
            report.ok(format!(
                "{} belongs to another user, and is none of Parlour's files.",
                file.display()
            ));
        }
    }
    if let Some(folder) = database.as_ref().and_then(|path| path.parent())
        && fs::canonicalize(data_dir).is_ok_and(|data| data != folder)
    {
        // What else lies there is not ours.
        let foreign = ownership::list_foreign(folder).unwrap_or_default();
        for file in foreign.iter().filter(|file| is_of_database(file)) {
            name_foreign(file, folder, report);
        }
    }
}

fn name_foreign(file: &Path, folder: &Path, report: &mut Report) {
    report.problem(format!(
        "{0} belongs to another user than its folder, who may be unable to open it (a command was run as root?): `chown --reference={1} {0}`.",
        file.display(),
        folder.display()
    ));
}

/// A file without a name shows what permissions alone do not: a file system that takes none, such as /proc.
fn is_writable(path: &Path) -> bool {
    access(path, Access::WRITE_OK | Access::EXEC_OK).is_ok()
        && match tempfile::tempfile_in(path) {
            Ok(_) => true,
            Err(error) => error.kind() == std::io::ErrorKind::StorageFull,
        }
}

/// What there is of a path, if that is a folder: in it the rest would be made.
fn nearest_folder(path: &Path) -> Option<PathBuf> {
    let path = std::path::absolute(path).ok()?;
    let nearest = path.ancestors().find(|part| part.exists())?;
    let folder = if nearest == path && nearest.is_file() {
        nearest.parent()?
    } else {
        nearest
    };
    folder.is_dir().then(|| folder.to_owned())
}

/// Both keys. Tells the one for encryption, if it is good or is still to be made.
pub fn check_keys(settings: &Settings, report: &mut Report) -> Option<FoundKey> {
    let data_dir = &settings.storage.data_dir;
    check_key(
        "SECRET_KEY",
        FoundKey::secret(&settings.keys, data_dir),
        report,
    );
    let found = check_key(
        "ENCRYPTION_KEY",
        FoundKey::encryption(&settings.keys, data_dir),
        report,
    );
    if let Some(FoundKey::Given(key) | FoundKey::Kept(_, key)) = &found {
        for doubt in doubts_of_keys(key.expose_secret()) {
            report.warning(doubt);
        }
    }
    found
}

fn check_key(
    name: &str,
    found: Result<FoundKey, ConfigError>,
    report: &mut Report,
) -> Option<FoundKey> {
    match &found {
        Ok(FoundKey::Given(_)) => report.ok(format!("{name} is given.")),
        Ok(FoundKey::Kept(path, _)) => check_private(name, path, report),
        // The database decides whether the first start makes one.
        Ok(FoundKey::Missing(_)) if name == "ENCRYPTION_KEY" => {}
        Ok(FoundKey::Missing(path)) => will_be_made(name, path, report),
        Err(error) => report.problem(&error.0),
    }
    found.ok()
}

/// A key that the first start makes.
pub fn will_be_made(name: &str, path: &Path, report: &mut Report) {
    report.ok(format!(
        "{name} is not given; the first start makes one and keeps it in {}.",
        path.display()
    ));
}

fn check_private(name: &str, path: &Path, report: &mut Report) {
    let shown = path.display();
    let mode = fs::metadata(path).map_or(0, |found| found.permissions().mode() & 0o777);
    if mode & 0o077 != 0 {
        report.problem(format!(
            "{name} is kept in {shown}, which other users can get at (mode {mode:03o}): `chmod 600 {shown}`."
        ));
    } else {
        report.ok(format!(
            "{name} is kept in {shown}, which is this user's alone; back it up."
        ));
    }
}

/// Whether the disk has room for what the embedded database will write.
pub fn check_space(storage: &Storage, report: &mut Report) {
    let path = match &storage.database_url {
        DatabaseUrl::Sqlite(path) => path,
        // What `PostgreSQL` writes lies elsewhere.
        DatabaseUrl::Postgres(_) => return,
    };
    let Some(folder) = nearest_folder(path) else {
        return;
    };
    // What is no disk tells of no blocks.
    let Some(disk) = statvfs(&folder).ok().filter(|disk| disk.f_blocks > 0) else {
        return;
    };
    let free = disk.f_bavail.saturating_mul(disk.f_frsize);
    let shown = folder.display();
    if free < NONE {
        report.problem(format!(
            "{} MiB are free where {shown} is: make room before messages are refused.",
            free / MIB
        ));
    } else if free < LITTLE {
        report.warning(format!(
            "Only {} MiB are free where {shown} is: make room soon.",
            free / MIB
        ));
    } else {
        report.ok(format!("{} GiB are free where {shown} is.", free / LITTLE));
    }
}
