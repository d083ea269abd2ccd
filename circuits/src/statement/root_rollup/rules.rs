//! The native rules of a root rollup.

use ark_bn254::Fr;
use ark_ff::AdditiveGroup;

use super::broadcast::previous_defi_hash;
use super::{
    ADDRESS_BITS, Broadcast, DEFI_HEIGHT, INTERACTION_WORDS, INTERACTIONS, InnerFields, NONCE_BITS,
    ROLLUP_ID_BITS, RootRollupWitness, RootSize,
};
use crate::field::fits;
use crate::gadgets::integer::AMOUNT_BITS;
use crate::published::{ASSETS, BRIDGES, NO_ASSET, ROLLUP_BRIDGE_BITS, padded, place};
use crate::rule::{Rule, Scope, Violation, Violations};
use crate::suite::Suite;
use crate::tree::{self, LeafIndex};

/// The length of each word of an interaction note in bits, and its name.
pub(super) const INTERACTION_RANGES: [(usize, &str); INTERACTION_WORDS] = [
    (
        ROLLUP_BRIDGE_BITS,
        "bridge call data of an interaction note",
    ),
    (AMOUNT_BITS, "total input of an interaction note"),
    (AMOUNT_BITS, "total output a of an interaction note"),
    (AMOUNT_BITS, "total output b of an interaction note"),
    (NONCE_BITS, "nonce of an interaction note"),
    (1, "result of an interaction note"),
];

/// Computes the published words of a witness and the rules that it breaks.
pub(super) fn evaluate(
    suite: Suite,
    size: RootSize,
    w: &RootRollupWitness,
) -> (Broadcast, Vec<Violation>) {
    let mut run = RootPass::new(suite, size, w);
    run.header();
    for (at, inner) in w.inners.iter().enumerate() {
        run.inner(at, inner);
    }
    run.interactions();
    run.trees();
    (run.broadcast(), run.broken.0)
}

/// Returns the published words of a root rollup, which have a meaning only if
/// the rules hold. Fast, because no tree is hashed.
pub fn broadcast(suite: Suite, size: RootSize, w: &RootRollupWitness) -> Broadcast {
    let mut run = RootPass::new(suite, size, w);
    for (at, inner) in w.inners.iter().enumerate() {
        run.totals(at, inner);
    }
    run.broadcast()
}

struct RootPass<'a> {
    suite: Suite,
    size: RootSize,
    w: &'a RootRollupWitness,
    broken: Violations,
    sums: [Fr; BRIDGES],
    fees: [Fr; ASSETS],
    commitments: Vec<Fr>,
}

impl<'a> RootPass<'a> {
    fn new(suite: Suite, size: RootSize, w: &'a RootRollupWitness) -> Self {
        let notes = w.interactions.iter();
        let commitments: Vec<Fr> = notes.map(|note| note.commit(suite)).collect();
        Self {
            suite,
            size,
            w,
            broken: Violations::default(),
            sums: [Fr::ZERO; BRIDGES],
            fees: [Fr::ZERO; ASSETS],
            commitments: padded(&commitments, INTERACTIONS, Fr::ZERO),
        }
    }

    fn demand(&mut self, inner: usize, holds: bool, rule: Rule) {
        self.broken.demand_of(Scope::Inner(inner), holds, rule);
    }

    fn header(&mut self) {
        let (w, broken) = (self.w, &mut self.broken);
        let count = (1..=self.size.inners as usize).contains(&w.inners.len());
        broken.demand(count, Rule::InnerCount);
        let ranges = [
            (&w.rollup_id, ROLLUP_ID_BITS, "rollup id"),
            (&w.beneficiary, ADDRESS_BITS, "rollup beneficiary"),
        ];
        broken.demand_ranges(Scope::Whole, ranges);
        let narrow = |bridge| fits(bridge, ROLLUP_BRIDGE_BITS);
        let narrow = w.bridges.iter().all(narrow);
        broken.demand(narrow, Rule::Range("bridge call data"));
    }

    /// Checks that an inner rollup belongs to this rollup and follows the previous one.
    fn inner(&mut self, at: usize, inner: &InnerFields) {
        let (w, slots, h) = (self.w, u64::from(self.size.slots), &inner.header);
        let first = &w.inners[0].header;
        let start = first[place::DATA_START_INDEX] + Fr::from(2 * slots * at as u64);
        for (field, must, rule) in [
            (place::SLOTS, slots.into(), Rule::InnerSlots),
            (place::ROLLUP_ID, w.rollup_id, Rule::InnerRollupId),
            (
                place::OLD_DATA_ROOTS_ROOT,
                w.old_data_roots_root,
                Rule::InnerDataRootsRoot,
            ),
            (place::NEW_DEFI_ROOT, w.new_defi_root, Rule::InnerDefiRoot),
            (place::DATA_START_INDEX, start, Rule::InnerDataStart),
        ] {
            self.demand(at, h[field] == must, rule);
        }
        if let Some(before) = at.checked_sub(1).map(|before| &w.inners[before].header) {
            let data = h[place::OLD_DATA_ROOT] == before[place::NEW_DATA_ROOT];
            self.demand(at, data, Rule::InnerDataRoot);
            let nullifiers = h[place::OLD_NULL_ROOT] == before[place::NEW_NULL_ROOT];
            self.demand(at, nullifiers, Rule::InnerNullRoot);
        }
        self.totals(at, inner);
    }

    /// Adds the deposits and fees of an inner rollup.
    fn totals(&mut self, at: usize, inner: &InnerFields) {
        let (w, h, none) = (self.w, &inner.header, Fr::from(NO_ASSET));
        let known = padded(&w.bridges, BRIDGES, Fr::ZERO);
        for k in 0..BRIDGES {
            let (bridge, sum) = (h[place::BRIDGES + k], h[place::DEPOSIT_SUMS + k]);
            let one = bridge == Fr::ZERO || add(&known, &mut self.sums, bridge, sum) == 1;
            self.demand(at, one, Rule::InnerBridge(k as u8));
        }
        let known = padded(&w.assets, ASSETS, none);
        for k in 0..ASSETS {
            let (asset, fee) = (h[place::ASSETS + k], h[place::FEES + k]);
            let one = asset == none || add(&known, &mut self.fees, asset, fee) == 1;
            self.demand(at, one, Rule::InnerAsset(k as u8));
        }
    }

    fn interactions(&mut self) {
        let (notes, broken) = (&self.w.interactions, &mut self.broken);
        broken.demand(notes.len() <= INTERACTIONS, Rule::InteractionCount);
        for note in notes {
            for (word, (bits, name)) in note.words().iter().zip(INTERACTION_RANGES) {
                broken.demand(fits(word, bits), Rule::Range(name));
            }
        }
    }

    /// Checks the two trees: the last data root is inserted into the tree of
    /// data roots at `rollup id + 1`, and the interaction notes into the defi
    /// tree at this rollup's index.
    fn trees(&mut self) {
        let (suite, w, broken) = (self.suite, self.w, &mut self.broken);
        let index = LeafIndex::from(w.rollup_id + Fr::from(1u64));
        let fold = |leaf| tree::fold(suite, leaf, &w.data_roots_siblings, index, 0);
        let last = w.inners.last();
        let leaf = last.map_or(Fr::ZERO, |inner| inner.header[place::NEW_DATA_ROOT]);
        let (old, new) = (fold(Fr::ZERO), fold(leaf));
        broken.demand(old == w.old_data_roots_root, Rule::OldDataRootsRoot);
        broken.demand(new == w.new_data_roots_root, Rule::NewDataRootsRoot);

        let index = LeafIndex::from(w.rollup_id * Fr::from(INTERACTIONS as u64));
        let fold = |node| tree::fold(suite, node, &w.defi_siblings, index, DEFI_HEIGHT);
        let notes = tree::subtree_root(suite, &self.commitments);
        let (old, new) = (fold(suite.empty_root(DEFI_HEIGHT)), fold(notes));
        broken.demand(old == w.old_defi_root, Rule::OldDefiRoot);
        broken.demand(new == w.new_defi_root, Rule::NewDefiRoot);
    }

    fn broadcast(&self) -> Broadcast {
        let w = self.w;
        let of = |inner: Option<&InnerFields>, place: usize| {
            inner.map_or(Fr::ZERO, |inner| inner.header[place])
        };
        let (first, last) = (w.inners.first(), w.inners.last());
        let mut header = vec![
            w.rollup_id,
            Fr::from(self.size.total_slots() as u64),
            of(first, place::DATA_START_INDEX),
            of(first, place::OLD_DATA_ROOT),
            of(last, place::NEW_DATA_ROOT),
            of(first, place::OLD_NULL_ROOT),
            of(last, place::NEW_NULL_ROOT),
            w.old_data_roots_root,
            w.new_data_roots_root,
            w.old_defi_root,
            w.new_defi_root,
        ];
        header.extend(padded(&w.bridges, BRIDGES, Fr::ZERO));
        header.extend(self.sums);
        header.extend(padded(&w.assets, ASSETS, Fr::from(NO_ASSET)));
        header.extend(self.fees);
        header.extend(&self.commitments);
        let interactions = w.interaction_words();
        header.extend([
            previous_defi_hash(&interactions),
            w.beneficiary,
            Fr::from(self.size.padded_inners() as u64),
        ]);
        Broadcast::new(self.size, header, w.inners.clone(), interactions)
    }
}

/// Adds an amount to every entry that matches; returns the number of matches.
fn add(known: &[Fr], sums: &mut [Fr], value: Fr, amount: Fr) -> usize {
    let matching = known.iter().zip(sums).filter(|(known, _)| **known == value);
    matching.map(|(_, sum)| *sum += amount).count()
}
