//! What the pieces of a chain are proved from: the whole rollup, and where in
//! it the piece is.

use std::sync::Arc;

use ark_bn254::Fr;

use super::{NullifierWitness, State, TxRollupWitness, TxWitness};

/// Some consecutive txs.
#[derive(Clone, Debug)]
pub struct SegmentWitness {
    /// The whole rollup.
    pub rollup: Arc<TxRollupWitness>,
    /// The segment's first tx.
    pub first: usize,
    /// What the txs before it leave.
    pub state: State,
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

    /// A segment without txs, for building matrices.
    pub(crate) fn blank(slots: usize) -> Self {
        Self {
            rollup: Arc::new(TxRollupWitness::blank()),
            first: 0,
            state: State::start(slots),
            null_root: Fr::default(),
        }
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

    /// A shard without nullifiers, for building matrices.
    pub(crate) fn blank() -> Self {
        Self {
            rollup: Arc::new(TxRollupWitness::blank()),
            first: 0,
            root: Fr::default(),
        }
    }
}

impl NotesWitness {
    /// An insertion of nothing, for building matrices.
    pub(crate) fn blank() -> Self {
        Self {
            rollup: Arc::new(TxRollupWitness::blank()),
            leaves: Vec::new(),
        }
    }
}
