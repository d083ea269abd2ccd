//! Reads values from requests.

use ark_bn254::Fr;
use ark_ff::AdditiveGroup;
use zkwhirl_job::Word;
use zkwhirl_job::request::{DefiInteractionNote, MerklePath};

use crate::error::{CountError, StatementError};
use crate::field;
use crate::notes::DefiNote;
use crate::rule::Rule;
use crate::tree::LeafIndex;

/// Reads a word, which must be canonical.
pub(super) fn element(word: &Word, what: &'static str) -> Result<Fr, StatementError> {
    field::from_word(&word.0).ok_or(StatementError::NotCanonical(what))
}

/// Returns the siblings of a path, leaf level first.
pub(super) fn siblings<const DEPTH: usize>(
    path: &MerklePath,
    index: LeafIndex,
    what: &'static str,
) -> Result<[Fr; DEPTH], StatementError> {
    CountError::check(what, path.depth(), DEPTH)?;
    let mut siblings = [Fr::ZERO; DEPTH];
    for (level, (left, right)) in path.pairs().enumerate() {
        let side = if index.bit(level) { left } else { right };
        siblings[level] = element(&side, what)?;
    }
    Ok(siblings)
}

/// Reads a list of at most `most` words; a longer list breaks `rule`.
pub(super) fn list(
    words: &[Word],
    what: &'static str,
    most: usize,
    rule: Rule,
) -> Result<Vec<Fr>, StatementError> {
    if words.len() > most {
        return Err(rule.into());
    }
    words.iter().map(|word| element(word, what)).collect()
}

/// Reads an interaction note.
pub(super) fn defi_note(note: &DefiInteractionNote) -> Result<DefiNote, StatementError> {
    Ok(DefiNote {
        bridge: element(&note.bridge_call_data, "interaction bridge call data")?,
        total_input: element(&note.total_input_value, "total input value")?,
        total_output_a: element(&note.total_output_value_a, "total output value a")?,
        total_output_b: element(&note.total_output_value_b, "total output value b")?,
        nonce: u64::from(note.nonce).into(),
        result: Fr::from(note.result),
    })
}
