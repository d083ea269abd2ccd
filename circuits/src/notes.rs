//! Notes and nullifiers in both suites.
//!
//! The poseidon suite differs in three ways: owner keys are points of Baby
//! Jubjub; the nullifier key is a hash of the private key (a curve point would
//! need a second independent generator); the value nullifier is the hash
//! itself, without BLAKE2s.

use ark_bn254::Fr;
use ark_ec::{AffineRepr, CurveGroup};
use ark_ff::{AdditiveGroup, PrimeField};
use blake2::{Blake2s256, Digest};

use crate::field;
use crate::pedersen;
use crate::schnorr::PrivateKey;
use crate::suite::{HashIndex, Suite};

/// Length of deposits and fees in bits.
pub(crate) const DEPOSIT_BITS: usize = 242;

/// The part of a value note that its creator fixes before the value is known.
#[derive(Clone, Copy, Debug, Default)]
pub struct ValueNotePartial {
    /// A random number that hides the note.
    pub secret: Fr,
    /// The owner's public key.
    pub owner: (Fr, Fr),
    /// Whether spending the note needs a registered account's signing key.
    pub account_required: bool,
    /// x-coordinate of the creator's key, or zero.
    pub creator: Fr,
}

/// A value note.
#[derive(Clone, Copy, Debug, Default)]
pub struct ValueNote {
    /// The commitment to the note's [`ValueNotePartial`].
    pub partial: Fr,
    /// The note's amount.
    pub value: Fr,
    /// The note's asset id.
    pub asset: Fr,
    /// The nullifier that makes this note unique.
    pub input_nullifier: Fr,
}

/// A claim note before its interaction is known.
#[derive(Clone, Copy, Debug, Default)]
pub struct ClaimNotePartial {
    /// The deposited amount.
    pub deposit: Fr,
    /// Packed bridge call data.
    pub bridge: Fr,
    /// Partial commitment of the notes that the claim will create.
    pub value_note_partial: Fr,
    /// The nullifier that makes this note unique.
    pub input_nullifier: Fr,
}

/// The note of a finished defi interaction.
#[derive(Clone, Copy, Debug, Default)]
pub struct DefiNote {
    /// Packed bridge call data.
    pub bridge: Fr,
    /// Sum of all deposits.
    pub total_input: Fr,
    /// The bridge's output of the first output asset.
    pub total_output_a: Fr,
    /// The bridge's output of the second output asset.
    pub total_output_b: Fr,
    /// The interaction's nonce.
    pub nonce: Fr,
    /// 1 if the interaction succeeded, 0 if it failed.
    pub result: Fr,
}

impl ValueNotePartial {
    /// Returns the commitment to these fields.
    pub fn commit(&self, suite: Suite) -> Fr {
        let (x, y) = self.owner;
        let required = Fr::from(self.account_required);
        let fields = [self.secret, x, y, required, self.creator];
        suite.hash(HashIndex::ValueNotePartial, &fields)
    }
}

impl ValueNote {
    /// Returns the commitment that enters the data tree.
    pub fn commit(&self, suite: Suite) -> Fr {
        let fields = [self.partial, self.value, self.asset, self.input_nullifier];
        suite.hash(HashIndex::ValueNote, &fields)
    }
}

impl ClaimNotePartial {
    /// Returns the commitment that a defi deposit publishes.
    pub fn commit(&self, suite: Suite) -> Fr {
        let (partial, nullifier) = (self.value_note_partial, self.input_nullifier);
        let fields = [self.deposit, self.bridge, partial, nullifier];
        suite.hash(HashIndex::ClaimNotePartial, &fields)
    }
}

impl DefiNote {
    /// Returns the words of the note in the order of its commitment.
    pub(crate) fn words(&self) -> [Fr; 6] {
        [
            self.bridge,
            self.total_input,
            self.total_output_a,
            self.total_output_b,
            self.nonce,
            self.result,
        ]
    }

    /// Returns the commitment that enters the defi tree.
    pub fn commit(&self, suite: Suite) -> Fr {
        suite.hash(HashIndex::DefiInteractionNote, &self.words())
    }
}

impl Suite {
    /// Returns the claim note for the data tree, once a rollup has fixed nonce and fee.
    pub fn claim_note(self, partial: Fr, nonce: Fr, fee: Fr) -> Fr {
        self.hash(HashIndex::ClaimNote, &[partial, nonce, fee])
    }

    /// Returns the commitment of an account note.
    pub fn account_note(self, alias_hash: Fr, account_key_x: Fr, signing_key_x: Fr) -> Fr {
        let fields = [alias_hash, account_key_x, signing_key_x];
        self.hash(HashIndex::AccountNote, &fields)
    }

    /// Returns the public key of a private key, which is reduced modulo the group order.
    pub fn owner_key(self, private_key: &[u8; 32]) -> (Fr, Fr) {
        match self {
            Self::Pedersen => {
                let scalar = ark_grumpkin::Fr::from_be_bytes_mod_order(private_key);
                let point = (ark_grumpkin::Affine::generator() * scalar).into_affine();
                (point.x, point.y)
            }
            Self::Poseidon => PrivateKey::reduce(private_key).public().coordinates(),
        }
    }

    /// Returns the private key's part of a value nullifier; it must stay secret.
    pub(crate) fn nullifier_key(self, private_key: &[u8; 32]) -> (Fr, Fr) {
        let key = field::reduce(private_key);
        match self {
            Self::Pedersen => {
                let point = pedersen::nullifier_key(key);
                (point.x, point.y)
            }
            Self::Poseidon => (self.hash(HashIndex::ValueNullifierKey, &[key]), Fr::ZERO),
        }
    }

    /// Returns the nullifier of a value note.
    pub fn value_nullifier(self, commitment: Fr, private_key: &[u8; 32], in_use: bool) -> Fr {
        let key = self.nullifier_key(private_key);
        let inputs = [commitment, key.0, key.1, Fr::from(in_use)];
        let hash = self.hash(HashIndex::ValueNullifier, &inputs);
        match self {
            Self::Pedersen => field::reduce(&Blake2s256::digest(field::to_word(&hash)).into()),
            Self::Poseidon => hash,
        }
    }

    /// Returns the nullifier of a claim note.
    pub fn claim_nullifier(self, claim_note: Fr) -> Fr {
        self.hash(HashIndex::ClaimNullifier, &[claim_note])
    }

    /// Returns the nullifier of one claim on a defi interaction.
    pub fn defi_nullifier(self, defi_note: Fr, claim_note: Fr) -> Fr {
        self.hash(HashIndex::DefiNullifier, &[defi_note, claim_note])
    }

    /// Returns the nullifier that reserves an alias.
    pub fn alias_nullifier(self, alias_hash: Fr) -> Fr {
        self.hash(HashIndex::AliasNullifier, &[alias_hash])
    }

    /// Returns the nullifier that reserves an account key.
    pub fn public_key_nullifier(self, account_key_x: Fr) -> Fr {
        self.hash(HashIndex::PublicKeyNullifier, &[account_key_x])
    }
}
