//! Clients' statements over a small data tree, for tests.

use crate::account::AccountWitness;
use crate::bridge::BridgeCallData;
use crate::field::{power_of_two, to_word};
use crate::join_split::{InputNote, JoinSplitWitness, OutputNote};
use crate::notes::ValueNotePartial;
use crate::proof_id;
use crate::schnorr::{PrivateKey, PublicKey, Signature};
use crate::suite::HashIndex;
use crate::tree::{DATA_DEPTH, MerkleTree};
use crate::{Signer, Suite};
use ark_bn254::Fr;
use ark_ff::AdditiveGroup;

/// The asset of all notes.
pub const ASSET: u64 = 1;
/// Indexes of the input notes in the data tree.
const INPUT_PLACES: [u64; 2] = [6, 1 << 31];
/// Index of the account note in the data tree.
const ACCOUNT_PLACE: u64 = 12;

/// Returns a pseudorandom element, in place of a hash.
pub fn random(seed: u64) -> Fr {
    crate::poseidon::hash(&[Fr::from(seed)])
}

/// Returns the key of a user.
pub fn key(seed: u8) -> PrivateKey {
    PrivateKey::reduce(&[seed; 32])
}

/// A client's values and signing key; [`ClientTx::settle`] adds paths and a signature.
#[derive(Clone, Debug)]
pub struct ClientTx<W> {
    /// The values of the statement.
    pub w: W,
    /// The key that signs the statement.
    pub signs: PrivateKey,
}

/// A join-split with its signing key.
pub type Payment = ClientTx<JoinSplitWitness>;
/// An account tx with its signing key.
pub type Registration = ClientTx<AccountWitness>;

/// A client's values, to which a data tree and a signature are added.
pub trait Settle {
    /// Puts the used notes into a data tree, sets the paths, and signs.
    fn settle(&mut self, signs: &PrivateKey);
    /// Returns the statement's signer.
    fn signer(&mut self) -> &mut Signer;
}

impl<W: Settle> ClientTx<W> {
    /// Changes values of a tx after it was signed.
    pub fn changed(mut self, change: impl FnOnce(&mut W)) -> Self {
        change(&mut self.w);
        self
    }

    /// Changes values, then sets the paths and signs again.
    pub fn settled(mut self, change: impl FnOnce(&mut W)) -> Self {
        change(&mut self.w);
        self.settle();
        self
    }

    /// Makes another key sign.
    pub fn signed_by(mut self, key: PrivateKey) -> Self {
        self.w.signer().key = key.public().coordinates();
        self.signs = key;
        self
    }

    /// Puts the used notes into a data tree, sets the paths, and signs.
    pub fn settle(&mut self) {
        self.w.settle(&self.signs);
    }
}

impl Signature {
    /// Returns a signature that is valid under (0, 0), which is not a point of
    /// the curve: by the formulas of addition, (0, 0) plus any point is (0, 0).
    pub fn of_no_key(message: Fr) -> Self {
        let inputs = [Fr::ZERO, Fr::ZERO, Fr::ZERO, Fr::ZERO, message];
        let e = Suite::Poseidon.hash(HashIndex::SignatureChallenge, &inputs);
        let s = Fr::from(1u64);
        Self { s, e }
    }
}

impl Payment {
    /// A send of two notes, 700 and 400: 800 to another owner, 290 back, a fee
    /// of 10, without an account.
    pub fn send() -> Self {
        let signs = key(1);
        let owner = signs.public();
        let input = |seed: u64, value: u64| InputNote {
            in_use: true,
            secret: random(seed),
            creator: random(seed + 1),
            value: Fr::from(value),
            input_nullifier: random(seed + 2),
            ..InputNote::default()
        };
        let output = |seed: u64, to: PublicKey, value: u64| OutputNote {
            partial: ValueNotePartial {
                secret: random(seed),
                owner: to.coordinates(),
                account_required: false,
                creator: owner.x(),
            },
            value: Fr::from(value),
        };
        let w = JoinSplitWitness {
            proof_id: Fr::from(proof_id::SEND),
            asset: Fr::from(ASSET),
            inputs: [input(10, 700), input(20, 400)],
            outputs: [output(30, key(2).public(), 800), output(40, owner, 290)],
            fee: Fr::from(10u64),
            allow_chain: [false, true],
            private_key: signs.element(),
            signer: Signer::unregistered(&owner),
            ..JoinSplitWitness::default()
        };
        Self { w, signs }.settled(|_| ())
    }

    /// A withdrawal of the same notes: 800 become public.
    pub fn withdrawal() -> Self {
        Self::send().settled(|w| {
            w.make_public(proof_id::WITHDRAW, 800);
            w.outputs[0].value = Fr::ZERO;
        })
    }

    /// A deposit of 1,100 without input notes.
    pub fn deposit() -> Self {
        Self::send().settled(|w| {
            w.make_public(proof_id::DEPOSIT, 1100);
            w.unused([0, 1]);
        })
    }

    /// A defi deposit of the same notes: 800 go into a bridge.
    pub fn defi_deposit() -> Self {
        Self::send().settled(|w| {
            w.proof_id = Fr::from(proof_id::DEFI_DEPOSIT);
            w.deposit = Fr::from(800u64);
            w.outputs[0].value = Fr::ZERO;
            w.bridge(|_| {});
        })
    }

    /// [`Payment::send`] of a registered account, signed by a separate signing key.
    pub fn registered() -> Self {
        Self::send().signed_by(key(9)).settled(|w| {
            w.account_required = true;
            w.signer.alias_hash = random(50);
        })
    }
}

impl JoinSplitWitness {
    fn make_public(&mut self, proof_id: u64, value: u64) {
        (self.proof_id, self.public_value) = (Fr::from(proof_id), Fr::from(value));
        self.public_owner = Fr::from(0xadd7e55u64);
    }

    /// Gives the input notes to another owner; the output notes name no creator.
    pub fn owned_by(&mut self, private_key: Fr) {
        self.private_key = private_key;
        self.allow_chain = [false; 2];
        let outputs = self.outputs.iter_mut();
        outputs.for_each(|note| note.partial.creator = Fr::ZERO);
    }

    /// Removes input notes and their values.
    pub fn unused<const N: usize>(&mut self, which: [usize; N]) {
        for input in which {
            self.inputs[input].in_use = false;
            self.inputs[input].value = Fr::ZERO;
        }
    }

    /// Sets the bridge call data: one output, then the changes by `change`.
    pub fn bridge(&mut self, change: impl FnOnce(&mut BridgeCallData)) {
        let mut data = BridgeCallData {
            address_id: 3,
            input_a: ASSET as u32,
            output_a: 2,
            aux: 5,
            ..BridgeCallData::default()
        };
        change(&mut data);
        self.bridge = data.encode();
    }
}

impl Settle for JoinSplitWitness {
    fn settle(&mut self, signs: &PrivateKey) {
        let mut data = MerkleTree::new(Suite::Poseidon, DATA_DEPTH);
        let leaves = [0, 1].map(|which| self.input_commitment(which));
        for which in [0, 1] {
            if self.inputs[which].in_use && self.backward_link != leaves[which] {
                data.set(INPUT_PLACES[which].into(), leaves[which]);
            }
        }
        let owner = PrivateKey::reduce(&to_word(&self.private_key)).public();
        self.signer
            .place(&mut data, owner.x(), self.account_required);
        for (input, place) in self.inputs.iter_mut().zip(INPUT_PLACES) {
            input.index = Fr::from(place);
            input.siblings = data.siblings(place.into());
        }
        self.data_root = data.root();
        self.sign(signs);
    }

    fn signer(&mut self) -> &mut Signer {
        &mut self.signer
    }
}

impl Signer {
    /// Sets the account note's path in a data tree; inserts the note if the
    /// account is registered.
    fn place(&mut self, data: &mut MerkleTree, account_key_x: Fr, registered: bool) {
        if registered {
            let note = Suite::Poseidon.account_note(self.alias_hash, account_key_x, self.key.0);
            data.set(ACCOUNT_PLACE.into(), note);
        }
        self.index = Fr::from(ACCOUNT_PLACE);
        self.siblings = data.siblings(ACCOUNT_PLACE.into());
    }
}

impl Registration {
    /// Creates an account with two signing keys.
    pub fn create() -> Self {
        let signs = key(1);
        let mut w = AccountWitness {
            data_root: random(60),
            create: true,
            account_key_x: signs.public().x(),
            new_keys: [key(8).public().x(), key(9).public().x()],
            signer: Signer::unregistered(&signs.public()),
        };
        // All 224 bits are set.
        w.signer.alias_hash = power_of_two(224) - Fr::from(1u64);
        w.sign(&signs);
        Self { w, signs }
    }

    /// Adds a key to an account; one of the account's signing keys signs.
    pub fn another_key() -> Self {
        Self::create().signed_by(key(9)).settled(|w| {
            w.create = false;
            w.new_keys[1] = Fr::ZERO;
        })
    }
}

impl Settle for AccountWitness {
    fn settle(&mut self, signs: &PrivateKey) {
        let mut data = MerkleTree::new(Suite::Poseidon, DATA_DEPTH);
        self.signer.place(&mut data, self.account_key_x, true);
        self.data_root = data.root();
        self.sign(signs);
    }

    fn signer(&mut self) -> &mut Signer {
        &mut self.signer
    }
}
