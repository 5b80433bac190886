//! What a run stands on: processes that are ended whatever happens, a server, PostgreSQL, a small disk, a clock, a host of
//! its own, and connections that can be cut. `verify`, `bench` and the black-box tests of the server all start what they
//! need here, and nowhere else; what only the tests want (a sentence when something is missing) is their own thin layer.

pub mod binary;
pub mod certificate;
pub mod clock;
pub mod disk;
pub mod folder;
pub mod host;
pub mod postgres;
pub mod process;
pub mod proxy;
pub mod server;
pub mod visitor;

use crate::{Result, Trouble};

/// Waits for one of these, where no runtime is at work: in `bench`, and in a test.
///
/// # Errors
/// What it ends with, or that the system gives no runtime.
pub fn wait_for<T>(what: impl Future<Output = Result<T>>) -> Result<T> {
    tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(|error| Trouble::io("start a runtime", &error))?
        .block_on(what)
}
