//! The insertion of a rollup's notes into the data tree, in rows.

use ark_ff::{BigInteger, PrimeField};

use super::rules::subtree_height;
use super::{NotesWitness, TxRollupWitness};
use crate::claim::DATA_DEPTH;
use crate::field::power_of_two;
use crate::gadgets::bits::pack;
use crate::gadgets::hash::Inputs;
use crate::gadgets::merkle::{fold, subtree};
use crate::published::publish;
use crate::r1cs::{Bit, Builder, Num};
use crate::statement::StatementKind;
use crate::suite::Suite;

/// The circuit of the insertion alone. Publishes the roots before and after,
/// the index of the first leaf, then the leaves.
pub(crate) fn synthesize_notes(b: &mut Builder, suite: Suite, slots: u32, w: &NotesWitness) {
    let kind = StatementKind::TxNotes { slots };
    let rollup = &w.rollup;
    let roots = [rollup.old_data_root, rollup.new_data_root].map(|root| b.alloc(root));
    let leaves: Vec<Num> = (0..2 * slots as usize)
        .map(|at| b.alloc(w.leaves.get(at).copied().unwrap_or_default()))
        .collect();
    let [old_root, new_root] = &roots;
    let start = b.part("data tree", |b| {
        insert_notes(b, suite, rollup, &leaves, (old_root, new_root))
    });
    let mut fields = roots.to_vec();
    fields.push(start);
    fields.extend(leaves);
    b.part("public input", |b| publish(b, kind, fields));
}

/// Inserts the subtree of all notes at its aligned, empty place, and gives
/// the index of its first leaf.
pub(super) fn insert_notes(
    b: &mut Builder,
    suite: Suite,
    w: &TxRollupWitness,
    leaves: &[Num],
    roots: (&Num, &Num),
) -> Num {
    let height = subtree_height(leaves.len() / 2);
    let notes = subtree(b, suite, leaves);
    // Only the bits above the subtree exist, so the index is aligned.
    let index = w.data_start_index.into_bigint();
    let bits: Vec<Bit> = (height..DATA_DEPTH)
        .map(|j| b.alloc_bit(index.get_bit(j)))
        .collect();
    let start = b.alloc(w.data_start_index);
    b.equal(&pack(&bits).scale(power_of_two(height)), &start);
    let siblings: Vec<Num> = w.data_siblings[height..]
        .iter()
        .map(|sibling| b.alloc(*sibling))
        .collect();
    let path: Vec<(Num, Bit)> = siblings.into_iter().zip(bits).collect();
    let empty = Num::constant(suite.empty_root(height));
    let old = fold(b, suite, &empty, &path, Inputs::Free);
    b.equal(&old, roots.0);
    let new = fold(b, suite, &notes, &path, Inputs::Canonical);
    b.equal(&new, roots.1);
    start
}
