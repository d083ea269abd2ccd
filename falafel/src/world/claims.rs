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
    /// The claim's request.
    pub request: ClaimRequest,
    /// The 16 fields that an honest reply publishes.
    pub published: Vec<Word>,
}

impl World {
    /// Builds the claim of a deposit and its published fields.
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

    /// Builds the transaction of a proved claim.
    pub(super) fn claim_tx(&self, deposit: &Deposit, interaction: &BridgeInteraction) -> Tx {
        let claim = deposit.commitment(self.suite);
        let nullifiers = [
            self.suite.claim_nullifier(claim),
            self.suite
                .defi_nullifier(interaction.commitment(self.suite), claim),
        ];
        let notes = self.paid_out(deposit, interaction, nullifiers);
        let commitment = |note: &Option<UserNote>| note.map_or(Fr::from(0u64), |n| n.commitment);
        let mut tx = Tx::new(6, self.next_rollup, self.trees.data.root());
        let f = &mut tx.fields;
        f[field::NOTE_COMMITMENT1] = commitment(&notes[0]);
        f[field::NOTE_COMMITMENT2] = commitment(&notes[1]);
        f[field::NULLIFIER1] = nullifiers[0];
        f[field::NULLIFIER2] = nullifiers[1];
        f[field::TX_FEE] = Fr::from(deposit.fee);
        f[field::TX_FEE_ASSET_ID] = Fr::from(deposit.bridge.input_a);
        f[field::BRIDGE_CALL_DATA] = deposit.bridge.encode();
        f[field::DEFI_ROOT] = self.trees.defi.root();
        tx.notes = notes;
        tx
    }

    /// Returns the notes that a claim pays out: the outputs after a success,
    /// the inputs after a failure.
    fn paid_out(
        &self,
        deposit: &Deposit,
        interaction: &BridgeInteraction,
        nullifiers: [Fr; 2],
    ) -> [Option<UserNote>; 2] {
        let (bridge, value) = (&deposit.bridge, deposit.value);
        let (a, b) = interaction.shares(value);
        let asset = |id| match BridgeCallData::is_virtual(id) {
            true => VIRTUAL + interaction.nonce,
            false => id,
        };
        let (amounts, second_used) = match interaction.result {
            true => (
                [(a, asset(bridge.output_a)), (b, asset(bridge.output_b))],
                bridge.second_output,
            ),
            false => (
                [(value, bridge.input_a), (value, bridge.input_b)],
                bridge.second_input,
            ),
        };
        let (owner, partial) = (deposit.owner, deposit.value_partial);
        let note = |place: usize| {
            let (amount, nullifier) = (amounts[place], nullifiers[place]);
            UserNote::new(self.suite, owner, amount, partial, nullifier)
        };
        [Some(note(0)), second_used.then(|| note(1))]
    }
}
