//! A user's payment: its input notes, its output notes, and its witness.

use ark_bn254::Fr;
use rand::Rng;
use zkwhirl_circuits::{
    Signer, Suite,
    bridge::BridgeCallData,
    client::ClientWitness,
    join_split::{InputNote, JoinSplitWitness, OutputNote},
    notes::ValueNotePartial,
    schnorr::PrivateKey,
};
use zkwhirl_job::request::{DATA_TREE_DEPTH, field};

use super::{
    World,
    parts::{Deposit, UserNote, random_element},
    tx::Tx,
};

/// A payment that a user wants to make.
#[derive(Default)]
pub(super) struct UserPayment {
    /// The kind: 1 deposit, 2 withdraw, 3 send, 5 defi deposit.
    pub(super) proof_id: u64,
    pub(super) owner: usize,
    pub(super) asset: u32,
    /// Up to two notes of the owner and asset; either all or none need the account.
    pub(super) notes: Vec<UserNote>,
    /// The commitment of the spent note that is still pending, or zero.
    pub(super) link: Fr,
    /// The value that is deposited or withdrawn.
    pub(super) public: u64,
    pub(super) bridge: Option<BridgeCallData>,
    /// The value that goes into the bridge.
    pub(super) deposit: u64,
    /// The owner and the value of the first output.
    pub(super) paid: (usize, u64),
    pub(super) change: u64,
    pub(super) fee: u64,
    /// Whether the change may be spent while it is pending.
    pub(super) chain: bool,
}

impl World {
    /// Builds the transaction and, in the poseidon suite, its witness.
    pub(super) fn pay(&mut self, payment: &UserPayment) -> Tx {
        let required = payment.notes.first().map_or_else(
            || self.users[payment.owner].account_note().is_some(),
            |note| note.partial.account_required,
        );
        let needs_tree = required || payment.notes.iter().any(|n| n.commitment != payment.link);
        let mut tx = self.tx(payment.proof_id, needs_tree);
        let inputs: [UserNote; 2] = std::array::from_fn(|place| {
            let note = payment.notes.get(place).copied();
            note.unwrap_or_else(|| self.no_note(payment, required))
        });
        let key = self.users[payment.owner].key;
        let nullifiers: [Fr; 2] = std::array::from_fn(|place| {
            let in_use = place < payment.notes.len();
            let commitment = inputs[place].commitment;
            self.suite.value_nullifier(commitment, &key, in_use)
        });
        let outputs = self.outputs(payment, &nullifiers);
        let deposit = payment.bridge.map(|bridge| Deposit {
            owner: payment.owner,
            value: payment.deposit,
            bridge,
            value_partial: outputs[0].partial,
            input_nullifier: nullifiers[0],
            nonce: 0,
            // The rollup receives the smaller half of the fee.
            fee: payment.fee - payment.fee / 2,
            index: 0,
        });
        self.publish(payment, &mut tx, &outputs, &nullifiers);
        tx.notes = outputs.map(Some);
        if let Some(deposit) = deposit {
            tx.fields[field::NOTE_COMMITMENT1] = deposit.partial(self.suite);
            tx.notes[0] = None;
        }
        tx.deposit = deposit;
        if self.suite == Suite::Poseidon {
            let witness = self.witness(payment, &tx, (&inputs, &outputs), required);
            tx.witness = Some(ClientWitness::JoinSplit(Box::new(witness)));
        }
        tx
    }

    /// Returns a dummy note for an unused input.
    fn no_note(&mut self, payment: &UserPayment, account_required: bool) -> UserNote {
        let partial = ValueNotePartial {
            secret: random_element(&mut self.rng),
            owner: self.users[payment.owner].public,
            account_required,
            creator: Fr::from(0u64),
        };
        let nullifier = random_element(&mut self.rng);
        let amount = (0, payment.asset);
        UserNote::new(self.suite, payment.owner, amount, partial, nullifier)
    }

    /// Returns the two new notes: the payee's and the change.
    fn outputs(&mut self, payment: &UserPayment, nullifiers: &[Fr; 2]) -> [UserNote; 2] {
        let sender = self.users[payment.owner].public.0;
        let mut output = |place: usize, (to, value): (usize, u64)| {
            let mut partial = self.users[to].partial(&mut self.rng);
            if to != payment.owner && self.rng.gen_ratio(1, 2) {
                partial.creator = sender;
            }
            let amount = (value, payment.asset);
            UserNote::new(self.suite, to, amount, partial, nullifiers[place])
        };
        let change = (payment.owner, payment.change);
        [output(0, payment.paid), output(1, change)]
    }

    fn publish(
        &self,
        payment: &UserPayment,
        tx: &mut Tx,
        outputs: &[UserNote; 2],
        nullifiers: &[Fr; 2],
    ) {
        let f = &mut tx.fields;
        f[field::NOTE_COMMITMENT1] = outputs[0].commitment;
        f[field::NOTE_COMMITMENT2] = outputs[1].commitment;
        f[field::NULLIFIER1] = nullifiers[0];
        f[field::NULLIFIER2] = nullifiers[1];
        if payment.public > 0 {
            f[field::PUBLIC_VALUE] = Fr::from(payment.public);
            f[field::PUBLIC_OWNER] = self.users[payment.owner].address;
            f[field::PUBLIC_ASSET_ID] = Fr::from(payment.asset);
        }
        f[field::TX_FEE] = Fr::from(payment.fee);
        f[field::TX_FEE_ASSET_ID] = Fr::from(payment.asset);
        if let Some(bridge) = payment.bridge {
            f[field::BRIDGE_CALL_DATA] = bridge.encode();
            f[field::DEFI_DEPOSIT_VALUE] = Fr::from(payment.deposit);
        }
        f[field::BACKWARD_LINK] = payment.link;
        f[field::ALLOW_CHAIN] = Fr::from(if payment.chain { 2u64 } else { 0 });
    }

    fn witness(
        &self,
        payment: &UserPayment,
        tx: &Tx,
        (inputs, outputs): (&[UserNote; 2], &[UserNote; 2]),
        account_required: bool,
    ) -> JoinSplitWitness {
        let input = |place: usize| {
            let note = &inputs[place];
            InputNote {
                in_use: place < payment.notes.len(),
                secret: note.partial.secret,
                creator: note.partial.creator,
                value: Fr::from(note.value),
                input_nullifier: note.input_nullifier,
                index: Fr::from(note.index),
                siblings: self.siblings(note.index),
            }
        };
        let output = |place: usize| OutputNote {
            partial: outputs[place].partial,
            value: Fr::from(outputs[place].value),
        };
        let f = &tx.fields;
        let (signer, signs) = self.signer(payment.owner, account_required);
        let mut witness = JoinSplitWitness {
            proof_id: f[field::PROOF_ID],
            public_value: f[field::PUBLIC_VALUE],
            public_owner: f[field::PUBLIC_OWNER],
            asset: Fr::from(payment.asset),
            inputs: [input(0), input(1)],
            outputs: [output(0), output(1)],
            bridge: f[field::BRIDGE_CALL_DATA],
            deposit: f[field::DEFI_DEPOSIT_VALUE],
            data_root: f[field::DATA_ROOT],
            fee: f[field::TX_FEE],
            backward_link: payment.link,
            allow_chain: [false, payment.chain],
            private_key: PrivateKey::reduce(&self.users[payment.owner].key).element(),
            account_required,
            signer,
        };
        witness.sign(&signs);
        witness
    }

    /// Returns the signer for a user: a registered key if the notes need the account.
    fn signer(&self, owner: usize, account_required: bool) -> (Signer, PrivateKey) {
        let user = &self.users[owner];
        let own = PrivateKey::reduce(&user.key);
        let Some((account, index)) = user.account_note().filter(|_| account_required) else {
            return (Signer::unregistered(&own.public()), own);
        };
        let signs = PrivateKey::reduce(&account.signing_key);
        let signer = Signer {
            alias_hash: account.alias,
            index: Fr::from(index),
            siblings: self.siblings(index),
            ..Signer::unregistered(&signs.public())
        };
        (signer, signs)
    }

    /// Returns the sibling path of a leaf in the settled data tree.
    fn siblings(&self, index: u32) -> [Fr; DATA_TREE_DEPTH as usize] {
        self.trees.data.siblings(u64::from(index).into())
    }
}
