//! `parlour keys generate`: new keys, printed as settings.

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};

use crate::{config::ConfigError, crypto::random_bytes, printing};

/// Runs the command.
///
/// # Errors
/// When the system has no random bytes.
pub fn generate() -> Result<i32, ConfigError> {
    let no_randomness = |error| ConfigError(format!("No key can be made: {error}."));
    let secret = random_bytes::<32>().map_err(no_randomness)?;
    let secret = URL_SAFE_NO_PAD.encode(secret);
    let key = fernet::Fernet::generate_key();
    let printed = printing::line(format_args!("SECRET_KEY={secret}\nENCRYPTION_KEY={key}"));
    Ok(printing::exit_code(printed))
}
