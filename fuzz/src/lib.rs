//! The two readers that a stranger's bytes meet first. Their sources are taken by path, not through the crate: they
//! need neither database nor TLS, so this builds in seconds, with every line instrumented.

#[path = "../../src/ws/frames/mod.rs"]
pub mod frames;
pub mod protocol;
