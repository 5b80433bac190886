//! The URL of the database: what it names, and how it is shown without its password.

use std::{fmt, path::PathBuf};

use super::{ConfigError, wrong};

/// A database URL that was understood. The password in it is never printed.
#[derive(Clone, PartialEq, Eq)]
pub enum DatabaseUrl {
    /// The embedded database: a file.
    Sqlite(PathBuf),
    /// A libpq connection URL.
    Postgres(String),
}

impl fmt::Debug for DatabaseUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl fmt::Display for DatabaseUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Sqlite(path) => write!(f, "sqlite://{}", path.display()),
            Self::Postgres(text) => {
                let parsed = url::Url::parse(text).ok();
                let host = parsed
                    .as_ref()
                    .and_then(url::Url::host_str)
                    .unwrap_or("localhost");
                let name = parsed
                    .as_ref()
                    .map_or("", |url| url.path().trim_start_matches('/'));
                write!(f, "postgres://{host}/{name}")
            }
        }
    }
}

impl DatabaseUrl {
    pub(super) fn parse(text: &str) -> Result<Self, ConfigError> {
        match text.split_once(':') {
            Some(("sqlite", rest)) => {
                let path = rest.strip_prefix("//").unwrap_or(rest);
                let path = path.split_once('?').map_or(path, |(path, _)| path);
                if path.is_empty() || path == ":memory:" {
                    return wrong(
                        "DATABASE_URL names no file: write it like sqlite://./data/parlour.db.",
                    );
                }
                Ok(Self::Sqlite(path.into()))
            }
            Some(("postgres" | "postgresql", _)) if url::Url::parse(text).is_ok() => {
                Ok(Self::Postgres(text.into()))
            }
            Some(("postgres" | "postgresql", _)) => wrong(
                "DATABASE_URL is not a valid URL: write it like postgres://user:password@host:5432/parlour, with special characters percent-encoded.",
            ),
            Some((scheme, _))
                if scheme
                    .chars()
                    .all(|c| c.is_ascii_alphanumeric() || "+-.".contains(c)) =>
            {
                wrong(format!(
                    "DATABASE_URL starts with `{scheme}:`, which is not known here: it must start with sqlite:// or postgres://."
                ))
            }
            _ => wrong("DATABASE_URL must start with sqlite:// or postgres://."),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_database_url_is_understood_or_refused_with_a_sentence() {
        assert_eq!(
            DatabaseUrl::parse("sqlite://./x.db"),
            Ok(DatabaseUrl::Sqlite("./x.db".into()))
        );
        assert_eq!(
            DatabaseUrl::parse("sqlite:///var/x.db"),
            Ok(DatabaseUrl::Sqlite("/var/x.db".into()))
        );
        assert!(matches!(
            DatabaseUrl::parse("postgres://u:p@h/db"),
            Ok(DatabaseUrl::Postgres(_))
        ));
        for text in [
            "mysql://h/db",
            "",
            "parlour.db",
            "sqlite://",
            "postgres:// bad host",
        ] {
            assert!(DatabaseUrl::parse(text).is_err(), "{text}");
        }
    }

    #[test]
    fn the_password_of_a_database_url_is_never_printed() {
        let url =
            DatabaseUrl::parse("postgres://parlour:hunter2@db.example/chat").expect("a good URL");
        assert_eq!(
            format!("{url} {url:?}"),
            "postgres://db.example/chat postgres://db.example/chat"
        );
    }
}
