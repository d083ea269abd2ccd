//! The insertion of a rollup's notes into the data tree, as rows (constraints).

use std::sync::Arc;

use ark_bn254::Fr;
use ark_ff::{BigInteger, PrimeField};
use zkwhirl_job::Topic;

use super::TxRollupWitness;
use super::witness::{are_slots, subtree_height};
use crate::field::power_of_two;
use crate::gadgets::bits::pack;
use crate::gadgets::hash::Inputs;
use crate::gadgets::merkle::{alloc_path, fold, subtree};
use crate::published::publish;
use crate::r1cs::{Bit, Builder, Num};
use crate::statement::Statement;
use crate::suite::Suite;
use crate::tree::DATA_DEPTH;

/// The notes of an inner rollup of `slots` slots, a power of two; each slot has two notes.
#[derive(Clone, Copy)]
pub(crate) struct TxNotes {
    pub(crate) slots: u32,
}

/// The values for the insertion of all notes.
#[derive(Clone, Debug, Default)]
pub struct NotesWitness {
    /// The values of the whole rollup.
    pub rollup: Arc<TxRollupWitness>,
    /// Two notes per slot; those of defi deposits are completed. Trailing zeros
    /// may be left out.
    pub leaves: Vec<Fr>,
}

impl Statement for TxNotes {
    type Witness = NotesWitness;

    const NAME: &'static str = "tx-notes";
    const TAG: u64 = 7;
    const TOPIC: Topic = Topic::Inner;

    fn is_possible(self) -> bool {
        are_slots(self.slots)
    }

    /// Enforces the insertion. Publishes the roots before and after, the index
    /// of the first leaf, then the leaves.
    fn enforce(self, b: &mut Builder, suite: Suite, w: &NotesWitness) {
        let rollup = &w.rollup;
        let roots = [rollup.old_data_root, rollup.new_data_root].map(|root| b.alloc(root));
        let leaves: Vec<Num> = (0..2 * self.slots as usize)
            .map(|at| b.alloc(w.leaves.get(at).copied().unwrap_or_default()))
            .collect();
        let [old_root, new_root] = &roots;
        let start = b.part("data tree", |b| {
            insert_notes(b, suite, rollup, &leaves, (old_root, new_root))
        });
        let mut fields = roots.to_vec();
        fields.push(start);
        fields.extend(leaves);
        publish::<TxNotes>(b, fields);
    }
}

/// Enforces that the subtree of all notes replaces an empty, aligned subtree,
/// and returns the index of its first leaf.
pub(super) fn insert_notes(
    b: &mut Builder,
    suite: Suite,
    w: &TxRollupWitness,
    leaves: &[Num],
    roots: (&Num, &Num),
) -> Num {
    let height = subtree_height(leaves.len() / 2);
    let notes = subtree(b, suite, leaves);
    // Only the bits above the subtree are variables, so the index is aligned.
    let index = w.data_start_index.into_bigint();
    let bits: Vec<Bit> = (height..DATA_DEPTH)
        .map(|j| b.alloc_bit(index.get_bit(j)))
        .collect();
    let start = b.alloc(w.data_start_index);
    b.equal(&pack(&bits).scale(power_of_two(height)), &start);
    let path = alloc_path(b, bits, &w.data_siblings[height..]);
    let empty = Num::constant(suite.empty_root(height));
    let old = fold(b, suite, &empty, &path, Inputs::Free);
    b.equal(&old, roots.0);
    let new = fold(b, suite, &notes, &path, Inputs::Canonical);
    b.equal(&new, roots.1);
    start
}
