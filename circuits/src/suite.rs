//! The two suites of hashes for statements.

use std::fmt;
use std::str::FromStr;
use std::sync::OnceLock;

use ark_bn254::Fr;
use ark_ff::AdditiveGroup;

use crate::{pedersen, poseidon};

/// Depth of the protocol's deepest tree, the nullifier tree.
pub(crate) const MAX_DEPTH: usize = 256;

/// The hashes of commitments, nullifiers and trees.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Suite {
    /// Aztec Connect's own Pedersen hashes, with identical results.
    Pedersen,
    /// Poseidon with circomlib's parameters: the same statements with a sixth of the rows.
    Poseidon,
}

/// The purpose of a hash. Pedersen separates purposes by generators, Poseidon
/// by a leading input; both use these numbers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum HashIndex {
    Node = 0,
    ValueNotePartial = 1,
    ValueNote = 2,
    ClaimNotePartial = 3,
    ClaimNote = 4,
    AccountNote = 5,
    DefiInteractionNote = 6,
    ValueNullifier = 7,
    ValueNullifierKey = 8,
    ClaimNullifier = 9,
    AliasNullifier = 10,
    DefiNullifier = 11,
    PublicKeyNullifier = 12,
    SignatureChallenge = 13,
}

impl Suite {
    /// Both suites.
    pub const ALL: [Self; 2] = [Self::Pedersen, Self::Poseidon];

    /// Returns the hash of a Merkle node.
    pub(crate) fn node(self, left: Fr, right: Fr) -> Fr {
        match self {
            Self::Pedersen => pedersen::commit(HashIndex::Node as usize, &[left, right]).x,
            Self::Poseidon => poseidon::hash(&[left, right]),
        }
    }

    /// Returns the hash for one purpose: `compress_h(v…)` or `Poseidon(h, v…)`.
    pub(crate) fn hash(self, index: HashIndex, values: &[Fr]) -> Fr {
        match self {
            Self::Pedersen => pedersen::commit(index as usize, values).x,
            Self::Poseidon => {
                let mut inputs = Vec::with_capacity(values.len() + 1);
                inputs.push(Fr::from(index as u64));
                inputs.extend_from_slice(values);
                poseidon::hash(&inputs)
            }
        }
    }

    /// Returns `Z_0 = 0` and `Z_{i+1} = node(Z_i, Z_i)` up to [`MAX_DEPTH`].
    pub(crate) fn zero_hashes(self) -> &'static [Fr] {
        static HASHES: [OnceLock<Vec<Fr>>; 2] = [const { OnceLock::new() }; 2];
        HASHES[self as usize].get_or_init(|| {
            let hashes = std::iter::successors(Some(Fr::ZERO), |z| Some(self.node(*z, *z)));
            hashes.take(MAX_DEPTH + 1).collect()
        })
    }

    /// Returns the root of an empty tree.
    pub fn empty_root(self, depth: usize) -> Fr {
        self.zero_hashes()[depth]
    }
}

impl fmt::Display for Suite {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Pedersen => "pedersen",
            Self::Poseidon => "poseidon",
        })
    }
}

/// The text is not the name of a suite.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("unknown suite {0:?}: expected pedersen or poseidon")]
pub struct UnknownSuite(String);

impl FromStr for Suite {
    type Err = UnknownSuite;

    fn from_str(name: &str) -> Result<Self, Self::Err> {
        Self::ALL
            .into_iter()
            .find(|suite| suite.to_string() == name)
            .ok_or_else(|| UnknownSuite(name.to_owned()))
    }
}
