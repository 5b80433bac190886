//! What the clients (the terminal client, `send` and `tail`) can be told, and where they keep things.

#![allow(
    clippy::doc_markdown,
    reason = "the comments on settings are the text of --help, where backticks would be in the way"
)]

use std::path::PathBuf;

use clap::Args;
use secrecy::SecretString;

/// What the terminal client, `send` and `tail` can be told.
#[derive(Debug, Clone, Args)]
pub struct ClientSettings {
    /// Address of the server
    #[arg(
        long,
        env = "PARLOUR_SERVER",
        value_name = "URL",
        default_value = "http://127.0.0.1:8000",
        value_parser = web_address
    )]
    pub server: url::Url,
    /// User to log in as
    #[arg(long, short, env = "PARLOUR_USERNAME", value_name = "NAME")]
    pub username: Option<String>,
    /// The password, used only when there is no saved login that still works. Set it in the environment rather than on the
    /// command line, which others on this machine can see
    #[arg(
        long,
        env = "PARLOUR_PASSWORD",
        value_name = "TEXT",
        hide_env_values = true
    )]
    pub password: Option<SecretString>,
}

impl ClientSettings {
    /// Who to log in as, without spaces that slipped in.
    #[must_use]
    pub fn name(&self) -> Option<&str> {
        let name = self.username.as_deref()?.trim();
        (!name.is_empty()).then_some(name)
    }
}

/// The clients' own file of settings, `client.env` in their configuration folder. The folder in which a client is run has
/// no say: whoever filled it could redirect a password.
#[must_use]
pub fn file() -> Option<PathBuf> {
    user_dir("XDG_CONFIG_HOME", ".config").map(|dir| dir.join("client.env"))
}

/// The address of a web server, as the clients take it.
fn web_address(text: &str) -> Result<url::Url, String> {
    let url: Option<url::Url> = text.trim().parse().ok();
    url.filter(|url| matches!(url.scheme(), "http" | "https") && url.has_host())
        .ok_or_else(|| {
            "give the address with http:// or https:// before it, like https://chat.example.org"
                .to_owned()
        })
}

/// How many.
///
/// # Errors
/// When it is no whole number.
pub fn count(text: &str) -> Result<usize, String> {
    text.trim()
        .parse()
        .map_err(|_| "give a whole number, like 50".to_owned())
}

/// Where the terminal client keeps what must outlive it (its login): `$XDG_STATE_HOME/parlour` or `~/.local/state/parlour`.
#[must_use]
pub fn state_dir() -> Option<PathBuf> {
    user_dir("XDG_STATE_HOME", ".local/state")
}

/// The program's folder in one of the user's folders: the one that the variable names, or this one at home.
fn user_dir(variable: &str, at_home: &str) -> Option<PathBuf> {
    let from = |name: &str| {
        std::env::var_os(name)
            .filter(|value| !value.is_empty())
            .map(PathBuf::from)
    };
    from(variable)
        .or_else(|| from("HOME").map(|home| home.join(at_home)))
        .map(|dir| dir.join("parlour"))
}
