//! What a root rollup is proved from.

use ark_bn254::Fr;
use ark_ff::AdditiveGroup;
use zkwhirl_job::Word;
use zkwhirl_job::request::{DefiInteractionNote, RootRollupRequest};

use super::{DEFI_DEPTH, INTERACTIONS, Interaction, RootSize};
use crate::claim::{element, siblings};
use crate::error::{Rule, StatementError};
use crate::field;
use crate::notes::DefiNote;
use crate::published::{
    ASSETS, BRIDGES, FIELDS_PER_TX, ROLLUP_BRIDGE_BITS, TX_ROLLUP_HEADER, inputs_hash, place,
};
use crate::tx_rollup::ROOTS_DEPTH;

/// All values of a root rollup, whether or not they follow the rules.
#[derive(Clone, Debug)]
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
    /// Takes a request's values; of the inner proofs only the published words,
    /// whatever stands behind them. Checks counts, lengths, canonical words
    /// and what the inner rollups' circuit leaves to the verifier of words.
    pub fn new(request: &RootRollupRequest, size: RootSize) -> Result<Self, StatementError> {
        let n = request.inner_proofs.len();
        if n == 0 || n > size.inners as usize {
            return Err(Rule::InnerCount.into());
        }
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
            interactions: interactions(&request.defi_interaction_notes)?,
            beneficiary: element(&request.rollup_beneficiary, "rollup beneficiary")?,
        })
    }

    /// A witness without inner rollups, for building matrices.
    pub(crate) fn blank() -> Self {
        Self {
            rollup_id: Fr::ZERO,
            inners: Vec::new(),
            old_data_roots_root: Fr::ZERO,
            new_data_roots_root: Fr::ZERO,
            data_roots_siblings: vec![Fr::ZERO; ROOTS_DEPTH],
            old_defi_root: Fr::ZERO,
            new_defi_root: Fr::ZERO,
            defi_siblings: vec![Fr::ZERO; DEFI_DEPTH],
            bridges: Vec::new(),
            assets: Vec::new(),
            interactions: Vec::new(),
            beneficiary: Fr::ZERO,
        }
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
    pub(crate) fn read(
        at: usize,
        header: &[[u8; 32]],
        txs: &[[u8; 32]],
    ) -> Result<Self, StatementError> {
        let bad = |problem: String| StatementError::Inner { at, problem };
        let element = |(place, word)| {
            field::from_word(word)
                .ok_or_else(|| bad(format!("published field {place} is not canonical")))
        };
        let header: Vec<Fr> = header
            .iter()
            .enumerate()
            .map(element)
            .collect::<Result<_, _>>()?;
        let txs: Vec<Fr> = txs
            .iter()
            .enumerate()
            .map(|(place, word)| element((TX_ROLLUP_HEADER + place, word)))
            .collect::<Result<_, _>>()?;
        let header: [Fr; TX_ROLLUP_HEADER] = header.try_into().map_err(|header: Vec<Fr>| {
            let got = header.len();
            bad(format!("{got} header words, expected {TX_ROLLUP_HEADER}"))
        })?;
        let mut bridges = place::BRIDGES..place::BRIDGES + BRIDGES;
        if let Some(wide) = bridges.find(|k| !field::fits(&header[*k], ROLLUP_BRIDGE_BITS)) {
            return Err(bad(format!("published field {wide} is out of range")));
        }
        if inputs_hash(&txs) != header[place::INPUTS_HASH] {
            return Err(bad(
                "inputs hash is not the SHA-256 of the published txs".to_owned()
            ));
        }
        Ok(Self { header, txs })
    }

    /// Reads the published words at the start of an inner rollup's reply.
    fn of_reply(at: usize, reply: &[u8], size: RootSize) -> Result<Self, StatementError> {
        let count = TX_ROLLUP_HEADER + FIELDS_PER_TX * size.slots as usize;
        let Some(bytes) = reply.get(..32 * count) else {
            let problem = format!(
                "its reply has {} bytes, its {count} published fields alone are {}",
                reply.len(),
                32 * count
            );
            return Err(StatementError::Inner { at, problem });
        };
        let (words, _) = bytes.as_chunks::<32>();
        let (header, txs) = words.split_at(TX_ROLLUP_HEADER);
        Self::read(at, header, txs)
    }
}

fn interactions(notes: &[DefiInteractionNote]) -> Result<Vec<DefiNote>, StatementError> {
    if notes.len() > INTERACTIONS {
        return Err(Rule::InteractionCount.into());
    }
    let note = |note: &DefiInteractionNote| {
        Ok(DefiNote {
            bridge: element(&note.bridge_call_data, "interaction bridge call data")?,
            total_input: element(&note.total_input_value, "total input value")?,
            total_output_a: element(&note.total_output_value_a, "total output value a")?,
            total_output_b: element(&note.total_output_value_b, "total output value b")?,
            nonce: u64::from(note.nonce).into(),
            result: Fr::from(note.result),
        })
    };
    notes.iter().map(note).collect()
}

fn list(words: &[Word], what: &str, most: usize, rule: Rule) -> Result<Vec<Fr>, StatementError> {
    if words.len() > most {
        return Err(rule.into());
    }
    words.iter().map(|word| element(word, what)).collect()
}
