//! Writing of keys in a directory: under a lock, first under another name.

use std::{
    fs::{self, File, OpenOptions},
    io,
    path::PathBuf,
};

use rustix::{fs::FlockOperation, io::Errno};

use super::EmbeddedKeyStore;
use crate::{Advance, CircuitIdentity, KeyError, KeyFile, KeyWriter, Provenance};

/// The right of one process to change a circuit's key in a directory. The lock
/// ends with the process.
#[derive(Debug)]
pub(crate) struct KeyLock(#[expect(dead_code, reason = "closing the file ends the lock")] File);

impl EmbeddedKeyStore {
    /// Locks a circuit's key; waits while another process has the lock.
    pub(crate) fn lock(&self, circuit: &CircuitIdentity) -> Result<KeyLock, KeyError> {
        self.flock(circuit, FlockOperation::LockExclusive)
            .map_err(self.failed("lock key", circuit))
    }

    /// Locks a circuit's key; `None` if another process has the lock.
    pub(crate) fn try_lock(&self, circuit: &CircuitIdentity) -> Result<Option<KeyLock>, KeyError> {
        match self.flock(circuit, FlockOperation::NonBlockingLockExclusive) {
            Ok(lock) => Ok(Some(lock)),
            Err(error) if error.raw_os_error() == Some(Errno::WOULDBLOCK.raw_os_error()) => {
                Ok(None)
            }
            Err(error) => Err(self.failed("lock key", circuit)(error)),
        }
    }

    fn flock(&self, circuit: &CircuitIdentity, operation: FlockOperation) -> io::Result<KeyLock> {
        fs::create_dir_all(&self.directory)?;
        let file = OpenOptions::new()
            .write(true)
            .create(true)
            .truncate(false)
            .open(self.path(circuit).with_extension("lock"))?;
        rustix::fs::flock(&file, operation)?;
        Ok(KeyLock(file))
    }

    /// Makes a key, in place of an older one.
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

    /// An empty file for a key that is being written. The caller holds the lock.
    pub(crate) fn unfinished(&self, circuit: &CircuitIdentity) -> Result<File, KeyError> {
        OpenOptions::new()
            .write(true)
            .create(true)
            .truncate(true)
            .open(self.unfinished_path(circuit))
            .map_err(self.failed("create key", circuit))
    }

    /// The path of that file.
    pub(crate) fn unfinished_path(&self, circuit: &CircuitIdentity) -> PathBuf {
        self.path(circuit).with_extension("unfinished")
    }

    /// Gives a finished key its name.
    pub(crate) fn put_in_place(
        &self,
        _lock: &KeyLock,
        circuit: &CircuitIdentity,
        key: KeyFile,
    ) -> Result<KeyFile, KeyError> {
        let path = self.path(circuit);
        let renamed = fs::rename(key.path(), &path).and_then(|()| self.sync());
        renamed.map_err(self.failed("put in place key", circuit))?;
        Ok(key.moved_to(path))
    }

    /// Renames a key that must not be used.
    pub(crate) fn set_aside(
        &self,
        _lock: &KeyLock,
        circuit: &CircuitIdentity,
        why: &str,
    ) -> Result<PathBuf, KeyError> {
        let path = self.path(circuit);
        let aside = path.with_extension(format!("{why}.aside"));
        let renamed = fs::rename(&path, &aside).and_then(|()| self.sync());
        renamed.map_err(self.failed("set aside key", circuit))?;
        Ok(aside)
    }

    /// Brings renames and removals to the disk.
    pub(super) fn sync(&self) -> io::Result<()> {
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
}
