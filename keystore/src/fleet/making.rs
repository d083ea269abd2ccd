//! The generation of a key for which the whole fleet waits.

use std::{
    sync::mpsc::{self, RecvTimeoutError},
    thread,
};

use super::{
    FleetKeyStore, Manifest,
    registry::{Fence, Publication},
};
use crate::{
    Advance, CircuitIdentity, Generate, KeyError, KeyFile, Provenance, embedded::writing::KeyLock,
};

impl FleetKeyStore {
    /// Makes the key and publishes it. `None`: another process has published
    /// another key, or has taken over the generation; read the record again.
    pub(super) fn make(
        &self,
        lock: &KeyLock,
        circuit: &CircuitIdentity,
        provenance: &Provenance,
        fence: &Fence,
        generate: &mut Generate<'_>,
    ) -> Result<Option<KeyFile>, KeyError> {
        let advance = Advance::default();
        let made = self.while_renewing(circuit, fence, &advance, || {
            let made = self
                .local
                .make(lock, circuit, provenance, advance.clone(), generate)?;
            let published = self.publish(&made, Some(fence));
            published.map(|published| (made, published))
        });
        match made {
            Ok((key, Publication::Yes)) => Ok(Some(key)),
            Ok((key, published)) => {
                // An earlier try may have published the key and lost the answer.
                if published == Publication::NotFirst {
                    let known = self.registry.state(circuit)?.known;
                    if known.is_some_and(|known| known.manifest.names(&key)) {
                        return Ok(Some(key));
                    }
                }
                self.set_aside(lock, circuit, Some(&key))?;
                Ok(None)
            }
            Err(_) if advance.is_overtaken() => Ok(None),
            Err(error) => {
                // If Redis is unreachable, the lock expires.
                let _ = self.registry.release(circuit, fence);
                Err(error)
            }
        }
    }

    /// Runs `work` and meanwhile renews the lock, at least every third of a lease.
    fn while_renewing<T>(
        &self,
        circuit: &CircuitIdentity,
        fence: &Fence,
        advance: &Advance,
        work: impl FnOnce() -> T,
    ) -> T {
        let (done, ended) = mpsc::channel::<()>();
        let every = (self.config.lease / 3).min(self.config.look_every * 4);
        thread::scope(|scope| {
            scope.spawn(move || {
                while let Err(RecvTimeoutError::Timeout) = ended.recv_timeout(every) {
                    match self.registry.renew(circuit, fence, advance) {
                        Ok(true) => {}
                        Ok(false) => {
                            advance.overtake();
                            return;
                        }
                        // While Redis is unreachable, no other process can take over.
                        Err(error) => {
                            tracing::warn!(circuit = circuit.name, %error, "cannot renew the lock for making the key; trying again");
                        }
                    }
                }
            });
            let result = work();
            drop(done);
            result
        })
    }

    /// Makes a key the fleet's key: a new key with its `fence`, or without a fence
    /// an older key of this machine.
    pub(super) fn publish(
        &self,
        key: &KeyFile,
        fence: Option<&Fence>,
    ) -> Result<Publication, KeyError> {
        let manifest = Manifest::of(key, &self.config.who);
        // The file comes first, so that other machines can fetch the key as soon as
        // they see its manifest.
        if let Some(shared) = &self.shared {
            shared.put(key, &manifest)?;
        }
        let published = self.registry.publish(&manifest, key.vk(), fence)?;
        if published == Publication::Yes {
            self.remember(&manifest, key.vk());
            let circuit = &key.circuit().name;
            tracing::info!(circuit, key = %key.id(), "published the key as the fleet's key");
        }
        Ok(published)
    }
}
