//! The tx rollup statement: an inner rollup's state transition, given the
//! public inputs of its txs.

mod bridges;
mod chain;
mod circuit;
mod data_tree;
mod links;
mod nullifier;
mod piece;
mod rules;
mod segment;
mod slot;
mod state;
mod witness;

pub use chain::{Chain, Piece, SeamError, Seams};
pub(crate) use circuit::synthesize;
pub(crate) use data_tree::synthesize_notes;
pub(crate) use links::root_of;
pub(crate) use nullifier::synthesize_shard;
pub use piece::{NotesWitness, SegmentWitness, ShardWitness};
pub(crate) use rules::padded;
pub use rules::{Violation, evaluate, published, published_fields, violations};
pub(crate) use segment::synthesize_segment;
pub use state::State;
pub use witness::{NullifierWitness, TxRollupWitness, TxWitness};

use crate::suite::Suite;

/// Levels of the nullifier tree.
pub(crate) const NULL_DEPTH: usize = 256;
/// Levels of the tree of data roots.
pub(crate) const ROOTS_DEPTH: usize = 28;

impl Suite {
    /// The level up to which a nullifier's subtree must have been empty.
    ///
    /// A tx rollup proves that a nullifier was not in the tree. The pedersen
    /// suite proves it for the leaf itself, level 0, as Aztec Connect does.
    /// The poseidon suite proves that the whole subtree of 2^64 leaves around
    /// it was empty, which implies it and saves the hashes below. That refuses
    /// a nullifier that agrees with an older one in its upper 190 bits:
    /// nullifiers are hashes, so making one takes about 2^95 work.
    pub const fn nullifier_floor(self) -> usize {
        match self {
            Self::Pedersen => 0,
            Self::Poseidon => 64,
        }
    }

    /// Whether the segments of a chain insert their nullifiers. In the pedersen
    /// suite an insertion alone takes 720,000 rows, more than all other rules
    /// of eight txs: there nullifiers have circuits of their own.
    pub(crate) const fn segments_insert_nullifiers(self) -> bool {
        match self {
            Self::Pedersen => false,
            Self::Poseidon => true,
        }
    }
}
