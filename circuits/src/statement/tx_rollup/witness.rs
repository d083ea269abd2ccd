//! The values of an inner rollup.

use ark_bn254::Fr;
use ark_ff::AdditiveGroup;
use zkwhirl_job::request::{MerklePath, TxRollupRequest};

use crate::error::{CountError, StatementError};
use crate::published::{ASSETS, BRIDGES};
use crate::rule::Rule;
use crate::statement::request::{element, list, siblings};
use crate::suite::Suite;
use crate::tree::{DATA_DEPTH, LeafIndex, NULL_DEPTH, ROOTS_DEPTH};

/// The most txs of an inner rollup.
pub const MAX_TXS: u32 = 28;

/// An inner rollup of up to `txs` txs; missing txs are padded.
#[derive(Clone, Copy)]
pub(crate) struct TxRollup {
    pub(crate) txs: u32,
}

/// All values of an inner rollup, whether or not they follow the rules.
#[derive(Clone, Debug, Default)]
#[expect(missing_docs, reason = "the names are those of the request's fields")]
pub struct TxRollupWitness {
    pub rollup_id: Fr,
    pub data_start_index: Fr,
    pub old_data_root: Fr,
    pub new_data_root: Fr,
    /// The siblings of the notes' subtree; those inside the subtree are ignored.
    pub data_siblings: [Fr; DATA_DEPTH],
    pub old_null_root: Fr,
    pub data_roots_root: Fr,
    pub new_defi_root: Fr,
    /// The bridge call datas, at most 32.
    pub bridges: Vec<Fr>,
    /// The fee assets, at most 16.
    pub assets: Vec<Fr>,
    /// The txs, without padding.
    pub txs: Vec<TxWitness>,
}

/// The values of one tx.
#[derive(Clone, Debug, Default)]
pub struct TxWitness {
    /// The public inputs of the client proof.
    pub fields: [Fr; 16],
    /// Index of the linked commitment in the data tree.
    pub link_index: Fr,
    /// The siblings of the linked commitment.
    pub link_siblings: [Fr; DATA_DEPTH],
    /// Index of the tx's data root in the tree of data roots.
    pub root_index: Fr,
    /// The siblings of the tx's data root.
    pub root_siblings: [Fr; ROOTS_DEPTH],
    /// The insertions of the two nullifiers.
    pub nullifiers: [NullifierWitness; 2],
}

/// The values for the insertion of one nullifier.
#[derive(Clone, Debug, Default)]
pub struct NullifierWitness {
    /// The 256 siblings of the nullifier's leaf.
    pub siblings: Vec<Fr>,
    /// The nullifier root after the insertion.
    pub new_root: Fr,
}

/// Whether siblings are read or replaced by zeros: paths are 97 % of a request,
/// and the published fields do not depend on them.
#[derive(Clone, Copy)]
struct Paths(bool);

impl TxRollupWitness {
    /// Reads a request's values; checks only counts, lengths and canonical words.
    pub fn new(request: &TxRollupRequest, capacity: u32) -> Result<Self, StatementError> {
        Self::read(request, capacity, Paths(true))
    }

    /// Reads a request's values without siblings, which suffices for
    /// [`published_fields`](super::published_fields) only.
    pub fn without_paths(request: &TxRollupRequest, capacity: u32) -> Result<Self, StatementError> {
        Self::read(request, capacity, Paths(false))
    }

    fn read(
        request: &TxRollupRequest,
        capacity: u32,
        paths: Paths,
    ) -> Result<Self, StatementError> {
        let (n, capacity) = (request.txs.len(), capacity as usize);
        if n == 0 || n > capacity {
            return Err(Rule::TxCount.into());
        }
        let null_paths = 2 * n + usize::from(n < capacity);
        let links = &request.linked_commitment_paths;
        let places = &request.linked_commitment_indices;
        for (what, got, expected) in [
            ("nullifier paths", request.old_null_paths.len(), null_paths),
            ("nullifier roots", request.new_null_roots.len(), 2 * n),
            ("linked commitment paths", links.len(), n),
            ("linked commitment indices", places.len(), n),
            ("data roots paths", request.data_roots_paths.len(), n),
            ("data roots indices", request.data_roots_indices.len(), n),
        ] {
            CountError::check(what, got, expected)?;
        }
        let start = u64::from(request.data_start_index);
        let (bridges, assets) = (&request.bridge_call_datas, &request.asset_ids);
        Ok(Self {
            rollup_id: u64::from(request.rollup_id).into(),
            data_start_index: start.into(),
            old_data_root: element(&request.old_data_root, "old data root")?,
            new_data_root: element(&request.new_data_root, "new data root")?,
            data_siblings: paths.read(&request.old_data_path, start.into(), "old data path")?,
            old_null_root: element(&request.old_null_root, "old nullifier root")?,
            data_roots_root: element(&request.data_roots_root, "data roots root")?,
            new_defi_root: element(&request.new_defi_root, "new defi root")?,
            bridges: list(bridges, "bridge call data", BRIDGES, Rule::Bridges)?,
            assets: list(assets, "asset id", ASSETS, Rule::Assets)?,
            txs: (0..n)
                .map(|tx| TxWitness::read(request, tx, paths))
                .collect::<Result<_, _>>()?,
        })
    }
}

impl Paths {
    fn read<const DEPTH: usize>(
        self,
        path: &MerklePath,
        index: LeafIndex,
        what: &'static str,
    ) -> Result<[Fr; DEPTH], StatementError> {
        match self {
            Self(true) => siblings(path, index, what),
            Self(false) => Ok([Fr::ZERO; DEPTH]),
        }
    }
}

impl NullifierWitness {
    /// Returns the values of a nullifier 0, which changes no root.
    pub(super) fn padding(root: Fr) -> Self {
        Self {
            siblings: vec![Fr::ZERO; NULL_DEPTH],
            new_root: root,
        }
    }
}

impl TxWitness {
    /// Returns the values of a padding slot, which changes nothing.
    pub(super) fn padding(null_root: Fr) -> Self {
        Self {
            nullifiers: [(); 2].map(|()| NullifierWitness::padding(null_root)),
            ..Self::default()
        }
    }

    fn read(request: &TxRollupRequest, tx: usize, paths: Paths) -> Result<Self, StatementError> {
        let mut fields = [Fr::ZERO; 16];
        for (field, word) in fields.iter_mut().zip(&request.txs[tx].public_inputs) {
            *field = element(word, "public input of a tx")?;
        }
        let nullifier = |which: usize| -> Result<NullifierWitness, StatementError> {
            let (at, index) = (2 * tx + which, fields[3 + which].into());
            let path = &request.old_null_paths[at];
            let siblings: [Fr; NULL_DEPTH] = paths.read(path, index, "nullifier path")?;
            Ok(NullifierWitness {
                siblings: siblings.to_vec(),
                new_root: element(&request.new_null_roots[at], "nullifier root")?,
            })
        };
        let link_index = u64::from(request.linked_commitment_indices[tx]);
        let link_path = &request.linked_commitment_paths[tx];
        let root_index = u64::from(request.data_roots_indices[tx]);
        let root_path = &request.data_roots_paths[tx];
        Ok(Self {
            fields,
            link_index: link_index.into(),
            link_siblings: paths.read(link_path, link_index.into(), "linked commitment path")?,
            root_index: root_index.into(),
            root_siblings: paths.read(root_path, root_index.into(), "data roots path")?,
            nullifiers: [nullifier(0)?, nullifier(1)?],
        })
    }
}

impl Suite {
    /// Returns the level up to which a nullifier's subtree must have been empty.
    ///
    /// A tx rollup proves that a nullifier was not in the tree. The pedersen suite
    /// proves this for the leaf itself, level 0, as Aztec Connect does. The
    /// poseidon suite proves that the whole subtree of 2^64 leaves around the leaf
    /// was empty, which is stronger and saves the hashes below. Therefore it
    /// refuses a nullifier whose upper 190 bits equal those of an older one:
    /// nullifiers are hashes, so making such a nullifier takes about 2^95 work.
    pub(crate) const fn nullifier_floor(self) -> usize {
        match self {
            Self::Pedersen => 0,
            Self::Poseidon => 64,
        }
    }

    /// Returns whether the segments of a chain insert their nullifiers. In the
    /// pedersen suite an insertion alone takes 720,000 rows, more than all
    /// other rules of eight txs, so nullifiers have their own circuits.
    pub(crate) const fn segments_insert_nullifiers(self) -> bool {
        matches!(self, Self::Poseidon)
    }
}

/// Returns whether an inner rollup may have this number of slots.
pub(crate) fn are_slots(slots: u32) -> bool {
    slots.is_power_of_two() && slots <= MAX_TXS.next_power_of_two()
}

/// Returns the height of the subtree of all notes of a rollup.
pub(super) fn subtree_height(slots: usize) -> usize {
    (2 * slots).ilog2() as usize
}
