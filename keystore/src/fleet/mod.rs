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

use std::{path::Path, thread};

use crate::{
    CircuitIdentity, EmbeddedKeyStore, Generate, Generated, KeyError, KeyFile, KeyGenerator,
    KeyProgress, Provenance, Watch,
};

mod adopting;
mod config;
mod link;
mod making;
mod manifest;
mod pin;
mod registry;
mod shared;
mod store;

pub use config::FleetConfig;
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

impl FleetKeyStore {
    /// The fleet's keys, with local copies in `data_dir/keys`. Connects to Redis
    /// at the first use.
    pub fn new(data_dir: &Path, config: FleetConfig) -> Result<Self, KeyError> {
        config.check()?;
        Ok(Self {
            local: EmbeddedKeyStore::new(data_dir),
            registry: Registry::new(&config)?,
            shared: config.shared.clone().map(SharedFolder::new),
            config,
        })
    }

    /// The keys of this machine.
    #[cfg(test)]
    fn local(&self) -> &EmbeddedKeyStore {
        &self.local
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

    /// The process that makes the key of a circuit now.
    #[cfg(test)]
    fn generator(&self, circuit: &CircuitIdentity) -> Result<Option<KeyGenerator>, KeyError> {
        Ok(self.registry.state(circuit)?.generator)
    }

    fn find_key(&self, circuit: &CircuitIdentity) -> Result<Option<KeyFile>, KeyError> {
        let state = match self.registry.state(circuit) {
            Ok(state) => state,
            Err(away @ KeyError::Away { .. }) => return self.held(circuit, away).map(Some),
            Err(error) => return Err(error),
        };
        if let Some(known) = &state.known {
            if let Some(key) = self.ours(circuit, known)? {
                return Ok(Some(key));
            }
            let lock = self.local.lock(circuit)?;
            return self.adopt(&lock, circuit, known, &|_| {}).map(Some);
        }
        let Some(key) = self.local.find(circuit)? else {
            return Ok(None);
        };
        // A lookup publishes only a key that was the fleet's before.
        if self.pin(circuit).is_some_and(|pin| pin.names(&key)) {
            self.publish(&key, None)?;
        }
        Ok(Some(key))
    }

    fn key(
        &self,
        circuit: &CircuitIdentity,
        provenance: &Provenance,
        generate: &mut Generate<'_>,
        watch: &Watch<'_>,
    ) -> Result<Generated, KeyError> {
        let old = |key| Ok(Generated { key, fresh: false });
        let new = |key| Ok(Generated { key, fresh: true });
        loop {
            let state = match self.registry.state(circuit) {
                Ok(state) => state,
                Err(away @ KeyError::Away { .. }) => return self.held(circuit, away).and_then(old),
                Err(error) => return Err(error),
            };
            if let Some(known) = &state.known
                && let Some(key) = self.ours(circuit, known)?
            {
                return old(key);
            }
            let Some(lock) = self.local.try_lock(circuit)? else {
                self.wait(circuit, state.generator, watch)?;
                continue;
            };
            if let Some(known) = &state.known {
                match self.adopt(&lock, circuit, known, watch) {
                    Err(missing @ KeyError::NotShared { .. })
                        if known.manifest.provenance == *provenance && provenance.is_insecure() =>
                    {
                        tracing::info!(%missing, "a development key is made again");
                        return self.remake(&lock, known, generate).and_then(new);
                    }
                    adopted => return adopted.and_then(old),
                }
            }
            if let Some(key) = self.local.find(circuit)? {
                // A development key must not become the key of a fleet that
                // allows none; the caller refuses the key.
                if key.provenance().is_insecure() && !provenance.is_insecure() {
                    return old(key);
                }
                // The next look at the state shows whether another key came
                // first.
                self.publish(&key, None)?;
                continue;
            }
            let Some(fence) = self.registry.claim(circuit)? else {
                drop(lock);
                self.wait(circuit, state.generator, watch)?;
                continue;
            };
            if let Some(key) = self.make(&lock, circuit, provenance, &fence, generate)? {
                return new(key);
            }
        }
    }

    /// Waits for the process that makes the key.
    fn wait(
        &self,
        circuit: &CircuitIdentity,
        generator: Option<KeyGenerator>,
        watch: &Watch<'_>,
    ) -> Result<(), KeyError> {
        if let Some(generator) = generator {
            if generator.since > self.config.patience {
                return Err(KeyError::TooLong {
                    circuit: circuit.name.clone(),
                    who: generator.who,
                    minutes: generator.since.as_secs() / 60,
                });
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
