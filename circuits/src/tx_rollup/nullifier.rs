//! Nullifier insertions in rows: 94 % of a tx rollup.

use super::{NULL_DEPTH, NullifierWitness};
use crate::gadgets::bits::{decompose_canonical, is_zero};
use crate::gadgets::hash::Inputs;
use crate::gadgets::merkle::fold;
use crate::r1cs::{Bit, Builder, Num};
use crate::suite::Suite;

/// Demands that the nullifier's leaf is empty under `root` and gives the root
/// where it is 1; the nullifier 0 stays empty.
///
/// Below the suite's floor the siblings are the empty tree's: there the old
/// folding starts, and the new one has constant siblings.
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
    b.equal(&before, root);
    let after = fold(b, suite, leaf.num(), &path, Inputs::Canonical);
    let new_root = b.alloc(insertion.new_root);
    b.equal(&after, &new_root);
    new_root
}
