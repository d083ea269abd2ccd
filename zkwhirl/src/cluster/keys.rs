//! The keystore of provers and verifiers.

use std::{
    path::{Path, PathBuf},
    sync::Arc,
};

use bytes::Bytes;
use url::Url;
use zkwhirl_bridge::ClientVks;
use zkwhirl_circuits::{StatementKind, Suite};
use zkwhirl_job::{Command, Kind};
use zkwhirl_keystore::{
    ClientCircuit, ClientKind, EmbeddedKeyStore, FleetConfig, FleetKeyStore, KeyError, KeyStore,
};
use zkwhirl_prover::native::client_vk;
use zkwhirl_redis::RedisAddress;

/// The environment variable that passes Redis's URL to a prover child: a command
/// line would show the password to other processes.
pub(super) const REDIS_URL: &str = "ZKWHIRL_REDIS_URL";

/// The Redis and the folder through which a fleet shares its keys.
#[derive(Debug, Clone)]
pub struct FleetKeys {
    /// The fleet's Redis.
    pub redis_url: Url,
    /// The fleet's namespace in Redis.
    pub namespace: String,
    /// A folder, mounted on all machines, through which proving keys are shared.
    pub share: Option<PathBuf>,
}

/// Opens the keystore of a data directory: with `fleet` one that shares its keys
/// with the fleet, else one of this machine only.
pub fn key_store(
    data_dir: &Path,
    fleet: Option<&FleetKeys>,
) -> Result<Arc<dyn KeyStore>, KeyError> {
    let Some(fleet) = fleet else {
        return Ok(Arc::new(EmbeddedKeyStore::new(data_dir)));
    };
    Ok(Arc::new(fleet_store(data_dir, fleet)?))
}

/// Opens a keystore that shares its keys with a fleet.
pub fn fleet_store(data_dir: &Path, fleet: &FleetKeys) -> Result<FleetKeyStore, KeyError> {
    let address = RedisAddress::new(fleet.redis_url.clone(), &fleet.namespace);
    FleetKeyStore::new(data_dir, FleetConfig::new(address, fleet.share.clone()))
}

/// Verification keys of the clients' circuits, from a keystore: the native
/// keys of the poseidon suite, or the imported keys of the pedersen suite.
#[derive(Debug)]
pub struct StoredClientVks {
    /// The keystore that holds the verification keys.
    pub store: Arc<dyn KeyStore>,
    /// The hash suite of the clients' notes.
    pub suite: Suite,
    /// True if workers answer with mock keys, which are never stored.
    pub proverless: bool,
}

impl StoredClientVks {
    fn find(&self, kind: Kind) -> Result<Option<Vec<u8>>, KeyError> {
        let native = self.suite == Suite::Poseidon && !self.proverless;
        match (client_statement(kind), client_circuit(self.suite, kind)) {
            (Some(statement), _) if native => client_vk(self.store.as_ref(), statement),
            (_, Some(circuit)) => self.store.client_vk(&circuit),
            _ => Ok(None),
        }
    }
}

/// The statement whose verification key a job of this kind requests; `None` for
/// other kinds.
pub fn client_statement(kind: Kind) -> Option<StatementKind> {
    match kind.command() {
        Command::GetJoinSplitVk => Some(StatementKind::JoinSplit),
        Command::GetAccountVk => Some(StatementKind::Account),
        _ => None,
    }
}

/// The client circuit whose verification key a job of this kind requests; `None`
/// for other kinds.
pub fn client_circuit(suite: Suite, kind: Kind) -> Option<ClientCircuit> {
    let kind = match client_statement(kind)? {
        StatementKind::JoinSplit => ClientKind::JoinSplit,
        _ => ClientKind::Account,
    };
    ClientCircuit::new(&suite.to_string(), kind).ok()
}

impl ClientVks for StoredClientVks {
    fn client_vk(&self, kind: Kind) -> Option<Bytes> {
        match self.find(kind) {
            Ok(found) => found.map(Bytes::from),
            Err(error) => {
                tracing::warn!("cannot look up the {kind}: {error}; a worker computes it");
                None
            }
        }
    }

    fn learn(&self, kind: Kind, reply: &Bytes) {
        // The store has native keys already, and mock keys are never stored.
        if self.suite == Suite::Poseidon || self.proverless {
            return;
        }
        let Some(circuit) = client_circuit(self.suite, kind) else {
            return;
        };
        if let Err(error) = self.store.import_client_vk(&circuit, reply) {
            tracing::warn!("cannot store the {kind}: {error}; a worker computes it again");
        }
    }
}
