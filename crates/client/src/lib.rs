//! A client of Parlour without a face: what the terminal, the commands that send and follow, the demo and the laboratory
//! have in common. It knows the words on the wire and nothing of the server behind them.
//!
//! [`api`] calls the REST door and opens sockets, [`login`] keeps tokens, [`socket`] carries frames; [`net`] does all of
//! that for a program that thinks in effects and events. Pure are [`link`] (when to come back), [`follow`] (no hole, no
//! double) and [`outbox`] (what is not acknowledged yet).

pub mod api;
pub mod follow;
pub mod link;
pub mod login;
pub mod net;
pub mod outbox;
pub mod socket;
mod trust;

use parlour_protocol as protocol;
