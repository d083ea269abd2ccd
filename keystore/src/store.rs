//! The trait that provers and verifiers get their keys through.

use std::{fmt::Debug, sync::Arc, time::Duration};

use crate::{
    CircuitIdentity, ClientCircuit, EmbeddedKeyStore, KeyError, KeyFile, KeyWriter, Provenance,
};

/// Writes a key's sections. It may run again: after another process took over
/// the work and then died.
pub type Generate<'a> = dyn FnMut(&mut KeyWriter) -> Result<(), KeyError> + 'a;

/// Receives the progress of a store while its caller waits.
pub(crate) type Watch<'a> = dyn Fn(&KeyProgress) + Sync + 'a;

/// Keys by identity: one key per circuit for all that share the store.
///
/// All calls block; a call that generates a key blocks as long as the setup
/// takes. No call needs a runtime: a prover's child has none. Call them from a
/// thread that may block.
pub trait KeyStore: Send + Sync + Debug {
    /// The key of a circuit, if there is one. A damaged key is an error, not an
    /// absence: a store never replaces a key silently.
    fn find(&self, circuit: &CircuitIdentity) -> Result<Option<KeyFile>, KeyError>;

    /// The key of a circuit. `generate` writes its sections if there is no key
    /// and no other process is making one: the others wait. A process that dies
    /// while it generates leaves no key.
    fn find_or_generate(
        &self,
        circuit: &CircuitIdentity,
        provenance: &Provenance,
        generate: &mut Generate<'_>,
        watch: &Watch<'_>,
    ) -> Result<Generated, KeyError>;

    /// The verification key of a circuit, if there is a key. This machine needs
    /// no proving key.
    fn verification_key(&self, circuit: &CircuitIdentity) -> Result<Option<Vec<u8>>, KeyError>;

    /// Keeps the verification key of a client circuit, of 1 to
    /// [`CLIENT_VK_BYTES`](crate::CLIENT_VK_BYTES) bytes. Importing the
    /// same key again is no error; another key is an error.
    fn import_client_vk(&self, client: &ClientCircuit, bytes: &[u8]) -> Result<(), KeyError>;

    /// The verification key of a client circuit, if one was imported: the very
    /// bytes of the import.
    fn client_vk(&self, client: &ClientCircuit) -> Result<Option<Vec<u8>>, KeyError>;
}

/// A key and whether it had to be made.
#[derive(Debug)]
pub struct Generated {
    /// The key.
    pub key: KeyFile,
    /// True when this call made it.
    pub fresh: bool,
}

/// The activity of a store while its caller waits.
#[derive(Debug, Clone, PartialEq)]
pub enum KeyProgress {
    /// Another process makes the key.
    Waiting(KeyGenerator),
    /// The key exists and is being copied to this machine.
    Fetching {
        /// Bytes that were copied.
        bytes: u64,
        /// Bytes of the whole key.
        of: u64,
    },
}

/// The process that makes a key, and its progress.
#[derive(Debug, Clone, PartialEq)]
pub struct KeyGenerator {
    /// The name that the process gives itself.
    pub who: String,
    /// The time since it began.
    pub since: Duration,
    /// The fraction that is done, 0 to 1, as the process reports it.
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
        "key for {} is a {}: it proves nothing to a stranger; \
         allow it with --allow-dev-keys, or make another with zkwhirl keys generate",
        key.circuit().name,
        key.provenance(),
    )))
}
