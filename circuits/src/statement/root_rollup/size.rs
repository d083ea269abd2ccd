//! How large a root rollup is, in words and in bits.

use std::fmt;

use crate::published::{BRIDGES, TX_ROLLUP_HEADER};
use crate::tree::DEFI_DEPTH;

/// Most inner rollups a root rollup may have.
pub const MAX_INNERS: u32 = 32;
/// Words of the broadcast data before those of the txs.
pub(crate) const BROADCAST_HEADER: usize = 142;
/// Interaction notes that a rollup settles: one for each bridge.
pub const INTERACTIONS: usize = BRIDGES;
/// Words of an interaction note.
pub(crate) const INTERACTION_WORDS: usize = 6;
/// Published words of an inner rollup: its header without the inputs hash.
pub(super) const INNER_WORDS: usize = TX_ROLLUP_HEADER - 1;
/// Height of the subtree of one rollup's interaction notes.
pub(super) const DEFI_HEIGHT: usize = INTERACTIONS.ilog2() as usize;
/// Bits of a rollup id: its interaction notes have a place in the defi tree.
pub(super) const ROLLUP_ID_BITS: usize = DEFI_DEPTH - DEFI_HEIGHT;
/// Bits of an Ethereum address.
pub(super) const ADDRESS_BITS: usize = 160;
/// Bits of an interaction's nonce, as on the wire.
pub(super) const NONCE_BITS: usize = 32;

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
