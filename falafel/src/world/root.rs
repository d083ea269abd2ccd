//! Builds the root rollup over the inner rollups of one rollup.

use zkwhirl_circuits::published::{ASSETS, BRIDGES, NO_ASSET, place};
use zkwhirl_job::{
    Sizes, Word,
    request::{MerklePath, RootRollupRequest},
};

use super::{
    ExpectedBroadcast, InnerJob, World,
    defi::{Carried, interaction_hash},
    inner::path,
    parts::word,
    totals::{RollupTotals, padded},
};

/// A root rollup to prove.
#[derive(Debug, Clone)]
pub struct RootJob {
    /// The request of the root rollup.
    pub request: RootRollupRequest,
    /// The data at the start of the reply, and of the root verifier's reply.
    pub broadcast: ExpectedBroadcast,
}

impl World {
    /// Builds the root rollup over inner rollups that are already in the trees,
    /// without their proofs. Adds the new data root to the tree of data roots.
    pub(super) fn root_rollup(
        &mut self,
        sizes: Sizes,
        carried: &Carried,
        inners: &[InnerJob],
    ) -> RootJob {
        let (old_data_roots_root, old_data_roots_path) = self.settle_data_root();
        let totals = totals_of(inners);
        let notes = carried.notes.iter().map(|note| note.wire()).collect();
        let request = RootRollupRequest {
            rollup_id: self.next_rollup,
            inner_proofs: Vec::new(),
            old_data_roots_root,
            new_data_roots_root: word(&self.trees.roots.root()),
            old_data_roots_path,
            old_defi_root: carried.old_root,
            new_defi_root: word(&self.trees.defi.root()),
            old_defi_path: carried.old_path.clone(),
            bridge_call_datas: words_of(&inners[0], place::BRIDGES, BRIDGES),
            asset_ids: totals.assets(),
            defi_interaction_notes: notes,
            rollup_beneficiary: self.beneficiary,
        };
        let header = self.header(sizes, &request, carried, inners, &totals);
        let txs = inners
            .iter()
            .flat_map(|inner| inner.published[place::TXS..].iter().copied());
        RootJob {
            broadcast: ExpectedBroadcast::new(sizes, header, txs),
            request,
        }
    }

    /// Adds the new data root to the tree of data roots. Returns the new root
    /// of that tree and the leaf's path before the change.
    fn settle_data_root(&mut self) -> (Word, MerklePath) {
        let roots = &mut self.trees.roots;
        let index = u64::from(self.next_rollup + 1).into();
        let before = (word(&roots.root()), path(roots, index));
        roots.set(index, self.trees.data.root());
        before
    }

    fn header(
        &self,
        sizes: Sizes,
        request: &RootRollupRequest,
        carried: &Carried,
        inners: &[InnerJob],
        totals: &RollupTotals,
    ) -> Vec<Word> {
        let number = |value: u32| Word::from(u64::from(value));
        let first = &inners[0].published;
        let mut words = vec![
            number(self.next_rollup),
            number(sizes.rollup_slots()),
            first[place::DATA_START_INDEX],
            first[place::OLD_DATA_ROOT],
            word(&self.trees.data.root()),
            first[place::OLD_NULL_ROOT],
            word(&self.trees.null.root()),
            request.old_data_roots_root,
            request.new_data_roots_root,
            request.old_defi_root,
            request.new_defi_root,
        ];
        let commitments = carried.notes.iter();
        let commitments = commitments.map(|note| word(&note.commitment(self.suite)));
        words.extend(totals.words(&request.bridge_call_datas));
        words.extend(padded(commitments.collect(), BRIDGES, 0));
        words.push(word(&interaction_hash(&request.defi_interaction_notes)));
        words.push(request.rollup_beneficiary);
        words.push(number(sizes.rollup_slots() / sizes.slots()));
        words
    }
}

/// Returns the sums of all inner rollups.
fn totals_of(inners: &[InnerJob]) -> RollupTotals {
    let mut totals = RollupTotals::default();
    for inner in inners {
        let deposits = words_of(inner, place::DEPOSIT_SUMS, BRIDGES);
        for (total, deposit) in totals.deposits.iter_mut().zip(deposits) {
            *total += small(deposit);
        }
        let assets = words_of(inner, place::ASSETS, ASSETS);
        let fees = words_of(inner, place::FEES, ASSETS);
        for (asset, fee) in assets.into_iter().zip(fees) {
            if asset != Word::from(NO_ASSET) {
                totals.pay(asset, small(fee));
            }
        }
    }
    totals
}

fn words_of(inner: &InnerJob, at: usize, count: usize) -> Vec<Word> {
    inner.published[at..at + count].to_vec()
}

fn small(word: Word) -> u64 {
    word.to_u64().expect("values of this world are small")
}
