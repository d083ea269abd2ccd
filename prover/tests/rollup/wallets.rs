//! Users who prove their transactions with an engine.

use std::sync::Mutex;

use bytes::Bytes;
use zkwhirl_circuits::client::ClientWitness;
use zkwhirl_falafel::users::ClientProofs;
use zkwhirl_job::{Word, request::ClientProof};

use super::{Engine, verify_client};

/// All users have one engine.
#[derive(Debug)]
pub(crate) struct Wallets<'a>(pub(crate) &'a Mutex<Engine>);

impl ClientProofs for Wallets<'_> {
    fn prove(&self, witness: &ClientWitness) -> Result<ClientProof, String> {
        let mut engine = self.0.lock().unwrap();
        let receipt = engine.prove_client(witness, &|_| {});
        Ok(client_proof(
            &receipt.map_err(|error| error.to_string())?.reply,
        ))
    }

    fn verify(&self, key: &Bytes, proof: &ClientProof) -> Result<(), String> {
        verify_client(key, proof)
    }
}

/// A reply of 16 words and a tail, as a tx carries it.
pub(crate) fn client_proof(reply: &Bytes) -> ClientProof {
    let (words, _) = reply.as_chunks::<32>();
    ClientProof {
        public_inputs: std::array::from_fn(|place| Word(words[place])),
        tail: reply.slice(16 * 32..),
    }
}
