//! The implementation of [`KeyStore`] for a fleet.

use super::{FleetKeyStore, Manifest};
use crate::{
    CircuitIdentity, ClientCircuit, Generate, Generated, KeyError, KeyFile, KeyStore, Provenance,
    Watch, blobs,
};

impl KeyStore for FleetKeyStore {
    fn find(&self, circuit: &CircuitIdentity) -> Result<Option<KeyFile>, KeyError> {
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

    fn find_or_generate(
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
                    Err(missing @ KeyError::NotShared(_))
                        if known.manifest.provenance == *provenance && provenance.is_insecure() =>
                    {
                        tracing::info!(%missing, "making the fleet's development key again from its seed");
                        return self.remake(&lock, known, generate).and_then(new);
                    }
                    adopted => return adopted.and_then(old),
                }
            }
            if let Some(key) = self.local.find(circuit)? {
                // A development key must not become the key of a fleet that does
                // not allow development keys; the caller refuses the key.
                if key.provenance().is_insecure() && !provenance.is_insecure() {
                    return old(key);
                }
                // The next turn of the loop reads from Redis whether another key
                // was published first.
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

    fn verification_key(&self, circuit: &CircuitIdentity) -> Result<Option<Vec<u8>>, KeyError> {
        let known = match self.registry.state(circuit) {
            Ok(state) => state.known,
            Err(away @ KeyError::Away { .. }) => {
                let vk = self.pin(circuit).and_then(|pin| self.here(&pin));
                return vk.map(Some).ok_or(away);
            }
            Err(error) => return Err(error),
        };
        let Some(manifest) = known.map(|known| known.manifest) else {
            // Redis has lost the manifest, or the key was never made. The next
            // worker that looks up a lost key publishes it again.
            return Ok(self.pin(circuit).and_then(|pin| self.here(&pin)));
        };
        if let Some(vk) = self.here(&manifest) {
            return Ok(Some(vk));
        }
        let record = self.registry.vk_key(&manifest.vk);
        let Some(vk) = self.registry.vk(&manifest.vk)? else {
            let problem = "a manifest names it, but it does not exist".to_owned();
            return Err(KeyError::Record { record, problem });
        };
        manifest.check_vk(&vk, &record)?;
        self.remember(&manifest, &vk);
        Ok(Some(vk))
    }

    fn import_client_vk(&self, client: &ClientCircuit, bytes: &[u8]) -> Result<(), KeyError> {
        client.check(bytes)?;
        let given = blobs::digest(bytes);
        let here = self.registry.import_client(&client.slug(), bytes)?;
        if here != given {
            let place = format!("{} from redis", self.registry.client_key(&client.slug()));
            return Err(client.differs(&here, &given, &place));
        }
        self.keep_client(client, bytes);
        Ok(())
    }

    fn client_vk(&self, client: &ClientCircuit) -> Result<Option<Vec<u8>>, KeyError> {
        let local = self.local.client_vk(client).ok().flatten();
        let digest = match self.registry.client_digest(&client.slug()) {
            Ok(Some(digest)) => digest,
            Ok(None) => {
                // Redis has lost the key: write this machine's copy again, unless
                // another process was quicker.
                let Some(bytes) = &local else { return Ok(None) };
                self.registry.import_client(&client.slug(), bytes)?
            }
            Err(away @ KeyError::Away { .. }) => return local.map(Some).ok_or(away),
            Err(error) => return Err(error),
        };
        if let Some(bytes) = local.filter(|bytes| blobs::digest(bytes) == digest) {
            return Ok(Some(bytes));
        }
        let Some(bytes) = self.registry.vk(&digest)? else {
            let record = self.registry.vk_key(&digest);
            let problem = format!("the record of {client} names it, but it does not exist");
            return Err(KeyError::Record { record, problem });
        };
        self.keep_client(client, &bytes);
        Ok(Some(bytes))
    }
}

impl FleetKeyStore {
    /// The verification key that a manifest names, if this machine has a copy.
    fn here(&self, manifest: &Manifest) -> Option<Vec<u8>> {
        // A damaged file counts as absent: the key is fetched again.
        let vk = self.local.blobs.get(&manifest.vk).ok()??;
        let place = self.local.blobs.path(&manifest.vk);
        manifest.check_vk(&vk, &place.display().to_string()).ok()?;
        Some(vk)
    }

    fn keep_client(&self, client: &ClientCircuit, bytes: &[u8]) {
        // The copy is needed only while Redis is unreachable.
        if let Err(error) = self.local.set_client_vk(client, bytes) {
            tracing::warn!(%client, %error, "cannot store a client circuit's verification key on this machine");
        }
    }
}
