//! The trait's implementation, and verification keys, which need no key file.

use super::{FleetKeyStore, Manifest};
use crate::{
    CircuitIdentity, ClientCircuit, Generate, Generated, KeyError, KeyFile, KeyStore, Provenance,
    Watch, blobs,
};

impl KeyStore for FleetKeyStore {
    fn find(&self, circuit: &CircuitIdentity) -> Result<Option<KeyFile>, KeyError> {
        self.find_key(circuit)
    }

    fn find_or_generate(
        &self,
        circuit: &CircuitIdentity,
        provenance: &Provenance,
        generate: &mut Generate<'_>,
        watch: &Watch<'_>,
    ) -> Result<Generated, KeyError> {
        self.key(circuit, provenance, generate, watch)
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
            // Redis has lost the manifest, or the key was never made. A key that
            // was the fleet's is published again by the next worker that looks.
            return Ok(self.pin(circuit).and_then(|pin| self.here(&pin)));
        };
        if let Some(vk) = self.here(&manifest) {
            return Ok(Some(vk));
        }
        let record = self.registry.vk_key(&manifest.vk);
        let Some(vk) = self.registry.vk(&manifest.vk)? else {
            let problem = "a manifest names it, and it is not there".to_owned();
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
                // Redis has lost the key: write it again, unless another process
                // was quicker.
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
            let problem = format!("{client} names it, and it is not there");
            return Err(KeyError::Record { record, problem });
        };
        self.keep_client(client, &bytes);
        Ok(Some(bytes))
    }
}

impl FleetKeyStore {
    /// The verification key of a manifest, if this machine has it.
    fn here(&self, manifest: &Manifest) -> Option<Vec<u8>> {
        // A damaged file counts as absent: the key is fetched again.
        let vk = self.local.blobs().get(&manifest.vk).ok()??;
        let place = self.local.blobs().path(&manifest.vk);
        manifest.check_vk(&vk, &place.display().to_string()).ok()?;
        Some(vk)
    }

    fn keep_client(&self, client: &ClientCircuit, bytes: &[u8]) {
        // The copy is needed only while Redis is away.
        if let Err(error) = self.local.set_client_vk(client, bytes) {
            tracing::warn!(%client, %error, "cannot store a verification key locally");
        }
    }
}
