//! The receiver of users' transactions.

use std::{collections::HashMap, sync::Mutex};

use bytes::Bytes;
use zkwhirl_circuits::{client::ClientWitness, proof_id};
use zkwhirl_job::{
    Word,
    reply::NotVerified,
    request::{ClientProof, field},
};

use super::ClientProofs;
use crate::locked::locked;

/// The replies to the two verification key jobs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ClientKeys {
    /// The key for payments (join-split transactions).
    pub join_split: Bytes,
    /// The key for account transactions.
    pub account: Bytes,
}

/// Transactions that were accepted and are not settled. The pool outlives
/// processes, as the original's database does: a rollup that is made again
/// after a restart has the same proofs, byte for byte.
#[derive(Debug, Default)]
pub struct TxPool(Mutex<HashMap<[Word; 16], ClientProof>>);

/// Has users' transactions proved, and accepts those whose proofs verify.
#[derive(Debug, Clone, Copy)]
pub struct TxReceiver<'a> {
    /// The prover and verifier of users' transactions.
    pub proofs: &'a dyn ClientProofs,
    /// The keys that verify transactions. `None`: every transaction is accepted.
    pub keys: Option<&'a ClientKeys>,
    /// The accepted transactions, which are not proved again.
    pub pool: &'a TxPool,
}

/// Why a user's transaction was not accepted.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum TxError {
    /// The user could not prove the transaction.
    #[error("a user's transaction was not proved: {0}")]
    Unproved(String),
    /// The transaction's proof was refused.
    #[error("a user's transaction was not accepted: {0}")]
    Refused(#[from] NotVerified),
}

impl TxPool {
    /// Empties the pool after a rollup is settled: the remaining transactions
    /// cannot be spent unchanged.
    pub(crate) fn clear(&self) {
        locked(&self.0).clear();
    }
}

impl TxReceiver<'_> {
    /// Has a transaction with these public inputs proved and accepts it, unless
    /// the pool already contains it. Returns the proof.
    pub(crate) fn send(
        &self,
        fields: [Word; 16],
        witness: &ClientWitness,
    ) -> Result<ClientProof, TxError> {
        if let Some(proof) = locked(&self.pool.0).get(&fields) {
            return Ok(proof.clone());
        }
        let proof = self.proofs.prove(witness)?;
        if proof.public_inputs != fields {
            let why = "its proof has other public inputs".to_owned();
            return Err(TxError::Unproved(why));
        }
        self.receive(&proof)?;
        locked(&self.pool.0).insert(fields, proof.clone());
        Ok(proof)
    }

    /// Accepts a transaction if its proof verifies.
    pub(crate) fn receive(&self, proof: &ClientProof) -> Result<(), TxError> {
        let Some(keys) = self.keys else {
            return Ok(());
        };
        let id = proof.public_inputs[field::PROOF_ID].to_u64();
        let key = if id == Some(proof_id::ACCOUNT) {
            &keys.account
        } else {
            &keys.join_split
        };
        Ok(self.proofs.verify(key, proof)?)
    }
}
