//! The rules, as plain functions named by verbs: who may do what, and what then happens. Doors call them with what a
//! caller said; they look up authority, and use the database, the journal, the vault and the hub.

pub mod accounts;
pub mod connections;
pub mod feed;
pub mod messages;
pub mod rates;
pub mod rooms;
pub mod tickets;

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
