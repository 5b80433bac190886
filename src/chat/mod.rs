//! The rules: who may do what, how often, and what then happens. A file for each noun; most hold a struct of the handles
//! that the noun needs (the database, the journal, the vault, the hub), whose methods are what can be done with it.
//! [`start`](crate::start) puts them together, and the doors call them with what a caller said.
//!
//! What is changed in a room goes through [`commands`], what is read of one through [`access`].

pub mod access;
pub mod account_changes;
pub mod accounts;
pub mod announce;
pub mod authentication;
#[cfg(test)]
mod cases;
pub mod catch_up;
pub mod commands;
pub mod cursors;
pub mod drafts;
pub mod emoji;
pub mod epoch;
pub mod expired_logins;
pub mod feed;
pub mod flood_budgets;
pub mod gaps;
pub mod general;
pub mod heirs;
pub mod known_logins;
pub mod lanes;
pub mod logins;
pub mod mentions;
pub mod messages;
pub mod networks;
pub mod pages;
pub mod pages_in_flight;
pub mod passwords;
pub mod people;
pub mod plain;
pub mod profiles;
pub mod rates;
pub mod readiness;
pub mod reading;
pub mod refresh;
pub mod rooms;
pub mod saved;
pub mod scheduled;
mod sizes;
pub mod slash;
mod standing;
pub mod statuses;
pub mod texts;
pub mod threads;
pub mod tickets;
pub mod typing;
pub mod unbound;
mod unreadable;
pub mod views;
pub mod when;

use std::time::Duration;

use crate::{
    db::conn::TIMEOUT,
    error::{Error, Result},
    journal::Actor,
};

/// Longer than anyone waits for a turn at the database, who is told of that then.
const LONGEST_ANSWER: Duration = TIMEOUT.saturating_add(Duration::from_millis(200));

/// Does something to its end, also when whoever asked for it goes away meanwhile, or does not wait for so long: what was
/// stored is told.
///
/// # Errors
/// Its own; 503 when it takes too long for an answer.
async fn to_the_end<T: Send + 'static>(
    work: impl Future<Output = Result<T>> + Send + 'static,
) -> Result<T> {
    match tokio::time::timeout(LONGEST_ANSWER, tokio::spawn(work)).await {
        Ok(ended) => ended.map_err(Error::internal)?,
        Err(_) => Err(Error::unconfirmed()),
    }
}

/// Someone whose token was checked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Caller {
    /// Who.
    pub user_id: i64,
    /// Who, by name.
    pub username: String,
    /// Through which login.
    pub session_id: i64,
}

impl Caller {
    /// As whom the caller changes something.
    fn actor(&self) -> Actor {
        Actor {
            user_id: self.user_id,
            username: self.username.clone(),
            session_id: self.session_id,
        }
    }
}
