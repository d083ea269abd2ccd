//! Keys in a directory: made on first use, by one process at a time.

use std::{
    fs::{self, File, OpenOptions},
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
/// matrices; small verification keys of their own in folders beside them.
#[derive(Debug, Clone)]
pub struct EmbeddedKeyStore {
    directory: PathBuf,
    blobs: Blobs,
}

/// The right of one process to change a circuit's key in a directory. It ends
/// with the process.
#[derive(Debug)]
pub(crate) struct Turn(#[expect(dead_code, reason = "closing the file ends the turn")] File);

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

    /// Where the keys are.
    pub fn directory(&self) -> &Path {
        &self.directory
    }

    /// The file of a circuit's key.
    pub fn path(&self, circuit: &CircuitIdentity) -> PathBuf {
        let name = circuit.name.replace('/', "-");
        self.directory
            .join(format!("{name}-{}.key", circuit.short()))
    }

    /// The key of a circuit, when there is one. A damaged one is an error, not
    /// an absence: nothing is silently made again.
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
    /// A lock file makes the processes of one directory take turns: the first
    /// generates, the others wait and read. A process that dies while it
    /// generates leaves only a temporary file, and the lock goes with it.
    pub fn find_or_generate(
        &self,
        circuit: &CircuitIdentity,
        provenance: &Provenance,
        generate: impl FnOnce(&mut KeyWriter) -> Result<(), KeyError>,
    ) -> Result<Generated, KeyError> {
        if let Some(key) = self.find(circuit)? {
            return Ok(Generated { key, fresh: false });
        }
        let turn = self.turn(circuit)?;
        if let Some(key) = self.find(circuit)? {
            return Ok(Generated { key, fresh: false });
        }
        let key = self.make(&turn, circuit, provenance, Advance::default(), generate)?;
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

    /// Removes a key's file, whole or damaged, and what is remembered of it.
    /// A key that a process of this machine has open is left alone.
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

    /// Small values here.
    pub(crate) fn blobs(&self) -> &Blobs {
        &self.blobs
    }

    /// Waits for the other processes of this directory.
    pub(crate) fn turn(&self, circuit: &CircuitIdentity) -> Result<Turn, KeyError> {
        self.lock(circuit, FlockOperation::LockExclusive)
            .map_err(self.failed("lock key", circuit))
    }

    /// The turn, unless another process of this directory has it.
    pub(crate) fn try_turn(&self, circuit: &CircuitIdentity) -> Result<Option<Turn>, KeyError> {
        match self.lock(circuit, FlockOperation::NonBlockingLockExclusive) {
            Ok(turn) => Ok(Some(turn)),
            Err(error) if error.raw_os_error() == Some(Errno::WOULDBLOCK.raw_os_error()) => {
                Ok(None)
            }
            Err(error) => Err(self.failed("lock key", circuit)(error)),
        }
    }

    fn lock(&self, circuit: &CircuitIdentity, operation: FlockOperation) -> io::Result<Turn> {
        fs::create_dir_all(&self.directory)?;
        let file = OpenOptions::new()
            .write(true)
            .create(true)
            .truncate(false)
            .open(self.path(circuit).with_extension("lock"))?;
        rustix::fs::flock(&file, operation)?;
        Ok(Turn(file))
    }

    /// Makes a key, over one that may be there.
    pub(crate) fn make(
        &self,
        turn: &Turn,
        circuit: &CircuitIdentity,
        provenance: &Provenance,
        advance: Advance,
        generate: impl FnOnce(&mut KeyWriter) -> Result<(), KeyError>,
    ) -> Result<KeyFile, KeyError> {
        let at = |action| self.failed(action, circuit);
        let file = self.unfinished(circuit)?;
        let mut writer = KeyWriter::new(file, circuit.clone(), provenance.clone(), advance)
            .map_err(at("write key"))?;
        generate(&mut writer)?;
        writer.finish().map_err(at("write key"))?;
        let key = KeyFile::open(&self.unfinished_path(circuit), circuit)?;
        self.put_in_place(turn, circuit, key)
    }

    /// An empty file for a key that is being written; only with the turn.
    pub(crate) fn unfinished(&self, circuit: &CircuitIdentity) -> Result<File, KeyError> {
        OpenOptions::new()
            .write(true)
            .create(true)
            .truncate(true)
            .open(self.unfinished_path(circuit))
            .map_err(self.failed("create key", circuit))
    }

    /// Where that file is.
    pub(crate) fn unfinished_path(&self, circuit: &CircuitIdentity) -> PathBuf {
        self.path(circuit).with_extension("unfinished")
    }

    /// Gives an unfinished key that turned out well its name.
    pub(crate) fn put_in_place(
        &self,
        _turn: &Turn,
        circuit: &CircuitIdentity,
        key: KeyFile,
    ) -> Result<KeyFile, KeyError> {
        let path = self.path(circuit);
        let renamed = fs::rename(key.path(), &path).and_then(|()| self.sync());
        renamed.map_err(self.failed("put in place key", circuit))?;
        Ok(key.moved_to(path))
    }

    /// Gives a key that must not be used another name.
    pub(crate) fn set_aside(
        &self,
        _turn: &Turn,
        circuit: &CircuitIdentity,
        why: &str,
    ) -> Result<PathBuf, KeyError> {
        let path = self.path(circuit);
        let aside = path.with_extension(format!("{why}.aside"));
        let renamed = fs::rename(&path, &aside).and_then(|()| self.sync());
        renamed.map_err(self.failed("set aside key", circuit))?;
        Ok(aside)
    }

    fn sync(&self) -> io::Result<()> {
        File::open(&self.directory)?.sync_all()
    }

    fn failed(
        &self,
        action: &'static str,
        circuit: &CircuitIdentity,
    ) -> impl FnOnce(io::Error) -> KeyError + use<> {
        let path = self.path(circuit);
        move |source| KeyError::Io {
            action,
            path,
            source,
        }
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

    /// Keeps a client circuit's verification key, whatever was there.
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
        // A file system without locks does not know.
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
            // To import it again mends what is damaged.
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
