//! Writes keys in a directory, under a lock; an incomplete key has another name.

use std::{
    fs::{self, File, OpenOptions, TryLockError},
    io,
    path::PathBuf,
};

use super::EmbeddedKeyStore;
use crate::{Advance, CircuitIdentity, KeyError, KeyFile, KeyWriter, Provenance};

/// The right of one process to change a circuit's key in a directory. The lock
/// ends when this value is dropped or the process ends.
#[derive(Debug)]
pub(crate) struct KeyLock(#[expect(dead_code, reason = "closing the file ends the lock")] File);

impl EmbeddedKeyStore {
    /// Locks a circuit's key; waits while another process has the lock.
    pub(crate) fn lock(&self, circuit: &CircuitIdentity) -> Result<KeyLock, KeyError> {
        let file = self.lock_file(circuit)?;
        file.lock().map_err(self.failed("lock key", circuit))?;
        Ok(KeyLock(file))
    }

    /// Locks a circuit's key; `None` if another process has the lock.
    pub(crate) fn try_lock(&self, circuit: &CircuitIdentity) -> Result<Option<KeyLock>, KeyError> {
        let file = self.lock_file(circuit)?;
        match file.try_lock() {
            Ok(()) => Ok(Some(KeyLock(file))),
            Err(TryLockError::WouldBlock) => Ok(None),
            Err(TryLockError::Error(error)) => Err(self.failed("lock key", circuit)(error)),
        }
    }

    fn lock_file(&self, circuit: &CircuitIdentity) -> Result<File, KeyError> {
        let path = self.path(circuit).with_extension("lock");
        let open = || OpenOptions::new().append(true).create(true).open(path);
        let file = fs::create_dir_all(&self.directory).and_then(|()| open());
        file.map_err(self.failed("lock key", circuit))
    }

    /// Makes a circuit's key, in place of an older key.
    pub(crate) fn make(
        &self,
        lock: &KeyLock,
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
        self.put_in_place(lock, circuit, key)
    }

    /// Creates an empty file for a new key. The caller must hold the lock.
    pub(crate) fn unfinished(&self, circuit: &CircuitIdentity) -> Result<File, KeyError> {
        let file = File::create(self.unfinished_path(circuit));
        file.map_err(self.failed("create key", circuit))
    }

    pub(crate) fn unfinished_path(&self, circuit: &CircuitIdentity) -> PathBuf {
        self.path(circuit).with_extension("unfinished")
    }

    pub(crate) fn put_in_place(
        &self,
        _lock: &KeyLock,
        circuit: &CircuitIdentity,
        key: KeyFile,
    ) -> Result<KeyFile, KeyError> {
        let path = self.path(circuit);
        let renamed = fs::rename(key.path(), &path).and_then(|()| self.sync());
        renamed.map_err(self.failed("rename the finished key to", circuit))?;
        Ok(key.moved_to(path))
    }

    /// Renames a key that must not be used; returns the new path.
    pub(crate) fn set_aside(
        &self,
        _lock: &KeyLock,
        circuit: &CircuitIdentity,
        why: &str,
    ) -> Result<PathBuf, KeyError> {
        let path = self.path(circuit);
        let aside = path.with_extension(format!("{why}.aside"));
        let renamed = fs::rename(&path, &aside).and_then(|()| self.sync());
        renamed.map_err(self.failed("rename the unusable key", circuit))?;
        Ok(aside)
    }

    /// Flushes renames and removals to the disk.
    pub(super) fn sync(&self) -> io::Result<()> {
        File::open(&self.directory)?.sync_all()
    }

    fn failed(
        &self,
        action: &'static str,
        circuit: &CircuitIdentity,
    ) -> impl Fn(io::Error) -> KeyError + use<> {
        KeyError::io(action, &self.path(circuit))
    }
}
