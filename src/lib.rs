//! Parlour
pub mod app;
pub mod chat;
pub mod config;
pub mod crypto;
pub mod db;
pub mod error;
pub mod gate;
pub mod hub;
pub mod journal;
pub mod protocol;
pub mod ws;
