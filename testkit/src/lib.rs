//! What tests of several crates share. It imports nothing above `job`, so that
//! a crate's unit tests never see two copies of the crate's own types.

mod jobs;
pub mod stub;
pub mod wire;

pub use jobs::*;
