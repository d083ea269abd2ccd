//! The rules of a root rollup, natively.

use ark_bn254::Fr;
use ark_ff::AdditiveGroup;

use super::broadcast::previous_defi_hash;
use super::size::{ADDRESS_BITS, DEFI_HEIGHT, INTERACTIONS, NONCE_BITS, ROLLUP_ID_BITS, RootSize};
use super::witness::interaction_words;
use super::{Broadcast, InnerFields, RootRollupWitness};
use crate::field::fits;
use crate::gadgets::integer::AMOUNT_BITS;
use crate::published::{ASSETS, BRIDGES, NO_ASSET, ROLLUP_BRIDGE_BITS, padded, place};
use crate::rule::{Rule, Scope, Violation, Violations};
use crate::suite::Suite;
use crate::tree::{self, LeafIndex};

/// The published words that follow from a witness, and the rules it breaks.
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
    (run.broadcast(), run.broken.into_vec())
}

/// The published words of a root rollup; they mean something only if it
/// follows the rules. No tree is hashed, so it costs next to nothing.
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
        let commitments: Vec<Fr> = w
            .interactions
            .iter()
            .map(|note| note.commit(suite))
            .collect();
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

    /// An inner rollup is of this rollup, and follows the one before it.
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
            for (old, new, rule) in [
                (
                    place::OLD_DATA_ROOT,
                    place::NEW_DATA_ROOT,
                    Rule::InnerDataRoot,
                ),
                (
                    place::OLD_NULL_ROOT,
                    place::NEW_NULL_ROOT,
                    Rule::InnerNullRoot,
                ),
            ] {
                self.demand(at, h[old] == before[new], rule);
            }
        }
        self.totals(at, inner);
    }

    /// Adds what an inner rollup deposits and earns.
    fn totals(&mut self, at: usize, inner: &InnerFields) {
        let (w, h) = (self.w, &inner.header);
        for k in 0..BRIDGES {
            let bridge = h[place::BRIDGES + k];
            if bridge != Fr::ZERO {
                let known = &padded(&w.bridges, BRIDGES, Fr::ZERO);
                let amount = h[place::DEPOSIT_SUMS + k];
                let count = add(known, &mut self.sums, bridge, amount);
                self.demand(at, count == 1, Rule::InnerBridge(k as u8));
            }
        }
        let none = Fr::from(NO_ASSET);
        for k in 0..ASSETS {
            let asset = h[place::ASSETS + k];
            if asset != none {
                let known = &padded(&w.assets, ASSETS, none);
                let count = add(known, &mut self.fees, asset, h[place::FEES + k]);
                self.demand(at, count == 1, Rule::InnerAsset(k as u8));
            }
        }
    }

    fn interactions(&mut self) {
        let (notes, broken) = (&self.w.interactions, &mut self.broken);
        broken.demand(notes.len() <= INTERACTIONS, Rule::InteractionCount);
        for note in notes {
            let [bridge, input, output_a, output_b, nonce, result] = &interaction_words(note);
            let ranges = [
                (
                    bridge,
                    ROLLUP_BRIDGE_BITS,
                    "bridge call data of an interaction note",
                ),
                (input, AMOUNT_BITS, "total input of an interaction note"),
                (
                    output_a,
                    AMOUNT_BITS,
                    "total output a of an interaction note",
                ),
                (
                    output_b,
                    AMOUNT_BITS,
                    "total output b of an interaction note",
                ),
                (nonce, NONCE_BITS, "nonce of an interaction note"),
                (result, 1, "result of an interaction note"),
            ];
            broken.demand_ranges(Scope::Whole, ranges);
        }
    }

    /// The last data root enters the tree of data roots after those of earlier
    /// rollups; the interaction notes enter the defi tree at this rollup's
    /// place.
    fn trees(&mut self) {
        let w = self.w;
        let index = LeafIndex::from(w.rollup_id + Fr::from(1u64));
        let fold = |leaf| tree::fold(self.suite, leaf, &w.data_roots_siblings, index, 0);
        let last = w.inners.last();
        let leaf = last.map_or(Fr::ZERO, |inner| inner.header[place::NEW_DATA_ROOT]);
        let (old, new) = (fold(Fr::ZERO), fold(leaf));
        self.broken
            .demand(old == w.old_data_roots_root, Rule::OldDataRootsRoot);
        self.broken
            .demand(new == w.new_data_roots_root, Rule::NewDataRootsRoot);

        let index = LeafIndex::from(w.rollup_id * Fr::from(INTERACTIONS as u64));
        let fold = |node| tree::fold(self.suite, node, &w.defi_siblings, index, DEFI_HEIGHT);
        let notes = tree::subtree_root(self.suite, &self.commitments);
        let (old, new) = (fold(self.suite.empty_root(DEFI_HEIGHT)), fold(notes));
        self.broken
            .demand(old == w.old_defi_root, Rule::OldDefiRoot);
        self.broken
            .demand(new == w.new_defi_root, Rule::NewDefiRoot);
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

/// Adds an amount to every entry that matches, and counts them.
fn add(known: &[Fr], sums: &mut [Fr], value: Fr, amount: Fr) -> usize {
    let matching = known.iter().zip(sums).filter(|(known, _)| **known == value);
    matching.map(|(_, sum)| *sum += amount).count()
}
