//! Provers: the native Groth16 engine, its stdio server, the supervised child
//! that speaks `rollup_cli`'s protocol, and the proverless mock.
//!
//! A prover takes one request at a time and returns its reply or a typed
//! failure. **Invariant:** nothing here knows a broker or Falafel; a reply that
//! leaves [`Prover::prove`] has been verified by whoever made it, and is
//! verified again by the bridge.

mod meter;
pub mod native;
mod prover;
mod proverless;
pub mod stdio;

pub use meter::Meter;
pub use prover::{Phase, Progress, ProveError, ProveTask, ProveWatch, Proved, Prover};
pub use proverless::{CLIENT_VK_BYTES, Proverless};
