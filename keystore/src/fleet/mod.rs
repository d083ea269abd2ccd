//! One key per circuit for a whole fleet.
//!
//! For each circuit, Redis has the *manifest* of the fleet's key, verification
//! keys by digest, and a lock for the process that makes a missing key. Proving
//! keys are files in each machine's own directory, and by digest in a directory
//! that all machines share.
//!
//! - A manifest is written once and never replaced. This rule, and not the lock,
//!   keeps a fleet from having two keys. The lock only saves the work of making
//!   two.
//! - Each lock has a *fence*, larger than every fence before it. A process that
//!   held the lock, slept and finds a larger fence cannot publish.
//! - Redis records the keys that machines have. After Redis has lost its data, the
//!   first machine with a key publishes the key again. While Redis is away, machines
//!   use the keys that Redis confirmed before (the *pin* beside the key).

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
    /// The Redis, and the namespace: fleets with different ones share nothing.
    /// Keys there begin with the address's prefix and `keys:`.
    address: RedisAddress,
    /// Proving keys by digest.
    shared: Option<PathBuf>,
    /// The name of this process in the messages of processes that wait for it.
    who: String,
    /// The time limit of one answer of Redis.
    timeout: Duration,
    /// How long a silent generator counts as alive: the longest wait for a dead
    /// one.
    lease: Duration,
    /// The interval at which a waiting process looks again.
    look_every: Duration,
    /// The longest wait for a living generator. The largest setup that fits a
    /// machine takes minutes.
    patience: Duration,
}

impl FleetConfig {
    /// The keys at `address`, and in a directory `shared` by all machines: a
    /// network file system, or the mount of an object store. `None`: the keys must
    /// reach every machine's own directory in another way.
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
    /// The fleet's keys, with local copies in `data_dir/keys`. Connects to Redis
    /// at the first use.
    pub fn new(data_dir: &Path, config: FleetConfig) -> Result<Self, KeyError> {
        Ok(Self {
            local: EmbeddedKeyStore::new(data_dir),
            registry: Registry::new(&config)?,
            shared: config.shared.clone().map(SharedFolder),
            config,
        })
    }

    /// The fleet's key of a circuit, as it was published.
    pub fn manifest(&self, circuit: &CircuitIdentity) -> Result<Option<Manifest>, KeyError> {
        let known = self.registry.state(circuit)?.known;
        Ok(known.map(|known| known.manifest))
    }

    /// Removes a key from this machine, from the shared directory and from Redis,
    /// so that another key can become the fleet's. False: the fleet's key is
    /// another one, which stays. A machine that still has the key publishes it
    /// again: stop the other processes, and remove the key there too.
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
                    "gave up on the key for {}: {} has been making it for {} minutes",
                    circuit.name,
                    generator.who,
                    generator.since.as_secs() / 60,
                )));
            }
            watch(&KeyProgress::Waiting(generator));
        }
        // Nothing wakes this thread on purpose; a spurious wake-up only makes
        // the next look earlier.
        thread::park_timeout(self.config.look_every);
        Ok(())
    }
}

#[cfg(test)]
mod tests;
