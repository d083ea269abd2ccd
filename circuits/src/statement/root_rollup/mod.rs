//! The root rollup statement: inner rollups that follow one another, their
//! sums, and the two trees that a whole rollup extends.
//!
//! The original's rules (Aztec Connect's root rollup circuit), without the
//! verification of the inner proofs inside the circuit: a verifier verifies
//! them beside the root rollup's, for the words that this statement publishes
//! of each.

mod broadcast;
mod circuit;
mod inners;
mod interactions;
mod rules;
mod size;
mod witness;

#[cfg(test)]
mod tests;

pub use broadcast::{Broadcast, BroadcastError, Interaction};
pub use circuit::check;
pub use rules::broadcast;
pub use size::{INTERACTIONS, MAX_INNERS, RootSize};
pub use witness::{InnerFields, RootRollupWitness};
