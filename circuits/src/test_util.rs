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
/// Where the input notes stand in the data tree.
const INPUT_PLACES: [u64; 2] = [6, 1 << 31];
/// Where the account note stands in the data tree.
const ACCOUNT_PLACE: u64 = 12;

/// A number that looks like a hash.
pub fn random(seed: u64) -> Fr {
    crate::poseidon::hash(&[Fr::from(seed)])
}

/// The key of a user.
pub fn key(seed: u8) -> PrivateKey {
    PrivateKey::reduce(&[seed; 32])
}

/// A client's values and the key that signs them; [`ClientTx::settle`] completes both.
#[derive(Clone, Debug)]
pub struct ClientTx<W> {
    /// Its values.
    pub w: W,
    /// Signs it.
    pub signs: PrivateKey,
}

/// A join-split.
pub type Payment = ClientTx<JoinSplitWitness>;
/// An account tx.
pub type Registration = ClientTx<AccountWitness>;

/// Values of a client that a data tree and a signature complete.
pub trait Settle {
    /// Puts the notes that are used into a data tree, and signs.
    fn settle(&mut self, signs: &PrivateKey);
    /// Its signer.
    fn signer(&mut self) -> &mut Signer;
}

impl<W: Settle> ClientTx<W> {
    /// Changes values of a tx that is signed already.
    pub fn changed(mut self, change: impl FnOnce(&mut W)) -> Self {
        change(&mut self.w);
        self
    }

    /// Changes values, then completes the tx like any other.
    pub fn settled(mut self, change: impl FnOnce(&mut W)) -> Self {
        change(&mut self.w);
        self.settle();
        self
    }

    /// Lets another key sign.
    pub fn signed_by(mut self, key: PrivateKey) -> Self {
        self.w.signer().key = key.public().coordinates();
        self.signs = key;
        self
    }

    /// Puts the notes that are used into a data tree, and signs.
    pub fn settle(&mut self) {
        self.w.settle(&self.signs);
    }
}

impl Signature {
    /// The signature that (0, 0), which is no point of the curve, would have: it
    /// absorbs every other point under the formulas of addition.
    pub fn of_no_key(message: Fr) -> Self {
        let inputs = [Fr::ZERO, Fr::ZERO, Fr::ZERO, Fr::ZERO, message];
        let e = Suite::Poseidon.hash(HashIndex::SignatureChallenge, &inputs);
        let s = Fr::from(1u64);
        Self { s, e }
    }
}

impl Payment {
    /// A send of two notes, 700 and 400: 800 to another owner, 290 back, a fee of
    /// 10, without an account.
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

    /// The same notes withdrawn: 800 become public.
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

    /// The same notes put into a bridge: 800.
    pub fn defi_deposit() -> Self {
        Self::send().settled(|w| {
            w.proof_id = Fr::from(proof_id::DEFI_DEPOSIT);
            w.deposit = Fr::from(800u64);
            w.outputs[0].value = Fr::ZERO;
            w.bridge(|_| {});
        })
    }

    /// [`Payment::send`] of an account whose signing key is not its own.
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

    /// Gives the input notes to another owner, whose output notes show no creator.
    pub fn owned_by(&mut self, private_key: Fr) {
        self.private_key = private_key;
        self.allow_chain = [false; 2];
        let outputs = self.outputs.iter_mut();
        outputs.for_each(|note| note.partial.creator = Fr::ZERO);
    }

    /// Takes input notes away, and what they bring.
    pub fn unused<const N: usize>(&mut self, which: [usize; N]) {
        for input in which {
            self.inputs[input].in_use = false;
            self.inputs[input].value = Fr::ZERO;
        }
    }

    /// Sets bridge call data: one output, all else changed by the caller.
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
    /// Takes the account note's place in a data tree; puts the note there if the
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
    /// A new account with two signing keys.
    pub fn create() -> Self {
        let signs = key(1);
        let mut w = AccountWitness {
            data_root: random(60),
            create: true,
            account_key_x: signs.public().x(),
            new_keys: [key(8).public().x(), key(9).public().x()],
            signer: Signer::unregistered(&signs.public()),
        };
        // 224 bits, all set.
        w.signer.alias_hash = power_of_two(224) - Fr::from(1u64);
        w.sign(&signs);
        Self { w, signs }
    }

    /// One more key for an account, signed by one that it has.
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
