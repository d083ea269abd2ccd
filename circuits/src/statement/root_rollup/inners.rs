//! The inner rollups and interaction notes of a root rollup, as rows (constraints).

use ark_bn254::Fr;
use ark_ff::AdditiveGroup;

use super::rules::INTERACTION_RANGES;
use super::{INNER_WORDS, RootSize};
use crate::gadgets::bits::is_zero;
use crate::gadgets::hash::{BitNum, hash};
use crate::published::{ASSETS, BRIDGES, NO_ASSET, place};
use crate::r1cs::{Bit, Builder, Num};
use crate::statement::matched::MatchedSums;
use crate::suite::{HashIndex, Suite};

/// The words of an inner rollup or note, and whether it is real (true) or padding.
pub(super) type Marked<'a> = (&'a [Fr], bool);

/// The inner rollups' words, padding included.
pub(super) struct InnerChain {
    pub(super) inners: Vec<Vec<Num>>,
    /// Whether each inner rollup is real; the first always is.
    pub(super) real: Vec<Bit>,
    /// The words of the last real inner rollup; only the new roots are set.
    pub(super) last: Vec<Num>,
}

impl InnerChain {
    /// Allocates the inner rollups and enforces that they belong to this rollup
    /// and follow one another, then zeros for padding.
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
            // The first inner rollup is always real.
            if at > 1 {
                b.zero_where(real.num(), before.not().num());
            }
            for word in &words {
                b.zero_where(word, real.not().num());
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
            b.zero_where(real.num(), &(&words[field] - &must));
        }
        for field in [place::NEW_DATA_ROOT, place::NEW_NULL_ROOT] {
            self.last[field] = b.select(&real, &words[field], &self.last[field].clone());
        }
        self.inners.push(words);
        self.real.push(real);
    }
}

/// Adds the deposits and fees of an inner rollup; padding has none.
pub(super) fn add_totals(
    b: &mut Builder,
    bridges: &mut MatchedSums,
    assets: &mut MatchedSums,
    (words, real): (&[Num], &Bit),
) {
    for k in 0..BRIDGES {
        let bridge = &words[place::BRIDGES + k];
        // All bridges of padding are zero.
        let used = is_zero(b, bridge).not();
        let sum = &words[place::DEPOSIT_SUMS + k];
        add(b, bridges, used.num(), [bridge, sum]);
    }
    for k in 0..ASSETS {
        let asset = &words[place::ASSETS + k];
        let listed = is_zero(b, &asset.plus(-Fr::from(NO_ASSET))).not();
        let used = b.mul(real.num(), listed.num());
        add(b, assets, &used, [asset, &words[place::FEES + k]]);
    }
}

/// Adds an amount to the only entry that its value matches. If `used` is zero,
/// nothing is enforced or added.
fn add(b: &mut Builder, list: &mut MatchedSums, used: &Num, [value, amount]: [&Num; 2]) {
    let (matches, count) = list.matches(b, value);
    b.zero_where(used, &count.plus(-Fr::from(1u64)));
    let amount = b.mul(used, amount);
    list.add(b, &matches, &amount);
}

/// The interaction notes, padding included.
pub(super) struct InteractionNotes {
    pub(super) words: Vec<Vec<Num>>,
    /// The notes' commitments; zero for a missing note.
    pub(super) commitments: Vec<Num>,
}

impl InteractionNotes {
    pub(super) fn new(b: &mut Builder, suite: Suite, notes: &[Marked<'_>]) -> Self {
        let (mut words, mut commitments) = (Vec::new(), Vec::new());
        let mut before: Option<Bit> = None;
        for (note, present) in notes {
            let present = b.alloc_bit(*present);
            if let Some(before) = before {
                b.zero_where(present.num(), before.not().num());
            }
            let nums: Vec<Num> = note.iter().map(|word| b.alloc(*word)).collect();
            for word in &nums {
                b.zero_where(word, present.not().num());
            }
            let commitment = commit(b, suite, &nums);
            commitments.push(b.mul(present.num(), &commitment));
            words.push(nums);
            before = Some(present);
        }
        Self { words, commitments }
    }
}

/// Returns the commitment of a note and enforces the ranges of its words.
fn commit(b: &mut Builder, suite: Suite, words: &[Num]) -> Num {
    let words: Vec<BitNum> = words
        .iter()
        .zip(INTERACTION_RANGES)
        .map(|(word, (bits, _))| BitNum::ranged(b, word, bits))
        .collect();
    let inputs: Vec<&BitNum> = words.iter().collect();
    hash(b, suite, HashIndex::DefiInteractionNote, &inputs)
}
