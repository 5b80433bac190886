//! What is said after a restore.

use std::{fs::OpenOptions, os::unix::fs::OpenOptionsExt as _, path::Path};

use rustix::fs::OFlags;

use super::{Restored, Source};
use crate::{
    config::{FoundKey, Storage},
    ops::backup,
    ownership,
};

/// What was done, and what is to be done now.
pub(super) fn tell(
    source: &Source,
    storage: &Storage,
    key: &FoundKey,
    restored: &Restored,
) -> String {
    let held = match restored.held {
        0 => String::new(),
        held => format!(
            "{} for later had come due since that backup and will not be sent by itself: whoever wrote it may have taken it back, is told so, and can give it another time.\n",
            backup::counted(held as u64, "message")
        ),
    };
    let kept = restored.kept.as_deref().map_or_else(String::new, |kept| {
        format!(
            "What was there before is kept in {}: delete that when you no longer need it.\n",
            kept.display()
        )
    });
    let about_the_key = match key {
        FoundKey::Missing(path) => format!(
            "Before you start the server, give it the ENCRYPTION_KEY of the server that was backed up: set it, or put it into {}. It does not start with another one.",
            path.display()
        ),
        FoundKey::Kept(path, _) => {
            hand_over_key(path, &storage.data_dir);
            format!("The key in {} opens it.", path.display())
        }
        FoundKey::Given(_) => "The ENCRYPTION_KEY that is set opens it.".into(),
    };
    format!(
        "Restored {} into {}: {}, as of {}.\n{held}{kept}{about_the_key}\n{}Everyone has to log in again.\n",
        source.path.display(),
        storage.database_url,
        source.contents.summary(),
        source.made_at,
        about_owners(storage, key)
    )
}

/// The key was put there by hand, perhaps by root.
fn hand_over_key(path: &Path, data_dir: &Path) {
    // The folder's owner may have made a link to a file that is not to be theirs.
    let mut opening = OpenOptions::new();
    opening
        .read(true)
        .custom_flags(OFlags::NOFOLLOW.bits().cast_signed());
    if ownership::is_foreign(path, data_dir)
        && let Ok(file) = opening.open(path)
    {
        ownership::hand_over(&file, data_dir);
    }
}

/// What the user that the server runs as may be unable to open.
fn about_owners(storage: &Storage, key: &FoundKey) -> String {
    let data_dir = &storage.data_dir;
    let shown = data_dir.display();
    match key {
        _ if ownership::is_roots_alone(data_dir) => format!(
            "{shown} belongs to root: if the server runs as another user, give it that user's: `chown -R USER {shown}`.\n"
        ),
        FoundKey::Kept(path, _) if ownership::is_foreign(path, data_dir) => format!(
            "{0} belongs to another user than its folder, and the server may be unable to open it: `chown --reference={shown} {0}`.\n",
            path.display()
        ),
        _ => String::new(),
    }
}
