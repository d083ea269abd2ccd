//! The rules of a root rollup in rows.

use ark_bn254::Fr;
use ark_ff::AdditiveGroup;
use zkwhirl_job::Topic;

use super::broadcast::PREVIOUS_DEFI_HASH;
use super::rules::{broadcast, evaluate};
use super::size::{
    ADDRESS_BITS, BROADCAST_HEADER, DEFI_HEIGHT, INNER_WORDS, INTERACTION_WORDS, INTERACTIONS,
    MAX_INNERS, NONCE_BITS, ROLLUP_ID_BITS, RootSize,
};
use super::totals::Totals;
use super::{Broadcast, RootRollupWitness};
use crate::error::{PublishedError, StatementError};
use crate::gadgets::bits::{decompose, is_zero};
use crate::gadgets::hash::{Inputs, Word, hash};
use crate::gadgets::integer::AMOUNT_BITS;
use crate::gadgets::merkle::{alloc_path, fold, subtree};
use crate::published::{ASSETS, BRIDGES, NO_ASSET, ROLLUP_BRIDGE_BITS, padded, place, publish};
use crate::r1cs::{Bit, Builder, Num};
use crate::rule::Violation;
use crate::statement::definition::{self, Statement};
use crate::statement::tx_rollup::are_slots;
use crate::suite::{HashIndex, Suite};
use crate::tree::{DEFI_DEPTH, ROOTS_DEPTH};

impl Statement for RootSize {
    type Witness = RootRollupWitness;
    type Published = Broadcast;

    const NAME: &'static str = "root-rollup";
    const TAG: u64 = 8;
    const TOPIC: Topic = Topic::Outer;
    // The input hash stands before the broadcast header.
    const LEFT_OUT: Option<usize> = Some(1 + PREVIOUS_DEFI_HASH);

    fn is_possible(self) -> bool {
        (1..=MAX_INNERS).contains(&self.inners) && are_slots(self.slots)
    }

    /// The input hash, the broadcast header, the inner rollups' headers, the
    /// interaction notes.
    fn fields(self) -> usize {
        1 + BROADCAST_HEADER + INNER_WORDS * self.inners as usize + INTERACTION_WORDS * INTERACTIONS
    }

    fn check_words(self, _: &[Fr]) -> Result<(), PublishedError> {
        Err(PublishedError::NotAlone)
    }

    fn blank(self) -> RootRollupWitness {
        RootRollupWitness {
            data_roots_siblings: vec![Fr::ZERO; ROOTS_DEPTH],
            defi_siblings: vec![Fr::ZERO; DEFI_DEPTH],
            ..RootRollupWitness::default()
        }
    }

    fn evaluate(self, suite: Suite, w: &RootRollupWitness) -> (Broadcast, Vec<Violation>) {
        evaluate(suite, self, w)
    }

    /// Left to the verifier of the published words, who has them in the clear: the
    /// input hash, the previous defi interaction hash, the inputs hashes and the
    /// 250-bit range of bridge call datas.
    fn enforce(self, b: &mut Builder, suite: Suite, w: &RootRollupWitness) {
        let [old_roots, new_roots, old_defi, new_defi] = [
            w.old_data_roots_root,
            w.new_data_roots_root,
            w.old_defi_root,
            w.new_defi_root,
        ]
        .map(|root| b.alloc(root));
        let (rollup_id, beneficiary) = b.part("header", |b| {
            let rollup_id = b.alloc(w.rollup_id);
            let beneficiary = b.alloc(w.beneficiary);
            decompose(b, &beneficiary, ADDRESS_BITS);
            (Word::ranged(b, &rollup_id, ROLLUP_ID_BITS), beneficiary)
        });
        let mut bridges = Totals::new(b, &padded(&w.bridges, BRIDGES, Fr::ZERO));
        let mut assets = Totals::new(b, &padded(&w.assets, ASSETS, Fr::from(NO_ASSET)));
        let shared = [&rollup_id.num, &old_roots, &new_defi];
        let inners = w.inners.iter().map(|inner| (&inner.header[..], true));
        let inners: Vec<Marked<'_>> = inners.collect();
        let chain = b.part("inner rollups", |b| {
            InnerChain::new(b, self, shared, &inners)
        });
        b.part("bridges and fees", |b| {
            for (words, real) in chain.inners.iter().zip(&chain.real) {
                add_totals(b, &mut bridges, &mut assets, (words, real));
            }
        });
        let [first, last] = [&chain.inners[0], &chain.last];
        let words = w.interaction_words();
        let notes = words.iter().enumerate();
        let notes = notes.map(|(at, note)| (&note[..], at < w.interactions.len()));
        let notes: Vec<Marked<'_>> = notes.collect();
        let notes = b.part("interaction notes", |b| {
            InteractionNotes::new(b, suite, &notes)
        });
        b.part("data roots tree", |b| {
            let roots = [&old_roots, &new_roots];
            let last = &last[place::NEW_DATA_ROOT];
            insert_root(
                b,
                suite,
                &rollup_id.num,
                (last, &w.data_roots_siblings),
                roots,
            );
        });
        b.part("defi tree", |b| {
            let roots = [&old_defi, &new_defi];
            let path = (rollup_id.bits.clone(), &w.defi_siblings[DEFI_HEIGHT..]);
            insert_notes(b, suite, &notes.commitments, path, roots);
        });
        // Free here: the verifier has all that it is a hash of.
        let input_hash = if b.has_values() {
            broadcast(suite, self, w).input_hash()
        } else {
            Fr::ZERO
        };
        let mut fields = vec![
            b.alloc(input_hash),
            rollup_id.num.clone(),
            Num::constant(Fr::from(self.total_slots() as u64)),
        ];
        fields.extend(
            [
                &first[place::DATA_START_INDEX],
                &first[place::OLD_DATA_ROOT],
                &last[place::NEW_DATA_ROOT],
                &first[place::OLD_NULL_ROOT],
                &last[place::NEW_NULL_ROOT],
                &old_roots,
                &new_roots,
                &old_defi,
                &new_defi,
            ]
            .map(Num::clone),
        );
        fields.extend([bridges.known, bridges.sums, assets.known, assets.sums].concat());
        fields.extend(notes.commitments);
        // The previous defi interaction hash keeps its place but is not part of
        // the public input.
        fields.extend([
            Num::zero(),
            beneficiary,
            Num::constant(Fr::from(self.padded_inners() as u64)),
        ]);
        fields.extend(chain.inners.concat());
        fields.extend(notes.words.concat());
        publish::<RootSize>(b, fields);
    }
}

/// Checks every rule of a root rollup; gives its published words. Of the inner
/// rollups it reads the published words alone: their proofs are verified
/// elsewhere.
pub fn check(
    suite: Suite,
    size: RootSize,
    w: &RootRollupWitness,
) -> Result<Broadcast, StatementError> {
    definition::check(size, suite, w)
}

/// Words, and whether they are those of something that is there.
pub(super) type Marked<'a> = (&'a [Fr], bool);

/// The inner rollups' words, padding included.
pub(super) struct InnerChain {
    inners: Vec<Vec<Num>>,
    /// Whether each is an inner rollup; the first is.
    real: Vec<Bit>,
    /// The words of the last one that is real, at the places of new roots.
    last: Vec<Num>,
}

impl InnerChain {
    /// Inner rollups of this rollup that follow one another, then padding of
    /// zeros.
    pub(super) fn new(
        b: &mut Builder,
        size: RootSize,
        shared: [&Num; 3],
        inners: &[Marked<'_>],
    ) -> Self {
        let mut chain = Self {
            inners: Vec::new(),
            real: Vec::new(),
            last: vec![Num::zero(); INNER_WORDS],
        };
        let blank = [Fr::ZERO; INNER_WORDS];
        for at in 0..size.inners as usize {
            let (header, real) = inners.get(at).copied().unwrap_or((&blank, false));
            let words = header[..INNER_WORDS].iter();
            let words: Vec<Num> = words.map(|word| b.alloc(*word)).collect();
            chain.push(b, size, shared, (words, real));
        }
        chain
    }

    fn push(
        &mut self,
        b: &mut Builder,
        size: RootSize,
        [rollup_id, old_roots, new_defi]: [&Num; 3],
        (words, is_real): (Vec<Num>, bool),
    ) {
        let at = self.inners.len();
        let real = self.real.last().cloned().map(|before| {
            let real = b.alloc_bit(is_real);
            // The first is real anyway.
            if at > 1 {
                b.enforce(real.num(), before.not().num(), &Num::zero());
            }
            for word in &words {
                b.enforce(word, real.not().num(), &Num::zero());
            }
            real
        });
        let real = real.unwrap_or_else(|| Bit::constant(true));
        let slots = u64::from(size.slots);
        b.equal(&words[place::SLOTS], &real.num().scale(slots.into()));
        let mut demands = vec![
            (place::ROLLUP_ID, rollup_id.clone()),
            (place::OLD_DATA_ROOTS_ROOT, old_roots.clone()),
            (place::NEW_DEFI_ROOT, new_defi.clone()),
        ];
        if let Some(first) = self.inners.first() {
            let start = first[place::DATA_START_INDEX].plus(Fr::from(2 * slots * at as u64));
            demands.extend([
                (place::DATA_START_INDEX, start),
                (
                    place::OLD_DATA_ROOT,
                    self.last[place::NEW_DATA_ROOT].clone(),
                ),
                (
                    place::OLD_NULL_ROOT,
                    self.last[place::NEW_NULL_ROOT].clone(),
                ),
            ]);
        }
        for (field, must) in demands {
            b.enforce(real.num(), &(&words[field] - &must), &Num::zero());
        }
        for field in [place::NEW_DATA_ROOT, place::NEW_NULL_ROOT] {
            self.last[field] = b.select(&real, &words[field], &self.last[field].clone());
        }
        self.inners.push(words);
        self.real.push(real);
    }
}

/// Adds the deposits and fees of an inner rollup; padding has none.
fn add_totals(
    b: &mut Builder,
    bridges: &mut Totals,
    assets: &mut Totals,
    (words, real): (&[Num], &Bit),
) {
    for k in 0..BRIDGES {
        let bridge = &words[place::BRIDGES + k];
        // Padding has no bridge that is not zero.
        let used = is_zero(b, bridge).not();
        bridges.add(b, used.num(), bridge, &words[place::DEPOSIT_SUMS + k]);
    }
    for k in 0..ASSETS {
        let asset = &words[place::ASSETS + k];
        let listed = is_zero(b, &asset.plus(-Fr::from(NO_ASSET))).not();
        let used = b.mul(real.num(), listed.num());
        assets.add(b, &used, asset, &words[place::FEES + k]);
    }
}

/// The interaction notes, padding included.
pub(super) struct InteractionNotes {
    words: Vec<Vec<Num>>,
    /// Zero where there is no note.
    commitments: Vec<Num>,
}

impl InteractionNotes {
    pub(super) fn new(b: &mut Builder, suite: Suite, notes: &[Marked<'_>]) -> Self {
        let (mut words, mut commitments) = (Vec::new(), Vec::new());
        let mut before: Option<Bit> = None;
        for (note, present) in notes {
            let present = b.alloc_bit(*present);
            if let Some(before) = before {
                b.enforce(present.num(), before.not().num(), &Num::zero());
            }
            let nums: Vec<Num> = note.iter().map(|word| b.alloc(*word)).collect();
            for word in &nums {
                b.enforce(word, present.not().num(), &Num::zero());
            }
            let commitment = commit(b, suite, &nums);
            commitments.push(b.mul(present.num(), &commitment));
            words.push(nums);
            before = Some(present);
        }
        Self { words, commitments }
    }
}

/// The commitment of a note whose words fit their ranges.
fn commit(b: &mut Builder, suite: Suite, words: &[Num]) -> Num {
    let bits = [
        ROLLUP_BRIDGE_BITS,
        AMOUNT_BITS,
        AMOUNT_BITS,
        AMOUNT_BITS,
        NONCE_BITS,
        1,
    ];
    let words: Vec<Word> = words
        .iter()
        .zip(bits)
        .map(|(word, bits)| Word::ranged(b, word, bits))
        .collect();
    let inputs: Vec<&Word> = words.iter().collect();
    hash(b, suite, HashIndex::DefiInteractionNote, &inputs)
}

/// The leaf `rollup id + 1` changes from zero to the last data root.
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

/// The empty subtree at this rollup's place becomes that of the notes.
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
