//! The first connections. A database is often started together with this program, and may need longer than it.

use std::{
    thread,
    time::{Duration, Instant},
};

use diesel::prelude::ConnectionError;

use super::{AnyConnection, conn};
use crate::config::DatabaseUrl;

/// How often a database that is not there yet is tried again.
const PAUSE: Duration = Duration::from_millis(200);

/// Opens connections while the program starts, and waits for a database that is not there yet.
#[derive(Debug)]
pub struct Connector<'a> {
    url: &'a DatabaseUrl,
    began: Instant,
    timeout: Duration,
    has_said: bool,
}

impl<'a> Connector<'a> {
    /// Waits for `timeout` from now on, however often it is asked.
    #[must_use]
    pub fn new(url: &'a DatabaseUrl, timeout: Duration) -> Self {
        Self {
            url,
            began: Instant::now(),
            timeout,
            has_said: false,
        }
    }

    /// What is connected to.
    #[must_use]
    pub fn url(&self) -> &'a DatabaseUrl {
        self.url
    }

    /// A connection. Says once what is waited for, and when it is there.
    ///
    /// # Errors
    /// At once when waiting would not help: a wrong password, the name of a database that does not exist. Otherwise
    /// what was in the way when time ran out.
    pub fn open(&mut self) -> Result<AnyConnection, ConnectionError> {
        loop {
            match conn::open(self.url) {
                Ok(conn) => {
                    if self.has_said {
                        let waited = self.began.elapsed().as_secs();
                        log::info!("the database {} is there after {waited} s", self.url);
                        self.has_said = false;
                    }
                    return Ok(conn);
                }
                Err(error) if conn::is_passing(&error) && self.began.elapsed() < self.timeout => {
                    if !self.has_said {
                        log::warn!(
                            "waiting up to {} s (DATABASE_WAIT_SECONDS) for the database {}: {}",
                            self.timeout.as_secs(),
                            self.url,
                            one_line(&error)
                        );
                        self.has_said = true;
                    }
                    thread::sleep(PAUSE);
                }
                Err(error) => return Err(error),
            }
        }
    }
}

/// An error of libpq, which may have several lines, as one.
#[must_use]
pub fn one_line(error: &dyn std::fmt::Display) -> String {
    let text = error.to_string();
    let words: Vec<&str> = text.split_whitespace().collect();
    words.join(" ")
}
