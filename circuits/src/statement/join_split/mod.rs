//! The join-split statement of the poseidon suite: it turns up to two notes of
//! one owner and asset into two new notes, public value, or a defi deposit.

mod circuit;
mod rules;

#[cfg(test)]
mod tests;

use ark_bn254::Fr;

use crate::field;
use crate::notes::{ClaimNotePartial, ValueNote, ValueNotePartial};
use crate::schnorr::times_generator;
use crate::signer::Signer;
use crate::suite::Suite;
use crate::tree::{self, DATA_DEPTH};

pub use circuit::check;
pub use rules::published;

/// Length of a public owner, which is an address, in bits.
const OWNER_BITS: usize = 160;

/// The join-split statement; it has only one size.
#[derive(Clone, Copy)]
pub(crate) struct JoinSplit;

/// A note to spend, or a filler for an unused input.
#[derive(Clone, Debug, Default)]
pub struct InputNote {
    /// Whether the note exists. A filler has the value zero, and its nullifier
    /// is made from its secret, so the secret must be random.
    pub in_use: bool,
    /// A random number that hides the note.
    pub secret: Fr,
    /// x-coordinate of the creator's key, or zero.
    pub creator: Fr,
    /// The note's amount.
    pub value: Fr,
    /// The nullifier that made this note unique.
    pub input_nullifier: Fr,
    /// Index in the data tree; any number if the backward link is this note.
    pub index: Fr,
    /// The siblings of the note, leaf level first.
    pub siblings: [Fr; DATA_DEPTH],
}

/// A new note.
#[derive(Clone, Copy, Debug, Default)]
pub struct OutputNote {
    /// The owner and secrets of the note. In note 1 of a defi deposit: the
    /// owner and secrets of the notes that its claim will create.
    pub partial: ValueNotePartial,
    /// The note's amount; zero for note 1 of a defi deposit.
    pub value: Fr,
}

/// All values of a join-split, whether or not they follow the rules.
#[derive(Clone, Debug, Default)]
pub struct JoinSplitWitness {
    /// The kind of payment: 1 deposit, 2 withdraw, 3 send, 5 defi deposit.
    pub proof_id: Fr,
    /// The amount of a deposit or withdrawal.
    pub public_value: Fr,
    /// The address that pays a deposit or receives a withdrawal.
    pub public_owner: Fr,
    /// The asset of all notes, of the public value and of the fee.
    pub asset: Fr,
    /// The notes to spend.
    pub inputs: [InputNote; 2],
    /// The new notes.
    pub outputs: [OutputNote; 2],
    /// Packed bridge call data of a defi deposit.
    pub bridge: Fr,
    /// The amount of a defi deposit.
    pub deposit: Fr,
    /// A root of the data tree.
    pub data_root: Fr,
    /// The fee for the rollup.
    pub fee: Fr,
    /// The commitment of an input note that may not be in the tree yet, or zero.
    pub backward_link: Fr,
    /// Whether a later tx may link back to each output note.
    pub allow_chain: [bool; 2],
    /// The owner's private key, as an integer.
    pub private_key: Fr,
    /// Whether the input notes need a registered account's signing key.
    pub account_required: bool,
    /// The signing key, its account note and its signature.
    pub signer: Signer,
}

impl JoinSplitWitness {
    /// Returns the owner's public key.
    pub(crate) fn owner(&self) -> (Fr, Fr) {
        let point = times_generator(self.private_key);
        (point.x, point.y)
    }

    fn commitment(&self, partial: &ValueNotePartial, value: Fr, input_nullifier: Fr) -> Fr {
        let note = ValueNote {
            partial: partial.commit(Suite::Poseidon),
            value,
            asset: self.asset,
            input_nullifier,
        };
        note.commit(Suite::Poseidon)
    }

    /// Returns the commitment of input note 0 or 1.
    pub(crate) fn input_commitment(&self, which: usize) -> Fr {
        let input = &self.inputs[which];
        let partial = ValueNotePartial {
            secret: input.secret,
            owner: self.owner(),
            account_required: self.account_required,
            creator: input.creator,
        };
        self.commitment(&partial, input.value, input.input_nullifier)
    }

    /// Returns the nullifiers of both input notes.
    pub(crate) fn nullifiers(&self) -> [Fr; 2] {
        let key = field::to_word(&self.private_key);
        [0, 1].map(|which| {
            let commitment = self.input_commitment(which);
            Suite::Poseidon.value_nullifier(commitment, &key, self.inputs[which].in_use)
        })
    }

    /// Returns the commitment of output note 0 or 1 as a value note.
    pub(crate) fn output_commitment(&self, which: usize) -> Fr {
        let OutputNote { partial, value } = &self.outputs[which];
        self.commitment(partial, *value, self.nullifiers()[which])
    }

    /// Returns the claim note of a defi deposit, before a rollup completes it.
    pub(crate) fn claim_partial(&self) -> Fr {
        let claim = ClaimNotePartial {
            deposit: self.deposit,
            bridge: self.bridge,
            value_note_partial: self.outputs[0].partial.commit(Suite::Poseidon),
            input_nullifier: self.nullifiers()[0],
        };
        claim.commit(Suite::Poseidon)
    }

    /// Returns the data root that an input note's path leads to.
    pub(crate) fn folded_root(&self, which: usize) -> Fr {
        let input = &self.inputs[which];
        let (leaf, index) = (self.input_commitment(which), input.index.into());
        tree::fold(Suite::Poseidon, leaf, &input.siblings, index, 0)
    }
}
