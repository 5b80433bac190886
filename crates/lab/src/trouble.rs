//! The one error of the laboratory.

use std::{fmt, io};

/// Why something could not be tried or measured, as one plain sentence.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Trouble(pub String);

/// `Result` with the laboratory's error.
pub type Result<T, E = Trouble> = std::result::Result<T, E>;

impl Trouble {
    /// What the system said to an attempt to do something.
    #[must_use]
    pub fn io(what: &str, error: &io::Error) -> Self {
        Self(format!("Could not {what}: {error}."))
    }
}

impl fmt::Display for Trouble {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for Trouble {}
