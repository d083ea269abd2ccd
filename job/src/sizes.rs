//! The sizes that a rollup is made for.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::limits;

/// How many transactions an inner rollup holds and how many inner rollups a
/// root rollup holds. Falafel and its workers must agree on both.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Sizes {
    txs_per_inner: u32,
    inners_per_root: u32,
}

/// Sizes that no rollup can have.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{what} is {got}, must be from 1 to {limit}")]
pub struct SizesError {
    what: &'static str,
    got: u32,
    limit: u32,
}

impl Sizes {
    /// Sizes for `txs_per_inner` transactions in each of `inners_per_root`
    /// inner rollups; both from 1 to the limits of [`limits`].
    pub fn new(txs_per_inner: u32, inners_per_root: u32) -> Result<Self, SizesError> {
        for (what, got, limit) in [
            ("txs per inner rollup", txs_per_inner, limits::TXS),
            ("inner rollups per root", inners_per_root, limits::INNERS),
        ] {
            if got == 0 || got > limit {
                return Err(SizesError { what, got, limit });
            }
        }
        Ok(Self {
            txs_per_inner,
            inners_per_root,
        })
    }

    /// Transactions of an inner rollup.
    pub fn txs_per_inner(self) -> u32 {
        self.txs_per_inner
    }

    /// Inner rollups of a root rollup.
    pub fn inners_per_root(self) -> u32 {
        self.inners_per_root
    }

    /// Slots of an inner rollup: the next power of two of its transactions.
    pub fn slots(self) -> u32 {
        self.txs_per_inner.next_power_of_two()
    }

    /// Slots of a whole rollup: the next power of two of all inner slots.
    pub fn rollup_slots(self) -> u32 {
        (self.slots() * self.inners_per_root).next_power_of_two()
    }
}

impl fmt::Display for Sizes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}×{}", self.txs_per_inner, self.inners_per_root)
    }
}
