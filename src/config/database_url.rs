//! The URL of the database: what it names, and how it is shown without its password.

use std::{fmt, path::PathBuf};

use super::{ConfigError, postgres_url, wrong};

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
            Self::Postgres(text) => f.write_str(&postgres_url::shown(text)),
        }
    }
}

impl DatabaseUrl {
    pub(super) fn parse(text: &str) -> Result<Self, ConfigError> {
        let (scheme, rest) = text.split_once(':').unwrap_or((text, ""));
        match scheme.to_ascii_lowercase().as_str() {
            "sqlite" => {
                let path = rest.strip_prefix("//").unwrap_or(rest);
                let path = path.split_once('?').map_or(path, |(path, _)| path);
                if path.is_empty() || path == ":memory:" {
                    return wrong(
                        "DATABASE_URL names no file: write it like sqlite://./data/parlour.db.",
                    );
                }
                Ok(Self::Sqlite(super::checked::path(
                    "DATABASE_URL",
                    path.as_ref(),
                )?))
            }
            "postgres" | "postgresql" => postgres_url::parse(rest).map(Self::Postgres),
            // Only what cannot be the beginning of a user name with a password.
            known @ ("mysql" | "mariadb" | "mongodb" | "redis" | "mssql" | "file" | "http"
            | "https") => wrong(format!(
                "DATABASE_URL starts with `{known}:`, which is not known here: it must start with sqlite:// or postgres://."
            )),
            _ => wrong("DATABASE_URL must start with sqlite:// or postgres://."),
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_database_url_is_understood_or_refused_with_a_sentence() {
        for (text, path) in [
            ("sqlite://./x.db", "./x.db"),
            ("sqlite:///var/x.db", "/var/x.db"),
            ("sqlite:x.db", "x.db"),
            ("SQLite://x.db?mode=rwc", "x.db"),
        ] {
            assert_eq!(
                DatabaseUrl::parse(text),
                Ok(DatabaseUrl::Sqlite(path.into()))
            );
        }
        for text in [
            "mysql://h/db",
            "",
            "parlour.db",
            "sqlite://",
            "sqlite://~/x.db",
            "hunter2",
        ] {
            let refused = DatabaseUrl::parse(text);
            let said = refused.expect_err(text).0;
            assert!(
                said.contains("DATABASE_URL") && !said.contains("hunter2"),
                "{said}"
            );
        }
    }

    /// Every run of five characters is enough to recognise a password by.
    fn tells(said: &str, password: &str) -> bool {
        let chars: Vec<char> = password.chars().collect();
        chars
            .windows(5)
            .any(|part| said.contains(&part.iter().collect::<String>()))
    }

    proptest! {
        #[test]
        fn no_part_of_a_password_is_ever_shown(
            password in "[a-zA-Z0-9@/:?#%&=\\[\\]!$,;+ ~.-]{12,30}",
            scheme in "postgres(ql)?",
            behind in "(db\\.internal)?(:5432)?(/chat)?(\\?sslmode=disable)?",
        ) {
            let url = format!("{scheme}://parlour:{password}@{behind}");
            let said = match DatabaseUrl::parse(&url) {
                Ok(url) => format!("{url} {url:?}"),
                Err(error) => error.0,
            };
            // Our own sentences are known; a password that happens to be made of their words is no leak.
            prop_assume!(!tells(OUR_WORDS, &password));
            prop_assert!(!tells(&said, &password), "{password:?} in {said:?}");
            // What no URL could hold is taken for granted; what it could is shown by a whole parser to be the same.
            let encoded: Vec<String> = password.bytes().map(|byte| format!("%{byte:02X}")).collect();
            let encoded = encoded.concat();
            let url = format!("{scheme}://parlour:{encoded}@{behind}");
            let parsed = DatabaseUrl::parse(&url);
            prop_assert!(parsed.is_ok(), "{parsed:?}");
            prop_assert!(!tells(&parsed.map(|url| url.to_string()).unwrap_or_default(), &encoded));
        }
    }

    const OUR_WORDS: &str = "postgres://localhost/parlour db.internal:5432/chat user:password@host:5432/parlour sslmode";
}
