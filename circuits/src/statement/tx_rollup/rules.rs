//! The native rules of an inner rollup.

use std::sync::Arc;

use ark_bn254::Fr;
use ark_ff::{AdditiveGroup, BigInteger, Field, PrimeField};

use super::witness::subtree_height;
use super::{
    NullifierWitness, RunningState, SegmentWitness, TxRollup, TxRollupWitness, TxSegment, TxWitness,
};
use crate::field::fits;
use crate::notes::DEPOSIT_BITS;
use crate::proof_id;
use crate::published::{
    ASSETS, BRIDGES, FIELDS_PER_TX, NO_ASSET, Published, ROLLUP_BRIDGE_BITS, inputs_hash, padded,
};
use crate::rule::{Rule, Scope, Violation, Violations};
use crate::statement::Statement;
use crate::statement::client::client_digest;
use crate::suite::Suite;
use crate::tree::{self, DATA_DEPTH, LeafIndex, ROOTS_DEPTH};

/// Length of a rollup id in bits.
pub(super) const ROLLUP_ID_BITS: usize = 32;

/// Computes the published fields of a witness and the rules that it breaks.
pub(crate) fn evaluate(
    rollup: TxRollup,
    suite: Suite,
    w: &TxRollupWitness,
) -> (Published, Vec<Violation>) {
    let mut run = TxPass::new(suite, rollup.slots(), w);
    let count = (1..=rollup.txs as usize).contains(&w.txs.len());
    run.broken.demand(count, Rule::TxCount);
    run.lists();
    for tx in 0..w.txs.len() {
        run.tx(tx);
    }
    run.data_tree();
    (run.published(rollup), run.broken.0)
}

/// Returns the published fields of an inner rollup of up to `txs` txs, which
/// have a meaning only if the rules hold. Fast, because no tree and no client
/// digest is computed.
pub fn published_fields(suite: Suite, txs: u32, w: &TxRollupWitness) -> Vec<Fr> {
    let mut run = TxPass::new(suite, TxRollup { txs }.slots(), w);
    (0..w.txs.len()).for_each(|tx| run.follow(tx));
    run.fields()
}

/// Returns the values of the segments that have a tx.
pub(crate) fn segments(
    suite: Suite,
    size: TxSegment,
    rollup: &Arc<TxRollupWitness>,
) -> Vec<SegmentWitness> {
    let mut run = TxPass::new(suite, 0, rollup);
    let mut segments = Vec::new();
    for first in 0..rollup.txs.len() {
        if first.is_multiple_of(size.txs as usize) {
            segments.push(SegmentWitness {
                rollup: Arc::clone(rollup),
                first,
                state: run.state(size.remembered()),
                null_root: run.null_root,
            });
        }
        run.follow(first);
    }
    segments
}

/// The state of a pass over the txs.
struct TxPass<'a> {
    suite: Suite,
    slots: usize,
    w: &'a TxRollupWitness,
    broken: Violations,
    sums: [Fr; BRIDGES],
    fees: [Fr; ASSETS],
    /// The fields of the txs so far; commitment 1 of defi deposits is completed.
    txs: Vec<[Fr; 16]>,
    null_root: Fr,
}

impl<'a> TxPass<'a> {
    fn new(suite: Suite, slots: usize, w: &'a TxRollupWitness) -> Self {
        Self {
            suite,
            slots,
            w,
            broken: Violations::default(),
            sums: [Fr::ZERO; BRIDGES],
            fees: [Fr::ZERO; ASSETS],
            txs: Vec::new(),
            null_root: w.old_null_root,
        }
    }

    /// Adds a tx to the state without checking the rules.
    fn follow(&mut self, i: usize) {
        let tx = &self.w.txs[i];
        let mut fields = tx.fields;
        let fee = self.net_fee(i, &mut fields);
        self.pay(i, &fields, fee);
        self.null_root = tx.nullifiers[1].new_root;
        self.txs.push(fields);
    }

    fn state(&self, slots: usize) -> RunningState {
        let outputs = self.txs.iter().rev().map(|f| [f[1], f[2], f[15]]);
        let mut state = RunningState {
            sums: self.sums,
            fees: self.fees,
            outputs: outputs.collect(),
        };
        state.outputs.resize(slots, [Fr::ZERO; 3]);
        state
    }

    fn demand(&mut self, tx: usize, holds: bool, rule: Rule) {
        self.broken.demand_of(Scope::Tx(tx), holds, rule);
    }

    fn lists(&mut self) {
        let (w, broken) = (self.w, &mut self.broken);
        let ranges = [
            (&w.rollup_id, ROLLUP_ID_BITS, "rollup id"),
            (&w.data_start_index, DATA_DEPTH, "data start index"),
        ];
        broken.demand_ranges(Scope::Whole, ranges);
        let bridges = w.bridges.len() <= BRIDGES && !w.bridges.contains(&Fr::ZERO);
        broken.demand(bridges, Rule::Bridges);
        let narrow = |bridge| fits(bridge, ROLLUP_BRIDGE_BITS);
        let narrow = w.bridges.iter().all(narrow);
        broken.demand(narrow, Rule::Range("bridge call data"));
        let assets = w.assets.len() <= ASSETS && !w.assets.contains(&Fr::from(NO_ASSET));
        broken.demand(assets, Rule::Assets);
    }

    fn tx(&mut self, i: usize) {
        let tx = &self.w.txs[i];
        let mut f = tx.fields;
        let ranges = [
            (&f[11], ROLLUP_BRIDGE_BITS, "bridge call data"),
            (&f[12], DEPOSIT_BITS, "defi deposit value"),
            (&f[9], DEPOSIT_BITS, "tx fee"),
            (&tx.link_index, DATA_DEPTH, "linked commitment index"),
            (&tx.root_index, ROOTS_DEPTH, "data roots index"),
        ];
        self.broken.demand_ranges(Scope::Tx(i), ranges);
        self.demand(i, client_digest(&f).is_some(), Rule::ProofId);
        let fee = self.net_fee(i, &mut f);
        let stale = f[0] == Fr::from(proof_id::CLAIM) && f[13] != self.w.new_defi_root;
        self.demand(i, !stale, Rule::DefiRoot);
        self.link(i, tx, &f);
        self.demand(i, f[8] != Fr::ZERO, Rule::DataRootZero);
        let root = tree::fold(self.suite, f[8], &tx.root_siblings, tx.root_index.into(), 0);
        self.demand(i, root == self.w.data_roots_root, Rule::DataRoot);
        self.pay(i, &f, fee);
        for (which, nullifier) in (0u8..).zip(&tx.nullifiers) {
            self.spend(i, which, f[3 + usize::from(which)], nullifier);
        }
        self.txs.push(f);
    }

    /// Returns the fee that the rollup keeps; completes a defi deposit.
    fn net_fee(&mut self, i: usize, f: &mut [Fr; 16]) -> Fr {
        if f[0] == Fr::from(proof_id::DEFI_DEPOSIT) {
            self.complete_claim(i, f)
        } else {
            f[9]
        }
    }

    /// Adds a defi deposit to its bridge and completes its claim note; returns
    /// the fee that is left for this rollup.
    fn complete_claim(&mut self, i: usize, f: &mut [Fr; 16]) -> Fr {
        let matching = places(&self.w.bridges, f[11]);
        self.demand(i, matching.len() == 1, Rule::DepositBridge);
        let bridge = matching.first().copied().unwrap_or(0);
        if let Some(sum) = self.sums.get_mut(bridge) {
            *sum += f[12];
        }
        let mut half = f[9].into_bigint();
        half.div2();
        let kept = Fr::from_bigint(half).expect("half of a canonical integer is canonical");
        let nonce = self.w.rollup_id * Fr::from(BRIDGES as u64) + Fr::from(bridge as u64);
        f[1] = self.suite.claim_note(f[1], nonce, f[9] - kept);
        kept
    }

    /// Checks that a linked commitment is an output of an earlier tx of this rollup
    /// that allows chaining, or a leaf of the data tree before this rollup.
    fn link(&mut self, i: usize, tx: &TxWitness, f: &[Fr; 16]) {
        let link = f[14];
        if link == Fr::ZERO {
            return;
        }
        let earlier = self.txs.iter().rev().find(|g| g[1] == link || g[2] == link);
        match earlier.map(|g| (g[15], if g[1] == link { 1u64 } else { 2 })) {
            Some((allowed, output)) => {
                let allows = allowed == Fr::from(output) || allowed == Fr::from(3u64);
                self.demand(i, allows, Rule::ChainNotAllowed);
            }
            None => {
                let index = LeafIndex::from(tx.link_index);
                let root = tree::fold(self.suite, link, &tx.link_siblings, index, 0);
                self.demand(i, root == self.w.old_data_root, Rule::LinkedCommitment);
            }
        }
    }

    /// Adds the fee to its asset; a fee in an unlisted asset is dropped.
    fn pay(&mut self, i: usize, f: &[Fr; 16], fee: Fr) {
        let matching = places(&self.w.assets, f[10]);
        let is_account = f[0] == Fr::from(proof_id::ACCOUNT);
        self.demand(i, matching.len() <= 1 || is_account, Rule::FeeAsset);
        for k in matching {
            if let Some(sum) = self.fees.get_mut(k) {
                *sum += fee;
            }
        }
    }

    /// Checks that the leaf at the nullifier's index was empty and becomes 1;
    /// the nullifier 0 must not change the root.
    fn spend(&mut self, i: usize, which: u8, nullifier: Fr, insertion: &NullifierWitness) {
        if nullifier == Fr::ZERO {
            let same = insertion.new_root == self.null_root;
            self.demand(i, same, Rule::NewNullRoot(which + 1));
            return;
        }
        let index = LeafIndex::from(nullifier);
        let fold = |leaf| tree::fold(self.suite, leaf, &insertion.siblings, index, 0);
        let (before, after) = (fold(Fr::ZERO), fold(Fr::ONE));
        let was_empty = before == self.null_root;
        let floor = self.suite.nullifier_floor();
        let alone = insertion.siblings[..floor] == self.suite.zero_hashes()[..floor];
        self.demand(i, was_empty, Rule::OldNullRoot(which + 1));
        self.demand(i, !was_empty || alone, Rule::NullifierNeighbour(which + 1));
        self.demand(i, after == insertion.new_root, Rule::NewNullRoot(which + 1));
        self.null_root = insertion.new_root;
    }

    fn data_tree(&mut self) {
        let (suite, w, broken) = (self.suite, self.w, &mut self.broken);
        let height = subtree_height(self.slots);
        let start = w.data_start_index.into_bigint();
        let aligned = start.0[0].is_multiple_of(1 << height);
        broken.demand(aligned, Rule::Alignment);
        let mut leaves: Vec<Fr> = self.txs.iter().flat_map(|f| [f[1], f[2]]).collect();
        leaves.resize(2 * self.slots, Fr::ZERO);
        let subtree = tree::subtree_root(suite, &leaves);
        let index = LeafIndex::from(w.data_start_index);
        let fold = |node| tree::fold(suite, node, &w.data_siblings, index, height);
        let (old, new) = (fold(suite.empty_root(height)), fold(subtree));
        broken.demand(old == w.old_data_root, Rule::OldDataRoot);
        broken.demand(new == w.new_data_root, Rule::NewDataRoot);
    }

    fn published(&self, rollup: TxRollup) -> Published {
        let digest = |tx: &TxWitness| client_digest(&tx.fields).unwrap_or_default();
        let mut clients: Vec<Fr> = self.w.txs.iter().map(digest).collect();
        clients.resize(self.slots, Fr::ZERO);
        Published::new(rollup, self.fields(), clients)
    }

    fn fields(&self) -> Vec<Fr> {
        let w = self.w;
        let mut fields = vec![
            w.rollup_id,
            Fr::from(self.slots as u64),
            w.data_start_index,
            w.old_data_root,
            w.new_data_root,
            w.old_null_root,
            self.null_root,
            w.data_roots_root,
            w.data_roots_root,
            Fr::ZERO,
            w.new_defi_root,
        ];
        fields.extend(padded(&w.bridges, BRIDGES, Fr::ZERO));
        fields.extend(self.sums);
        fields.extend(padded(&w.assets, ASSETS, Fr::from(NO_ASSET)));
        fields.extend(self.fees);
        let txs = self.txs.iter().flat_map(|f| &f[..FIELDS_PER_TX]);
        let mut txs: Vec<Fr> = txs.copied().collect();
        txs.resize(FIELDS_PER_TX * self.slots, Fr::ZERO);
        fields.push(inputs_hash(&txs));
        fields.extend(txs);
        fields
    }
}

/// Returns the indexes of a value in a list.
fn places(list: &[Fr], value: Fr) -> Vec<usize> {
    (0..list.len()).filter(|at| list[*at] == value).collect()
}
