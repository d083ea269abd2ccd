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

/// The variable that carries Redis's URL to a prover child: a password does not
/// belong on a command line.
pub(super) const REDIS_URL: &str = "ZKWHIRL_REDIS_URL";

/// The Redis and the folder through which a fleet shares its keys.
#[derive(Debug, Clone)]
pub struct FleetKeys {
    /// The fleet's Redis.
    pub redis_url: Url,
    /// The fleet's namespace there.
    pub namespace: String,
    /// A folder that all machines see, for the proving keys.
    pub share: Option<PathBuf>,
}

/// The keystore of a data directory: a fleet's with `fleet`, else this
/// machine's alone.
pub fn key_store(
    data_dir: &Path,
    fleet: Option<&FleetKeys>,
) -> Result<Arc<dyn KeyStore>, KeyError> {
    let Some(fleet) = fleet else {
        return Ok(Arc::new(EmbeddedKeyStore::new(data_dir)));
    };
    Ok(Arc::new(fleet_store(data_dir, fleet)?))
}

/// A fleet's keys.
pub fn fleet_store(data_dir: &Path, fleet: &FleetKeys) -> Result<FleetKeyStore, KeyError> {
    let address = RedisAddress::new(fleet.redis_url.clone(), &fleet.namespace);
    FleetKeyStore::new(data_dir, FleetConfig::new(address, fleet.share.clone()))
}

/// Verification keys of the clients' circuits, from a keystore: the native
/// ones of the poseidon suite, else those that were imported.
#[derive(Debug)]
pub struct StoredClientVks {
    /// Where they are kept.
    pub store: Arc<dyn KeyStore>,
    /// The hashes of the clients' notes.
    pub suite: Suite,
    /// Whether workers answer with mocks, which are never kept.
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

/// The statement whose verification key a job asks for; `None` for other
/// kinds.
pub fn client_statement(kind: Kind) -> Option<StatementKind> {
    match kind.command() {
        Command::GetJoinSplitVk => Some(StatementKind::JoinSplit),
        Command::GetAccountVk => Some(StatementKind::Account),
        _ => None,
    }
}

/// The client circuit that a verification key job asks for; `None` for other
/// kinds.
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
                tracing::warn!("cannot look up the {kind}: {error}");
                None
            }
        }
    }

    fn learn(&self, kind: Kind, reply: &Bytes) {
        // A native key is in the store already, a mock's belongs in none.
        if self.suite == Suite::Poseidon || self.proverless {
            return;
        }
        let Some(circuit) = client_circuit(self.suite, kind) else {
            return;
        };
        if let Err(error) = self.store.import_client_vk(&circuit, reply) {
            tracing::warn!("cannot keep the {kind}: {error}");
        }
    }
}
