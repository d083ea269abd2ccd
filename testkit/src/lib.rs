//! Shared by tests of several crates: jobs, waiting, recorded files, a stub Falafel,
//! RabbitMQ and Redis as processes. This crate imports no crate above `job`, so
//! that a crate's unit tests never see two copies of the crate's own types.

#![expect(clippy::unwrap_used, reason = "a failed step must fail the test")]

mod jobs;
mod patience;
mod services;
pub mod stub;
mod vectors;
pub mod wire;

pub use jobs::*;
pub use patience::{PATIENCE, eventually, until_some, within};
pub use services::Services;
pub use vectors::{vector, vector_path, vectors};
