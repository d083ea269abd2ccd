//! The sizes of a rollup: transactions per inner rollup, inner rollups per rollup.

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

/// The error of sizes that no rollup can have.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{what} is {got}, must be from 1 to {limit}")]
pub struct SizesError {
    what: &'static str,
    got: u32,
    limit: u32,
}

impl Sizes {
    /// Makes the sizes of `inners_per_root` inner rollups of `txs_per_inner`
    /// transactions each; both from 1 to the limits of [`limits`].
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

    /// How many transactions an inner rollup has.
    pub fn txs_per_inner(self) -> u32 {
        self.txs_per_inner
    }

    /// How many inner rollups a root rollup has.
    pub fn inners_per_root(self) -> u32 {
        self.inners_per_root
    }

    /// How many slots an inner rollup has: its transactions rounded up to a power of 2.
    pub fn slots(self) -> u32 {
        self.txs_per_inner.next_power_of_two()
    }

    /// How many slots a rollup has: all inner slots rounded up to a power of 2.
    pub fn rollup_slots(self) -> u32 {
        (self.slots() * self.inners_per_root).next_power_of_two()
    }
}

impl fmt::Display for Sizes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}×{}", self.txs_per_inner, self.inners_per_root)
    }
}
