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

/// An owner of notes.
#[derive(Debug, Clone)]
pub(super) struct WorldUser {
    pub(super) key: [u8; 32],
    pub(super) public: (Fr, Fr),
    /// An address of 160 bits.
    pub(super) address: Fr,
    pub(super) account: Option<UserAccount>,
}

/// A user's registered account.
#[derive(Debug, Clone)]
pub(super) struct UserAccount {
    pub(super) alias: Fr,
    pub(super) signing_key: [u8; 32],
    /// The account note that names the signing key.
    pub(super) note: Fr,
    /// Its place in the data tree, once it is settled.
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
    /// Its place in the data tree; 0 until it is settled.
    pub(super) index: u32,
}

/// A deposit into an interaction; its claim note is in the data tree.
#[derive(Debug, Clone, Copy)]
pub(super) struct Deposit {
    pub(super) owner: usize,
    pub(super) value: u64,
    pub(super) bridge: BridgeCallData,
    /// The partial note of the claim's outputs.
    pub(super) value_partial: ValueNotePartial,
    pub(super) input_nullifier: Fr,
    /// Known once a rollup has taken the deposit.
    pub(super) nonce: u32,
    pub(super) fee: u64,
    /// The claim note's place in the data tree.
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
    /// Its place in the defi tree, once a rollup has carried it there.
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

    /// The account and the place of its note, once that is settled.
    pub(super) fn account_note(&self) -> Option<(&UserAccount, u32)> {
        let account = self.account.as_ref()?;
        account.index.map(|index| (account, index))
    }

    /// A partial value note with a fresh secret. It needs the account's
    /// signing key as soon as that can be used.
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
    /// The note of `value` that `partial` belongs to.
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
    /// The depositor's published commitment: the claim note without nonce and fee.
    pub(super) fn partial(&self, suite: Suite) -> Fr {
        let partial = ClaimNotePartial {
            deposit: Fr::from(self.value),
            bridge: self.bridge.encode(),
            value_note_partial: self.value_partial.commit(suite),
            input_nullifier: self.input_nullifier,
        };
        partial.commit(suite)
    }

    /// The claim note's leaf in the data tree.
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
    /// The note's leaf in the defi tree.
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

    /// A deposit's share of both outputs.
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

/// A field element as a request's word.
pub(super) fn word(value: &Fr) -> Word {
    Word(field::to_word(value))
}

/// A private key below both group orders, so that it is its own reduction.
pub(super) fn private_key(rng: &mut ChaCha20Rng) -> [u8; 32] {
    let mut key = [0; 32];
    rng.fill_bytes(&mut key[1..]);
    key
}

/// A random element; the bias of the reduction does not matter here.
pub(super) fn random_element(rng: &mut ChaCha20Rng) -> Fr {
    let mut bytes = [0; 32];
    rng.fill_bytes(&mut bytes);
    field::reduce(&bytes)
}
