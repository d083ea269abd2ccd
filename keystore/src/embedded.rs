//! Keys in a directory: made on first use, by one process at a time.

use std::{
    fs::{self, File, OpenOptions},
    io,
    path::{Path, PathBuf},
};

use rustix::fs::FlockOperation;

use crate::{CircuitIdentity, KeyError, KeyFile, KeyWriter, Provenance};

/// Keys under `DATA_DIR/keys`, one file each, named after the circuit and its
/// matrices.
#[derive(Debug, Clone)]
pub struct EmbeddedKeyStore {
    directory: PathBuf,
}

/// A key and whether it had to be made.
#[derive(Debug)]
pub struct Generated {
    /// The key.
    pub key: KeyFile,
    /// True when this call made it.
    pub fresh: bool,
}

impl EmbeddedKeyStore {
    /// Keys in `data_dir/keys`; the directory is created when the first key is
    /// made.
    pub fn new(data_dir: &Path) -> Self {
        Self {
            directory: data_dir.join("keys"),
        }
    }

    /// Where the keys are.
    pub fn directory(&self) -> &Path {
        &self.directory
    }

    /// The file of a circuit's key.
    pub fn path(&self, circuit: &CircuitIdentity) -> PathBuf {
        let matrices = circuit.matrices.get(..16).unwrap_or(&circuit.matrices);
        let name = circuit.name.replace('/', "-");
        self.directory.join(format!("{name}-{matrices}.key"))
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
        let path = self.path(circuit);
        let at = |action| {
            let path = path.clone();
            move |source| KeyError::Io {
                action,
                path,
                source,
            }
        };
        fs::create_dir_all(&self.directory).map_err(at("create the directory of key"))?;
        let _lock = lock(&path.with_extension("lock")).map_err(at("lock key"))?;
        if let Some(key) = self.find(circuit)? {
            return Ok(Generated { key, fresh: false });
        }
        let unfinished = path.with_extension("unfinished");
        let file = OpenOptions::new()
            .write(true)
            .create(true)
            .truncate(true)
            .open(&unfinished)
            .map_err(at("create key"))?;
        let mut writer =
            KeyWriter::new(file, circuit.clone(), provenance.clone()).map_err(at("write key"))?;
        generate(&mut writer)?;
        writer.finish().map_err(at("write key"))?;
        fs::rename(&unfinished, &path).map_err(at("put in place key"))?;
        File::open(&self.directory)
            .and_then(|directory| directory.sync_all())
            .map_err(at("put in place key"))?;
        let key = KeyFile::open(&path, circuit)?;
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
}

/// Refuses a development key unless `allow_dev_keys`.
pub fn ensure_usable(key: &KeyFile, allow_dev_keys: bool) -> Result<(), KeyError> {
    if allow_dev_keys || !key.provenance().is_insecure() {
        return Ok(());
    }
    Err(KeyError::DevKeyRefused {
        circuit: key.circuit().name.clone(),
        provenance: key.provenance().to_string(),
    })
}

fn lock(path: &Path) -> io::Result<File> {
    let file = OpenOptions::new()
        .write(true)
        .create(true)
        .truncate(false)
        .open(path)?;
    rustix::fs::flock(&file, FlockOperation::LockExclusive)?;
    Ok(file)
}

#[cfg(test)]
mod tests;
