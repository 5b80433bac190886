//! A client of Parlour without a face: what the terminal, the commands that send and follow, the demo and the laboratory
//! have in common. It knows the words on the wire and nothing of the server behind them, and no screen.
//!
//! Pure, so that a test can play any course of events:
//! - [`client`]: the connection and what is known, put together; a face needs no more than this and [`net`]
//! - [`store`]: what is known: the rooms, who is online, what is not stored yet. It knows no socket and no clock
//! - [`link`]: when to open a socket, when to take it for dead, when to come back. It knows no room
//! - [`effect`]: what is asked of the network, and what comes of it
//!
//! What touches the world:
//! - [`net`]: does effects. It decides nothing
//! - [`api`]: the calls to the REST door, and the opening of sockets
//! - [`login`]: tokens, kept between runs. It knows no message
//! - [`socket`]: frames out and in. It knows the shape of a frame and not what it is for

pub mod api;
pub mod client;
pub mod effect;
pub mod link;
pub mod login;
pub mod net;
pub mod socket;
pub mod store;
mod trust;

use parlour_protocol as protocol;
