//! Where transactions come in.

use bytes::Bytes;
use zkwhirl_circuits::client::ClientWitness;
use zkwhirl_circuits::client::proof_id;
use zkwhirl_job::request::{ClientProof, field};

use super::ClientProofs;

/// The replies to the two verification key jobs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ClientKeys {
    /// For payments.
    pub join_split: Bytes,
    /// For accounts.
    pub account: Bytes,
}

/// Proves what users send, and lets in what verifies.
#[derive(Debug, Clone, Copy)]
pub struct Door<'a> {
    /// The users' proofs.
    pub proofs: &'a dyn ClientProofs,
    /// What Falafel verifies with; without keys it looks at no proof.
    pub keys: Option<&'a ClientKeys>,
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

impl Door<'_> {
    /// Proves a transaction and lets it in.
    pub(crate) fn send(&self, witness: &ClientWitness) -> Result<ClientProof, NotLetIn> {
        let proof = self.proofs.prove(witness).map_err(NotLetIn::Unproved)?;
        self.receive(&proof)?;
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
