//! The provers of the simulated Falafel's users.

use std::sync::{Arc, Mutex, PoisonError};

use bytes::Bytes;
use zkwhirl_circuits::{Suite, client::ClientWitness};
use zkwhirl_falafel::users::{ClientProofs, MockProofs, TxError};
use zkwhirl_job::{
    Word,
    reply::{CLAIM_FIELDS, NotVerified},
    request::ClientProof,
};
use zkwhirl_prover::native::{Engine, verify_client};

/// Native client proofs of the poseidon suite, from an engine in this process.
#[derive(Debug)]
struct Wallets(Mutex<Engine>);

/// Returns simulated users who prove with the engine's keys or, in the pedersen
/// suite, send placeholders instead of PLONK proofs.
pub fn users(engine: Engine) -> Arc<dyn ClientProofs> {
    match engine.setting().suite {
        Suite::Poseidon => Arc::new(Wallets(Mutex::new(engine))),
        Suite::Pedersen => Arc::new(MockProofs),
    }
}

impl ClientProofs for Wallets {
    fn prove(&self, witness: &ClientWitness) -> Result<ClientProof, TxError> {
        let mut engine = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let receipt = engine
            .prove_client(witness, &|_| {})
            .map_err(|error| TxError::Unproved(error.to_string()))?;
        let mut public_inputs = [Word::ZERO; CLAIM_FIELDS];
        public_inputs.copy_from_slice(&receipt.fields);
        Ok(ClientProof {
            public_inputs,
            tail: receipt.reply.slice(32 * CLAIM_FIELDS..),
        })
    }

    fn verify(&self, key: &Bytes, proof: &ClientProof) -> Result<(), NotVerified> {
        verify_client(key, proof)
    }
}
