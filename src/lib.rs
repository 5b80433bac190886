//! Parlour
pub mod app;
pub mod chat;
pub mod cli;
pub mod config;
pub mod crypto;
pub mod db;
pub mod error;
pub mod gate;
pub mod http;
pub mod hub;
pub mod journal;
pub mod logging;
pub mod protocol;
pub mod tui;
pub mod ws;
