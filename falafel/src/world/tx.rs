//! A transaction before and while it enters a rollup.

use ark_bn254::Fr;
use bytes::Bytes;
use rand::Rng;
use zkwhirl_circuits::client::ClientWitness;
use zkwhirl_job::request::{ClientProof, field};

use super::{
    World,
    parts::{Deposit, UserNote, word},
};
use crate::users::{TxError, TxReceiver, mock_tail};

/// A transaction that enters a rollup.
#[derive(Debug, Clone)]
pub(super) struct Tx {
    /// The public inputs, at the indexes of [`field`].
    pub(super) fields: [Fr; 16],
    pub(super) tail: Bytes,
    /// The witness of the user's proof; `None` for claims and in the pedersen
    /// suite.
    pub(super) witness: Option<ClientWitness>,
    /// Index of the transaction's data root in the tree of data roots.
    pub(super) root_index: u32,
    /// The notes that the transaction creates, in the order of its commitments.
    pub(super) notes: [Option<UserNote>; 2],
    pub(super) deposit: Option<Deposit>,
}

impl Tx {
    pub(super) fn new(proof_id: u64, root_index: u32, root: Fr) -> Self {
        let mut fields = [Fr::from(0u64); 16];
        fields[field::PROOF_ID] = Fr::from(proof_id);
        fields[field::DATA_ROOT] = root;
        Self {
            fields,
            tail: mock_tail(),
            witness: None,
            root_index,
            notes: [None; 2],
            deposit: None,
        }
    }

    /// Returns the client proof as it stands in a request.
    pub(super) fn wire(&self) -> ClientProof {
        ClientProof {
            public_inputs: self.fields.map(|value| word(&value)),
            tail: self.tail.clone(),
        }
    }

    /// Has the user prove the transaction, if it has a witness.
    pub(super) fn prove(&mut self, receiver: &TxReceiver<'_>) -> Result<(), TxError> {
        if let Some(witness) = &self.witness {
            let fields = self.fields.map(|value| word(&value));
            self.tail = receiver.send(fields, witness)?.tail;
        }
        Ok(())
    }
}

impl World {
    /// Returns an empty transaction under the last settled data root. Without
    /// `needs_tree` the data root is sometimes an older one.
    pub(super) fn tx(&mut self, proof_id: u64, needs_tree: bool) -> Tx {
        let last = self.next_rollup;
        let index = if !needs_tree && self.rng.gen_ratio(1, 2) {
            self.rng.gen_range(0..=last)
        } else {
            last
        };
        let root = self.trees.roots.leaf(u64::from(index).into());
        Tx::new(proof_id, index, root)
    }
}
