//! The interaction notes of a root rollup, in rows.

use super::inners::Marked;
use super::rules::INTERACTION_RANGES;
use crate::gadgets::hash::{BitNum, hash};
use crate::r1cs::{Bit, Builder, Num};
use crate::suite::{HashIndex, Suite};

/// The interaction notes, padding included.
pub(super) struct InteractionNotes {
    pub(super) words: Vec<Vec<Num>>,
    /// Zero where there is no note.
    pub(super) commitments: Vec<Num>,
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
    let words: Vec<BitNum> = words
        .iter()
        .zip(INTERACTION_RANGES)
        .map(|(word, (bits, _))| BitNum::ranged(b, word, bits))
        .collect();
    let inputs: Vec<&BitNum> = words.iter().collect();
    hash(b, suite, HashIndex::DefiInteractionNote, &inputs)
}
