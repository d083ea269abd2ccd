//! What a claim is proved from.

use ark_bn254::Fr;
use zkwhirl_job::Word;
use zkwhirl_job::request::{ClaimRequest, MerklePath};

use crate::error::{StatementError, expect_length};
use crate::field;
use crate::notes::{ClaimNotePartial, DefiNote};
use crate::suite::Suite;
use crate::tree::{self, LeafIndex};

/// Levels of the data tree.
pub(crate) const DATA_DEPTH: usize = 32;
/// Levels of the defi tree.
pub(crate) const DEFI_DEPTH: usize = 30;

/// All values of a claim, whether or not they follow the rules.
#[derive(Clone, Debug)]
#[expect(missing_docs, reason = "the names are those of the request's fields")]
pub struct ClaimWitness {
    pub data_root: Fr,
    pub defi_root: Fr,
    pub claim_index: Fr,
    /// 32 siblings, leaf level first.
    pub claim_siblings: Vec<Fr>,
    pub claim: ClaimNotePartial,
    pub nonce: Fr,
    pub fee: Fr,
    pub defi_index: Fr,
    /// 30 siblings, leaf level first.
    pub defi_siblings: Vec<Fr>,
    pub defi: DefiNote,
    pub output_a: Fr,
    pub output_b: Fr,
}

/// Reads a word that must be canonical.
pub(crate) fn element(word: &Word, what: &str) -> Result<Fr, StatementError> {
    field::from_word(&word.0).ok_or_else(|| StatementError::NotCanonical(what.to_owned()))
}

/// The siblings of a request's path.
pub(crate) fn siblings(
    path: &MerklePath,
    index: LeafIndex,
    what: &'static str,
    depth: usize,
) -> Result<Vec<Fr>, StatementError> {
    expect_length(what, path.depth(), depth)?;
    let side = |(level, (left, right))| if index.bit(level) { left } else { right };
    let siblings = path.pairs().enumerate().map(side);
    siblings.map(|word| element(&word, what)).collect()
}

impl ClaimWitness {
    /// Takes a request's values; checks lengths and canonical words only.
    pub fn new(request: &ClaimRequest) -> Result<Self, StatementError> {
        let (note, defi) = (&request.claim_note, &request.defi_note);
        let claim_index = u64::from(request.claim_note_index);
        let defi_index = u64::from(request.defi_note_index);
        let claim_path = &request.claim_note_path;
        let defi_path = &request.defi_note_path;
        Ok(Self {
            data_root: element(&request.data_root, "data root")?,
            defi_root: element(&request.defi_root, "defi root")?,
            claim_index: claim_index.into(),
            claim_siblings: siblings(
                claim_path,
                claim_index.into(),
                "claim note path",
                DATA_DEPTH,
            )?,
            claim: ClaimNotePartial {
                deposit: element(&note.deposit_value, "deposit value")?,
                bridge: element(&note.bridge_call_data, "claim note bridge call data")?,
                value_note_partial: element(
                    &note.value_note_partial_commitment,
                    "value note partial commitment",
                )?,
                input_nullifier: element(&note.input_nullifier, "input nullifier")?,
            },
            nonce: u64::from(note.defi_interaction_nonce).into(),
            fee: element(&note.fee, "fee")?,
            defi_index: defi_index.into(),
            defi_siblings: siblings(defi_path, defi_index.into(), "defi note path", DEFI_DEPTH)?,
            defi: DefiNote {
                bridge: element(&defi.bridge_call_data, "interaction bridge call data")?,
                total_input: element(&defi.total_input_value, "total input value")?,
                total_output_a: element(&defi.total_output_value_a, "total output value a")?,
                total_output_b: element(&defi.total_output_value_b, "total output value b")?,
                nonce: u64::from(defi.nonce).into(),
                result: Fr::from(defi.result),
            },
            output_a: element(&request.output_value_a, "output value a")?,
            output_b: element(&request.output_value_b, "output value b")?,
        })
    }

    /// A witness of zeros, for building matrices.
    pub(crate) fn blank() -> Self {
        let zero = Fr::from(0u64);
        Self {
            data_root: zero,
            defi_root: zero,
            claim_index: zero,
            claim_siblings: vec![zero; DATA_DEPTH],
            claim: ClaimNotePartial {
                deposit: zero,
                bridge: zero,
                value_note_partial: zero,
                input_nullifier: zero,
            },
            nonce: zero,
            fee: zero,
            defi_index: zero,
            defi_siblings: vec![zero; DEFI_DEPTH],
            defi: DefiNote {
                bridge: zero,
                total_input: zero,
                total_output_a: zero,
                total_output_b: zero,
                nonce: zero,
                result: zero,
            },
            output_a: zero,
            output_b: zero,
        }
    }

    /// The claim note's commitment.
    pub fn claim_note(&self, suite: Suite) -> Fr {
        suite.claim_note(self.claim.commit(suite), self.nonce, self.fee)
    }

    /// The data root that the path leads to from the claim note.
    pub fn folded_data_root(&self, suite: Suite) -> Fr {
        let (leaf, index) = (self.claim_note(suite), self.claim_index.into());
        tree::fold(suite, leaf, &self.claim_siblings, index, 0)
    }

    /// The defi root that the path leads to from the interaction note.
    pub fn folded_defi_root(&self, suite: Suite) -> Fr {
        let (leaf, index) = (self.defi.commit(suite), self.defi_index.into());
        tree::fold(suite, leaf, &self.defi_siblings, index, 0)
    }
}
