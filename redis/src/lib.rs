//! What ledger and keystore share about Redis: its address, the namespace of our
//! keys, TCP and TLS settings, and what its errors mean.
//!
//! Each user makes its own connections: the ledger has two asynchronous ones, the
//! keystore one that blocks.

mod address;
mod error;
#[cfg(feature = "test-util")]
pub mod testkit;

pub use address::{RedisAddress, RedisAddressError, RedisTls};
pub use error::{may_pass, why};
