//! Verification keys of a store, and proofs checked with them.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use zkwhirl_circuits::Circuit;
use zkwhirl_keystore::{CircuitIdentity, VkSource};

use super::{
    batch::{Entry, verify_batch},
    reading::ProofClaim,
};
use crate::native::keys::{VerificationKey, identity};

/// Keys are looked up in their source when the first proof of their circuit comes,
/// and kept; when a proof names another one, once more.
#[derive(Debug)]
pub(crate) struct VerificationKeys {
    source: Arc<dyn VkSource>,
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

impl From<String> for NotVerified {
    fn from(reason: String) -> Self {
        Self::Refused(reason)
    }
}

impl VerificationKeys {
    pub(crate) fn new(source: Arc<dyn VkSource>) -> Self {
        Self {
            source,
            keys: Mutex::new(HashMap::new()),
        }
    }

    /// Accepts proofs of any circuits, in one batch, when each verifies for its
    /// public input under this source's key of its circuit; otherwise says
    /// which is the first that does not.
    pub(crate) fn verify(&self, claims: &[ProofClaim]) -> Result<(), NotVerified> {
        let mut keys = Vec::with_capacity(claims.len());
        for claim in claims {
            let named = |problem: String| format!("{}: {problem}", claim.name);
            let key = self
                .key(&claim.circuit, claim.vk)
                .map_err(|problem| NotVerified::NoKey(named(problem)))?;
            if claim.vk != key.digest {
                return Err(NotVerified::Refused(named(format!(
                    "the proof names verification key {}, this verifier has {} for {}",
                    hex::encode(&claim.vk[..8]),
                    hex::encode(&key.digest[..8]),
                    claim.circuit,
                ))));
            }
            keys.push(key);
        }
        let entries: Vec<Entry<'_>> = claims
            .iter()
            .zip(&keys)
            .map(|(claim, key)| Entry {
                key,
                public_input: claim.public_input,
                proof: &claim.proof,
            })
            .collect();
        verify_batch(&entries).map_err(|bad| {
            let name = &claims[bad.at].name;
            NotVerified::Refused(format!("{name}: {}", bad.problem))
        })
    }

    /// The circuit's key: the kept one if it is the one that is named, else
    /// what the source has now. A fleet that lost its key has another one.
    pub(crate) fn key(
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
            .source
            .vk(&kept.identity)
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
        let kept = Kept {
            identity: Arc::new(identity(circuit, &circuit.matrices())),
            key: None,
        };
        keys.insert(*circuit, kept.clone());
        kept
    }

    fn keys(&self) -> MutexGuard<'_, HashMap<Circuit, Kept>> {
        self.keys.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests;
