//! One key per circuit for a whole fleet.
//!
//! Redis holds, per circuit, the *manifest* that says which key is everybody's,
//! the verification keys by digest, and a lock for whoever makes a key that
//! there is not yet. Proving keys lie in each machine's own directory, and by
//! digest in one that all see.
//!
//! - The manifest is written once, never over another: not the lock keeps two
//!   keys apart but this. The lock only saves the work of making both.
//! - A lock has a *fence*, larger than all before it. Who held the lock, slept
//!   and finds a larger one cannot publish.
//! - Redis is a record of what the machines hold. When it has lost everything,
//!   the first that holds a key publishes it again; when it is away, all go on
//!   with keys that it confirmed before (the *pin* beside the key).

use std::{path::Path, thread};

use crate::{
    CircuitIdentity, EmbeddedKeyStore, Generate, Generated, Generator, KeyError, KeyFile,
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
pub use manifest::Manifest;
use registry::Registry;
use shared::Shared;

/// Keys that a fleet has in common.
#[derive(Debug)]
pub struct FleetKeyStore {
    local: EmbeddedKeyStore,
    registry: Registry,
    shared: Option<Shared>,
    config: FleetConfig,
}

impl FleetKeyStore {
    /// Keys in `data_dir/keys` that are the fleet's. Connects at the first use.
    pub fn new(data_dir: &Path, config: FleetConfig) -> Result<Self, KeyError> {
        config.check()?;
        Ok(Self {
            local: EmbeddedKeyStore::new(data_dir),
            registry: Registry::new(&config)?,
            shared: config.shared.clone().map(Shared::new),
            config,
        })
    }

    /// The keys of this machine.
    pub fn local(&self) -> &EmbeddedKeyStore {
        &self.local
    }

    /// The fleet's key of a circuit, as it was published.
    pub fn manifest(&self, circuit: &CircuitIdentity) -> Result<Option<Manifest>, KeyError> {
        let known = self.registry.state(circuit)?.known;
        Ok(known.map(|known| known.manifest))
    }

    /// Removes a key from this machine, from the shared directory and from Redis,
    /// so that another becomes the fleet's; false when the fleet's is another,
    /// which then stays. A machine that still holds the key publishes it again:
    /// stop the others, and remove it there too.
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

    /// Who makes the key of a circuit now.
    pub fn generator(&self, circuit: &CircuitIdentity) -> Result<Option<Generator>, KeyError> {
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
            let turn = self.local.turn(circuit)?;
            return self.adopt(&turn, circuit, known, &|_| {}).map(Some);
        }
        let Some(key) = self.local.find(circuit)? else {
            return Ok(None);
        };
        // Only a key that was the fleet's before is published by a mere look.
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
            let Some(turn) = self.local.try_turn(circuit)? else {
                self.wait(circuit, state.generator, watch)?;
                continue;
            };
            if let Some(known) = &state.known {
                match self.adopt(&turn, circuit, known, watch) {
                    Err(missing @ KeyError::NotShared { .. })
                        if known.manifest.provenance == *provenance && provenance.is_insecure() =>
                    {
                        tracing::info!(%missing, "a development key is made again");
                        return self.remake(&turn, known, generate).and_then(new);
                    }
                    adopted => return adopted.and_then(old),
                }
            }
            if let Some(key) = self.local.find(circuit)? {
                // A development key must not become the key of a fleet that
                // wants another; the caller refuses it.
                if key.provenance().is_insecure() && !provenance.is_insecure() {
                    return old(key);
                }
                // That another came first is seen when the state is read again.
                self.publish(&key, None)?;
                continue;
            }
            let Some(fence) = self.registry.claim(circuit)? else {
                drop(turn);
                self.wait(circuit, state.generator, watch)?;
                continue;
            };
            if let Some(key) = self.make(&turn, circuit, provenance, &fence, generate)? {
                return new(key);
            }
        }
    }

    /// Lets some time pass for the process that makes the key.
    fn wait(
        &self,
        circuit: &CircuitIdentity,
        generator: Option<Generator>,
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
        // Nothing wakes this thread; a false alarm only looks sooner.
        thread::park_timeout(self.config.look_every);
        Ok(())
    }
}

#[cfg(test)]
mod tests;
