//! The raw client: bytes that are sent as they are, and answers as they came. It stands beside the product's own client
//! (`parlour-client`) for what that one must not do: send what is broken or lies, show every header and exact status, keep
//! what a typed reader would pass over, block like a person at a prompt, or read a million frames with as little work as
//! can be. The black-box tests speak through [`http`] and [`socket`]; `bench` through [`http`], [`handshake`] and
//! [`frame`], and [`scan`] looks for what it counts without a JSON reader, which on a small machine would cost more than
//! the server spends. Everyone else takes `parlour-client`.

pub mod frame;
pub mod handshake;
pub mod http;
mod response;
pub mod scan;
pub mod socket;
