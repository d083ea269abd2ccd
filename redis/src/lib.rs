//! What the ledger and the keystore both know of Redis: where it is, whose keys
//! are whose, how it is connected to over TCP and TLS, and what its errors mean.
//!
//! Connections are the users' own: the ledger shares two asynchronous ones, the
//! keystore blocks on one.

mod error;
mod place;
#[cfg(feature = "test-util")]
pub mod testkit;

pub use error::{may_pass, why};
pub use place::{Place, PlaceError, Tls};
