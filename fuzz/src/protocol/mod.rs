#[path = "../../../src/protocol/body.rs"]
pub mod body;
#[path = "../../../src/protocol/close.rs"]
pub mod close;
#[path = "../../../src/protocol/command.rs"]
pub mod command;
#[path = "../../../src/protocol/names.rs"]
pub mod names;
#[path = "../../../src/protocol/shape.rs"]
mod shape;
#[path = "../../../src/protocol/time.rs"]
pub mod time;
#[path = "../../../src/protocol/views.rs"]
pub mod views;
