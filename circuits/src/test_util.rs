//! Clients' statements over a small data tree.

use ark_bn254::Fr;
use ark_ff::AdditiveGroup;
use zkwhirl_circuits::account::AccountWitness;
use zkwhirl_circuits::bridge::BridgeCallData;
use zkwhirl_circuits::field::{power_of_two, to_word};
use zkwhirl_circuits::join_split::{InputNote, JoinSplitWitness, OutputNote};
use zkwhirl_circuits::notes::ValueNotePartial;
use zkwhirl_circuits::schnorr::PrivateKey;
use zkwhirl_circuits::tree::{MerkleTree, siblings};
use zkwhirl_circuits::{Signer, Suite};

/// The asset of all notes.
pub(crate) const ASSET: u64 = 1;
/// Where the input notes and the account note stand.
pub(crate) const INPUT_PLACES: [u64; 2] = [6, 1 << 31];
pub(crate) const ACCOUNT_PLACE: u64 = 12;

/// A number that looks like a hash.
pub(crate) fn random(seed: u64) -> Fr {
    zkwhirl_circuits::poseidon::hash(&[Fr::from(seed)])
}

/// The key of a user.
pub(crate) fn key(seed: u8) -> PrivateKey {
    PrivateKey::reduce(&[seed; 32])
}

/// A join-split in the making, with the key that signs it.
#[derive(Clone)]
pub(crate) struct Payment {
    pub(crate) w: JoinSplitWitness,
    pub(crate) signs: PrivateKey,
}

impl Payment {
    /// A send of two notes, 700 and 400, to somebody else and back: 800, 290,
    /// and a fee of 10, without an account.
    pub(crate) fn new() -> Self {
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
    pub(crate) fn withdrawal() -> Self {
        let mut payment = Self::new();
        payment.w.proof_id = Fr::from(2u64);
        payment.public(800);
        payment.w.outputs[0].value = Fr::ZERO;
        payment.settle();
        payment
    }

    /// A deposit of 1,100 without input notes.
    pub(crate) fn deposit() -> Self {
        let mut payment = Self::new();
        payment.w.proof_id = Fr::from(1u64);
        payment.public(1100);
        payment.unused([0, 1]);
        payment.settle();
        payment
    }

    /// The same notes put into a bridge: 800.
    pub(crate) fn defi_deposit() -> Self {
        let mut payment = Self::new();
        payment.w.proof_id = Fr::from(5u64);
        payment.w.deposit = Fr::from(800u64);
        payment.w.outputs[0].value = Fr::ZERO;
        payment.bridge(|_| {});
        payment.settle();
        payment
    }

    /// [`Payment::new`] of an account whose signing key is not its own.
    pub(crate) fn registered() -> Self {
        let mut payment = Self::new();
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
    pub(crate) fn unused<const N: usize>(&mut self, which: [usize; N]) {
        for input in which {
            self.w.inputs[input].in_use = false;
            self.w.inputs[input].value = Fr::ZERO;
        }
    }

    /// Sets bridge call data: one output, all else changed by the caller.
    pub(crate) fn bridge(&mut self, change: impl Fn(&mut BridgeCallData)) {
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
    pub(crate) fn settle(&mut self) {
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

/// An account tx in the making, with the key that signs it.
#[derive(Clone)]
pub(crate) struct Registration {
    pub(crate) w: AccountWitness,
    pub(crate) signs: PrivateKey,
}

impl Registration {
    /// A new account with two signing keys.
    pub(crate) fn new() -> Self {
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
    pub(crate) fn another_key() -> Self {
        let mut registration = Self::new();
        registration.w.create = false;
        registration.w.new_keys[1] = Fr::ZERO;
        registration.w.signer.key = key(9).public().coordinates();
        registration.signs = key(9);
        registration.settle();
        registration
    }

    /// Puts the account note into a data tree, and signs.
    pub(crate) fn settle(&mut self) {
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
