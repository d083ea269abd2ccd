//! Nullifier insertions as rows (constraints): 94 % of a tx rollup's rows.

use std::sync::Arc;

use ark_bn254::Fr;
use ark_ff::AdditiveGroup;
use zkwhirl_job::Topic;

use super::{MAX_TXS, NullifierWitness, TxRollupWitness};
use crate::gadgets::bits::{decompose_canonical, is_zero};
use crate::gadgets::hash::Inputs;
use crate::gadgets::merkle::fold;
use crate::published::publish;
use crate::r1cs::{Bit, Builder, Num};
use crate::statement::Statement;
use crate::suite::Suite;
use crate::tree::NULL_DEPTH;

/// A shard of up to `count` nullifiers; missing nullifiers are zeros.
#[derive(Clone, Copy)]
pub(crate) struct TxNullifiers {
    pub(crate) count: u32,
}

/// The values of a shard: consecutive nullifiers, two per tx.
#[derive(Clone, Debug, Default)]
pub struct ShardWitness {
    /// The values of the whole rollup.
    pub rollup: Arc<TxRollupWitness>,
    /// Index of the shard's first nullifier in the rollup.
    pub first: usize,
    /// The nullifier root before the shard.
    pub root: Fr,
}

impl Statement for TxNullifiers {
    type Witness = ShardWitness;

    const NAME: &'static str = "tx-nullifiers";
    const TAG: u64 = 6;
    const TOPIC: Topic = Topic::Inner;

    fn is_possible(self) -> bool {
        (1..=2 * MAX_TXS).contains(&self.count)
    }

    /// Enforces the insertions one after the other. Publishes the roots before
    /// and after, then the nullifiers.
    fn enforce(self, b: &mut Builder, suite: Suite, w: &ShardWitness) {
        let old_root = b.alloc(w.root);
        let mut root = old_root.clone();
        let mut nullifiers = Vec::new();
        for at in 0..self.count as usize {
            let (tx, which) = ((w.first + at) / 2, (w.first + at) % 2);
            let tx = w.rollup.txs.get(tx);
            // After the last tx, nullifiers are 0 and insert nothing.
            let nullifier = b.alloc(tx.map_or(Fr::ZERO, |tx| tx.fields[3 + which]));
            let padding = NullifierWitness::padding(root.value());
            let insertion = tx.map_or(&padding, |tx| &tx.nullifiers[which]);
            b.part("nullifier tree", |b| {
                root = insert(b, suite, &root, &nullifier, insertion);
            });
            nullifiers.push(nullifier);
        }
        let mut fields = vec![old_root, root];
        fields.extend(nullifiers);
        publish::<TxNullifiers>(b, fields);
    }
}

/// Enforces that the nullifier's leaf is empty under `root` and returns the root after
/// the leaf is set to 1. The nullifier 0 changes nothing, whatever the siblings.
///
/// Below the suite's floor the siblings are the empty tree's: the old folding
/// starts at the floor, and the new one has constant siblings below it.
pub(super) fn insert(
    b: &mut Builder,
    suite: Suite,
    root: &Num,
    nullifier: &Num,
    insertion: &NullifierWitness,
) -> Num {
    let floor = suite.nullifier_floor();
    let mut bits = decompose_canonical(b, nullifier);
    bits.resize_with(NULL_DEPTH, || Bit::constant(false));
    let leaf = is_zero(b, nullifier).not();
    let zeros = suite.zero_hashes();
    let siblings: Vec<Num> = (0..NULL_DEPTH)
        .map(|level| {
            if level < floor {
                Num::constant(zeros[level])
            } else {
                b.alloc(insertion.siblings[level])
            }
        })
        .collect();
    let path: Vec<(Num, Bit)> = siblings.into_iter().zip(bits).collect();
    let empty = Num::constant(zeros[floor]);
    let before = fold(b, suite, &empty, &path[floor..], Inputs::Free);
    b.zero_where(leaf.num(), &(&before - root));
    let after = fold(b, suite, leaf.num(), &path, Inputs::Canonical);
    let new_root = b.alloc(insertion.new_root);
    b.enforce(leaf.num(), &(&after - root), &(&new_root - root));
    new_root
}
