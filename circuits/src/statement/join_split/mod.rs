//! The join-split statement of the poseidon suite: up to two notes of one
//! owner and asset become two others, public value, or a defi deposit.

mod circuit;
mod rules;
mod witness;

pub(crate) use circuit::synthesize;
pub use rules::{published, violations};
pub use witness::{InputNote, JoinSplitWitness, OutputNote};

/// Bits of a public owner: an address.
pub(crate) const OWNER_BITS: usize = 160;
