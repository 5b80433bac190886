//! What the operator runs beside the server: each a file, or a folder where one file would be too long.

pub mod backup;
pub mod demo;
pub mod doctor;
pub mod keys;
pub mod migrate;
mod paint;
pub mod restore;
pub mod users;
