//! The root rollup statement: inner rollups that follow one another, their
//! sums, and the two trees that a whole rollup extends.
//!
//! The original's rules (Aztec Connect's root rollup circuit), without the
//! verification of the inner proofs inside the circuit: those are verified
//! beside it, for the words that this statement publishes of each.

mod broadcast;
mod circuit;
mod rules;
mod totals;
mod witness;

pub use broadcast::{Broadcast, BroadcastError, Interaction, header};
pub(crate) use circuit::synthesize;
pub use rules::{Violation, broadcast, evaluate, violations};
pub use witness::{InnerFields, RootRollupWitness};

use std::fmt;

use crate::published::{BRIDGES, TX_ROLLUP_HEADER};

/// Words of the broadcast data before those of the txs.
pub const BROADCAST_HEADER: usize = 142;
/// Interaction notes that a rollup settles: one for each bridge.
pub const INTERACTIONS: usize = BRIDGES;
/// Words of an interaction note.
pub const INTERACTION_WORDS: usize = 6;
/// Published words of an inner rollup: its header without the inputs hash.
pub(crate) const INNER_WORDS: usize = TX_ROLLUP_HEADER - 1;
/// Levels of the defi tree.
pub(crate) const DEFI_DEPTH: usize = 30;
/// Height of the subtree of one rollup's interaction notes.
pub(crate) const DEFI_HEIGHT: usize = INTERACTIONS.ilog2() as usize;
/// Bits of a rollup id: its interaction notes have a place in the defi tree.
pub(crate) const ROLLUP_ID_BITS: usize = DEFI_DEPTH - DEFI_HEIGHT;
/// Bits of an Ethereum address.
pub(crate) const ADDRESS_BITS: usize = 160;
/// Bits of an interaction's nonce, as on the wire.
pub(crate) const NONCE_BITS: usize = 32;

/// How large a root rollup is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct RootSize {
    /// Inner rollups that fit; fewer are padded.
    pub inners: u32,
    /// Tx slots of an inner rollup, a power of two.
    pub slots: u32,
}

impl RootSize {
    /// Slots of the broadcast data: those of all inner rollups, rounded up to
    /// a power of two.
    pub fn total_slots(self) -> usize {
        (self.inners * self.slots).next_power_of_two() as usize
    }

    /// Inner rollups that the broadcast data has room for.
    pub fn padded_inners(self) -> usize {
        self.total_slots() / self.slots as usize
    }

    /// Published fields of the statement: the input hash, the broadcast
    /// header, the inner rollups' headers, the interaction notes.
    pub(crate) fn published_fields(self) -> usize {
        1 + BROADCAST_HEADER + INNER_WORDS * self.inners as usize + INTERACTION_WORDS * INTERACTIONS
    }
}

impl fmt::Display for RootSize {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.inners, self.slots)
    }
}
