//! The trait that provers and verifiers get their keys through.

use std::{fmt::Debug, sync::Arc, time::Duration};

use crate::{CircuitIdentity, ClientCircuit, EmbeddedKeyStore, KeyError, KeyFile, KeyWriter};
use crate::{FleetKeyStore, Provenance};

/// Writes a key's sections. It runs again when the first run was overtaken by
/// another process that then died.
pub type Generate<'a> = dyn FnMut(&mut KeyWriter) -> Result<(), KeyError> + 'a;

/// Hears what a store does while its caller waits.
pub type Watch<'a> = dyn Fn(&KeyProgress) + Sync + 'a;

/// Keys by identity: one key per circuit for all that share the store.
///
/// All calls block, for as long as a setup takes when a key is generated, and
/// need no runtime: a prover's child has none. Call them from a thread that may
/// block.
pub trait KeyStore: Send + Sync + Debug {
    /// The key of a circuit, when there is one.
    fn find(&self, circuit: &CircuitIdentity) -> Result<Option<KeyFile>, KeyError>;

    /// The key of a circuit; `generate` writes its sections when there is none
    /// and no other process makes it already.
    fn find_or_generate(
        &self,
        circuit: &CircuitIdentity,
        provenance: &Provenance,
        generate: &mut Generate<'_>,
        watch: &Watch<'_>,
    ) -> Result<Generated, KeyError>;

    /// The verification key of a circuit, when there is a key. Needs no proving
    /// key on this machine.
    fn verification_key(&self, circuit: &CircuitIdentity) -> Result<Option<Vec<u8>>, KeyError>;

    /// Keeps the verification key of a client circuit, of 1 to
    /// [`CLIENT_VK_BYTES`](crate::CLIENT_VK_BYTES) bytes. Giving the same again
    /// is no error, giving another one is.
    fn import_client_vk(&self, client: &ClientCircuit, bytes: &[u8]) -> Result<(), KeyError>;

    /// The verification key of a client circuit, when one was imported; its
    /// bytes are those that were given.
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

/// What a store does while its caller waits.
#[derive(Debug, Clone, PartialEq)]
pub enum KeyProgress {
    /// Another process makes the key.
    Waiting(Generator),
    /// The key is made already, and is being copied here.
    Fetching {
        /// Bytes that are here.
        bytes: u64,
        /// Bytes of the whole key.
        of: u64,
    },
}

/// Who makes a key, since when, and how far it is.
#[derive(Debug, Clone, PartialEq)]
pub struct Generator {
    /// The process, as it calls itself.
    pub who: String,
    /// How long it has been at it.
    pub since: Duration,
    /// How much is done, 0 to 1, as far as it says.
    pub fraction: f32,
}

impl From<EmbeddedKeyStore> for Arc<dyn KeyStore> {
    fn from(store: EmbeddedKeyStore) -> Self {
        Arc::new(store)
    }
}

impl From<FleetKeyStore> for Arc<dyn KeyStore> {
    fn from(store: FleetKeyStore) -> Self {
        Arc::new(store)
    }
}

/// Refuses a development key unless `allow_dev_keys`.
pub fn ensure_usable(key: &KeyFile, allow_dev_keys: bool) -> Result<(), KeyError> {
    if allow_dev_keys || !key.provenance().is_insecure() {
        return Ok(());
    }
    Err(KeyError::DevKeyRefused {
        circuit: key.circuit().name.clone(),
        provenance: key.provenance().to_string(),
    })
}
