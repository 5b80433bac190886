#[path = "../../../src/protocol/close.rs"]
pub mod close;
#[path = "../../../src/protocol/command.rs"]
pub mod command;
