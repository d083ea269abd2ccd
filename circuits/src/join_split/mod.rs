//! The join-split statement of the poseidon suite: up to two notes of one
//! owner and asset become two others, public value, or a defi deposit.

mod circuit;
mod rules;
mod witness;

pub(crate) use circuit::synthesize;
pub use rules::{published, violations};
pub use witness::{InputNote, JoinSplitWitness, OutputNote};

/// Proof ids of the four kinds.
pub(crate) mod proof_id {
    pub(crate) const DEPOSIT: u64 = 1;
    pub(crate) const WITHDRAW: u64 = 2;
    pub(crate) const SEND: u64 = 3;
    pub(crate) const DEFI_DEPOSIT: u64 = 5;
}

/// Bits of a public owner: an address.
pub(crate) const OWNER_BITS: usize = 160;
