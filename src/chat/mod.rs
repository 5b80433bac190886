//! The rules, as plain functions named by verbs: who may do what, and what then happens. Doors call them with what a
//! caller said; they look up authority, and use the database, the journal, the vault and the hub.

pub mod account_changes;
pub mod accounts;
pub mod authentication;
pub mod budgets;
pub mod expired_logins;
pub mod feed;
pub mod gaps;
pub mod history;
pub mod known_logins;
pub mod messages;
pub mod networks;
pub mod pages;
pub mod pages_in_flight;
pub mod passwords;
pub mod rates;
pub mod readiness;
pub mod rooms;
pub mod tickets;

use crate::{app::App, db::sessions::Claim};

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
    /// That the caller's login lives now, for the database to look up where it reads.
    fn claim(&self, app: &App) -> Claim {
        Claim {
            id: self.session_id,
            user_id: self.user_id,
            at: app.clock.now(),
        }
    }
}
