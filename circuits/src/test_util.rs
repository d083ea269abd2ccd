//! Clients' statements over a small data tree, for tests.

use crate::account::AccountWitness;
use crate::bridge::BridgeCallData;
use crate::field::{power_of_two, to_word};
use crate::join_split::{InputNote, JoinSplitWitness, OutputNote};
use crate::notes::ValueNotePartial;
use crate::schnorr::PrivateKey;
use crate::tree::{MerkleTree, siblings};
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

/// A join-split and the key that signs it; [`Payment::settle`] completes both.
#[derive(Clone, Debug)]
pub struct Payment {
    /// Its values.
    pub w: JoinSplitWitness,
    /// Signs it.
    pub signs: PrivateKey,
}

impl Payment {
    /// A send of two notes, 700 and 400: 800 to another owner, 290 back, a fee of
    /// 10, without an account.
    pub fn send() -> Self {
        let owner = key(1);
        let input = |seed: u64, value: u64| InputNote {
            in_use: true,
            secret: random(seed),
            creator: random(seed + 1),
            value: Fr::from(value),
            input_nullifier: random(seed + 2),
            index: Fr::ZERO,
            siblings: vec![Fr::ZERO; 32],
        };
        let output = |seed: u64, to: PrivateKey, value: u64| OutputNote {
            partial: ValueNotePartial {
                secret: random(seed),
                owner: to.public().coordinates(),
                account_required: false,
                creator: owner.public().x(),
            },
            value: Fr::from(value),
        };
        let w = JoinSplitWitness {
            proof_id: Fr::from(3u64),
            public_value: Fr::ZERO,
            public_owner: Fr::ZERO,
            asset: Fr::from(ASSET),
            inputs: [input(10, 700), input(20, 400)],
            outputs: [output(30, key(2), 800), output(40, owner, 290)],
            bridge: Fr::ZERO,
            deposit: Fr::ZERO,
            data_root: Fr::ZERO,
            fee: Fr::from(10u64),
            backward_link: Fr::ZERO,
            allow_chain: [false, true],
            private_key: owner.element(),
            account_required: false,
            signer: Signer::unregistered(&owner.public()),
        };
        let mut payment = Self { w, signs: owner };
        payment.settle();
        payment
    }

    /// The same notes withdrawn: 800 become public.
    pub fn withdrawal() -> Self {
        let mut payment = Self::send();
        payment.w.proof_id = Fr::from(2u64);
        payment.public(800);
        payment.w.outputs[0].value = Fr::ZERO;
        payment.settle();
        payment
    }

    /// A deposit of 1,100 without input notes.
    pub fn deposit() -> Self {
        let mut payment = Self::send();
        payment.w.proof_id = Fr::from(1u64);
        payment.public(1100);
        payment.unused([0, 1]);
        payment.settle();
        payment
    }

    /// The same notes put into a bridge: 800.
    pub fn defi_deposit() -> Self {
        let mut payment = Self::send();
        payment.w.proof_id = Fr::from(5u64);
        payment.w.deposit = Fr::from(800u64);
        payment.w.outputs[0].value = Fr::ZERO;
        payment.bridge(|_| {});
        payment.settle();
        payment
    }

    /// [`Payment::send`] of an account whose signing key is not its own.
    pub fn registered() -> Self {
        let mut payment = Self::send();
        payment.signs = key(9);
        payment.w.account_required = true;
        payment.w.signer.alias_hash = random(50);
        payment.w.signer.key = key(9).public().coordinates();
        payment.settle();
        payment
    }

    fn public(&mut self, value: u64) {
        self.w.public_value = Fr::from(value);
        self.w.public_owner = Fr::from(0xadd7e55u64);
    }

    /// Takes input notes away, and what they bring.
    pub fn unused<const N: usize>(&mut self, which: [usize; N]) {
        for input in which {
            self.w.inputs[input].in_use = false;
            self.w.inputs[input].value = Fr::ZERO;
        }
    }

    /// Sets bridge call data: one output, all else changed by the caller.
    pub fn bridge(&mut self, change: impl Fn(&mut BridgeCallData)) {
        let mut data = BridgeCallData {
            address_id: 3,
            input_a: ASSET as u32,
            output_a: 2,
            aux: 5,
            ..BridgeCallData::default()
        };
        change(&mut data);
        self.w.bridge = data.encode();
    }

    /// Puts the notes that are used into a data tree, and signs.
    pub fn settle(&mut self) {
        let suite = Suite::Poseidon;
        let mut data = MerkleTree::new(suite, 32);
        let note = |w: &JoinSplitWitness, which: usize| w.input_commitment(which);
        let leaves = [note(&self.w, 0), note(&self.w, 1)];
        for which in [0, 1] {
            if self.w.inputs[which].in_use && self.w.backward_link != leaves[which] {
                data.set(INPUT_PLACES[which].into(), leaves[which]);
            }
        }
        let signer = &mut self.w.signer;
        if self.w.account_required {
            let owner = PrivateKey::reduce(&to_word(&self.w.private_key)).public();
            let note = suite.account_note(signer.alias_hash, owner.x(), signer.key.0);
            data.set(ACCOUNT_PLACE.into(), note);
        }
        for (input, place) in self.w.inputs.iter_mut().zip(INPUT_PLACES) {
            input.index = Fr::from(place);
            input.siblings = siblings(&data.path(place.into()), place.into());
        }
        signer.index = Fr::from(ACCOUNT_PLACE);
        signer.siblings = siblings(&data.path(ACCOUNT_PLACE.into()), ACCOUNT_PLACE.into());
        self.w.data_root = data.root();
        self.w.sign(&self.signs);
    }
}

/// An account tx and the key that signs it; [`Registration::settle`] completes both.
#[derive(Clone, Debug)]
pub struct Registration {
    /// Its values.
    pub w: AccountWitness,
    /// Signs it.
    pub signs: PrivateKey,
}

impl Registration {
    /// A new account with two signing keys.
    pub fn create() -> Self {
        let owner = key(1);
        let mut signer = Signer::unregistered(&owner.public());
        // 224 bits, all set.
        signer.alias_hash = power_of_two(224) - Fr::from(1u64);
        let w = AccountWitness {
            data_root: random(60),
            create: true,
            account_key_x: owner.public().x(),
            new_keys: [key(8).public().x(), key(9).public().x()],
            signer,
        };
        let mut registration = Self { w, signs: owner };
        registration.w.sign(&owner);
        registration
    }

    /// One more key for an account, signed by one that it has.
    pub fn another_key() -> Self {
        let mut registration = Self::create();
        registration.w.create = false;
        registration.w.new_keys[1] = Fr::ZERO;
        registration.w.signer.key = key(9).public().coordinates();
        registration.signs = key(9);
        registration.settle();
        registration
    }

    /// Puts the account note into a data tree, and signs.
    pub fn settle(&mut self) {
        let (w, suite) = (&mut self.w, Suite::Poseidon);
        let mut data = MerkleTree::new(suite, 32);
        let signer = &mut w.signer;
        let note = suite.account_note(signer.alias_hash, w.account_key_x, signer.key.0);
        data.set(ACCOUNT_PLACE.into(), note);
        signer.index = Fr::from(ACCOUNT_PLACE);
        signer.siblings = siblings(&data.path(ACCOUNT_PLACE.into()), ACCOUNT_PLACE.into());
        w.data_root = data.root();
        w.sign(&self.signs);
    }
}
