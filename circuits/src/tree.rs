//! A sparse Merkle tree of up to 256 levels, and the folding of paths.
//!
//! The leaf level contains raw elements; an empty leaf is zero. A path has one
//! `(left, right)` pair per level, leaf level first. A check of a path ignores
//! the half of each pair that lies on the path.

use std::collections::HashMap;

use ark_bn254::Fr;
use ark_ff::{BigInt, PrimeField};
use zkwhirl_job::request::{DATA_TREE_DEPTH, DEFI_TREE_DEPTH, NULL_TREE_DEPTH, ROOTS_TREE_DEPTH};

use crate::suite::{MAX_DEPTH, Suite};

/// Number of levels of the data tree.
pub(crate) const DATA_DEPTH: usize = DATA_TREE_DEPTH as usize;
/// Number of levels of the nullifier tree.
pub(crate) const NULL_DEPTH: usize = NULL_TREE_DEPTH as usize;
/// Number of levels of the tree of data roots.
pub(crate) const ROOTS_DEPTH: usize = ROOTS_TREE_DEPTH as usize;
/// Number of levels of the defi tree.
pub(crate) const DEFI_DEPTH: usize = DEFI_TREE_DEPTH as usize;

/// The index of a leaf: an integer of up to 256 bits.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct LeafIndex(BigInt<4>);

impl LeafIndex {
    /// Returns whether the path is the right child at a level (false: left).
    pub fn bit(self, level: usize) -> bool {
        self.0.0[level / 64] >> (level % 64) & 1 == 1
    }

    fn parent(self) -> Self {
        Self(self.0 >> 1)
    }

    fn sibling(self) -> Self {
        let mut limbs = self.0;
        limbs.0[0] ^= 1;
        Self(limbs)
    }
}

impl From<u64> for LeafIndex {
    fn from(index: u64) -> Self {
        Self(BigInt::from(index))
    }
}

impl From<Fr> for LeafIndex {
    fn from(index: Fr) -> Self {
        Self(index.into_bigint())
    }
}

/// A sparse tree that stores only the nodes that differ from the empty tree's.
#[derive(Clone, Debug)]
pub struct MerkleTree {
    suite: Suite,
    depth: usize,
    nodes: HashMap<(u16, LeafIndex), Fr>,
}

impl MerkleTree {
    /// Creates an empty tree.
    ///
    /// # Panics
    /// If the depth is above 256.
    pub fn new(suite: Suite, depth: usize) -> Self {
        assert!(depth <= MAX_DEPTH, "a tree of {depth} levels");
        Self {
            suite,
            depth,
            nodes: HashMap::new(),
        }
    }

    /// Returns the root.
    pub fn root(&self) -> Fr {
        self.node(self.depth, LeafIndex::from(0))
    }

    /// Returns the leaf at an index; zero if no leaf was set.
    pub fn leaf(&self, index: LeafIndex) -> Fr {
        self.node(0, index)
    }

    /// Returns the pairs from a leaf to the root.
    pub fn path(&self, index: LeafIndex) -> Vec<(Fr, Fr)> {
        let mut at = index;
        (0..self.depth)
            .map(|level| {
                let (here, beside) = (self.node(level, at), self.node(level, at.sibling()));
                let right = at.bit(0);
                at = at.parent();
                if right {
                    (beside, here)
                } else {
                    (here, beside)
                }
            })
            .collect()
    }

    /// Returns the siblings of a leaf's path, leaf level first.
    ///
    /// # Panics
    /// If the tree has fewer levels than `DEPTH`.
    pub fn siblings<const DEPTH: usize>(&self, index: LeafIndex) -> [Fr; DEPTH] {
        let mut pairs = self.path(index).into_iter().enumerate();
        [(); DEPTH].map(|()| {
            let (level, (left, right)) = pairs.next().expect("a pair for each level");
            if index.bit(level) { left } else { right }
        })
    }

    /// Sets a leaf and updates the nodes on its path.
    pub fn set(&mut self, index: LeafIndex, leaf: Fr) {
        let (mut at, mut value) = (index, leaf);
        for level in 0..self.depth {
            self.nodes.insert((level as u16, at), value);
            let beside = self.node(level, at.sibling());
            value = parent(self.suite, value, beside, at.bit(0));
            at = at.parent();
        }
        self.nodes.insert((self.depth as u16, at), value);
    }

    fn node(&self, level: usize, at: LeafIndex) -> Fr {
        let stored = self.nodes.get(&(level as u16, at)).copied();
        stored.unwrap_or_else(|| self.suite.empty_root(level))
    }
}

/// Folds a node at level `from` up to the root; `siblings` start at the leaf level.
pub(crate) fn fold(suite: Suite, node: Fr, siblings: &[Fr], index: LeafIndex, from: usize) -> Fr {
    let levels = siblings.iter().enumerate().skip(from);
    levels.fold(node, |node, (level, sibling)| {
        parent(suite, node, *sibling, index.bit(level))
    })
}

fn parent(suite: Suite, node: Fr, sibling: Fr, right: bool) -> Fr {
    match right {
        true => suite.node(sibling, node),
        false => suite.node(node, sibling),
    }
}

/// Returns the root of a full tree; the number of leaves is a power of two.
pub(crate) fn subtree_root(suite: Suite, leaves: &[Fr]) -> Fr {
    match leaves {
        [leaf] => *leaf,
        _ => {
            let (left, right) = leaves.split_at(leaves.len() / 2);
            suite.node(subtree_root(suite, left), subtree_root(suite, right))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use ark_ff::AdditiveGroup;

    #[test]
    fn paths_fold_to_the_root() {
        for suite in Suite::ALL {
            let mut tree = MerkleTree::new(suite, 5);
            assert_eq!(tree.root(), suite.empty_root(5));
            for (index, leaf) in [(3u64, 7u64), (4, 9), (31, 2), (3, 8)] {
                tree.set(index.into(), Fr::from(leaf));
            }
            for index in [0u64, 3, 4, 30, 31].map(LeafIndex::from) {
                let siblings: [Fr; 5] = tree.siblings(index);
                let root = fold(suite, tree.leaf(index), &siblings, index, 0);
                assert_eq!(root, tree.root());
            }
            for index in [3u64, 4, 31] {
                tree.set(index.into(), Fr::ZERO);
            }
            assert_eq!(tree.root(), suite.empty_root(5));
        }
    }

    #[test]
    fn a_nullifier_is_an_index() {
        let mut tree = MerkleTree::new(Suite::Poseidon, 256);
        let index = LeafIndex::from(-Fr::from(5u64));
        let siblings: [Fr; 256] = tree.siblings(index);
        let root = |leaf| fold(Suite::Poseidon, leaf, &siblings, index, 0);
        assert_eq!(root(Fr::ZERO), tree.root());
        tree.set(index, Fr::from(1u64));
        assert_eq!(root(Fr::from(1u64)), tree.root());
    }
}
