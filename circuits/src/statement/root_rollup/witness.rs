//! The values of a root rollup.

use ark_bn254::Fr;
use ark_ff::AdditiveGroup;
use zkwhirl_job::request::RootRollupRequest;

use super::Interaction;
use super::size::{INTERACTIONS, RootSize};
use crate::error::{PublishedError, StatementError};
use crate::field;
use crate::notes::DefiNote;
use crate::published::{ASSETS, BRIDGES, FIELDS_PER_TX, TX_ROLLUP_HEADER, check_tx_words};
use crate::rule::Rule;
use crate::statement::request::{defi_note, element, list, siblings};
use crate::tree::{DEFI_DEPTH, ROOTS_DEPTH};

/// All values of a root rollup, whether or not they follow the rules.
#[derive(Clone, Debug, Default)]
#[expect(missing_docs, reason = "the names are those of the request's fields")]
pub struct RootRollupWitness {
    pub rollup_id: Fr,
    /// The real inner rollups.
    pub inners: Vec<InnerFields>,
    pub old_data_roots_root: Fr,
    pub new_data_roots_root: Fr,
    /// 28 siblings of the new data root's place.
    pub data_roots_siblings: Vec<Fr>,
    pub old_defi_root: Fr,
    pub new_defi_root: Fr,
    /// 30 siblings; those inside the inserted subtree are ignored.
    pub defi_siblings: Vec<Fr>,
    /// At most 32.
    pub bridges: Vec<Fr>,
    /// At most 16.
    pub assets: Vec<Fr>,
    /// At most 32.
    pub interactions: Vec<DefiNote>,
    pub beneficiary: Fr,
}

/// The published words of an inner rollup.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct InnerFields {
    /// The 108 fields before the txs.
    pub header: [Fr; TX_ROLLUP_HEADER],
    /// Eight fields for each slot.
    pub txs: Vec<Fr>,
}

impl RootRollupWitness {
    /// Takes a request's values. Of the inner proofs it reads the published words
    /// alone. Checks counts, lengths, canonical words and what the inner rollups'
    /// circuit leaves to a verifier of published words.
    pub fn new(request: &RootRollupRequest, size: RootSize) -> Result<Self, StatementError> {
        let n = request.inner_proofs.len();
        if n == 0 || n > size.inners as usize {
            return Err(Rule::InnerCount.into());
        }
        if request.defi_interaction_notes.len() > INTERACTIONS {
            return Err(Rule::InteractionCount.into());
        }
        let interactions = request.defi_interaction_notes.iter().map(defi_note);
        let root_index = u64::from(request.rollup_id) + 1;
        let defi_index = u64::from(request.rollup_id) * INTERACTIONS as u64;
        let roots_path = &request.old_data_roots_path;
        let inners = request.inner_proofs.iter().enumerate();
        Ok(Self {
            rollup_id: u64::from(request.rollup_id).into(),
            inners: inners
                .map(|(at, reply)| InnerFields::of_reply(at, reply, size))
                .collect::<Result<_, _>>()?,
            old_data_roots_root: element(&request.old_data_roots_root, "old data roots root")?,
            new_data_roots_root: element(&request.new_data_roots_root, "new data roots root")?,
            data_roots_siblings: siblings(
                roots_path,
                root_index.into(),
                "old data roots path",
                ROOTS_DEPTH,
            )?,
            old_defi_root: element(&request.old_defi_root, "old defi root")?,
            new_defi_root: element(&request.new_defi_root, "new defi root")?,
            defi_siblings: siblings(
                &request.old_defi_path,
                defi_index.into(),
                "old defi path",
                DEFI_DEPTH,
            )?,
            bridges: list(
                &request.bridge_call_datas,
                "bridge call data",
                BRIDGES,
                Rule::Bridges,
            )?,
            assets: list(&request.asset_ids, "asset id", ASSETS, Rule::Assets)?,
            interactions: interactions.collect::<Result<_, _>>()?,
            beneficiary: element(&request.rollup_beneficiary, "rollup beneficiary")?,
        })
    }

    /// The words of all interaction notes, filled up with zeros.
    pub(super) fn interaction_words(&self) -> Vec<Interaction> {
        let mut words: Vec<Interaction> = self.interactions.iter().map(interaction_words).collect();
        words.resize(INTERACTIONS, [Fr::ZERO; 6]);
        words
    }
}

/// The words of an interaction note in the order of its commitment.
pub(super) fn interaction_words(note: &DefiNote) -> Interaction {
    [
        note.bridge,
        note.total_input,
        note.total_output_a,
        note.total_output_b,
        note.nonce,
        note.result,
    ]
}

impl InnerFields {
    /// Reads inner rollup number `at` from its published words, and checks
    /// what its circuit leaves to the verifier of words: that they are
    /// canonical, the range of bridge call datas, the inputs hash.
    pub(super) fn read(
        at: usize,
        header: &[[u8; 32]],
        txs: &[[u8; 32]],
    ) -> Result<Self, StatementError> {
        let bad = |problem| StatementError::Inner { at, problem };
        let read = |words: &[[u8; 32]], first: usize| {
            let error = |place| bad(PublishedError::NotCanonical(first + place));
            field::from_words(words).map_err(error)
        };
        let (got, expected) = (header.len(), TX_ROLLUP_HEADER);
        let header: [Fr; TX_ROLLUP_HEADER] = read(header, 0)?
            .try_into()
            .map_err(|_| bad(PublishedError::Count { got, expected }))?;
        let txs = read(txs, TX_ROLLUP_HEADER)?;
        check_tx_words(&header, &txs).map_err(bad)?;
        Ok(Self { header, txs })
    }

    /// Reads the published words at the start of an inner rollup's reply.
    fn of_reply(at: usize, reply: &[u8], size: RootSize) -> Result<Self, StatementError> {
        let expected = TX_ROLLUP_HEADER + FIELDS_PER_TX * size.slots as usize;
        let (words, _) = reply.as_chunks::<32>();
        let got = words.len();
        let words = words.get(..expected).ok_or(StatementError::Inner {
            at,
            problem: PublishedError::Count { got, expected },
        })?;
        let (header, txs) = words.split_at(TX_ROLLUP_HEADER);
        Self::read(at, header, txs)
    }
}
