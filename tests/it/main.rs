//! Integration tests.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "in tests a panic is how one fails"
)]

mod house;
mod quickstart;
mod settings;
