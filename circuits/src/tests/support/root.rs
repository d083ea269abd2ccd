//! A small world for root rollups: trees, consecutive inner rollups, and
//! interactions.

use ark_bn254::Fr;
use ark_ff::{AdditiveGroup, PrimeField};

use super::{low, random};
use crate::notes::DefiNote;
use crate::published::{NO_ASSET, inputs_hash, place};
use crate::root_rollup::{InnerFields, RootRollupWitness, RootSize};
use crate::tree::{MerkleTree, fold, subtree_root};
use crate::{Circuit, Suite};

/// Bridges with deposit sums, or assets with fees.
pub(crate) type Amounts = Vec<(Fr, Fr)>;

/// The contents of a root rollup; [`RootPlan::witness`] computes all hashes.
#[derive(Clone)]
pub(crate) struct RootPlan {
    pub(crate) suite: Suite,
    pub(crate) size: RootSize,
    pub(crate) rollup_id: Fr,
    pub(crate) bridges: Vec<Fr>,
    pub(crate) assets: Vec<Fr>,
    pub(crate) interactions: Vec<DefiNote>,
    pub(crate) beneficiary: Fr,
    /// Bridges with deposit sums, and assets with fees, of each inner rollup.
    pub(crate) inners: Vec<(Amounts, Amounts)>,
    /// Leaves of the tree of data roots that are set before the rollup.
    pub(crate) taken_roots: Vec<(u64, Fr)>,
    /// Leaves of the defi tree that are set before the rollup.
    pub(crate) taken_notes: Vec<(u64, Fr)>,
}

/// Returns an interaction that had an input of 100 and an output of 70.
pub(crate) fn interaction(nonce: u64) -> DefiNote {
    DefiNote {
        bridge: Fr::from(77u64),
        total_input: Fr::from(100u64),
        total_output_a: Fr::from(70u64),
        total_output_b: Fr::ZERO,
        nonce: Fr::from(nonce),
        result: Fr::from(1u64),
    }
}

impl RootPlan {
    /// Rollup 6, with one inner rollup fewer than fit if more than one fits. The inner
    /// rollups share a bridge and an asset, at different indexes of their lists.
    pub(crate) fn new(suite: Suite, size: RootSize) -> Self {
        let pair = |name: u64, amount: u64| (Fr::from(name), Fr::from(amount));
        let full = (size.inners - 1).max(1);
        Self {
            suite,
            size,
            rollup_id: Fr::from(6u64),
            bridges: [76u64, 77, 78].map(Fr::from).to_vec(),
            assets: [0u64, 1, 9].map(Fr::from).to_vec(),
            interactions: vec![interaction(160), interaction(161)],
            beneficiary: random(5).into_bigint().0[0].into(),
            inners: (0..u64::from(full))
                .map(|at| {
                    let bridges = vec![pair(76 + at % 2, 1000 + at), pair(78, 5)];
                    let assets = vec![pair(1 - at % 2, 30 + at)];
                    (bridges, assets)
                })
                .collect(),
            taken_roots: (0..=6).map(|index| (index, random(700 + index))).collect(),
            taken_notes: vec![(3, random(800)), (191, random(801))],
        }
    }

    pub(crate) fn circuit(&self) -> Circuit {
        let (suite, statement) = (self.suite, self.size.into());
        Circuit { suite, statement }
    }

    fn inner(&self, at: usize) -> InnerFields {
        let (bridges, assets) = &self.inners[at];
        let at = at as u64;
        let slots = u64::from(self.size.slots);
        let mut header = [Fr::ZERO; 108];
        header[place::ROLLUP_ID] = self.rollup_id;
        header[place::SLOTS] = slots.into();
        header[place::DATA_START_INDEX] = Fr::from(64 + 2 * slots * at);
        header[place::OLD_DATA_ROOT] = random(100 + at);
        header[place::NEW_DATA_ROOT] = random(101 + at);
        header[place::OLD_NULL_ROOT] = random(200 + at);
        header[place::NEW_NULL_ROOT] = random(201 + at);
        header[place::ASSETS..place::FEES].fill(Fr::from(NO_ASSET));
        for (k, (bridge, sum)) in bridges.iter().enumerate() {
            header[place::BRIDGES + k] = *bridge;
            header[place::DEPOSIT_SUMS + k] = *sum;
        }
        for (k, (asset, fee)) in assets.iter().enumerate() {
            header[place::ASSETS + k] = *asset;
            header[place::FEES + k] = *fee;
        }
        let txs: Vec<Fr> = (0..8 * slots).map(|i| random(900 + 100 * at + i)).collect();
        header[place::INPUTS_HASH] = inputs_hash(&txs);
        InnerFields { header, txs }
    }

    /// Returns the values for the plan, valid or not.
    pub(crate) fn witness(&self) -> RootRollupWitness {
        let suite = self.suite;
        let mut roots = MerkleTree::new(suite, 28);
        let taken = self.taken_roots.iter();
        taken.for_each(|(index, leaf)| roots.set((*index).into(), *leaf));
        let mut defi = MerkleTree::new(suite, 30);
        let taken = self.taken_notes.iter();
        taken.for_each(|(index, leaf)| defi.set((*index).into(), *leaf));
        let mut notes: Vec<Fr> = self.interactions.iter().map(|n| n.commit(suite)).collect();
        notes.resize(32, Fr::ZERO);
        let defi_place = low(self.rollup_id * Fr::from(32u64), 30);
        let defi_siblings = defi.siblings(defi_place);
        let notes = subtree_root(suite, &notes);
        let new_defi_root = fold(suite, notes, &defi_siblings, defi_place, 5);
        let mut inners: Vec<InnerFields> =
            (0..self.inners.len()).map(|at| self.inner(at)).collect();
        for inner in &mut inners {
            inner.header[place::OLD_DATA_ROOTS_ROOT] = roots.root();
            inner.header[place::NEW_DATA_ROOTS_ROOT] = roots.root();
            inner.header[place::NEW_DEFI_ROOT] = new_defi_root;
        }
        let root_place = low(self.rollup_id + Fr::from(1u64), 28);
        let data_roots_siblings = roots.siblings(root_place);
        let last = inners.last();
        let last = last.map_or(Fr::ZERO, |inner| inner.header[place::NEW_DATA_ROOT]);
        RootRollupWitness {
            rollup_id: self.rollup_id,
            inners,
            old_data_roots_root: roots.root(),
            new_data_roots_root: fold(suite, last, &data_roots_siblings, root_place, 0),
            data_roots_siblings,
            old_defi_root: defi.root(),
            new_defi_root,
            defi_siblings,
            bridges: self.bridges.clone(),
            assets: self.assets.clone(),
            interactions: self.interactions.clone(),
            beneficiary: self.beneficiary,
        }
    }
}
