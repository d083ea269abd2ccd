//! Keys in a directory: made on first use, by one process at a time.

pub(crate) mod writing;

use std::{
    fs::{self, File, TryLockError},
    io,
    path::{Path, PathBuf},
};

use crate::{
    Advance, CircuitIdentity, ClientCircuit, Generate, Generated, KeyError, KeyFile, KeyStore,
    Provenance, Watch,
    blobs::{self, Blobs},
};

/// Keys in `DATA_DIR/keys`, one file each, named after the circuit and its
/// matrices. The folders `vk` and `client` there hold verification keys.
#[derive(Debug, Clone)]
pub struct EmbeddedKeyStore {
    directory: PathBuf,
    pub(crate) blobs: Blobs,
}

impl EmbeddedKeyStore {
    /// A store of the keys in `data_dir/keys`; the directory is created when the
    /// first key is made.
    pub fn new(data_dir: &Path) -> Self {
        let directory = data_dir.join("keys");
        Self {
            blobs: Blobs(directory.join("vk")),
            directory,
        }
    }

    /// The directory of the keys.
    pub fn directory(&self) -> &Path {
        &self.directory
    }

    /// The path of a circuit's key file.
    pub fn path(&self, circuit: &CircuitIdentity) -> PathBuf {
        let name = circuit.name.replace('/', "-");
        self.directory
            .join(format!("{name}-{}.key", circuit.short()))
    }

    /// Opens and checks every key file, sorted by name; a damaged one is an `Err`.
    pub fn list(&self) -> Result<Vec<Result<KeyFile, KeyError>>, KeyError> {
        let failed = KeyError::io("list keys in", &self.directory);
        let Some(entries) = blobs::found(fs::read_dir(&self.directory)).map_err(failed)? else {
            return Ok(Vec::new());
        };
        let mut paths: Vec<PathBuf> = entries
            .filter_map(|entry| Some(entry.ok()?.path()))
            .filter(|path| path.extension().is_some_and(|ending| ending == "key"))
            .collect();
        paths.sort();
        Ok(paths.iter().map(|path| KeyFile::inspect(path)).collect())
    }

    /// Removes a key's file, intact or damaged, and its pin. A key that a process
    /// of this machine has open is not removed: that is an error.
    pub fn remove(&self, path: &Path) -> Result<(), KeyError> {
        let failed = KeyError::io("remove key", path);
        if is_in_use(path).map_err(&failed)? {
            return Err(KeyError::Refused(format!(
                "key {} is in use by a process of this machine; stop it first",
                path.display()
            )));
        }
        blobs::found(fs::remove_file(path.with_extension("pin"))).map_err(&failed)?;
        fs::remove_file(path)
            .and_then(|()| self.sync())
            .map_err(failed)
    }

    fn client_path(&self, client: &ClientCircuit) -> PathBuf {
        self.directory.join("client").join(client.slug())
    }

    pub(crate) fn client_digest(&self, client: &ClientCircuit) -> Result<Option<String>, KeyError> {
        let path = self.client_path(client);
        let Some(text) = blobs::read(&path)? else {
            return Ok(None);
        };
        let text = String::from_utf8_lossy(&text).trim().to_owned();
        if blobs::is_digest(&text) {
            return Ok(Some(text));
        }
        let problem = "it holds no digest".to_owned();
        Err(KeyError::damaged(&path, problem))
    }

    /// Stores a client circuit's verification key, in place of an older key.
    pub(crate) fn set_client_vk(
        &self,
        client: &ClientCircuit,
        bytes: &[u8],
    ) -> Result<(), KeyError> {
        let digest = self.blobs.put(bytes)?;
        blobs::write_whole(&self.client_path(client), format!("{digest}\n").as_bytes())
    }
}

fn is_in_use(path: &Path) -> io::Result<bool> {
    // On a file system without locks, a key in use looks unused.
    let locked = File::open(path)?.try_lock();
    Ok(matches!(locked, Err(TryLockError::WouldBlock)))
}

impl KeyStore for EmbeddedKeyStore {
    fn find(&self, circuit: &CircuitIdentity) -> Result<Option<KeyFile>, KeyError> {
        match KeyFile::open(&self.path(circuit), circuit) {
            Ok(key) => Ok(Some(key)),
            Err(KeyError::Io { source, .. }) if source.kind() == io::ErrorKind::NotFound => {
                Ok(None)
            }
            Err(error) => Err(error),
        }
    }

    fn find_or_generate(
        &self,
        circuit: &CircuitIdentity,
        provenance: &Provenance,
        generate: &mut Generate<'_>,
        _watch: &Watch<'_>,
    ) -> Result<Generated, KeyError> {
        let old = |key| Ok(Generated { key, fresh: false });
        if let Some(key) = self.find(circuit)? {
            return old(key);
        }
        // Another process may have made the key before it released the lock.
        let lock = self.lock(circuit)?;
        if let Some(key) = self.find(circuit)? {
            return old(key);
        }
        let key = self.make(&lock, circuit, provenance, Advance::default(), generate)?;
        Ok(Generated { key, fresh: true })
    }

    fn verification_key(&self, circuit: &CircuitIdentity) -> Result<Option<Vec<u8>>, KeyError> {
        let key = self.find(circuit)?;
        Ok(key.map(|key| key.vk().to_vec()))
    }

    fn import_client_vk(&self, client: &ClientCircuit, bytes: &[u8]) -> Result<(), KeyError> {
        client.check(bytes)?;
        let given = blobs::digest(bytes);
        match self.client_digest(client) {
            Ok(Some(here)) if here != given => {
                let place = self.client_path(client).display().to_string();
                Err(client.differs(&here, &given, &place))
            }
            // Importing the key again repairs a damaged file.
            _ => self.set_client_vk(client, bytes),
        }
    }

    fn client_vk(&self, client: &ClientCircuit) -> Result<Option<Vec<u8>>, KeyError> {
        let damaged = |problem| client.refused(format!("{problem}; import it again"));
        let mended = |error| match error {
            KeyError::Damaged { path, problem } => {
                damaged(format!("{} is damaged: {problem}", path.display()))
            }
            other => other,
        };
        let Some(digest) = self.client_digest(client).map_err(mended)? else {
            return Ok(None);
        };
        match self.blobs.get(&digest).map_err(mended)? {
            Some(bytes) => Ok(Some(bytes)),
            None => Err(damaged(format!(
                "its {} is gone",
                self.blobs.path(&digest).display()
            ))),
        }
    }
}

#[cfg(test)]
mod tests;
