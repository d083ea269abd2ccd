//! The parts that ledger and keystore share for Redis: the address, the namespace of
//! zkWhirl's keys, TCP and TLS settings, and the meaning of errors.
//!
//! Each user makes its own connections: the ledger has two asynchronous ones, the
//! keystore one that blocks.

mod address;
mod error;
#[cfg(feature = "test-util")]
pub mod testkit;

pub use address::{RedisAddress, RedisAddressError, RedisTls};
pub use error::{may_pass, why};
