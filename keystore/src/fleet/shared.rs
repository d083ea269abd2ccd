//! A directory that all machines share: proving keys, each named after the digest
//! of its file.

use std::{
    fs::{self, File},
    io::{self, BufWriter, Read, Write},
    path::{Path, PathBuf},
    time::{Duration, SystemTime},
};

use super::{Manifest, manifest::mismatch};
use crate::{KeyError, KeyFile, KeyProgress, Watch, blobs};

const CHUNK: usize = 4 << 20;
/// An unfinished copy above this age belongs to a process that died, and is removed.
const STALE: Duration = Duration::from_secs(24 * 3600);

#[derive(Debug)]
pub(super) struct SharedFolder(pub(super) PathBuf);

impl SharedFolder {
    pub(super) fn path(&self, manifest: &Manifest) -> PathBuf {
        self.0.join(format!("{}.key", manifest.file))
    }

    /// Whether the directory has a file with the right name and length. A process
    /// checks the bytes when it fetches the file.
    pub(super) fn has(&self, manifest: &Manifest) -> bool {
        fs::metadata(self.path(manifest)).is_ok_and(|file| file.len() == manifest.file_bytes)
    }

    /// Copies a key into the directory; replaces a damaged file.
    pub(super) fn put(&self, key: &KeyFile, manifest: &Manifest) -> Result<(), KeyError> {
        let path = self.path(manifest);
        let failed = KeyError::io("share key as", &path);
        fs::create_dir_all(&self.0).map_err(&failed)?;
        self.sweep();
        if self.has(manifest) && self.is_whole(&path, manifest) {
            return Ok(());
        }
        let part = blobs::part_of(&path);
        let copied = File::create(&part).and_then(|file| {
            let mut out = BufWriter::with_capacity(CHUNK, file);
            out.write_all(key.as_bytes())?;
            out.into_inner()
                .map_err(|error| error.into_error())?
                .sync_all()?;
            // The file gets its final name when it is complete, because other
            // processes may read it from then on.
            fs::rename(&part, &path)
        });
        copied.map_err(|source| {
            let _ = fs::remove_file(&part);
            failed(source)
        })
    }

    /// Copies the key's file to `to`; refuses a file whose length or digest is not
    /// the manifest's.
    pub(super) fn fetch(
        &self,
        manifest: &Manifest,
        to: &File,
        watch: &Watch<'_>,
    ) -> Result<(), KeyError> {
        let path = self.path(manifest);
        let failed = KeyError::io("fetch key", &path);
        let refuse = |field, got: &str, expected: &str| {
            let place = path.display().to_string();
            Err(mismatch(&manifest.circuit, &place, field, got, expected))
        };
        let from = File::open(&path).map_err(&failed)?;
        let length = from.metadata().map_err(&failed)?.len();
        let of = manifest.file_bytes;
        if length != of {
            return refuse("length", &length.to_string(), &of.to_string());
        }
        let mut out = to;
        let mut bytes = 0;
        let read = read_chunks(from, of, |chunk| {
            out.write_all(chunk)?;
            bytes += chunk.len() as u64;
            watch(&KeyProgress::Fetching { bytes, of });
            Ok(())
        });
        let got = read.map_err(&failed)?;
        if got != manifest.file {
            return refuse("file digest", &got, &manifest.file);
        }
        to.sync_all().map_err(&failed)
    }

    pub(super) fn remove(&self, manifest: &Manifest) -> Result<(), KeyError> {
        let path = self.path(manifest);
        let removed = blobs::found(fs::remove_file(&path)).map(drop);
        removed.map_err(KeyError::io("remove shared key", &path))
    }

    fn is_whole(&self, path: &Path, manifest: &Manifest) -> bool {
        let file = File::open(path);
        let digest = file.and_then(|file| read_chunks(file, manifest.file_bytes, |_| Ok(())));
        digest.is_ok_and(|digest| digest == manifest.file)
    }

    fn sweep(&self) {
        let Ok(entries) = fs::read_dir(&self.0) else {
            return;
        };
        for entry in entries.flatten() {
            let path = entry.path();
            let part = path.extension().is_some_and(|ending| ending == "part");
            let modified = entry.metadata().and_then(|file| file.modified());
            let age = modified
                .ok()
                .and_then(|at| SystemTime::now().duration_since(at).ok());
            if part && age.is_some_and(|age| age > STALE) {
                // Another process may have removed it.
                let _ = fs::remove_file(path);
            }
        }
    }
}

/// Reads at most `limit` bytes, even if the file grows meanwhile. Returns the
/// BLAKE3 of the bytes, hexadecimal.
fn read_chunks(
    file: File,
    limit: u64,
    mut take: impl FnMut(&[u8]) -> io::Result<()>,
) -> io::Result<String> {
    let mut hash = blake3::Hasher::new();
    let mut file = file.take(limit);
    let mut chunk = vec![0; CHUNK];
    loop {
        let count = match file.read(&mut chunk) {
            Ok(0) => return Ok(hash.finalize().to_hex().to_string()),
            Ok(count) => count,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            Err(error) => return Err(error),
        };
        hash.update_rayon(&chunk[..count]);
        take(&chunk[..count])?;
    }
}
