//! Verification keys of a store, and proofs checked with them.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use ark_bn254::{Bn254, Fr};
use ark_groth16::{Groth16, Proof};
use ark_serialize::CanonicalDeserialize;
use zkwhirl_circuits::Circuit;
use zkwhirl_keystore::{CircuitIdentity, KeyStore};

use super::{VerificationKey, reading::ProofClaim};

/// Keys are looked up in the store when the first proof of their circuit comes,
/// and kept; when a proof names another one, once more.
#[derive(Debug)]
pub(super) struct VerificationKeys {
    store: Arc<dyn KeyStore>,
    keys: Mutex<HashMap<Circuit, Kept>>,
}

/// A key in use. The identity is kept with it, because building the matrices
/// takes longer than verifying.
#[derive(Debug, Clone)]
struct Kept {
    identity: Arc<CircuitIdentity>,
    key: Option<Arc<VerificationKey>>,
}

/// Why a proof is not accepted.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NotVerified {
    /// There is no key to check it with.
    #[error("{0}")]
    NoKey(String),
    /// It is none, of another key, or does not verify.
    #[error("{0}")]
    Refused(String),
}

impl VerificationKeys {
    pub(super) fn new(store: Arc<dyn KeyStore>) -> Self {
        Self {
            store,
            keys: Mutex::new(HashMap::new()),
        }
    }

    /// Accepts a proof that verifies for its public input under this store's
    /// key of its circuit.
    pub(super) fn verify(&self, claim: &ProofClaim) -> Result<(), NotVerified> {
        let named = |problem: String| format!("{}: {problem}", claim.name);
        let key = self
            .key(&claim.circuit, claim.vk)
            .map_err(|problem| NotVerified::NoKey(named(problem)))?;
        let refused = |problem: String| NotVerified::Refused(named(problem));
        if claim.vk != key.digest {
            return Err(refused(format!(
                "the proof names verification key {}, this verifier has {}",
                hex::encode(&claim.vk[..8]),
                hex::encode(&key.digest[..8])
            )));
        }
        let proof = Proof::deserialize_compressed(&claim.proof[..])
            .map_err(|error| refused(format!("the proof is not three curve points: {error}")))?;
        verify_proof(&key, &proof, claim.public_input).map_err(refused)
    }

    /// The circuit's key: the kept one if it is the one that is named, else
    /// what the store has now. A fleet that lost its key has another one.
    pub(super) fn key(
        &self,
        circuit: &Circuit,
        named: [u8; 32],
    ) -> Result<Arc<VerificationKey>, String> {
        let mut kept = self.kept(circuit);
        if let Some(key) = &kept.key
            && key.digest == named
        {
            return Ok(Arc::clone(key));
        }
        let bytes = self
            .store
            .verification_key(&kept.identity)
            .map_err(|error| error.to_string())?
            .ok_or_else(|| format!("there is no key for {circuit} yet"))?;
        let key = VerificationKey::parse(&bytes)
            .map_err(|error| format!("the verification key for {circuit} {error}"))?;
        let key = Arc::new(key);
        kept.key = Some(Arc::clone(&key));
        self.keys().insert(*circuit, kept);
        Ok(key)
    }

    fn kept(&self, circuit: &Circuit) -> Kept {
        // Held while the matrices are built: they take much memory, and all that
        // wait here want the same.
        let mut keys = self.keys();
        if let Some(kept) = keys.get(circuit) {
            return kept.clone();
        }
        let matrices = circuit.matrices();
        let identity = CircuitIdentity {
            name: circuit.to_string(),
            matrices: hex::encode(matrices.digest()),
            rows: matrices.num_rows as u64,
        };
        let identity = Arc::new(identity);
        let kept = Kept {
            identity,
            key: None,
        };
        keys.insert(*circuit, kept.clone());
        kept
    }

    fn keys(&self) -> MutexGuard<'_, HashMap<Circuit, Kept>> {
        self.keys.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The pairing check, for the one public input.
pub(super) fn verify_proof(
    key: &VerificationKey,
    proof: &Proof<Bn254>,
    public_input: Fr,
) -> Result<(), String> {
    match Groth16::<Bn254>::verify_proof(&key.prepared, proof, &[public_input]) {
        Ok(true) => Ok(()),
        Ok(false) => Err("the proof does not verify for its published fields".to_owned()),
        Err(error) => Err(format!("the proof cannot be verified: {error}")),
    }
}

#[cfg(test)]
mod tests;
