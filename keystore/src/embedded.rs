//! Keys in a directory: made on first use, by one process at a time.

pub(crate) mod writing;

use std::{
    fs::{self, File},
    io,
    path::{Path, PathBuf},
};

use rustix::{fs::FlockOperation, io::Errno};

use crate::{
    Advance, CircuitIdentity, ClientCircuit, Generate, Generated, KeyError, KeyFile, KeyStore,
    KeyWriter, Provenance, Watch,
    blobs::{self, Blobs},
};

/// Keys under `DATA_DIR/keys`, one file each, named after the circuit and its
/// matrices. Folders beside them have single verification keys.
#[derive(Debug, Clone)]
pub struct EmbeddedKeyStore {
    directory: PathBuf,
    blobs: Blobs,
}

impl EmbeddedKeyStore {
    /// Keys in `data_dir/keys`; the directory is created when the first key is
    /// made.
    pub fn new(data_dir: &Path) -> Self {
        let directory = data_dir.join("keys");
        Self {
            blobs: Blobs::new(directory.join("vk")),
            directory,
        }
    }

    /// The directory of the keys.
    pub fn directory(&self) -> &Path {
        &self.directory
    }

    /// The file of a circuit's key.
    pub fn path(&self, circuit: &CircuitIdentity) -> PathBuf {
        let name = circuit.name.replace('/', "-");
        self.directory
            .join(format!("{name}-{}.key", circuit.short()))
    }

    /// The key of a circuit, if there is one. A damaged key is an error, not an
    /// absence: the store never replaces a key silently.
    pub fn find(&self, circuit: &CircuitIdentity) -> Result<Option<KeyFile>, KeyError> {
        let path = self.path(circuit);
        match KeyFile::open(&path, circuit) {
            Ok(key) => Ok(Some(key)),
            Err(KeyError::Io { source, .. }) if source.kind() == io::ErrorKind::NotFound => {
                Ok(None)
            }
            Err(error) => Err(error),
        }
    }

    /// The key of a circuit; `generate` writes its sections when there is none.
    ///
    /// Of several processes on one directory, the first one to lock the key
    /// generates; the others wait and read. A process that dies while it
    /// generates leaves a temporary file and no lock.
    pub fn find_or_generate(
        &self,
        circuit: &CircuitIdentity,
        provenance: &Provenance,
        generate: impl FnOnce(&mut KeyWriter) -> Result<(), KeyError>,
    ) -> Result<Generated, KeyError> {
        if let Some(key) = self.find(circuit)? {
            return Ok(Generated { key, fresh: false });
        }
        let lock = self.lock(circuit)?;
        if let Some(key) = self.find(circuit)? {
            return Ok(Generated { key, fresh: false });
        }
        let key = self.make(&lock, circuit, provenance, Advance::default(), generate)?;
        Ok(Generated { key, fresh: true })
    }

    /// Every key file here, opened and checked; damaged ones as errors.
    pub fn list(&self) -> Result<Vec<Result<KeyFile, KeyError>>, KeyError> {
        let entries = match fs::read_dir(&self.directory) {
            Ok(entries) => entries,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
            Err(source) => {
                return Err(KeyError::Io {
                    action: "list keys in",
                    path: self.directory.clone(),
                    source,
                });
            }
        };
        let mut paths: Vec<PathBuf> = entries
            .filter_map(|entry| Some(entry.ok()?.path()))
            .filter(|path| path.extension().is_some_and(|ending| ending == "key"))
            .collect();
        paths.sort();
        Ok(paths.iter().map(|path| KeyFile::inspect(path)).collect())
    }

    /// Removes a key's file, whole or damaged, and its pin. A key that a process
    /// of this machine has open stays, and is an error.
    pub fn remove(&self, path: &Path) -> Result<(), KeyError> {
        let failed = |source| KeyError::Io {
            action: "remove key",
            path: path.to_owned(),
            source,
        };
        if is_in_use(path).map_err(failed)? {
            return Err(KeyError::InUse {
                path: path.to_owned(),
            });
        }
        match fs::remove_file(path.with_extension("pin")) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(failed(error)),
            _ => {}
        }
        fs::remove_file(path)
            .and_then(|()| self.sync())
            .map_err(failed)
    }

    /// The folder of verification keys.
    pub(crate) fn blobs(&self) -> &Blobs {
        &self.blobs
    }

    fn client_path(&self, client: &ClientCircuit) -> PathBuf {
        self.directory.join("client").join(client.slug())
    }

    /// The digest of a client circuit's verification key.
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

    /// Keeps a client circuit's verification key, in place of an older one.
    pub(crate) fn set_client_vk(
        &self,
        client: &ClientCircuit,
        bytes: &[u8],
    ) -> Result<(), KeyError> {
        let digest = self.blobs.put(bytes)?;
        blobs::write_whole(&self.client_path(client), format!("{digest}\n").as_bytes())
    }
}

/// Whether a process of this machine has a key's file open.
pub(crate) fn is_in_use(path: &Path) -> io::Result<bool> {
    let file = File::open(path)?;
    match rustix::fs::flock(&file, FlockOperation::NonBlockingLockExclusive) {
        Err(Errno::WOULDBLOCK) => Ok(true),
        // On a file system without locks nobody can tell.
        Ok(()) | Err(_) => Ok(false),
    }
}

impl KeyStore for EmbeddedKeyStore {
    fn find(&self, circuit: &CircuitIdentity) -> Result<Option<KeyFile>, KeyError> {
        self.find(circuit)
    }

    fn find_or_generate(
        &self,
        circuit: &CircuitIdentity,
        provenance: &Provenance,
        generate: &mut Generate<'_>,
        _watch: &Watch<'_>,
    ) -> Result<Generated, KeyError> {
        self.find_or_generate(circuit, provenance, generate)
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
        let damaged = |problem: String| KeyError::ClientVk {
            client: client.to_string(),
            problem: format!("{problem}; import it again"),
        };
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
