//! One key per circuit for a whole fleet.
//!
//! For each circuit, Redis has the *manifest* of the fleet's key, verification
//! keys by digest, and a lock for the process that makes a missing key. Proving
//! keys are files in each machine's own directory and in a directory that all
//! machines share, where each file is named after its digest.
//!
//! - A manifest is written once and never replaced. This rule, and not the lock,
//!   keeps a fleet from having two keys. The lock only saves the work of making
//!   two.
//! - Each lock has a *fence*, a number that is larger than every earlier fence. A
//!   process that held the lock and was delayed cannot publish after a later fence.
//! - After Redis has lost its data, the first machine that has a key publishes the
//!   key again. While Redis is unreachable, machines use the keys that Redis
//!   confirmed before: the *pin* beside a key records the confirmation.

use std::{
    path::{Path, PathBuf},
    process, thread,
    time::Duration,
};

use zkwhirl_redis::RedisAddress;

use crate::{
    CircuitIdentity, EmbeddedKeyStore, KeyError, KeyFile, KeyGenerator, KeyProgress, Watch,
    blobs::hostname,
};

mod adopting;
mod link;
mod making;
mod manifest;
mod pin;
mod registry;
mod shared;
mod store;

use manifest::Manifest;
use registry::Registry;
use shared::SharedFolder;

/// Keys that all machines of a fleet share.
#[derive(Debug)]
pub struct FleetKeyStore {
    local: EmbeddedKeyStore,
    registry: Registry,
    shared: Option<SharedFolder>,
    config: FleetConfig,
}

/// The places of a fleet's keys, and the time limits of its processes.
#[derive(Debug, Clone)]
pub struct FleetConfig {
    /// The Redis and the prefix of its keys: fleets with different prefixes share
    /// no keys. The names of Redis keys begin with the prefix and `keys:`.
    address: RedisAddress,
    /// The shared directory of proving keys.
    shared: Option<PathBuf>,
    /// The name of this process in the messages of processes that wait for it.
    who: String,
    /// The time limit for an answer of Redis.
    timeout: Duration,
    /// How long the lock lasts after a renewal: if a generating process dies,
    /// another process takes over after this time.
    lease: Duration,
    /// The interval at which a waiting process reads the record again.
    look_every: Duration,
    /// The longest wait for a process that is generating a key. The largest setup
    /// that fits a machine takes minutes.
    patience: Duration,
}

impl FleetConfig {
    /// The fleet whose records are in the Redis at `address`, and whose proving keys
    /// are in `shared`, a directory on a network file system or an object store's
    /// mount. `None`: the operator copies the keys to every machine.
    pub fn new(address: RedisAddress, shared: Option<PathBuf>) -> Self {
        Self {
            address,
            shared,
            who: format!("{} pid {}", hostname(), process::id()),
            timeout: Duration::from_secs(5),
            lease: Duration::from_secs(30),
            look_every: Duration::from_millis(500),
            patience: Duration::from_secs(3600),
        }
    }
}

impl FleetKeyStore {
    /// A store of the fleet's keys, with local copies in `data_dir/keys`. It
    /// connects to Redis at the first use.
    pub fn new(data_dir: &Path, config: FleetConfig) -> Result<Self, KeyError> {
        Ok(Self {
            local: EmbeddedKeyStore::new(data_dir),
            registry: Registry::new(&config)?,
            shared: config.shared.clone().map(SharedFolder),
            config,
        })
    }

    /// The manifest of the fleet's key of a circuit, if the fleet has a key.
    pub fn manifest(&self, circuit: &CircuitIdentity) -> Result<Option<Manifest>, KeyError> {
        let known = self.registry.state(circuit)?.known;
        Ok(known.map(|known| known.manifest))
    }

    /// Removes a key from this machine, the shared directory and Redis, so that
    /// another key can become the fleet's key. Returns false if the fleet's key is
    /// another key, which is kept. A machine that still has the removed key publishes
    /// it again: stop the other processes, and remove the key on all machines.
    pub fn remove(&self, key: KeyFile) -> Result<bool, KeyError> {
        let (path, circuit) = (key.path().to_owned(), key.circuit().clone());
        let id = key.id().to_string();
        let known = self.registry.state(&circuit)?.known;
        drop(key);
        self.local.remove(&path)?;
        let ours = known.filter(|known| known.manifest.key == id);
        let Some(known) = ours else {
            return Ok(false);
        };
        if let Some(shared) = &self.shared {
            shared.remove(&known.manifest)?;
        }
        self.registry.forget(&circuit, &id)
    }

    fn wait(
        &self,
        circuit: &CircuitIdentity,
        generator: Option<KeyGenerator>,
        watch: &Watch<'_>,
    ) -> Result<(), KeyError> {
        if let Some(generator) = generator {
            if generator.since > self.config.patience {
                return Err(KeyError::Refused(format!(
                    "gave up waiting for the key for {}: {} has been making it for {} minutes",
                    circuit.name,
                    generator.who,
                    generator.since.as_secs() / 60,
                )));
            }
            watch(&KeyProgress::Waiting(generator));
        }
        // No thread unparks this thread; after a spurious wake-up, the next look
        // only comes earlier.
        thread::park_timeout(self.config.look_every);
        Ok(())
    }
}

#[cfg(test)]
mod tests;
