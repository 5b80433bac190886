//! What a run stands on: processes that are ended whatever happens, a server, PostgreSQL, a small disk, and lines
//! that can be cut.

pub mod binary;
pub mod clock;
pub mod disk;
pub mod folder;
pub mod postgres;
pub mod process;
pub mod proxy;
pub mod server;
pub mod visitor;
