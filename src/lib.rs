//! Parlour: team chat that one person can host.

pub mod config;
pub mod error;
pub mod ops;
pub mod protocol;
