//! The words on the wire, and nothing else: what clients say ([`command`]), what the server says ([`event`]),
//! the shapes of REST ([`views`]) and what its bodies may hold ([`body`]), what people may be called
//! ([`names`], [`display`]) and rooms ([`room_names`]), what is told of people ([`people`]), who is mentioned ([`mention`]), what
//! threads are ([`thread`]), which slash commands there are ([`slash`]), close codes and limits. The server, the terminal client, the
//! demo and the tests all use these types, so that no two of them can disagree.
//!
//! This crate knows serde and nothing else of ours. The contract in prose is `docs/API.md`.

pub mod body;
pub mod close;
pub mod code;
pub mod command;
pub mod display;
pub mod event;
#[cfg(feature = "documents")]
pub mod examples;
pub mod kept;
pub mod limits;
pub mod looks;
pub mod mention;
pub mod message;
pub mod names;
pub mod people;
pub mod reading;
pub mod room;
pub mod room_names;
pub mod scheduled;
mod shape;
pub mod slash;
pub mod thread;
pub mod time;
pub mod views;

/// The room that exists from the start and that everyone is a member of.
pub const GENERAL: &str = "general";
