//! The root rollup statement: consecutive inner rollups, their sums, and the
//! two trees that a root rollup extends.
//!
//! These are the rules of Aztec Connect's root rollup circuit, except that the
//! circuit does not verify the inner proofs: a verifier verifies them beside
//! the root rollup's proof, for the words of each inner rollup that this
//! statement publishes.

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

/// The most inner rollups of a root rollup.
pub const MAX_INNERS: u32 = 32;
/// Number of words of the broadcast data before the words of the txs.
const BROADCAST_HEADER: usize = 142;
/// Number of interaction notes that a rollup settles: one for each bridge.
pub const INTERACTIONS: usize = BRIDGES;
/// Number of words of an interaction note.
const INTERACTION_WORDS: usize = 6;
/// Number of published words of an inner rollup: its header without the inputs hash.
const INNER_WORDS: usize = TX_ROLLUP_HEADER - 1;
/// Height of the subtree of one rollup's interaction notes.
const DEFI_HEIGHT: usize = INTERACTIONS.ilog2() as usize;
/// Length of a rollup id in bits: it is an index of a subtree in the defi tree.
const ROLLUP_ID_BITS: usize = DEFI_DEPTH - DEFI_HEIGHT;
/// Length of an Ethereum address in bits.
const ADDRESS_BITS: usize = 160;
/// Length of an interaction's nonce in bits, as on the wire.
const NONCE_BITS: usize = 32;

/// The size of a root rollup.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RootSize {
    /// The most inner rollups; missing inner rollups are padded.
    pub inners: u32,
    /// Number of tx slots of an inner rollup, a power of two.
    pub slots: u32,
}

impl RootSize {
    /// Returns the slots of the broadcast data: those of all inner rollups,
    /// rounded up to a power of two.
    pub(crate) fn total_slots(self) -> usize {
        (self.inners * self.slots).next_power_of_two() as usize
    }

    /// Returns the number of inner rollups in the broadcast data, padding included.
    pub(crate) fn padded_inners(self) -> usize {
        self.total_slots() / self.slots as usize
    }
}

impl fmt::Display for RootSize {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.inners, self.slots)
    }
}
