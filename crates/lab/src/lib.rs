//! The laboratory. [`verify`] tries to break the promises on delivery and counts how often it succeeded; [`bench`] measures
//! what the server costs, each number beside the least that it can be here. Both stand on the [`rig`], which starts servers
//! and what is around them, and ends them whatever happens. [`raw`] is the client that sends what no client should.
//!
//! It knows the server from outside alone: the program, and the words on the wire.

pub mod bench;
pub mod cli;
pub mod raw;
pub mod rig;
mod trouble;
pub mod verify;

use parlour_output as printing;
use parlour_protocol as protocol;

pub use trouble::{Result, Trouble};
