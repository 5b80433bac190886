//! The keys: given, or made on the first run and kept in the data folder with mode 0600.

use std::{fs, path::Path};

use secrecy::{ExposeSecret, SecretString};

use super::{ConfigError, KeySettings, wrong};

/// The keys, as given or as made on the first run.
#[derive(Debug, Clone)]
pub struct Keys {
    /// Signs access tokens.
    pub secret_key: SecretString,
    /// Seals and opens messages: as written, separated by commas.
    pub encryption_key: SecretString,
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

impl Keys {
    /// The given keys; for each that is not given, the one kept in the data folder, made on the first run.
    ///
    /// # Errors
    /// When a key is a sample or too short, or when its file cannot be read or written.
    pub fn read_or_make(settings: &KeySettings, data_dir: &Path) -> Result<Self, ConfigError> {
        let secret_key = match &settings.secret_key {
            Some(key) => check_key("SECRET_KEY", key.expose_secret()).map(|()| key.clone())?,
            None => kept_key(&data_dir.join("secret_key"), "SECRET_KEY")?,
        };
        let encryption_key = match &settings.encryption_key {
            Some(keys) => {
                for key in keys.expose_secret().split(',').map(str::trim) {
                    check_key("ENCRYPTION_KEY", key)?;
                }
                keys.clone()
            }
            None => kept_key(&data_dir.join("encryption_key"), "ENCRYPTION_KEY")?,
        };
        Ok(Self {
            secret_key,
            encryption_key,
        })
    }
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

/// Reads a key from its file, or makes one. The file is written whole, with mode 0600, before it gets its name, so
/// that neither a crash nor a second process can leave half a key.
fn kept_key(path: &Path, name: &str) -> Result<SecretString, ConfigError> {
    match fs::read_to_string(path) {
        Ok(text) if !text.trim().is_empty() => return Ok(text.trim().into()),
        Ok(_) => {
            return wrong(format!(
                "{} is empty: restore it from a backup, or, if nothing was stored yet, delete it.",
                path.display()
            ));
        }
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {}
        Err(error) => {
            return wrong(format!(
                "{} cannot be read ({error}): check its owner and mode.",
                path.display()
            ));
        }
    }
    let key = fernet::Fernet::generate_key();
    match write_private(path, &key) {
        Ok(()) => {
            log::info!(
                "made a new {name} and wrote it to {} (mode 0600): back it up, without it messages cannot be read",
                path.display()
            );
            Ok(key.into())
        }
        // Another process made it between our look and our write: take that one.
        Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists => kept_key(path, name),
        Err(error) => wrong(format!(
            "{} cannot be written ({error}): make the folder writable, or set {name}.",
            path.display()
        )),
    }
}

fn write_private(path: &Path, text: &str) -> std::io::Result<()> {
    use std::io::Write as _;
    // tempfile makes its files with mode 0600.
    let mut file =
        tempfile::NamedTempFile::new_in(path.parent().unwrap_or_else(|| Path::new(".")))?;
    writeln!(file, "{text}")?;
    file.as_file().sync_all()?;
    file.persist_noclobber(path).map_err(|error| error.error)?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

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
