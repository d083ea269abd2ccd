//! The parts of the world: users, notes, deposits, interactions.

use ark_bn254::Fr;
use rand::RngCore;
use rand_chacha::ChaCha20Rng;
use zkwhirl_circuits::{
    Suite,
    bridge::BridgeCallData,
    field,
    notes::{ClaimNotePartial, DefiNote, ValueNote, ValueNotePartial},
};
use zkwhirl_job::{
    Word,
    request::{ClaimNote, DefiInteractionNote},
};

/// A user who owns notes.
#[derive(Debug, Clone)]
pub(super) struct WorldUser {
    pub(super) key: [u8; 32],
    pub(super) public: (Fr, Fr),
    /// The user's address of 160 bits.
    pub(super) address: Fr,
    pub(super) account: Option<UserAccount>,
}

/// A user's registered account.
#[derive(Debug, Clone)]
pub(super) struct UserAccount {
    pub(super) alias: Fr,
    pub(super) signing_key: [u8; 32],
    /// The commitment of the account note that names the signing key.
    pub(super) note: Fr,
    /// Index of the account note in the data tree; `None` until it is settled.
    pub(super) index: Option<u32>,
}

/// A value note of a user.
#[derive(Debug, Clone, Copy)]
pub(super) struct UserNote {
    pub(super) owner: usize,
    pub(super) value: u64,
    pub(super) asset: u32,
    pub(super) partial: ValueNotePartial,
    pub(super) input_nullifier: Fr,
    pub(super) commitment: Fr,
    /// Index of the note in the data tree; 0 until it is settled.
    pub(super) index: u32,
}

/// A deposit into an interaction. Its claim note is in the data tree.
#[derive(Debug, Clone, Copy)]
pub(super) struct Deposit {
    pub(super) owner: usize,
    pub(super) value: u64,
    pub(super) bridge: BridgeCallData,
    /// The partial note of the claim's outputs.
    pub(super) value_partial: ValueNotePartial,
    pub(super) input_nullifier: Fr,
    /// The interaction's nonce, known once a rollup contains the deposit.
    pub(super) nonce: u32,
    pub(super) fee: u64,
    /// Index of the claim note in the data tree.
    pub(super) index: u32,
}

/// A finished interaction with a bridge.
#[derive(Debug, Clone, Copy)]
pub(super) struct BridgeInteraction {
    pub(super) bridge: BridgeCallData,
    pub(super) nonce: u32,
    pub(super) total_input: u64,
    pub(super) total_output_a: u64,
    pub(super) total_output_b: u64,
    pub(super) result: bool,
    /// Index in the defi tree, valid once a rollup has carried the interaction.
    pub(super) index: u32,
}

impl WorldUser {
    pub(super) fn random(suite: Suite, rng: &mut ChaCha20Rng) -> Self {
        let key = private_key(rng);
        let mut address = [0; 32];
        rng.fill_bytes(&mut address[12..]);
        Self {
            key,
            public: suite.owner_key(&key),
            address: field::reduce(&address),
            account: None,
        }
    }

    /// The account and the index of its note; `None` until the note is settled.
    pub(super) fn account_note(&self) -> Option<(&UserAccount, u32)> {
        let account = self.account.as_ref()?;
        account.index.map(|index| (account, index))
    }

    /// Makes a partial value note with a fresh secret. Spending the note needs
    /// the account's signing key if the account is already settled.
    pub(super) fn partial(&self, rng: &mut ChaCha20Rng) -> ValueNotePartial {
        ValueNotePartial {
            secret: random_element(rng),
            owner: self.public,
            account_required: self.account_note().is_some(),
            creator: Fr::from(0u64),
        }
    }
}

impl UserNote {
    /// Builds the note of `value` from its partial note.
    pub(super) fn new(
        suite: Suite,
        owner: usize,
        (value, asset): (u64, u32),
        partial: ValueNotePartial,
        input_nullifier: Fr,
    ) -> Self {
        let note = ValueNote {
            partial: partial.commit(suite),
            value: Fr::from(value),
            asset: Fr::from(asset),
            input_nullifier,
        };
        Self {
            owner,
            value,
            asset,
            partial,
            input_nullifier,
            commitment: note.commit(suite),
            index: 0,
        }
    }
}

impl Deposit {
    /// Returns the published commitment of the depositor: the claim note without nonce and fee.
    pub(super) fn partial(&self, suite: Suite) -> Fr {
        let partial = ClaimNotePartial {
            deposit: Fr::from(self.value),
            bridge: self.bridge.encode(),
            value_note_partial: self.value_partial.commit(suite),
            input_nullifier: self.input_nullifier,
        };
        partial.commit(suite)
    }

    /// Returns the claim note's leaf in the data tree.
    pub(super) fn commitment(&self, suite: Suite) -> Fr {
        suite.claim_note(
            self.partial(suite),
            Fr::from(self.nonce),
            Fr::from(self.fee),
        )
    }

    pub(super) fn wire(&self, suite: Suite) -> ClaimNote {
        ClaimNote {
            deposit_value: self.value.into(),
            bridge_call_data: Word(self.bridge.to_word()),
            defi_interaction_nonce: self.nonce,
            fee: self.fee.into(),
            value_note_partial_commitment: word(&self.value_partial.commit(suite)),
            input_nullifier: word(&self.input_nullifier),
        }
    }
}

impl BridgeInteraction {
    /// Returns the note's leaf in the defi tree.
    pub(super) fn commitment(&self, suite: Suite) -> Fr {
        let note = DefiNote {
            bridge: self.bridge.encode(),
            total_input: Fr::from(self.total_input),
            total_output_a: Fr::from(self.total_output_a),
            total_output_b: Fr::from(self.total_output_b),
            nonce: Fr::from(self.nonce),
            result: Fr::from(self.result),
        };
        note.commit(suite)
    }

    /// Returns a deposit's share of both outputs.
    pub(super) fn shares(&self, deposit: u64) -> (u64, u64) {
        let share = |total: u64| {
            let share = u128::from(deposit) * u128::from(total) / u128::from(self.total_input);
            u64::try_from(share).expect("a deposit is at most the total input")
        };
        (share(self.total_output_a), share(self.total_output_b))
    }

    pub(super) fn wire(&self) -> DefiInteractionNote {
        DefiInteractionNote {
            bridge_call_data: Word(self.bridge.to_word()),
            total_input_value: self.total_input.into(),
            total_output_value_a: self.total_output_a.into(),
            total_output_value_b: self.total_output_b.into(),
            nonce: self.nonce,
            result: self.result,
        }
    }
}

/// Converts a field element to a request's word.
pub(super) fn word(value: &Fr) -> Word {
    Word(field::to_word(value))
}

/// Returns a private key below both group orders, so that its reduction is the same number.
pub(super) fn private_key(rng: &mut ChaCha20Rng) -> [u8; 32] {
    let mut key = [0; 32];
    rng.fill_bytes(&mut key[1..]);
    key
}

/// Returns a random element; the bias of the reduction does not matter here.
pub(super) fn random_element(rng: &mut ChaCha20Rng) -> Fr {
    let mut bytes = [0; 32];
    rng.fill_bytes(&mut bytes);
    field::reduce(&bytes)
}
