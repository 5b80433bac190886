//! Door 1: the socket. It turns frames into commands and events into frames, and holds no rules.

pub mod frames;
pub mod inbound;
pub mod open;
