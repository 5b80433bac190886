//! A client of Parlour without a face: what the terminal, the commands that send and follow, the demo and the laboratory
//! have in common. It knows the words on the wire and nothing of the server behind them.

pub mod link;

use parlour_protocol as protocol;
