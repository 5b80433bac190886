//! Tests of what is asked of a database, and what they stand on.

pub mod by_hand;
mod plans;
mod readings;
mod statuses;
