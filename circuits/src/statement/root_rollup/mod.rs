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
mod rules;
mod witness;

#[cfg(test)]
mod tests;

use std::fmt;

use crate::published::{BRIDGES, TX_ROLLUP_HEADER};
use crate::tree::DEFI_DEPTH;

pub use broadcast::{Broadcast, BroadcastError, Interaction};
pub use circuit::check;
pub use rules::broadcast;
pub use witness::{InnerFields, RootRollupWitness};

/// Most inner rollups a root rollup may have.
pub const MAX_INNERS: u32 = 32;
/// Words of the broadcast data before those of the txs.
const BROADCAST_HEADER: usize = 142;
/// Interaction notes that a rollup settles: one for each bridge.
pub const INTERACTIONS: usize = BRIDGES;
/// Words of an interaction note.
const INTERACTION_WORDS: usize = 6;
/// Published words of an inner rollup: its header without the inputs hash.
const INNER_WORDS: usize = TX_ROLLUP_HEADER - 1;
/// Height of the subtree of one rollup's interaction notes.
const DEFI_HEIGHT: usize = INTERACTIONS.ilog2() as usize;
/// Bits of a rollup id: its interaction notes have a place in the defi tree.
const ROLLUP_ID_BITS: usize = DEFI_DEPTH - DEFI_HEIGHT;
/// Bits of an Ethereum address.
const ADDRESS_BITS: usize = 160;
/// Bits of an interaction's nonce, as on the wire.
const NONCE_BITS: usize = 32;

/// How large a root rollup is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RootSize {
    /// Inner rollups that fit; fewer are padded.
    pub inners: u32,
    /// Tx slots of an inner rollup, a power of two.
    pub slots: u32,
}

impl RootSize {
    /// Slots of the broadcast data: those of all inner rollups, rounded up to
    /// a power of two.
    pub(crate) fn total_slots(self) -> usize {
        (self.inners * self.slots).next_power_of_two() as usize
    }

    /// Inner rollups that the broadcast data has room for.
    pub(crate) fn padded_inners(self) -> usize {
        self.total_slots() / self.slots as usize
    }
}

impl fmt::Display for RootSize {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.inners, self.slots)
    }
}
