//! Keys and what is done with them, pure and without I/O: [`password`] (bcrypt), [`token`] and [`refresh`]
//! (what a login gives),
//! [`vault`] (Fernet, many keys). This room knows nobody.

pub mod password;
mod random;
pub mod refresh;
pub mod token;
pub mod vault;

pub use random::{NoRandomness, random_bytes, random_name};
