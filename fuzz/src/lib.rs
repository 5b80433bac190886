//! The readers that a stranger's bytes meet first. Their sources are taken by path, not through the crate: they
//! need neither database nor TLS, so this builds in seconds, with every line instrumented.

// Each target uses a part of what these files hold.
#![allow(dead_code)]

#[path = "../../src/ws/frames/mod.rs"]
pub mod frames;
pub mod promises;
pub use parlour_protocol as protocol;

/// What [`promises`] is about. The tests of the program have the same list, and take it from the program itself.
mod subject {
    pub use crate::{
        frames::{FrameDecoder, Inbound, Violation},
        protocol::{body, command, limits, names, views},
    };
}
