//! The values of a root rollup.

use ark_bn254::Fr;
use ark_ff::AdditiveGroup;
use zkwhirl_job::request::RootRollupRequest;

use super::{INTERACTION_WORDS, INTERACTIONS, Interaction, RootSize};
use crate::error::{CountError, PublishedError, StatementError};
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
    /// The siblings of the new data root's leaf.
    pub data_roots_siblings: [Fr; ROOTS_DEPTH],
    pub old_defi_root: Fr,
    pub new_defi_root: Fr,
    /// The siblings of the interaction notes; those inside the inserted subtree are ignored.
    pub defi_siblings: [Fr; DEFI_DEPTH],
    /// The bridge call datas, at most 32.
    pub bridges: Vec<Fr>,
    /// The fee assets, at most 16.
    pub assets: Vec<Fr>,
    /// The interaction notes, at most 32.
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
    /// Reads a request's values; of the inner proofs it reads only the
    /// published words. Checks counts, lengths, canonical words and what the
    /// inner rollups' circuit leaves to a verifier of published words.
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
        let (roots_path, defi_path) = (&request.old_data_roots_path, &request.old_defi_path);
        let (bridges, assets) = (&request.bridge_call_datas, &request.asset_ids);
        let inners = request.inner_proofs.iter().enumerate();
        let inners = inners.map(|(at, reply)| {
            let inner = InnerFields::of_reply(reply, size);
            inner.map_err(|problem| StatementError::Inner { at, problem })
        });
        Ok(Self {
            rollup_id: u64::from(request.rollup_id).into(),
            inners: inners.collect::<Result<_, _>>()?,
            old_data_roots_root: element(&request.old_data_roots_root, "old data roots root")?,
            new_data_roots_root: element(&request.new_data_roots_root, "new data roots root")?,
            data_roots_siblings: siblings(roots_path, root_index.into(), "old data roots path")?,
            old_defi_root: element(&request.old_defi_root, "old defi root")?,
            new_defi_root: element(&request.new_defi_root, "new defi root")?,
            defi_siblings: siblings(defi_path, defi_index.into(), "old defi path")?,
            bridges: list(bridges, "bridge call data", BRIDGES, Rule::Bridges)?,
            assets: list(assets, "asset id", ASSETS, Rule::Assets)?,
            interactions: interactions.collect::<Result<_, _>>()?,
            beneficiary: element(&request.rollup_beneficiary, "rollup beneficiary")?,
        })
    }

    /// Returns the words of all interaction notes, filled up with zeros.
    pub(super) fn interaction_words(&self) -> Vec<Interaction> {
        let mut words: Vec<Interaction> = self.interactions.iter().map(DefiNote::words).collect();
        words.resize(INTERACTIONS, [Fr::ZERO; INTERACTION_WORDS]);
        words
    }
}

impl InnerFields {
    /// Reads an inner rollup from its published words, and checks what its
    /// circuit leaves to the verifier of words: canonical words, the range of
    /// bridge call datas, and the inputs hash.
    pub(super) fn read(header: &[[u8; 32]], txs: &[[u8; 32]]) -> Result<Self, PublishedError> {
        CountError::check("published fields", header.len(), TX_ROLLUP_HEADER)?;
        let words = [header, txs].concat();
        let mut header = field::from_words(&words).map_err(PublishedError::NotCanonical)?;
        let txs = header.split_off(TX_ROLLUP_HEADER);
        check_tx_words(&header, &txs)?;
        let header = header.try_into().expect("the number of fields was checked");
        Ok(Self { header, txs })
    }

    /// Reads the published words at the start of an inner rollup's reply.
    fn of_reply(reply: &[u8], size: RootSize) -> Result<Self, PublishedError> {
        let expected = TX_ROLLUP_HEADER + FIELDS_PER_TX * size.slots as usize;
        let (words, _) = reply.as_chunks::<32>();
        CountError::check("published fields", words.len().min(expected), expected)?;
        let (header, txs) = words[..expected].split_at(TX_ROLLUP_HEADER);
        Self::read(header, txs)
    }
}
