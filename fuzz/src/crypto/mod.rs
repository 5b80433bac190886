#[path = "../../../src/crypto/random.rs"]
mod random;
#[path = "../../../src/crypto/refresh.rs"]
pub mod refresh;

pub use random::{NoRandomness, random_bytes};
