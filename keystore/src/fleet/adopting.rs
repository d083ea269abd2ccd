//! Fetching of a key that the fleet already has.

use std::fs;

use super::{FleetKeyStore, Manifest, registry::KnownKey, shared::SharedFolder};
use crate::{
    Advance, CircuitIdentity, Generate, KeyError, KeyFile, KeyStore, Watch,
    embedded::writing::KeyLock,
};

impl FleetKeyStore {
    /// The local key, if the manifest names it. Writes the parts of the key that
    /// Redis or the shared directory lack.
    pub(super) fn ours(
        &self,
        circuit: &CircuitIdentity,
        known: &KnownKey,
    ) -> Result<Option<KeyFile>, KeyError> {
        let manifest = &known.manifest;
        let key = match self.local.find(circuit) {
            Ok(Some(key)) if manifest.names(&key) => key,
            Ok(_) | Err(KeyError::Damaged { .. } | KeyError::Foreign(_)) => return Ok(None),
            Err(error) => return Err(error),
        };
        manifest.check_key(&key)?;
        self.remember(manifest, key.vk());
        if let Err(error) = self.give(&key, known) {
            tracing::warn!(circuit = circuit.name, %error, "cannot share this machine's copy of the fleet's key");
        }
        Ok(Some(key))
    }

    fn give(&self, key: &KeyFile, known: &KnownKey) -> Result<(), KeyError> {
        let manifest = &known.manifest;
        if !known.has_vk {
            self.registry.put_vk(key.vk())?;
        }
        match &self.shared {
            // The same key, made again by another release, has another file.
            Some(shared) if !shared.has(manifest) && key.digest() == manifest.file => {
                shared.put(key, manifest)
            }
            _ => Ok(()),
        }
    }

    /// The manifest's key: the local file, otherwise a local copy of the shared file.
    pub(super) fn adopt(
        &self,
        lock: &KeyLock,
        circuit: &CircuitIdentity,
        known: &KnownKey,
        watch: &Watch<'_>,
    ) -> Result<KeyFile, KeyError> {
        // A process that held the lock before may have fetched the key.
        if let Some(key) = self.ours(circuit, known)? {
            return Ok(key);
        }
        let shared = self.shared_file(circuit, &known.manifest)?;
        let unfinished = self.local.unfinished_path(circuit);
        let key = self.local.unfinished(circuit).and_then(|file| {
            shared.fetch(&known.manifest, &file, watch)?;
            let key = KeyFile::open(&unfinished, circuit)?;
            known.manifest.check_key(&key)?;
            Ok(key)
        });
        let key = key.inspect_err(|_| {
            // If this file cannot be removed, the next attempt overwrites it.
            let _ = fs::remove_file(&unfinished);
        })?;
        self.make_way(lock, circuit)?;
        let key = self.local.put_in_place(lock, circuit, key)?;
        tracing::info!(circuit = circuit.name, key = %key.id(), "key fetched from the shared directory");
        // Writes the parts of the key that Redis may lack.
        self.ours(circuit, known)?;
        Ok(key)
    }

    /// The shared directory, if it has the key.
    fn shared_file(
        &self,
        circuit: &CircuitIdentity,
        manifest: &Manifest,
    ) -> Result<&SharedFolder, KeyError> {
        let missing = match &self.shared {
            None => "no shared directory is set".to_owned(),
            Some(shared) => {
                let path = shared.path(manifest);
                if path.exists() {
                    return Ok(shared);
                }
                format!("there is no {}", path.display())
            }
        };
        Err(KeyError::NotShared(format!(
            "the fleet's key {} for {} is not on this machine, and {missing}; start a worker that \
             has the key, or, if all copies are lost, delete {} in Redis and another key is made",
            short(&manifest.key),
            circuit.name,
            self.registry.manifest_key(circuit)
        )))
    }

    /// Makes a seeded key again if its file is not shared: the same seed gives the
    /// same key.
    pub(super) fn remake(
        &self,
        lock: &KeyLock,
        known: &KnownKey,
        generate: &mut Generate<'_>,
    ) -> Result<KeyFile, KeyError> {
        let Manifest {
            circuit,
            provenance,
            ..
        } = &known.manifest;
        self.make_way(lock, circuit)?;
        let advance = Advance::default();
        let key = self
            .local
            .make(lock, circuit, provenance, advance, generate)?;
        if let Err(error) = known.manifest.check_key(&key) {
            self.set_aside(lock, circuit, Some(&key))?;
            return Err(error);
        }
        // Writes the parts that Redis and the shared directory lack.
        self.ours(circuit, known)?;
        Ok(key)
    }

    /// Renames this machine's key of the circuit, if there is a key.
    fn make_way(&self, lock: &KeyLock, circuit: &CircuitIdentity) -> Result<(), KeyError> {
        let path = self.local.path(circuit);
        match path.exists() {
            true => self.set_aside(lock, circuit, KeyFile::inspect(&path).ok().as_ref()),
            false => Ok(()),
        }
    }

    /// Renames a key that is not the fleet's; `None`: the key is damaged.
    pub(super) fn set_aside(
        &self,
        lock: &KeyLock,
        circuit: &CircuitIdentity,
        key: Option<&KeyFile>,
    ) -> Result<(), KeyError> {
        let why = key.map_or("damaged".to_owned(), |key| short(&key.id().to_string()));
        let aside = self.local.set_aside(lock, circuit, &why)?;
        tracing::warn!(
            circuit = circuit.name,
            path = %aside.display(),
            "renamed a local key, because it is damaged or not the fleet's key"
        );
        Ok(())
    }
}

fn short(id: &str) -> String {
    id.chars().take(8).collect()
}
