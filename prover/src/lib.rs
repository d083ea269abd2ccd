//! Provers: the native Groth16 engine, its stdio server, the supervisor of a child
//! process with `rollup_cli`'s protocol, and the proverless mock.
//!
//! A prover takes one request at a time and returns its reply or a typed
//! failure. **Invariant:** this crate knows neither a broker nor Falafel. The prover
//! has verified every reply that [`Prover::prove`] returns; the bridge verifies the
//! reply again.

mod meter;
pub mod native;
mod prover;
mod proverless;
pub mod stdio;

pub use meter::Meter;
pub use prover::{Phase, Progress, ProveError, ProveTask, ProveWatch, Proved, Prover};
pub use proverless::{CLIENT_VK_BYTES, Proverless};
