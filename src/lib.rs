//! Parlour: team chat that one person can host. This is the map; `docs/ARCHITECTURE.md` tells more.
//!
//! How a message travels, whichever door it comes through:
//!
//! 1. [`ws`] (a frame) or [`http`] (a request) reads what a client said, in the words of [`protocol`].
//! 2. [`chat`] holds the rules: who may, how often, how long. It seals the text with the vault of [`crypto`];
//! 3. [`journal`] gathers what waits and commits it as one transaction, through the queries of [`db`]: numbers without
//!    holes, and then a flush to the disk;
//! 4. [`hub`] sends what was committed to the sockets of the room's members, in the order of the numbers;
//! 5. and the sender gets his ack.
//!
//! Nothing is told before it is on the disk. Imports point one way, from the doors inwards; a test holds that up.

pub mod address;
pub mod app;
pub mod chat;
pub mod cli;
pub mod clock;
pub mod config;
pub mod crypto;
pub mod db;
pub mod error;
pub mod gate;
pub mod http;
pub mod hub;
pub mod journal;
pub mod logging;
pub mod ops;
pub mod ownership;
pub mod start;
pub mod ws;

pub use parlour_output as printing;
pub use parlour_protocol as protocol;
