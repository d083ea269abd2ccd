//! A small rollup world: three trees, some notes, and inner rollups over them.

use ark_bn254::Fr;
use ark_ff::{AdditiveGroup, BigInteger, Field, PrimeField};

use super::{low, random};
use crate::published::Published;
use crate::tree::{MerkleTree, fold, subtree_root};
use crate::tx_rollup::{NullifierWitness, TxRollup, TxRollupWitness, TxWitness, evaluate};
use crate::{Circuit, StatementKind, Suite};

/// Number of notes that exist before the rollup.
pub(crate) const OLD_NOTES: u64 = 8;
/// Index of the current data root in the tree of data roots.
pub(crate) const ROOT_INDEX: u64 = 3;
/// Bridge call data that the rollups list.
pub(crate) const BRIDGE: u64 = 77;

/// The contents of a rollup; [`TxPlan::witness`] computes all hashes.
#[derive(Clone)]
pub(crate) struct TxPlan {
    pub(crate) suite: Suite,
    pub(crate) capacity: u32,
    pub(crate) rollup_id: Fr,
    pub(crate) start: Fr,
    pub(crate) bridges: Vec<Fr>,
    pub(crate) assets: Vec<Fr>,
    pub(crate) new_defi_root: Fr,
    /// The txs' public inputs. A field 8 of zero is replaced by the current data root.
    pub(crate) txs: Vec<[Fr; 16]>,
    /// Per tx, the index of the linked commitment and the index of the data root.
    pub(crate) places: Vec<(Fr, Fr)>,
    /// Nullifiers that were spent before the rollup.
    pub(crate) spent: Vec<Fr>,
}

/// Returns the note at an index of the data tree before the rollup.
pub(crate) fn old_note(index: u64) -> Fr {
    random(1000 + index)
}

impl TxPlan {
    /// Two txs that use every rule: a defi deposit that links to an old note and
    /// allows chaining, and a claim that chains from the deposit's second output.
    pub(crate) fn new(suite: Suite, capacity: u32) -> Self {
        let slots = u64::from(capacity.next_power_of_two());
        let mut plan = Self {
            suite,
            capacity,
            rollup_id: Fr::from(5u64),
            start: Fr::from(2 * slots * 8),
            bridges: vec![Fr::from(76u64), Fr::from(BRIDGE), Fr::from(78u64)],
            assets: vec![Fr::ZERO, Fr::from(1u64)],
            new_defi_root: random(900),
            txs: Vec::new(),
            places: Vec::new(),
            spent: vec![random(901), random(902)],
        };
        let mut deposit = tx(5, 10);
        deposit[11] = Fr::from(BRIDGE);
        deposit[12] = Fr::from(1000u64);
        deposit[14] = old_note(6);
        deposit[15] = Fr::from(3u64);
        plan.push(deposit, 6);
        if capacity > 1 {
            let mut claim = tx(6, 20);
            claim[13] = plan.new_defi_root;
            claim[14] = deposit[2];
            plan.push(claim, 0);
        }
        plan
    }

    pub(crate) fn circuit(&self) -> Circuit {
        let (suite, txs) = (self.suite, self.capacity);
        let statement = StatementKind::TxRollup { txs };
        Circuit { suite, statement }
    }

    /// Returns the plan's published fields, whether or not the witness follows the rules.
    pub(crate) fn published(&self, w: &TxRollupWitness) -> Published {
        let size = TxRollup { txs: self.capacity };
        evaluate(size, self.suite, w).0
    }

    /// Adds a tx.
    pub(crate) fn push(&mut self, tx: [Fr; 16], link: u64) {
        self.txs.push(tx);
        self.places.push((Fr::from(link), Fr::from(ROOT_INDEX)));
    }

    /// Returns the values for the plan, valid or not.
    pub(crate) fn witness(&self) -> TxRollupWitness {
        let suite = self.suite;
        let mut data = MerkleTree::new(suite, 32);
        (0..OLD_NOTES).for_each(|index| data.set(index.into(), old_note(index)));
        let mut roots = MerkleTree::new(suite, 28);
        roots.set(0.into(), suite.empty_root(32));
        roots.set(ROOT_INDEX.into(), data.root());
        let mut nulls = MerkleTree::new(suite, 256);
        let spent = self.spent.iter();
        spent.for_each(|nullifier| nulls.set((*nullifier).into(), Fr::ONE));
        let old_null_root = nulls.root();
        let mut leaves = Vec::new();
        let mut txs = Vec::new();
        for (plan, (link, root)) in self.txs.iter().zip(&self.places) {
            let mut fields = *plan;
            if fields[8] == Fr::ZERO && *root == Fr::from(ROOT_INDEX) {
                fields[8] = data.root();
            }
            leaves.extend([self.note(&fields), fields[2]]);
            let nullifiers = [fields[3], fields[4]].map(|nullifier| {
                let siblings: [Fr; 256] = nulls.siblings(nullifier.into());
                if nullifier != Fr::ZERO {
                    nulls.set(nullifier.into(), Fr::ONE);
                }
                NullifierWitness {
                    siblings: siblings.to_vec(),
                    new_root: nulls.root(),
                }
            });
            txs.push(TxWitness {
                fields,
                link_index: *link,
                link_siblings: data.siblings(low(*link, 32)),
                root_index: *root,
                root_siblings: roots.siblings(low(*root, 28)),
                nullifiers,
            });
        }
        let slots = self.capacity.next_power_of_two() as usize;
        leaves.resize(2 * slots, Fr::ZERO);
        let height = (2 * slots).ilog2() as usize;
        let place = low(self.start, 32);
        let data_siblings = data.siblings(place);
        let notes = subtree_root(suite, &leaves);
        TxRollupWitness {
            rollup_id: self.rollup_id,
            data_start_index: self.start,
            old_data_root: data.root(),
            new_data_root: fold(suite, notes, &data_siblings, place, height),
            data_siblings,
            old_null_root,
            data_roots_root: roots.root(),
            new_defi_root: self.new_defi_root,
            bridges: self.bridges.clone(),
            assets: self.assets.clone(),
            txs,
        }
    }

    /// Returns commitment 1 as it enters the tree.
    fn note(&self, f: &[Fr; 16]) -> Fr {
        if f[0] != Fr::from(5u64) {
            return f[1];
        }
        let bridge = self.bridges.iter().position(|bridge| *bridge == f[11]);
        let bridge = Fr::from(bridge.unwrap_or(0) as u64);
        let nonce = self.rollup_id * Fr::from(32u64) + bridge;
        let mut half = f[9].into_bigint();
        half.div2();
        let fee = f[9] - Fr::from_bigint(half).unwrap();
        self.suite.claim_note(f[1], nonce, fee)
    }
}

/// Returns a tx with two notes, two nullifiers and an odd fee.
pub(crate) fn tx(proof_id: u64, seed: u64) -> [Fr; 16] {
    let mut fields = [Fr::ZERO; 16];
    fields[0] = Fr::from(proof_id);
    (1..5u64).for_each(|i| fields[i as usize] = random(seed + i));
    fields[9] = Fr::from(seed + 3);
    fields[10] = Fr::from(1u64);
    fields
}
