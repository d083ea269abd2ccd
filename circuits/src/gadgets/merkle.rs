//! Folding of Merkle paths as rows (constraints).

use ark_bn254::Fr;

use super::bits::decompose;
use super::hash::{Inputs, node};
use crate::r1cs::{Bit, Builder, Num};
use crate::suite::Suite;

/// Folds a node to the root, one level per sibling; bit 1 means that the
/// running value is the right child. Takes one row and one node per level.
pub(crate) fn fold(
    b: &mut Builder,
    suite: Suite,
    from: &Num,
    path: &[(Num, Bit)],
    inputs: Inputs,
) -> Num {
    let mut value = from.clone();
    for (sibling, bit) in path {
        let swap = b.mul(bit.num(), &(sibling - &value));
        let (left, right) = (&value + &swap, sibling - &swap);
        value = node(b, suite, [&left, &right], inputs);
    }
    value
}

/// Returns the root that a leaf's path leads to. Index and siblings are free,
/// so the root must have been made canonically.
pub(crate) fn root_of(b: &mut Builder, suite: Suite, leaf: &Num, path: (Fr, &[Fr])) -> Num {
    let (index, siblings) = path;
    let index = b.alloc(index);
    let bits = decompose(b, &index, siblings.len());
    let path = alloc_path(b, bits, siblings);
    fold(b, suite, leaf, &path, Inputs::Free)
}

/// Allocates the siblings, each with the bit of its level.
pub(crate) fn alloc_path(b: &mut Builder, bits: Vec<Bit>, siblings: &[Fr]) -> Vec<(Num, Bit)> {
    let siblings = siblings.iter().map(|sibling| b.alloc(*sibling));
    siblings.zip(bits).collect()
}

/// Returns the root of a full tree; the number of leaves is a power of two.
pub(crate) fn subtree(b: &mut Builder, suite: Suite, leaves: &[Num]) -> Num {
    match leaves {
        [leaf] => leaf.clone(),
        _ => {
            let (left, right) = leaves.split_at(leaves.len() / 2);
            let (left, right) = (subtree(b, suite, left), subtree(b, suite, right));
            node(b, suite, [&left, &right], Inputs::Canonical)
        }
    }
}
