//! Users who prove their transactions with an engine.

use std::sync::Mutex;

use bytes::Bytes;
use zkwhirl_circuits::client::ClientWitness;
use zkwhirl_falafel::users::{ClientProofs, TxError};
use zkwhirl_job::{Word, reply::NotVerified, request::ClientProof};

use super::{Engine, verify_client};

/// All users have one engine.
#[derive(Debug)]
pub(crate) struct Wallets<'a>(pub(crate) &'a Mutex<Engine>);

impl ClientProofs for Wallets<'_> {
    fn prove(&self, witness: &ClientWitness) -> Result<ClientProof, TxError> {
        let mut engine = self.0.lock().unwrap();
        let receipt = engine.prove_client(witness, &|_| {});
        let receipt = receipt.map_err(|error| TxError::Unproved(error.to_string()))?;
        Ok(client_proof(&receipt.reply))
    }

    fn verify(&self, key: &Bytes, proof: &ClientProof) -> Result<(), NotVerified> {
        verify_client(key, proof)
    }
}

/// The client proof in a reply: 16 fields of 32 bytes, then a tail.
pub(crate) fn client_proof(reply: &Bytes) -> ClientProof {
    let (words, _) = reply.as_chunks::<32>();
    ClientProof {
        public_inputs: std::array::from_fn(|place| Word(words[place])),
        tail: reply.slice(16 * 32..),
    }
}
