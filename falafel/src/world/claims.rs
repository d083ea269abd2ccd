//! Claims of finished interactions.

use ark_bn254::Fr;
use zkwhirl_circuits::bridge::BridgeCallData;
use zkwhirl_job::{
    Word,
    request::{ClaimRequest, field},
};

use super::{
    World,
    bridges::VIRTUAL,
    inner::path,
    parts::{BridgeInteraction, Deposit, UserNote, word},
    tx::Tx,
};

/// A claim to prove.
#[derive(Debug, Clone)]
pub struct ClaimJob {
    /// What to prove.
    pub request: ClaimRequest,
    /// The 16 fields that an honest reply publishes.
    pub published: Vec<Word>,
}

/// The values and notes that a claim pays out.
struct Payout {
    nullifiers: [Fr; 2],
    notes: [Option<UserNote>; 2],
}

impl World {
    /// The claim of a deposit as a request.
    pub(super) fn claim(&self, deposit: &Deposit, interaction: &BridgeInteraction) -> ClaimJob {
        let (a, b) = interaction.shares(deposit.value);
        let request = ClaimRequest {
            data_root: word(&self.trees.data.root()),
            defi_root: word(&self.trees.defi.root()),
            claim_note_index: deposit.index,
            claim_note_path: path(&self.trees.data, u64::from(deposit.index).into()),
            claim_note: deposit.wire(self.suite),
            defi_note_index: interaction.index,
            defi_note_path: path(&self.trees.defi, u64::from(interaction.index).into()),
            defi_note: interaction.wire(),
            output_value_a: a.into(),
            output_value_b: b.into(),
        };
        let tx = self.claim_tx(deposit, interaction);
        ClaimJob {
            request,
            published: tx.fields.iter().map(word).collect(),
        }
    }

    /// The transaction that a proved claim becomes.
    pub(super) fn claim_tx(&self, deposit: &Deposit, interaction: &BridgeInteraction) -> Tx {
        let payout = self.payout(deposit, interaction);
        let commitment = |note: &Option<UserNote>| note.map_or(Fr::from(0u64), |n| n.commitment);
        let mut tx = Tx::new(6, self.next_rollup, self.trees.data.root());
        let f = &mut tx.fields;
        f[field::NOTE_COMMITMENT1] = commitment(&payout.notes[0]);
        f[field::NOTE_COMMITMENT2] = commitment(&payout.notes[1]);
        f[field::NULLIFIER1] = payout.nullifiers[0];
        f[field::NULLIFIER2] = payout.nullifiers[1];
        f[field::TX_FEE] = Fr::from(deposit.fee);
        f[field::TX_FEE_ASSET_ID] = Fr::from(deposit.bridge.input_a);
        f[field::BRIDGE_CALL_DATA] = deposit.bridge.encode();
        f[field::DEFI_ROOT] = self.trees.defi.root();
        tx.notes = payout.notes;
        tx
    }

    fn payout(&self, deposit: &Deposit, interaction: &BridgeInteraction) -> Payout {
        let (suite, bridge) = (self.suite, &deposit.bridge);
        let claim = deposit.commitment(suite);
        let nullifiers = [
            suite.claim_nullifier(claim),
            suite.defi_nullifier(interaction.commitment(suite), claim),
        ];
        let (a, b) = interaction.shares(deposit.value);
        // Success pays the outputs, failure pays the inputs back.
        let (first, second, second_used) = if interaction.result {
            let asset = |id| output_asset(id, interaction.nonce);
            (
                (a, asset(bridge.output_a)),
                (b, asset(bridge.output_b)),
                bridge.second_output,
            )
        } else {
            let value = deposit.value;
            (
                (value, bridge.input_a),
                (value, bridge.input_b),
                bridge.second_input,
            )
        };
        let note = |amount, nullifier| {
            UserNote::new(
                suite,
                deposit.owner,
                amount,
                deposit.value_partial,
                nullifier,
            )
        };
        Payout {
            nullifiers,
            notes: [
                Some(note(first, nullifiers[0])),
                second_used.then(|| note(second, nullifiers[1])),
            ],
        }
    }
}

fn output_asset(id: u32, nonce: u32) -> u32 {
    if BridgeCallData::is_virtual(id) {
        VIRTUAL + nonce
    } else {
        id
    }
}
