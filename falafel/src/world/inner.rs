//! Builds inner rollups: adds transactions to the trees and makes the requests.

use std::collections::HashMap;

use ark_bn254::Fr;
use sha2::{Digest, Sha256};
use zkwhirl_circuits::{
    field as element,
    tree::{LeafIndex, MerkleTree},
};
use zkwhirl_job::{
    Sizes, Word,
    request::{MerklePath, TxRollupRequest, field},
};

use super::{
    World, bridges,
    parts::{Deposit, word},
    totals::RollupTotals,
    tx::Tx,
};

/// An inner rollup to prove.
#[derive(Debug, Clone)]
pub struct InnerJob {
    /// The request of the inner rollup.
    pub request: TxRollupRequest,
    /// The 108 + 8 × slots fields that an honest reply publishes.
    pub published: Vec<Word>,
}

/// The state that the inner rollups of one rollup share.
pub(super) struct InnerRollups {
    pub(super) sizes: Sizes,
    pub(super) bridges: Vec<Fr>,
    /// Index in the data tree of each commitment of this rollup.
    pub(super) places: HashMap<Fr, u32>,
    /// The deposits, one list per bridge, with their indexes in the data tree.
    pub(super) deposits: Vec<Vec<Deposit>>,
}

impl World {
    /// Adds an inner rollup's transactions to the trees and returns its job.
    pub(super) fn inner(&mut self, rollup: &mut InnerRollups, start: u32, txs: &[Tx]) -> InnerJob {
        let totals = totals_of(txs, &rollup.bridges);
        let old_data_root = self.trees.data.root();
        let old_data_path = path(&self.trees.data, u64::from(start).into());
        let (linked_commitment_paths, linked_commitment_indices) = self.links(rollup, txs);
        let leaves = self.commitments(rollup, start, txs);
        for (place, leaf) in leaves.iter().enumerate() {
            let index = u64::from(start) + place as u64;
            self.trees.data.set(index.into(), *leaf);
            rollup.places.insert(*leaf, start + place as u32);
        }
        let old_null_root = word(&self.trees.null.root());
        let (new_null_roots, old_null_paths) = self.nullify(rollup.sizes, txs);
        let root_of = |tx: &Tx| path(&self.trees.roots, u64::from(tx.root_index).into());
        let request = TxRollupRequest {
            rollup_id: self.next_rollup,
            data_start_index: start,
            txs: txs.iter().map(Tx::wire).collect(),
            old_data_root: word(&old_data_root),
            new_data_root: word(&self.trees.data.root()),
            old_data_path,
            linked_commitment_paths,
            linked_commitment_indices,
            old_null_root,
            new_null_roots,
            old_null_paths,
            data_roots_root: word(&self.trees.roots.root()),
            data_roots_paths: txs.iter().map(root_of).collect(),
            data_roots_indices: txs.iter().map(|tx| tx.root_index).collect(),
            new_defi_root: word(&self.trees.defi.root()),
            bridge_call_datas: rollup.bridges.iter().map(word).collect(),
            asset_ids: totals.assets(),
        };
        let txs = published_txs(txs, &leaves, rollup.sizes.slots() as usize);
        let published = self.published(&request, rollup, &totals, txs);
        InnerJob { request, published }
    }

    /// Returns the path and index of the output that each transaction links to: an
    /// earlier output of this rollup. A transaction without a link has any path.
    fn links(&self, rollup: &InnerRollups, txs: &[Tx]) -> (Vec<MerklePath>, Vec<u32>) {
        let place = |tx: &Tx| {
            let link = tx.fields[field::BACKWARD_LINK];
            rollup.places.get(&link).copied().unwrap_or(0)
        };
        let indices: Vec<u32> = txs.iter().map(place).collect();
        let paths = indices
            .iter()
            .map(|index| path(&self.trees.data, u64::from(*index).into()))
            .collect();
        (paths, indices)
    }

    /// Returns the leaves; sets the nonce and the fee of a defi deposit's claim note.
    fn commitments(&self, rollup: &mut InnerRollups, start: u32, txs: &[Tx]) -> Vec<Fr> {
        let mut leaves = Vec::with_capacity(2 * txs.len());
        for (i, tx) in txs.iter().enumerate() {
            let mut first = tx.fields[field::NOTE_COMMITMENT1];
            if let Some(mut deposit) = tx.deposit {
                let bridge = deposit.bridge.encode();
                let k = place_of(&rollup.bridges, &bridge);
                deposit.nonce = 32 * self.next_rollup + k as u32;
                deposit.index = start + 2 * i as u32;
                first = deposit.commitment(self.suite);
                rollup.deposits[k].push(deposit);
            }
            leaves.extend([first, tx.fields[field::NOTE_COMMITMENT2]]);
        }
        leaves
    }

    /// Spends every nullifier and returns the roots and paths. A partly filled
    /// inner rollup has one more path, for the padding.
    fn nullify(&mut self, sizes: Sizes, txs: &[Tx]) -> (Vec<Word>, Vec<MerklePath>) {
        let (mut roots, mut paths) = (Vec::new(), Vec::new());
        for tx in txs {
            for nullifier in [field::NULLIFIER1, field::NULLIFIER2] {
                let index = LeafIndex::from(tx.fields[nullifier]);
                paths.push(path(&self.trees.null, index));
                if tx.fields[nullifier] != Fr::from(0u64) {
                    self.trees.null.set(index, Fr::from(1u64));
                }
                roots.push(word(&self.trees.null.root()));
            }
        }
        if txs.len() < sizes.txs_per_inner() as usize {
            paths.push(path(&self.trees.null, 0.into()));
        }
        (roots, paths)
    }

    fn published(
        &self,
        request: &TxRollupRequest,
        rollup: &InnerRollups,
        totals: &RollupTotals,
        txs: Vec<Word>,
    ) -> Vec<Word> {
        let number = |value: u64| Word::from(value);
        let roots = word(&self.trees.roots.root());
        let mut words = vec![
            number(self.next_rollup.into()),
            number(rollup.sizes.slots().into()),
            number(request.data_start_index.into()),
            request.old_data_root,
            word(&self.trees.data.root()),
            request.old_null_root,
            word(&self.trees.null.root()),
            roots,
            roots,
            Word::ZERO,
            word(&self.trees.defi.root()),
        ];
        words.extend(totals.words(&request.bridge_call_datas));
        let mut hash = Sha256::new();
        txs.iter().for_each(|word| hash.update(word.0));
        words.push(word(&element::reduce(&hash.finalize().into())));
        words.extend(txs);
        words
    }
}

/// Returns the sums of an inner rollup. Fees are paid in real assets only.
fn totals_of(txs: &[Tx], bridges: &[Fr]) -> RollupTotals {
    let mut totals = RollupTotals::default();
    for tx in txs {
        let small = |place: usize| element::small(&tx.fields[place]);
        let fee = small(field::TX_FEE).expect("fees of this world are small");
        let mut kept = fee;
        if let Some(deposit) = &tx.deposit {
            let place = place_of(bridges, &deposit.bridge.encode());
            totals.deposits[place] += deposit.value;
            kept = fee / 2;
        }
        if let Some(asset) = small(field::TX_FEE_ASSET_ID)
            && asset < u64::from(bridges::ASSETS)
        {
            totals.pay(asset.into(), kept);
        }
    }
    totals
}

/// Returns eight words per slot; the words of padding slots are zero.
fn published_txs(txs: &[Tx], leaves: &[Fr], slots: usize) -> Vec<Word> {
    let mut words = Vec::with_capacity(8 * slots);
    for (i, tx) in txs.iter().enumerate() {
        let mut fields = tx.fields;
        fields[field::NOTE_COMMITMENT1] = leaves[2 * i];
        words.extend(fields[..8].iter().map(word));
    }
    words.resize(8 * slots, Word::ZERO);
    words
}

fn place_of(bridges: &[Fr], bridge: &Fr) -> usize {
    bridges
        .iter()
        .position(|listed| listed == bridge)
        .expect("the list is made of the rollup's own deposits")
}

/// Returns the path of a leaf in the form of a request.
pub(super) fn path(tree: &MerkleTree, index: LeafIndex) -> MerklePath {
    let pairs = tree.path(index);
    pairs.iter().map(|(l, r)| (word(l), word(r))).collect()
}
