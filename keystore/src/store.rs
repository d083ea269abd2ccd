//! The trait through which provers and verifiers get their keys.

use std::{fmt::Debug, sync::Arc, time::Duration};

use crate::{
    CircuitIdentity, ClientCircuit, EmbeddedKeyStore, KeyError, KeyFile, KeyWriter, Provenance,
};

/// Writes a key's sections. One call of the store may run this function again, if
/// another process took over the generation and then died.
pub type Generate<'a> = dyn FnMut(&mut KeyWriter) -> Result<(), KeyError> + 'a;

/// Receives the progress of a key while the caller of the store waits.
pub(crate) type Watch<'a> = dyn Fn(&KeyProgress) + Sync + 'a;

/// Keys by identity: one key per circuit for all processes that share the store.
///
/// All calls block, and a call that generates a key blocks until the setup has
/// ended: call them from a thread that may block. No call needs an async runtime,
/// because the process of a prover child has no runtime.
pub trait KeyStore: Send + Sync + Debug {
    /// The key of a circuit, if the store has a key. A damaged key is an error and
    /// not `None`: a store never replaces a key silently.
    fn find(&self, circuit: &CircuitIdentity) -> Result<Option<KeyFile>, KeyError>;

    /// Returns the key of a circuit. If there is no key, one process generates it
    /// with `generate`, which writes the sections, and all others wait. A process
    /// that dies during the generation leaves no key.
    fn find_or_generate(
        &self,
        circuit: &CircuitIdentity,
        provenance: &Provenance,
        generate: &mut Generate<'_>,
        watch: &Watch<'_>,
    ) -> Result<Generated, KeyError>;

    /// The verification key of a circuit, if the circuit has a key. The proving
    /// key need not be on this machine.
    fn verification_key(&self, circuit: &CircuitIdentity) -> Result<Option<Vec<u8>>, KeyError>;

    /// Stores the verification key of a client circuit, of 1 to
    /// [`CLIENT_VK_BYTES`](crate::CLIENT_VK_BYTES) bytes. Importing the
    /// same key again is no error; another key is an error.
    fn import_client_vk(&self, client: &ClientCircuit, bytes: &[u8]) -> Result<(), KeyError>;

    /// The verification key of a client circuit, if a key was imported: exactly
    /// the imported bytes.
    fn client_vk(&self, client: &ClientCircuit) -> Result<Option<Vec<u8>>, KeyError>;
}

/// A key, and whether the call generated it.
#[derive(Debug)]
pub struct Generated {
    /// The key.
    pub key: KeyFile,
    /// True if this call generated the key.
    pub fresh: bool,
}

/// What the store does, or waits for, while its caller waits.
#[derive(Debug, Clone, PartialEq)]
pub enum KeyProgress {
    /// Another process is generating the key.
    Waiting(KeyGenerator),
    /// The key exists and is being copied to this machine.
    Fetching {
        /// The number of bytes that have been copied.
        bytes: u64,
        /// The length of the whole key in bytes.
        of: u64,
    },
}

/// The process that is generating a key, and its progress.
#[derive(Debug, Clone, PartialEq)]
pub struct KeyGenerator {
    /// The name that the process gives itself.
    pub who: String,
    /// The time since the generation began.
    pub since: Duration,
    /// The fraction of the generation that is done, 0 to 1, as last reported.
    pub fraction: f32,
}

impl From<EmbeddedKeyStore> for Arc<dyn KeyStore> {
    fn from(store: EmbeddedKeyStore) -> Self {
        Arc::new(store)
    }
}

/// Refuses a development key unless `allow_dev_keys`.
pub fn ensure_usable(key: &KeyFile, allow_dev_keys: bool) -> Result<(), KeyError> {
    if allow_dev_keys || !key.provenance().is_insecure() {
        return Ok(());
    }
    Err(KeyError::Refused(format!(
        "the key for {} is a {}: everybody can forge proofs under it; allow it with \
         --allow-dev-keys, or make another key with zkwhirl keys generate",
        key.circuit().name,
        key.provenance(),
    )))
}
