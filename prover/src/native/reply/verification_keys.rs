//! Verification of proofs with the verification keys of a source.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use zkwhirl_circuits::Circuit;
use zkwhirl_job::reply::NotVerified;
use zkwhirl_keystore::{CircuitIdentity, VkSource};

use super::{
    batch::{BatchEntry, verify_batch},
    reply_proof::ReplyProof,
};
use crate::native::keys::{VerificationKey, identity};

/// A cache of verification keys. A key is read from the source for the first proof
/// of its circuit, and read again when a proof names another key.
#[derive(Debug)]
pub(super) struct VerificationKeys {
    source: Arc<dyn VkSource>,
    keys: Mutex<HashMap<Circuit, KeptKey>>,
}

/// A cached key with the circuit's identity, which is cached because building the
/// matrices takes longer than a verification.
#[derive(Debug, Clone)]
struct KeptKey {
    identity: Arc<CircuitIdentity>,
    key: Option<Arc<VerificationKey>>,
}

impl VerificationKeys {
    pub(super) fn new(source: Arc<dyn VkSource>) -> Self {
        Self {
            source,
            keys: Mutex::new(HashMap::new()),
        }
    }

    /// Verifies proofs of any circuits in one batch: each for its public input and
    /// under the source's key of its circuit.
    ///
    /// [`NotVerified::Refused`] names the first bad proof. `Refused` takes precedence
    /// over a missing key, because no key makes a bad proof good.
    pub(super) fn verify(&self, proofs: &[ReplyProof]) -> Result<(), NotVerified> {
        let mut checkable = Vec::with_capacity(proofs.len());
        let mut missing = None;
        for proof in proofs {
            match self.expected(&proof.circuit, proof.vk) {
                Ok(key) => checkable.push((proof, key)),
                Err(refused @ NotVerified::Refused { .. }) => {
                    return Err(refused.in_part(&proof.name));
                }
                Err(unknown) => missing = missing.or(Some(unknown.in_part(&proof.name))),
            }
        }
        let entries: Vec<BatchEntry<'_>> = checkable
            .iter()
            .map(|(proof, key)| BatchEntry {
                key,
                public_input: proof.public_input,
                proof: &proof.proof,
            })
            .collect();
        verify_batch(&entries)
            .map_err(|bad| NotVerified::refused(bad.problem).in_part(&checkable[bad.at].0.name))?;
        missing.map_or(Ok(()), Err)
    }

    /// The circuit's key, for a proof that names a key with the digest `named`. It
    /// is an error if the circuit's key has another digest.
    pub(super) fn expected(
        &self,
        circuit: &Circuit,
        named: [u8; 32],
    ) -> Result<Arc<VerificationKey>, NotVerified> {
        let key = self.key(circuit, named)?;
        if key.digest == named {
            return Ok(key);
        }
        Err(NotVerified::refused(format_args!(
            "the proof names verification key {}, this verifier has {} for {circuit}",
            hex::encode(&named[..8]),
            hex::encode(&key.digest[..8]),
        )))
    }

    /// The cached key if its digest is `named`, otherwise the source's current key:
    /// a fleet that lost a key makes another key. After a failure of the source,
    /// the proof can be neither accepted nor refused.
    fn key(&self, circuit: &Circuit, named: [u8; 32]) -> Result<Arc<VerificationKey>, NotVerified> {
        let mut kept = self.kept(circuit);
        if let Some(key) = &kept.key
            && key.digest == named
        {
            return Ok(Arc::clone(key));
        }
        let bytes = self
            .source
            .vk(&kept.identity)
            .map_err(NotVerified::cannot_check)?
            .ok_or_else(|| {
                NotVerified::cannot_check(format_args!("there is no key for {circuit} yet"))
            })?;
        let key = VerificationKey::parse(&bytes).map_err(|error| {
            NotVerified::cannot_check(format_args!("the verification key for {circuit} {error}"))
        })?;
        let key = Arc::new(key);
        kept.key = Some(Arc::clone(&key));
        self.keys().insert(*circuit, kept);
        Ok(key)
    }

    fn kept(&self, circuit: &Circuit) -> KeptKey {
        // The lock is held while the matrices are built, so that only one thread
        // builds them: they take much memory, and the others need the same identity.
        let mut keys = self.keys();
        let kept = keys.entry(*circuit).or_insert_with(|| KeptKey {
            identity: Arc::new(identity(circuit, &circuit.matrices())),
            key: None,
        });
        kept.clone()
    }

    fn keys(&self) -> MutexGuard<'_, HashMap<Circuit, KeptKey>> {
        self.keys.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests;
