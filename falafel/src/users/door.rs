//! Where transactions come in.

use std::{
    collections::HashMap,
    sync::{Mutex, MutexGuard, PoisonError},
};

use bytes::Bytes;
use zkwhirl_circuits::{client::ClientWitness, proof_id};
use zkwhirl_job::{
    Word,
    request::{ClientProof, field},
};

use super::ClientProofs;

/// The replies to the two verification key jobs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ClientKeys {
    /// For payments.
    pub join_split: Bytes,
    /// For accounts.
    pub account: Bytes,
}

/// Transactions that came in and are not settled. It outlives processes, as
/// the original's database does: what is rolled up again after a restart is
/// the same to the last bit of its proofs.
#[derive(Debug, Default)]
pub struct Pool(Mutex<HashMap<[Word; 16], ClientProof>>);

/// Proves what users send, and lets in what verifies.
#[derive(Debug, Clone, Copy)]
pub struct Door<'a> {
    /// The users' proofs.
    pub proofs: &'a dyn ClientProofs,
    /// What Falafel verifies with; without keys it looks at no proof.
    pub keys: Option<&'a ClientKeys>,
    /// Where they go; nobody proves again what is there.
    pub pool: &'a Pool,
}

/// A user's transaction that did not come in.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NotLetIn {
    /// The user could not prove it.
    #[error("a user's transaction was not proved: {0}")]
    Unproved(String),
    /// Its proof is not good.
    #[error("a user's transaction was not let in: {0}")]
    Refused(String),
}

impl Pool {
    /// A rollup is settled, and what is left cannot be spent as it is.
    pub(crate) fn clear(&self) {
        self.locked().clear();
    }

    fn locked(&self) -> MutexGuard<'_, HashMap<[Word; 16], ClientProof>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Door<'_> {
    /// Proves a transaction of these public inputs and lets it in, unless it
    /// came in before.
    pub(crate) fn send(
        &self,
        fields: [Word; 16],
        witness: &ClientWitness,
    ) -> Result<ClientProof, NotLetIn> {
        if let Some(proof) = self.pool.locked().get(&fields) {
            return Ok(proof.clone());
        }
        let proof = self.proofs.prove(witness).map_err(NotLetIn::Unproved)?;
        if proof.public_inputs != fields {
            let why = "its proof is of other public inputs".to_owned();
            return Err(NotLetIn::Unproved(why));
        }
        self.receive(&proof)?;
        self.pool.locked().insert(fields, proof.clone());
        Ok(proof)
    }

    /// Lets a transaction in when its proof verifies.
    pub fn receive(&self, proof: &ClientProof) -> Result<(), NotLetIn> {
        let Some(keys) = self.keys else {
            return Ok(());
        };
        let id = proof.public_inputs[field::PROOF_ID].to_u64();
        let key = if id == Some(proof_id::ACCOUNT) {
            &keys.account
        } else {
            &keys.join_split
        };
        let verified = self.proofs.verify(key, proof);
        verified.map_err(NotLetIn::Refused)
    }
}
