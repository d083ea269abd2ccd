//! Making a key that the whole fleet waits for.

use std::{
    sync::mpsc::{self, RecvTimeoutError},
    thread,
};

use super::{
    FleetKeyStore, Manifest,
    registry::{Fence, Published},
};
use crate::{Advance, CircuitIdentity, Generate, KeyError, KeyFile, Provenance, embedded::Turn};

impl FleetKeyStore {
    /// Makes the key and publishes it. `None`: another is the fleet's, or is
    /// being made; look again.
    pub(super) fn make(
        &self,
        turn: &Turn,
        circuit: &CircuitIdentity,
        provenance: &Provenance,
        fence: &Fence,
        generate: &mut Generate<'_>,
    ) -> Result<Option<KeyFile>, KeyError> {
        let advance = Advance::default();
        let made = self.while_renewing(circuit, fence, &advance, || {
            let made = self
                .local
                .make(turn, circuit, provenance, advance.clone(), generate)?;
            let published = self.publish(&made, Some(fence));
            published.map(|published| (made, published))
        });
        match made {
            Ok((key, Published::Yes)) => Ok(Some(key)),
            Ok((key, Published::NotFirst)) => {
                // An answer that was lost may have been our own success.
                let known = self.registry.state(circuit)?.known;
                if known.is_some_and(|known| known.manifest.names(&key)) {
                    return Ok(Some(key));
                }
                self.set_aside(turn, circuit, &key)?;
                Ok(None)
            }
            Ok((key, Published::Outdated)) => {
                self.set_aside(turn, circuit, &key)?;
                Ok(None)
            }
            Err(_) if advance.is_overtaken() => Ok(None),
            Err(error) => {
                // Redis may be what failed; then the lock ends by itself.
                let _ = self.registry.release(circuit, fence);
                Err(error)
            }
        }
    }

    /// Runs `work` and meanwhile says every third of a lease that it goes on.
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
                        // While Redis is away nobody else can take over either.
                        Err(error) => {
                            tracing::warn!(circuit = circuit.name, %error, "cannot keep the lock");
                        }
                    }
                }
            });
            let result = work();
            drop(done);
            result
        })
    }

    /// Makes a key the fleet's: one that was made with `fence`, or one that was
    /// here before.
    pub(super) fn publish(
        &self,
        key: &KeyFile,
        fence: Option<&Fence>,
    ) -> Result<Published, KeyError> {
        let manifest = Manifest::of(key, &self.config.who)?;
        // The file first: what a manifest names can be fetched.
        if let Some(shared) = &self.shared {
            shared.put(key, &manifest)?;
        }
        let published = self.registry.publish(&manifest, key.vk(), fence)?;
        if published == Published::Yes {
            self.remember(&manifest, key.vk());
            let circuit = &key.circuit().name;
            tracing::info!(circuit, key = %key.id(), "key published");
        }
        Ok(published)
    }
}
