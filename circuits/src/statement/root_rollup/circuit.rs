//! The rules of a root rollup as rows (constraints).

use ark_bn254::Fr;
use ark_ff::AdditiveGroup;
use zkwhirl_job::Topic;

use super::broadcast::PREVIOUS_DEFI_HASH;
use super::inners::{InnerChain, InteractionNotes, add_totals};
use super::rules::{broadcast, evaluate};
use super::{
    ADDRESS_BITS, BROADCAST_HEADER, Broadcast, DEFI_HEIGHT, INNER_WORDS, INTERACTION_WORDS,
    INTERACTIONS, MAX_INNERS, ROLLUP_ID_BITS, RootRollupWitness, RootSize,
};
use crate::error::{PublishedError, StatementError};
use crate::gadgets::bits::decompose;
use crate::gadgets::hash::{BitNum, Inputs};
use crate::gadgets::merkle::{alloc_path, fold, subtree};
use crate::published::{ASSETS, BRIDGES, NO_ASSET, padded, place, publish};
use crate::r1cs::{Bit, Builder, Num};
use crate::rule::Violation;
use crate::statement::definition::{self, Statement};
use crate::statement::matched::MatchedSums;
use crate::statement::tx_rollup::are_slots;
use crate::suite::Suite;
use crate::tree::ROOTS_DEPTH;

impl Statement for RootSize {
    type Witness = RootRollupWitness;

    const NAME: &'static str = "root-rollup";
    const TAG: u64 = 8;
    const TOPIC: Topic = Topic::Outer;
    // The input hash precedes the broadcast header.
    const LEFT_OUT: Option<usize> = Some(1 + PREVIOUS_DEFI_HASH);

    fn is_possible(self) -> bool {
        (1..=MAX_INNERS).contains(&self.inners) && are_slots(self.slots)
    }

    /// The input hash, the broadcast header, the inner rollups' headers, and
    /// the interaction notes.
    fn fields(self) -> usize {
        1 + BROADCAST_HEADER + INNER_WORDS * self.inners as usize + INTERACTION_WORDS * INTERACTIONS
    }

    fn check_words(self, _: &[Fr]) -> Result<(), PublishedError> {
        Err(PublishedError::NotAlone)
    }

    fn violations(self, suite: Suite, w: &RootRollupWitness) -> Vec<Violation> {
        evaluate(suite, self, w).1
    }

    /// The verifier of the published words, not the circuit, checks the input
    /// hash, the previous defi interaction hash, the inputs hashes and the
    /// 250-bit range of bridge call datas.
    fn enforce(self, b: &mut Builder, suite: Suite, w: &RootRollupWitness) {
        let roots = [
            w.old_data_roots_root,
            w.new_data_roots_root,
            w.old_defi_root,
            w.new_defi_root,
        ]
        .map(|root| b.alloc(root));
        let [old_roots, new_roots, old_defi, new_defi] = &roots;
        let (rollup_id, beneficiary) = b.part("header", |b| {
            let rollup_id = b.alloc(w.rollup_id);
            let beneficiary = b.alloc(w.beneficiary);
            decompose(b, &beneficiary, ADDRESS_BITS);
            (BitNum::ranged(b, &rollup_id, ROLLUP_ID_BITS), beneficiary)
        });
        let mut bridges = MatchedSums::new(b, &padded(&w.bridges, BRIDGES, Fr::ZERO));
        let mut assets = MatchedSums::new(b, &padded(&w.assets, ASSETS, Fr::from(NO_ASSET)));
        let chain = b.part("inner rollups", |b| {
            let shared = [&rollup_id.num, old_roots, new_defi];
            let inners = w.inners.iter().map(|inner| (&inner.header[..], true));
            InnerChain::new(b, self, shared, &inners.collect::<Vec<_>>())
        });
        b.part("bridges and fees", |b| {
            for (words, real) in chain.inners.iter().zip(&chain.real) {
                add_totals(b, &mut bridges, &mut assets, (words, real));
            }
        });
        let [first, last] = [&chain.inners[0], &chain.last];
        let notes = b.part("interaction notes", |b| {
            let words = w.interaction_words();
            let notes = words.iter().enumerate();
            let notes = notes.map(|(at, note)| (&note[..], at < w.interactions.len()));
            InteractionNotes::new(b, suite, &notes.collect::<Vec<_>>())
        });
        b.part("data roots tree", |b| {
            let (leaf, siblings) = (&last[place::NEW_DATA_ROOT], &w.data_roots_siblings[..]);
            let roots = [old_roots, new_roots];
            insert_root(b, suite, &rollup_id.num, (leaf, siblings), roots);
        });
        b.part("defi tree", |b| {
            let path = (rollup_id.bits.clone(), &w.defi_siblings[DEFI_HEIGHT..]);
            insert_notes(b, suite, &notes.commitments, path, [old_defi, new_defi]);
        });
        // No row constrains the input hash: the verifier knows all words that
        // it hashes.
        let hash = b
            .has_values()
            .then(|| broadcast(suite, self, w).input_hash());
        let input_hash = b.alloc(hash.unwrap_or_default());
        let number = |number: usize| Num::constant(Fr::from(number as u64));
        let mut fields = vec![input_hash, rollup_id.num, number(self.total_slots())];
        fields.extend([
            first[place::DATA_START_INDEX].clone(),
            first[place::OLD_DATA_ROOT].clone(),
            last[place::NEW_DATA_ROOT].clone(),
            first[place::OLD_NULL_ROOT].clone(),
            last[place::NEW_NULL_ROOT].clone(),
        ]);
        fields.extend(roots);
        fields.extend([bridges.known, bridges.sums, assets.known, assets.sums].concat());
        fields.extend(notes.commitments);
        // The previous defi interaction hash has its field, but is not part of
        // the public input.
        fields.extend([Num::zero(), beneficiary, number(self.padded_inners())]);
        fields.extend(chain.inners.concat());
        fields.extend(notes.words.concat());
        publish::<RootSize>(b, fields);
    }
}

/// Checks every rule of a root rollup; returns its published words. Only the
/// published words of the inner rollups are read: their proofs are verified
/// elsewhere.
pub fn check(
    suite: Suite,
    size: RootSize,
    w: &RootRollupWitness,
) -> Result<Broadcast, StatementError> {
    let (broadcast, broken) = evaluate(suite, size, w);
    definition::demand_none(&broken)?;
    Ok(broadcast)
}

/// Enforces that the leaf `rollup id + 1` changes from zero to the last data root.
fn insert_root(
    b: &mut Builder,
    suite: Suite,
    rollup_id: &Num,
    (leaf, siblings): (&Num, &[Fr]),
    [old, new]: [&Num; 2],
) {
    let bits = decompose(b, &rollup_id.plus(Fr::from(1u64)), ROOTS_DEPTH);
    let path = alloc_path(b, bits, siblings);
    let before = fold(b, suite, &Num::zero(), &path, Inputs::Free);
    b.equal(&before, old);
    let after = fold(b, suite, leaf, &path, Inputs::Canonical);
    b.equal(&after, new);
}

/// Enforces that the notes' subtree replaces the empty subtree at this rollup's index.
fn insert_notes(
    b: &mut Builder,
    suite: Suite,
    commitments: &[Num],
    (bits, siblings): (Vec<Bit>, &[Fr]),
    [old, new]: [&Num; 2],
) {
    let path = alloc_path(b, bits, siblings);
    let empty = Num::constant(suite.empty_root(DEFI_HEIGHT));
    let before = fold(b, suite, &empty, &path, Inputs::Free);
    b.equal(&before, old);
    let notes = subtree(b, suite, commitments);
    let after = fold(b, suite, &notes, &path, Inputs::Canonical);
    b.equal(&after, new);
}
