//! The values of the pieces of a chain: the whole rollup, and the place of the
//! piece in it.

use std::sync::Arc;

use ark_bn254::Fr;

use super::{NullifierWitness, RunningState, TxRollupWitness, TxWitness};

/// A segment of up to `txs` txs of an inner rollup of up to `of` txs.
#[derive(Clone, Copy)]
pub(crate) struct TxSegment {
    pub(crate) txs: u32,
    pub(crate) of: u32,
}

/// A shard of up to `count` nullifiers; fewer are filled up with zeros.
#[derive(Clone, Copy)]
pub(crate) struct TxNullifiers {
    pub(crate) count: u32,
}

/// The notes of an inner rollup of `slots` slots, a power of two; a slot has two.
#[derive(Clone, Copy)]
pub(crate) struct TxNotes {
    pub(crate) slots: u32,
}

/// Some consecutive txs.
#[derive(Clone, Debug)]
pub struct SegmentWitness {
    /// The whole rollup.
    pub rollup: Arc<TxRollupWitness>,
    /// The segment's first tx.
    pub first: usize,
    /// The state after the txs before it.
    pub state: RunningState,
    /// The nullifier root before it.
    pub null_root: Fr,
}

/// Some consecutive nullifiers, two a tx.
#[derive(Clone, Debug)]
pub struct ShardWitness {
    /// The whole rollup.
    pub rollup: Arc<TxRollupWitness>,
    /// The shard's first nullifier.
    pub first: usize,
    /// The root before it.
    pub root: Fr,
}

/// The insertion of all notes.
#[derive(Clone, Debug)]
pub struct NotesWitness {
    /// The whole rollup.
    pub rollup: Arc<TxRollupWitness>,
    /// Two notes a slot, those of defi deposits completed. Zeros may be left
    /// out at the end.
    pub leaves: Vec<Fr>,
}

impl TxSegment {
    /// Slots whose outputs a state remembers: those of all segments.
    pub(crate) fn remembered(self) -> usize {
        (self.of.div_ceil(self.txs) * self.txs) as usize
    }
}

impl SegmentWitness {
    /// The segment's txs, at most so many.
    pub(super) fn txs(&self, most: usize) -> &[TxWitness] {
        let rest = self.rollup.txs.get(self.first..).unwrap_or_default();
        &rest[..most.min(rest.len())]
    }

    /// The nullifier root after some of its txs.
    pub(super) fn null_root_after(&self, txs: &[TxWitness]) -> Fr {
        let last = txs.last().map(|tx| tx.nullifiers[1].new_root);
        last.unwrap_or(self.null_root)
    }
}

impl ShardWitness {
    /// A nullifier with its insertion; beyond the last tx 0 and nothing.
    pub(super) fn insertion(&self, at: usize) -> (Fr, Option<&NullifierWitness>) {
        let (tx, which) = ((self.first + at) / 2, (self.first + at) % 2);
        match self.rollup.txs.get(tx) {
            Some(tx) => (tx.fields[3 + which], Some(&tx.nullifiers[which])),
            None => (Fr::default(), None),
        }
    }
}
