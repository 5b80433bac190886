//! The keys: given, or made on the first run and kept in the data folder with mode 0600.

use std::{
    fs,
    os::unix::fs::MetadataExt as _,
    path::{Path, PathBuf},
};

use secrecy::{ExposeSecret, SecretString};

use super::{ConfigError, KeySettings, wrong};
use crate::ownership;

/// The keys, as given or as made on the first run.
#[derive(Debug, Clone)]
pub struct Keys {
    /// Signs access tokens.
    pub secret_key: SecretString,
    /// Seals and opens messages: as written, separated by commas.
    pub encryption_key: SecretString,
    /// Those that were made just now and lie nowhere yet.
    new: Vec<NewKey>,
}

#[derive(Debug, Clone)]
struct NewKey {
    name: &'static str,
    path: PathBuf,
    key: SecretString,
}

/// Words that stand in samples and tutorials: a key that holds one was not made by chance.
const SAMPLE_WORDS: [&str; 9] = [
    "change",
    "your-",
    "your_",
    "secret-key",
    "secret_key",
    "example",
    "default",
    "password",
    "sample",
];

/// Fewest characters of a given key.
const MIN_KEY: usize = 32;

/// Where a key was found.
#[derive(Debug, Clone)]
pub enum FoundKey {
    /// In the settings.
    Given(SecretString),
    /// In its file in the data folder.
    Kept(PathBuf, SecretString),
    /// Nowhere: this file is what the first run makes.
    Missing(PathBuf),
}

impl FoundKey {
    /// Looks for `SECRET_KEY`; makes nothing.
    ///
    /// # Errors
    /// When the key is a sample or too short, or when its file cannot be read.
    pub fn secret(settings: &KeySettings, data_dir: &Path) -> Result<Self, ConfigError> {
        match &settings.secret_key {
            Some(key) => {
                check_key("SECRET_KEY", key.expose_secret())?;
                Ok(Self::Given(key.clone()))
            }
            None => kept_key(data_dir.join("secret_key")),
        }
    }

    /// Looks for `ENCRYPTION_KEY`; makes nothing.
    ///
    /// # Errors
    /// When a key is a sample or too short, or when its file cannot be read.
    pub fn encryption(settings: &KeySettings, data_dir: &Path) -> Result<Self, ConfigError> {
        match &settings.encryption_key {
            Some(keys) => {
                for key in keys.expose_secret().split(',').map(str::trim) {
                    check_key("ENCRYPTION_KEY", key)?;
                }
                Ok(Self::Given(keys.clone()))
            }
            None => kept_key(data_dir.join("encryption_key")),
        }
    }

    fn or_generate(self, name: &'static str, new: &mut Vec<NewKey>) -> SecretString {
        match self {
            Self::Given(key) | Self::Kept(_, key) => key,
            Self::Missing(path) => {
                let key: SecretString = fernet::Fernet::generate_key().into();
                new.push(NewKey {
                    name,
                    path,
                    key: key.clone(),
                });
                key
            }
        }
    }
}

impl Keys {
    /// The given keys; for each that is not given, the one kept in the data folder; for one that is nowhere, a new one,
    /// which lies nowhere until [`Self::keep`].
    ///
    /// # Errors
    /// When a key is a sample or too short, or when its file cannot be read.
    pub fn find_or_generate(settings: &KeySettings, data_dir: &Path) -> Result<Self, ConfigError> {
        let mut new = Vec::new();
        Ok(Self {
            secret_key: FoundKey::secret(settings, data_dir)?.or_generate("SECRET_KEY", &mut new),
            encryption_key: FoundKey::encryption(settings, data_dir)?
                .or_generate("ENCRYPTION_KEY", &mut new),
            new,
        })
    }

    /// Where the encryption key will be kept, if it was made just now: it can open nothing that was there before.
    #[must_use]
    pub fn new_encryption_key(&self) -> Option<&Path> {
        let new = self.new.iter().find(|new| new.name == "ENCRYPTION_KEY")?;
        Some(&new.path)
    }

    /// What of the encryption keys was hardly meant so: a sentence for each.
    #[must_use]
    pub fn doubts(&self) -> Vec<String> {
        doubts(self.encryption_key.expose_secret())
    }

    /// Writes new keys into their files. To be called before anything is sealed or signed with them, and not before it is
    /// certain that they are wanted.
    ///
    /// # Errors
    /// When a file cannot be written, or another process has just written it.
    pub fn keep(&self) -> Result<(), ConfigError> {
        self.new.iter().try_for_each(NewKey::keep)
    }
}

impl NewKey {
    fn keep(&self) -> Result<(), ConfigError> {
        let (name, path) = (self.name, self.path.display());
        match write_private(&self.path, self.key.expose_secret()) {
            Ok(()) => {
                log::info!(
                    "made a new {name} and wrote it to {path} (mode 0600): back it up, without it {}",
                    what_is_lost(name)
                );
                Ok(())
            }
            Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists => wrong(format!(
                "Another process has just made {path}: start this one again to use that key."
            )),
            Err(error) if error.kind() == std::io::ErrorKind::StorageFull => wrong(format!(
                "{path} cannot be written, for the disk is full: make room, and start again."
            )),
            Err(error) => wrong(format!(
                "{path} cannot be written ({error}): make the folder writable, or set {name}."
            )),
        }
    }
}

/// For a database that the given keys do not open: what to do when the key in the data folder, which a given one comes
/// before, does. `opens` says whether keys open what is there.
#[must_use]
pub fn passed_over(data_dir: &Path, opens: impl Fn(&str) -> bool) -> Option<String> {
    let Ok(FoundKey::Kept(path, key)) = kept_key(data_dir.join("encryption_key")) else {
        return None;
    };
    opens(key.expose_secret()).then(|| {
        format!(
            "ENCRYPTION_KEY does not open what is in this database, but the key in {} does: take ENCRYPTION_KEY out of .env (or of the environment, if it stands there), and that key is used again.",
            path.display()
        )
    })
}

/// Any text makes a key, since Parlour's predecessor took any. What was meant for a Fernet key and is none would be used in
/// silence, and the right one be refused ever after. Never tells the key.
#[must_use]
pub fn doubts(keys: &str) -> Vec<String> {
    let is_fernet = |text: &str| fernet::Fernet::new(text).is_some();
    let could_stand_in_one = |c: char| c.is_ascii_alphanumeric() || "+/-_=".contains(c);
    let later =
        "it will be used all the same, by its SHA-256, and the right one will be refused later";
    keys.split(',')
        .map(str::trim)
        .enumerate()
        .filter(|(_, key)| !key.is_empty() && !is_fernet(key))
        .map(|(number, key)| {
            let name = match number {
                0 => "ENCRYPTION_KEY".to_owned(),
                _ => format!("Key {} of ENCRYPTION_KEY", number + 1),
            };
            let bare: String = key.chars().filter(|c| could_stand_in_one(*c)).collect();
            if is_fernet(&bare) {
                format!("{name} is a Fernet key with quotes, spaces or the like in it: take them away now, for {later}.")
            } else if (40..=48).contains(&bare.len()) && bare.len() == key.len() {
                format!("{name} looks like a Fernet key and is none (43 letters, digits, - and _, then =), so something is missing or wrong: look now, for {later}.")
            } else {
                format!("{name} is no Fernet key, so the SHA-256 of the text is the key, as in the software before Parlour. If it does not come from there, take one from `parlour keys generate` before anything is stored.")
            }
        })
        .collect()
}

fn check_key(name: &str, key: &str) -> Result<(), ConfigError> {
    let advice = "make a good one with `parlour keys generate`, or leave it out to have one made on the first run";
    if key.len() < MIN_KEY {
        return wrong(format!(
            "{name} is too short ({} characters, at least {MIN_KEY} are needed): {advice}.",
            key.len()
        ));
    }
    let lower = key.to_lowercase();
    if SAMPLE_WORDS.iter().any(|word| lower.contains(word))
        || key.chars().all(|c| key.starts_with(c))
    {
        return wrong(format!(
            "{name} looks like a sample from a tutorial, which everyone knows: {advice}."
        ));
    }
    Ok(())
}

fn kept_key(path: PathBuf) -> Result<FoundKey, ConfigError> {
    match ownership::read_short_text(&path) {
        Ok(text) if text.trim().len() >= MIN_KEY => Ok(FoundKey::Kept(path, text.trim().into())),
        Ok(text) if !text.trim().is_empty() => wrong(format!(
            "{} is shorter than any key that Parlour makes: put it back from where you keep it, or, if nothing was stored yet, delete it.",
            path.display()
        )),
        Ok(_) => wrong(format!(
            "{} is empty: put it back from where you keep it, or, if nothing was stored yet, delete it.",
            path.display()
        )),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(FoundKey::Missing(path)),
        Err(error) => wrong(format!(
            "{} cannot be read ({error}): check its owner and mode.",
            path.display()
        )),
    }
}

/// What others could do to a key in the data folder: a sentence for each. Whoever can write `secret_key` can log in as
/// anyone.
#[must_use]
pub fn loose_files(settings: &KeySettings, data_dir: &Path) -> Vec<String> {
    let kept = [
        ("secret_key", settings.secret_key.is_none()),
        ("encryption_key", settings.encryption_key.is_none()),
    ];
    let mut found = Vec::new();
    for (name, _) in kept.into_iter().filter(|(_, is_kept)| *is_kept) {
        let path = data_dir.join(name);
        let Ok(file) = fs::metadata(&path) else {
            continue;
        };
        let shown = path.display();
        if file.mode() & 0o022 != 0 {
            found.push(format!(
                "{shown} can be changed by other users, who can then make it a key that they know: `chmod 600 {shown}`, and if that may have happened, make a new one."
            ));
        }
        let own = rustix::process::geteuid().as_raw();
        let of_folder = fs::metadata(data_dir).map(|folder| folder.uid());
        if ![0, own].contains(&file.uid()) && !of_folder.is_ok_and(|uid| uid == file.uid()) {
            found.push(format!(
                "{shown} belongs to another user, who can change it: give it to the user that Parlour runs as (chown)."
            ));
        }
    }
    found
}

/// The file is written whole, with mode 0600, before it gets its name, so that neither a crash nor a second process can
/// leave half a key.
fn write_private(path: &Path, text: &str) -> std::io::Result<()> {
    use std::io::Write as _;
    // tempfile makes its files with mode 0600.
    let folder = path.parent().unwrap_or_else(|| Path::new("."));
    let mut file = tempfile::NamedTempFile::new_in(folder)?;
    writeln!(file, "{text}")?;
    ownership::hand_over(file.as_file(), folder);
    file.as_file().sync_all()?;
    file.persist_noclobber(path).map_err(|error| error.error)?;
    Ok(())
}

/// What happens without this key.
fn what_is_lost(name: &str) -> &'static str {
    if name == "ENCRYPTION_KEY" {
        "messages cannot be read"
    } else {
        "everyone has to log in again"
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_meant_for_a_fernet_key_and_is_none_is_told() {
        let key = "q83vEjRWeJCrze8SNFZ4kKvN7xI0VniQq83vEjRWeJA=";
        let url_safe = fernet::Fernet::generate_key();
        // The = at the end says nothing.
        let fine = format!("{key}, {url_safe},{}", &key[..43]);
        assert_eq!(doubts(&fine), Vec::<String>::new());
        for (damaged, words) in [
            (format!("\"{key}\""), "with quotes"),
            (format!("'{key}'"), "with quotes"),
            (format!("{} {}", &key[..20], &key[20..]), "with quotes"),
            (key[..42].to_owned(), "is none"),
            (key[1..].to_owned(), "is none"),
            (format!("{}A", &key[..43]), "is none"),
            (
                "a passphrase of thirty-two letters or more".to_owned(),
                "is no Fernet key",
            ),
            (format!("{key},'{key}'"), "Key 2 of"),
        ] {
            let said = doubts(&damaged);
            assert!(
                said.len() == 1 && said[0].contains(words),
                "{damaged}: {said:?}"
            );
            assert!(!said[0].contains(&key[..8]), "{said:?}");
        }
    }

    #[test]
    fn sample_and_short_keys_are_refused() {
        for key in [
            "short",
            "your-secret-key-here-change-in-production",
            &"a".repeat(40),
        ] {
            assert!(check_key("SECRET_KEY", key).is_err(), "{key}");
        }
        assert_eq!(
            check_key("SECRET_KEY", &fernet::Fernet::generate_key()),
            Ok(())
        );
    }
}
