//! The account statement of the poseidon suite: an alias gets its account key
//! and first signing keys, or more signing keys later.

mod circuit;
mod rules;
mod witness;

pub(crate) use circuit::synthesize;
pub use rules::{published, violations};
pub use witness::AccountWitness;

/// Bits of an alias's hash.
pub(crate) const ALIAS_BITS: usize = 224;
