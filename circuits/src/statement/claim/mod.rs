//! The claim statement: it pays a deposit's share of a finished defi interaction.

mod circuit;
mod rules;

#[cfg(test)]
mod tests;

use ark_bn254::Fr;
use zkwhirl_job::request::ClaimRequest;

use crate::error::StatementError;
use crate::notes::{ClaimNotePartial, DefiNote};
use crate::statement::request::{defi_note, element, siblings};
use crate::suite::Suite;
use crate::tree::{self, DATA_DEPTH, DEFI_DEPTH};

pub use circuit::check;
pub use rules::published;

/// The claim statement; it has only one size.
#[derive(Clone, Copy)]
pub(crate) struct Claim;

/// All values of a claim, whether or not they follow the rules.
#[derive(Clone, Debug, Default)]
#[expect(missing_docs, reason = "the names are those of the request's fields")]
pub struct ClaimWitness {
    pub data_root: Fr,
    pub defi_root: Fr,
    pub claim_index: Fr,
    /// The siblings of the claim note, leaf level first.
    pub claim_siblings: [Fr; DATA_DEPTH],
    pub claim: ClaimNotePartial,
    pub nonce: Fr,
    pub fee: Fr,
    pub defi_index: Fr,
    /// The siblings of the interaction note, leaf level first.
    pub defi_siblings: [Fr; DEFI_DEPTH],
    pub defi: DefiNote,
    pub output_a: Fr,
    pub output_b: Fr,
}

impl ClaimWitness {
    /// Reads a request's values; checks only lengths and canonical words.
    pub fn new(request: &ClaimRequest) -> Result<Self, StatementError> {
        let note = &request.claim_note;
        let claim_index = u64::from(request.claim_note_index);
        let defi_index = u64::from(request.defi_note_index);
        let (claim_path, defi_path) = (&request.claim_note_path, &request.defi_note_path);
        Ok(Self {
            data_root: element(&request.data_root, "data root")?,
            defi_root: element(&request.defi_root, "defi root")?,
            claim_index: claim_index.into(),
            claim_siblings: siblings(claim_path, claim_index.into(), "claim note path")?,
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
            defi_siblings: siblings(defi_path, defi_index.into(), "defi note path")?,
            defi: defi_note(&request.defi_note)?,
            output_a: element(&request.output_value_a, "output value a")?,
            output_b: element(&request.output_value_b, "output value b")?,
        })
    }

    /// Returns the claim with its roots recomputed by a suite's hashes.
    #[cfg(test)]
    pub(crate) fn refolded(mut self, suite: Suite) -> Self {
        self.data_root = self.folded_data_root(suite);
        self.defi_root = self.folded_defi_root(suite);
        self
    }

    /// Returns the claim note's commitment.
    pub(crate) fn claim_note(&self, suite: Suite) -> Fr {
        suite.claim_note(self.claim.commit(suite), self.nonce, self.fee)
    }

    /// Returns the data root that the path leads to from the claim note.
    pub(crate) fn folded_data_root(&self, suite: Suite) -> Fr {
        let (leaf, index) = (self.claim_note(suite), self.claim_index.into());
        tree::fold(suite, leaf, &self.claim_siblings, index, 0)
    }

    /// Returns the defi root that the path leads to from the interaction note.
    pub(crate) fn folded_defi_root(&self, suite: Suite) -> Fr {
        let (leaf, index) = (self.defi.commit(suite), self.defi_index.into());
        tree::fold(suite, leaf, &self.defi_siblings, index, 0)
    }
}
