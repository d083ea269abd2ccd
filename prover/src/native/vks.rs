//! Verification keys in use, by circuit.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use zkwhirl_circuits::Circuit;
use zkwhirl_keystore::{CircuitIdentity, VkSource};

use super::VerificationKey;

/// The verification keys of a source.
///
/// A key is looked up when the first proof of its circuit comes, and kept;
/// when a proof names another one, once more.
#[derive(Debug)]
pub(super) struct Vks {
    source: Arc<dyn VkSource>,
    keys: Mutex<HashMap<String, Kept>>,
}

/// A key in use. The identity is kept with it, because building the matrices
/// takes longer than verifying.
#[derive(Debug, Clone)]
struct Kept {
    identity: Arc<CircuitIdentity>,
    key: Option<Arc<VerificationKey>>,
}

impl Vks {
    pub(super) fn new(source: Arc<dyn VkSource>) -> Self {
        Self {
            source,
            keys: Mutex::new(HashMap::new()),
        }
    }

    /// The circuit's key: the kept one if it is the one that is named, else
    /// what the source has now. A fleet that lost its key has another one.
    pub(super) fn key(
        &self,
        circuit: &Circuit,
        named: [u8; 32],
    ) -> Result<Arc<VerificationKey>, String> {
        let name = circuit.to_string();
        let mut kept = self.kept(circuit, &name);
        if let Some(key) = &kept.key
            && key.digest == named
        {
            return Ok(Arc::clone(key));
        }
        let bytes = self
            .source
            .vk(&kept.identity)
            .map_err(|error| error.to_string())?
            .ok_or_else(|| format!("there is no key for {name} yet"))?;
        let key = VerificationKey::parse(&bytes)
            .map_err(|error| format!("the verification key for {name} {error}"))?;
        let key = Arc::new(key);
        kept.key = Some(Arc::clone(&key));
        self.keys().insert(name, kept);
        Ok(key)
    }

    fn kept(&self, circuit: &Circuit, name: &str) -> Kept {
        // Held while the matrices are built: they take much memory, and all that
        // wait here want the same.
        let mut keys = self.keys();
        if let Some(kept) = keys.get(name) {
            return kept.clone();
        }
        let kept = Kept {
            identity: Arc::new(identity(circuit)),
            key: None,
        };
        keys.insert(name.to_owned(), kept.clone());
        kept
    }

    fn keys(&self) -> MutexGuard<'_, HashMap<String, Kept>> {
        self.keys.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What a circuit's key is kept under.
pub fn identity(circuit: &Circuit) -> CircuitIdentity {
    let matrices = circuit.matrices();
    CircuitIdentity {
        name: circuit.to_string(),
        matrices: hex::encode(matrices.digest()),
        rows: matrices.num_rows as u64,
    }
}

#[cfg(test)]
mod tests;
